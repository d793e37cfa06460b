import { useEffect } from 'preact/hooks';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { place } from '../shell/router.js';
import { openEntry, turnOf } from './queue.js';

/** In place of a queue's call that is gone meanwhile: the way to the next one. */
export function PassedOver() {
  const turn = turnOf(place.value.query.get('item'));
  const next = turn === undefined ? undefined : turn.queue.entries[turn.index + 1];
  useEffect(() => {
    if (next) document.getElementById('passed-next')?.focus();
  }, [next?.itemId]);
  if (!turn) return null;
  const { queue, index } = turn;
  return (
    <section class="panel queue-bar" aria-label={queue.name}>
      <span class="queue-name">
        <a href={queue.path}>{queue.name}</a>
        <span class="muted">{t('queue.place', { position: index + 1, count: queue.entries.length })}</span>
      </span>
      <p>{t('queue.gone')}</p>
      {next && (
        <button type="button" id="passed-next" class="button small" onClick={() => openEntry(index + 1, true)}>
          {t('queue.next')}
          <Icon name="next" />
        </button>
      )}
    </section>
  );
}

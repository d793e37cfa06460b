import { ask } from '../api/client.js';
import type { CallFacts } from '../collections/types.js';
import { Expires } from '../collections/screen.js';
import type { Page } from '../api/types.js';
import { clock, longDay, moment } from '../format.js';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import './evaluations.css';

interface SharedCall {
  recording: CallFacts;
  clip: { startMs: number; endMs: number } | null;
  note: string | null;
  sharedBy: { name: string };
  sharedAt: string;
}

/** For an agent: own calls that a trainer shared. */
export function SharedCalls() {
  const loaded = useLoaded('shared', (signal) =>
    ask<Page<SharedCall>>('/shared-calls', { query: { limit: 200 }, signal }),
  );
  return (
    <>
      <PageHead title={t('shared.title')} lead={t('shared.lead')} />
      <div class="panel">
        {loaded.state === 'loading' && <Bones count={4} />}
        {loaded.state === 'failed' && <Failure problem={loaded.problem} again={loaded.again} />}
        {loaded.state === 'ready' && loaded.value.items.length === 0 && (
          <State icon="recordings" title={t('shared.none')}>
            <p>{t('shared.noneWhy')}</p>
          </State>
        )}
        {loaded.state === 'ready' && (
          <ul class="cards">
            {loaded.value.items.map(({ recording, clip, note, sharedBy, sharedAt }) => (
              <li key={recording.id}>
                <a href={`/recordings/${recording.id}${clip ? `?t=${clip.startMs / 1000}` : ''}`}>
                  {t('collections.itemName', { when: moment(recording.startedAt) })}
                </a>
                <span class="muted">
                  {clip
                    ? t('collections.clip', { from: clock(clip.startMs), to: clock(clip.endMs) })
                    : clock(recording.durationMs)}{' '}
                  · {t('shared.by', { name: sharedBy.name, when: longDay(sharedAt) })}
                </span>
                <Expires days={recording.expiresInDays} />
                {note && <p class="words">{note}</p>}
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

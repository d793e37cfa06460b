import { clock, readClock } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { KeyTargets } from './keys.js';
import type { Playback } from './playback.js';

/** A stretch that goes round and round: set at the playing place, or typed. */
export function Region({ playback, targets }: { playback: Playback; targets: KeyTargets }) {
  const region = playback.region.value;
  const set = (part: 'startMs' | 'endMs', text: string) => {
    const ms = readClock(text);
    if (ms === undefined) return;
    const within = Math.min(ms, playback.durationMs.peek());
    const next = { startMs: 0, endMs: undefined as number | undefined, ...playback.region.peek(), [part]: within };
    if (next.endMs !== undefined && next.endMs <= next.startMs) next.endMs = undefined;
    playback.region.value = next;
  };
  return (
    <div class="panel region-bar" role="group" aria-label={t('region.title')}>
      <span class="region-name">
        <Icon name="loop" />
        <strong>{t('region.title')}</strong>
      </span>
      <button type="button" class="button small" onClick={targets.markStart}>
        {t('region.start')} <kbd>I</kbd>
      </button>
      <button type="button" class="button small" onClick={targets.markEnd}>
        {t('region.end')} <kbd>O</kbd>
      </button>
      {region === undefined ? (
        <span class="muted">{t('region.none')}</span>
      ) : (
        <>
          <Time name="region-start" label={t('region.from')} ms={region.startMs} set={(text) => set('startMs', text)} />
          <Time name="region-end" label={t('region.to')} ms={region.endMs} set={(text) => set('endMs', text)} />
          <button type="button" class="button quiet small" onClick={() => (playback.region.value = undefined)}>
            <Icon name="close" />
            {t('region.clear')}
          </button>
        </>
      )}
    </div>
  );
}

function Time(props: { name: string; label: string; ms: number | undefined; set: (text: string) => void }) {
  return (
    <label class="region-time" for={props.name}>
      <span>{props.label}</span>
      <input
        class="input"
        id={props.name}
        inputMode="numeric"
        autocomplete="off"
        placeholder="0:00"
        value={props.ms === undefined ? '' : clock(props.ms)}
        onChange={(event) => props.set(event.currentTarget.value)}
      />
    </label>
  );
}

import { useMemo } from 'preact/hooks';
import type { Waveform as Peaks } from '../api/types.js';
import { share } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { talkShare } from './gaps.js';
import type { Playback } from './playback.js';
import { Waveform } from './waveform.js';

/** Whose voice a channel holds. */
export type LegName = 'caller' | 'agent' | 'both';

interface Props {
  playback: Playback;
  waveform: Peaks | undefined;
  coming: boolean;
  names: LegName[];
}

/** The legs one above the other, each with its name, how much it speaks, and its own mute and solo. */
export function Lanes({ playback, waveform, coming, names }: Props) {
  return (
    <div class={names.length > 1 ? 'lanes' : 'lanes mono'}>
      <div class="lane-heads">
        {names.map((name, leg) => (
          <LaneHead key={name} name={name} leg={leg} playback={playback} waveform={waveform} />
        ))}
      </div>
      {waveform ? (
        <Waveform peaks={waveform} names={names} playback={playback} />
      ) : (
        <div class="waveform-missing muted" role="status">
          {t(coming ? 'lane.coming' : 'lane.missing')}
        </div>
      )}
    </div>
  );
}

interface HeadProps {
  name: LegName;
  leg: number;
  playback: Playback;
  waveform: Peaks | undefined;
}

function LaneHead({ name, leg, playback, waveform }: HeadProps) {
  const { legs } = playback;
  const label = t(`lane.${name}`);
  const muted = legs.muted[leg]?.value ?? false;
  const solo = legs.solo.value === leg;
  const peaks = waveform?.channels[leg];
  // Hours of peaks are walked once, not at every press of a button.
  const talks = useMemo(() => (peaks && waveform ? talkShare(peaks, waveform.maxPeak) : 0), [peaks, waveform]);
  return (
    <div class={`lane-head ${name}-lane${legs.heard(leg) ? '' : ' unheard'}`} role="group" aria-label={label}>
      <span class="lane-name">
        <Icon name={name === 'caller' ? 'person' : name === 'agent' ? 'solo' : 'recordings'} />
        <strong>{label}</strong>
      </span>
      {peaks && <span class="muted talk">{t('lane.talks', { share: share(talks) })}</span>}
      {name === 'both' ? (
        <span class="muted lane-buttons">{t('lane.mono')}</span>
      ) : (
        <span class="lane-buttons">
          <button
            type="button"
            class="button small"
            aria-pressed={muted}
            aria-label={t('lane.muteOf', { name: label })}
            onClick={() => legs.toggleMute(leg)}
          >
            <Icon name={muted ? 'muted' : 'sound'} />
            {t('lane.mute')}
          </button>
          <button
            type="button"
            class="button small"
            aria-pressed={solo}
            aria-label={t('lane.soloOf', { name: label })}
            onClick={() => legs.toggleSolo(leg)}
          >
            {t('lane.solo')}
          </button>
        </span>
      )}
    </div>
  );
}

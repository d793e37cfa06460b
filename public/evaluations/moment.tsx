import { useComputed } from '@preact/signals';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { Playback } from '../player/playback.js';

/** Where the player is, by the second; alone, so that a form beside it is not drawn anew all the while. */
export function Now({ playback }: { playback: Playback }) {
  const shown = useComputed(() => clock(playback.positionMs.value));
  return <span>{shown.value}</span>;
}

interface Props {
  atMs: number;
  recordingId: string;
  /** The player beside it; without one the moment is a link to it. */
  playback: Playback | undefined;
}

/** A moment in the call, to go to and hear. */
export function Jump({ atMs, recordingId, playback }: Props) {
  const label = t('evaluation.jump', { time: clock(atMs) });
  const inside = (
    <>
      <Icon name="play" />
      <span aria-hidden="true">{clock(atMs)}</span>
    </>
  );
  const hear = () => {
    playback?.seek(atMs);
    if (playback?.playing.peek() === false) void playback.play();
  };
  return playback ? (
    <button type="button" class="button quiet small moment" aria-label={label} onClick={hear}>
      {inside}
    </button>
  ) : (
    <a
      class="button quiet small moment"
      aria-label={label}
      href={`/recordings/${recordingId}?t=${atMs / 1000}&tab=evaluation`}
    >
      {inside}
    </a>
  );
}

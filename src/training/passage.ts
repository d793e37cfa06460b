import { z } from 'zod';
import { Problem } from '../platform/problem.js';
import type { Interval, RecordingRow, VersionRow } from '../recordings/recording.js';
import { cutsOf, playbackDurationMs, toPlayback, toRecording } from '../recordings/timeline.js';

/**
 * Moments and stretches as people hear them, and as they are kept: on the recording's own timeline, which hold music that
 * becomes known later does not shift.
 */

/** A recording with the version that is heard. */
export interface Heard {
  recording: Pick<RecordingRow, 'holds'>;
  version: Pick<VersionRow, 'sample_rate_hz' | 'duration_ms'>;
}

/** A stretch, or a moment when it has no end. */
export interface Passage {
  startMs: number;
  endMs: number | null;
}

/** As the player shows it. */
export const momentMs = z
  .int()
  .min(0)
  .max(86_400_000)
  .meta({ description: 'Milliseconds of the playback copy, as the player shows them' });

export const backward = { path: ['endMs'], error: 'must lie after startMs' };
export const isForward = (told: { startMs?: number | undefined; endMs?: number | null | undefined }) =>
  told.endMs === undefined || told.endMs === null || (told.startMs !== undefined && told.endMs > told.startMs);

export const cutsIn = ({ recording, version }: Heard): Interval[] =>
  cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);

/** The measured length may still be an estimate by its header: a second is not worth a refusal. */
const slackMs = 1000;

const outside = (path: string) =>
  new Problem('invalid-input', { errors: [{ path, message: 'lies outside the recording' }] });

/** A passage of the playback copy on the recording's own timeline. @throws Problem `invalid-input` */
export function keptPassage(heard: Heard, told: Passage): Passage {
  const cuts = cutsIn(heard);
  const audibleMs = playbackDurationMs(heard.version.duration_ms, cuts);
  if (told.startMs > audibleMs + (told.endMs === null ? slackMs : 0)) throw outside('startMs');
  if (told.endMs === null) {
    const startMs = Math.min(told.startMs, Math.max(0, audibleMs));
    return { startMs: toRecording({ startMs, endMs: startMs }, cuts).startMs, endMs: null };
  }
  if (told.endMs > audibleMs + slackMs) throw outside('endMs');
  return toRecording(
    { startMs: told.startMs, endMs: Math.max(told.startMs + 1, Math.min(told.endMs, audibleMs)) },
    cuts,
  );
}

/** A kept stretch. @throws Problem `invalid-input` */
export function keptStretch(heard: Heard, told: Interval): Interval {
  const { startMs, endMs } = keptPassage(heard, told);
  return { startMs, endMs: endMs ?? startMs + 1 };
}

/** A kept passage as the player shows it. */
export function shownPassage(kept: Passage, cuts: readonly Interval[]): Passage {
  return { startMs: toPlayback(kept.startMs, cuts), endMs: kept.endMs === null ? null : toPlayback(kept.endMs, cuts) };
}

/** A kept stretch as the player shows it. */
export const shownStretch = (kept: Interval, cuts: readonly Interval[]): Interval => ({
  startMs: toPlayback(kept.startMs, cuts),
  endMs: toPlayback(kept.endMs, cuts),
});

import { cutIntervals, cutsFrom } from '../platform/audio/cuts.js';
import { workingRateHz } from '../platform/audio/decode-plan.js';
import type { Interval } from './recording.js';

/**
 * Two timelines: that of the recording as it came in, and that of the playback copy, from which hold music is cut. People
 * mark what they hear, on the second; what they marked is kept on the first, which never changes.
 */

/** What the playback copy leaves out, as the encoder really cuts it, in milliseconds of the recording. */
export function cutsOf(holds: readonly Interval[], sampleRateHz: number, durationMs: number): Interval[] {
  const rateHz = workingRateHz({ sampleRateHz });
  const samples = Math.round((durationMs * rateHz) / 1000);
  return cutIntervals(cutsFrom(holds, rateHz), rateHz, samples).map(([startMs, endMs]) => ({ startMs, endMs }));
}

const lengthOf = ({ startMs, endMs }: Interval): number => endMs - startMs;

/** Milliseconds of the playback copy. */
export function playbackDurationMs(durationMs: number, cuts: readonly Interval[]): number {
  return durationMs - cuts.reduce((sum, cut) => sum + lengthOf(cut), 0);
}

/** A stretch of the playback copy on the recording's timeline. It begins behind a cut that it touches and ends before one. */
export function toRecording(heard: Interval, cuts: readonly Interval[]): Interval {
  let { startMs, endMs } = heard;
  for (const cut of cuts) {
    if (startMs >= cut.startMs) startMs += lengthOf(cut);
    if (endMs > cut.startMs) endMs += lengthOf(cut);
  }
  return { startMs, endMs };
}

/** Where a moment of the recording is heard in the playback copy; one that is cut out, where the cut was made. */
export function toPlayback(recordingMs: number, cuts: readonly Interval[]): number {
  return recordingMs - cuts.reduce((cutBefore, cut) => cutBefore + Math.max(0, Math.min(recordingMs, cut.endMs) - cut.startMs), 0);
}

/**
 * Silences that may be left out, in milliseconds, in order. The service has already left a quarter of a second standing
 * on both sides, so that a jump never clips a word.
 */
export type Gap = readonly [startMs: number, endMs: number];

/** Where to go on when playing reached `positionMs`; undefined when it is not in something to skip. */
export function afterSilence(skips: readonly Gap[], positionMs: number): number | undefined {
  let low = 0;
  let high = skips.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const gap = skips[middle];
    if (!gap) return undefined;
    if (positionMs < gap[0]) high = middle - 1;
    else if (positionMs >= gap[1]) low = middle + 1;
    else return gap[1];
  }
  return undefined;
}

/** How much shorter listening gets. */
export function savedMs(skips: readonly Gap[]): number {
  return skips.reduce((sum, [startMs, endMs]) => sum + endMs - startMs, 0);
}

/**
 * The part of the call in which a leg is heard, 0 to 1, from its peaks; `maxPeak` is that of all legs. What stands out is
 * told by the leg's own loudest moment, for one microphone is far quieter than the other; what is fainter than a thirtieth
 * of the other leg is its echo.
 */
export function talkShare(peaks: readonly number[], maxPeak: number): number {
  const loudest = peaks.reduce((most, peak) => Math.max(most, Math.abs(peak)), 0);
  if (peaks.length === 0 || loudest < maxPeak / 30) return 0;
  const threshold = Math.max(0.015, loudest * 0.06);
  return peaks.filter((peak) => Math.abs(peak) > threshold).length / peaks.length;
}

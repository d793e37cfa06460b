/**
 * Fewer peaks for a small picture: of every `pairs` pairs of lowest and highest one pair is left, so that nothing loud is
 * lost. Hours of call have far more peaks than there are pixels, and each of them is walked when the lanes are painted.
 */
export function thinned(peaks: readonly number[], pairs: number): number[] {
  const step = Math.max(1, Math.floor(pairs)) * 2;
  if (step === 2) return [...peaks];
  const thin: number[] = [];
  for (let from = 0; from < peaks.length; from += step) {
    let low = 0;
    let high = 0;
    for (let at = from; at < Math.min(from + step, peaks.length); at += 1) {
      const peak = peaks[at] ?? 0;
      if (peak < low) low = peak;
      else if (peak > high) high = peak;
    }
    thin.push(low, high);
  }
  return thin;
}

/** How many pairs may become one where so many pixels are drawn: two pairs a pixel stay. */
export function pairsToJoin(peaks: readonly number[], pixels: number): number {
  return Math.floor(peaks.length / 2 / Math.max(1, pixels * 2));
}

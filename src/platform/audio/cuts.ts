/** A stretch of samples (per channel): `from` is the first, `to` the first behind it. */
export interface SampleRange {
  from: number;
  to: number;
}

export interface Interval {
  startMs: number;
  endMs: number;
}

/** The grain of cutting: ten milliseconds, as a whole number of samples. */
export function grainSamples(rateHz: number): number {
  return Math.ceil(rateHz / 100);
}

/**
 * Intervals as ranges of samples: sorted, joined where they touch, rounded outward to the grain, so that no bit of what
 * is to be left out is heard. Intervals that are empty or run backwards are left out.
 */
export function cutsFrom(intervals: readonly Interval[], rateHz: number): SampleRange[] {
  const grain = grainSamples(rateHz);
  const ranges = intervals
    .filter(({ startMs, endMs }) => endMs > startMs && endMs > 0 && Number.isFinite(endMs))
    .map(({ startMs, endMs }) => ({
      from: Math.floor((Math.max(0, startMs) * rateHz) / 1000 / grain) * grain,
      to: Math.ceil((endMs * rateHz) / 1000 / grain) * grain,
    }))
    .sort((a, b) => a.from - b.from);
  const joined: SampleRange[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else joined.push(range);
  }
  return joined;
}

/** The ranges back in milliseconds, as far as there was sound. */
export function cutIntervals(cuts: readonly SampleRange[], rateHz: number, samples: number): [number, number][] {
  return cuts
    .filter(({ from }) => from < samples)
    .map(({ from, to }) => [toMs(from, rateHz), toMs(Math.min(to, samples), rateHz)]);
}

/** The ffmpeg filters that leave these ranges out. They expect time stamps that count samples from 0. */
export function cutFilters(cuts: readonly SampleRange[], rateHz: number): string[] {
  if (cuts.length === 0) return [];
  const inside = cuts.map(({ from, to }) => `between(pts,${from},${to - 1})`).join('+');
  return [`asetnsamples=n=${grainSamples(rateHz)}:p=0`, `aselect='not(${inside})'`, 'asetpts=N'];
}

function toMs(samples: number, rateHz: number): number {
  return Math.round((samples * 1000) / rateHz);
}

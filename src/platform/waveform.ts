import { findGaps } from './audio/gaps.js';
import type { SampleRange } from './audio/cuts.js';

/**
 * What a player draws and skips, on the timeline of the playback copy.
 *
 * `channels` holds one array per channel: the lowest and the highest sample of each `pointMs`, alternating
 * (min, max, min, max …), as parts of full scale between −1 and 1, rounded to three decimals. wavesurfer.js takes
 * these arrays as `peaks` as they are, with `durationMs / 1000` as `duration` and `maxPeak` for all channels, so that
 * a quiet leg looks quiet.
 */
export interface Waveform {
  durationMs: number;
  /** 50, or a doubling of it for recordings longer than eight hours. */
  pointMs: number;
  channels: number[][];
  /** The highest absolute value over all channels, 0 to 1. */
  maxPeak: number;
  /** Stretches in which nobody speaks: [startMs, endMs]. */
  gaps: [startMs: number, endMs: number][];
}

const finestPointMs = 50;
const maxPoints = 8 * 3600 * (1000 / finestPointMs);

/** Points of one channel, in arrays that grow by doubling. */
interface Points {
  min: Int16Array;
  max: Int16Array;
  /** Mean square of the samples, in units of full scale squared. */
  power: Float32Array;
}

/**
 * Takes decoded samples as they come and keeps 20 points a second, in constant memory but for those points.
 * Samples inside `cuts` are counted, not drawn.
 */
export class WaveformBuilder {
  readonly channels: number;
  readonly #rateHz: number;
  readonly #cuts: readonly SampleRange[];
  readonly #points: Points[];
  readonly #low: Int16Array;
  readonly #high: Int16Array;
  readonly #squares: Float64Array;
  #count = 0;
  #pointMs = finestPointMs;
  #inPoint = 0;
  #samples = 0;
  #kept = 0;
  #cut = 0;

  constructor(channels: number, rateHz: number, cuts: readonly SampleRange[]) {
    this.channels = channels;
    this.#rateHz = rateHz;
    this.#cuts = cuts;
    this.#points = Array.from({ length: channels }, () => emptyPoints(1024));
    this.#low = new Int16Array(channels).fill(32_767);
    this.#high = new Int16Array(channels).fill(-32_768);
    this.#squares = new Float64Array(channels);
  }

  /** Samples per channel taken in, cuts included. */
  get samples(): number {
    return this.#samples;
  }

  /** Samples per channel outside the cuts. */
  get keptSamples(): number {
    return this.#kept;
  }

  /** Takes interleaved samples, whole frames only. */
  push(samples: Int16Array): void {
    const frames = samples.length / this.channels;
    for (let frame = 0; frame < frames; ) {
      const cut = this.#cuts[this.#cut];
      if (cut !== undefined && this.#samples >= cut.to) {
        this.#cut += 1;
        continue;
      }
      const isCut = cut !== undefined && this.#samples >= cut.from;
      const untilCutChanges = cut === undefined ? frames : (isCut ? cut.to : cut.from) - this.#samples;
      const untilPointEnds = isCut ? frames : this.#pointEnd() - this.#kept;
      const run = Math.min(frames - frame, untilCutChanges, untilPointEnds);
      if (!isCut) this.#measure(samples, frame, run);
      frame += run;
      this.#samples += run;
      if (!isCut && this.#kept === this.#pointEnd()) this.#closePoint();
    }
  }

  /** The highest absolute sample of a channel so far, 0 to 1. */
  peakOf(channel: number): number {
    const points = this.#points[channel];
    if (points === undefined) return 0;
    let peak = this.#inPoint === 0 ? 0 : Math.max(-(this.#low[channel] ?? 0), this.#high[channel] ?? 0);
    for (let i = 0; i < this.#count; i += 1) peak = Math.max(peak, -(points.min[i] ?? 0), points.max[i] ?? 0);
    return Math.max(0, peak) / 32_768;
  }

  /** Closes the last point; the waveform of the given channels. Gaps are silences of all channels together. */
  finish(channels: readonly number[]): Waveform {
    if (this.#inPoint > 0) this.#closePoint();
    const durationMs = Math.round((this.#kept * 1000) / this.#rateHz);
    const levels = this.#points.map(({ power }) => power.subarray(0, this.#count));
    return {
      durationMs,
      pointMs: this.#pointMs,
      channels: channels.map((channel) => this.#drawn(channel)),
      maxPeak: rounded(Math.max(0, ...channels.map((channel) => this.peakOf(channel)))),
      gaps: findGaps(levels, this.#pointMs, durationMs),
    };
  }

  #pointEnd(): number {
    return Math.round(((this.#count + 1) * this.#pointMs * this.#rateHz) / 1000);
  }

  #measure(samples: Int16Array, frame: number, run: number): void {
    const { channels } = this;
    for (let channel = 0; channel < channels; channel += 1) {
      let low = this.#low[channel] ?? 0;
      let high = this.#high[channel] ?? 0;
      let squares = 0;
      const end = (frame + run) * channels;
      for (let i = frame * channels + channel; i < end; i += channels) {
        const sample = samples[i] ?? 0;
        if (sample < low) low = sample;
        if (sample > high) high = sample;
        squares += sample * sample;
      }
      this.#low[channel] = low;
      this.#high[channel] = high;
      this.#squares[channel] = (this.#squares[channel] ?? 0) + squares;
    }
    this.#inPoint += run;
    this.#kept += run;
  }

  #closePoint(): void {
    const at = this.#count;
    this.#points.forEach((points, channel) => {
      if (at >= points.min.length) this.#points[channel] = points = grown(points);
      points.min[at] = this.#low[channel] ?? 0;
      points.max[at] = this.#high[channel] ?? 0;
      points.power[at] = (this.#squares[channel] ?? 0) / this.#inPoint / 32_768 ** 2;
    });
    this.#low.fill(32_767);
    this.#high.fill(-32_768);
    this.#squares.fill(0);
    this.#inPoint = 0;
    this.#count += 1;
    if (this.#count === maxPoints) this.#halve();
  }

  /** Joins points in pairs: half as many, twice as long. */
  #halve(): void {
    this.#count /= 2;
    this.#pointMs *= 2;
    for (const { min, max, power } of this.#points) {
      for (let i = 0; i < this.#count; i += 1) {
        min[i] = Math.min(min[2 * i] ?? 0, min[2 * i + 1] ?? 0);
        max[i] = Math.max(max[2 * i] ?? 0, max[2 * i + 1] ?? 0);
        power[i] = ((power[2 * i] ?? 0) + (power[2 * i + 1] ?? 0)) / 2;
      }
    }
  }

  #drawn(channel: number): number[] {
    const points = this.#points[channel];
    const drawn = new Array<number>(this.#count * 2);
    for (let i = 0; i < this.#count; i += 1) {
      drawn[2 * i] = rounded((points?.min[i] ?? 0) / 32_768);
      drawn[2 * i + 1] = rounded((points?.max[i] ?? 0) / 32_768);
    }
    return drawn;
  }
}

function emptyPoints(length: number): Points {
  return { min: new Int16Array(length), max: new Int16Array(length), power: new Float32Array(length) };
}

function grown(points: Points): Points {
  const larger = emptyPoints(points.min.length * 2);
  larger.min.set(points.min);
  larger.max.set(points.max);
  larger.power.set(points.power);
  return larger;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000 || 0;
}

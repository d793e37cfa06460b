import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutsFrom } from '../src/platform/audio/cuts.js';
import { WaveformBuilder } from '../src/platform/waveform.js';

describe('a waveform', () => {
  test('holds the lowest and the highest sample of each twentieth of a second, per channel', () => {
    const builder = new WaveformBuilder(2, 1000, []);
    const samples = new Int16Array(2 * 120);
    samples[2 * 10] = 16_384;
    samples[2 * 20] = -8192;
    samples[2 * 110 + 1] = -32_768;
    builder.push(samples);
    expect(builder.finish([0, 1])).toEqual({
      durationMs: 120,
      pointMs: 50,
      channels: [[-0.25, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, -1, 0]],
      maxPeak: 1,
      gaps: [],
    });
  });

  test('does not depend on how the samples come', () => {
    const samples = Int16Array.from({ length: 9000 }, (_, i) => 30_000 * Math.sin(i * i));
    const cuts = [{ from: 700, to: 910 }, { from: 2000, to: 2030 }];
    const atOnce = new WaveformBuilder(2, 1103, cuts);
    atOnce.push(samples);
    const expected = atOnce.finish([0, 1]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 40 }), (pieces) => {
        const builder = new WaveformBuilder(2, 1103, cuts);
        for (let at = 0, i = 0; at < samples.length; i += 1) {
          const end = Math.min(samples.length, at + 2 * (pieces[i % pieces.length] ?? 1));
          builder.push(samples.subarray(at, end));
          at = end;
        }
        expect(builder.samples).toBe(4500);
        expect(builder.keptSamples).toBe(4500 - 240);
        expect(builder.finish([0, 1])).toEqual(expected);
      }),
    );
  });

  test('of more than eight hours gets coarser instead of larger', () => {
    const builder = new WaveformBuilder(1, 100, []);
    const minute = new Int16Array(6000).fill(1000);
    minute[5] = 20_000;
    for (let i = 0; i < 9 * 60; i += 1) builder.push(minute);
    const waveform = builder.finish([0]);
    expect(waveform).toMatchObject({ durationMs: 9 * 3600_000, pointMs: 100, maxPeak: 0.61 });
    expect(waveform.channels[0]).toHaveLength(2 * 9 * 3600 * 10);
  });
});

describe('cuts', () => {
  test('are sorted, joined and rounded outward, whatever the intervals', () => {
    const interval = fc.record({
      startMs: fc.integer({ min: -1000, max: 100_000 }),
      endMs: fc.integer({ min: -1000, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 12 }), fc.constantFrom(8000, 11_025, 48_000), (intervals, rateHz) => {
        const cuts = cutsFrom(intervals, rateHz);
        cuts.forEach(({ from, to }, i) => {
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeGreaterThan(from);
          expect(from).toBeGreaterThan(cuts[i - 1]?.to ?? -1);
        });
        for (const { startMs, endMs } of intervals) {
          if (endMs <= Math.max(0, startMs)) continue;
          const startSample = (Math.max(0, startMs) * rateHz) / 1000;
          const endSample = (endMs * rateHz) / 1000;
          expect(cuts.some(({ from, to }) => from <= startSample && to >= endSample)).toBe(true);
        }
      }),
    );
  });
});

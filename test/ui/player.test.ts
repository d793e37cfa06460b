// @vitest-environment happy-dom
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { afterSilence, type Gap, savedMs, talkShare } from '../../public/player/gaps.js';
import { shortcuts } from '../../public/player/keys.js';
import { pairsToJoin, thinned } from '../../public/player/peaks.js';
import { keepHabits, keepSpot, readHabits, readSpot } from '../../public/player/memory.js';

const gaps: Gap[] = [
  [2000, 5000],
  [9000, 9800],
];

describe('skipping silence', () => {
  it('jumps from inside a silence to its end, and nowhere else', () => {
    expect([0, 1999, 2000, 4999, 5000, 9500, 20_000].map((ms) => afterSilence(gaps, ms))).toEqual([
      undefined,
      undefined,
      5000,
      5000,
      undefined,
      9800,
      undefined,
    ]);
  });

  it('never goes back and never skips a sound, whatever the silences', () => {
    const anyGaps = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 40 }).map((lengths) => {
      let at = 0;
      const edges = lengths.map((length) => (at += length));
      return edges.flatMap((edge, index): Gap[] => (index % 2 === 1 ? [[edges[index - 1] ?? 0, edge]] : []));
    });
    fc.assert(
      fc.property(anyGaps, fc.integer({ min: 0, max: 250_000 }), (silences, at) => {
        const onward = afterSilence(silences, at);
        const within = silences.find(([startMs, endMs]) => at >= startMs && at < endMs);
        return onward === within?.[1];
      }),
    );
  });

  it('tells how much shorter listening gets', () => {
    expect(savedMs(gaps)).toBe(3800);
  });
});

describe('the talking of a leg', () => {
  it('is the part of its peaks that stands out', () => {
    expect(talkShare([0, 0, -0.5, 0.5], 0.5)).toBe(0.5);
    expect(talkShare([], 0.5)).toBe(0);
    expect(talkShare([0.001, -0.001], 0.9)).toBe(0);
  });

  it('is told by its own loudness: a quiet microphone speaks too, an echo of the other leg does not', () => {
    expect(talkShare([-0.05, 0.05, 0, 0], 1)).toBe(0.5);
    expect(talkShare([-0.03, 0.03, 0, 0], 1)).toBe(0);
  });
});

describe('peaks for a small picture', () => {
  it('keep what is loudest, pair by pair', () => {
    expect(thinned([-0.1, 0.2, -0.9, 0.1, 0, 0.5, -0.2, 0.3, -0.4, 0.1], 2)).toEqual([-0.9, 0.2, -0.2, 0.5, -0.4, 0.1]);
    expect(thinned([-0.1, 0.2], 1)).toEqual([-0.1, 0.2]);
    expect(thinned([], 4)).toEqual([]);
  });

  it('are joined only where there are more of them than pixels to show them', () => {
    expect(pairsToJoin(new Array<number>(288_000).fill(0), 900)).toBe(80);
    expect(pairsToJoin(new Array<number>(2000).fill(0), 900)).toBe(0);
  });
});

describe('the keys', () => {
  it('stand each for one thing', () => {
    const keys = shortcuts.flatMap((shortcut) => shortcut.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('what the player remembers', () => {
  beforeEach(() => localStorage.clear());

  it('is kept per person', () => {
    keepSpot('one', 'recording', 65_000);
    expect(readSpot('one', 'recording')).toBe(65_000);
    expect(readSpot('other', 'recording')).toBeUndefined();
    keepHabits('one', { speed: 1.5, skipSilence: true, shortcuts: false });
    expect(readHabits('one')).toEqual({ speed: 1.5, skipSilence: true, shortcuts: false });
    expect(readHabits('other')).toEqual({ speed: 1, skipSilence: false, shortcuts: true });
  });

  it('forgets a recording that was heard to its end, and those that can no longer exist', () => {
    const now = Date.parse('2026-11-22T12:00:00Z');
    keepSpot('one', 'old', 1000, now - 91 * 86_400_000);
    keepSpot('one', 'recording', 5000, now);
    expect(readSpot('one', 'old')).toBeUndefined();
    keepSpot('one', 'recording', undefined, now);
    expect(readSpot('one', 'recording')).toBeUndefined();
  });

  it('survives a store that holds nonsense', () => {
    localStorage.setItem('opname.habits.one', '{"speed":17,"shortcuts":"no"');
    localStorage.setItem('opname.spots.one', '[]');
    expect(readHabits('one').speed).toBe(1);
    expect(readSpot('one', 'recording')).toBeUndefined();
  });
});

// @vitest-environment happy-dom
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { clock, clockWords, day, daysUntil, phone, readClock, startOfDay, time } from '../../public/format.js';
import { chooseLanguage } from '../../public/i18n.js';

beforeEach(() => chooseLanguage('nl', false));

describe('times in a call', () => {
  it('read as on a clock', () => {
    expect([0, 65_000, 185_999, 3_723_000].map(clock)).toEqual(['0:00', '1:05', '3:05', '1:02:03']);
  });

  it('are said in words', () => {
    expect(clockWords(185_000)).toBe('3 minuten 5 seconden');
    expect(clockWords(0)).toBe('0 seconden');
    chooseLanguage('en', false);
    expect(clockWords(3_660_000)).toBe('1 hour 1 minute');
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 86_400 }),
        (seconds) => readClock(clock(seconds * 1000)) === seconds * 1000,
      ),
    );
    expect(readClock('185')).toBe(185_000);
    expect(readClock('drie')).toBeUndefined();
  });
});

describe('days in Amsterdam', () => {
  it('begin at its midnight, in summer and in winter', () => {
    expect(startOfDay('2026-07-01')).toBe('2026-06-30T22:00:00.000Z');
    expect(startOfDay('2026-11-22')).toBe('2026-11-21T23:00:00.000Z');
  });

  it('are 23 or 25 hours long when the clocks change', () => {
    expect(startOfDay('2026-03-29')).toBe('2026-03-28T23:00:00.000Z');
    expect(startOfDay('2026-03-29', 1)).toBe('2026-03-29T22:00:00.000Z');
    expect(startOfDay('2026-10-25')).toBe('2026-10-24T22:00:00.000Z');
    expect(startOfDay('2026-10-25', 1)).toBe('2026-10-25T23:00:00.000Z');
  });

  it('are what a call is filed under, wherever the browser is', () => {
    expect(day('2026-11-21T23:30:00Z')).toContain('22');
    expect(time('2026-11-21T23:30:00Z')).toBe('00:30');
  });

  it('are counted up to the last one', () => {
    const now = Date.parse('2026-11-22T12:00:00Z');
    expect(daysUntil('2026-11-22T12:00:01Z', now)).toBe(1);
    expect(daysUntil('2026-11-24T12:00:00Z', now)).toBe(2);
    expect(daysUntil('2026-11-21T12:00:00Z', now)).toBe(0);
  });
});

describe('telephone numbers', () => {
  it('are spaced as people write them, and masked ones stay masked', () => {
    expect(phone('+31612345678')).toBe('+31 6 12 34 56 78');
    expect(phone('+31850000001')).toBe('+31 85 000 0001');
    expect(phone('•••678')).toBe('••• 678');
    expect(phone('201')).toBe('201');
  });
});

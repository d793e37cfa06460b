import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Period } from '../src/retention/category.js';
import { endOfCall, endOfPeriod, endOfPeriodSql, lifecycleDays, recordingRetainUntil } from '../src/retention/policy.js';
import { readWhen } from '../src/retention/when.js';
import { endOfWorkingDay } from '../src/retention/working-days.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const zone = 'Europe/Amsterdam';
const day = 86_400_000;
const instants = fc.date({ min: new Date('2019-01-01Z'), max: new Date('2039-12-31Z'), noInvalidDate: true });
const years = (amount: number) => ({ amount, unit: 'calendar_years' as const });

describe('a recording', () => {
  test.each([
    ['2026-03-01T09:00:00.000Z', '2026-05-30T09:00:00.000Z'], // summer time begins in between: still 90 × 24 h
    ['2026-10-01T09:00:00.000Z', '2026-12-30T09:00:00.000Z'],
    ['2028-02-01T00:00:00.000Z', '2028-05-01T00:00:00.000Z'], // a leap day in between
  ])('of a call that ended at %s is kept until %s', (ended, until) => {
    expect(recordingRetainUntil(new Date(ended)).toISOString()).toBe(until);
  });

  test('is never kept longer for what a PBX says of its end', () => {
    fc.assert(
      fc.property(instants, instants, fc.integer({ min: 0, max: 7_200_000 }), instants, (startedAt, endedAt, durationMs, receivedAt) => {
        const end = endOfCall({ startedAt, endedAt, durationMs, receivedAt });
        expect(end.getTime()).toBeLessThanOrEqual(receivedAt.getTime());
        expect(end.getTime()).toBeLessThanOrEqual(Math.max(startedAt.getTime() + day, startedAt.getTime() + durationMs));
      }),
    );
  });
});

describe('calendar years', () => {
  test.each([
    ['2024-02-29T11:00:00.000Z', 1, '2025-02-28T11:00:00.000Z'],
    ['2024-02-29T11:00:00.000Z', 4, '2028-02-29T11:00:00.000Z'],
    ['2024-02-29T23:30:00.000Z', 1, '2025-02-28T23:30:00.000Z'], // 1 March in Amsterdam
    ['2024-02-28T23:30:00.000Z', 1, '2025-02-27T23:30:00.000Z'], // 29 February in Amsterdam
    ['2026-11-22T21:00:00.000Z', 3, '2029-11-22T21:00:00.000Z'],
    ['2024-03-30T11:00:00.000Z', 3, '2027-03-30T10:00:00.000Z'], // noon both times; summer time had begun by then
  ])('%s and %d years later is %s', (start, amount, end) => {
    expect(endOfPeriod(new Date(start), years(amount), zone).toISOString()).toBe(end);
  });

  test('keep the wall time and the date, clipped to the month, and fit under the rule of the bucket', () => {
    const wall = (at: Date) => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
    fc.assert(
      fc.property(instants, fc.integer({ min: 1, max: 8 }), (start, amount) => {
        const end = endOfPeriod(start, years(amount), zone);
        const [from, to] = [wall(start), wall(end)];
        expect(Number(to.slice(0, 4)) - Number(from.slice(0, 4))).toBe(amount);
        expect(to.slice(5, 7)).toBe(from.slice(5, 7));
        expect(Number(from.slice(8, 10)) - Number(to.slice(8, 10))).toBeOneOf([0, from.slice(5, 10) === '02-29' ? 1 : 0]);
        const midnight = Math.ceil((start.getTime() + lifecycleDays(years(amount)) * day) / day) * day;
        expect(end.getTime()).toBeLessThanOrEqual(midnight + 3_600_000);
      }),
    );
  });
});

describe('in SQL', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(async () => {
    await fresh.drop();
  });

  test('the end of a period is the same as in the program', async () => {
    const period = fc.oneof(
      fc.integer({ min: 1, max: 200 }).map((amount) => ({ amount, unit: 'days' as const })),
      fc.integer({ min: 1, max: 5 }).map(years),
    );
    const told = async (starts: readonly Date[], each: Period): Promise<Date[]> =>
      (await fresh.database.query<{ at: Date }>(
        `SELECT ${endOfPeriodSql('start', each, zone)} AS at FROM unnest($1::timestamptz[]) WITH ORDINALITY AS given (start, place) ORDER BY place`,
        [starts],
      )).map(({ at }) => at);
    for (const [start, each] of fc.sample(fc.tuple(instants, period), 200))
      expect(await told([start], each)).toEqual([endOfPeriod(start, each, zone)]);
    // Half hours around the nights on which clocks are changed: of an hour that comes twice, or never, the earlier reading.
    for (const night of ['2025-03-29', '2025-03-30', '2025-10-25', '2025-10-26', '2026-03-28', '2027-10-30', '2028-02-29']) {
      const starts = Array.from({ length: 60 }, (_each, at) => new Date(Date.parse(`${night}T00:00:00Z`) + at * 1_800_000));
      for (const amount of [1, 2, 3])
        expect(await told(starts, years(amount))).toEqual(starts.map((start) => endOfPeriod(start, years(amount), zone)));
    }
  });
});

test('three working days leave out weekends and holidays', () => {
  const holidays = new Set(['2026-12-25', '2026-12-26']);
  // Wednesday 23 December: Thursday, then Monday and Tuesday.
  expect(endOfWorkingDay(new Date('2026-12-23T10:00:00Z'), 3, holidays, zone).toISOString()).toBe('2026-12-29T23:00:00.000Z');
});

test.each([
  ['2026-12-01', '2026-11-30T23:00:00.000Z'],
  ['2026-12-01T10:00', '2026-12-01T09:00:00.000Z'],
  ['2026-07-01T10:00:30Z', '2026-07-01T10:00:30.000Z'],
  ['2026-07-01T10:00:30.250+02:00', '2026-07-01T08:00:30.250Z'],
  ['2026-07-01T10:00-0330', '2026-07-01T13:30:00.000Z'],
])('%s is read as %s', (text, instant) => {
  expect(readWhen(text, zone, 'at').toISOString()).toBe(instant);
});

import { describe, expect, test } from 'vitest';
import { dueDates, dutchHolidays, easterSunday, endOfDay, isWorkingDay, monthsAfter } from '../src/privacy/clock.js';
import { localDate } from '../src/retention/working-days.js';

const calendar = { timeZone: 'Europe/Amsterdam', holidays: [] };
const due = (receivedAt: string, rest: Partial<Parameters<typeof dueDates>[0]> = {}, holidays: string[] = []) =>
  dueDates({ receivedAt: new Date(receivedAt), extended: false, pauses: [], ...rest }, new Date('2027-01-01T12:00:00Z'), {
    ...calendar,
    holidays,
  });
const dayOf = (at: Date) => localDate(at, 'Europe/Amsterdam');

describe('a calendar month from receipt', () => {
  test.each([
    ['an ordinary day', '2026-06-09T09:00:00Z', '2026-07-09'],
    ['31 January ends with February, on a Saturday, hence Monday', '2026-01-31T09:00:00Z', '2026-03-02'],
    ['31 January of a leap year', '2028-01-31T09:00:00Z', '2028-02-29'],
    ['30 January of a common year', '2023-01-30T09:00:00Z', '2023-02-28'],
    ['29 February', '2024-02-29T09:00:00Z', '2024-03-29', '2024-04-02'],
    ['28 February is not the end of March', '2025-02-28T09:00:00Z', '2025-03-28'],
    ['31 May has no 31 June', '2027-05-31T09:00:00Z', '2027-06-30'],
    ['a Saturday', '2026-07-22T09:00:00Z', '2026-08-24'],
    ['a Sunday', '2026-07-23T09:00:00Z', '2026-08-24'],
    ['Good Friday, through Easter Monday', '2026-03-03T09:00:00Z', '2026-04-07'],
    ['Easter Monday', '2026-03-06T09:00:00Z', '2026-04-07'],
    ['Ascension', '2026-04-14T09:00:00Z', '2026-05-15'],
    ['Whit Monday', '2026-04-25T09:00:00Z', '2026-05-26'],
    ['Christmas on Friday, through the weekend', '2026-11-25T09:00:00Z', '2026-12-28'],
    ['Boxing Day on Friday', '2025-11-26T09:00:00Z', '2025-12-29'],
    ['New Year', '2025-12-01T09:00:00Z', '2026-01-02'],
    ['King’s Day', '2026-03-27T09:00:00Z', '2026-04-28'],
    ['King’s Day kept on Saturday 26, when 27 April is a Sunday', '2025-03-26T09:00:00Z', '2025-04-28'],
    ['27 April a Sunday: Monday 28 is worked', '2025-03-27T09:00:00Z', '2025-04-28'],
    ['Liberation Day, which the organisation did not name', '2026-04-05T09:00:00Z', '2026-05-05'],
    ['received at 23:59 in Amsterdam', '2026-06-09T21:59:00Z', '2026-07-09'],
    ['received a minute later: the next day', '2026-06-09T22:00:00Z', '2026-07-10'],
    ['received at 23:59 in winter', '2026-11-30T22:59:59Z', '2026-12-30'],
    ['over the beginning of summer time', '2026-03-28T12:00:00Z', '2026-04-28'],
    ['over the end of summer time', '2026-09-26T12:00:00Z', '2026-10-26'],
    ['December into the next year', '2026-12-31T12:00:00Z', '2027-02-01'],
  ])('%s', (_name, receivedAt, first, rolled = first) => {
    expect(dayOf(due(receivedAt).dueAt)).toBe(rolled);
  });

  test('ends with the last moment of the day in Amsterdam, whatever the clocks do', () => {
    expect(due('2026-06-09T09:00:00Z').dueAt.toISOString()).toBe('2026-07-09T21:59:59.999Z');
    expect(due('2026-09-26T09:00:00Z').dueAt.toISOString()).toBe('2026-10-26T22:59:59.999Z');
    // The day on which the clocks go back has 25 hours.
    expect(endOfDay('2026-10-25', 'Europe/Amsterdam').toISOString()).toBe('2026-10-25T22:59:59.999Z');
    expect(endOfDay('2026-03-29', 'Europe/Amsterdam').toISOString()).toBe('2026-03-29T21:59:59.999Z');
  });

  test('rolls over the organisation’s own holidays', () => {
    expect(dayOf(due('2026-06-09T09:00:00Z', {}, ['2026-07-09']).dueAt)).toBe('2026-07-10');
  });
});

describe('an extension', () => {
  test.each([
    ['2026-06-09T09:00:00Z', '2026-09-09'],
    ['2025-11-30T09:00:00Z', '2026-03-02'],
    ['2026-01-27T09:00:00Z', '2026-04-28'],
  ])('of %s counts three months from receipt, not from the first due date', (receivedAt, expected) => {
    const dates = due(receivedAt, { extended: true });
    expect(dayOf(dates.dueAt)).toBe(expected);
    expect(dates.originalDueAt).toEqual(due(receivedAt).dueAt);
  });
});

describe('a pause', () => {
  const at = (text: string) => new Date(text);
  test('moves the date by whole days and leaves the original visible', () => {
    const pauses = [{ pausedAt: at('2026-06-10T09:00:00Z'), resumedAt: at('2026-06-15T09:00:00Z') }];
    const dates = due('2026-06-09T09:00:00Z', { pauses });
    expect([dayOf(dates.originalDueAt), dayOf(dates.dueAt), dates.pausedDays]).toEqual(['2026-07-09', '2026-07-14', 5]);
  });
  test('of less than a day moves nothing', () => {
    const pauses = [{ pausedAt: at('2026-06-10T07:00:00Z'), resumedAt: at('2026-06-10T20:00:00Z') }];
    expect(dayOf(due('2026-06-09T09:00:00Z', { pauses }).dueAt)).toBe('2026-07-09');
  });
  test('under way counts up to now', () => {
    const pauses = [{ pausedAt: at('2026-12-20T09:00:00Z'), resumedAt: null }];
    expect(due('2026-12-01T09:00:00Z', { pauses }).pausedDays).toBe(12);
  });
});

test('Easter and what hangs on it', () => {
  expect([1999, 2000, 2024, 2025, 2026, 2027, 2038].map(easterSunday)).toEqual([
    '1999-04-04', '2000-04-23', '2024-03-31', '2025-04-20', '2026-04-05', '2027-03-28', '2038-04-25',
  ]);
  expect(dutchHolidays(2026)).toEqual([
    '2026-01-01', '2026-04-03', '2026-04-05', '2026-04-06', '2026-04-27', '2026-05-14', '2026-05-24', '2026-05-25',
    '2026-12-25', '2026-12-26',
  ]);
  expect(isWorkingDay('2026-11-23', calendar)).toBe(true);
  expect(monthsAfter('2026-10-31', 4)).toBe('2027-02-28');
});

import { instantOf } from '../retention/policy.js';
import { localDate } from '../retention/working-days.js';

/**
 * The statutory clock of a request (art. 12(3) GDPR), by Regulation 1182/71 art. 3: a calendar month from receipt, the day
 * of receipt not counted; it ends on the same date of the next month, or on the last day of a month that lacks it; a last
 * day on a weekend or a public holiday rolls forward to the next working day. Dates are days in the organisation's time
 * zone, and the period ends with the last moment of its last day.
 */

const dayMs = 86_400_000;
const toDate = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const toMs = (date: string) => Date.parse(`${date}T00:00:00Z`);

/** Easter Sunday of a Gregorian year (the anonymous algorithm, Meeus/Jones/Butcher), as `YYYY-MM-DD`. */
export function easterSunday(year: number): string {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return toDate(Date.UTC(year, month - 1, day));
}

/**
 * Public holidays in the Netherlands (Algemene termijnenwet art. 3): New Year, Good Friday, both days of Easter, King's Day
 * (27 April, or 26 when that is a Sunday), Ascension, both days of Whitsun and of Christmas. Liberation Day is left to the
 * organisation's own list: most work on 5 May, and where it is in doubt the earlier date is the caller's.
 */
export function dutchHolidays(year: number): string[] {
  const easterMs = toMs(easterSunday(year));
  const fromEaster = (days: number) => toDate(easterMs + days * dayMs);
  const kingsDayMs = Date.UTC(year, 3, 27);
  return [
    `${year}-01-01`,
    fromEaster(-2),
    fromEaster(0),
    fromEaster(1),
    toDate(new Date(kingsDayMs).getUTCDay() === 0 ? kingsDayMs - dayMs : kingsDayMs),
    fromEaster(39),
    fromEaster(49),
    fromEaster(50),
    `${year}-12-25`,
    `${year}-12-26`,
  ];
}

export interface Calendar {
  /** IANA name: whose midnight ends a day. */
  timeZone: string;
  /** `YYYY-MM-DD`: the organisation's own, besides the public ones. */
  holidays: readonly string[];
}

/** Is it a day on which a period can end? */
export function isWorkingDay(date: string, { holidays }: Calendar): boolean {
  const weekday = new Date(toMs(date)).getUTCDay();
  if (weekday === 0 || weekday === 6 || holidays.includes(date)) return false;
  return !dutchHolidays(Number(date.slice(0, 4))).includes(date);
}

/** `date` itself when it is a working day, else the next one. */
function rolledForward(date: string, calendar: Calendar): string {
  let day = date;
  while (!isWorkingDay(day, calendar)) day = toDate(toMs(day) + dayMs);
  return day;
}

/** The same date so many months on, or the last day of that month. */
export function monthsAfter(date: string, months: number): string {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const lastDay = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return toDate(Date.UTC(year, month - 1 + months, Math.min(day, lastDay)));
}

/** The last moment of a date in `timeZone`: a millisecond before the next midnight there. */
export function endOfDay(date: string, timeZone: string): Date {
  return new Date(instantOf(toMs(date) + dayMs, timeZone) - 1);
}

/** A stretch in which the clock stands still. */
export interface Pause {
  pausedAt: Date;
  /** Null while it lasts. */
  resumedAt: Date | null;
}

/** Whole days, by the calendar, that pauses took: a pause that ends on the day it began takes none. */
export function pausedDays(pauses: readonly Pause[], now: Date, timeZone: string): number {
  const days = pauses.map(({ pausedAt, resumedAt }) =>
    Math.round((toMs(localDate(resumedAt ?? now, timeZone)) - toMs(localDate(pausedAt, timeZone))) / dayMs),
  );
  return days.reduce((sum, each) => sum + Math.max(0, each), 0);
}

/** Days on the calendar until `dueAt`: 0 today, negative once it is late. The one count that all screens and letters go by. */
export function daysLeft(dueAt: Date, now: Date, timeZone: string): number {
  return Math.round((toMs(localDate(dueAt, timeZone)) - toMs(localDate(now, timeZone))) / dayMs);
}

export interface DueFacts {
  receivedAt: Date;
  extended: boolean;
  pauses: readonly Pause[];
}

export interface DueDates {
  /** When the answer is due, as things stand. */
  dueAt: Date;
  /** When it would have been due without extension and pauses. */
  originalDueAt: Date;
  /** Until when an extension, or a refusal, must have been told (art. 12(3), 12(4)); pauses move it. */
  firstMonthEndsAt: Date;
  pausedDays: number;
}

/** The dates of a request at `now`. A pause under way moves them a day further each day. */
export function dueDates({ receivedAt, extended, pauses }: DueFacts, now: Date, calendar: Calendar): DueDates {
  const received = localDate(receivedAt, calendar.timeZone);
  const paused = pausedDays(pauses, now, calendar.timeZone);
  const end = (months: number, days: number) =>
    endOfDay(rolledForward(toDate(toMs(monthsAfter(received, months)) + days * dayMs), calendar), calendar.timeZone);
  return {
    dueAt: end(extended ? 3 : 1, paused),
    originalDueAt: end(1, 0),
    firstMonthEndsAt: end(1, paused),
    pausedDays: paused,
  };
}

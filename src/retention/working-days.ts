import { dateFormat } from '../platform/date-format.js';
import { instantOf } from './policy.js';

const dayMs = 86_400_000;

/** The date that clocks in `timeZone` show at `instant`: `2026-11-22`. */
export function localDate(instant: Date, timeZone: string): string {
  return dateFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(instant);
}

/** The first instant of a date in `timeZone`. */
export function startOfDay(date: string, timeZone: string): Date {
  return new Date(instantOf(Date.parse(`${date}T00:00:00Z`), timeZone));
}

/**
 * The end of the `count`th working day after the day of `instant`: Saturdays, Sundays and `holidays` (`2026-12-25`) do not
 * count (Reg. 1182/71 art. 3(3)).
 */
export function endOfWorkingDay(instant: Date, count: number, holidays: ReadonlySet<string>, timeZone: string): Date {
  let date = Date.parse(`${localDate(instant, timeZone)}T00:00:00Z`);
  for (let left = count; left > 0; ) {
    date += dayMs;
    const weekday = new Date(date).getUTCDay();
    if (weekday !== 0 && weekday !== 6 && !holidays.has(new Date(date).toISOString().slice(0, 10))) left -= 1;
  }
  return startOfDay(new Date(date + dayMs).toISOString().slice(0, 10), timeZone);
}

import { offsetMs } from '../platform/date-format.js';
import { Problem } from '../platform/problem.js';

/**
 * Instants as PBXs write them. With an offset they mean what they say; without one they are read in the source's time
 * zone. Of an hour that occurs twice (the end of summer time) the first is taken, so that a doubt never lengthens a
 * retention period; an hour that does not occur (its beginning) is read as if the clock had not yet moved.
 */

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/** Every instant at which clocks in `timeZone` show `wallMs` (a wall time written as if it were UTC): none, one or two. */
export function instantsOfWallTime(wallMs: number, timeZone: string): number[] {
  const before = offsetMs(wallMs - 86_400_000, timeZone);
  const after = offsetMs(wallMs + 86_400_000, timeZone);
  return [...new Set([before, after])]
    .map((offset) => wallMs - offset)
    .filter((instant) => instant + offsetMs(instant, timeZone) === wallMs)
    .sort((a, b) => a - b);
}

/** The one of them that is taken where nothing tells more. */
export function instantOfWallTime(wallMs: number, timeZone: string): number {
  return instantsOfWallTime(wallMs, timeZone)[0] ?? wallMs - offsetMs(wallMs - 86_400_000, timeZone);
}

/**
 * Reads an ISO 8601 instant, `T` or a blank between date and time.
 * @returns undefined when it is none (30 February, 25 o'clock and the like included).
 */
export function readInstant(text: string, timeZone: string): Date | undefined {
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', zone] = match;
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3));
  const wall = new Date(0);
  wall.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  wall.setUTCHours(Number(hour), Number(minute), Number(second), ms);
  const same =
    wall.getUTCFullYear() === Number(year) &&
    wall.getUTCMonth() === Number(month) - 1 &&
    wall.getUTCDate() === Number(day) &&
    wall.getUTCHours() === Number(hour) &&
    wall.getUTCMinutes() === Number(minute) &&
    wall.getUTCSeconds() === Number(second);
  if (!same || Number(year) < 1970) return undefined;
  if (zone === undefined) return new Date(instantOfWallTime(wall.getTime(), timeZone));
  if (/^z$/i.test(zone)) return wall;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 14 || minutes > 59) return undefined;
  const ahead = (hours * 60 + minutes) * 60_000 * (zone.startsWith('-') ? -1 : 1);
  return new Date(wall.getTime() - ahead);
}

const aDay = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Midnight at the beginning of the day `date`, `days` later, where clocks show `timeZone`. */
function midnight(date: string, days: number, timeZone: string): Date | undefined {
  const read = readInstant(`${date}T00:00:00Z`, 'UTC');
  return read === undefined ? undefined : new Date(instantOfWallTime(read.getTime() + days * 86_400_000, timeZone));
}

function readPeriod(told: string | undefined, path: string, timeZone: string, days: number): Date | undefined {
  if (told === undefined || told.trim() === '') return undefined;
  const day = aDay.test(told.trim());
  const read = day ? midnight(told.trim(), days, timeZone) : readInstant(told, timeZone);
  if (read === undefined)
    throw new Problem('invalid-input', { errors: [{ path, message: 'is neither a day such as 2026-03-01 nor an instant' }] });
  // An instant that ends a period belongs to it.
  return !day && days > 0 ? new Date(read.getTime() + 1) : read;
}

/** The beginning of a period, given as a day or an instant. @throws Problem `invalid-input` */
export function readPeriodStart(told: string | undefined, path: string, timeZone: string): Date | undefined {
  return readPeriod(told, path, timeZone, 0);
}

/** The end of a period, exclusive: the midnight after a day, or just behind an instant. @throws Problem `invalid-input` */
export function readPeriodEnd(told: string | undefined, path: string, timeZone: string): Date | undefined {
  return readPeriod(told, path, timeZone, 1);
}

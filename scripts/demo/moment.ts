import { instantOfWallTime } from '../../src/recordings/times.js';

/** When things happened at the sample provider: counted back from today. */

const timeZone = 'Europe/Amsterdam';
const dayMs = 86_400_000;

/** A day in the organisation's time zone as `2026-11-22`, `daysAgo` back; ahead when that is negative. */
export function dayOf(daysAgo: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date(Date.now() - daysAgo * dayMs));
}

/** Today's date in the organisation's time zone, `daysAgo` back, at a time of day; never later than a moment ago. */
export function at(daysAgo: number, timeOfDay: string): Date {
  const wall = new Date(`${dayOf(0)}T${timeOfDay}:00Z`).getTime() - daysAgo * dayMs;
  return new Date(Math.min(instantOfWallTime(wall, timeZone), Date.now() - 120_000));
}

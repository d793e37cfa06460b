/**
 * Stretches of time by which tickets are indexed beside their words. A stretch of level n is 8^n days long and begins at a
 * multiple of its length since 1970 (UTC); its number is that multiple times eight, plus n. The function
 * `ticket_stretches` in the database counts alike.
 */

const dayMs = 86_400_000;
const levels = 5;
const daysOf = (level: number) => 8 ** level;

/** The day since 1970 in which an instant lies, in UTC. */
const dayOf = (at: Date) => Math.floor(at.getTime() / dayMs);

/** The fewest stretches that hold every instant from `from` until just before `until`, both in whole days, and no others. */
export function stretchesBetween(from: Date, until: Date): number[] {
  const last = dayOf(new Date(until.getTime() - 1));
  const numbers: number[] = [];
  for (let day = dayOf(from); day <= last; ) {
    let level = levels - 1;
    while (level > 0 && (day % daysOf(level) !== 0 || day + daysOf(level) - 1 > last)) level -= 1;
    numbers.push((day / daysOf(level)) * 8 + level);
    day += daysOf(level);
  }
  return numbers;
}

/**
 * Parts of the time from `from` until just before `until`, the newest first, each eight times as long as the one before, or
 * sixty-four times where it is told that little was found: what is common is found in the first, what is rare costs three
 * looks.
 */
export function* newestFirst(from: Date, until: Date): Generator<{ from: Date; until: Date }, undefined, boolean> {
  let end = until;
  for (let days = 1; end > from; ) {
    const begin = new Date(Math.max(from.getTime(), (dayOf(new Date(end.getTime() - 1)) - days + 1) * dayMs));
    const little = yield { from: begin, until: end };
    days *= little ? 64 : 8;
    end = begin;
  }
  return undefined;
}

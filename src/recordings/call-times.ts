import { instantsOfWallTime, readInstant } from './times.js';

/**
 * The times of call data records. They are written without an offset, in local time or in UTC, and no row says which. But
 * a unique id holds the second at which its channel was made (`epoch.n` or `systemname-epoch.n`), and no row of a channel
 * starts before that: so the rows themselves show how they are to be read, and which of an hour that occurs twice is meant.
 */

/** How far the clock of a row may lag behind its unique id: both are taken one after the other, in whole seconds. */
const slackMs = 2_000;
/** A row that starts this close to its unique id shows how it is written. */
const closeMs = 5_000;

/** The instant at which the channel of an Asterisk unique id was made; undefined for ids of another form. */
export function instantOfUniqueId(uniqueId: string): number | undefined {
  const seconds = /(?:^|-)(\d{9,10})\.\d+$/.exec(uniqueId)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** Every instant that `text` may mean; one when it carries an offset, none when it is no time. */
function candidates(text: string, timeZone: string): number[] {
  const wall = readInstant(text, 'UTC');
  if (wall === undefined) return [];
  if (/(?:z|[+-]\d{2}(?::?\d{2})?)$/i.test(text.trim())) return [wall.getTime()];
  const instants = instantsOfWallTime(wall.getTime(), timeZone);
  // An hour that does not occur is read as everywhere else.
  const skipped = readInstant(text, timeZone);
  return instants.length > 0 ? instants : skipped === undefined ? [] : [skipped.getTime()];
}

/** The first of `instants` that is not before `after`; else the first of them. */
function firstFrom(instants: readonly number[], after: number | undefined): number | undefined {
  return (after === undefined ? undefined : instants.find((instant) => instant >= after)) ?? instants[0];
}

const isPossible = (instants: readonly number[], bornMs: number) => instants.some((instant) => instant >= bornMs - slackMs);

const isClose = (instants: readonly number[], bornMs: number) =>
  instants.some((instant) => Math.abs(instant - bornMs) <= closeMs);

/** Finds out from rows that lie together whether they are written in UTC although their source's zone is another. */
export function writtenInUtc(rows: readonly { uniqueId: string; startedAt: string }[], timeZone: string): boolean {
  let utc = 0;
  let local = 0;
  for (const { uniqueId, startedAt } of rows) {
    const bornMs = instantOfUniqueId(uniqueId);
    if (bornMs === undefined) continue;
    if (isClose(candidates(startedAt, timeZone), bornMs)) local += 1;
    else if (isClose(candidates(startedAt, 'UTC'), bornMs)) utc += 1;
  }
  return utc > local;
}

/**
 * Reads the start of a row.
 * @returns the instant and the zone it was found to be written in; undefined when it is no time.
 */
export function readStart(
  text: string,
  uniqueId: string,
  timeZone: string,
  inUtc: boolean,
): { at: Date; timeZone: string } | undefined {
  const bornMs = instantOfUniqueId(uniqueId);
  const zones = inUtc ? ['UTC', timeZone] : [timeZone, 'UTC'];
  for (const zone of zones) {
    const instants = candidates(text, zone);
    if (bornMs !== undefined && !isPossible(instants, bornMs)) continue;
    const at = firstFrom(instants, bornMs === undefined ? undefined : bornMs - slackMs);
    if (at !== undefined) return { at: new Date(at), timeZone: zone };
  }
  const at = candidates(text, zones[0] ?? 'UTC')[0];
  return at === undefined ? undefined : { at: new Date(at), timeZone: zones[0] ?? 'UTC' };
}

/** Reads a later time of a row: of an hour that occurs twice the first that is not before `after`. */
export function readAfter(text: string, timeZone: string, after: Date): Date | undefined {
  const at = firstFrom(candidates(text, timeZone), after.getTime());
  return at === undefined ? undefined : new Date(at);
}

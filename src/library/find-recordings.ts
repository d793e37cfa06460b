import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import type { Direction, RecordingRow, VersionRow } from '../recordings/recording.js';
import type { NumberSearch } from '../recordings/numbers.js';
import { openForTraining, sharedWith } from '../recordings/share.js';
import { closedToTraining, heldToTell, restrictedNow, type Knower } from '../retention/hold.js';
import { sameTicket } from '../tickets/link.js';

/** Finding recordings: newest first, each filter by index, every page at the same price. */

export interface RecordingFilter {
  /** A whole number or its ending; caller or callee. */
  number: NumberSearch | undefined;
  from: Date | undefined;
  /** Exclusive. */
  until: Date | undefined;
  /** An extension, or a part of the name of whoever answers on it. */
  agent: string | undefined;
  queue: string | undefined;
  ticket: string | undefined;
  direction: Direction | undefined;
  held: boolean | undefined;
  /** Whether an agreement is marked on it. */
  marked: boolean | undefined;
  /** Whether an evaluation of it was submitted. */
  evaluated: boolean | undefined;
  minDurationMs: number | undefined;
  maxDurationMs: number | undefined;
}

/** A row of the list, with what is joined to it. */
export type FoundRecording = RecordingRow &
  Pick<VersionRow, 'duration_ms' | 'sample_rate_hz' | 'channels' | 'codec' | 'bytes' | 'sha256' | 'truncated' | 'received_at'> & {
    version_state: VersionRow['state'];
    source_name: string;
    held: boolean;
    restricted: boolean;
    agent_name: string | null;
  };

/** Columns of the detail and of the list alike, over `r` (recordings), `v` (its newest version) and `s` (its source). */
const shown = (now: string, reader: Knower) => `r.*, v.state AS version_state, v.duration_ms, v.sample_rate_hz, v.channels, v.codec, v.bytes, v.sha256, v.truncated,
  v.received_at, s.name AS source_name, ${heldToTell('recording', 'r.id', now, reader)} AS held, ${restrictedNow('recording', 'r.id')} AS restricted,
  (SELECT u.name FROM users u WHERE r.agent = ANY (u.extensions) AND u.disabled_at IS NULL ORDER BY u.created_at DESC LIMIT 1) AS agent_name`;

const joined = `JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version JOIN sources s ON s.id = r.source_id`;

/** SQL over `r`: which recordings `person` may know of at `now`. Expired ones are gone for all, held ones the officer keeps. */
function visible(person: Person, now: string, value: (given: unknown) => string): string {
  const kept = `r.version > 0 AND r.purge_intent IS NULL AND `;
  switch (person.role) {
    case 'privacy_officer':
      return `${kept}(r.retain_until > ${now} OR ${heldToTell('recording', 'r.id', now, person)})`;
    case 'administrator':
      return `${kept}r.retain_until > ${now}`;
    case 'trainer':
      // One side of a call is heard in the player of the recording it belongs to.
      return `${openForTraining(now)} AND r.leg_of IS NULL`;
    case 'agent':
      return `${openForTraining(now)} AND ${sharedWith('r.id', `${value(person.userId)}::uuid`)}`;
    case 'auditor':
      return 'false';
  }
}

/**
 * One page, and one row more if there is a next one.
 *
 * A number is looked for as caller and as callee in two index walks that are merged: `OR` over both columns would make
 * PostgreSQL choose between reading everything and sorting everything.
 */
export async function findRecordings(
  database: Database,
  person: Person,
  filter: RecordingFilter,
  page: { limit: number; after: { at: Date; id: string } | undefined },
  now: Date,
): Promise<FoundRecording[]> {
  const bind: unknown[] = [now];
  const value = (given: unknown) => `$${bind.push(given)}`;
  const conditions = [visible(person, '$1', value)];
  if (filter.from !== undefined) conditions.push(`r.started_at >= ${value(filter.from)}`);
  if (filter.until !== undefined) conditions.push(`r.started_at < ${value(filter.until)}`);
  if (filter.agent !== undefined) conditions.push(ofAgent(filter.agent, value));
  if (filter.queue !== undefined) conditions.push(`r.queue = ${value(filter.queue)}`);
  if (filter.direction !== undefined) conditions.push(`r.direction = ${value(filter.direction)}`);
  if (filter.ticket !== undefined) conditions.push(sameTicket('r', value(filter.ticket)));
  if (filter.held !== undefined) conditions.push(`${filter.held ? '' : 'NOT '}${heldToTell('recording', 'r.id', '$1', person)}`);
  if (filter.marked !== undefined)
    conditions.push(
      `${filter.marked ? '' : 'NOT '}EXISTS (SELECT FROM agreements g WHERE g.recording_id = r.id AND g.withdrawn_at IS NULL)`,
    );
  if (filter.evaluated !== undefined)
    conditions.push(
      `${filter.evaluated ? '' : 'NOT '}EXISTS (SELECT FROM evaluations e WHERE e.recording_id = r.id AND e.version > 0)`,
    );
  const duration = '(SELECT d.duration_ms FROM recording_versions d WHERE d.recording_id = r.id AND d.number = r.version)';
  if (filter.minDurationMs !== undefined) conditions.push(`${duration} >= ${value(filter.minDurationMs)}`);
  if (filter.maxDurationMs !== undefined) conditions.push(`${duration} <= ${value(filter.maxDurationMs)}`);
  if (page.after !== undefined)
    conditions.push(`(r.started_at, r.id) < (${value(page.after.at)}, ${value(page.after.id)}::uuid)`);
  const limit = value(page.limit + 1);
  const branches = numberConditions(filter.number, value).map(
    (condition) => `(SELECT r.id FROM recordings r WHERE ${[...conditions, ...condition].join(' AND ')}
      ORDER BY r.started_at DESC, r.id DESC LIMIT ${limit})`,
  );
  return await database.query<FoundRecording>(
    `SELECT ${shown('$1', person)} FROM (${branches.join(' UNION ')}) found JOIN recordings r ON r.id = found.id ${joined}
     ORDER BY r.started_at DESC, r.id DESC LIMIT ${limit}`,
    bind,
  );
}

/** An extension as it stands; other words may also be in the name of whoever answers on one. */
function ofAgent(agent: string, value: (given: unknown) => string): string {
  if (/^\d+$/.test(agent)) return `r.agent = ${value(agent)}`;
  const named = value(`%${agent.replace(/[\\%_]/g, '\\$&')}%`);
  return `r.agent = ANY (ARRAY(SELECT unnest(u.extensions) FROM users u WHERE u.name ILIKE ${named}) || ARRAY[${value(agent)}])`;
}

/** A list of conditions for each index walk; one walk without any when no number is looked for. */
function numberConditions(number: NumberSearch | undefined, value: (given: unknown) => string): string[][] {
  if (number === undefined) return [[]];
  const columns = ['caller_number', 'callee_number'];
  if ('whole' in number) {
    const whole = value(number.whole);
    return columns.map((column) => [`r.${column} = ${whole}`]);
  }
  if (number.ending.length === 3) {
    const ending = value(number.ending);
    return columns.map((column) => [`r.${column} IS NOT NULL`, `right(r.${column}, 3) = ${ending}`]);
  }
  const pattern = value(`${[...number.ending].reverse().join('')}%`);
  return columns.map((column) => [`r.${column} IS NOT NULL`, `reverse(r.${column}) LIKE ${pattern}`]);
}

/** One recording that `person` may know of, whatever its dates; the caller answers 410 for one that is past its period. */
export async function findOneRecording(
  database: Database,
  person: Person,
  id: string,
  now: Date,
): Promise<FoundRecording | undefined> {
  const bind: unknown[] = [id, now];
  const conditions = ['r.id = $1'];
  if (person.role === 'trainer' || person.role === 'agent') conditions.push(`NOT ${closedToTraining('recording', 'r.id')}`);
  if (person.role === 'agent') conditions.push(sharedWith('r.id', `$${bind.push(person.userId)}::uuid`));
  const [row] = await database.query<FoundRecording>(
    `SELECT ${shown('$2', person)} FROM recordings r ${joined} WHERE ${conditions.join(' AND ')}`,
    bind,
  );
  return row;
}

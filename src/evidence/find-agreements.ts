import type { Person } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import type { Database } from '../platform/database.js';
import type { NumberSearch } from '../recordings/numbers.js';
import type { Interval } from '../recordings/recording.js';
import { closedToTraining, heldToTell } from '../retention/hold.js';
import { agreementColumns, type AgreementRow } from './agreement.js';

/** Finding agreements: by number, organisation, date of the call, ticket, words. Newest call first. */

export interface AgreementFilter {
  number: NumberSearch | undefined;
  from: Date | undefined;
  /** Exclusive. */
  until: Date | undefined;
  organisation: string | undefined;
  ticket: string | undefined;
  /** Words, each of which must occur. */
  words: readonly string[];
  recordingId: string | undefined;
}

/** An agreement with what is shown of its call. */
export interface FoundAgreement extends AgreementRow {
  startedAt: Date;
  callerNumber: string | null;
  calleeNumber: string | null;
  agent: string | null;
  retainUntil: Date;
  held: boolean;
  holds: Interval[];
  durationMs: number;
  sampleRateHz: number;
  channels: number;
}

/** SQL over `r`: which recordings the person may know of. Agreements are seen where the recording is. */
function visible(person: Person, now: string): string {
  const { role } = person;
  const kept = 'r.version > 0 AND r.purge_intent IS NULL';
  if (role === 'privacy_officer') return `${kept} AND (r.retain_until > ${now} OR ${heldToTell('recording', 'r.id', now, person)})`;
  if (role === 'trainer') return `${kept} AND r.retain_until > ${now} AND NOT ${closedToTraining('recording', 'r.id')}`;
  return 'false';
}

/** For LIKE: what was typed stands for itself. */
const like = (typed: string) => `%${typed.replaceAll(/[\\%_]/g, (mark) => `\\${mark}`)}%`;

/** One page, and one row more if there is a next one. */
export async function findAgreements(
  database: Database,
  person: Person,
  filter: AgreementFilter,
  page: { limit: number; after: { at: Date; id: string } | undefined },
  now: Date,
): Promise<FoundAgreement[]> {
  const bind: unknown[] = [now];
  const value = (given: unknown) => `$${bind.push(given)}`;
  const conditions = [visible(person, '$1'), 'a.withdrawn_at IS NULL'];
  const parties = `array_to_string(a.parties, ' ')`;
  if (filter.number !== undefined) {
    const wanted = 'whole' in filter.number ? value(filter.number.whole) : value(like(filter.number.ending).slice(0, -1));
    const same = 'whole' in filter.number ? '=' : 'LIKE';
    conditions.push(`(r.caller_number ${same} ${wanted} OR r.callee_number ${same} ${wanted})`);
  }
  if (filter.from !== undefined) conditions.push(`r.started_at >= ${value(filter.from)}`);
  if (filter.until !== undefined) conditions.push(`r.started_at < ${value(filter.until)}`);
  if (filter.recordingId !== undefined) conditions.push(`a.recording_id = ${value(filter.recordingId)}::uuid`);
  if (filter.organisation !== undefined) {
    const wanted = value(like(filter.organisation));
    conditions.push(`(${parties} ILIKE ${wanted} OR EXISTS (SELECT FROM ticket_recordings l JOIN tickets t ON t.id = l.ticket_id
      WHERE l.recording_id = r.id AND t.organisation ILIKE ${wanted} AND t.retain_until > $1))`);
  }
  if (filter.ticket !== undefined) {
    const wanted = value(filter.ticket.replace(/^#/, ''));
    conditions.push(`(ltrim(a.ticket, '#') = ${wanted} OR ltrim(r.ticket_number, '#') = ${wanted})`);
  }
  // A name that a role is not shown cannot be searched for either.
  const text = viewOf(person.role).names ? `concat_ws(' ', a.summary, ${parties}, a.ticket)` : `concat_ws(' ', a.summary, a.ticket)`;
  for (const word of filter.words) conditions.push(`${text} ILIKE ${value(like(word))}`);
  if (page.after !== undefined)
    conditions.push(`(r.started_at, a.id) < (${value(page.after.at)}, ${value(page.after.id)}::uuid)`);
  return await database.query<FoundAgreement>(
    `SELECT ${agreementColumns}, r.started_at AS "startedAt", r.caller_number AS "callerNumber",
       r.callee_number AS "calleeNumber", r.agent, r.retain_until AS "retainUntil", r.holds,
       ${heldToTell('recording', 'r.id', '$1', person)} AS held, v.duration_ms AS "durationMs", v.sample_rate_hz AS "sampleRateHz",
       v.channels
     FROM agreements a JOIN recordings r ON r.id = a.recording_id JOIN recording_versions v ON v.id = a.version_id
       JOIN users u ON u.id = a.marked_by
     WHERE ${conditions.join(' AND ')} ORDER BY r.started_at DESC, a.id DESC LIMIT ${value(page.limit + 1)}`,
    bind,
  );
}

import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { closedToTraining } from '../retention/hold.js';
import { viewOf } from '../access/policy.js';
import type { Basis } from './link.js';
import { newestVersion, recordingFacts, visibleRecording, type LinkedRecording } from './read-ticket.js';

/**
 * Which recordings may belong to a ticket, and which tickets to a recording: the same telephone number, or a number of
 * the same organisation, near in time, the same agent. A machine suggests; a person confirms, and the link keeps what it
 * rested on. What was linked or turned down is not suggested again.
 */

export const scoreSchema = z.int().meta({ description: 'How strong the grounds are together; only for ordering' });

export interface Suggestion {
  basis: Basis[];
  score: number;
}

/** A call belongs to what was going on around it: from so long before a ticket was opened to so long after it was closed. */
const around = `interval '7 days'`;
/** Near: within a day of the ticket's beginning or end, or of one of its messages. */
const near = `interval '24 hours'`;
const most = 20;

const weigh = (sameNumber: string, sameOrganisation: string, nearInTime: string, sameAgent: string) => ({
  basis: `array_remove(ARRAY[CASE WHEN ${sameNumber} THEN 'same_number' END, CASE WHEN ${sameOrganisation} THEN 'same_organisation' END,
    CASE WHEN ${nearInTime} THEN 'near_in_time' END, CASE WHEN ${sameAgent} THEN 'same_agent' END], NULL)`,
  score: `(${sameNumber})::int * 4 + (${sameOrganisation})::int * 2 + (${nearInTime})::int * 2 + (${sameAgent})::int`,
});

/** SQL: is the agent of recording `r` the one of ticket `t`, by extension or by e-mail address? */
const sameAgent = `coalesce(r.agent = t.agent OR r.agent = ANY (
  SELECT unnest(u.extensions) FROM users u WHERE lower(u.email) = t.agent), false)`;

const nearInTime = `(r.started_at BETWEEN t.opened_at - ${near} AND t.opened_at + ${near}
  OR r.started_at BETWEEN t.closed_at - ${near} AND t.closed_at + ${near}
  OR EXISTS (SELECT FROM ticket_pieces p WHERE p.ticket_id = t.id AND p.kind = 'message'
             AND r.started_at BETWEEN p.supplied_at - ${near} AND p.supplied_at + ${near})) IS TRUE`;

const undecided = `NOT EXISTS (SELECT FROM ticket_links l WHERE l.ticket_id = t.id AND l.recording_id = r.id)
  AND (r.ticket_number = ANY (ARRAY[t.number, '#' || t.number])) IS NOT TRUE`;

/** Numbers under which the requester, or others of the same organisation, are known. */
const numbersOfOrganisation = `SELECT o.requester_phone FROM tickets o
  WHERE lower(o.organisation) = lower(t.organisation) AND o.requester_phone IS NOT NULL LIMIT 200`;

/** Recordings that may belong to a ticket, the likeliest first. */
export async function suggestRecordings(
  database: Database,
  caller: Caller,
  ticketId: string,
  now: Date,
): Promise<(LinkedRecording & Suggestion)[]> {
  const of = (numbers: string) => `(r.caller_number IN (${numbers}) OR r.callee_number IN (${numbers}))`;
  const sameNumber = `coalesce(t.requester_phone IN (r.caller_number, r.callee_number), false)`;
  const sameOrganisation = `(NOT ${sameNumber} AND ${of('SELECT unnest(c.numbers)')})`;
  const { basis, score } = weigh(sameNumber, sameOrganisation, nearInTime, sameAgent);
  // The numbers come first and find the calls by index; caller and callee are two walks.
  const walk = (column: string) => `SELECT r.id FROM context c JOIN recordings r ON r.${column} = ANY (c.numbers)
    WHERE r.version > 0 AND r.leg_of IS NULL AND r.started_at BETWEEN c.since AND c.until`;
  return await database.query<LinkedRecording & Suggestion>(
    `WITH context AS MATERIALIZED (
       SELECT t.id, t.opened_at - ${around} AS since,
         greatest(t.closed_at, (SELECT max(p.supplied_at) FROM ticket_pieces p WHERE p.ticket_id = t.id), t.opened_at) + ${around} AS until,
         ARRAY(SELECT t.requester_phone WHERE t.requester_phone IS NOT NULL UNION (${numbersOfOrganisation})) AS numbers
       FROM tickets t WHERE t.id = $1),
     candidates AS (${walk('caller_number')} UNION ${walk('callee_number')})
     SELECT ${recordingFacts}, ${basis} AS basis, NULL AS reason, NULL::uuid AS decided_by, NULL::timestamptz AS decided_at,
       ${score} AS score
     FROM candidates JOIN recordings r ON r.id = candidates.id ${newestVersion}
       JOIN context c ON true JOIN tickets t ON t.id = c.id
     WHERE ${visibleRecording(caller, '$2')} AND ${undecided}
     ORDER BY score DESC, abs(extract(epoch FROM r.started_at - t.opened_at)), r.id LIMIT ${most}`,
    [ticketId, now],
  );
}

/** A ticket that may belong to a recording. */
export interface SuggestedTicket extends Suggestion {
  id: string;
  number: string;
  subject: string;
  opened_at: Date;
  closed_at: Date | null;
}

/** Tickets that may belong to a recording, the likeliest first. */
export async function suggestTickets(database: Database, caller: Caller, recordingId: string, now: Date): Promise<SuggestedTicket[]> {
  const open = viewOf(caller.role).ticketText ? '' : `AND NOT ${closedToTraining('ticket', 't.id')}`;
  const sameNumber = `coalesce(t.requester_phone IN (r.caller_number, r.callee_number), false)`;
  const { basis, score } = weigh(sameNumber, `NOT ${sameNumber}`, nearInTime, sameAgent);
  return await database.query<SuggestedTicket>(
    `WITH same_number AS (
       SELECT t.id, t.organisation FROM recordings r JOIN tickets t ON t.requester_phone IN (r.caller_number, r.callee_number)
       WHERE r.id = $1),
     candidates AS (
       SELECT id FROM same_number
       UNION SELECT o.id FROM tickets o WHERE lower(o.organisation) = ANY (
         SELECT lower(n.organisation) FROM same_number n WHERE n.organisation IS NOT NULL))
     SELECT t.id, t.number, t.subject, t.opened_at, t.closed_at, ${basis} AS basis, ${score} AS score
     FROM candidates JOIN tickets t ON t.id = candidates.id JOIN recordings r ON r.id = $1
     WHERE ${visibleRecording(caller, '$2')} AND t.retain_until > $2 AND t.purge_intent IS NULL ${open} AND ${undecided}
       AND r.started_at BETWEEN t.opened_at - ${around} AND
         greatest(t.closed_at, (SELECT max(p.supplied_at) FROM ticket_pieces p WHERE p.ticket_id = t.id), t.opened_at) + ${around}
     ORDER BY score DESC, abs(extract(epoch FROM r.started_at - t.opened_at)), t.id LIMIT ${most}`,
    [recordingId, now],
  );
}

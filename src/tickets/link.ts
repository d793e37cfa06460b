import type { Transaction } from 'sequelize';
import type { Person, Role } from '../access/caller.js';
import { actorOf } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { closedToTraining } from '../retention/hold.js';

/**
 * Tickets and recordings that belong together. The same ticket number on either side links them by itself, whichever came
 * first: nothing is written for it, the view `ticket_recordings` joins them. People add links, and take links apart, with
 * a reason; what a person decided goes before the number.
 *
 * A link never lengthens a period: each side keeps its own date.
 */

/** What a link can rest on. `ticket_number` is the automatic one; the others are what a person went by. */
export const bases = ['ticket_number', 'same_number', 'same_organisation', 'near_in_time', 'same_agent', 'by_hand'] as const;
export type Basis = (typeof bases)[number];

/** A ticket as it stands beside a recording. */
export interface LinkedTicket {
  id: string;
  number: string;
  subject: string;
  basis: Basis[];
  /** Of its last piece. */
  retainUntil: Date;
}

/** The tickets of each of these recordings that `role` may know of, newest first; none of those whose period is over. */
export async function ticketsOfRecordings(
  database: Database,
  role: Role,
  recordingIds: readonly string[],
  now: Date,
): Promise<Map<string, LinkedTicket[]>> {
  const tickets = new Map<string, LinkedTicket[]>();
  if (recordingIds.length === 0) return tickets;
  const open = viewOf(role).ticketText ? '' : `AND NOT ${closedToTraining('ticket', 't.id')}`;
  const rows = await database.queryOften<LinkedTicket & { recordingId: string }>(
    `SELECT l.recording_id AS "recordingId", t.id, t.number, t.subject, l.basis, t.retain_until AS "retainUntil"
     FROM ticket_recordings l JOIN tickets t ON t.id = l.ticket_id
     WHERE l.recording_id = ANY($1::uuid[]) AND t.retain_until > $2 AND t.purge_intent IS NULL ${open}
     ORDER BY t.opened_at DESC, t.id DESC`,
    [recordingIds, now],
  );
  for (const { recordingId, ...ticket } of rows) tickets.set(recordingId, [...(tickets.get(recordingId) ?? []), ticket]);
  return tickets;
}

/** What a PBX or a person may write for the same ticket number, as an SQL array over a text expression. */
const spellings = (numberSql: string) =>
  `ARRAY[${numberSql}, ltrim(${numberSql}, '#'), '#' || ltrim(${numberSql}, '#')]`;

/**
 * SQL: does the recording `alias` belong to the ticket whose number is bound at `param` (`$3`)? By its own ticket number,
 * whether or not that ticket is known, or by hand; not when somebody took them apart.
 */
export function sameTicket(alias: string, param: string): string {
  const wanted = spellings(`${param}::text`);
  const decided = (linked: boolean) => `SELECT l.recording_id FROM ticket_links l JOIN tickets t ON t.id = l.ticket_id
    WHERE t.number = ANY (${wanted}) AND ${linked ? '' : 'NOT '}l.linked`;
  return `${alias}.id IN (
    (SELECT n.id FROM recordings n WHERE n.ticket_number = ANY (${wanted}) AND n.version > 0 EXCEPT ${decided(false)})
    UNION ${decided(true)})`;
}

/** SQL: tickets `alias` whose number is the one bound at `param`, however it is written. */
export const hasNumber = (alias: string, param: string) => `${alias}.number = ANY (${spellings(`${param}::text`)})`;

type LinkPlatform = Pick<Platform, 'clock' | 'database'>;

/** Both sides, there and within their periods. @throws Problem `not-found`, `retention-ended` */
async function requireBoth(
  { clock, database }: LinkPlatform,
  tx: Transaction,
  ticketId: string,
  recordingId: string,
): Promise<void> {
  const [found] = await database.query<{ ticketUntil: Date | null; recordingUntil: Date | null }>(
    `SELECT (SELECT retain_until FROM tickets WHERE id = $1 AND purge_intent IS NULL) AS "ticketUntil",
            (SELECT retain_until FROM recordings WHERE id = $2 AND version > 0 AND purge_intent IS NULL) AS "recordingUntil"`,
    [ticketId, recordingId],
    tx,
  );
  if (found === undefined || found.ticketUntil === null || found.recordingUntil === null) throw new Problem('not-found');
  const now = clock.now();
  if (found.ticketUntil <= now || found.recordingUntil <= now) throw new Problem('retention-ended');
}

/** What a person decided about a ticket and a recording. */
export interface Decision {
  ticketId: string;
  recordingId: string;
  linked: boolean;
  /** What they went by; for a confirmed suggestion what it rested on. */
  basis: readonly Basis[];
  reason: string | null;
}

/**
 * Links a ticket and a recording, or takes them apart (which also turns down a suggestion for good).
 * @throws Problem `not-found`, `retention-ended`
 */
export async function decideLink(platform: LinkPlatform, person: Person, decision: Decision): Promise<void> {
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    await requireBoth(platform, tx, decision.ticketId, decision.recordingId);
    const [changed] = await database.query(
      `INSERT INTO ticket_links AS l (ticket_id, recording_id, linked, basis, reason, decided_by, decided_at)
       VALUES ($1, $2, $3, $4::text[], $5, $6, $7)
       ON CONFLICT (ticket_id, recording_id) DO UPDATE SET linked = excluded.linked, basis = excluded.basis,
         reason = excluded.reason, decided_by = excluded.decided_by, decided_at = excluded.decided_at
       WHERE (l.linked, l.basis, l.reason) IS DISTINCT FROM (excluded.linked, excluded.basis, excluded.reason)
       RETURNING ticket_id`,
      [
        decision.ticketId, decision.recordingId, decision.linked, decision.basis, decision.reason, person.userId, clock.now(),
      ],
      tx,
    );
    if (changed === undefined) return;
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: decision.linked ? 'ticket.linked' : 'ticket.unlinked',
      object: { type: 'ticket', id: decision.ticketId },
      details: { recordingId: decision.recordingId, basis: [...decision.basis] },
    });
  });
}

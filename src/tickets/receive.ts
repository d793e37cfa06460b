import type { Transaction } from 'sequelize';
import { actorOf, type Machine } from '../access/caller.js';
import { append, type Actor } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { endOfPeriod } from '../retention/policy.js';
import { pushDigest, wasErased } from '../retention/tombstone.js';
import type { Delivery } from './delivery.js';
import { fetchJob } from './fetch.js';
import { digestOf, merge, type TicketFields } from './merge.js';
import { periodsInForce, type Periods } from './period.js';
import { followMessages, followTicket, messageContent, openPiece, openVersion, settleTicket, tellAgain } from './piece.js';
import { storeMessages } from './store.js';
import { earlier, lockTicket, openTicket, type TicketRow } from './ticket.js';

/**
 * Takes a delivery in. What it tells of the ticket is merged under the lock of the ticket's row; each message gets a row
 * first, then its object, and is shown once that is proved. A process that dies in between leaves rows that
 * `finishStalePieces` finishes: everything it needs is in them.
 */

export type TicketPlatform = Pick<Platform, 'clock' | 'database' | 'jobs' | 'log' | 'objects'>;

export interface TicketRules {
  timeZone: string;
}

export interface Received {
  outcome: 'created' | 'updated' | 'unchanged';
  ticketId: string;
}

/**
 * @throws Problem `retention-over` when nothing of it may be kept, `storage-unavailable` and `database-unavailable` when
 * the helpdesk is to send it again
 */
export async function receiveDelivery(
  platform: TicketPlatform,
  rules: TicketRules,
  machine: Machine,
  externalId: string,
  delivery: Delivery,
): Promise<Received> {
  const taken = await platform.database.inTransaction((tx) => take(platform, rules, machine, externalId, delivery, tx));
  await storeMessages(platform, taken.ticketId, actorOf(machine));
  if (taken.fetches > 0) platform.jobs.nudge(fetchJob);
  return taken;
}

async function take(
  platform: TicketPlatform,
  rules: TicketRules,
  machine: Machine,
  externalId: string,
  delivery: Delivery,
  tx: Transaction,
): Promise<Received & { fetches: number }> {
  const { clock, database } = platform;
  const named = { sourceId: machine.sourceId, externalId };
  const before = await lockTicket(database, tx, named);
  const ticket = before ?? (await openTicket(database, clock, tx, named));
  if (ticket.purge_intent !== null) throw new Problem('retention-over', { detail: 'This ticket is being deleted.' });
  const fresh = before === undefined && Object.keys(ticket.told).length === 0;

  const [known] = await database.query(
    `INSERT INTO ticket_deliveries (ticket_id, digest, received_at) VALUES ($1, decode($2, 'hex'), $3)
     ON CONFLICT DO NOTHING RETURNING ticket_id`,
    [ticket.id, digestOf([delivery.at, delivery.exact, delivery.fields, delivery.messages]), clock.now()],
    tx,
  );
  // Attachments that could not be fetched before are asked for again.
  if (known === undefined) return { outcome: 'unchanged', ticketId: ticket.id, fetches: await nameAttachments(platform, ticket, delivery, tx) };

  const periods = await periodsInForce(database, tx);
  const merged = merge(ticket.told, delivery);
  const after: TicketRow = {
    ...ticket,
    ...columnsOf(merged.changes),
    told: merged.told,
    earliest_at: earlier(earlier(ticket.earliest_at, delivery.at), delivery.fields.createdAt),
    ever_contact_form: ticket.ever_contact_form || delivery.fields.category === 'contact_form',
  };
  const pieces = await takePieces(platform, { periods, ...rules }, after, delivery, tx);
  const shellUntil = shellRetainUntil(after, periods, rules.timeZone);
  // Nothing of a ticket that is over, or was erased, comes back by being sent again.
  if (fresh && !(pieces > 0 || (delivery.messages.length === 0 && shellUntil > clock.now()))) throw new Problem('retention-over');
  if (fresh && (await wasErased(database, tx, shellDigest(after)))) throw new Problem('retention-over');

  after.retain_until = fresh || shellUntil < ticket.retain_until ? shellUntil : ticket.retain_until;
  await writeShell(platform, after, tx);
  await settleTicket(database, tx, ticket.id);
  const fetches = await nameAttachments(platform, after, delivery, tx);
  const fields = Object.keys(merged.changes);
  if (fresh || fields.length > 0) await auditShell(platform, actorOf(machine), ticket.id, fresh, fields, tx);
  return { outcome: fresh ? 'created' : 'updated', ticketId: ticket.id, fetches };
}

/** Rows for what is new. In the order of their ids, so that two deliveries of one thread never lock in a circle. */
async function takePieces(
  platform: TicketPlatform,
  rules: { periods: Periods; timeZone: string },
  ticket: TicketRow,
  delivery: Delivery,
  tx: Transaction,
): Promise<number> {
  const { category } = delivery.fields;
  const contents = delivery.messages
    .map((message) => ({ message, externalId: message.externalId, content: messageContent(message, delivery) }))
    .sort((a, b) => (a.externalId < b.externalId ? -1 : 1));
  const known = await tellAgain(platform, tx, ticket, category, contents);
  let kept = known.size;
  for (const { message, content } of contents) {
    if (known.has(message.externalId)) continue;
    const told = { kind: 'message', externalId: message.externalId, messageExternalId: null, at: message.at } as const;
    const piece = await openPiece(platform, tx, ticket, told, category, rules);
    if (piece === undefined) continue;
    kept += 1;
    await openVersion(platform, tx, piece, content);
  }
  await followTicket(platform.database, tx, ticket, rules);
  await followMessages(platform.database, tx, ticket.id, rules);
  return kept;
}

/** How long a shell is kept that never had a piece: as long as one supplied at its beginning. */
function shellRetainUntil(ticket: TicketRow, periods: Periods, timeZone: string): Date {
  return endOfPeriod(ticket.earliest_at, periods[ticket.ever_contact_form ? 'contact_form' : 'support'], timeZone);
}

/** How a shell is told to tombstones. */
export const shellDigest = (ticket: Pick<TicketRow, 'source_id' | 'external_id'>) =>
  pushDigest(ticket.source_id, ticket.external_id, 'ticket');

/** The columns that told fields stand in. */
export function columnsOf(changes: Partial<TicketFields>): Partial<TicketRow> {
  const { number, subject, category, status, requester, agent, createdAt, closedAt } = changes;
  return {
    ...(number === undefined ? {} : { number }),
    ...(subject === undefined ? {} : { subject }),
    ...(category === undefined ? {} : { category }),
    ...(status === undefined ? {} : { status }),
    ...(agent === undefined ? {} : { agent }),
    ...(createdAt === undefined || createdAt === null ? {} : { opened_at: createdAt }),
    ...(closedAt === undefined ? {} : { closed_at: closedAt }),
    ...(requester === undefined
      ? {}
      : {
          requester_name: requester.name,
          requester_email: requester.email,
          requester_phone: requester.phone,
          organisation: requester.organisation,
          requester_relation: requester.relation,
        }),
  };
}

async function writeShell({ database }: TicketPlatform, ticket: TicketRow, tx: Transaction): Promise<void> {
  await database.query(
    `UPDATE tickets SET number = $2, subject = $3, category = $4, status = $5, requester_name = $6, requester_email = $7,
       requester_phone = $8, organisation = $9, requester_relation = $10, agent = $11, opened_at = $12, closed_at = $13,
       told = $14::jsonb, retain_until = $15, earliest_at = $16, ever_contact_form = $17
     WHERE id = $1`,
    [
      ticket.id, ticket.number, ticket.subject, ticket.category, ticket.status, ticket.requester_name,
      ticket.requester_email, ticket.requester_phone, ticket.organisation, ticket.requester_relation, ticket.agent,
      ticket.opened_at, ticket.closed_at, JSON.stringify(ticket.told), ticket.retain_until,
      ticket.earliest_at, ticket.ever_contact_form,
    ],
    tx,
  );
}

/** Attachments that are only named wait as rows; the worker fetches what the service has a token for. */
async function nameAttachments(platform: TicketPlatform, ticket: TicketRow, delivery: Delivery, tx: Transaction): Promise<number> {
  const { clock, database } = platform;
  for (const attachment of delivery.attachments)
    await database.query(
      `INSERT INTO attachment_fetches AS f (id, ticket_id, external_id, message_external_id, file_name, content_type,
         supplied_at, url, next_attempt_at)
       SELECT $1::uuid, $2::uuid, $3, $4, $5, $6, $7::timestamptz, $8, $9::timestamptz
       WHERE NOT EXISTS (SELECT FROM ticket_pieces p
         WHERE p.ticket_id = $2 AND p.kind = 'attachment' AND p.external_id = $3 AND p.current_version_id IS NOT NULL)
       ON CONFLICT (ticket_id, external_id) DO UPDATE SET url = excluded.url, file_name = excluded.file_name,
         failure_code = NULL, attempts = 0, next_attempt_at = excluded.next_attempt_at
       WHERE f.failure_code IS NOT NULL`,
      [
        newId(clock), ticket.id, attachment.externalId, attachment.messageExternalId, attachment.fileName,
        attachment.contentType, attachment.suppliedAt, attachment.url, clock.now(),
      ],
      tx,
    );
  return delivery.attachments.length;
}

/** Which fields changed, never what they hold. */
async function auditShell(
  { clock, database }: TicketPlatform,
  actor: Actor,
  ticketId: string,
  fresh: boolean,
  fields: string[],
  tx: Transaction,
): Promise<void> {
  await append(database, clock, tx, {
    actor,
    action: fresh ? 'ticket.received' : 'ticket.changed',
    object: { type: 'ticket', id: ticketId },
    details: { fields },
  });
}

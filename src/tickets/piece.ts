import { createHash } from 'node:crypto';
import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { endOfPeriodSql } from '../retention/policy.js';
import { pushDigest, wentBefore } from '../retention/tombstone.js';
import type { DeliveredMessage, Delivery } from './delivery.js';
import { textOfHtml } from './html.js';
import { canonical } from './merge.js';
import { pieceRetainUntil, type Periods } from './period.js';
import { objectKey, rootOf, type PieceKind, type PieceRow, type Scan, type TicketCategory, type TicketRow } from './ticket.js';

/** The rows of a piece and its versions, written before any object is: no object without a row. */

export type PiecePlatform = Pick<Platform, 'clock' | 'database'>;

/** What of a piece is told by a delivery, before its bytes. */
export interface ToldPiece {
  kind: PieceKind;
  externalId: string;
  messageExternalId: string | null;
  at: Date;
}

/** How a piece is told to tombstones, so that what was erased does not come back by being sent again. */
export const pieceDigest = (sourceId: string, ticketExternalId: string, kind: PieceKind, externalId: string) =>
  pushDigest(sourceId, ticketExternalId, `${kind}:${externalId}`);

/** What a piece falls under: what it was delivered as, else what its ticket was ever told to be. */
const categoryOf = (told: TicketCategory | undefined, ticket: TicketRow): TicketCategory =>
  told ?? (ticket.ever_contact_form ? 'contact_form' : 'support');

/**
 * The row of a piece, locked, with the shortest date under which it was ever delivered; undefined when it may not be kept:
 * its period is over, it was erased on request, it was deleted before, or is being deleted.
 */
export async function openPiece(
  platform: PiecePlatform,
  tx: Transaction,
  ticket: TicketRow,
  told: ToldPiece,
  toldCategory: TicketCategory | undefined,
  rules: { periods: Periods; timeZone: string },
): Promise<PieceRow | undefined> {
  const { clock, database } = platform;
  const now = clock.now();
  const category = categoryOf(toldCategory, ticket);
  const dates = pieceRetainUntil({ at: told.at, receivedAt: now }, rules.periods[category], rules.timeZone);
  if (dates.retainUntil <= now) return undefined;
  if (await wentBefore(database, tx, pieceDigest(ticket.source_id, ticket.external_id, told.kind, told.externalId), now))
    return undefined;
  // From the earliest supply with the shortest period it was ever told with, whichever delivery said which.
  const shorter = `CASE WHEN 'contact_form' IN (p.policy, excluded.policy) THEN 'contact_form' ELSE 'support' END`;
  const end = (each: TicketCategory) => endOfPeriodSql('least(p.supplied_at, excluded.supplied_at)', rules.periods[each], rules.timeZone);
  const [piece] = await database.query<PieceRow>(
    `INSERT INTO ticket_pieces AS p (id, ticket_id, kind, external_id, message_external_id, root, policy, category_untold,
       supplied_at, stored_at, retain_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $11, $8, $9, $10)
     ON CONFLICT (ticket_id, kind, external_id) DO UPDATE SET
       supplied_at = least(p.supplied_at, excluded.supplied_at),
       policy = ${shorter},
       retain_until = least(p.retain_until, excluded.retain_until, CASE ${shorter} WHEN 'support' THEN ${end('support')} ELSE ${end('contact_form')} END),
       category_untold = p.category_untold OR excluded.category_untold,
       message_external_id = coalesce(p.message_external_id, excluded.message_external_id)
     RETURNING *`,
    [
      newId(clock), ticket.id, told.kind, told.externalId, told.messageExternalId, rootOf[category], category,
      dates.suppliedAt, now, dates.retainUntil, toldCategory === undefined,
    ],
    tx,
  );
  if (piece === undefined) throw new Error('a piece that was just inserted is gone');
  return piece.purge_intent !== null || piece.retain_until <= now ? undefined : piece;
}

/** Shortens what came without a category once its ticket is known to be a contact form. */
export async function followTicket(
  database: Database,
  tx: Transaction,
  ticket: TicketRow,
  rules: { periods: Periods; timeZone: string },
): Promise<void> {
  if (!ticket.ever_contact_form) return;
  const end = endOfPeriodSql('p.supplied_at', rules.periods.contact_form, rules.timeZone);
  await database.query(
    `UPDATE ticket_pieces p SET policy = 'contact_form', retain_until = least(p.retain_until, ${end})
     WHERE p.ticket_id = $1 AND p.policy = 'support' AND p.category_untold`,
    [ticket.id],
    tx,
  );
}

/**
 * What came with a message was supplied with it at the latest, and is never kept longer than it: also where the attachment
 * came in first.
 */
export async function followMessages(
  database: Database,
  tx: Transaction,
  ticketId: string,
  rules: { periods: Periods; timeZone: string },
): Promise<void> {
  const supplied = 'least(a.supplied_at, m.supplied_at)';
  const policy = `CASE WHEN 'contact_form' IN (a.policy, m.policy) THEN 'contact_form' ELSE 'support' END`;
  const end = (each: TicketCategory) => endOfPeriodSql(supplied, rules.periods[each], rules.timeZone);
  await database.query(
    `UPDATE ticket_pieces a SET supplied_at = ${supplied}, policy = ${policy},
       retain_until = least(a.retain_until, CASE ${policy} WHEN 'support' THEN ${end('support')} ELSE ${end('contact_form')} END)
     FROM ticket_pieces m
     WHERE a.ticket_id = $1 AND a.kind = 'attachment' AND m.ticket_id = $1 AND m.kind = 'message'
       AND m.external_id = a.message_external_id AND (m.supplied_at < a.supplied_at OR (m.policy, a.policy) = ('contact_form', 'support'))`,
    [ticketId],
    tx,
  );
}

/** What is stored of a piece: its bytes, by their digests, and what the row keeps of them. */
export interface PieceContent {
  bytes: number;
  sha256: string;
  md5: string;
  contentType: string;
  toldAt: Date;
  toldExactly: boolean;
  message?: DeliveredMessage;
  attachment?: { fileName: string; scan: Scan };
}

/** A version whose object is to be put, unless it is `kept` already. */
export interface OpenedVersion {
  id: string;
  objectKey: string;
  receivedAt: Date;
  kept: boolean;
}

/**
 * The row of a version. Bytes that were there already are the same version, told once more: when the same was told last
 * decides which version is shown.
 * @returns its id and key, when it was received, and whether its object is proved already
 */
export async function openVersion(
  platform: PiecePlatform,
  tx: Transaction,
  piece: PieceRow,
  content: PieceContent,
): Promise<OpenedVersion> {
  const { clock, database } = platform;
  const id = newId(clock);
  const { message, attachment } = content;
  const now = clock.now();
  const [version] = await database.query<OpenedVersion>(
    `INSERT INTO ticket_piece_versions AS v (id, piece_id, state, object_key, bytes, sha256, md5, content_type, told_at,
       told_exactly, received_at, last_received_at, said_at, sender, internal, body, body_text, file_name, scan, next_attempt_at)
     VALUES ($1, $2, 'receiving', $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16, $17, $10)
     ON CONFLICT (piece_id, sha256) DO UPDATE SET
       told_exactly = CASE WHEN excluded.told_at > v.told_at THEN excluded.told_exactly
                           WHEN excluded.told_at = v.told_at THEN v.told_exactly OR excluded.told_exactly
                           ELSE v.told_exactly END,
       told_at = greatest(v.told_at, excluded.told_at),
       last_received_at = excluded.last_received_at
     RETURNING id, object_key AS "objectKey", last_received_at AS "receivedAt", state = 'kept' AS kept`,
    [
      id, piece.id, objectKey(piece.root, piece.id, id), content.bytes, content.sha256, content.md5, content.contentType,
      content.toldAt, content.toldExactly, now, message?.at ?? null, message?.from ?? null, message?.internal ?? null, message?.body ?? null,
      message === undefined ? null : message.contentType === 'text/html' ? textOfHtml(message.body) : message.body,
      attachment?.fileName ?? null, attachment?.scan ?? null,
    ],
    tx,
  );
  if (version === undefined) throw new Error('a version that was just inserted is gone');
  return version;
}

/**
 * Notes that messages which are there already, with the same content and no longer period, were told once more: most of a
 * thread that is sent whole. In one statement, so that a long thread costs no more than a short one.
 * @returns the external ids of those it knew
 */
export async function tellAgain(
  { clock, database }: PiecePlatform,
  tx: Transaction,
  ticket: TicketRow,
  toldCategory: TicketCategory | undefined,
  told: readonly { externalId: string; content: PieceContent }[],
): Promise<Set<string>> {
  if (told.length === 0) return new Set();
  const rows = await database.query<{ externalId: string }>(
    `UPDATE ticket_piece_versions v SET
       told_exactly = CASE WHEN $5 > v.told_at THEN $6 WHEN $5 = v.told_at THEN v.told_exactly OR $6 ELSE v.told_exactly END,
       told_at = greatest(v.told_at, $5), last_received_at = $7
     FROM ticket_pieces p JOIN unnest($3::text[], $4::text[]) AS again (external_id, sha256) ON again.external_id = p.external_id
     WHERE p.ticket_id = $1 AND p.kind = 'message' AND p.purge_intent IS NULL AND p.retain_until > $7
       AND (p.policy = 'contact_form' OR $2 = 'support') AND (p.category_untold OR NOT $8) AND v.piece_id = p.id AND v.sha256 = again.sha256
     RETURNING p.external_id AS "externalId"`,
    [
      ticket.id, categoryOf(toldCategory, ticket), told.map((each) => each.externalId), told.map((each) => each.content.sha256),
      told[0]?.content.toldAt, told[0]?.content.toldExactly, clock.now(), toldCategory === undefined,
    ],
    tx,
  );
  return new Set(rows.map((row) => row.externalId));
}

/** The object of a message: exactly what was received of it, as JSON. Made again from the row it gives the same bytes. */
export function messageBytes(message: DeliveredMessage): Buffer {
  return Buffer.from(canonical(message), 'utf8');
}

/** The content of a message as a version of its piece. */
export function messageContent(message: DeliveredMessage, delivery: Pick<Delivery, 'at' | 'exact'>): PieceContent {
  const bytes = messageBytes(message);
  return {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: createHash('md5').update(bytes).digest('hex'),
    contentType: message.contentType,
    toldAt: delivery.at,
    toldExactly: delivery.exact,
    message,
  };
}

/**
 * Which version of its piece is shown: the one told last; of the same instant the one whose helpdesk gave no instant and
 * that arrived last, else by digest, so that any order ends alike. SQL to order by, over `v`.
 */
export const newestFirst = `v.told_at DESC, v.told_exactly DESC,
  CASE WHEN v.told_exactly THEN '-infinity' ELSE v.last_received_at END DESC, v.sha256 DESC`;

/**
 * Brings what is derived up to date after pieces came or went: the version shown, the dates of the shell, and what is
 * searched. Runs in the transaction of the change, under the lock of the ticket.
 */
export async function settleTicket(database: Database, tx: Transaction, ticketId: string): Promise<void> {
  await database.query(
    `UPDATE ticket_pieces p SET current_version_id = newest.id, stored_at = coalesce(newest.stored_at, p.stored_at)
     FROM (SELECT q.id AS piece_id,
             (SELECT v.id FROM ticket_piece_versions v WHERE v.piece_id = q.id AND v.state = 'kept' ORDER BY ${newestFirst} LIMIT 1) AS id,
             (SELECT max(v.received_at) FROM ticket_piece_versions v WHERE v.piece_id = q.id) AS stored_at
           FROM ticket_pieces q WHERE q.ticket_id = $1) newest
     WHERE p.id = newest.piece_id
       AND (p.current_version_id, p.stored_at) IS DISTINCT FROM (newest.id, coalesce(newest.stored_at, p.stored_at))`,
    [ticketId],
    tx,
  );
  await database.query(
    `UPDATE tickets t SET
       retain_until = coalesce((SELECT max(p.retain_until) FROM ticket_pieces p WHERE p.ticket_id = t.id), t.retain_until),
       opened_at = CASE WHEN t.told -> 'createdAt' IS NOT NULL THEN t.opened_at
         ELSE coalesce((SELECT min(p.supplied_at) FROM ticket_pieces p WHERE p.ticket_id = t.id), t.earliest_at) END,
       document = ${documentSql}
     WHERE t.id = $1`,
    [ticketId],
    tx,
  );
  // In order, so that two transactions with words in common never wait for each other in a circle.
  await database.query(
    `INSERT INTO ticket_words SELECT lexeme FROM tickets t, unnest(t.document) WHERE t.id = $1 AND ${isWord('lexeme')}
     ORDER BY lexeme ON CONFLICT DO NOTHING`,
    [ticketId],
    tx,
  );
}

/** SQL: what of a ticket `t` is searched. Subject and names weigh more than what was written. */
export const documentSql = `
  setweight(ticket_search_vector(concat_ws(' ', t.number, t.subject)), 'A')
  || setweight(ticket_search_vector(concat_ws(' ', t.requester_name, t.organisation, t.requester_email)), 'B')
  || coalesce((SELECT ticket_search_vector(left(string_agg(left(coalesce(v.body_text, v.file_name), 50000), ' '), 200000))
               FROM ticket_pieces p JOIN ticket_piece_versions v ON v.id = p.current_version_id
               WHERE p.ticket_id = t.id), '')`;

/** SQL: is this lexeme a word that somebody may misspell? */
export const isWord = (sql: string) => `${sql} ~ '^[a-z]{3,30}$'`;

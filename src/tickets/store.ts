import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { append, systemActor, type Actor } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { isHeld } from '../retention/hold.js';
import { requestRetags } from '../retention/retag.js';
import { messageBytes, settleTicket } from './piece.js';
import type { PieceKind, PieceVersionRow } from './ticket.js';

/** Puts the objects of pieces and, once they are proved, makes their versions visible. */

export type StorePlatform = Pick<Platform, 'clock' | 'database' | 'log' | 'objects'>;

type Receiving = PieceVersionRow & { ticket_id: string; kind: PieceKind; external_id: string };

const receivingRows = `SELECT v.*, p.ticket_id, p.kind, p.external_id
  FROM ticket_piece_versions v JOIN ticket_pieces p ON p.id = v.piece_id
  WHERE v.state = 'receiving' AND p.purge_intent IS NULL`;

/** A ticket takes at most so many at once: a thread of thousands is put in turns. */
const batch = 200;
const atOnce = 8;

/** The bytes of a message, made again from its row. */
function bytesOf(version: Receiving): Buffer {
  if (version.body === null || version.sender === null || version.said_at === null)
    throw new Error('a message without its text');
  return messageBytes({
    externalId: version.external_id,
    at: version.said_at,
    from: version.sender,
    internal: version.internal === true,
    body: version.body,
    contentType: version.content_type as 'text/plain' | 'text/html',
  });
}

/**
 * Puts what of a ticket's messages has no object yet, and commits it. What another request of the same helpdesk is putting
 * at this moment is put twice under one key: the same bytes.
 * @throws Problem `storage-unavailable`; the rows then wait for the next delivery or for `finishStalePieces`
 */
export async function storeMessages(platform: StorePlatform, ticketId: string, actor: Actor): Promise<void> {
  for (;;) {
    const versions = await platform.database.query<Receiving>(
      `${receivingRows} AND p.ticket_id = $1 AND p.kind = 'message' ORDER BY v.id LIMIT ${batch}`,
      [ticketId],
    );
    if (versions.length === 0) return;
    const held = await isHeld(platform.database, undefined, 'ticket', ticketId, platform.clock.now());
    for (let from = 0; from < versions.length; from += atOnce)
      await Promise.all(
        versions
          .slice(from, from + atOnce)
          .map((version) =>
            platform.objects.putBytes(version.object_key, bytesOf(version), 'application/json', { hold: held ? '1' : '0' }),
          ),
      );
    await commitVersions(platform, ticketId, versions, held, actor);
  }
}

/**
 * Makes versions visible whose objects are proved, with their audit entries. Those that were purged meanwhile are taken
 * back, so that no object is left without a row.
 * @returns the ids of those that are kept
 */
export async function commitVersions(
  platform: StorePlatform,
  ticketId: string,
  versions: readonly Pick<PieceVersionRow, 'id' | 'object_key'>[],
  taggedHeld: boolean,
  actor: Actor,
): Promise<Set<string>> {
  const { clock, database, objects } = platform;
  const outcome = await database.inTransaction(async (tx) => {
    await database.query('SELECT 1 FROM tickets WHERE id = $1 FOR UPDATE', [ticketId], tx);
    const there = await database.query<Receiving>(
      `SELECT v.*, p.ticket_id, p.kind, p.external_id FROM ticket_piece_versions v JOIN ticket_pieces p ON p.id = v.piece_id
       WHERE v.id = ANY($1::uuid[]) AND p.purge_intent IS NULL ORDER BY v.id FOR UPDATE`,
      [versions.map((version) => version.id)],
      tx,
    );
    const committed = there.filter((version) => version.state === 'receiving');
    if (committed.length > 0) {
      await database.query(`UPDATE ticket_piece_versions SET state = 'kept' WHERE id = ANY($1::uuid[])`, [
        committed.map((version) => version.id),
      ], tx);
      await settleTicket(database, tx, ticketId);
      await append(database, clock, tx, ...committed.map((version) => ({
        actor,
        action: `ticket.${version.kind}_received`,
        object: { type: 'ticket', id: ticketId },
        details: { pieceId: version.piece_id, versionId: version.id, sha256: version.sha256, bytes: version.bytes },
      })));
    }
    const held = await isHeld(database, tx, 'ticket', ticketId, clock.now());
    // It was stored as held: a legal hold of the storage, where there is one, follows.
    if (held) await requestRetags(database, tx, [{ kind: 'ticket', itemId: ticketId }], clock.now());
    return { there: new Set(there.map((version) => version.id)), held };
  });
  const gone = versions.filter((version) => !outcome.there.has(version.id)).map((version) => version.object_key);
  if (gone.length > 0) await objects.deleteEveryVersion(gone);
  if (outcome.held !== taggedHeld)
    for (const version of versions)
      if (outcome.there.has(version.id)) await objects.tag(version.object_key, { hold: outcome.held ? '1' : '0' });
  return outcome.there;
}

/**
 * Takes back a version that was never acknowledged: its object first, then its rows. One that was received again since
 * `last_received_at` is another request's, which puts under the same key: its object is not ours to delete.
 */
export async function abandonVersion(
  platform: StorePlatform,
  version: Pick<PieceVersionRow, 'id' | 'piece_id' | 'object_key' | 'last_received_at'>,
): Promise<void> {
  const ours = `id = $1 AND state = 'receiving' AND last_received_at = $2`;
  const bind = [version.id, version.last_received_at];
  const [standing] = await platform.database.query(`SELECT 1 FROM ticket_piece_versions WHERE ${ours}`, bind);
  if (standing === undefined) return;
  const failures = await platform.objects
    .deleteEveryVersion([version.object_key])
    .then((results) => results.filter((result) => result.error !== undefined).length)
    .catch(() => 1);
  // The row stays `receiving` while storage is away, and is taken up by the next round.
  if (failures > 0) return;
  await platform.database.inTransaction(async (tx) => {
    await platform.database.query(`DELETE FROM ticket_piece_versions WHERE ${ours}`, bind, tx);
    await platform.database.query(
      `DELETE FROM ticket_pieces p WHERE id = $1 AND purge_intent IS NULL
         AND NOT EXISTS (SELECT FROM ticket_piece_versions v WHERE v.piece_id = p.id)`,
      [version.piece_id],
      tx,
    );
  });
}

/** How long a request may take before its rows are looked at. */
const staleMs = 30 * 60_000;

/**
 * Settles what a process that died, or a storage that was away, left behind: messages are put from their rows, attachments
 * that are stored whole are committed, others are removed (the helpdesk was told to send them again).
 */
export async function finishStalePieces(
  platform: StorePlatform,
  signal: AbortSignal,
  olderThanMs = staleMs,
): Promise<{ finished: number; removed: number }> {
  const outcome = { finished: 0, removed: 0 };
  const before = new Date(platform.clock.now().getTime() - olderThanMs);
  const tickets = await platform.database.query<{ id: string }>(
    `SELECT DISTINCT p.ticket_id AS id FROM ticket_piece_versions v JOIN ticket_pieces p ON p.id = v.piece_id
     WHERE v.state = 'receiving' AND v.last_received_at < $1 AND p.kind = 'message' AND p.purge_intent IS NULL LIMIT 500`,
    [before],
  );
  for (const { id } of tickets) {
    if (signal.aborted) return outcome;
    await storeMessages(platform, id, systemActor('tickets'));
    outcome.finished += 1;
  }
  const attachments = await platform.database.query<Receiving>(
    `${receivingRows} AND p.kind = 'attachment' AND v.last_received_at < $1 ORDER BY v.id LIMIT 500`,
    [before],
  );
  for (const version of attachments) {
    if (signal.aborted) return outcome;
    if (await storedWhole(platform, version)) {
      const held = (await platform.objects.tags(version.object_key))?.['hold'] === '1';
      await commitVersions(platform, version.ticket_id, [version], held, systemActor('tickets'));
      outcome.finished += 1;
    } else {
      await abandonVersion(platform, version);
      outcome.removed += 1;
    }
  }
  return outcome;
}

/** Whether storage holds exactly the bytes that were received, by reading them back. */
async function storedWhole(platform: StorePlatform, version: PieceVersionRow): Promise<boolean> {
  const read = await platform.objects.read(version.object_key);
  if (read === undefined || read.totalBytes !== version.bytes) return false;
  const sha256 = createHash('sha256');
  await pipeline(read.body, sha256);
  return sha256.digest('hex') === version.sha256;
}

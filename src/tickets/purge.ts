import type { Transaction } from 'sequelize';
import { append, type Actor } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import type { Category, Item, PurgeReason, Remains, StoredItem } from '../retention/category.js';
import { heldAt } from '../retention/hold.js';
import { endOfPeriodSql, latestEndSql } from '../retention/policy.js';
import { tableCategory } from '../retention/table-category.js';
import { leaveTombstones, type Tombstone } from '../retention/tombstone.js';
import { pieceDigest, settleTicket } from './piece.js';
import { shellDigest } from './receive.js';
import { rootOf, type PieceKind } from './ticket.js';

/**
 * Tickets as retention sees them. What has a date and objects is the piece: each message and each attachment goes by
 * itself. The shell goes with its last piece, in the same transaction; a shell that never had one is an item of its own.
 */

type PurgePlatform = Pick<Platform, 'clock' | 'database'>;

export const pieceCategoryName = 'ticket_piece';
export const shellCategoryName = 'ticket';

/** Both categories, in the order in which they are to be swept. */
export function ticketCategories(platform: PurgePlatform, timeZone: string): Category[] {
  return [pieceCategory(platform, timeZone), shellCategory(platform, timeZone)];
}

function pieceCategory(platform: PurgePlatform, timeZone: string): Category {
  const { database } = platform;
  const common = tableCategory(database, {
    name: pieceCategoryName,
    subject: 'ticket',
    table: 'ticket_pieces',
    subjectId: 'i.ticket_id',
    storedAt: 'i.stored_at',
    prefix: `i.root || i.id || '/'`,
    dates: { policy: 'i.policy', under: (period) => endOfPeriodSql('i.supplied_at', period, timeZone) },
  });

  const latest = latestEndSql('i.supplied_at', 'i.policy', timeZone);
  const storedWhere = (condition: string, bind: readonly unknown[]): Promise<StoredItem[]> =>
    database.query<StoredItem>(
      `SELECT i.id, i.ticket_id AS "subjectId", i.retain_until AS "retainUntil", i.stored_at AS "storedAt",
         i.root || i.id || '/' AS prefix, ${latest} AS "latestRetainUntil",
         coalesce((SELECT json_agg(json_build_object('key', v.object_key, 'bytes', v.bytes) ORDER BY v.id)
                   FROM ticket_piece_versions v WHERE v.piece_id = i.id AND v.state = 'kept'), '[]') AS objects
       FROM ticket_pieces i WHERE ${condition}`,
      bind,
    );

  return {
    ...common,
    policies: ['support', 'contact_form'],
    roots: [rootOf.support, rootOf.contact_form],

    async remains(tx, ids) {
      const rows = await database.query<Omit<Remains, 'pushDigest'> & { sourceId: string; ticket: string; kind: PieceKind; external: string }>(
        `SELECT i.id, i.ticket_id AS "subjectId", to_char(i.supplied_at AT TIME ZONE $2, 'YYYY-MM-DD') AS day,
           t.source_id AS "sourceId", t.external_id AS ticket, i.kind, i.external_id AS external,
           ARRAY(SELECT v.sha256 FROM ticket_piece_versions v WHERE v.piece_id = i.id ORDER BY v.received_at, v.id) AS sha256
         FROM ticket_pieces i JOIN tickets t ON t.id = i.ticket_id WHERE i.id = ANY($1::uuid[])`,
        [ids, timeZone],
        tx,
      );
      return rows.map(({ ticket, kind, external, ...row }) => ({
        ...row,
        pushDigest: pieceDigest(row.sourceId, ticket, kind, external),
      }));
    },

    async deleteRows(tx, ids) {
      // The shell first: a delivery that adds a piece at this moment waits for it, or is seen below.
      const tickets = await database.query<{ id: string }>(
        `SELECT t.id FROM tickets t WHERE t.id IN (SELECT ticket_id FROM ticket_pieces WHERE id = ANY($1::uuid[]))
         ORDER BY t.id FOR UPDATE`,
        [ids],
        tx,
      );
      const shells = tickets.map((ticket) => ticket.id);
      await forgetNamed(platform, tx, ids);
      const gone = await common.deleteRows(tx, ids);
      await buryEmptyShells(platform, tx, shells, ids);
      for (const id of shells) await settleTicket(database, tx, id);
      return gone;
    },

    storedAfter: (root, afterId, limit) =>
      storedWhere('i.root = $1 AND ($2::uuid IS NULL OR i.id > $2) ORDER BY i.id LIMIT $3', [root, afterId, limit]),
    stored: (ids) => storedWhere('i.id = ANY($1::uuid[])', [ids]),

    async endPeriod(tx, ids, now) {
      await common.endPeriod(tx, ids, now);
      await database.query(
        `UPDATE tickets t SET retain_until = latest.until
         FROM (SELECT p.ticket_id, max(p.retain_until) AS until FROM ticket_pieces p
               WHERE p.ticket_id IN (SELECT ticket_id FROM ticket_pieces WHERE id = ANY($1::uuid[])) GROUP BY p.ticket_id) latest
         WHERE t.id = latest.ticket_id AND t.retain_until > latest.until`,
        [ids],
        tx,
      );
    },

    async shorten(tx, policy, period, afterId, limit) {
      const done = await common.shorten?.(tx, policy, period, afterId, limit);
      if (done === undefined) return { changed: 0, next: null };
      if (done.changed > 0)
        await database.query(
          `UPDATE tickets t SET retain_until = latest.until
           FROM (SELECT p.ticket_id, max(p.retain_until) AS until FROM ticket_pieces p
                 WHERE p.ticket_id IN (SELECT ticket_id FROM ticket_pieces
                   WHERE ($1::uuid IS NULL OR id > $1) AND ($2::uuid IS NULL OR id <= $2) AND policy = $3)
                 GROUP BY p.ticket_id) latest
           WHERE t.id = latest.ticket_id AND t.retain_until > latest.until`,
          [afterId, done.next, policy],
          tx,
        );
      return done;
    },
  };
}

/** Attachments of these messages that were named and never fetched: their names go with the message. */
async function forgetNamed({ database }: PurgePlatform, tx: Transaction, ids: readonly string[]): Promise<void> {
  await database.query(
    `DELETE FROM attachment_fetches f USING ticket_pieces i
     WHERE i.id = ANY($1::uuid[]) AND i.kind = 'message' AND f.ticket_id = i.ticket_id AND f.message_external_id = i.external_id`,
    [ids],
    tx,
  );
}

interface EmptyShell {
  id: string;
  source_id: string;
  external_id: string;
  day: string;
  retainUntil: Date;
  receivedAt: Date;
  reason: PurgeReason;
  rule: string;
  intendedAt: Date;
  actorKind: Actor['kind'];
  actorId: string;
}

/** Deletes shells that have just lost their last piece, each with a tombstone that says why that went. */
async function buryEmptyShells(
  { clock, database }: PurgePlatform,
  tx: Transaction,
  shells: readonly string[],
  pieces: readonly string[],
): Promise<void> {
  const empty = await database.query<EmptyShell>(
    `SELECT t.id, t.source_id, t.external_id, to_char(t.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
       t.retain_until AS "retainUntil", t.received_at AS "receivedAt", last.reason, last.rule,
       last.intended_at AS "intendedAt", last.actor_kind AS "actorKind", last.actor_id AS "actorId"
     FROM tickets t CROSS JOIN LATERAL (
       SELECT p.* FROM purges p WHERE p.subject_id = t.id AND p.category = $3 AND p.item_id = ANY($2::uuid[])
       ORDER BY p.intended_at DESC LIMIT 1) last
     WHERE t.id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM ticket_pieces p WHERE p.ticket_id = t.id)`,
    [shells, pieces, pieceCategoryName],
    tx,
  );
  if (empty.length === 0) return;
  await database.query('DELETE FROM tickets WHERE id = ANY($1::uuid[])', [empty.map((shell) => shell.id)], tx);
  const now = clock.now();
  const stones = empty.map((shell): Tombstone => ({
    id: newId(clock),
    category: shellCategoryName,
    itemId: shell.id,
    subjectKind: 'ticket',
    subjectId: shell.id,
    sha256: [],
    day: shell.day,
    reason: shell.reason,
    rule: shell.rule,
    retainUntil: shell.retainUntil,
    storedAt: shell.receivedAt,
    intendedAt: shell.intendedAt,
    purgedAt: now,
    actor: { kind: shell.actorKind, id: shell.actorId },
    objects: 0,
    confirmedHow: 'with its last piece',
    sourceId: shell.source_id,
    pushDigest: shellDigest(shell),
  }));
  await leaveTombstones(database, tx, stones);
  await append(database, clock, tx, ...stones.map((stone) => ({
    actor: stone.actor,
    action: 'ticket.purged',
    object: { type: 'ticket', id: stone.itemId },
    details: { tombstoneId: stone.id, reason: stone.reason, rule: stone.rule, day: stone.day },
  })));
}

function shellCategory({ database }: PurgePlatform, timeZone: string): Category {
  const common = tableCategory(database, {
    name: shellCategoryName,
    subject: 'ticket',
    table: 'tickets',
    subjectId: 'i.id',
    storedAt: 'i.received_at',
    prefix: 'NULL::text',
    dates: { policy: emptyPolicy, under: (period) => endOfPeriodSql('i.earliest_at', period, timeZone) },
  });
  /** Of these, the ones that have no pieces: the others go with their last one. */
  async function empty<Row extends { id: string }>(tx: Transaction, rows: Row[]): Promise<Row[]> {
    if (rows.length === 0) return rows;
    const withPieces = await database.query<{ id: string }>(
      'SELECT DISTINCT ticket_id AS id FROM ticket_pieces WHERE ticket_id = ANY($1::uuid[])',
      [rows.map((row) => row.id)],
      tx,
    );
    const full = new Set(withPieces.map((row) => row.id));
    return rows.filter((row) => !full.has(row.id));
  }
  const hasNoPieces = 'NOT EXISTS (SELECT FROM ticket_pieces p WHERE p.ticket_id = i.id)';

  return {
    ...common,
    policies: ['support', 'contact_form'],
    roots: [],
    lockSubjects: async (tx, ids) => await empty(tx, await common.lockSubjects(tx, ids)),
    lockItems: async (tx, ids) => await empty(tx, await common.lockItems(tx, ids)),
    dueSql: (now) =>
      `EXISTS (SELECT FROM tickets i WHERE i.retain_until <= ${now} AND i.purge_intent IS NULL AND ${hasNoPieces}
         AND NOT ${heldAt('ticket', 'i.id', now)})`,
    lockDue: (tx, now, limit) =>
      database.query<Item>(
        `SELECT i.id, i.id AS "subjectId", i.retain_until AS "retainUntil", i.received_at AS "storedAt", NULL::text AS prefix
         FROM tickets i WHERE i.retain_until <= $1 AND i.purge_intent IS NULL AND ${hasNoPieces}
           AND NOT ${heldAt('ticket', 'i.id', '$1')}
         ORDER BY i.retain_until, i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED`,
        [now, limit],
        tx,
      ),
    async remains(tx, ids) {
      const rows = await database.query<{ id: string; day: string; source_id: string; external_id: string }>(
        `SELECT id, to_char(opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, source_id, external_id FROM tickets
         WHERE id = ANY($1::uuid[])`,
        [ids],
        tx,
      );
      return rows.map((row) => ({
        id: row.id,
        subjectId: row.id,
        sha256: [],
        day: row.day,
        sourceId: row.source_id,
        pushDigest: shellDigest(row),
      }));
    },
    countDue: (from, until) =>
      database.query(
        `SELECT to_char(i.retain_until AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date, count(*) AS count FROM tickets i
         WHERE i.retain_until > $1 AND i.retain_until <= $2 AND i.purge_intent IS NULL AND ${hasNoPieces} GROUP BY 1 ORDER BY 1`,
        [from, until],
      ),
    storedAfter: () => Promise.resolve([]),
    stored: () => Promise.resolve([]),
    itemsOf: () => Promise.resolve([]),
  };
}

/** SQL: the policy of a shell; none while it has pieces, whose dates it then follows. */
const emptyPolicy = `CASE WHEN EXISTS (SELECT FROM ticket_pieces p WHERE p.ticket_id = i.id) THEN ''
  WHEN i.ever_contact_form THEN 'contact_form' ELSE 'support' END`;

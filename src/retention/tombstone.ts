import { createHash } from 'node:crypto';
import type { Transaction } from 'sequelize';
import type { Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import { Problem } from '../platform/problem.js';
import type { PurgeReason, SubjectKind } from './category.js';

/** What is left of what was deleted: ids, digests and dates. It holds nothing about a person. */
export interface Tombstone {
  id: string;
  category: string;
  itemId: string;
  subjectKind: SubjectKind;
  subjectId: string;
  sha256: string[];
  day: string | null;
  reason: PurgeReason;
  rule: string;
  retainUntil: Date;
  storedAt: Date;
  intendedAt: Date;
  purgedAt: Date;
  actor: Actor;
  /** Versions of objects that were there when the service began the attempt in which it deleted the last of them. */
  objects: number;
  confirmedHow: string;
  sourceId: string | null;
  pushDigest: string | null;
}

/** Tells a thing by what its source calls it: a digest, since a call id may hold a number. */
export function pushDigest(sourceId: string, externalId: string, part: string): string {
  return createHash('sha256').update(JSON.stringify([sourceId, externalId, part])).digest('hex');
}

/** Writes tombstones; one that is there already stays as it is. */
export async function leaveTombstones(database: Database, tx: Transaction, stones: readonly Tombstone[]): Promise<void> {
  await database.query(
    `INSERT INTO tombstones (id, category, item_id, subject_kind, subject_id, sha256, day, reason, rule, retain_until, stored_at,
       intended_at, purged_at, actor_kind, actor_id, objects, confirmed_how, source_id, push_digest)
     SELECT id, category, "itemId", "subjectKind", "subjectId", sha256, day, reason, rule, "retainUntil", "storedAt",
       "intendedAt", "purgedAt", actor->>'kind', actor->>'id', objects, "confirmedHow", "sourceId", "pushDigest"
     FROM jsonb_to_recordset($1::jsonb) AS stone (id uuid, category text, "itemId" uuid, "subjectKind" text, "subjectId" uuid,
       sha256 text[], day date, reason text, rule text, "retainUntil" timestamptz, "storedAt" timestamptz,
       "intendedAt" timestamptz, "purgedAt" timestamptz, actor jsonb, objects int, "confirmedHow" text, "sourceId" uuid,
       "pushDigest" text)
     ON CONFLICT (category, item_id) DO NOTHING`,
    [JSON.stringify(stones)],
    tx,
  );
}

const columns = `id, category, item_id AS "itemId", subject_kind AS "subjectKind", subject_id AS "subjectId", sha256,
  day::text AS day, reason, rule, retain_until AS "retainUntil", stored_at AS "storedAt", intended_at AS "intendedAt",
  purged_at AS "purgedAt", json_build_object('kind', actor_kind, 'id', actor_id) AS actor, objects,
  confirmed_how AS "confirmedHow", source_id AS "sourceId", push_digest AS "pushDigest"`;

/** What was deleted of one subject, or of everything, newest first. */
export async function listTombstones(
  database: Database,
  of: { kind: SubjectKind; id: string } | undefined,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: Tombstone[]; nextCursor: string | null }> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Tombstone>(
    `SELECT ${columns} FROM tombstones
     WHERE ($1::text IS NULL OR (subject_kind = $1 AND subject_id = $2::uuid))
       AND ($3::timestamptz IS NULL OR (purged_at, id) < ($3, $4::uuid))
     ORDER BY purged_at DESC, id DESC LIMIT $5`,
    [of?.kind ?? null, of?.id ?? null, after?.at ?? null, after?.id ?? null, page.limit + 1],
  );
  return toPage(rows, page.limit, (row) => row, (row) => ({ at: row.purgedAt, id: row.id }));
}

/** Tombstones of `[from, until)`, oldest first, in pages: for the report, which may name a great many. */
export async function* tombstonesBetween(database: Database, from: Date, until: Date): AsyncGenerator<Tombstone> {
  const size = 1000;
  let last: Tombstone | undefined;
  for (;;) {
    const rows: Tombstone[] = await database.query<Tombstone>(
      `SELECT ${columns} FROM tombstones
       WHERE purged_at >= $1 AND purged_at < $2 AND ($3::timestamptz IS NULL OR (purged_at, id) > ($3, $4::uuid))
       ORDER BY purged_at, id LIMIT ${size}`,
      [from, until, last?.purgedAt ?? null, last?.id ?? null],
    );
    yield* rows;
    last = rows.at(-1);
    if (rows.length < size) return;
  }
}

/**
 * For whoever did not find a thing: says that it was deleted, when it was.
 * @throws Problem `retention-ended` with `deletedAt` when there is a tombstone
 */
export async function refuseDeleted(database: Database, kind: SubjectKind, subjectId: string): Promise<void> {
  const [row] = await database.query<{ purgedAt: Date }>(
    `SELECT purged_at AS "purgedAt" FROM tombstones WHERE subject_kind = $1 AND subject_id = $2 ORDER BY purged_at DESC LIMIT 1`,
    [kind, subjectId],
  );
  if (row !== undefined) throw new Problem('retention-ended', { members: { deletedAt: row.purgedAt.toISOString() } });
}

/** SQL: was what is pushed erased on request before? */
export const erasedBefore = (digestSql: string): string =>
  `EXISTS (SELECT FROM tombstones WHERE push_digest = ${digestSql} AND reason IN ('erasure', 'objection'))`;

/**
 * SQL: was what is pushed deleted before because its time was over, as it is at `nowSql`? A longer period that was set since
 * does not bring it back. With `startedSql` only what began within a day of then: a PBX may use the name of a call anew.
 */
export const endedBefore = (digestSql: string, nowSql: string, startedSql?: string): string =>
  `EXISTS (SELECT FROM tombstones WHERE push_digest = ${digestSql} AND reason IN ('retention', 'lifecycle') AND retain_until <= ${nowSql}
     ${startedSql === undefined ? '' : `AND abs(day - (${startedSql} AT TIME ZONE 'UTC')::date) <= 1`})`;

/** Whether what is pushed was erased on request before, or ended at `endedAt` at the latest: it must not come back by being pushed again. */
export async function wentBefore(database: Database, tx: Transaction | undefined, digest: string, endedAt: Date): Promise<boolean> {
  const [row] = await database.query<{ went: boolean }>(
    `SELECT ${erasedBefore('$1')} OR ${endedBefore('$1', '$2')} AS went`, [digest, endedAt], tx,
  );
  return row?.went !== false;
}

/** Whether what is pushed was erased on request before: it must not come back by being pushed again. */
export async function wasErased(database: Database, tx: Transaction | undefined, digest: string): Promise<boolean> {
  const [row] = await database.query<{ erased: boolean }>(`SELECT ${erasedBefore('$1')} AS erased`, [digest], tx);
  return row?.erased !== false;
}

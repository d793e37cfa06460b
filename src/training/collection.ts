import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { lockKept } from '../recordings/kept.js';
import type { Interval } from '../recordings/recording.js';
import { openForTraining } from '../recordings/share.js';
import { newestVersion, recordingFacts, type RecordingFacts } from './recording-facts.js';

/**
 * Ordered lists that trainers share and play as a queue. An item vanishes with its recording, and is out of sight while
 * the recording is closed to training.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

export interface CollectionRow {
  id: string;
  name: string;
  description: string | null;
  createdBy: { id: string; name: string };
  createdAt: Date;
  changedAt: Date;
  /** Of what can be heard now. */
  items: number;
  firstExpiryAt: Date | null;
}

export interface ItemRow {
  id: string;
  recording: RecordingFacts;
  /** On the recording's own timeline; null: all of it. */
  clip: Interval | null;
  note: string | null;
  addedBy: { id: string; name: string };
  addedAt: Date;
}

const mostItems = 500;

/** SQL over collections `c` at `$1`. */
const shown = `c.id, c.name, c.description, json_build_object('id', u.id, 'name', u.name) AS "createdBy",
  c.created_at AS "createdAt", c.changed_at AS "changedAt", heard.items, heard."firstExpiryAt"`;
const joined = `collections c JOIN users u ON u.id = c.created_by CROSS JOIN LATERAL (
  SELECT count(*) AS items, min(r.retain_until) AS "firstExpiryAt"
  FROM collection_items i JOIN recordings r ON r.id = i.recording_id
  WHERE i.collection_id = c.id AND ${openForTraining('$1')}) heard`;

/** Newest first, one more than `limit` if there is a next page. */
export async function listCollections(
  database: Database,
  now: Date,
  page: { limit: number; after: { at: Date; id: string } | undefined },
): Promise<CollectionRow[]> {
  return await database.query<CollectionRow>(
    `SELECT ${shown} FROM ${joined} WHERE $2::timestamptz IS NULL OR (c.created_at, c.id) < ($2, $3::uuid)
     ORDER BY c.created_at DESC, c.id DESC LIMIT $4`,
    [now, page.after?.at ?? null, page.after?.id ?? null, page.limit + 1],
  );
}

/** @throws Problem `not-found` */
export async function collectionOf(
  database: Database,
  now: Date,
  id: string,
  tx?: Transaction,
): Promise<CollectionRow> {
  const [row] = await database.query<CollectionRow>(`SELECT ${shown} FROM ${joined} WHERE c.id = $2`, [now, id], tx);
  if (row === undefined) throw new Problem('not-found');
  return row;
}

/** The items that can be heard now, in order, each with its recording: one query. */
export async function itemsOf(
  database: Database,
  now: Date,
  collectionId: string,
  tx?: Transaction,
): Promise<ItemRow[]> {
  return await database.query<ItemRow>(
    `SELECT i.id, ${recordingFacts} AS recording,
       CASE WHEN i.start_ms IS NOT NULL THEN json_build_object('startMs', i.start_ms, 'endMs', i.end_ms) END AS clip,
       i.note, json_build_object('id', u.id, 'name', u.name) AS "addedBy", i.added_at AS "addedAt"
     FROM collection_items i JOIN users u ON u.id = i.added_by JOIN recordings r ON r.id = i.recording_id ${newestVersion}
     WHERE i.collection_id = $2 AND ${openForTraining('$1')} ORDER BY i.position, i.id`,
    [now, collectionId],
    tx,
  );
}

/** Changes a collection under its lock, with the act on record. @throws Problem `not-found` */
async function inCollection<T>(
  { clock, database }: Base,
  person: Person,
  id: string,
  act: { action: string; details?: () => { [name: string]: string | number } },
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return await database.inTransaction(async (tx) => {
    const known = await database.query('SELECT 1 FROM collections WHERE id = $1 FOR UPDATE', [id], tx);
    if (known.length === 0) throw new Problem('not-found');
    const done = await work(tx);
    await database.query('UPDATE collections SET changed_at = $2 WHERE id = $1', [id, clock.now()], tx);
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: act.action,
      object: { type: 'collection', id },
      details: act.details?.() ?? {},
    });
    return done;
  });
}

export async function createCollection(
  { clock, database }: Base,
  person: Person,
  told: { name: string; description: string | null },
): Promise<CollectionRow> {
  const id = newId(clock);
  return await database.inTransaction(async (tx) => {
    await database.query(
      `INSERT INTO collections (id, name, description, created_by, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $5)`,
      [id, told.name, told.description, person.userId, clock.now()],
      tx,
    );
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'collection.created',
      object: { type: 'collection', id },
    });
    return await collectionOf(database, clock.now(), id, tx);
  });
}

/** @throws Problem `not-found` */
export async function changeCollection(
  base: Base,
  person: Person,
  id: string,
  change: { name?: string | undefined; description?: string | null | undefined },
): Promise<CollectionRow> {
  return await inCollection(base, person, id, { action: 'collection.changed' }, async (tx) => {
    await base.database.query(
      `UPDATE collections SET name = coalesce($2, name), description = CASE WHEN $3 THEN $4 ELSE description END WHERE id = $1`,
      [id, change.name ?? null, change.description !== undefined, change.description ?? null],
      tx,
    );
    return await collectionOf(base.database, base.clock.now(), id, tx);
  });
}

/** @throws Problem `not-found` */
export async function deleteCollection(base: Base, person: Person, id: string): Promise<void> {
  await inCollection(base, person, id, { action: 'collection.deleted' }, async (tx) => {
    await base.database.query('DELETE FROM collections WHERE id = $1', [id], tx);
  });
}

/**
 * Adds a recording, or a stretch of it, at the end.
 * @throws Problem `not-found`, `retention-ended`, `conflict` when the collection is full
 */
export async function addItem(
  base: Base,
  person: Person,
  collectionId: string,
  told: { recordingId: string; clip: Interval | null; note: string | null },
): Promise<string> {
  const { clock, database } = base;
  const id = newId(clock);
  const act = { action: 'collection.item_added', details: () => ({ itemId: id, recordingId: told.recordingId }) };
  return await inCollection(base, person, collectionId, act, async (tx) => {
    await lockKept(base, tx, told.recordingId);
    const [{ count, last } = { count: 0, last: 0 }] = await database.query<{ count: number; last: number }>(
      'SELECT count(*) AS count, coalesce(max(position), 0) AS last FROM collection_items WHERE collection_id = $1',
      [collectionId],
      tx,
    );
    if (count >= mostItems) throw new Problem('conflict', { detail: `A collection holds at most ${mostItems} items.` });
    await database.query(
      `INSERT INTO collection_items (id, collection_id, recording_id, position, start_ms, end_ms, note, added_by, added_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        id,
        collectionId,
        told.recordingId,
        last + 1,
        told.clip?.startMs ?? null,
        told.clip?.endMs ?? null,
        told.note,
        person.userId,
        clock.now(),
      ],
      tx,
    );
    return id;
  });
}

/** Which recording an item is about. @throws Problem `not-found` */
export async function recordingOfItem(database: Database, collectionId: string, itemId: string): Promise<string> {
  const [row] = await database.query<{ recordingId: string }>(
    'SELECT recording_id AS "recordingId" FROM collection_items WHERE id = $1 AND collection_id = $2',
    [itemId, collectionId],
  );
  if (row === undefined) throw new Problem('not-found');
  return row.recordingId;
}

/** @param change what stays undefined stays as it is. @throws Problem `not-found` */
export async function changeItem(
  base: Base,
  person: Person,
  collectionId: string,
  itemId: string,
  change: { clip?: Interval | null | undefined; note?: string | null | undefined },
): Promise<void> {
  const act = { action: 'collection.item_changed', details: () => ({ itemId }) };
  await inCollection(base, person, collectionId, act, async (tx) => {
    const changed = await base.database.query(
      `UPDATE collection_items SET start_ms = CASE WHEN $3 THEN $4::int8 ELSE start_ms END,
         end_ms = CASE WHEN $3 THEN $5::int8 ELSE end_ms END, note = CASE WHEN $6 THEN $7 ELSE note END
       WHERE id = $1 AND collection_id = $2 RETURNING 1`,
      [
        itemId,
        collectionId,
        change.clip !== undefined,
        change.clip?.startMs ?? null,
        change.clip?.endMs ?? null,
        change.note !== undefined,
        change.note ?? null,
      ],
      tx,
    );
    if (changed.length === 0) throw new Problem('not-found');
  });
}

/** @throws Problem `not-found` */
export async function removeItem(base: Base, person: Person, collectionId: string, itemId: string): Promise<void> {
  const act = { action: 'collection.item_removed', details: () => ({ itemId }) };
  await inCollection(base, person, collectionId, act, async (tx) => {
    const removed = await base.database.query(
      'DELETE FROM collection_items WHERE id = $1 AND collection_id = $2 RETURNING 1',
      [itemId, collectionId],
      tx,
    );
    if (removed.length === 0) throw new Problem('not-found');
  });
}

/**
 * Puts the items in this order. Ids that are gone meanwhile are passed over; items that were not named (added meanwhile,
 * or out of sight) come after the named ones, in the order they had: nothing is lost when two people work at once.
 */
export async function orderItems(
  base: Base,
  person: Person,
  collectionId: string,
  ids: readonly string[],
): Promise<void> {
  await inCollection(base, person, collectionId, { action: 'collection.ordered' }, async (tx) => {
    await base.database.query(
      `UPDATE collection_items i SET position = ordered.position FROM (
         SELECT k.id, row_number() OVER (ORDER BY told.place NULLS LAST, k.position, k.id) AS position
         FROM collection_items k LEFT JOIN unnest($2::uuid[]) WITH ORDINALITY told (id, place) ON told.id = k.id
         WHERE k.collection_id = $1) ordered
       WHERE ordered.id = i.id`,
      [collectionId, [...new Set(ids)]],
      tx,
    );
  });
}

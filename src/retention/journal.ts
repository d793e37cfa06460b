import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { purgeReasons, subjectKinds } from './category.js';
import { leaveTombstones, type Tombstone } from './tombstone.js';

/**
 * Tombstones a second time, beside the objects: a database that is restored from a backup has forgotten what was deleted
 * since, and is told by these. One object a batch, written before the rows go, named by its time.
 */

export const journalRoot = 'tombstones/';

/** Clocks of several workers may differ by so much. */
const overlapMs = 24 * 3_600_000;

const keyAt = (at: Date): string => `${journalRoot}${at.toISOString().replaceAll(':', '-')}`;

const instant = z.iso.datetime().transform((value) => new Date(value));
const journalSchema = z.array(
  z.object({
    id: z.uuid(),
    category: z.string(),
    itemId: z.uuid(),
    subjectKind: z.enum(subjectKinds),
    subjectId: z.uuid(),
    sha256: z.array(z.string()),
    day: z.string().nullable(),
    reason: z.enum(purgeReasons),
    rule: z.string(),
    retainUntil: instant,
    storedAt: instant,
    intendedAt: instant,
    purgedAt: instant,
    actor: z.object({ kind: z.enum(['person', 'machine', 'system']), id: z.string() }),
    objects: z.int(),
    confirmedHow: z.string(),
    sourceId: z.string().nullable(),
    pushDigest: z.string().nullable(),
  }),
);

/** Writes down what is gone from storage and about to go from the database. Written twice, it says the same twice. */
export async function writeJournal(
  { clock, objects }: Pick<Platform, 'clock' | 'objects'>,
  stones: readonly Tombstone[],
): Promise<void> {
  if (stones.length === 0) return;
  const key = `${keyAt(clock.now())}-${randomUUID()}.json`;
  await objects.putBytes(key, Buffer.from(JSON.stringify(stones)), 'application/json', {});
}

/**
 * Tombstones that the journal has and the database has not, from a day before the newest one in the database on.
 * @throws when an object of the journal is not readable as what was written
 */
export async function* forgottenTombstones({
  database,
  objects,
}: Pick<Platform, 'database' | 'objects'>): AsyncGenerator<Tombstone> {
  const [newest] = await database.query<{ at: Date | null }>('SELECT max(purged_at) AS at FROM tombstones');
  const at = newest?.at ?? null;
  const from = at === null ? journalRoot : keyAt(new Date(at.getTime() - overlapMs));
  for await (const { key, isLatest, isDeleteMarker } of objects.list(journalRoot, { after: from })) {
    if (!isLatest || isDeleteMarker) continue;
    const read = await objects.read(key);
    if (read === undefined) continue;
    const stones: Tombstone[] = journalSchema.parse(JSON.parse(await text(read.body)));
    const known = await database.query<{ category: string; itemId: string }>(
      'SELECT category, item_id AS "itemId" FROM tombstones WHERE item_id = ANY($1::uuid[])',
      [stones.map((stone) => stone.itemId)],
    );
    for (const stone of stones)
      if (!known.some((each) => each.category === stone.category && each.itemId === stone.itemId)) yield stone;
  }
}

/** Puts a forgotten tombstone back. What it stands for is then deleted once more, should a backup have brought it back. */
export async function restoreTombstone(database: Database, stone: Tombstone): Promise<void> {
  await database.inTransaction((tx) => leaveTombstones(database, tx, [stone]));
}

/** Deletes tombstones, in the database and in the journal, that were left before `before`. @returns how many rows went */
export async function forgetTombstones(
  { database, objects }: Pick<Platform, 'database' | 'objects'>,
  before: Date,
): Promise<number> {
  const old: string[] = [];
  for await (const { key } of objects.list(journalRoot)) {
    if (key >= keyAt(before) || old.length === 1000) break;
    old.push(key);
  }
  await objects.deleteEveryVersion([...new Set(old)]);
  const [gone] = await database.query<{ count: number }>(
    `WITH gone AS (DELETE FROM tombstones WHERE id IN (SELECT id FROM tombstones WHERE purged_at < $1 LIMIT 10000) RETURNING 1)
     SELECT count(*) AS count FROM gone`,
    [before],
  );
  return gone?.count ?? 0;
}

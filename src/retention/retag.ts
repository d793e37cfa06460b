import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, SubjectKind } from './category.js';
import { isHeld } from './hold.js';

/**
 * Tags follow holds: the bucket's rules leave alone what is tagged `hold=1`. The row that asks for it is written with the
 * hold; a worker then makes the tags agree with whatever holds there are at that moment, again when the last of them ends.
 */

export const retagJob = 'retention.retag';

const leaseMs = 2 * 60_000;
const batch = 50;

/** Asks inside `tx` that the tags of subjects be looked at; nudge `retagJob` after the commit. */
export async function requestRetags(
  database: Database,
  tx: Transaction,
  subjects: readonly { kind: SubjectKind; itemId: string }[],
  now: Date,
): Promise<void> {
  await database.query(
    `INSERT INTO retags (category, item_id, next_attempt_at)
     SELECT DISTINCT kind, item, $3::timestamptz FROM unnest($1::text[], $2::uuid[]) AS asked (kind, item) ORDER BY 1, 2
     ON CONFLICT (category, item_id) DO UPDATE
       SET revision = retags.revision + 1, attempts = 0, next_attempt_at = EXCLUDED.next_attempt_at`,
    [subjects.map(({ kind }) => kind), subjects.map(({ itemId }) => itemId), now],
    tx,
  );
}

type RetagPlatform = Pick<Platform, 'clock' | 'database' | 'objects' | 'log'>;

interface Retag {
  kind: SubjectKind;
  itemId: string;
  revision: number;
  attempts: number;
}

/** Does what is due. A row is leased while it is worked on: a process that dies leaves it to the next. */
export async function runRetags(
  platform: RetagPlatform,
  categories: readonly Category[],
  signal?: AbortSignal,
): Promise<{ done: number; failed: number }> {
  const { clock, database } = platform;
  const outcome = { done: 0, failed: 0 };
  for (;;) {
    const now = clock.now();
    const rows = await database.query<Retag>(
      `UPDATE retags r SET attempts = r.attempts + 1, next_attempt_at = $2
       FROM (SELECT category, item_id FROM retags WHERE next_attempt_at <= $1
             ORDER BY next_attempt_at LIMIT ${batch} FOR UPDATE SKIP LOCKED) due
       WHERE r.category = due.category AND r.item_id = due.item_id
       RETURNING r.category AS kind, r.item_id AS "itemId", r.revision, r.attempts`,
      [now, new Date(now.getTime() + leaseMs)],
    );
    for (const row of rows) {
      if (signal?.aborted === true) return outcome;
      try {
        await follow(platform, categories, row);
        outcome.done += 1;
      } catch (error) {
        outcome.failed += 1;
        platform.log.warn({ error, kind: row.kind, itemId: row.itemId, attempts: row.attempts }, 'Tags do not follow a hold yet');
        const waitMs = Math.min(3_600_000, 5_000 * 2 ** Math.min(row.attempts, 12));
        await database.query(
          `UPDATE retags SET next_attempt_at = $4 WHERE category = $1 AND item_id = $2 AND revision = $3`,
          [row.kind, row.itemId, row.revision, new Date(clock.now().getTime() + waitMs)],
        );
      }
    }
    if (rows.length < batch) return outcome;
  }
}

/** Makes the tags of one subject agree, and keeps the row only if that will have to be done again when a hold ends. */
async function follow(platform: RetagPlatform, categories: readonly Category[], row: Retag): Promise<void> {
  const { clock, database } = platform;
  const held = await isHeld(database, undefined, row.kind, row.itemId, clock.now());
  for (const category of categories.filter((each) => each.subject === row.kind))
    for (const item of await category.itemsOf(row.itemId))
      if (item.prefix !== null) await tagUnder(platform, item.prefix, held);
  await database.query(
    `WITH ending AS (
       SELECT max(coalesce(ends_at, 'infinity')) AS at FROM holds
       WHERE category = $1 AND item_id = $2 AND (ends_at IS NULL OR ends_at > $4)),
     later AS (
       UPDATE retags SET next_attempt_at = ending.at, attempts = 0 FROM ending
       WHERE category = $1 AND item_id = $2 AND revision = $3 AND ending.at < 'infinity' RETURNING 1)
     DELETE FROM retags WHERE category = $1 AND item_id = $2 AND revision = $3 AND NOT EXISTS (SELECT FROM later)`,
    [row.kind, row.itemId, row.revision, clock.now()],
  );
}

/**
 * Tags every version of every object under `prefix`. A tag that is right is left alone: on some servers tagging anew sets
 * back the age that a bucket rule counts. Where the storage has a legal hold that works, it follows too; what was stored
 * as held has the tag and not yet the legal hold.
 */
export async function tagUnder(platform: Pick<Platform, 'objects'>, prefix: string, held: boolean): Promise<void> {
  const { objects } = platform;
  for await (const version of objects.list(prefix)) {
    if (version.isDeleteMarker) continue;
    // `null` is how a bucket without versions calls the only one there is.
    const versionId = version.versionId === 'null' ? undefined : version.versionId;
    const tags = await objects.tags(version.key, versionId);
    const isRight = tags?.['hold'] === tagOf(held);
    if (tags === undefined || (isRight && !held)) continue;
    try {
      // The tag comes last: `hold=0` tells that both are done.
      await objects.legalHold(version.key, held, versionId);
      if (!isRight) await objects.tag(version.key, { ...tags, hold: tagOf(held) }, versionId);
    } catch (error) {
      // Deleted meanwhile: there is nothing left to tag.
      if (!(error instanceof Problem) || error.code !== 'not-found') throw error;
    }
  }
}

/** The value of the tag `hold` that the bucket's rules look at. */
export const tagOf = (held: boolean): string => (held ? '1' : '0');

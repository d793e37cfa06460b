import type { Transaction } from 'sequelize';
import { systemActor, type Actor } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, Item, PurgeReason, SubjectKind } from './category.js';
import { heldAmong } from './hold.js';

/**
 * How a deletion begins. The intent is a row, written under the lock of the item's own row: from its commit on nothing
 * reads the item, no hold can save it, and whoever looks next goes on with it (`carry-out.ts`).
 */

export type PurgePlatform = Pick<Platform, 'clock' | 'database' | 'objects' | 'log'>;

/** Why, by which rule or decision, and for whom. */
export interface PurgeOrder {
  reason: PurgeReason;
  rule: string;
  actor: Actor;
}

/** A deletion that has begun and is this process's to carry out. */
export interface Purge {
  category: string;
  itemId: string;
  subjectId: string;
  reason: PurgeReason;
  rule: string;
  actorKind: Actor['kind'];
  actorId: string;
  retainUntil: Date;
  storedAt: Date;
  prefix: string | null;
  intendedAt: Date;
  attempts: number;
  claimId: string;
  found: number | null;
  foundLive: number | null;
}

/** How long a claim stands when its holder falls silent. */
export const leaseMs = 5 * 60_000;

const columns = `category, item_id AS "itemId", subject_id AS "subjectId", reason, rule, actor_kind AS "actorKind",
  actor_id AS "actorId", retain_until AS "retainUntil", stored_at AS "storedAt", prefix, intended_at AS "intendedAt",
  attempts, claim_id AS "claimId", found, found_live AS "foundLive"`;

const retentionOrder = (category: Category): PurgeOrder => ({
  reason: 'retention',
  rule: `retention of ${category.name}`,
  actor: systemActor('sweep'),
});

/** Records that locked items are being deleted, in their rows and in the queue. */
async function recordIntents(
  platform: Pick<Platform, 'clock' | 'database'>,
  category: Category,
  tx: Transaction,
  items: readonly Item[],
  order: PurgeOrder,
  claim: { id: string; until: Date } | null,
): Promise<Purge[]> {
  if (items.length === 0) return [];
  const now = platform.clock.now();
  await category.markPurging(
    tx,
    items.map((item) => item.id),
    { reason: order.reason, rule: order.rule, at: now.toISOString() },
  );
  return await platform.database.query<Purge>(
    `INSERT INTO purges (category, item_id, subject_id, reason, rule, actor_kind, actor_id, retain_until, stored_at, prefix,
       intended_at, attempts, next_attempt_at, claim_id)
     SELECT $1, item_id, subject_id, $2, $3, $4, $5, retain_until, stored_at, prefix, $6, $7, $8, $9::uuid
     FROM unnest($10::uuid[], $11::uuid[], $12::timestamptz[], $13::timestamptz[], $14::text[])
       AS items (item_id, subject_id, retain_until, stored_at, prefix)
     ON CONFLICT (category, item_id) DO NOTHING
     RETURNING ${columns}`,
    [
      category.name, order.reason, order.rule, order.actor.kind, order.actor.id, now, claim === null ? 0 : 1,
      claim?.until ?? now, claim?.id ?? null, items.map((item) => item.id), items.map((item) => item.subjectId),
      items.map((item) => item.retainUntil), items.map((item) => item.storedAt), items.map((item) => item.prefix),
    ],
    tx,
  );
}

/**
 * Begins the deletion of items past their date whose rows the caller has locked and knows not to be held, and of what
 * contains them.
 */
export async function intend(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  category: Category,
  tx: Transaction,
  ids: readonly string[],
): Promise<void> {
  const items = await category.lockItems(tx, ids);
  await intendContaining(platform, categories, category, tx, items);
  await recordIntents(platform, category, tx, items, retentionOrder(category), null);
}

/** A package is never kept past what it contains, and nothing held is among `items`. */
async function intendContaining(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  category: Category,
  tx: Transaction,
  items: readonly Item[],
): Promise<void> {
  const { rule, ...order } = retentionOrder(category);
  for (const other of await lockContaining(categories, tx, category.name, items.map((item) => item.id)))
    await recordIntents(platform, other.category, tx, other.items, { ...order, rule: `content: ${rule}` }, null);
}

/** What contains any of `ids` (packages with a recording in them), locked. */
async function lockContaining(
  categories: readonly Category[],
  tx: Transaction,
  category: string,
  ids: readonly string[],
): Promise<{ category: Category; items: Item[] }[]> {
  const found: { category: Category; items: Item[] }[] = [];
  for (const other of categories) {
    const containing = (await other.containing?.(tx, category, ids)) ?? [];
    if (containing.length > 0) found.push({ category: other, items: await other.lockItems(tx, containing) });
  }
  return found;
}

/**
 * Begins a deletion that somebody decided on, inside `tx`; nudge `purgeJob` after the commit. What contains the items goes
 * with them. Holds in `despite` (those that the same decision releases) do not stand in the way, nor does what is left of
 * one that a request placed by itself and has released: nobody's mistake needs a day to be made good there. Others do.
 * @throws Problem `conflict` when one of them is held
 */
export async function beginPurge(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  tx: Transaction,
  what: { category: string; ids: readonly string[] },
  order: PurgeOrder,
  despite: readonly string[] = [],
): Promise<void> {
  const { keptBy } = await beginPurgeUnlessHeld(platform, categories, tx, what, order, despite);
  if (keptBy !== null) throw new Problem('conflict', { detail: 'A hold keeps this from being deleted.' });
}

/**
 * As `beginPurge`, of what nobody may have to be told is held: `known` where a hold stands in the way that may be told of,
 * `untold` where all of them serve an order that may not be, null where the deletion has begun.
 */
export async function beginPurgeUnlessHeld(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  tx: Transaction,
  what: { category: string; ids: readonly string[] },
  order: PurgeOrder,
  despite: readonly string[] = [],
): Promise<{ keptBy: 'known' | 'untold' | null }> {
  const all = await lockWithContaining(categories, tx, what);
  const holds: { secret: boolean }[] = [];
  for (const each of all) holds.push(...(await holdsInTheWay(platform, tx, each.category.subject, each.items, despite)));
  if (holds.length > 0) return { keptBy: holds.some(({ secret }) => !secret) ? 'known' : 'untold' };
  for (const each of all) await recordIntents(platform, each.category, tx, each.items, order, null);
  return { keptBy: null };
}

/**
 * Ends the periods of items, and of what contains them, inside `tx`: what a hold keeps is closed from now on to all but
 * those who may know of the hold, and goes when that is released.
 */
export async function endPeriods(
  { clock }: Pick<Platform, 'clock'>,
  categories: readonly Category[],
  tx: Transaction,
  what: { category: string; ids: readonly string[] },
): Promise<void> {
  for (const { category, items } of await lockWithContaining(categories, tx, what))
    await category.endPeriod(tx, items.map((item) => item.id), clock.now());
}

async function lockWithContaining(
  categories: readonly Category[],
  tx: Transaction,
  what: { category: string; ids: readonly string[] },
): Promise<{ category: Category; items: Item[] }[]> {
  const category = categories.find((each) => each.name === what.category);
  if (category === undefined) throw new Error(`There is no category ${what.category}`);
  return [{ category, items: await category.lockItems(tx, what.ids) }, ...(await lockContaining(categories, tx, category.name, what.ids))];
}

async function holdsInTheWay(
  platform: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  kind: SubjectKind,
  items: readonly Item[],
  despite: readonly string[],
): Promise<{ secret: boolean }[]> {
  return await platform.database.query<{ secret: boolean }>(
    `SELECT DISTINCT secret FROM holds_in_reach WHERE category = $1 AND item_id = ANY($2::uuid[]) AND (ends_at IS NULL OR ends_at > $3)
       AND id <> ALL($4::uuid[]) AND NOT (ground = 'open_request' AND request_id IS NOT NULL AND released_at IS NOT NULL)`,
    [kind, items.map((item) => item.subjectId), platform.clock.now(), despite],
    tx,
  );
}

/** Takes over deletions that have begun and that nobody is working on: fresh intents, failed ones whose wait is over, and
 * those of a process that died. */
export async function claimBegun(platform: PurgePlatform, category: Category, limit: number): Promise<Purge[]> {
  const now = platform.clock.now();
  return await platform.database.query<Purge>(
    `UPDATE purges p SET claim_id = $3::uuid, attempts = p.attempts + 1, next_attempt_at = $4
     FROM (SELECT category AS c, item_id AS i FROM purges WHERE category = $1 AND next_attempt_at <= $2
           ORDER BY next_attempt_at LIMIT $5 FOR UPDATE SKIP LOCKED) due
     WHERE p.category = due.c AND p.item_id = due.i RETURNING ${columns}`,
    [category.name, now, newId(platform.clock), new Date(now.getTime() + leaseMs), limit],
  );
}

/**
 * Begins the deletion of items past their date and claims them. The rows are locked first and the holds looked at after,
 * in a statement of its own: a hold that was committed while the rows were being found would otherwise go unseen.
 */
export async function claimDue(
  platform: PurgePlatform,
  categories: readonly Category[],
  category: Category,
  limit: number,
): Promise<Purge[]> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const now = clock.now();
    const due = await category.lockDue(tx, now, limit);
    if (due.length === 0) return [];
    const held = await heldAmong(database, tx, category.subject, due.map((item) => item.subjectId), now);
    const free = due.filter((item) => !held.has(item.subjectId));
    await intendContaining(platform, categories, category, tx, free);
    return await recordIntents(platform, category, tx, free, retentionOrder(category), {
      id: newId(clock),
      until: new Date(now.getTime() + leaseMs),
    });
  });
}

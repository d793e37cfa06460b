import { append, type AuditEntry } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { ObjectVersion } from '../platform/objects.js';
import { Problem } from '../platform/problem.js';
import { abortUploadsUnder, foundUnder } from './absence.js';
import type { Category, PurgeReason, Remains } from './category.js';
import { writeJournal } from './journal.js';
import type { Purge, PurgePlatform } from './purge.js';
import { putOff } from './put-off.js';
import { leaveTombstones, type Tombstone } from './tombstone.js';

/**
 * How a deletion that has begun is carried out: look what is there and note it, delete every version of it, look again,
 * and only when nothing is left note it in the journal, delete the rows and leave the tombstones. No transaction is open
 * while storage works. Every step can be repeated, so a process may die between any two.
 */

/** Where a test may let the process die. */
export type PurgeStep = 'claimed' | 'looked' | 'deleted' | 'confirmed' | 'buried';

export interface PurgeContext extends PurgePlatform {
  /** Days after which a bucket rule may itself have deleted an item of a category; undefined where there is no rule. */
  ruleDays: (category: Category) => number | undefined;
  /** For tests: called as each step is done. */
  step?: (step: PurgeStep) => void;
}

export interface Outcome {
  purged: number;
  failed: number;
}

const dayMs = 86_400_000;
const confirmedHow = 'ListObjectVersions under the prefix of the item: nothing';

/** Storage does not answer at all: nobody's fault in particular, and no reason to try the next item. */
export class StorageAway extends Error {
  override readonly name = 'StorageAway';
}

/**
 * Carries out deletions of one category that this process has claimed. One that fails is put off by itself; the others
 * go on: what storage refuses for all of them together is tried in halves.
 * @throws StorageAway when storage does not answer; the claims are given back then
 */
export async function carryOut(context: PurgeContext, category: Category, purges: readonly Purge[]): Promise<Outcome> {
  // Of those that somebody has looked at before, the objects may be gone by our own hand.
  const ours = new Set(purges.flatMap((purge) => (purge.found === null ? [] : [purge.itemId])));
  return await carryOutSome(context, category, purges, ours);
}

/** @param ours items of which storage may have been asked to delete the objects: filled as that is done */
async function carryOutSome(
  context: PurgeContext,
  category: Category,
  purges: readonly Purge[],
  ours: Set<string>,
): Promise<Outcome> {
  if (purges.length === 0) return { purged: 0, failed: 0 };
  context.step?.('claimed');
  let failures: Map<string, string>;
  let sizes: Map<string, Found>;
  let stones: Tombstone[];
  try {
    sizes = await look(context, category, purges);
    context.step?.('looked');
    for (const purge of purges) ours.add(purge.itemId);
    failures = await deleteFound(context, category, purges, sizes);
    stones = await engrave(context, category, purges.filter((purge) => !failures.has(purge.itemId)), sizes);
    await writeJournal(context, stones);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'storage-unavailable') throw error;
    await storageAnswers(context, purges);
    const [only, ...more] = purges;
    if (only !== undefined && more.length === 0) {
      await putOff(context, purges, new Map([[only.itemId, 'StorageRefuses']]), !ours.has(only.itemId));
      return { purged: 0, failed: 1 };
    }
    const middle = Math.ceil(purges.length / 2);
    const first = await carryOutSome(context, category, purges.slice(0, middle), ours);
    const second = await carryOutSome(context, category, purges.slice(middle), ours);
    return { purged: first.purged + second.purged, failed: first.failed + second.failed };
  }
  const gone = purges.filter((purge) => !failures.has(purge.itemId));
  const purged = await bury(context, category, gone, stones);
  context.step?.('buried');
  await putOff(context, purges, failures, true);
  return { purged, failed: failures.size };
}

/** Gives the claims back when storage is away altogether. */
async function storageAnswers(context: PurgeContext, purges: readonly Purge[]): Promise<void> {
  try {
    await context.objects.reachable();
  } catch (error) {
    await context.database.query(
      `UPDATE purges SET claim_id = NULL, attempts = attempts - 1, next_attempt_at = $3
       WHERE category = $1 AND claim_id = ANY($2::uuid[])`,
      [purges[0]?.category, [...new Set(purges.map((purge) => purge.claimId))], context.clock.now()],
    );
    throw new StorageAway('The storage cannot be reached', { cause: error });
  }
}

interface Found {
  versions: ObjectVersion[];
  /** What was there when somebody first looked. */
  first: { all: number; live: number };
}

async function listed(
  context: PurgeContext,
  category: Category,
  purges: readonly Purge[],
): Promise<Map<string, ObjectVersion[]>> {
  const found = new Map<string, ObjectVersion[]>();
  for (const root of category.roots) {
    const prefixes = purges.flatMap(({ prefix }) => (prefix?.startsWith(root) === true ? [prefix] : []));
    if (prefixes.length > 0) for (const [prefix, versions] of await foundUnder(context.objects, root, prefixes)) found.set(prefix, versions);
  }
  return found;
}

/** Every version of those objects of others in which the items are heard as well, by the item. */
async function copiesListed(
  context: PurgeContext,
  category: Category,
  purges: readonly Purge[],
): Promise<Map<string, ObjectVersion[]>> {
  const found = new Map<string, ObjectVersion[]>();
  for (const { id, key } of (await category.copiesElsewhere?.(purges.map((purge) => purge.itemId))) ?? [])
    for await (const version of context.objects.list(key))
      if (version.key === key) found.set(id, [...(found.get(id) ?? []), version]);
  return found;
}

/** Notes what is there before any of it is deleted, so that what the bucket had deleted already is told as such. */
async function look(context: PurgeContext, category: Category, purges: readonly Purge[]): Promise<Map<string, Found>> {
  const found = await listed(context, category, purges);
  const copies = await copiesListed(context, category, purges);
  const result = new Map<string, Found>();
  for (const purge of purges) {
    const versions = found.get(purge.prefix ?? '') ?? [];
    const now = {
      all: versions.filter((version) => !version.isDeleteMarker).length,
      live: versions.filter((version) => version.isLatest && !version.isDeleteMarker).length,
    };
    const first = { all: purge.found ?? now.all, live: purge.foundLive ?? now.live };
    result.set(purge.itemId, { versions: [...versions, ...(copies.get(purge.itemId) ?? [])], first });
  }
  const fresh = purges.filter((purge) => purge.found === null);
  if (fresh.length > 0)
    await context.database.query(
      `UPDATE purges p SET found = looked.all, found_live = looked.live
       FROM unnest($2::uuid[], $3::int[], $4::int[]) AS looked (id, "all", live)
       WHERE p.category = $1 AND p.item_id = looked.id AND p.found IS NULL`,
      [
        category.name, fresh.map((purge) => purge.itemId),
        fresh.map((purge) => result.get(purge.itemId)?.first.all ?? 0),
        fresh.map((purge) => result.get(purge.itemId)?.first.live ?? 0),
      ],
    );
  // Tried again in halves, it is what was there at first that counts: by then it may have been deleted.
  for (const purge of fresh) {
    const first = result.get(purge.itemId)?.first;
    purge.found = first?.all ?? 0;
    purge.foundLive = first?.live ?? 0;
  }
  return result;
}

/** Deletes it all and looks again. @returns what failed, by item, with storage's own code */
async function deleteFound(
  context: PurgeContext,
  category: Category,
  purges: readonly Purge[],
  found: Map<string, Found>,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  const itemOf = new Map<string, string>();
  for (const purge of purges)
    for (const { key } of found.get(purge.itemId)?.versions ?? []) itemOf.set(key, purge.itemId);
  if (itemOf.size > 0)
    for (const { key, error } of await context.objects.deleteEveryVersion([...itemOf.keys()])) {
      const itemId = itemOf.get(key);
      if (error !== undefined && itemId !== undefined) failures.set(itemId, error);
    }
  for (const root of category.roots)
    await abortUploadsUnder(context.objects, root, purges.flatMap((purge) => purge.prefix ?? []));
  context.step?.('deleted');
  const left = await listed(context, category, purges);
  const copiesLeft = await copiesListed(context, category, purges);
  for (const { itemId, prefix } of purges)
    if ((left.get(prefix ?? '') ?? []).length + (copiesLeft.get(itemId) ?? []).length > 0 && !failures.has(itemId))
      failures.set(itemId, 'StillThere');
  context.step?.('confirmed');
  return failures;
}

/** The tombstones of what is gone from storage, while its rows still tell what it was. */
async function engrave(
  context: PurgeContext,
  category: Category,
  purges: readonly Purge[],
  found: Map<string, Found>,
): Promise<Tombstone[]> {
  if (purges.length === 0) return [];
  const remains = await context.database.inTransaction((tx) => category.remains(tx, purges.map((purge) => purge.itemId)));
  const byId = new Map<string, Remains>(remains.map((each) => [each.id, each]));
  return purges.map((purge) => tombstoneOf(context, category, purge, found.get(purge.itemId)?.first, byId.get(purge.itemId)));
}

/** Rows, tombstone and audit entry in one transaction: of those that are still this process's to finish. */
async function bury(
  context: PurgeContext,
  category: Category,
  purges: readonly Purge[],
  engraved: readonly Tombstone[],
): Promise<number> {
  if (purges.length === 0) return 0;
  const { clock, database } = context;
  return await database.inTransaction(async (tx) => {
    const owned = await database.query<{ id: string }>(
      `SELECT item_id AS id FROM purges WHERE category = $1 AND item_id = ANY($2::uuid[]) AND claim_id = ANY($3::uuid[])
       ORDER BY item_id FOR UPDATE`,
      [category.name, purges.map((purge) => purge.itemId), [...new Set(purges.map((purge) => purge.claimId))]],
      tx,
    );
    const ids = owned.map((row) => row.id);
    if (ids.length === 0) return 0;
    await category.deleteRows(tx, ids);
    const mine = new Set(ids);
    const stones = engraved.filter((stone) => mine.has(stone.itemId));
    await leaveTombstones(database, tx, stones);
    await append(database, clock, tx, ...stones.map(entryOf));
    await database.query(`DELETE FROM purges WHERE category = $1 AND item_id = ANY($2::uuid[])`, [category.name, ids], tx);
    await database.query(`UPDATE sweeps SET purged = purged + $1 WHERE state = 'running'`, [ids.length], tx);
    return ids.length;
  });
}

function tombstoneOf(
  context: PurgeContext,
  category: Category,
  purge: Purge,
  first: Found['first'] | undefined,
  remains: Remains | undefined,
): Tombstone {
  return {
    id: newId(context.clock),
    category: category.name,
    itemId: purge.itemId,
    subjectKind: category.subject,
    subjectId: purge.subjectId,
    sha256: remains?.sha256 ?? [],
    day: remains?.day ?? null,
    reason: reasonOf(context, category, purge, first?.live ?? 0),
    rule: purge.rule,
    retainUntil: purge.retainUntil,
    storedAt: purge.storedAt,
    intendedAt: purge.intendedAt,
    purgedAt: context.clock.now(),
    actor: { kind: purge.actorKind, id: purge.actorId },
    objects: first?.all ?? 0,
    confirmedHow,
    sourceId: remains?.sourceId ?? null,
    pushDigest: remains?.pushDigest ?? null,
  };
}

const entryOf = (stone: Tombstone): AuditEntry => ({
  actor: stone.actor,
  action: `${stone.category}.purged`,
  object: { type: stone.category, id: stone.itemId },
  details: { tombstoneId: stone.id, reason: stone.reason, rule: stone.rule, sha256: stone.sha256, day: stone.day },
});

/** Nothing was there before we began, and the bucket's rule had had its time: then it was the rule. */
function reasonOf(context: PurgeContext, category: Category, purge: Purge, foundLive: number): PurgeReason {
  if (purge.reason !== 'retention' || foundLive > 0 || purge.prefix === null) return purge.reason;
  const days = context.ruleDays(category);
  const mayHaveActed = days !== undefined && purge.storedAt.getTime() + days * dayMs <= context.clock.now().getTime();
  return mayHaveActed ? 'lifecycle' : purge.reason;
}

import { append, systemActor } from '../audit/log.js';
import type { ObjectVersion } from '../platform/objects.js';
import type { Platform } from '../platform/platform.js';
import type { Category, PurgeReason, StoredItem } from './category.js';
import { heldAmong } from './hold.js';
import { forgottenTombstones, restoreTombstone } from './journal.js';
import { lifecycleDays, promised, type PolicyName } from './policy.js';
import { longestPeriods } from './policies.js';
import { beginPurge } from './purge.js';
import { tagOf, tagUnder } from './retag.js';

/**
 * Database and storage held against each other, both ways, in one walk: rows and objects both come in the order of their
 * ids, so that neither is ever held in memory whole. Whatever looks wrong is looked at a second time, since uploads and
 * deletions go on meanwhile. Nothing is changed unless told to.
 */

export type FindingKind =
  | 'object_without_row'
  | 'row_without_object'
  | 'size_differs'
  | 'untagged'
  | 'tag_differs'
  | 'date_too_late'
  | 'object_too_old'
  | 'row_despite_tombstone'
  | 'tombstone_forgotten';

export interface Finding {
  kind: FindingKind;
  category: string;
  /** The item, as its prefix names it; null for a key that names none. */
  itemId: string | null;
  key: string | null;
  repaired: boolean;
}

export type ReconcilePlatform = Pick<Platform, 'clock' | 'database' | 'objects' | 'log'>;

export interface ReconcileOptions {
  repair: boolean;
  timeZone: string;
  onFinding: (finding: Finding) => void;
  signal?: AbortSignal;
  pageSize?: number;
}

/** What has no row and is younger than this may belong to an upload under way. */
const settledMs = 24 * 3_600_000;
const dayMs = 86_400_000;
/** A bucket rule counts to the next midnight UTC and removes some time after. */
const backstopMs = 2 * dayMs;

interface Pair {
  itemId: string;
  row: StoredItem | undefined;
  versions: ObjectVersion[];
}

/** Objects under `root`, gathered by item, in the order of ids. Keys that name no item come with their own name. */
async function* itemsInStorage(platform: ReconcilePlatform, root: string): AsyncGenerator<{ itemId: string; versions: ObjectVersion[] }> {
  let itemId: string | undefined;
  let versions: ObjectVersion[] = [];
  for await (const version of platform.objects.list(root)) {
    const id = version.key.slice(root.length).split('/', 1)[0] ?? '';
    if (itemId !== undefined && id !== itemId) {
      yield { itemId, versions };
      versions = [];
    }
    itemId = id;
    versions.push(version);
  }
  if (itemId !== undefined) yield { itemId, versions };
}

async function* itemsInDatabase(category: Category, root: string, pageSize: number): AsyncGenerator<StoredItem> {
  for (let after: string | null = null; ; ) {
    const page: StoredItem[] = await category.storedAfter(root, after, pageSize);
    yield* page;
    after = page.at(-1)?.id ?? null;
    if (page.length < pageSize) return;
  }
}

/** Both together, in order: UUIDs as text sort as PostgreSQL sorts them. */
async function* pairs(platform: ReconcilePlatform, category: Category, root: string, pageSize: number): AsyncGenerator<Pair> {
  const stored = itemsInStorage(platform, root);
  const rows = itemsInDatabase(category, root, pageSize);
  let object = await stored.next();
  let row = await rows.next();
  while (object.done !== true || row.done !== true) {
    const objectId = object.done === true ? undefined : object.value.itemId;
    const rowId = row.done === true ? undefined : row.value.id;
    const first = objectId === undefined || (rowId !== undefined && rowId < objectId) ? rowId : objectId;
    if (first === undefined) return;
    const pair: Pair = { itemId: first, row: undefined, versions: [] };
    if (object.done !== true && objectId === first) {
      pair.versions = object.value.versions;
      object = await stored.next();
    }
    if (row.done !== true && rowId === first) {
      pair.row = row.value;
      row = await rows.next();
    }
    yield pair;
  }
}

/** Walks over everything. @returns how many findings of each kind there were */
export async function reconcile(
  platform: ReconcilePlatform,
  categories: readonly Category[],
  options: ReconcileOptions,
): Promise<Map<FindingKind, number>> {
  const counts = new Map<FindingKind, number>();
  const longest = await longestPeriods(platform.database, platform.clock.now(), options.timeZone);
  for await (const stone of forgottenTombstones(platform)) {
    if (options.repair) await restoreTombstone(platform.database, stone);
    counts.set('tombstone_forgotten', (counts.get('tombstone_forgotten') ?? 0) + 1);
    options.onFinding({ kind: 'tombstone_forgotten', category: stone.category, itemId: stone.itemId, key: null, repaired: options.repair });
  }
  for (const category of categories) {
    const days = Math.max(0, ...category.policies.map((name) => lifecycleDays(longest.get(name as PolicyName) ?? promised[name as PolicyName])));
    for (const root of category.roots) {
      for await (const pair of pairs(platform, category, root, options.pageSize ?? 500)) {
        if (options.signal?.aborted === true) return counts;
        const suspected = await examine(platform, category, pair, days);
        if (suspected.length === 0) continue;
        const again = await lookAgain(platform, category, root, pair.itemId);
        for (const finding of await examine(platform, category, again, days)) {
          if (!suspected.some((each) => each.kind === finding.kind && each.key === finding.key)) continue;
          finding.repaired = options.repair && (await repair(platform, category, finding));
          counts.set(finding.kind, (counts.get(finding.kind) ?? 0) + 1);
          options.onFinding(finding);
        }
      }
    }
  }
  return counts;
}

async function lookAgain(platform: ReconcilePlatform, category: Category, root: string, itemId: string): Promise<Pair> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(itemId);
  const [row] = isId ? await category.stored([itemId]) : [];
  const versions: ObjectVersion[] = [];
  // A key right under the root names no item: its name is not a folder.
  for await (const version of platform.objects.list(`${root}${itemId}`))
    if (version.key === `${root}${itemId}` || version.key.startsWith(`${root}${itemId}/`)) versions.push(version);
  return { itemId, row, versions };
}

/** What is wrong with one item, if anything. */
async function examine(platform: ReconcilePlatform, category: Category, pair: Pair, days: number): Promise<Finding[]> {
  const { clock, database } = platform;
  const now = clock.now();
  const { row, versions, itemId } = pair;
  const found: Finding[] = [];
  const add = (kind: FindingKind, key: string | null): void => {
    found.push({ kind, category: category.name, itemId, key, repaired: false });
  };
  const live = versions.filter((version) => version.isLatest && !version.isDeleteMarker);
  if (row === undefined) {
    for (const version of versions) if (version.lastModified.getTime() + settledMs <= now.getTime()) add('object_without_row', version.key);
    return found;
  }
  const beingPurged = await database.query('SELECT 1 FROM purges WHERE category = $1 AND item_id = $2', [category.name, row.id]);
  if (beingPurged.length > 0) return found;
  const stones = await database.query('SELECT 1 FROM tombstones WHERE category = $1 AND item_id = $2', [category.name, row.id]);
  if (stones.length > 0) add('row_despite_tombstone', null);
  for (const object of row.objects) {
    const there = live.find((version) => version.key === object.key);
    if (there === undefined) add('row_without_object', object.key);
    else if (object.bytes !== null && object.bytes !== there.bytes) add('size_differs', object.key);
  }
  if (row.retainUntil > row.latestRetainUntil) add('date_too_late', null);
  const held = (await heldAmong(database, undefined, category.subject, [row.subjectId], now)).size > 0;
  for (const version of live) {
    const tags = await platform.objects.tags(version.key);
    if (tags === undefined) continue;
    if (tags['hold'] === undefined) add('untagged', version.key);
    else if (tags['hold'] !== tagOf(held)) add('tag_differs', version.key);
    if (!held && version.lastModified.getTime() + days * dayMs + backstopMs < now.getTime()) add('object_too_old', version.key);
  }
  return found;
}

/** Repairs what can be repaired without losing anything that should be there; the rest stays somebody's to decide. */
async function repair(platform: ReconcilePlatform, category: Category, finding: Finding): Promise<boolean> {
  const { clock, database, objects } = platform;
  const { kind, itemId, key } = finding;
  if (kind === 'object_without_row' && key !== null) {
    const [outcome] = await objects.deleteEveryVersion([key]);
    if (outcome?.error !== undefined || (await objects.confirmAbsent([key])).length > 0) return false;
  } else if ((kind === 'untagged' || kind === 'tag_differs') && key !== null && itemId !== null) {
    const [row] = await category.stored([itemId]);
    if (row === undefined) return false;
    const held = (await heldAmong(database, undefined, category.subject, [row.subjectId], clock.now())).size > 0;
    if (row.prefix !== null) await tagUnder(platform, row.prefix, held);
  } else if (kind === 'row_despite_tombstone' && itemId !== null) {
    if (!(await replayTombstone(platform, category, itemId))) return false;
  } else return false;
  await database.inTransaction((tx) =>
    append(database, clock, tx, {
      actor: systemActor('reconcile'),
      action: 'reconcile.repaired',
      object: { type: category.name, id: itemId ?? '' },
      details: { kind },
    }),
  );
  return true;
}

/** A backup brought back what had been deleted: it is deleted again, for the reason that its tombstone tells. */
async function replayTombstone(platform: ReconcilePlatform, category: Category, itemId: string): Promise<boolean> {
  const [stone] = await platform.database.query<{ reason: PurgeReason; rule: string }>(
    'SELECT reason, rule FROM tombstones WHERE category = $1 AND item_id = $2',
    [category.name, itemId],
  );
  if (stone === undefined) return false;
  await platform.database.inTransaction((tx) =>
    beginPurge(platform, [category], tx, { category: category.name, ids: [itemId] }, { ...stone, actor: systemActor('reconcile') }),
  );
  return true;
}

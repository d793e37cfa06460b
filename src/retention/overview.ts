import type { Person } from '../access/caller.js';
import type { Platform } from '../platform/platform.js';
import type { Category, DueCount } from './category.js';
import { lastLifecycleCheck, type LifecycleCheck } from './lifecycle.js';
import { tellable } from './list-holds.js';
import { policiesInForce, type Policy } from './policies.js';
import { lastSweep, type Sweep } from './sweep.js';

/** How retention stands, on one page. */
export interface Overview {
  policies: Policy[];
  due: (DueCount & { category: string })[];
  /** Past their date, not held, not deleted yet. Must be 0. */
  overdue: number;
  /** Items on which a hold is in force. */
  held: number;
  unconfirmedHolds: number;
  reviewsDue: number;
  deletedToday: number;
  /** Deletions that storage refuses. */
  failing: { category: string; id: string; attempts: number; fault: string | null; begunAt: Date }[];
  lastSweep: Sweep | null;
  lifecycle: LifecycleCheck | null;
}

const farAheadMs = 10 * 366 * 86_400_000;
/** Counts that took long to make are shown again for this many times as long. */
const restFactor = 20;

/** Keeps what was slow to make, and only that. */
function keepSlow<T>(make: () => Promise<T>): () => Promise<T> {
  let kept: { value: T; untilMs: number } | undefined;
  return async () => {
    const startedAtMs = performance.now();
    if (kept !== undefined && startedAtMs < kept.untilMs) return kept.value;
    const value = await make();
    const tookMs = performance.now() - startedAtMs;
    kept = tookMs < 500 ? undefined : { value, untilMs: performance.now() + tookMs * restFactor };
    return value;
  };
}

/**
 * The numbers about holds that the overview and the metrics share. A reader is told of those they may know of, metrics of
 * none that is secret; nobody has to confirm a secret one here, since the order that it serves is approved by a second
 * person. What a request or one act placed is confirmed and looked at in one act, and counts as one.
 */
export async function countHolds(
  platform: Pick<Platform, 'clock' | 'database'>,
  reader?: Person,
): Promise<{ held: number; unconfirmed: number; unconfirmedLate: number; reviewsDue: number }> {
  const [row] = await platform.database.query<{ held: number; unconfirmed: number; unconfirmedLate: number; reviewsDue: number }>(
    `SELECT count(DISTINCT (category, item_id)) AS held,
       count(DISTINCT coalesce(request_id, act_id, id)) FILTER (WHERE confirmed_at IS NULL AND released_at IS NULL AND NOT secret)
         AS unconfirmed,
       count(DISTINCT coalesce(request_id, act_id, id)) FILTER (WHERE confirmed_at IS NULL AND released_at IS NULL AND NOT secret
         AND confirm_by <= $1) AS "unconfirmedLate",
       count(DISTINCT coalesce(request_id, act_id, id)) FILTER (WHERE released_at IS NULL AND review_at <= $1) AS "reviewsDue"
     FROM holds WHERE (ends_at IS NULL OR ends_at > $1) AND ${tellable('$2::boolean', '$3::uuid')}`,
    [platform.clock.now(), reader?.role === 'auditor', reader?.userId ?? null],
  );
  return row ?? { held: 0, unconfirmed: 0, unconfirmedLate: 0, reviewsDue: 0 };
}

/** How many items of all categories are past their date and not held. */
export async function countOverdue(platform: Pick<Platform, 'clock'>, categories: readonly Category[]): Promise<number> {
  let count = 0;
  for (const category of categories) count += (await category.overdue(platform.clock.now())).count;
  return count;
}

/** Makes the overview, as often as somebody asks for it. */
export function overviewOf(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  startOfToday: () => Date,
): (reader: Person) => Promise<Overview> {
  const { clock, database } = platform;
  const due = keepSlow(async () => {
    const now = clock.now();
    const lists = [];
    for (const category of categories)
      for (const each of await category.countDue(now, new Date(now.getTime() + farAheadMs)))
        lists.push({ ...each, category: category.name });
    return lists.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  });
  return async (reader) => {
    const holds = await countHolds(platform, reader);
    const [deleted] = await database.query<{ count: number }>(
      'SELECT count(*) AS count FROM tombstones WHERE purged_at >= $1',
      [startOfToday()],
    );
    return {
      policies: await policiesInForce(database),
      due: await due(),
      overdue: await countOverdue(platform, categories),
      held: holds.held,
      unconfirmedHolds: holds.unconfirmed,
      reviewsDue: holds.reviewsDue,
      deletedToday: deleted?.count ?? 0,
      failing: await database.query<Overview['failing'][number]>(
        `SELECT category, item_id AS id, attempts, last_fault AS fault, intended_at AS "begunAt" FROM purges
         WHERE last_fault IS NOT NULL ORDER BY intended_at LIMIT 50`,
      ),
      lastSweep: (await lastSweep(platform)) ?? null,
      lifecycle: (await lastLifecycleCheck(database)) ?? null,
    };
  };
}

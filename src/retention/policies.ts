import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append, systemActor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, Period } from './category.js';
import { endOfPeriod, lifecycleDays, policyNames, promised, startOfPeriod, type PolicyName } from './policy.js';

/**
 * The periods as the organisation decided them. A change is an act with a reason. It counts for what comes in from then on;
 * what is there keeps its frozen date, unless the act says that those are shortened too.
 */

/** The job that walks through what is there after a policy was shortened for it too. */
export const shortenJob = 'retention.shorten';

export interface Policy extends Period {
  category: PolicyName;
  inForceFrom: Date;
  setBy: string | null;
  reason: string;
  /** Whether the act shortened what was there, and whether that walk is over. */
  shortening: 'none' | 'under_way' | 'done';
}

const columns = `category, amount, unit, in_force_from AS "inForceFrom", set_by AS "setBy", reason,
  CASE WHEN NOT applies_to_existing THEN 'none' WHEN walked_at IS NULL THEN 'under_way' ELSE 'done' END AS shortening`;

/** The policies in force, in the order of the retention table. */
export async function policiesInForce(database: Database, tx?: Transaction): Promise<Policy[]> {
  const rows = await database.query<Policy>(`SELECT ${columns} FROM retention_policies WHERE replaced_at IS NULL`, [], tx);
  return policyNames.flatMap((name) => rows.filter((row) => row.category === name));
}

/** The period that an item coming in now is frozen with. */
export async function periodInForce(database: Database, category: PolicyName, tx?: Transaction): Promise<Period> {
  const [row] = await database.queryOften<Period>(
    'SELECT amount, unit FROM retention_policies WHERE category = $1 AND replaced_at IS NULL',
    [category],
    tx,
  );
  return row ?? { amount: promised[category].amount, unit: promised[category].unit };
}

/** SQL: is this still the period in force, as `periodInForce` told it? */
export const isInForce = (category: PolicyName, amountSql: string, unitSql: string): string =>
  `NOT EXISTS (SELECT FROM retention_policies q WHERE q.category = '${category}' AND q.replaced_at IS NULL
     AND (q.amount, q.unit) IS DISTINCT FROM (${amountSql}, ${unitSql}))`;

/** What began before this has had its period, as the policy of its category is now. */
export async function keptFrom({ clock, database }: Pick<Platform, 'clock' | 'database'>, category: PolicyName): Promise<Date> {
  return startOfPeriod(clock.now(), await periodInForce(database, category));
}

/**
 * The longest period that something still there may have been frozen with: what a bucket rule must wait for. A shortening
 * that was walked through to its end cuts what came before it.
 */
export async function longestPeriods(database: Database, now: Date, timeZone: string): Promise<Map<PolicyName, Period>> {
  const rows = await database.query<Period & { category: PolicyName; replacedAt: Date | null; walked: boolean }>(
    `SELECT category, amount, unit, replaced_at AS "replacedAt", (applies_to_existing AND walked_at IS NOT NULL) AS walked
     FROM retention_policies ORDER BY category, in_force_from`,
  );
  const longest = new Map<PolicyName, Period>();
  for (const row of rows) {
    const living = row.replacedAt === null || endOfPeriod(row.replacedAt, row, timeZone) > now;
    const before = row.walked ? undefined : longest.get(row.category);
    if (living && (before === undefined || lifecycleDays(row) > lifecycleDays(before))) longest.set(row.category, row);
  }
  return longest;
}

export interface PolicyPreview {
  category: PolicyName;
  from: Period;
  to: Period;
  /** Is the period that the privacy statement promises exceeded? */
  beyondStatement: boolean;
  /** Of what is there: how many would end sooner, and how many of those at once. */
  shortened: number;
  dueAtOnce: number;
  /** Stands for exactly what would be due at once at the instant of the preview: the act carries it. */
  token: string;
}

/** So long after a preview the act may still be taken on it. */
const previewStandsMs = 3_600_000;

/** What setting a policy to `to` would do, as it stands at `at`. Nothing is changed. */
export async function previewPolicy(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  name: PolicyName,
  to: Period,
  at = platform.clock.now(),
  tx?: Transaction,
): Promise<PolicyPreview> {
  const from = await periodInForce(platform.database, name, tx);
  const preview = { category: name, from, to, beyondStatement: lifecycleDays(to) > lifecycleDays(promised[name]), shortened: 0, dueAtOnce: 0 };
  const digests: string[] = [];
  for (const category of categories.filter((each) => each.policies.includes(name))) {
    const counts = await category.shortenable?.(name, to, at, tx);
    preview.shortened += counts?.shortened ?? 0;
    preview.dueAtOnce += counts?.dueAtOnce ?? 0;
    digests.push(counts?.digest ?? '');
  }
  const seen = JSON.stringify([name, to.amount, to.unit, preview.dueAtOnce, digests]);
  return { ...preview, token: `${at.getTime()}.${createHash('sha256').update(seen).digest('hex')}` };
}

/**
 * Was what `token` stands for seen a while ago at most, and would the same still be due? Looked at as of that instant, so
 * that what falls due by the minute anyway does not make every preview stale.
 * @throws Problem `conflict`, with the preview as it is now
 */
async function refuseStale(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  name: PolicyName,
  change: PolicyChange,
  tx: Transaction,
): Promise<void> {
  if (change.existing === null) return;
  const now = platform.clock.now();
  const seenAtMs = Number(/^(\d{1,15})\./.exec(change.existing.token)?.[1]);
  if (now.getTime() - seenAtMs <= previewStandsMs && seenAtMs <= now.getTime()) {
    const then = await previewPolicy(platform, categories, name, change, new Date(seenAtMs), tx);
    if (then.token === change.existing.token && then.dueAtOnce === change.existing.expected) return;
  }
  const preview = await previewPolicy(platform, categories, name, { amount: change.amount, unit: change.unit }, now, tx);
  throw new Problem('conflict', {
    detail: `What this would delete is not what was shown: it is ${preview.dueAtOnce} items now. Look at the preview again.`,
    members: { preview },
  });
}

export interface PolicyChange extends Period {
  reason: string;
  /**
   * Shorten what is there as well. `expected` and `token` are those of the preview: when something else would be due at once
   * by now, the act is refused.
   */
  existing: { expected: number; token: string } | null;
}

/**
 * Sets a policy; nudge `shortenJob` afterwards. What is frozen never becomes longer.
 * @throws Problem `conflict` when the preview no longer tells the truth; the one that does comes with it
 */
export async function setPolicy(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  person: Person,
  name: PolicyName,
  change: PolicyChange,
): Promise<Policy> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const now = clock.now();
    await database.advisoryLock(tx, 'retention.policy', 'exclusive');
    await refuseStale(platform, categories, name, change, tx);
    const preview = await previewPolicy(platform, categories, name, change, now, tx);
    await database.query(
      'UPDATE retention_policies SET replaced_at = $2 WHERE category = $1 AND replaced_at IS NULL', [name, now], tx,
    );
    const [policy] = await database.query<Policy>(
      `INSERT INTO retention_policies (id, category, amount, unit, in_force_from, set_by, reason, applies_to_existing)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns}`,
      [newId(clock), name, change.amount, change.unit, now, person.userId, change.reason, change.existing !== null],
      tx,
    );
    if (policy === undefined) throw new Error('a policy that was just inserted is gone');
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'retention_policy.changed',
      object: { type: 'retention_policy', id: name },
      details: {
        from: `${preview.from.amount} ${preview.from.unit}`, to: `${change.amount} ${change.unit}`,
        existing: change.existing !== null, shortened: preview.shortened, dueAtOnce: preview.dueAtOnce,
      },
    });
    return policy;
  });
}

interface Walk extends Period {
  id: string;
  category: PolicyName;
  walkCategory: string | null;
  walkedTo: string | null;
}

/**
 * Walks through what is there for policies that were shortened for it too, a page a transaction: whoever dies leaves the
 * rest to the next. Waits for what was being written when it began, which may still have the longer period; when that
 * takes long, nothing is walked this time.
 */
export async function runShortenings(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  signal?: AbortSignal,
  pageSize = 1000,
): Promise<void> {
  const waiting = await platform.database.query('SELECT FROM retention_policies WHERE applies_to_existing AND walked_at IS NULL LIMIT 1');
  if (waiting.length === 0 || !(await earlierWritesAreOver(platform.database, signal))) return;
  for (let more = true; more && signal?.aborted !== true; )
    more = await platform.database.inTransaction((tx) => walkOnePage(platform, categories, tx, pageSize));
}

/** Have all transactions ended that were open at the first look? Those that began since know of every policy set before it. */
async function earlierWritesAreOver(database: Database, signal: AbortSignal | undefined): Promise<boolean> {
  const [{ at } = { at: '' }] = await database.query<{ at: string }>('SELECT clock_timestamp()::text AS at');
  for (let looks = 0; looks < 100 && signal?.aborted !== true; looks += 1) {
    const open = await database.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND xact_start < $1::timestamptz AND pid <> pg_backend_pid() AND backend_type = 'client backend'
       LIMIT 1`,
      [at],
    );
    if (open.length === 0) return true;
    await sleep(50);
  }
  return false;
}

async function walkOnePage(
  platform: Pick<Platform, 'clock' | 'database'>,
  categories: readonly Category[],
  tx: Transaction,
  pageSize: number,
): Promise<boolean> {
  const { clock, database } = platform;
  const [walk] = await database.query<Walk>(
    `SELECT id, category, amount, unit, walk_category AS "walkCategory", walked_to AS "walkedTo"
     FROM retention_policies WHERE applies_to_existing AND walked_at IS NULL
     ORDER BY in_force_from LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [],
    tx,
  );
  if (walk === undefined) return false;
  const following = categories.filter((each) => each.policies.includes(walk.category) && each.shorten !== undefined);
  const at = walk.walkCategory === null ? 0 : following.findIndex((each) => each.name === walk.walkCategory);
  const category = following[at];
  const page = await category?.shorten?.(tx, walk.category, walk, walk.walkedTo, pageSize);
  const next = page?.next === null || page === undefined ? following[at + 1] : category;
  await database.query(
    `UPDATE retention_policies SET walk_category = $2, walked_to = $3, walked_at = $4, shortened = shortened + $5 WHERE id = $1`,
    [walk.id, next?.name ?? null, page?.next ?? null, next === undefined ? clock.now() : null, page?.changed ?? 0],
    tx,
  );
  if (next === undefined)
    await append(database, clock, tx, {
      actor: systemActor('retention'),
      action: 'retention_policy.applied',
      object: { type: 'retention_policy', id: walk.category },
      details: { policyId: walk.id },
    });
  return true;
}

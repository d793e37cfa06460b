import { setTimeout as sleep } from 'node:timers/promises';
import { actorOf, type Person } from '../access/caller.js';
import { append, systemActor } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { carryOut, type Outcome, type PurgeContext } from './carry-out.js';
import type { Category } from './category.js';
import { claimBegun, claimDue, type Purge } from './purge.js';

/**
 * Sweeps: rounds that delete what is past its date. A sweep is a row; any number of workers take part in it, each claiming
 * items of its own, and one that dies leaves its claims to the others. It is done when nothing is left to claim and
 * nobody is still at work.
 */

/** The job that carries out deletions, those that a decision began included. */
export const purgeJob = 'retention.purge';

/** Items that are claimed and deleted together. Three objects each, so that a batch is about one request to storage. */
export const sweepBatch = 300;

/** How long a finished worker waits for the others before it leaves the sweep to the next run. */
const patienceMs = 60_000;

export interface Sweep {
  id: string;
  state: 'running' | 'done';
  trigger: 'schedule' | 'request';
  requestedAt: Date;
  finishedAt: Date | null;
  purged: number;
  failed: number;
}

/** Who does it: told to stop by `signal`, telling through `touch` that it gets on. */
export interface SweepWorker {
  signal?: AbortSignal;
  touch?: () => Promise<void>;
  batch?: number;
}

const columns = `id, state, trigger, requested_at AS "requestedAt", finished_at AS "finishedAt", purged, failed`;

type SweepPlatform = Pick<Platform, 'clock' | 'database'>;

/**
 * Somebody asks for a sweep now; nudge `purgeJob` afterwards. What failed before is tried again at once, whatever its wait.
 */
export async function requestSweep(platform: SweepPlatform, person: Person): Promise<Sweep> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const actor = actorOf(person);
    const [sweep] = await database.query<Sweep>(
      `INSERT INTO sweeps (id, state, trigger, actor_kind, actor_id, requested_at)
       VALUES ($1, 'running', 'request', $2, $3, $4) RETURNING ${columns}`,
      [newId(clock), actor.kind, actor.id, clock.now()],
      tx,
    );
    if (sweep === undefined) throw new Error('a sweep that was just inserted is gone');
    await database.query('UPDATE purges SET next_attempt_at = $1 WHERE claim_id IS NULL', [clock.now()], tx);
    await append(database, clock, tx, { actor, action: 'sweep.requested', object: { type: 'sweep', id: sweep.id } });
    return sweep;
  });
}

/** The schedule asks for a sweep, unless one is under way. Several processes may ask at once: one row comes of it. */
export async function scheduleSweep(platform: SweepPlatform): Promise<void> {
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, 'retention.schedule', 'exclusive');
    await database.query(
      `INSERT INTO sweeps (id, state, trigger, actor_kind, actor_id, requested_at)
       SELECT $1, 'running', 'schedule', $2, $3, $4 WHERE NOT EXISTS (SELECT FROM sweeps WHERE state = 'running')`,
      [newId(clock), systemActor('sweep').kind, systemActor('sweep').id, clock.now()],
      tx,
    );
  });
}

export async function findSweep(platform: SweepPlatform, id: string): Promise<Sweep | undefined> {
  const [sweep] = await platform.database.query<Sweep>(`SELECT ${columns} FROM sweeps WHERE id = $1`, [id]);
  return sweep;
}

export async function lastSweep(platform: SweepPlatform): Promise<Sweep | undefined> {
  const [sweep] = await platform.database.query<Sweep>(
    `SELECT ${columns} FROM sweeps ORDER BY requested_at DESC, id DESC LIMIT 1`,
  );
  return sweep;
}

/**
 * Deletes what can be deleted now: everything whose deletion has begun, and, while a sweep runs, what is past its date.
 * Any number of processes may do this at once.
 * @throws StorageAway when storage does not answer; sweeps stay running and are taken up later
 */
export async function runPurges(
  context: PurgeContext,
  categories: readonly Category[],
  worker: SweepWorker = {},
): Promise<Outcome> {
  const total: Outcome = { purged: 0, failed: 0 };
  do {
    for (let busy = true; busy; ) {
      busy = false;
      for (const work of await whatThereIs(context, categories)) {
        if (isStopped(worker)) return total;
        const claimed = await claimSome(context, categories, work, worker.batch ?? sweepBatch);
        const outcome = await carryOut(context, work.category, claimed);
        total.purged += outcome.purged;
        total.failed += outcome.failed;
        busy ||= claimed.length > 0;
        await worker.touch?.();
      }
    }
  } while ((await finishSweeps(context, categories, worker)) === 'more to do');
  return total;
}

const isStopped = ({ signal }: SweepWorker): boolean => signal?.aborted === true;

/** A category with something to do: deletions that have begun, or, while a sweep runs, items that are due. */
interface Work {
  category: Category;
  begun: boolean;
  due: boolean;
}

/** Asks all categories in one statement: a worker that looks every minute mostly finds nothing. */
async function whatThereIs({ clock, database }: SweepPlatform, categories: readonly Category[]): Promise<Work[]> {
  const asked = categories.map(
    ({ dueSql }, at) => `SELECT ${at} AS at,
      EXISTS (SELECT FROM purges p WHERE p.category = ($2::text[])[${at + 1}] AND p.next_attempt_at <= $1) AS begun,
      CASE WHEN EXISTS (SELECT FROM sweeps WHERE state = 'running') THEN ${dueSql('$1')} ELSE false END AS due`,
  );
  const rows = await database.query<{ at: number; begun: boolean; due: boolean }>(
    `SELECT at, begun, due FROM (${asked.join(' UNION ALL ')}) each WHERE begun OR due ORDER BY at`,
    [clock.now(), categories.map(({ name }) => name)],
  );
  return rows.flatMap(({ at, begun, due }) => {
    const category = categories[at];
    return category === undefined ? [] : [{ category, begun, due }];
  });
}

async function claimSome(
  context: PurgeContext,
  categories: readonly Category[],
  { category, begun, due }: Work,
  limit: number,
): Promise<Purge[]> {
  const taken = begun ? await claimBegun(context, category, limit) : [];
  if (taken.length === limit || !due) return taken;
  return [...taken, ...(await claimDue(context, categories, category, limit - taken.length))];
}

/** Ends the sweeps that have nothing left to do, waiting a while for workers that are still deleting. */
async function finishSweeps(
  context: PurgeContext,
  categories: readonly Category[],
  worker: SweepWorker,
): Promise<'more to do' | 'ended'> {
  const { clock, database } = context;
  for (let waitedMs = 0; waitedMs < patienceMs && !isStopped(worker); waitedMs += 250) {
    const running = await database.query<Sweep>(`SELECT ${columns} FROM sweeps WHERE state = 'running'`);
    if (running.length === 0) return 'ended';
    const now = clock.now();
    // Asked after the sweeps were listed: what fell due before they were asked for has been seen by somebody. And before the
    // claims: what somebody claims between the two questions is due in the one or claimed in the other.
    const due = (await whatThereIs(context, categories)).filter((work) => work.due);
    for (const { category } of due) if (await hasLockable(context, category, now)) return 'more to do';
    const [claims] = await database.query<{ count: number }>(
      'SELECT count(*) AS count FROM purges WHERE claim_id IS NOT NULL AND next_attempt_at > $1',
      [now],
    );
    // What is due and locked is being claimed at this moment.
    if (due.length === 0 && claims?.count === 0) {
      await database.query(
        `UPDATE sweeps SET state = 'done', finished_at = $2 WHERE id = ANY($1::uuid[]) AND state = 'running'`,
        [running.map((sweep) => sweep.id), now],
      );
      return 'ended';
    }
    await worker.touch?.();
    await sleep(250);
  }
  return 'ended';
}

/** What somebody else has locked is theirs to finish. */
async function hasLockable(context: PurgeContext, category: Category, now: Date): Promise<boolean> {
  return await context.database.inTransaction(async (tx) => (await category.lockDue(tx, now, 1)).length > 0);
}

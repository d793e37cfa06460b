import type { Platform } from '../platform/platform.js';
import type { PurgeContext } from './carry-out.js';
import type { Category } from './category.js';
import { applyLifecycle, keepLifecycle, lastLifecycleCheck, lifecycleJob } from './lifecycle.js';
import { countHolds } from './overview.js';
import { forgetTombstones } from './journal.js';
import { lifecycleDays, promised, type PolicyName } from './policy.js';
import { keptFrom, longestPeriods, runShortenings, shortenJob } from './policies.js';
import { holdReminderJob, remindOfHolds, tellOfHolds, type ReminderSettings } from './remind.js';
import { retagJob, runRetags } from './retag.js';
import { purgeJob, runPurges, scheduleSweep } from './sweep.js';

export interface RetentionJobSettings {
  /** A cron line in the service's time zone. */
  sweepCron: string;
  timeZone: string;
  /** By which ways people are reminded of holds. */
  alarms: Pick<ReminderSettings, 'webhook' | 'mail'>;
  publicUrl: string | undefined;
}

/** Workers of one deployment that delete at the same time. */
const purgeWorkers = 2;
/** Deletions that failed so often, or for so long, are somebody's to look at. */
const stuckAttempts = 5;
const stuckMs = 24 * 3_600_000;

/** What a purge works with; the days of the bucket's rules as they are now. */
export async function purgeContext(platform: Platform, timeZone: string): Promise<PurgeContext> {
  const longest = await longestPeriods(platform.database, platform.clock.now(), timeZone);
  const days = (name: PolicyName) => lifecycleDays(longest.get(name) ?? promised[name]);
  return {
    clock: platform.clock,
    database: platform.database,
    log: platform.log,
    objects: platform.objects,
    ruleDays: ({ policies }) => (policies.length === 0 ? undefined : Math.min(...policies.map((name) => days(name as PolicyName)))),
  };
}

/**
 * Defines the jobs and metrics of retention, before `jobs.start`: sweeps on schedule, deletions every minute, tags that
 * follow holds, reminders of holds, policies that are shortened, the bucket's rules once a day.
 */
export function retentionJobs(platform: Platform, categories: readonly Category[], settings: RetentionJobSettings): void {
  const { jobs, metrics, log } = platform;
  const { sweepCron, timeZone } = settings;
  const purged = metrics.counter('opname_retention_purged_total', 'Items deleted, with their tombstones left');
  const failed = metrics.counter('opname_retention_purge_failures_total', 'Deletions that failed and will be tried again');

  jobs.define('retention.sweep', async () => {
    await scheduleSweep(platform);
    jobs.nudge(purgeJob);
  });
  jobs.every('retention.sweep', sweepCron);

  jobs.define(
    purgeJob,
    async (signal, touch) => {
      const outcome = await runPurges(await purgeContext(platform, timeZone), categories, { signal, touch });
      purged.inc(outcome.purged);
      failed.inc(outcome.failed);
      if (outcome.purged + outcome.failed > 0) log.info(outcome, 'deleted what was due');
    },
    { concurrency: purgeWorkers },
  );
  jobs.every(purgeJob, '1 minute');

  jobs.define(retagJob, async (signal) => {
    await runRetags(platform, categories, signal);
  });
  jobs.every(retagJob, '1 minute');

  const reminding = { ...settings.alarms, publicUrl: settings.publicUrl };
  jobs.define(holdReminderJob, async (signal) => {
    await remindOfHolds(platform, reminding);
    await tellOfHolds(platform, reminding, signal);
  });
  jobs.every(holdReminderJob, '10 minutes');

  jobs.define(shortenJob, (signal) => runShortenings(platform, categories, signal));
  jobs.every(shortenJob, '5 minutes');

  jobs.define(lifecycleJob, async () => {
    await keepLifecycle(platform, timeZone);
  });
  jobs.every(lifecycleJob, '41 3 * * *');

  jobs.define('retention.forget', async (signal, touch) => {
    const before = await keptFrom(platform, 'tombstone');
    while (!signal.aborted && (await forgetTombstones(platform, before)) > 0) await touch();
  });
  jobs.every('retention.forget', '11 4 * * *');

  retentionMetrics(platform, categories);
}

/** To be awaited at the start, once the database is migrated and storage is prepared: rules are made right. */
export async function startRetention(platform: Platform, timeZone: string): Promise<void> {
  const check = await applyLifecycle(platform, timeZone);
  platform.log.info({ state: check.state }, 'lifecycle rules of the bucket');
}

function retentionMetrics(platform: Platform, categories: readonly Category[]): void {
  const { clock, database, metrics } = platform;
  metrics.gauge('opname_retention_overdue_items', 'Items past their date, not held, not deleted', ['category'], async (gauge) => {
    for (const category of categories) gauge.set({ category: category.name }, (await category.overdue(clock.now())).count);
  });
  metrics.gauge(
    'opname_retention_oldest_object_age_seconds',
    'Age of the oldest live object that no hold keeps',
    ['category'],
    async (gauge) => {
      for (const category of categories) {
        const oldest = await category.oldestStored(clock.now());
        gauge.set({ category: category.name }, oldest === null ? 0 : (clock.now().getTime() - oldest.getTime()) / 1000);
      }
    },
  );
  metrics.gauge('opname_retention_stuck_purges', 'Deletions that storage keeps refusing', [], async (gauge) => {
    const [row] = await database.query<{ count: number }>(
      'SELECT count(*) AS count FROM purges WHERE last_fault IS NOT NULL AND (attempts >= $1 OR intended_at < $2)',
      [stuckAttempts, new Date(clock.now().getTime() - stuckMs)],
    );
    gauge.set(row?.count ?? 0);
  });
  metrics.gauge('opname_retention_holds', 'Holds in force, by what they wait for', ['state'], async (gauge) => {
    const holds = await countHolds(platform);
    gauge.set({ state: 'in_force' }, holds.held);
    gauge.set({ state: 'unconfirmed' }, holds.unconfirmed);
    gauge.set({ state: 'confirmation_late' }, holds.unconfirmedLate);
    gauge.set({ state: 'review_due' }, holds.reviewsDue);
  });
  metrics.gauge('opname_retention_untagged_holds', 'Holds that the tags of the objects do not follow yet', [], async (gauge) => {
    const [row] = await database.query<{ count: number }>(
      'SELECT count(*) AS count FROM retags WHERE next_attempt_at <= $1 OR attempts > 0',
      [clock.now()],
    );
    gauge.set(row?.count ?? 0);
  });
  metrics.gauge('opname_retention_lifecycle_drifted', 'Whether the rules of the bucket have drifted', [], async (gauge) => {
    gauge.set((await lastLifecycleCheck(database))?.state === 'drifted' ? 1 : 0);
  });
}

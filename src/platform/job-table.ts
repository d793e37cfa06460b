import type { Pool } from 'pg';
import { systemClock } from './clock.js';

/** When a job runs by itself: as Agenda computes it, kept with its row. */
export interface JobSchedule {
  interval: string;
  timezone: string;
  nextRunAt: Date;
}

/**
 * What we do ourselves on Agenda's table, all of it in the machine's time, as Agenda's own is. Its `every` would put
 * off a run that fell due while the service was down, its `now` would undo the schedule, and its `touch` would not
 * notice that another process took the job.
 */
export class JobTable {
  constructor(
    private readonly pool: Pool,
    private readonly channelName: string,
    /** Agenda writes it to each row that this process locks. */
    readonly processName: string,
  ) {}

  /** Makes the row of a job, or brings its schedule up to date; a run that is due stays due. */
  async register(row: string, schedule: JobSchedule | undefined): Promise<void> {
    await this.pool.query(
      `INSERT INTO agenda_jobs AS job (name, type, data, repeat_interval, repeat_timezone, next_run_at)
       VALUES ($1, 'single', '{}', $2, $3, $4)
       ON CONFLICT (name) WHERE type = 'single' DO UPDATE SET
         repeat_interval = EXCLUDED.repeat_interval,
         repeat_timezone = EXCLUDED.repeat_timezone,
         next_run_at = CASE
           WHEN job.repeat_interval IS NOT DISTINCT FROM EXCLUDED.repeat_interval
            AND job.repeat_timezone IS NOT DISTINCT FROM EXCLUDED.repeat_timezone
           THEN coalesce(job.next_run_at, EXCLUDED.next_run_at)
           ELSE EXCLUDED.next_run_at
         END`,
      [row, schedule?.interval ?? null, schedule?.timezone ?? null, schedule?.nextRunAt ?? null],
    );
  }

  /** Makes all rows of a job due now. One that is locked runs, or is about to: it is marked to run once more. */
  async nudge(name: string): Promise<void> {
    await this.#wake(
      `UPDATE agenda_jobs SET
         data = '{"nudged": true}',
         next_run_at = CASE WHEN locked_at IS NULL THEN least(next_run_at, $2) ELSE next_run_at END
       WHERE type = 'single' AND split_part(name, '#', 1) = $1`,
      name,
    );
  }

  /** After a run: makes the row due again when it was nudged meanwhile. */
  async runAgainIfNudged(id: string): Promise<void> {
    await this.#wake(
      `UPDATE agenda_jobs SET data = '{}', next_run_at = $2
       WHERE id::text = $1 AND locked_at IS NULL AND data ? 'nudged'`,
      id,
    );
  }

  /** At the start of a run: forgets earlier nudges, and leaves the row due, for whoever comes after us if we die. */
  async begin(id: string): Promise<Date | undefined> {
    return await this.#lock(`, next_run_at = $3, data = '{}'`, id);
  }

  /** Renews the lock of a run. The new time of the lock, or undefined when it is no longer ours. */
  async renew(id: string): Promise<Date | undefined> {
    return await this.#lock('', id);
  }

  /** Lets go of everything that this process has locked. */
  async unlockOwn(): Promise<void> {
    await this.pool.query(
      'UPDATE agenda_jobs SET locked_at = NULL WHERE last_modified_by = $1 AND locked_at IS NOT NULL',
      [this.processName],
    );
  }

  async #lock(more: string, id: string): Promise<Date | undefined> {
    const at = systemClock.now();
    const { rowCount } = await this.pool.query(
      `UPDATE agenda_jobs SET locked_at = $3${more} WHERE id = $1 AND last_modified_by = $2 AND locked_at IS NOT NULL`,
      [id, this.processName, at],
    );
    return rowCount === 1 ? at : undefined;
  }

  /**
   * Runs `update` with `key` as $1 and the present time as $2, and tells the listening processes of the rows it
   * changed, in the form of Agenda's own notifications. Agenda itself tells only from a process that listens, too.
   */
  async #wake(update: string, key: string): Promise<void> {
    const now = systemClock.now();
    await this.pool.query(
      `WITH woken AS (${update} RETURNING id, name, priority)
       SELECT pg_notify($4, json_build_object(
         'jobId', id, 'jobName', name, 'priority', priority, 'nextRunAt', $3::text, 'timestamp', $3::text,
         'source', $5::text)::text)
       FROM woken`,
      [key, now, now.toISOString(), this.channelName, this.processName],
    );
  }
}

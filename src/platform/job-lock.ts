import type { JobTable } from './job-table.js';

export interface JobLockOptions {
  /** The row that is locked. */
  id: string;
  /** The lock lapses when it was not renewed for this long. */
  lockMs: number;
  /** The run is given up when it did not call `touch` for this long. */
  silenceMs: number;
  /** Told the time of each renewal. */
  onRenewed: (at: Date) => void;
}

/**
 * The lock of one running job, renewed for as long as its process lives, so that it can be short and yet the work
 * long. Aborts `controller` when the lock is lost, cannot be renewed in time, or the work is silent for too long.
 */
export class JobLock {
  #renewedAtMs = performance.now();
  #heardAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly table: JobTable,
    private readonly controller: AbortController,
    private readonly options: JobLockOptions,
  ) {}

  /** Does `work` under the lock. Throws what `work` throws, or when the lock cannot be held at its start. */
  async hold(work: () => Promise<void>): Promise<void> {
    this.#renewed(await this.table.begin(this.options.id));
    this.#timer = setInterval(() => void this.#keep(), this.options.lockMs / 3);
    try {
      await work();
    } finally {
      clearInterval(this.#timer);
    }
  }

  /** The work gets on. Throws when it was given up, so that a run which only touches also ends. */
  touch(): Promise<void> {
    this.#heardAtMs = performance.now();
    return this.controller.signal.aborted ? Promise.reject(this.controller.signal.reason as Error) : Promise.resolve();
  }

  async #keep(): Promise<void> {
    const nowMs = performance.now();
    try {
      const { silenceMs, lockMs } = this.options;
      if (nowMs - this.#heardAtMs > silenceMs) throw new JobGivenUp('The job was silent for too long');
      if (nowMs - this.#renewedAtMs > lockMs) throw new JobGivenUp('The lock could not be renewed in time');
      this.#renewed(await this.table.renew(this.options.id));
    } catch (error) {
      // Any other error is the database's, which may be back before the lock lapses.
      if (!(error instanceof JobGivenUp)) return;
      clearInterval(this.#timer);
      this.controller.abort(error);
    }
  }

  #renewed(at: Date | undefined): void {
    if (at === undefined) throw new JobGivenUp('Another process has taken the job');
    this.#renewedAtMs = performance.now();
    this.options.onRenewed(at);
  }
}

class JobGivenUp extends Error {
  override readonly name = 'JobGivenUp';
}

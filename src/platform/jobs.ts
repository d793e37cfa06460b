import { PostgresBackend } from '@agendajs/postgres-backend';
import { Agenda, type Job } from 'agenda';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { systemClock } from './clock.js';
import { JobLock } from './job-lock.js';
import { JobTable } from './job-table.js';
import type { Log } from './log.js';

/**
 * What a job does. It finds its work by the state of rows, so that it may run at any time, twice, or be cut off:
 * attempts are counted on those rows, never here. `signal` aborts when the service stops, when the run lost its lock,
 * or when it was silent for too long; a run then ends at the next safe place. `touch` tells that it gets on.
 */
export type JobRun = (signal: AbortSignal, touch: () => Promise<void>) => Promise<void>;

export interface JobOptions {
  /** A run that has not called `touch` for this long is given up, and another may begin. 10 minutes unless told. */
  lockLifetimeMs?: number;
  /** Runs at the same time, over all processes together; 1 unless told. */
  concurrency?: number;
}

/** Recurring work, shared by any number of processes through the database. */
export interface Jobs {
  /** Before `start`. A name has no `#` in it. */
  define(name: string, run: JobRun, options?: JobOptions): void;
  /** Before `start`. `schedule` is a cron line, in the service's time zone, or an interval such as `30 seconds`. */
  every(name: string, schedule: string): void;
  /**
   * Has `name` run soon, in whichever process works; for calling after a commit. It never throws and nobody waits for
   * it. A nudge during a run makes it run once more. A lost one costs time only: the schedule finds the work.
   */
  nudge(name: string): void;
  /** Registers the schedules and begins to run jobs. Does nothing in a process that only nudges. */
  start(): Promise<void>;
  /** Aborts the signals of running jobs, waits up to `drainMs` for them, and closes the connections. */
  stop(drainMs: number): Promise<void>;
}

export interface JobsOptions {
  url: string;
  log: Log;
  /** False in a process that only nudges. */
  work: boolean;
  /** The time zone of cron lines. */
  timezone?: string;
  /** Told of every run that ended, for metrics. */
  onRun?: (name: string, outcome: 'done' | 'failed', tookMs: number) => void;
}

interface Definition {
  name: string;
  run: JobRun;
  silenceMs: number;
  concurrency: number;
  schedule: string | undefined;
}

const channelName = 'opname_jobs';
/**
 * How long the lock of a process that was killed stands before another takes its job. A run renews its lock by itself,
 * so this need not be as long as the work. All of this is in the machine's time, as Agenda's own is.
 */
const lockMs = 30_000;
const pollMs = 5_000;
const complaintEveryMs = 10_000;

/** Jobs on the database at `url`, whose table `agenda_jobs` the migrations made. Connects when first needed. */
export function createJobs(options: JobsOptions): Jobs {
  return new AgendaJobs(options);
}

/**
 * Every job is one row of type `single` for each run that it may have at once (`name`, `name#2`, …). The rows stay:
 * there are no one-time jobs that would have to be removed.
 */
class AgendaJobs implements Jobs {
  readonly #definitions = new Map<string, Definition>();
  readonly #running = new Set<AbortController>();
  readonly #nudges = new Map<string, 'sending' | 'again'>();
  readonly #pool: Pool;
  readonly #table: JobTable;
  #agenda: Agenda | undefined;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #complainedAtMs = -Infinity;

  constructor(private readonly options: JobsOptions) {
    this.#pool = new Pool({
      connectionString: options.url,
      application_name: 'opname jobs',
      max: 4, // One of them listens; the rest are borrowed for a moment at a time.
      connectionTimeoutMillis: 10_000,
      statement_timeout: 10_000,
      keepAlive: true,
    });
    // A database that restarts ends idle connections, too. The pool replaces them; without a listener we would die.
    this.#pool.on('error', (error) => { this.#complain(error); });
    this.#table = new JobTable(this.#pool, channelName, `opname-${randomUUID()}`);
  }

  define(name: string, run: JobRun, options: JobOptions = {}): void {
    if (this.#definitions.has(name) || name.includes('#')) throw new Error(`Job ${name} cannot be defined (again)`);
    this.#definitions.set(name, {
      name,
      run,
      silenceMs: options.lockLifetimeMs ?? 10 * 60_000,
      concurrency: options.concurrency ?? 1,
      schedule: undefined,
    });
  }

  every(name: string, schedule: string): void {
    const definition = this.#definitions.get(name);
    if (definition === undefined) throw new Error(`Job ${name} is not defined`);
    definition.schedule = schedule;
  }

  nudge(name: string): void {
    if (this.#stopping) return;
    const sending = this.#nudges.has(name);
    this.#nudges.set(name, sending ? 'again' : 'sending');
    if (!sending) void this.#sendNudge(name);
  }

  async start(): Promise<void> {
    if (!this.options.work) return;
    const agenda = new Agenda({
      backend: new PatientBackend(this.#pool, (error) => { this.#complain(error); }),
      name: this.#table.processName,
      processEvery: pollMs,
      // Each row runs once at a time anyway; a common limit would let long jobs keep short ones waiting.
      defaultConcurrency: 1,
      maxConcurrency: 1000,
      removeOnComplete: false,
    });
    agenda.on('error', (error) => { this.#complain(error); });
    agenda.on('complete', (job, remote?: boolean) => {
      if (remote !== true) void this.#runAgainIfNudged(String(job.attrs._id));
    });
    for (const definition of this.#definitions.values()) {
      for (const row of rowNames(definition)) {
        agenda.define(row, (job) => this.#run(definition, job), {
          lockLifetime: Math.min(lockMs, definition.silenceMs),
        });
        await this.#register(agenda, row, definition);
      }
    }
    this.#agenda = agenda;
    await agenda.start();
  }

  stop(drainMs: number): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const controller of this.#running) controller.abort(new Error('The service is stopping'));
    const drained = await this.#agenda?.drain(drainMs);
    if (drained?.timedOut === true) this.options.log.warn({ running: drained.running }, 'Jobs did not end in time');
    if (drained?.timedOut === false) {
      // Agenda keeps the locks of rows that it took and then, since it was stopping, never ran.
      await this.#table.unlockOwn().catch((error: unknown) => {
        this.options.log.warn({ error }, 'Jobs stay locked until their locks lapse');
      });
    }
    // A listener that is just reconnecting could hold its connection for ever.
    await Promise.race([this.#pool.end(), sleep(2_000, undefined, { ref: false })]);
  }

  /** One run of one row, under a lock that is renewed while it lasts. Its failure is told by type alone. */
  async #run(definition: Definition, job: Job): Promise<void> {
    // Agenda starts what it had already locked even while it drains. Leave it due, for the next process.
    const dueAt = job.attrs.lastRunAt ?? systemClock.now();
    const nextRunAt = job.attrs.nextRunAt;
    job.attrs.nextRunAt = dueAt;
    if (this.#stopping) return;
    const { name } = definition;
    const controller = new AbortController();
    this.#running.add(controller);
    const startedAtMs = performance.now();
    const lock = new JobLock(this.#table, controller, {
      id: String(job.attrs._id),
      lockMs: Math.min(lockMs, definition.silenceMs),
      silenceMs: definition.silenceMs,
      onRenewed: (at) => { job.attrs.lockedAt = at; },
    });
    let outcome: 'done' | 'failed' = 'done';
    try {
      await lock.hold(() => definition.run(controller.signal, () => lock.touch()));
    } catch (error) {
      if (!this.#stopping) {
        outcome = 'failed';
        this.options.log.error({ job: name, error }, 'A job failed');
      }
      // Agenda stores the message and tells other processes; the original may quote personal data.
      throw new Error(error instanceof Error ? error.name : 'Error', { cause: error });
    } finally {
      this.#running.delete(controller);
      // A run that was cut short stays due: a nightly one would otherwise wait for the next night.
      if (!controller.signal.aborted) job.attrs.nextRunAt = nextRunAt;
      this.options.onRun?.(name, outcome, performance.now() - startedAtMs);
    }
  }

  async #register(agenda: Agenda, row: string, { name, schedule }: Definition): Promise<void> {
    if (schedule === undefined) {
      await this.#table.register(row, undefined);
      return;
    }
    const timezone = this.options.timezone ?? 'UTC';
    const { nextRunAt } = agenda.create(row).repeatEvery(schedule, { timezone }).attrs;
    if (!(nextRunAt instanceof Date)) {
      throw new Error(`The schedule of job ${name} is neither a cron line nor an interval: ${schedule}`);
    }
    await this.#table.register(row, { interval: schedule, timezone, nextRunAt });
  }

  async #sendNudge(name: string): Promise<void> {
    await this.#table.nudge(name).catch((error: unknown) => { this.#complain(error); });
    const again = this.#nudges.get(name) === 'again';
    this.#nudges.delete(name);
    if (again) this.nudge(name);
  }

  async #runAgainIfNudged(id: string): Promise<void> {
    if (this.#stopping) return;
    await this.#table.runAgainIfNudged(id).catch((error: unknown) => { this.#complain(error); });
  }

  /** While the database is away this would be said many times a second. */
  #complain(error: unknown): void {
    if (this.#stopping || performance.now() - this.#complainedAtMs < complaintEveryMs) return;
    this.#complainedAtMs = performance.now();
    this.options.log.warn({ error }, 'Jobs are held up');
  }
}

function rowNames({ name, concurrency }: Definition): string[] {
  return Array.from({ length: concurrency }, (_, index) => (index === 0 ? name : `${name}#${index + 1}`));
}

/** Agenda's backend, but for what would harm us. */
class PatientBackend extends PostgresBackend {
  readonly #complain: (error: unknown) => void;

  constructor(pool: Pool, complain: (error: unknown) => void) {
    super({ pool, channelName, ensureSchema: false });
    this.#complain = complain;
    // The listening connection broke; the channel connects again by itself, and polling goes on meanwhile.
    this.notificationChannel?.on('error', complain);
    const { repository } = this;
    // Agenda locks what falls due before its next poll and waits for the moment; a nudge would have to wait, too.
    const getNextJobToRun = repository.getNextJobToRun.bind(repository);
    repository.getNextJobToRun = (name, _until, lockDeadline, ...rest) =>
      getNextJobToRun(name, systemClock.now(), lockDeadline, ...rest);
    // Nobody waits for this one: while the database is away its rejection would end the program.
    const unlockJob = repository.unlockJob.bind(repository);
    repository.unlockJob = (job) => unlockJob(job).catch(complain);
  }

  /** Nor for this one. */
  override async connect(): Promise<void> {
    for (;;) {
      try {
        await super.connect();
        return;
      } catch (error) {
        this.#complain(error);
        await sleep(500);
      }
    }
  }
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../src/platform/log.js';
import { createJobs, type Jobs, type JobsOptions } from '../src/platform/jobs.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const patience = { timeout: 45_000, interval: 20 };
let fresh: FreshDatabase;
let started: Jobs[] = [];

beforeEach(async () => {
  fresh = await freshDatabase();
});

afterEach(async () => {
  for (const jobs of started) await jobs.stop(5_000);
  started = [];
  await fresh.drop();
});

/** Jobs as one process has them: its own pool, its own name. */
function processWithJobs(options: Partial<JobsOptions> = {}): Jobs {
  const jobs = createJobs({ url: fresh.url, log: createLog('silent'), work: true, ...options });
  started.push(jobs);
  return jobs;
}

async function rows(): Promise<{ name: string; locked: boolean; due: boolean; reason: string | null }[]> {
  return await fresh.database.query(
    `SELECT name, locked_at IS NOT NULL AS locked, coalesce(next_run_at <= $1, false) AS due, fail_reason AS reason
       FROM agenda_jobs ORDER BY name`,
    [new Date()],
  );
}

test('a process that only nudges has another one run the job', async () => {
  const worker = processWithJobs();
  let runs = 0;
  worker.define('index', () => { runs += 1; return Promise.resolve(); });
  await worker.start();
  const web = processWithJobs({ work: false });
  await web.start();
  web.nudge('index');
  await vi.waitFor(() => { expect(runs).toBe(1); }, patience);
});

test('a nudge for a job that nobody knows, or while the database is away, hurts nobody', async () => {
  const web = processWithJobs({ work: false });
  web.nudge('unheard of');
  const lost = processWithJobs({ work: false, url: 'postgres://nobody:nothing@127.0.0.1:1/nowhere' });
  lost.nudge('index');
  await lost.stop(0);
  expect(await rows()).toEqual([]);
});

test('a recurring job runs again and again', async () => {
  const worker = processWithJobs();
  let runs = 0;
  worker.define('tick', () => { runs += 1; return Promise.resolve(); });
  worker.every('tick', '1 second');
  await worker.start();
  await vi.waitFor(() => { expect(runs).toBeGreaterThanOrEqual(2); }, patience);
});

test('two processes never run one job at the same time, however often it is nudged', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const processes = [processWithJobs(), processWithJobs()];
  for (const worker of processes) {
    worker.define('sweep', async () => {
      running += 1;
      runs += 1;
      most = Math.max(most, running);
      await sleep(20);
      running -= 1;
    });
    worker.every('sweep', '1 second');
  }
  await Promise.all(processes.map((worker) => worker.start()));
  while (runs < 20) {
    for (const worker of processes) worker.nudge('sweep');
    await sleep(5);
  }
  expect(most).toBe(1);
});

test('a job with a concurrency of three runs three times at once over two processes, and not more', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const processes = [processWithJobs(), processWithJobs()];
  for (const worker of processes) {
    worker.define('transcode', async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(100);
      running -= 1;
      runs += 1;
    }, { concurrency: 3 });
    await worker.start();
  }
  while (runs < 12) {
    processes[0]?.nudge('transcode');
    await sleep(20);
  }
  expect(most).toBe(3);
});

test('work that arrives during a run is found by one more run', async () => {
  const worker = processWithJobs();
  const waiting = ['first'];
  const found: string[] = [];
  let runs = 0;
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => { release = resolve; });
  worker.define('index', async () => {
    runs += 1;
    found.push(...waiting.splice(0));
    await gate;
  });
  await worker.start();
  worker.nudge('index');
  await vi.waitFor(() => { expect(runs).toBe(1); }, patience);
  waiting.push('second');
  for (let times = 0; times < 30; times += 1) worker.nudge('index');
  await vi.waitFor(async () => {
    const [row] = await fresh.database.query<{ nudged: boolean }>(`SELECT data ? 'nudged' AS nudged FROM agenda_jobs`);
    expect(row?.nudged).toBe(true);
  }, patience);
  release();
  await vi.waitFor(() => { expect(found).toEqual(['first', 'second']); }, patience);
  expect(runs).toBeLessThanOrEqual(4);
});

test('a failing job is counted and logged without what it said, and runs again by its schedule', async () => {
  const lines: string[] = [];
  const log = createLog('debug', { write: (line: string) => { lines.push(line); } });
  const outcomes: string[] = [];
  const worker = processWithJobs({ log, onRun: (name, outcome) => outcomes.push(`${name} ${outcome}`) });
  let runs = 0;
  worker.define('mail', () => {
    runs += 1;
    return runs === 1 ? Promise.reject(new TypeError('anna@example.org is unknown')) : Promise.resolve();
  });
  worker.every('mail', '1 second');
  await worker.start();
  await vi.waitFor(() => { expect(outcomes.slice(0, 2)).toEqual(['mail failed', 'mail done']); }, patience);
  expect(lines.join('')).toContain('"type":"TypeError"');
  expect(lines.join('')).not.toContain('anna');
  expect((await rows())[0]?.reason).toBe('TypeError');
});

test('many processes that register one schedule make one row', async () => {
  const processes = Array.from({ length: 4 }, () => processWithJobs());
  for (const worker of processes) {
    worker.define('nightly', () => Promise.resolve());
    worker.every('nightly', '0 3 * * *');
  }
  await Promise.all(processes.map((worker) => worker.start()));
  expect(await rows()).toEqual([{ name: 'nightly', locked: false, due: false, reason: null }]);
});

test('a nightly run that fell due while no process was there is made up for', async () => {
  const nightly = async (): Promise<{ runs: number }> => {
    const worker = processWithJobs({ timezone: 'Europe/Amsterdam' });
    const seen = { runs: 0 };
    worker.define('nightly', () => { seen.runs += 1; return Promise.resolve(); });
    worker.every('nightly', '0 3 * * *');
    await worker.start();
    return seen;
  };
  await nightly();
  await started.pop()?.stop(1_000);
  await fresh.database.query('UPDATE agenda_jobs SET next_run_at = $1', [new Date(Date.now() - 3_600_000)]);
  const seen = await nightly();
  await vi.waitFor(() => { expect(seen.runs).toBe(1); }, patience);
});

test('a schedule that cannot be read stops the start', async () => {
  const worker = processWithJobs();
  worker.define('odd', () => Promise.resolve());
  worker.every('odd', 'when the moon is full');
  await expect(worker.start()).rejects.toThrow('The schedule of job odd is neither a cron line nor an interval');
});

test('the job of a process killed in the middle is run by another', async () => {
  const program = new URL('support/job-forever.ts', import.meta.url);
  const child = fork(program, [fresh.url], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  child.kill('SIGKILL');
  const worker = processWithJobs();
  let runs = 0;
  worker.define('forever', () => { runs += 1; return Promise.resolve(); }, { lockLifetimeMs: 2_000 });
  await worker.start();
  await vi.waitFor(() => { expect(runs).toBe(1); }, patience);
});

test('a run that is silent for too long is given up; one that touches goes on', async () => {
  const worker = processWithJobs();
  const ends: string[] = [];
  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => { signal.addEventListener('abort', () => { resolve(); }, { once: true }); });
  worker.define('silent', async (signal) => {
    await untilAborted(signal);
    ends.push('silent was aborted');
  }, { lockLifetimeMs: 1_500 });
  worker.define('lively', async (signal, touch) => {
    for (let step = 0; step < 30; step += 1) {
      await sleep(100);
      await touch();
    }
    ends.push(signal.aborted ? 'lively was aborted' : 'lively was left alone');
  }, { lockLifetimeMs: 1_500 });
  await worker.start();
  worker.nudge('silent');
  worker.nudge('lively');
  await vi.waitFor(() => { expect(ends).toContain('silent was aborted'); }, patience);
  await vi.waitFor(() => { expect(ends).toContain('lively was left alone'); }, patience);
});

test('stopping asks a run to end, waits for it, and leaves the rest of its work due and unlocked', async () => {
  const worker = processWithJobs();
  let ended = false;
  let begun = false;
  worker.define('long', async (signal) => {
    begun = true;
    while (!signal.aborted) await sleep(10);
    await sleep(100);
    ended = true;
  });
  worker.define('waiting', () => Promise.resolve());
  worker.every('long', '1 hour');
  worker.every('waiting', '3 seconds');
  await worker.start();
  await vi.waitFor(() => { expect(begun).toBe(true); }, patience);
  await worker.stop(10_000);
  expect(ended).toBe(true);
  const [long, waiting] = await rows();
  expect(long).toMatchObject({ name: 'long', locked: false, due: true });
  expect(waiting).toMatchObject({ name: 'waiting', locked: false });
});

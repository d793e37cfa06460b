import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { migrations } from '../migrations/index.js';
import { ensureFirstAdministrator } from './access/first-administrator.js';
import type { Caller } from './access/caller.js';
import { createApp } from './app.js';
import type { Config } from './config.js';
import { createFeatures, defineJobs, operationsOf } from './features.js';
import { wellKnownRoutes } from './oversight/routes.js';
import type { Clock } from './platform/clock.js';
import { openDatabase } from './platform/database.js';
import { startBackends, type Backends } from './platform/embedded/backends.js';
import { findFfmpeg } from './platform/ffmpeg.js';
import type { Operation } from './platform/http.js';
import { createJobs } from './platform/jobs.js';
import type { Log } from './platform/log.js';
import { createMetrics } from './platform/metrics.js';
import { migrate, pendingMigrations } from './platform/migrate.js';
import { openObjects } from './platform/objects.js';
import type { Platform } from './platform/platform.js';
import { Problem } from './platform/problem.js';
import { openSigningKey } from './platform/signing.js';
import { incomingFolder } from './recordings/routes.js';
import { clearAnswers } from './privacy/answers-folder.js';
import { prepareUploads } from './recordings/upload.js';
import { prepareTickets } from './tickets/jobs.js';
import { quarantineUnscanned } from './tickets/scan.js';

/** The service as a whole: what stands on what, in which order it starts, and how it stops. */

export interface ServiceOptions {
  config: Config;
  clock: Clock;
  log: Log;
  version: string;
  uiFolder: string;
  /** Shows the first administrator's sign-in to whoever started the service, just before it counts. */
  announce: (signIn: { email: string; password: string }) => void;
}

export interface Service {
  /** Where it listens; undefined for a worker. */
  url: string | undefined;
  platform: Platform;
  backends: Backends;
  operations: readonly Operation<Caller>[];
  /** Takes no more requests, ends those under way and the jobs, then closes what was opened. */
  close(): Promise<void>;
}

const drainMs = 25_000;

/** Runs its steps backwards, each whatever became of the others. */
class Closing {
  readonly #steps: { name: string; step: () => Promise<void> }[] = [];

  constructor(readonly log: Log) {}

  add(name: string, step: () => Promise<void>): void {
    this.#steps.push({ name, step });
  }

  async run(): Promise<void> {
    for (const { name, step } of this.#steps.splice(0).reverse())
      await step().catch((error: unknown) => this.log.error({ error, part: name }, 'not closed cleanly'));
  }
}

/**
 * Starts the service: backends, schema, storage, then requests and jobs.
 * @throws whatever keeps it from starting; everything opened by then is closed again.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const closing = new Closing(options.log);
  try {
    return await start(options, closing);
  } catch (error) {
    await closing.run();
    throw error;
  }
}

async function start(options: ServiceOptions, closing: Closing): Promise<Service> {
  const { config, clock, log } = options;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const backends = await startBackends({ ...config, clock, log });
  closing.add('backends', () => backends.close());
  const database = await openDatabase({ url: backends.databaseUrl, log });
  closing.add('database', () => database.close());
  await migrate(database, migrations, log);
  const objects = await openObjects({
    region: backends.s3.region,
    bucket: backends.s3.bucket,
    forcePathStyle: backends.s3.forcePathStyle,
    log,
    ...(backends.s3.endpoint === undefined ? {} : { endpoint: backends.s3.endpoint }),
    ...(backends.s3.credentials === undefined ? {} : { credentials: backends.s3.credentials }),
  });
  closing.add('storage', () => Promise.resolve(objects.close()));
  await objects.prepare();

  const signingKey = await openSigningKey(
    config.signingKey === undefined ? { folder: path.join(config.dataDir, 'keys') } : { pem: config.signingKey },
  );
  const metrics = createMetrics();
  const works = config.role !== 'web';
  const jobRuns = metrics.counter('opname_job_runs_total', 'Runs of background jobs', ['job', 'outcome']);
  const jobs = createJobs({
    url: backends.databaseUrl,
    log,
    work: works,
    timezone: config.timeZone,
    onRun: (job, outcome) => jobRuns.inc({ job, outcome }),
  });
  const platform: Platform = { clock, database, jobs, log, metrics, objects };
  await ensureFirstAdministrator(platform, config.firstAdministrator, options.announce);
  const features = createFeatures(platform, config, signingKey);
  if (config.malwareScanner !== undefined) await quarantineUnscanned(platform);
  if (works) {
    await prepareTickets(config);
    await defineJobs(features, await findFfmpeg(log));
    await jobs.start();
  }
  closing.add('jobs', () => jobs.stop(drainMs));

  const operations = operationsOf(features);
  const state = { stopping: false };
  const server =
    config.role === 'worker' ? undefined : await listen(options, platform, operations, () => state.stopping);
  if (server !== undefined) closing.add('requests', () => drain(server));
  return {
    url: server === undefined ? undefined : urlOf(server, config.host),
    platform,
    backends,
    operations,
    async close() {
      state.stopping = true;
      await closing.run();
    },
  };
}

async function listen(
  { config, version, uiFolder }: ServiceOptions,
  platform: Platform,
  operations: readonly Operation<Caller>[],
  isStopping: () => boolean,
): Promise<Server> {
  await prepareUploads(incomingFolder(config.dataDir));
  await prepareTickets(config);
  await clearAnswers(config.dataDir, { alone: config.databaseUrl === undefined });
  const app = createApp({
    platform,
    operations,
    version,
    uiFolder,
    timeZone: config.timeZone,
    publicUrl: config.publicUrl,
    trustProxy: config.trustProxy,
    isStopping,
    wellKnown: wellKnownRoutes(platform),
    readiness: {
      async check() {
        await Promise.all([platform.database.reachable(2000), platform.objects.reachable()]);
        if ((await pendingMigrations(platform.database, migrations)).length > 0)
          throw new Problem('database-unavailable', { detail: 'The schema of the database is older than this program.' });
      },
    },
  });
  const server = createServer({ requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 65_000 }, app);
  // A client that sends nothing for this long is gone; an upload may take hours as long as it moves.
  server.setTimeout(120_000);
  server.listen(config.port, config.host);
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Lets requests under way end; those that take too long are cut off. */
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  // Connections that become idle after the last answer are not closed by `close` alone.
  const idle = setInterval(() => server.closeIdleConnections(), 200);
  await closed;
  clearTimeout(cut);
  clearInterval(idle);
}

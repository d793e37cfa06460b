import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrations } from '../../migrations/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';

/** The servers that a run of tests shares. Each test file makes its own database and its own bucket in them. */
export interface Backends {
  /** A database on the server from which others can be made. */
  databaseUrl: string;
  /** The name of a migrated database to copy. */
  templateDatabase: string;
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };
}

declare module 'vitest' {
  export interface ProvidedContext {
    backends: Backends;
  }
}

/** Starts PostgreSQL and S3 once for the whole run. What it throws fails the run. */
export default async function startBackends(project: TestProject): Promise<() => Promise<void>> {
  const log = createLog('error');
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-test-'));
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.reverse()) await stop();
  };
  try {
    const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log, fsync: false });
    stops.push(() => server.stop());
    const template = await openDatabase({ url: server.url, log });
    try {
      await migrate(template, migrations, log);
    } finally {
      await template.close();
    }
    const credentials = { accessKeyId: 'test', secretAccessKey: randomBytes(16).toString('hex') };
    const s3 = await startEmbeddedS3({
      folder: path.join(folder, 's3'), ...credentials, clock: systemClock, log, fsync: false,
    });
    stops.push(() => s3.close());
    project.provide('backends', {
      databaseUrl: Object.assign(new URL(server.url), { pathname: '/postgres' }).href,
      templateDatabase: new URL(server.url).pathname.slice(1),
      s3: { endpoint: s3.endpoint, region: 'us-east-1', ...credentials },
    });
  } catch (error) {
    await stopAll();
    throw error;
  }
  return stopAll;
}

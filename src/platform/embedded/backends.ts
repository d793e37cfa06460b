import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../clock.js';
import { replaceFile } from '../durable-file.js';
import type { Log } from '../log.js';
import { startEmbeddedPostgres } from './postgres.js';
import { startEmbeddedS3, type EmbeddedS3 } from './s3/server.js';

/** The backends of the service: those that are configured, and embedded ones in place of those that are not. */

export interface S3Settings {
  endpoint: string | undefined;
  region: string;
  bucket: string;
  forcePathStyle: boolean;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

export interface Backends {
  databaseUrl: string;
  s3: S3Settings;
  /** The embedded storage, for those who want its lifecycle rules carried out now. */
  embeddedS3: EmbeddedS3 | undefined;
  /** Stops what was started here, storage before database. */
  close(): Promise<void>;
}

export interface BackendOptions {
  dataDir: string;
  databaseUrl: string | undefined;
  s3: S3Settings | undefined;
  clock: Clock;
  log: Log;
}

/** How a command reaches the embedded backends of a service that is running. Readable by its owner alone. */
const runFile = (dataDir: string) => path.join(dataDir, 'run.json');

interface RunNote {
  pid: number;
  databaseUrl: string;
  s3: S3Settings;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Starts what is not configured. One process at a time per data folder: the embedded servers hold its locks. */
export async function startBackends(options: BackendOptions): Promise<Backends> {
  const { dataDir, clock, log } = options;
  const stops: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    let databaseUrl = options.databaseUrl;
    if (databaseUrl === undefined) {
      const postgres = await startEmbeddedPostgres({ folder: path.join(dataDir, 'postgres'), log });
      stops.push(() => postgres.stop());
      databaseUrl = postgres.url;
    }
    let s3 = options.s3;
    let embeddedS3: EmbeddedS3 | undefined;
    if (s3 === undefined) {
      const credentials = { accessKeyId: 'opname', secretAccessKey: randomBytes(32).toString('hex') };
      const server = await startEmbeddedS3({ folder: path.join(dataDir, 'storage'), ...credentials, clock, log });
      stops.push(() => server.close());
      embeddedS3 = server;
      s3 = { endpoint: server.endpoint, region: 'us-east-1', bucket: 'opname', forcePathStyle: true, credentials };
    }
    if (options.databaseUrl === undefined || options.s3 === undefined) {
      await replaceFile(runFile(dataDir), JSON.stringify({ pid: process.pid, databaseUrl, s3 } satisfies RunNote));
      stops.push(() => rm(runFile(dataDir), { force: true }));
    }
    return { databaseUrl, s3, embeddedS3, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** For commands beside the service: joins the embedded backends of the one that runs, or starts them. */
export async function joinBackends(options: BackendOptions): Promise<Backends> {
  const note = await readFile(runFile(options.dataDir), 'utf8').then(
    (text) => JSON.parse(text) as RunNote,
    () => undefined,
  );
  if (note === undefined || !isAlive(note.pid)) return await startBackends(options);
  return {
    databaseUrl: options.databaseUrl ?? note.databaseUrl,
    s3: options.s3 ?? note.s3,
    embeddedS3: undefined,
    close: async () => undefined,
  };
}

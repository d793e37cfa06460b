import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import express from 'express';
import { createGate } from '../../src/access/authenticate.js';
import { ensureFirstAdministrator } from '../../src/access/first-administrator.js';
import { readConfig } from '../../src/config.js';
import { createFeatures, defineJobs, operationsOf, type Features } from '../../src/features.js';
import type { MovableClock } from '../../src/platform/clock.js';
import type { Database } from '../../src/platform/database.js';
import { findFfmpeg } from '../../src/platform/ffmpeg.js';
import { answerProblems, createRouter, trackRequests } from '../../src/platform/http.js';
import type { JobRun, Jobs } from '../../src/platform/jobs.js';
import { createLog } from '../../src/platform/log.js';
import { createMetrics } from '../../src/platform/metrics.js';
import { openObjects, type Objects } from '../../src/platform/objects.js';
import type { Platform } from '../../src/platform/platform.js';
import { openSigningKey } from '../../src/platform/signing.js';
import { incomingFolder } from '../../src/recordings/routes.js';
import { prepareUploads } from '../../src/recordings/upload.js';
import { prepareTickets } from '../../src/tickets/jobs.js';
import { freshDatabase } from '../support/database.js';
import { signingKeyPem } from '../support/service.js';
import { DiskOfStorage } from './disk.js';
import { Faults } from './faults.js';
import { SharedClock, startStorage, type LifeStorage } from './storage.js';

/** Jobs that run when they are told to. */
export class HandJobs implements Jobs {
  readonly #runs = new Map<string, JobRun>();
  define(name: string, run: JobRun): void {
    this.#runs.set(name, run);
  }
  every(): void {}
  nudge(): void {}
  start(): Promise<void> {
    return Promise.resolve();
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  async run(name: string): Promise<void> {
    const run = this.#runs.get(name);
    if (run === undefined) throw new Error(`There is no job ${name}`);
    await run(new AbortController().signal, () => Promise.resolve());
  }
}

export interface Answer {
  status: number;
  // What a check needs of it is looked at where it is needed.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export type Who = 'administrator' | 'officer' | 'secondOfficer' | 'trainer' | 'pbx' | 'helpdesk';

/** The service as it is, but for time, jobs and misfortune, which are the simulation's. */
export interface LifeWorld {
  clock: MovableClock;
  faults: Faults;
  features: Features;
  jobs: HandJobs;
  /** Past the faults: what is really there. */
  truth: { database: Database; objects: Objects; disk: DiskOfStorage };
  bucket: LifeStorage;
  userIds: Record<'officer' | 'secondOfficer', string>;
  /** What the service last logged as its own fault. */
  readonly lastError: string | undefined;
  call(who: Who, method: string, path: string, body?: object | { type: string; bytes: Buffer }): Promise<Answer>;
  close(): Promise<void>;
}

const password = 'four words without sense';

export async function lifeWorld(startAt: Date, random: () => number): Promise<LifeWorld> {
  const clock = new SharedClock();
  clock.freeze(startAt);
  const log = createLog('silent');
  const dataDir = await mkdtemp(path.join(tmpdir(), 'opname-life-'));
  const credentials = { accessKeyId: 'life', secretAccessKey: randomUUID() };
  const bucket = await startStorage({ folder: path.join(dataDir, 's3'), ...credentials, sharedMs: clock.sharedMs });
  const fresh = await freshDatabase();
  const [{ name } = { name: '' }] = await fresh.database.query<{ name: string }>('SELECT current_database() AS name');
  await fresh.database.query(`ALTER DATABASE ${name} SET plan_cache_mode = 'force_generic_plan'`);
  const config = readConfig({
    DATA_DIR: dataDir, DATABASE_URL: fresh.url, S3_ENDPOINT: bucket.endpoint, S3_BUCKET: 'life',
    S3_ACCESS_KEY_ID: credentials.accessKeyId, S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    SIGNING_KEY: signingKeyPem(), LOG_LEVEL: 'silent',
  });
  const objects = await openObjects({
    endpoint: bucket.endpoint, region: 'us-east-1', bucket: 'life', credentials, forcePathStyle: true, log,
  });
  await objects.prepare();
  const faults = new Faults(random);
  const jobs = new HandJobs();
  const platform: Platform = {
    clock, jobs, log, metrics: createMetrics(), database: faults.wrapDatabase(fresh.database), objects: faults.wrapObjects(objects),
  };
  const first = { email: 'admin@example.nl', password: 'the first administrator' };
  await ensureFirstAdministrator(platform, first, () => undefined);
  const features = createFeatures(platform, config, await openSigningKey({ pem: config.signingKey ?? '' }));
  await prepareUploads(incomingFolder(dataDir));
  await prepareTickets(config);
  await defineJobs(features, await findFfmpeg(log));

  const app = express();
  app.use(trackRequests(() => undefined));
  app.use('/api/v1', createRouter(operationsOf(features), createGate(platform, { publicUrl: undefined })));
  let lastError: string | undefined;
  const listening = Object.assign(Object.create(log) as typeof log, {
    error: (told: unknown) => {
      const error = (told as { error?: unknown } | null)?.error;
      lastError = error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(told);
    },
  });
  app.use(answerProblems(listening));
  const server = app.listen(0, '127.0.0.1');
  // On a busy machine days pass slowly: a connection that is kept must not be closed just when it is used again.
  server.keepAliveTimeout = 2 ** 30;
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });

  const send = (headers: Record<string, string>, method: string, address: string, body: Buffer): Promise<Answer & { cookie: string }> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        { port, host: '127.0.0.1', agent, method, path: `/api/v1${address}`, headers: { ...headers, 'content-length': body.length } },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            const isJson = /json/.test(answer.headers['content-type'] ?? '');
            const bytes = Buffer.concat(parts);
            resolve({
              status: answer.statusCode ?? 0,
              body: isJson && bytes.length > 0 ? (JSON.parse(bytes.toString()) as unknown) : bytes,
              cookie: (answer.headers['set-cookie'] ?? []).map((each) => each.split(';', 1)[0]).join('; '),
            });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  const json = (body: object) => Buffer.from(JSON.stringify(body));
  const jsonType = { 'content-type': 'application/json' };

  const signIn = async (email: string, secret: string) =>
    ({ cookie: (await send(jsonType, 'POST', '/session', json({ email, password: secret }))).cookie });
  const admin = await signIn(first.email, first.password);
  async function person(role: string, name: string) {
    const told = { email: `${name}@example.nl`, name, role, password };
    const made = await send({ ...jsonType, ...admin }, 'POST', '/users', json(told));
    if (made.status !== 201) throw new Error(`nobody was made: ${made.status}`);
    return { id: (made.body as { id: string }).id, headers: await signIn(told.email, password) };
  }
  async function machine(role: string): Promise<Record<string, string>> {
    const made = await send({ ...jsonType, ...admin }, 'POST', '/keys', json({ name: `a ${role}`, role }));
    return { authorization: `Bearer ${(made.body as { key: string }).key}` };
  }
  const officer = await person('privacy_officer', 'officer');
  const secondOfficer = await person('privacy_officer', 'second');
  const headersOf: Record<Who, Record<string, string>> = {
    administrator: admin, officer: officer.headers, secondOfficer: secondOfficer.headers,
    trainer: (await person('trainer', 'trainer')).headers, pbx: await machine('pbx'), helpdesk: await machine('helpdesk'),
  };

  /** Whoever is signed in stays so, as days go by. */
  let renewedMs = 0;
  let renewed: Promise<unknown> = Promise.resolve();
  async function staySignedIn(): Promise<void> {
    if (Math.abs(clock.now().getTime() - renewedMs) >= 600_000) {
      renewedMs = clock.now().getTime();
      renewed = fresh.database.query(
        `UPDATE sessions SET opened_at = $1, last_seen_at = $1, expires_at = $1::timestamptz + interval '10 hours'`, [clock.now()],
      );
    }
    await renewed;
  }

  return {
    clock, faults, features, jobs, bucket,
    get lastError() {
      return lastError;
    },
    truth: { database: fresh.database, objects, disk: new DiskOfStorage(path.join(dataDir, 's3', 'buckets', 'life', 'objects')) },
    userIds: { officer: officer.id, secondOfficer: secondOfficer.id },
    async call(who, method, address, body) {
      if (who !== 'pbx' && who !== 'helpdesk') await staySignedIn();
      const { status, body: answered } =
        body === undefined ? await send(headersOf[who], method, address, Buffer.alloc(0))
        : 'bytes' in body ? await send({ ...headersOf[who], 'content-type': body.type }, method, address, body.bytes)
        : await send({ ...headersOf[who], ...jsonType }, method, address, json(body));
      return { status, body: answered };
    },
    async close() {
      agent.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      objects.close();
      await fresh.drop();
      await bucket.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

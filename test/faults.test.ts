import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findMachine } from '../src/access/keys.js';
import { categoriesOf } from '../src/features.js';
import { systemClock } from '../src/platform/clock.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/platform/embedded/postgres.js';
import { startEmbeddedS3, type EmbeddedS3 } from '../src/platform/embedded/s3/server.js';
import { createLog } from '../src/platform/log.js';
import { openObjects } from '../src/platform/objects.js';
import { takeUpload } from '../src/recordings/doors/take.js';
import { finishStaleUploads } from '../src/recordings/ingest.js';
import { createDoor } from '../src/recordings/routes.js';
import { purgeContext } from '../src/retention/jobs.js';
import { runPurges, scheduleSweep } from '../src/retention/sweep.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** What the service stands on goes away under it: the PBX must be told to come back, and nothing may be half kept. */

const log = createLog('silent');
const audio = tone({ seconds: 1, channels: 1, rate: 8000 });

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

async function folder(name: string): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), `opname-${name}-`));
  cleanups.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

function push(service: TestService, callId: string, startedAt = new Date(Date.now() - 60_000)) {
  return service
    .machine(service.pbxKey)
    .post('/api/v1/recordings')
    .field({ callId, startedAt: startedAt.toISOString() })
    .attach('audio', audio, 'call.wav');
}

const incoming = (service: TestService) => readdir(path.join(service.dataDir, 'incoming'));

describe('when storage is away', () => {
  let service: TestService;
  let storage: EmbeddedS3;
  let options: Parameters<typeof startEmbeddedS3>[0];
  beforeAll(async () => {
    options = { folder: await folder('s3'), accessKeyId: 'a', secretAccessKey: 'b', clock: systemClock, log, fsync: false };
    storage = await startEmbeddedS3(options);
    options.port = Number(new URL(storage.endpoint).port);
    service = await startTestService({
      env: { S3_ENDPOINT: storage.endpoint, S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: 'b' },
    });
    cleanups.push(async () => {
      await service.close();
      await storage.close();
    });
  });

  test('a push is answered 503 and is welcome later; nothing of it is shown or left', async () => {
    await storage.close();
    const refused = await push(service, 'away-1');
    expect([refused.status, refused.body.code]).toEqual([503, 'storage-unavailable']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await incoming(service)).toEqual([]);
    expect((await service.as('privacy_officer').get('/api/v1/recordings').expect(200)).body.items).toEqual([]);
    await service.nobody().get('/readyz').expect(503);
    await service.nobody().get('/healthz').expect(200);

    storage = await startEmbeddedS3(options);
    const again = await push(service, 'away-1').expect(201);
    expect(again.body.version).toBe(1);
    // What the first push left as a row that nobody sees is settled, and the recording stays as it is.
    await finishStaleUploads({ ...service.service.platform, categories: categoriesOf(service.service.platform, service.config) }, -1);
    const rows = await service.service.platform.database.query<{ state: string }>('SELECT state FROM recording_versions');
    expect(rows.every((row) => row.state !== 'receiving')).toBe(true);
    expect(rows).toHaveLength(1);
    await service.processed(again.body.id);
    await service.nobody().get('/readyz').expect(200);
  });

  test('a push that was not acknowledged leaves nothing once its date has come, no tombstone either', async () => {
    const { platform } = service.service;
    const categories = categoriesOf(platform, service.config);
    const late = (callId: string) => push(service, callId, new Date(Date.now() - 90 * 86_400_000 + 3_600_000));
    await late('late-stored').expect(201);
    // As a process leaves it that dies when storage has the bytes and nobody knows yet.
    await platform.database.query(
      `WITH r AS (UPDATE recordings SET version = 0 WHERE call_id = 'late-stored' RETURNING id)
       UPDATE recording_versions v SET state = 'receiving', number = NULL FROM r WHERE v.recording_id = r.id`,
    );
    await storage.close();
    await late('late-refused').expect(503);
    service.clock.advance(3 * 3_600_000);
    storage = await startEmbeddedS3(options);

    await scheduleSweep(platform);
    await runPurges(await purgeContext(platform, 'Europe/Amsterdam'), categories);
    expect(await finishStaleUploads({ ...platform, categories })).toEqual({ finished: 0, removed: 2 });
    const left = await platform.database.query(
      `SELECT id FROM recordings WHERE call_id LIKE 'late-%' UNION ALL SELECT item_id FROM purges UNION ALL SELECT item_id FROM tombstones`,
    );
    expect(left).toEqual([]);
    service.clock.reset();
  });

  test('a recording is heard as soon as storage is back, and until then it is no 500', async () => {
    const id = (await push(service, 'away-2').expect(201)).body.id as string;
    await service.processed(id);
    await storage.close();
    const away = await service.as('trainer').get(`/api/v1/recordings/${id}/audio`);
    expect([away.status, away.body.code]).toEqual([503, 'storage-unavailable']);
    storage = await startEmbeddedS3(options);
    await service.as('trainer').get(`/api/v1/recordings/${id}/audio`).expect(200);
  });

  test('processing waits for it without being blamed', async () => {
    const id = (await push(service, 'away-3').expect(201)).body.id as string;
    await storage.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    storage = await startEmbeddedS3(options);
    service.clock.advance(3_600_000);
    await service.processed(id);
    await service.as('trainer').get(`/api/v1/recordings/${id}/audio`).expect(200);
    service.clock.reset();
  });
});

describe('when the database is away', () => {
  let service: TestService;
  let postgres: EmbeddedPostgres;
  let options: Parameters<typeof startEmbeddedPostgres>[0];
  beforeAll(async () => {
    options = { folder: await folder('pg'), log, fsync: false };
    postgres = await startEmbeddedPostgres(options);
    options.port = Number(new URL(postgres.url).port);
    service = await startTestService({ env: { DATABASE_URL: postgres.url } });
    cleanups.push(async () => {
      await service.close();
      await postgres.stop();
    });
  });

  test('everyone is answered 503, and afterwards all goes on by itself', async () => {
    const before = (await push(service, 'db-0').expect(201)).body.id as string;
    await service.processed(before);
    await postgres.stop();
    const refused = await push(service, 'db-1');
    expect([refused.status, refused.body.code]).toEqual([503, 'database-unavailable']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.stringify(refused.body)).not.toMatch(/postgres|ECONN|127\.0\.0\.1/i);
    expect(await incoming(service)).toEqual([]);
    await service.as('trainer').get('/api/v1/recordings').expect(503);
    await service.nobody().get('/readyz').expect(503);
    await service.nobody().get('/healthz').expect(200);

    postgres = await startEmbeddedPostgres(options);
    await expect.poll(async () => (await service.nobody().get('/readyz')).status, { timeout: 20_000 }).toBe(200);
    const id = (await push(service, 'db-1').expect(201)).body.id as string;
    await service.processed(id);
    await service.as('trainer').get(`/api/v1/recordings/${id}/audio`).expect(200);
  });
});

describe('when storage takes the call and says nothing', () => {
  test('a push is answered 503 in its time; the row that is left is settled later, and the PBX comes back', async () => {
    const service = await startTestService();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const objects = await openObjects({
      endpoint, region: 'us-east-1', bucket: 'b', forcePathStyle: true, credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, log,
    });
    try {
      const { platform } = service.service;
      const categories = categoriesOf(platform, service.config);
      const door = createDoor({ ...platform, objects }, { ...service.config, storeWithinMs: 200 }, categories);
      const callId = randomUUID();
      const file = path.join(await folder('silent'), 'upload');
      await writeFile(file, audio);
      const digest = (algorithm: string) => createHash(algorithm).update(audio).digest('hex');
      const upload = { content: file, bytes: audio.length, sha256: digest('sha256'), md5: digest('md5'), fileName: 'a.wav' };
      const machine = await findMachine(platform, service.pbxKey);
      if (machine === undefined) throw new Error('the key works');
      const told = { callId, startedAt: new Date(Date.now() - 60_000).toISOString() };
      await expect(takeUpload(door, machine, upload, told)).rejects.toMatchObject({ code: 'storage-unavailable', status: 503 });
      expect((await service.as('privacy_officer').get('/api/v1/recordings').expect(200)).body.items).toEqual([]);
      await push(service, callId).expect(201);
      expect(await finishStaleUploads({ ...platform, categories }, -1)).toEqual({ finished: 0, removed: 1 });
      expect(await platform.database.query('SELECT state FROM recording_versions')).toHaveLength(1);
    } finally {
      objects.close();
      silent.closeAllConnections();
      silent.close();
      await service.close();
    }
  });
});

// Mounting needs root; where there is none the rest of the suite still shows that a full disk leaves nothing (embedded S3).
describe.runIf(process.getuid?.() === 0)('when the disk is nearly full', () => {
  let mount: string;
  afterEach(() => {
    execFileSync('umount', ['-l', mount]);
  });

  test('a push is answered 503 before anything is written', async () => {
    mount = await folder('disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', mount]);
    const service = await startTestService({ env: { DATA_DIR: mount } });
    try {
      const refused = await push(service, randomUUID());
      expect([refused.status, refused.body.code]).toEqual([503, 'disk-low']);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(await readdir(path.join(mount, 'incoming'))).toEqual([]);
    } finally {
      await service.close();
    }
  });

  test('what uploads under way have announced counts as taken, until they end', async () => {
    mount = await folder('disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', mount]);
    const service = await startTestService({ env: { DATA_DIR: mount } });
    try {
      const announce = (bytes: number, callId: string) => {
        const address = `${service.url}/api/v1/recordings/by-call/${callId}?startedAt=${encodeURIComponent(new Date(Date.now() - 60_000).toISOString())}`;
        const slow = request(address, { method: 'PUT', headers: { Authorization: `Bearer ${service.pbxKey}`, 'Content-Length': bytes } });
        slow.on('error', () => undefined);
        slow.write(audio);
        return slow;
      };
      const slow = announce(40_000_000, 'slow');
      await expect.poll(() => readdir(path.join(mount, 'incoming'))).toHaveLength(1);
      const refused = announce(40_000_000, 'second');
      const [answer] = (await once(refused, 'response')) as [IncomingMessage];
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '60']);
      refused.destroy();
      await push(service, 'small').expect(201);
      slow.destroy();
      await expect.poll(() => readdir(path.join(mount, 'incoming'))).toEqual([]);
      const welcome = announce(40_000_000, 'second');
      await expect.poll(() => readdir(path.join(mount, 'incoming'))).toHaveLength(1);
      welcome.destroy();
      await expect.poll(() => readdir(path.join(mount, 'incoming'))).toEqual([]);
    } finally {
      await service.close();
    }
  });
});

test('as many uploads as there may be at once: the next is told to come back, and once there is room it is taken', async () => {
  const service = await startTestService();
  const address = (callId: string) =>
    `${service.url}/api/v1/recordings/by-call/${callId}?startedAt=${encodeURIComponent(new Date(Date.now() - 60_000).toISOString())}`;
  const begin = (n: number) => {
    const slow = request(address(`slow-${n}`), { method: 'PUT', headers: { Authorization: `Bearer ${service.pbxKey}`, 'Content-Length': audio.length } });
    slow.on('error', () => undefined);
    slow.write(audio.subarray(0, 1000));
    return slow;
  };
  try {
    const refused: IncomingMessage[] = [];
    const taken = new Set(Array.from({ length: 66 }, (_, n) => begin(n)));
    for (const each of taken)
      each.once('response', (answer: IncomingMessage) => {
        taken.delete(each);
        refused.push(answer.resume());
      });
    await expect.poll(() => refused.length, { timeout: 40_000 }).toBe(2);
    expect(refused.map(({ statusCode, headers }) => [statusCode, headers['retry-after']])).toEqual([[503, '5'], [503, '5']]);
    const full = await push(service, randomUUID());
    expect([full.status, full.body.code]).toEqual([503, 'too-busy']);
    const answers = [...taken].map(async (each) => {
      each.removeAllListeners('response');
      const [answer] = (await once(each.end(audio.subarray(1000)), 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([201]));
    expect((await push(service, randomUUID())).status).toBe(201);
  } finally {
    await service.close();
  }
});

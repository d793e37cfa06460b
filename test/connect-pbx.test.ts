import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { faultyProxy, type FaultyProxy } from './support/faulty-proxy.js';
import { startTestService, type TestService } from './support/service.js';

/** Connecting a PBX: what the administrator who waits for a first call is told. */

let service: TestService;
let storage: FaultyProxy;

beforeAll(async () => {
  storage = await faultyProxy(inject('backends').s3?.endpoint ?? '');
  service = await startTestService({ env: { S3_ENDPOINT: storage.endpoint } });
});
afterEach(() => {
  storage.away(false);
  storage.failWhen(undefined);
});
afterAll(async () => {
  await service.close();
  await storage.close();
});

interface Seen {
  arrivals: {
    kind: string;
    outcome: string;
    faults: { path: string; message: string }[];
    stored: number | null;
    recording: { state: string; callId: string; remarks: string[] } | null;
  }[];
  refusedKeys: { prefix: string; reason: string; count: number }[];
  keySeenAt: string | null;
}

interface Made {
  id: string;
  key: string;
  sourceId: string;
}

let made = 0;
async function newSource(): Promise<Made> {
  made += 1;
  const answer = await service.as('administrator').post('/api/v1/keys').send({ name: `PBX ${made}`, role: 'pbx' }).expect(201);
  return answer.body as Made;
}
async function seenOf(sourceId: string): Promise<Seen> {
  return (await service.as('administrator').get(`/api/v1/sources/${sourceId}/arrivals`).expect(200)).body as Seen;
}
const objects = async () => {
  const keys: string[] = [];
  for await (const { key } of service.service.platform.objects.list('recordings/')) keys.push(key);
  return keys;
};
const rows = async (table: string) =>
  (await service.service.platform.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;
const begun = () => new Date(service.clock.now().getTime() - 30_000).toISOString();

interface Outcome {
  ok: boolean;
  steps: { step: string; ok: boolean; code?: string }[];
  durationMs: number | null;
}
const all = ['received', 'recognised', 'stored', 'read_back', 'decoded', 'deleted'];

describe('our own half of the way', () => {
  test('is tried with a tone that goes through every step and leaves nothing anywhere', async () => {
    const { body } = await service.as('administrator').post('/api/v1/ingest/test').expect(200);
    const outcome = body as Outcome;
    expect(outcome.steps.map(({ step, ok }) => `${step} ${ok}`)).toEqual(all.map((step) => `${step} true`));
    expect(outcome).toMatchObject({ ok: true, durationMs: 2000, waiting: 0 });
    expect(await objects()).toEqual([]);
    expect([await rows('recordings'), await rows('recording_versions')]).toEqual([0, 0]);
    expect(await readdir(path.join(service.dataDir, 'incoming'))).toEqual([]);
    expect((await service.as('trainer').get('/api/v1/recordings').expect(200)).body).toMatchObject({ items: [] });
  });

  test('tells at which step it broke off, and tries again well afterwards', async () => {
    storage.away(true);
    const broken = (await service.as('administrator').post('/api/v1/ingest/test').expect(200)).body as Outcome;
    expect(broken.ok).toBe(false);
    expect(broken.steps.find(({ ok }) => !ok)).toMatchObject({ step: 'stored', code: 'storage-unavailable' });
    storage.away(false);
    expect((await service.as('administrator').post('/api/v1/ingest/test').expect(200)).body).toMatchObject({ ok: true });
  });

  test('is not fooled by storage that keeps what was deleted', async () => {
    storage.failWhen(({ method }) => method === 'DELETE' || method === 'POST');
    const kept = (await service.as('administrator').post('/api/v1/ingest/test').expect(200)).body as Outcome;
    expect(kept.steps.at(-1)).toMatchObject({ step: 'deleted', ok: false });
    expect(kept.ok).toBe(false);
    storage.failWhen(undefined);
    const left = await objects();
    expect(left).toHaveLength(1);
    await service.service.platform.objects.deleteEveryVersion(left);
  });
});

describe('a test from the PBX', () => {
  const send = (key: string, audio = tone({ seconds: 1 })) =>
    service.machine(key).post('/api/v1/recordings/test').attach('audio', audio, 'test.wav');

  test('takes the whole way, is seen by the administrator, and leaves no recording and no figure', async () => {
    const { key, sourceId } = await newSource();
    const answer = await send(key).expect(200);
    expect(answer.body).toMatchObject({ ok: true, durationMs: 1000 });
    expect((answer.body as { sha256: string }).sha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await seenOf(sourceId)).arrivals).toMatchObject([{ kind: 'test', outcome: 'received', recording: null }]);
    expect([await rows('recordings'), await objects()]).toEqual([0, []]);
    const { body } = await service.as('administrator').get('/api/v1/ingest').expect(200);
    const { sources } = body as { sources: { id: string; received: number }[] };
    expect(sources.find(({ id }) => id === sourceId)?.received).toBe(0);
  });

  test('is refused with its reason, which the administrator sees too', async () => {
    const { key, sourceId } = await newSource();
    await send(key, Buffer.from('no sound at all, just words')).expect(422);
    await service.machine(key).post('/api/v1/recordings/test').field({ callId: '1' }).expect(422);
    storage.away(true);
    await send(key).expect(503);
    storage.away(false);
    const { arrivals } = await seenOf(sourceId);
    expect(arrivals.map(({ outcome }) => outcome)).toEqual(['storage-unavailable', 'invalid-input', 'not-audio']);
    expect(arrivals[1]?.faults).toEqual([{ path: 'audio', message: 'is required' }]);
  });

  test('of a whole recording, sent to the wrong address, is not taken', async () => {
    const { key } = await newSource();
    await send(key, tone({ seconds: 140 })).expect(413);
  });
});

describe('what arrives', () => {
  const push = (key: string, fields: Record<string, string>, audio = tone({ seconds: 2, channels: 2 })) =>
    service.machine(key).post('/api/v1/recordings').field(fields).attach('audio', audio, 'call.wav');

  test('is shown with what may be wrong about it, without numbers and names', async () => {
    const { key, sourceId } = await newSource();
    const well = { startedAt: begun(), caller: '+31850000101', callerName: 'Zoë van der Berg', agent: '201' };
    await push(key, { ...well, callId: 'well' }).expect(201);
    await push(key, { ...well, callId: 'well' }).expect(200);
    const zoneOff = new Date(service.clock.now().getTime() - 2 * 3_600_000).toISOString();
    await push(key, { callId: 'odd', startedAt: zoneOff }, tone({ seconds: 2, seed: 3 })).expect(201);
    const seen = await seenOf(sourceId);
    expect(seen.arrivals.map(({ outcome, recording }) => [outcome, recording?.callId, recording?.remarks])).toEqual([
      ['received', 'odd', ['time_differs', 'no_caller', 'no_agent', 'one_channel']],
      ['duplicate', 'well', []],
      ['received', 'well', []],
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/850000101|Zoë/);
    expect(seen.keySeenAt).not.toBeNull();
  });

  test('and is refused is shown with the fields that were wrong, never with what stood in them', async () => {
    const { key, sourceId } = await newSource();
    await push(key, { callId: 'when', startedAt: 'yesterday', caller: '+31850000101' }).expect(422);
    await push(key, { callId: 'out', startedAt: begun(), direction: 'outbound' }).expect(422);
    const seen = await seenOf(sourceId);
    expect(seen.arrivals.map(({ outcome, recording }) => [outcome, recording])).toEqual([
      ['direction-not-covered', null], ['invalid-input', null],
    ]);
    expect(seen.arrivals[1]?.faults.map(({ path: field }) => field)).toEqual(['startedAt']);
    expect(JSON.stringify(seen)).not.toMatch(/yesterday|850000101/);
  });

  test('of call data is shown, lines that were not understood included', async () => {
    const { key, sourceId } = await newSource();
    await service.machine(key).post('/api/v1/cdr').set('Content-Type', 'text/csv').send('nonsense\n').expect(422);
    const [arrival] = (await seenOf(sourceId)).arrivals;
    expect(arrival).toMatchObject({ kind: 'call_data', outcome: 'invalid-input' });
    expect(arrival?.faults[0]?.path).toMatch(/^line /);
  });

  test('is of the last fifty things of one source only', async () => {
    const { key, sourceId } = await newSource();
    const other = await newSource();
    await push(other.key, { callId: 'theirs', startedAt: begun(), direction: 'outbound' }).expect(422);
    for (let n = 0; n < 60; n += 1) {
      await service.machine(key).post('/api/v1/recordings').field({ callId: `${n}` }).expect(422);
      if (n % 15 === 14) await seenOf(sourceId);
    }
    expect((await seenOf(sourceId)).arrivals).toHaveLength(50);
    expect((await seenOf(other.sourceId)).arrivals).toHaveLength(1);
    await service.as('administrator').get(`/api/v1/sources/${made}/arrivals`).expect(404);
  });
});

describe('a key that does not work', () => {
  const refused = (sourceId: string) => expect.poll(async () => (await seenOf(sourceId)).refusedKeys.map(({ reason }) => reason));
  const tryKey = async (key: string) => {
    // One a second is noted.
    service.clock.advance(1500);
    await service.machine(key).post('/api/v1/cdr').send('x').expect(401);
  };

  test('is told apart: cut off while pasting, revoked, of a helpdesk, or of nobody', async () => {
    const { id, key, sourceId } = await newSource();
    await tryKey(`${key.slice(0, 30)}`);
    await refused(sourceId).toEqual(['damaged']);
    service.clock.advance(1500);
    await service.machine(service.helpdeskKey).post('/api/v1/cdr').send('x').expect(403);
    await refused(sourceId).toEqual(['wrong_role', 'damaged']);
    await service.as('administrator').delete(`/api/v1/keys/${id}`).expect(204);
    await tryKey(key);
    await refused(sourceId).toEqual(['revoked', 'wrong_role', 'damaged']);
    await tryKey('opn_unknownunknown');
    await refused(sourceId).toEqual(['unknown', 'revoked', 'wrong_role', 'damaged']);
    const other = await newSource();
    await refused(other.sourceId).toEqual(['unknown', 'wrong_role']);
    const kept = JSON.stringify(await service.service.platform.database.query('SELECT * FROM refused_keys'));
    expect(kept).not.toContain(key.slice(0, 11));
  });
});

test('what runs on the PBX is fetched from the service itself, byte for byte, by anyone', async () => {
  for (const name of ['opname-push', 'opname-push.service', 'opname-push.timer']) {
    const { text } = await service.nobody().get(`/api/v1/pbx/${name}`).expect(200);
    expect(text).toBe(await readFile(path.join(import.meta.dirname, '../scripts/pbx', name), 'utf8'));
  }
  for (const name of ['opname-push.conf.example', '..%2Fpackage.json', 'package.json']) await service.nobody().get(`/api/v1/pbx/${name}`).expect(404);
});

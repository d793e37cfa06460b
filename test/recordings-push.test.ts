import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMachine } from '../src/access/keys.js';
import { systemActor } from '../src/audit/log.js';
import { categoriesOf } from '../src/features.js';
import { takeUpload } from '../src/recordings/doors/take.js';
import { createDoor } from '../src/recordings/routes.js';
import { leaveTombstones, pushDigest } from '../src/retention/tombstone.js';
import { silence, tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ env: { MAX_RECORDING_MB: '2' } });
});
afterAll(() => service.close());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const audio = tone({ seconds: 2, channels: 1, rate: 8000 });
const minuteAgo = () => new Date(service.clock.now().getTime() - 60_000).toISOString();

function push(fields: Record<string, string>, file: Buffer | null = audio, name = 'call.wav') {
  const call = service.machine(service.pbxKey).post('/api/v1/recordings').field(fields);
  return file === null ? call : call.attach('audio', file, name);
}

/** How much of anything is kept: rows, objects and temporary files. */
async function kept() {
  const { database, objects } = service.service.platform;
  const [rows] = await database.query<{ recordings: number; versions: number }>(
    'SELECT (SELECT count(*) FROM recordings) AS recordings, (SELECT count(*) FROM recording_versions) AS versions',
  );
  let stored = 0;
  for await (const object of objects.list('recordings/')) if (object.key.includes('/original.')) stored += 1;
  return { ...rows, stored, incoming: (await readdir(path.join(service.dataDir, 'incoming'))).length };
}

describe('a push that is kept', () => {
  test('is answered 201 with its address and digest, and is in storage byte for byte', async () => {
    const answer = await push({ callId: 'kept-1', startedAt: minuteAgo(), caller: '030-7539075', callerName: 'Şükrü' }).expect(201);
    expect(answer.headers['location']).toBe(`/api/v1/recordings/${answer.body.id}`);
    expect(answer.body).toMatchObject({
      callId: 'kept-1', part: '0', version: 1, state: 'received', direction: 'inbound', sha256: sha256(audio),
      bytes: audio.length, durationMs: 2000, channels: 1, caller: { number: '+31307539075', name: 'Şükrü' },
    });
    const key = `recordings/${answer.body.id}/`;
    const keys: string[] = [];
    for await (const object of service.service.platform.objects.list(key)) keys.push(object.key);
    const original = keys.find((name) => name.includes('/original.'));
    const stored = await service.service.platform.objects.read(original ?? '');
    const chunks: Buffer[] = [];
    for await (const chunk of stored?.body ?? []) chunks.push(chunk as Buffer);
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(audio));
    expect(await service.service.platform.objects.tags(original ?? '')).toEqual({ hold: '0' });
  });

  test('again with the same bytes is the same recording, 200; with other bytes the next version, 201', async () => {
    const told = { callId: 'again-1', startedAt: minuteAgo() };
    const first = await push(told).expect(201);
    const same = await push(told).expect(200);
    expect(same.body).toMatchObject({ id: first.body.id, version: 1 });
    await service.processed(first.body.id);
    const longer = tone({ seconds: 3, channels: 1, rate: 8000 });
    const second = await push(told, longer).expect(201);
    expect(second.body).toMatchObject({ id: first.body.id, version: 2, state: 'received', sha256: sha256(longer) });
    await service.processed(first.body.id);
    const shown = await service.as('privacy_officer').get(`/api/v1/recordings/${first.body.id}`).expect(200);
    expect(shown.body).toMatchObject({ version: 2, state: 'ready', durationMs: 3000 });
    const earlier = await push(told).expect(200);
    expect(earlier.body).toMatchObject({ id: first.body.id, version: 2 });
  });

  test('another part of the same call is a recording of its own', async () => {
    const told = { callId: 'parts-1', startedAt: minuteAgo() };
    const first = await push(told).expect(201);
    const second = await push({ ...told, part: '1' }).expect(201);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test('the same push ten times at once gives one recording and one version', async () => {
    const told = { callId: 'race-1', startedAt: minuteAgo() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => push(told)));
    expect(answers.map((answer) => answer.status).filter((status) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.map((answer) => answer.status).every((status) => status === 201 || status === 200)).toBe(true);
    const [row] = await service.service.platform.database.query<{ count: number }>(
      'SELECT count(*) AS count FROM recording_versions WHERE recording_id = $1', [answers[0]?.body.id],
    );
    expect(row?.count).toBe(1);
  });

  test('tells its file by the name of the part, without file name and type, fields before or behind it', async () => {
    const boundary = 'bOuNdArY';
    const part = (name: string, body: Buffer | string) =>
      Buffer.concat([
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
        Buffer.from(body), Buffer.from('\r\n'),
      ]);
    for (const order of ['first', 'last']) {
      const fields = [part('callId', `bare-${order}`), part('startedAt', minuteAgo())];
      const file = part('audio', audio);
      const parts = order === 'first' ? [file, ...fields] : [...fields, file];
      const answer = await service
        .machine(service.pbxKey).post('/api/v1/recordings')
        .set('Content-Type', `multipart/form-data; boundary=${boundary}`)
        .send(Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]));
      expect(answer.status).toBe(201);
      expect(answer.body.sha256).toBe(sha256(audio));
    }
  });

  test('may tell its fields as one JSON part', async () => {
    const metadata = { callId: 'json-1', startedAt: minuteAgo(), channels: ['agent', 'caller'], holds: [{ startMs: 500, endMs: 900 }] };
    const answer = await push({ metadata: JSON.stringify(metadata) }).expect(201);
    expect(answer.body.channelMap).toEqual(['agent', 'caller']);
  });

  test('may come as a raw body, by key in the header or in the path', async () => {
    const raw = await service
      .machine(service.pbxKey)
      .put(`/api/v1/recordings/by-call/raw-1?startedAt=${encodeURIComponent(minuteAgo())}&caller=%2B31850000101`)
      .set('Content-Type', 'audio/wav').send(audio).expect(201);
    expect(raw.body).toMatchObject({ callId: 'raw-1', sha256: sha256(audio) });
    const inPath = await service.nobody().put(`/api/v1/push/${service.pbxKey}/recordings/raw-2`)
      .set('Content-Type', 'application/octet-stream').send(audio).expect(201);
    expect(inPath.body).toMatchObject({ callId: 'raw-2' });
    const basic = await service.nobody().put(`/api/v1/recordings/by-call/raw-3?startedAt=${encodeURIComponent(minuteAgo())}`)
      .auth('anything', service.pbxKey).set('Content-Type', 'audio/wav').send(audio).expect(201);
    expect(basic.body.callId).toBe('raw-3');
  });

  test('a start without an offset is read in the zone of the source', async () => {
    const answer = await push({ callId: 'zone-1', startedAt: '2026-11-22 10:15:00' }).expect(201);
    expect(answer.body.startedAt).toBe('2026-11-22T09:15:00.000Z');
  });

  test('metadata may come later; it shortens the period and never lengthens it', async () => {
    const start = new Date(service.clock.now().getTime() - 600_000);
    const first = await push({ callId: 'later-1', startedAt: start.toISOString() }).expect(201);
    const patch = (body: object) => service.machine(service.pbxKey).patch('/api/v1/recordings/by-call/later-1').send(body);
    const longer = await patch({ endedAt: new Date(start.getTime() + 300_000).toISOString(), queue: 'support' }).expect(200);
    expect(longer.body).toMatchObject({ id: first.body.id, queue: 'support', retainUntil: first.body.retainUntil });
    const shorter = await patch({ startedAt: new Date(start.getTime() - 3_600_000).toISOString(), endedAt: start.toISOString() }).expect(200);
    expect(new Date(shorter.body.retainUntil).getTime()).toBeLessThan(new Date(first.body.retainUntil).getTime());
    await service.machine(service.pbxKey).patch('/api/v1/recordings/by-call/unknown').send({ queue: 'x' }).expect(404);
  });
});

describe('a push that is refused leaves nothing behind', () => {
  const day = 86_400_000;
  const cases: [string, () => ReturnType<typeof push>, number, string][] = [
    ['text that calls itself WAV', () => push({ callId: 'r', startedAt: minuteAgo() }, Buffer.from('hello, this is no sound'.repeat(9))), 422, 'not-audio'],
    ['HTML', () => push({ callId: 'r', startedAt: minuteAgo() }, Buffer.from('<!DOCTYPE html><p>busy</p>')), 422, 'not-audio'],
    ['a 44-byte WAV', () => push({ callId: 'r', startedAt: minuteAgo() }, silence({ seconds: 0 }).subarray(0, 44)), 422, 'empty-recording'],
    ['an empty file', () => push({ callId: 'r', startedAt: minuteAgo() }, Buffer.alloc(0)), 422, 'empty-recording'],
    ['another digest than its own', () => push({ callId: 'r', startedAt: minuteAgo(), sha256: '0'.repeat(64) }), 422, 'digest-mismatch'],
    ['a call that ended 90 days ago', () => push({ callId: 'r', startedAt: new Date(service.clock.now().getTime() - 90 * day - 3000).toISOString() }), 422, 'retention-over'],
    ['an outbound call', () => push({ callId: 'r', startedAt: minuteAgo(), direction: 'outbound' }), 422, 'direction-not-covered'],
    ['a start two days ahead', () => push({ callId: 'r', startedAt: new Date(service.clock.now().getTime() + 2 * day).toISOString() }), 422, 'invalid-input'],
    ['no call id', () => push({ startedAt: minuteAgo() }), 422, 'invalid-input'],
    ['no start', () => push({ callId: 'r' }), 422, 'invalid-input'],
    ['a start that is none', () => push({ callId: 'r', startedAt: '31 February' }), 422, 'invalid-input'],
    ['no file', () => push({ callId: 'r', startedAt: minuteAgo() }, null), 422, 'invalid-input'],
    ['a NUL in a name', () => push({ callId: 'r', startedAt: minuteAgo(), callerName: 'a\0b' }), 422, 'invalid-input'],
    ['metadata that is no JSON', () => push({ metadata: '{' }), 422, 'invalid-input'],
    ['more than the limit', () => push({ callId: 'r', startedAt: minuteAgo() }, tone({ seconds: 140, channels: 1, rate: 8000 })), 413, 'too-large'],
    ['JSON instead of a form', () => service.machine(service.pbxKey).post('/api/v1/recordings').send({ callId: 'r' }) as never, 415, 'unsupported-media-type'],
    ['no key', () => service.nobody().post('/api/v1/recordings').field({ callId: 'r' }).attach('audio', audio, 'a.wav') as never, 401, 'unauthenticated'],
    ['a wrong key', () => service.machine('opn_wrong').post('/api/v1/recordings').attach('audio', audio, 'a.wav') as never, 401, 'unauthenticated'],
    ['a wrong key in the path', () => service.nobody().put('/api/v1/push/opn_wrong/recordings/r').send(audio) as never, 401, 'unauthenticated'],
    ["a helpdesk's key", () => service.machine(service.helpdeskKey).post('/api/v1/recordings').attach('audio', audio, 'a.wav') as never, 403, 'forbidden'],
    ["an administrator's session", () => service.as('administrator').post('/api/v1/recordings').attach('audio', audio, 'a.wav') as never, 403, 'forbidden'],
  ];
  test.each(cases)('%s', async (_name, send, status, code) => {
    const before = await kept();
    const answer = await send();
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: expect.any(String), title: expect.any(String), detail: expect.any(String) });
    expect(answer.body.requestId).toBe(answer.headers['x-request-id']);
    expect(await kept()).toEqual(before);
  });

  test('all wrong fields are told at once, by path, without their values', async () => {
    const answer = await push({ callId: 'x', startedAt: 'yesterday', endedAt: 'sooner', direction: 'sideways' }, null).expect(422);
    const paths = answer.body.errors.map((fault: { path: string }) => fault.path);
    expect(paths).toEqual(expect.arrayContaining(['audio', 'direction']));
    expect(JSON.stringify(answer.body)).not.toContain('sideways');
  });

  test('a client that hangs up halfway', async () => {
    const before = await kept();
    const { port } = new URL(service.url);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          `PUT /api/v1/recordings/by-call/hangup?startedAt=${encodeURIComponent(minuteAgo())} HTTP/1.1\r\nHost: x\r\n` +
            `Authorization: Bearer ${service.pbxKey}\r\nContent-Type: audio/wav\r\nContent-Length: ${audio.length * 4}\r\n\r\n`,
        );
        socket.write(audio);
        setTimeout(() => socket.destroy(), 200);
      });
      socket.once('close', () => resolve());
      socket.once('error', reject);
    });
    await expect.poll(kept, { timeout: 5000 }).toEqual(before);
    await push({ callId: 'hangup', startedAt: minuteAgo() }).expect(201);
  });

  test('a multipart body that ends early, or has no boundary', async () => {
    const before = await kept();
    const cut = await service.machine(service.pbxKey).post('/api/v1/recordings')
      .set('Content-Type', 'multipart/form-data; boundary=x')
      .send(Buffer.concat([Buffer.from('--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\n'), randomBytes(2000)]));
    expect([cut.status, cut.body.code]).toEqual([400, 'invalid-request']);
    const bare = await service.machine(service.pbxKey).post('/api/v1/recordings').set('Content-Type', 'multipart/form-data').send('x');
    expect([bare.status, bare.body.code]).toEqual([400, 'invalid-request']);
    expect(await kept()).toEqual(before);
  });
});

test('calls in which no own number takes part are refused once own numbers are told', async () => {
  const before = await service.as('administrator').get('/api/v1/organisation').expect(200);
  await service.as('administrator').put('/api/v1/organisation').send({ ...before.body, ownNumbers: ['085 000 0001'] }).expect(200);
  try {
    const strangers = { callId: randomUUID(), startedAt: minuteAgo(), caller: '+31850000101', callee: '+31850000999' };
    const refused = await push(strangers).expect(422);
    expect(refused.body.code).toBe('direction-not-covered');
    await push({ ...strangers, callee: '0850000001' }).expect(201);
    await push({ ...strangers, callId: randomUUID(), agent: '101' }).expect(201);
  } finally {
    const now = await service.as('administrator').get('/api/v1/organisation').expect(200);
    await service.as('administrator').put('/api/v1/organisation').send({ ...now.body, ownNumbers: [] }).expect(200);
  }
});

test('the answer to a push tells what has become of the recording meanwhile: held, restricted, and its tickets without their subject', async () => {
  const fields = { callId: 'held-meanwhile', startedAt: new Date(service.clock.now().getTime() - 60_000).toISOString(), ticket: 'T-4711' };
  const bytes = tone({ seconds: 1, seed: 99 });
  const push = () => service.machine(service.pbxKey).post('/api/v1/recordings').field(fields).attach('audio', bytes, 'a.wav');
  const first = await push().expect(201);
  expect(first.body).toMatchObject({ held: false, restricted: false, tickets: [] });
  await service.machine(service.helpdeskKey).put('/api/v1/tickets/by-external/4711').send({
    number: 'T-4711', subject: 'My invoice', category: 'support', requester: { name: 'A', email: 'a@example.test' }, status: 'open',
    createdAt: service.clock.now().toISOString(), messages: [],
  }).expect(201);
  await service.as('privacy_officer').post('/api/v1/holds')
    .send({ recordingId: first.body.id, ground: 'legal_claim', reason: 'A claim', reviewAt: new Date(service.clock.now().getTime() + 30 * 86_400_000).toISOString() }).expect(201);
  const again = await push().expect(200);
  expect(again.body).toMatchObject({ id: first.body.id, held: true, tickets: [{ number: 'T-4711', subject: null }] });
});

test('an end before the start is wrong, unless the clock was set back between them', async () => {
  const put = (query: Record<string, string>) => service.machine(service.pbxKey).put(`/api/v1/recordings/by-call/ends-${Object.values(query).join()}`).query(query).send(tone({ seconds: 1 }));
  const now = service.clock.now().getTime();
  const at = (ms: number) => new Date(now + ms).toISOString();
  const wrong = await put({ startedAt: at(-60_000), endedAt: at(-120_000) });
  expect([wrong.status, wrong.body.errors]).toEqual([422, [{ path: 'endedAt', message: 'lies before the start' }]]);
  expect((await put({ startedAt: at(-60_000), endedAt: at(2 * 86_400_000) })).body.errors).toMatchObject([{ path: 'endedAt' }]);
  const { readMetadata } = await import('../src/recordings/metadata.js');
  const context = { timeZone: 'Europe/Amsterdam', country: 'NL', channelMap: ['caller', 'agent'] as const, ownNumbers: [], now: new Date('2026-10-25T12:00:00Z') };
  const over = readMetadata({ callId: 'x', startedAt: '2026-10-25 02:50:00', endedAt: '2026-10-25 02:10:00' }, context);
  expect([over.startedAt, over.endedAt]).toEqual([new Date('2026-10-25T00:50:00Z'), new Date('2026-10-25T01:10:00Z')]);
});

test('what is erased on request while its bytes are on the way is not kept', async () => {
  const { platform } = service.service;
  const machine = await findMachine(platform, service.pbxKey);
  if (machine === undefined) throw new Error('the key works');
  const [callId, now] = ['erased-on-the-way', service.clock.now()];
  const stone = {
    id: randomUUID(), category: 'recording', itemId: randomUUID(), subjectKind: 'recording' as const, subjectId: randomUUID(), sha256: [], day: null,
    reason: 'erasure' as const, rule: 'a request', retainUntil: now, storedAt: now, intendedAt: now, purgedAt: now, actor: systemActor('sweep'),
    objects: 1, confirmedHow: 'by hand', sourceId: machine.sourceId, pushDigest: pushDigest(machine.sourceId, callId, '0'),
  };
  // Storage takes its time, and the decision falls meanwhile.
  const objects = new Proxy(platform.objects, {
    get(target, name) {
      if (name !== 'putFile') return (target[name as keyof typeof target] as () => unknown).bind(target);
      return async (...given: Parameters<typeof target.putFile>) => {
        const stored = await target.putFile(...given);
        await platform.database.inTransaction((tx) => leaveTombstones(platform.database, tx, [stone]));
        return stored;
      };
    },
  });
  const before = await kept();
  const door = createDoor({ ...platform, objects }, service.config, categoriesOf(platform, service.config));
  const digest = (algorithm: string) => createHash(algorithm).update(audio).digest('hex');
  const upload = { content: audio, bytes: audio.length, sha256: digest('sha256'), md5: digest('md5'), fileName: 'a.wav' };
  await expect(takeUpload(door, machine, upload, { callId, startedAt: minuteAgo() })).rejects.toMatchObject({ code: 'retention-over' });
  expect(await kept()).toEqual(before);
  expect((await push({ callId, startedAt: minuteAgo() }).expect(422)).body.code).toBe('retention-over');
  expect(await kept()).toEqual(before);
});

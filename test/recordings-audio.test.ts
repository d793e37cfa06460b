import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
let id: string;
let whole: Buffer;
let etag: string;

const audio = (role: 'trainer' | 'privacy_officer' = 'trainer', query = '') =>
  service.as(role).get(`/api/v1/recordings/${id}/audio${query}`).buffer(true);

const dayMs = 86_400_000;

beforeAll(async () => {
  service = await startTestService();
  id = await service.push({}, tone({ seconds: 20, channels: 2, rate: 8000 }));
  await service.processed(id);
  const answer = await audio().expect(200);
  whole = answer.body as Buffer;
  etag = answer.headers['etag'] ?? '';
});
afterAll(() => service.close());

describe('the playback copy', () => {
  test('comes whole with its length, its tag and the word that ranges are taken', async () => {
    const answer = await audio().expect(200);
    expect(answer.headers).toMatchObject({ 'accept-ranges': 'bytes', 'content-type': 'audio/mp4', 'content-length': String(whole.length) });
    expect(etag).toBe(`"${createHash('sha256').update(whole).digest('hex')}"`);
  });

  test.each([
    ['bytes=0-99', 0, 99],
    ['bytes=100-', 100, undefined],
    ['bytes=-50', -50, undefined],
    ['bytes=1000-99999999', 1000, undefined],
    ['bytes=0-0', 0, 0],
  ])('by range %s', async (range, start, end) => {
    const answer = await audio().set('Range', range).expect(206);
    const from = start < 0 ? whole.length + start : start;
    const to = end ?? whole.length - 1;
    expect(answer.headers['content-range']).toBe(`bytes ${from}-${to}/${whole.length}`);
    expect((answer.body as Buffer).equals(whole.subarray(from, to + 1))).toBe(true);
  });

  test('outside of it is 416 with its length', async () => {
    const answer = await audio().set('Range', `bytes=${whole.length}-`);
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toBe(`bytes */${whole.length}`);
  });

  test.each(['bytes=5-2', 'bytes=a-b', 'pages=1-2', 'bytes=0-1,5-9'])('%s, which cannot be served as asked, gives the whole or 416', async (range) => {
    const answer = await audio().set('Range', range);
    expect([200, 416]).toContain(answer.status);
    if (answer.status === 200) expect((answer.body as Buffer).length).toBe(whole.length);
  });

  test('If-Range with another tag gives the whole, If-None-Match with its own 304', async () => {
    await audio().set('Range', 'bytes=0-9').set('If-Range', '"other"').expect(200);
    await audio().set('Range', 'bytes=0-9').set('If-Range', etag).expect(206);
    await audio().set('If-None-Match', etag).expect(304);
  });

  test('HEAD tells the same without bytes and is no listening', async () => {
    const count = async () =>
      (await service.service.platform.database.query<{ count: number }>('SELECT count(*) AS count FROM listens'))[0]?.count;
    const before = await count();
    const answer = await service.as('privacy_officer').head(`/api/v1/recordings/${id}/audio`).expect(200);
    expect(answer.headers['content-length']).toBe(String(whole.length));
    expect(await count()).toBe(before);
  });
});

describe('who listens', () => {
  test('is written down before the first byte, once for a listening in many pieces, with its purpose and what was sent', async () => {
    const fresh = await service.push();
    await service.processed(fresh);
    for (const range of ['bytes=0-499', 'bytes=500-999', 'bytes=2000-2099'])
      await service.as('trainer').get(`/api/v1/recordings/${fresh}/audio`).set('Range', range).expect(206);
    await service.as('privacy_officer').get(`/api/v1/recordings/${fresh}/audio?purpose=access_request`).set('Range', 'bytes=0-1').expect(206);
    const listens = () =>
      service.service.platform.database.query<{ purpose: string; served: string }>(
        'SELECT purpose, served_bytes::text AS served FROM listens WHERE recording_id = $1 ORDER BY opened_at', [fresh],
      );
    // What was sent is known only once it has been sent.
    await expect.poll(listens).toEqual([
      { purpose: 'training', served: '{[0,1000),[2000,2100)}' },
      { purpose: 'access_request', served: '{[0,2)}' },
    ]);
    const trail = await service.as('auditor').get(`/api/v1/audit?action=recording.listened&object=${fresh}`).expect(200);
    expect(trail.body.items).toHaveLength(2);
  });

  test("says its purpose: an officer's is evidence unless told, a trainer's always training", async () => {
    const fresh = await service.push();
    await service.processed(fresh);
    await service.as('privacy_officer').get(`/api/v1/recordings/${fresh}/audio`).expect(200);
    await service.as('trainer').get(`/api/v1/recordings/${fresh}/audio?purpose=evidence`).expect(200);
    await service.as('privacy_officer').get(`/api/v1/recordings/${fresh}/audio?purpose=training`).expect(422);
    const rows = await service.service.platform.database.query<{ purpose: string }>(
      'SELECT purpose FROM listens WHERE recording_id = $1 ORDER BY opened_at', [fresh],
    );
    expect(rows.map((row) => row.purpose)).toEqual(['evidence', 'training']);
  });

  test('is never an administrator, an auditor, a machine or nobody', async () => {
    for (const what of ['audio', 'waveform']) {
      await service.as('administrator').get(`/api/v1/recordings/${id}/${what}`).expect(403);
      await service.as('auditor').get(`/api/v1/recordings/${id}/${what}`).expect(403);
      await service.machine(service.pbxKey).get(`/api/v1/recordings/${id}/${what}`).expect(403);
      await service.nobody().get(`/api/v1/recordings/${id}/${what}`).expect(401);
      await service.as('agent').get(`/api/v1/recordings/${id}/${what}`).expect(404);
    }
  });

  test('cannot hear what does not exist, and an id that is none names nothing', async () => {
    await service.as('trainer').get('/api/v1/recordings/01900000-0000-7000-8000-000000000000/audio').expect(404);
    await service.as('trainer').get('/api/v1/recordings/1/audio').expect(404);
  });
});

describe('what each role sees', () => {
  test('of numbers and names, in lists and details', async () => {
    const seen = await service.push({ caller: '+31850000123', callerName: 'Bob Example' });
    const expected = {
      trainer: { number: '•••123', name: null },
      privacy_officer: { number: '+31850000123', name: 'Bob Example' },
      administrator: { number: null, name: null },
    } as const;
    for (const [role, caller] of Object.entries(expected) as [keyof typeof expected, object][]) {
      const detail = await service.as(role).get(`/api/v1/recordings/${seen}`).expect(200);
      expect(detail.body.caller).toEqual(caller);
      const list = await service.as(role).get('/api/v1/recordings?limit=200').expect(200);
      expect(list.body.items.find((item: { id: string }) => item.id === seen).caller).toEqual(caller);
    }
    await service.as('auditor').get(`/api/v1/recordings/${seen}`).expect(403);
    await service.as('agent').get(`/api/v1/recordings/${seen}`).expect(404);
    expect((await service.as('agent').get('/api/v1/recordings').expect(200)).body.items).toEqual([]);
  });
});

test('both sides of the last second: 89 days 23:59:59 it plays, at 90 days it is gone for all', async () => {
  const endedAt = new Date(service.clock.now().getTime() - 30_000);
  const last = await service.push({ startedAt: new Date(endedAt.getTime() - 30_000).toISOString(), endedAt: endedAt.toISOString() });
  await service.processed(last);
  service.clock.freeze(new Date(endedAt.getTime() + 90 * dayMs - 1000));
  await service.signInAgain();
  await service.as('trainer').get(`/api/v1/recordings/${last}/audio`).expect(200);
  service.clock.freeze(new Date(endedAt.getTime() + 90 * dayMs));
  for (const role of ['trainer', 'privacy_officer'] as const)
    for (const what of ['', '/audio', '/waveform']) await service.as(role).get(`/api/v1/recordings/${last}${what}`).expect(410);
  service.clock.reset();
});

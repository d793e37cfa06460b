import { afterAll, beforeAll, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

const day = 86_400_000;
let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

interface Sweep {
  id: string;
  state: string;
  purged: number;
  failed: number;
}

async function sweep(): Promise<Sweep> {
  const { body } = await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
  const { id } = body as Sweep;
  let last: Sweep | undefined;
  await expect
    .poll(async () => {
      last = (await service.as('auditor').get(`/api/v1/retention/sweeps/${id}`).expect(200)).body as Sweep;
      return last.state;
    }, { timeout: 50_000, interval: 250 })
    .toBe('done');
  if (last === undefined) throw new Error('no sweep');
  return last;
}

// Ninety days that run over the end of summer time, over a leap day, and over neither.
test.each(['2026-09-01T10:00:00Z', '2028-01-15T10:00:00Z', '2027-04-10T10:00:00Z'])(
  'a call that ended at %s is there for 90 × 24 h to the second, and then gone, everywhere and provably',
  { timeout: 120_000 },
  async (ended) => {
    service.clock.set(new Date(Date.parse(ended) + 60_000));
    await service.signInAgain();
    const startedAt = new Date(Date.parse(ended) - 60_000).toISOString();
    const id = await service.push({ startedAt, endedAt: ended });
    await service.processed(id);
    const officer = () => service.as('privacy_officer');
    const shown = await officer().get(`/api/v1/recordings/${id}`).expect(200);
    const until = Date.parse(ended) + 90 * day;
    expect(shown.body.retainUntil).toBe(new Date(until).toISOString());

    service.clock.freeze(new Date(until - 1000));
    await service.signInAgain();
    await officer().get(`/api/v1/recordings/${id}`).expect(200);
    await officer().get(`/api/v1/recordings/${id}/audio`).set('Range', 'bytes=0-9').expect(206);
    expect((await sweep()).purged).toBe(0);

    // Past its date nothing reads it, swept or not.
    service.clock.freeze(new Date(until));
    for (const path of ['', '/audio', '/waveform'])
      await officer().get(`/api/v1/recordings/${id}${path}`).expect(410);
    const hold = { recordingId: id, ground: 'legal_claim', reason: 'too late', reviewAt: new Date(until + 30 * day).toISOString() };
    await officer().post('/api/v1/holds').send(hold).expect(410);
    expect(await sweep()).toMatchObject({ purged: 1, failed: 0 });
    const gone = await officer().get(`/api/v1/recordings/${id}`).expect(410);
    expect(gone.body).toMatchObject({ code: 'retention-ended' });
    const { body: stones } = await officer().get(`/api/v1/tombstones?recordingId=${id}`).expect(200);
    expect(stones.items).toEqual([expect.objectContaining({ recordingId: id, reason: 'retention', objects: 3, sha256: [shown.body.sha256] })]);
    const report = await service.as('auditor').get(`/api/v1/retention/report?from=${new Date(until - day).toISOString()}`).expect(200);
    expect(report.text).toContain(`recording ${id} `);
    const { body: overview } = await service.as('auditor').get('/api/v1/retention').expect(200);
    expect(overview).toMatchObject({ overdue: 0, lastSweep: { state: 'done' }, lifecycle: { state: 'in_sync' } });
  },
);

test('a call that is kept under a longer period is acknowledged when it is pushed again, and takes nothing new', { timeout: 60_000 }, async () => {
  const now = Date.parse('2030-06-01T10:00:00Z');
  service.clock.freeze(new Date(now));
  await service.signInAgain();
  const ended = now - 80 * day;
  const told = { callId: 'kept longer', startedAt: new Date(ended - 60_000).toISOString(), endedAt: new Date(ended).toISOString() };
  const first = tone({ seconds: 1, seed: 1 });
  const other = tone({ seconds: 1, seed: 2 });
  const id = await service.push(told, first);
  const read = async () => (await service.as('privacy_officer').get(`/api/v1/recordings/${id}`).expect(200)).body as Record<string, unknown>;
  const { retainUntil, sha256 } = await read();
  const again = (audio: Buffer, more: object = {}) =>
    service.machine(service.pbxKey).post('/api/v1/recordings').field({ caller: '+31850000101', callee: '+31850000001', ...told, ...more }).attach('audio', audio, 'call.wav');
  const period = (amount: number) => service.as('administrator').put('/api/v1/retention/policies/recording').send({ amount, unit: 'days', reason: 'test' }).expect(200);
  await period(60);
  try {
    expect((await again(first).expect(200)).body).toMatchObject({ id });
    expect((await again(other).expect(422)).body).toMatchObject({ code: 'retention-over' });
    expect((await again(first, { callId: 'never seen' }).expect(422)).body).toMatchObject({ code: 'retention-over' });
    expect(await read()).toMatchObject({ retainUntil, sha256, version: 1 });
    service.clock.freeze(new Date(ended + 90 * day));
    expect((await again(first).expect(422)).body).toMatchObject({ code: 'retention-over' });
  } finally {
    await service.signInAgain();
    await period(90);
  }
});

test('a call that came to its end stays gone when a longer period is set; a name that is used anew names another call', { timeout: 120_000 }, async () => {
  const ended = Date.parse('2031-06-01T10:00:00Z');
  service.clock.set(new Date(ended + 60_000));
  await service.signInAgain();
  const period = (amount: number) => service.as('administrator').put('/api/v1/retention/policies/recording').send({ amount, unit: 'days', reason: 'test' }).expect(200);
  const told = { callId: 'came to its end', startedAt: new Date(ended - 60_000).toISOString(), endedAt: new Date(ended).toISOString() };
  const audio = tone({ seconds: 1, seed: 1 });
  const again = (more: object = {}) =>
    service.machine(service.pbxKey).post('/api/v1/recordings').field({ caller: '+31850000101', callee: '+31850000001', ...told, ...more });
  await period(60);
  try {
    const id = await service.push(told, audio);
    service.clock.set(new Date(ended + 60 * day));
    await service.signInAgain();
    expect((await sweep()).purged).toBeGreaterThan(0);
    await expect.poll(async () => (await service.as('privacy_officer').get('/api/v1/tombstones').query({ recordingId: id }).expect(200)).body.items.length as number).toBe(1);
    await period(90);
    expect((await again().attach('audio', audio, 'call.wav').expect(422)).body).toMatchObject({ code: 'retention-over' });
    // Other bytes of the same call, and what a PBX says of its beginning with a clock that was put right.
    const begun = { startedAt: new Date(ended - 3_600_000).toISOString() };
    expect((await again(begun).attach('audio', tone({ seconds: 1, seed: 2 }), 'call.wav').expect(422)).body).toMatchObject({ code: 'retention-over' });
    const later = { startedAt: new Date(ended + 20 * day).toISOString(), endedAt: new Date(ended + 20 * day + 60_000).toISOString() };
    const anew = (await again(later).attach('audio', tone({ seconds: 1, seed: 3 }), 'call.wav').expect(201)).body as { id: string };
    expect(anew.id).not.toBe(id);
  } finally {
    await period(90);
  }
});

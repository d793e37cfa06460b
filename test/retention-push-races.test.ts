import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { categoriesOf } from '../src/features.js';
import { beginPurge } from '../src/retention/purge.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** Forty pushes of one call at the same moment, with holds and deletions between them: nothing twice, nothing left over. */

const day = 86_400_000;
const atOnce = 40;
let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const takes = Array.from({ length: atOnce }, (_take, seed) => tone({ seconds: 1, seed }));
const push = (told: { callId: string; startedAt: string }, audio: Buffer) =>
  service.machine(service.pbxKey).post('/api/v1/recordings').field(told).attach('audio', audio, 'call.wav');
const call = () => ({ callId: randomUUID(), startedAt: new Date(service.clock.now().getTime() - 60_000).toISOString() });
const query = <Row extends object>(sql: string, bind: unknown[]) => service.service.platform.database.query<Row>(sql, bind);
const originals = async (id: string) => {
  const keys: string[] = [];
  for await (const { key } of service.service.platform.objects.list(`recordings/${id}/`)) if (key.includes('/original.')) keys.push(key);
  return keys;
};
const holdTags = async (id: string) => {
  const tags = new Set<string | undefined>();
  for await (const { key } of service.service.platform.objects.list(`recordings/${id}/`))
    tags.add((await service.service.platform.objects.tags(key))?.['hold']);
  return [...tags];
};
const stones = async (id: string) =>
  ((await service.as('auditor').get(`/api/v1/tombstones?recordingId=${id}`).expect(200)).body as { items: { reason: string; sha256: string[] }[] }).items;
const sweep = async () => {
  await service.signInAgain();
  const { body } = await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
  await expect.poll(async () => (await service.as('auditor').get(`/api/v1/retention/sweeps/${(body as { id: string }).id}`)).body.state as string, { timeout: 50_000 }).toBe('done');
};

test('of the same recording forty times at once there is one, held or not', async () => {
  const told = call();
  const answers = await Promise.all(takes.map(() => push(told, takes[0] ?? Buffer.alloc(0))));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(atOnce - 1);
  const id = (answers[0]?.body as { id: string }).id;
  expect(new Set(answers.map(({ body }) => (body as { id: string }).id))).toEqual(new Set([id]));
  expect(await query('SELECT FROM recording_versions WHERE recording_id = $1', [id])).toHaveLength(1);
  expect(await originals(id)).toHaveLength(1);
});

test('of forty different files of one call each is a version; a hold among them reaches all, and all go together', { timeout: 240_000 }, async () => {
  const told = call();
  const id = ((await push(told, takes[0] ?? Buffer.alloc(0)).expect(201)).body as { id: string }).id;
  const reviewAt = new Date(service.clock.now().getTime() + 300 * day).toISOString();
  const hold = service.as('privacy_officer').post('/api/v1/holds').send({ recordingId: id, ground: 'legal_claim', reason: 'geschil', reviewAt });
  const [placed, ...answers] = await Promise.all([hold, ...takes.slice(1).map((audio) => push(told, audio))]);
  expect(placed.status).toBe(201);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  const versions = await query<{ number: number }>('SELECT number FROM recording_versions WHERE recording_id = $1 ORDER BY number', [id]);
  expect(versions.map(({ number }) => number)).toEqual(Array.from({ length: atOnce }, (_each, at) => at + 1));
  expect(await originals(id)).toHaveLength(atOnce);
  await expect.poll(() => {
    service.service.platform.jobs.nudge('retention.retag');
    return holdTags(id);
  }, { timeout: 90_000, interval: 1000 }).toEqual(['1']);

  service.clock.advance(91 * day);
  await sweep();
  expect(await originals(id)).toHaveLength(atOnce);
  await service.as('privacy_officer').post(`/api/v1/holds/${(placed.body as { id: string }).id}/release`).send({ reason: 'voorbij' }).expect(200);
  service.clock.advance(day + 1000);
  await sweep();
  expect(await originals(id)).toEqual([]);
  expect(await query('SELECT FROM recordings WHERE id = $1', [id])).toEqual([]);
  const [stone, ...others] = await stones(id);
  expect([others.length, stone?.reason, new Set(stone?.sha256).size]).toEqual([0, 'retention', atOnce]);
});

test('pushed forty times while it is erased, it stays erased', { timeout: 120_000 }, async () => {
  const told = call();
  const id = ((await push(told, takes[0] ?? Buffer.alloc(0)).expect(201)).body as { id: string }).id;
  const { platform } = service.service;
  const erased = platform.database.inTransaction((tx) =>
    beginPurge(platform, categoriesOf(platform, service.config), tx, { category: 'recording', ids: [id] }, {
      reason: 'erasure', rule: 'decision', actor: { kind: 'system', id: 'test' },
    }),
  );
  const [, ...answers] = await Promise.all([erased, ...takes.map((audio) => push(told, audio))]);
  platform.jobs.nudge('retention.purge');
  // Whoever came first was kept until the erasure took it along; whoever came after was refused, or told to come back.
  for (const { status } of answers) expect([200, 201, 422, 503, 409, 410]).toContain(status);
  await expect.poll(async () => (await query('SELECT FROM recordings WHERE id = $1', [id])).length, { timeout: 60_000 }).toBe(0);
  expect(await originals(id)).toEqual([]);
  expect((await stones(id)).map(({ reason }) => reason)).toEqual(['erasure']);
  for (const audio of takes.slice(0, 3)) expect((await push(told, audio)).status).toBe(422);
  expect(await query('SELECT FROM recordings WHERE call_id = $1', [told.callId])).toEqual([]);
});

test('pushed while the period is shortened, it is kept by the shorter one', { timeout: 120_000 }, async () => {
  const administrator = service.as('administrator');
  const path = '/api/v1/retention/policies/recording';
  const { dueAtOnce: expected, token } = (await administrator.get(`${path}/preview?amount=60&unit=days`).expect(200)).body as { dueAtOnce: number; token: string };
  const calls = takes.slice(0, 8).map(() => call());
  const { database } = service.service.platform;
  let answers: Promise<{ status: number }[]> = Promise.resolve([]);
  // Each has read which period is in force, and waits to write its row, when another is set.
  await database.inTransaction(async (tx) => {
    await database.query('LOCK TABLE recordings IN SHARE ROW EXCLUSIVE MODE', [], tx);
    answers = Promise.all(calls.map((told, at) => push(told, takes[at] ?? Buffer.alloc(0)).then(({ status }) => ({ status }))));
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'recordings'::regclass`;
    await expect.poll(async () => (await database.query(waiting)).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    await administrator.put(path).send({ amount: 60, unit: 'days', reason: 'test', existing: { expected, token } }).expect(200);
  });
  try {
    expect((await answers).map(({ status }) => status)).toEqual(calls.map(() => 201));
    const kept = `SELECT extract(epoch FROM retain_until - coalesce(ended_at, started_at)) / 86400 AS days FROM recordings WHERE call_id = ANY ($1)`;
    await expect.poll(async () => Math.max(...(await query<{ days: string }>(kept, [calls.map(({ callId }) => callId)])).map(({ days }) => Number(days)))).toBeLessThan(61);
  } finally {
    await administrator.put(path).send({ amount: 90, unit: 'days', reason: 'test' }).expect(200);
  }
});

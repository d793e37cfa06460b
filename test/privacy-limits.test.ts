import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remind } from '../src/privacy/remind.js';
import { startTestService, type TestService } from './support/service.js';

/** One officer alone, dates that pass, and what happens at the same moment. */
let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
beforeAll(async () => {
  service = await startTestService({ env: { FOUR_EYES: 'recorded' } });
  officer = service.as('privacy_officer');
});
afterAll(() => service.close());

const base = '/api/v1/privacy-requests';
const day = 86_400_000;
const step = (id: string, name: string, body: object = {}) => officer.post(`${base}/${id}/${name}`).send(body);
let number = 0;
async function takeIn(rights: string[] = ['access'], receivedAt = service.clock.now().toISOString()) {
  number += 1;
  const phone = `+3185000${3000 + number}`;
  const subject = { name: `Iemand ${number}`, emails: [`iemand${number}@example.test`], phones: [phone] };
  const { body } = await officer.post(base).send({ receivedAt, channel: 'letter', rights, subject, locale: 'nl', details: '' }).expect(201);
  return { id: body.id as string, phone, dueAt: body.dueAt as string };
}
async function sweepAt(instant: Date | string) {
  service.clock.set(instant);
  await service.signInAgain();
  const admin = service.as('administrator');
  const { id } = (await admin.post('/api/v1/retention/sweeps').expect(202)).body;
  await expect.poll(async () => (await admin.get(`/api/v1/retention/sweeps/${id}`)).body.state, { timeout: 30_000 }).toBe('done');
}
const exists = async (id: string) => (await service.service.platform.database.query('SELECT 1 FROM recordings WHERE id = $1', [id])).length === 1;

describe('an organisation with one officer', () => {
  test('approves alone with a reason, which stays on file', async () => {
    const { id, phone } = await takeIn();
    await service.push({ caller: phone });
    await step(id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
    const { recordings } = (await step(id, 'search').expect(200)).body;
    await step(id, 'items', { decisions: [{ itemId: recordings[0].itemId, decision: 'grant' }] }).expect(200);
    await step(id, 'approve').expect(422);
    const { processes } = (await step(id, 'approve', { reason: 'the only officer' }).expect(200)).body;
    expect(processes).toMatchObject([{ state: 'approved', approvedAlone: true }]);
  });
});

describe('what was found', () => {
  test('outlives its period for five days, and while the request is open once it is confirmed', async () => {
    const start = service.clock.now();
    const { id, phone } = await takeIn();
    const almost = new Date(start.getTime() - 90 * day + 2 * 3_600_000).toISOString();
    const [candidate, confirmed] = [
      await service.push({ caller: phone, startedAt: almost, callId: randomUUID() }),
      await service.push({ caller: phone, startedAt: almost, callId: randomUUID() }),
    ];
    const { recordings } = (await step(id, 'search').expect(200)).body;
    expect((await officer.get(`${base}?urgent=true`).expect(200)).body.items.map((item: { id: string }) => item.id)).toContain(id);
    const mine = recordings.find((item: { recordingId: string }) => item.recordingId === confirmed);
    await step(id, 'items', { decisions: [{ itemId: mine.itemId, decision: 'grant' }] }).expect(200);
    await sweepAt(new Date(start.getTime() + 5 * day - 60_000));
    expect([await exists(candidate), await exists(confirmed)]).toEqual([true, true]);
    await sweepAt(new Date(start.getTime() + 5 * day + 60_000));
    expect([await exists(candidate), await exists(confirmed)]).toEqual([false, true]);
    officer = service.as('privacy_officer');
    await step(id, 'close', { outcome: 'withdrawn', reason: 'changed their mind' }).expect(200);
    await sweepAt(new Date(start.getTime() + 6 * day + 120_000));
    expect(await exists(confirmed)).toBe(false);
    service.clock.reset();
    await service.signInAgain();
  });

  test('at the very moment the sweep comes is either frozen or gone, never half', async () => {
    const start = service.clock.now();
    const { id, phone } = await takeIn();
    const almost = new Date(start.getTime() - 90 * day + 60_000).toISOString();
    const ids = await Promise.all(Array.from({ length: 6 }, () => service.push({ caller: phone, startedAt: almost, callId: randomUUID() })));
    for (const each of ids) await service.processed(each);
    const until = (await officer.get(`/api/v1/recordings/${ids[0]}`).expect(200)).body.retainUntil as string;
    service.clock.freeze(new Date(Date.parse(until) - 1));
    const searching = step(id, 'search').then((answer) => answer);
    service.clock.set(new Date(Date.parse(until) + 5000));
    await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
    const answer = await searching;
    expect(answer.status).toBe(200);
    await expect
      .poll(async () => {
        const items = (await officer.get(`${base}/${id}`)).body.items as { recordingId: string; available: boolean; held: boolean }[];
        const kept = new Set(items.filter((item) => item.held && item.available).map((item) => item.recordingId));
        return (await Promise.all(ids.map(async (each) => (await exists(each)) === kept.has(each)))).every(Boolean);
      }, { timeout: 20_000 })
      .toBe(true);
    service.clock.reset();
  });
});

test('a restriction keeps what its period would have ended, until the person is asked', async () => {
  const start = service.clock.now();
  const { id, phone } = await takeIn(['restriction']);
  const recordingId = await service.push({ caller: phone, startedAt: new Date(start.getTime() - 89 * day).toISOString() });
  await step(id, 'identity', { method: 'known_email', outcome: 'verified' }).expect(200);
  const { recordings } = (await step(id, 'search').expect(200)).body;
  await step(id, 'items', { decisions: [{ itemId: recordings[0].itemId, right: 'restriction', decision: 'grant' }] }).expect(200);
  await step(id, 'approve', { reason: 'alone' }).expect(200);
  await step(id, 'close').expect(200);
  await sweepAt(new Date(start.getTime() + 3 * day));
  expect(await exists(recordingId)).toBe(true);
  service.clock.reset();
  await service.signInAgain();
});

test('reminders come a week and two days before, and on the other side of the due date it is overdue', async () => {
  const { id, dueAt } = await takeIn();
  const context = { platform: service.service.platform, settings: service.config };
  const kinds = async () =>
    (await service.service.platform.database.query<{ kind: string }>(
      `SELECT kind FROM privacy_events WHERE request_id = $1 AND kind IN ('reminded', 'overdue') ORDER BY at, id`, [id],
    )).map((row) => row.kind);
  for (const [beforeMs, expected] of [[8 * day, []], [6 * day, ['reminded']], [day, ['reminded', 'reminded']]] as const) {
    service.clock.freeze(new Date(Date.parse(dueAt) - beforeMs));
    await remind(context);
    await remind(context);
    expect(await kinds()).toEqual(expected);
  }
  service.clock.freeze(dueAt);
  await service.signInAgain();
  expect((await officer.get(`${base}/${id}`).expect(200)).body.overdue).toBe(false);
  service.clock.freeze(new Date(Date.parse(dueAt) + 1));
  expect((await officer.get(`${base}/${id}`).expect(200)).body).toMatchObject({ overdue: true, daysLeft: -1, clock: { daysLeft: -1 } });
  await remind(context);
  expect(await kinds()).toEqual(['reminded', 'reminded', 'overdue']);
  const metrics = (await service.nobody().get('/metrics')).text;
  expect(metrics).toMatch(/opname_privacy_requests\{lane="overdue"\} [1-9]/);
  service.clock.reset();
  await service.signInAgain();
});

test('the file of a closed request goes two years after its closing', async () => {
  const { id } = await takeIn();
  const closed = (await step(id, 'close', { outcome: 'forwarded', reason: 'they decide', forwardedTo: 'Klant BV' }).expect(200)).body;
  const until = Date.parse(closed.retainUntil);
  const listed = async () =>
    ((await officer.get(`${base}?limit=100&state=closed`).expect(200)).body as { items: { id: string }[] }).items.map((each) => each.id);
  service.clock.freeze(new Date(until - 1000));
  await service.signInAgain();
  officer = service.as('privacy_officer');
  await officer.get(`${base}/${id}`).expect(200);
  expect(await listed()).toContain(id);
  // From its date on nobody reads it, swept or not.
  service.clock.freeze(new Date(until));
  expect((await officer.get(`${base}/${id}`).expect(410)).body).toMatchObject({ code: 'retention-ended' });
  await officer.get(`${base}/${id}/letter`).expect(410);
  expect(await listed()).not.toContain(id);
  await sweepAt(new Date(until + 1000));
  officer = service.as('privacy_officer');
  // Another sweep, the scheduled one, may have taken it up and be a moment behind the one that was asked for.
  const rows = () => service.service.platform.database.query('SELECT 1 FROM privacy_requests WHERE id = $1', [id]);
  await expect.poll(rows, { timeout: 20_000 }).toEqual([]);
  await officer.get(`${base}/${id}`).expect(410);
  const [left] = await service.service.platform.database.query('SELECT 1 FROM privacy_subjects WHERE request_id = $1', [id]);
  expect(left).toBeUndefined();
  service.clock.reset();
});

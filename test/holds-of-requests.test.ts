import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** What privacy requests and secret orders keep: confirmed for the request, and told to nobody who may not know. */

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
beforeAll(async () => {
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
});
afterAll(() => service.close());

const day = 86_400_000;
const base = '/api/v1/privacy-requests';
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const wav = tone({ seconds: 1, channels: 1, rate: 8000 });

interface Group {
  id: string; requestId: string | null; reference: string | null; holds: number; recordings: number; unconfirmed: number;
  unconfirmedUntil: string | null; confirmBy: string | null; confirmationLate: boolean; hold: { id: string } | null; secret: boolean;
}
const groups = async (who: Agent) => (await who.get('/api/v1/holds/groups?inForce=true').expect(200)).body.items as Group[];
const groupOf = async (id: string, who = officer) => (await groups(who)).find((each) => each.id === id);
const unconfirmed = async () => (await officer.get('/api/v1/retention').expect(200)).body.unconfirmedHolds as number;

/** A request about somebody with `count` calls, identified and searched. */
async function searched(count: number, fields: object = {}, startedAt = service.clock.now()): Promise<{ id: string; recordingIds: string[]; itemIds: string[] }> {
  const phone = `+3185${String(Math.floor(Math.random() * 9e6) + 1e6)}`;
  const recordingIds: string[] = [];
  for (let at = 0; at < count; at += 1)
    recordingIds.push(await service.push({ caller: phone, callId: randomUUID(), startedAt: new Date(startedAt.getTime() - 60_000).toISOString() }, wav));
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], locale: 'nl',
    subject: { name: `Persoon ${phone}`, phones: [phone] }, ...fields,
  }).expect(201);
  const id = (body as { id: string }).id;
  await step(id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
  const found = (await step(id, 'search').expect(200)).body as { recordings: { itemId: string }[] };
  expect(found.recordings).toHaveLength(count);
  return { id, recordingIds, itemIds: found.recordings.map(({ itemId }) => itemId) };
}

describe('holds that a request placed', () => {
  test('are one line with their count, and are confirmed in one act by another officer', async () => {
    const before = await unconfirmed();
    const { id, itemIds } = await searched(5);
    const line = await groupOf(id);
    expect(line).toMatchObject({ requestId: id, holds: 5, recordings: 5, unconfirmed: 5, confirmationLate: false, hold: null, secret: false });
    expect(line?.reference).toMatch(/^PV-\d{4}-\d{4}$/);
    expect(await unconfirmed()).toBe(before + 1);
    expect((await officer.get(`/api/v1/holds?groupId=${id}`).expect(200)).body.items).toHaveLength(5);

    const confirm = (who: Agent, body: object) => who.post(`/api/v1/holds/groups/${id}/confirm`).send(body);
    const asOf = line?.unconfirmedUntil;
    await confirm(officer, { asOf }).expect(403);
    await confirm(second, {}).expect(422);
    await confirm(service.as('administrator'), { asOf }).expect(403);
    await confirm(second, { asOf: new Date(Date.parse(asOf ?? '') - 1).toISOString() }).expect(409);
    expect((await confirm(second, { asOf }).expect(200)).body).toEqual({ confirmed: 5, left: 0 });
    expect(await unconfirmed()).toBe(before);
    await confirm(second, { asOf }).expect(409);
    await second.post(`/api/v1/holds/groups/${randomUUID()}/confirm`).send({ asOf }).expect(404);
    // What a request keeps goes with the request, not before it.
    await officer.post(`/api/v1/holds/groups/${id}/release`).send({ reason: 'niet meer' }).expect(404);

    // The holds that take their place when the items turn out to be theirs have that second person already.
    await step(id, 'items', { decisions: itemIds.map((itemId) => ({ itemId, decision: 'grant', confirmed: true })) }).expect(200);
    expect(await groupOf(id)).toMatchObject({ holds: 10, recordings: 5, unconfirmed: 0 });
    expect(await unconfirmed()).toBe(before);
    const trail = await service.service.platform.database.query<{ action: string }>(
      `SELECT action FROM audit_entries WHERE action = 'hold.confirmed' AND details ->> 'secondPerson' = 'true'`,
    );
    expect(trail.length).toBeGreaterThanOrEqual(5);
  });

  test('that were never confirmed by themselves are confirmed by who approves the answer', async () => {
    const before = await unconfirmed();
    const { id, itemIds } = await searched(2);
    await step(id, 'items', { decisions: itemIds.map((itemId) => ({ itemId, decision: 'grant', confirmed: true })) }).expect(200);
    expect(await groupOf(id)).toMatchObject({ holds: 4, unconfirmed: 4 });
    await step(id, 'approve', {}, second).expect(200);
    expect(await groupOf(id)).toMatchObject({ unconfirmed: 0 });
    expect(await unconfirmed()).toBe(before);
  });
});

describe('a hold by hand', () => {
  test('is a line of its own; with an end it needs no review and ends by itself, without a day of grace', async () => {
    const id = await service.push({ callId: randomUUID() }, wav);
    const end = new Date(service.clock.now().getTime() + 2 * day).toISOString();
    const place = (more: object) => officer.post('/api/v1/holds').send({ recordingId: id, ground: 'legal_claim', reason: 'tot de zitting', ...more });
    await place({}).expect(422);
    await place({ endsAt: new Date(service.clock.now().getTime() - 1000).toISOString() }).expect(422);
    const { body } = await place({ endsAt: end }).expect(201);
    expect(body).toMatchObject({ endsAt: end, reviewAt: end, state: 'unconfirmed' });
    expect(await groupOf((body as { id: string }).id)).toMatchObject({ holds: 1, requestId: null, hold: { id: (body as { id: string }).id } });
    const held = async () => (await officer.get(`/api/v1/recordings/${id}`).expect(200)).body.held as boolean;
    service.clock.freeze(new Date(Date.parse(end) - 1000));
    await service.signInAgain();
    officer = service.as('privacy_officer');
    second = await service.another('privacy_officer');
    expect(await held()).toBe(true);
    service.clock.freeze(new Date(end));
    expect(await held()).toBe(false);
    service.clock.set(end);
  });
});

describe('a hold by number', () => {
  test('is one act on what there is, looked at first, confirmed and released in one, and never on what is still to come', async () => {
    const number = '+31850007788';
    const ids = [await service.push({ callId: randomUUID(), caller: number }, wav), await service.push({ callId: randomUUID(), caller: number }, wav)];
    await service.push({ callId: randomUUID(), caller: '+31850007789' }, wav);
    const terms = { ground: 'legal_claim', reason: 'geschil', reviewAt: new Date(service.clock.now().getTime() + 30 * day).toISOString() };
    const place = (body: object, who = officer) => who.post('/api/v1/holds/by-number').send({ ...terms, ...body });
    expect((await officer.get('/api/v1/holds/by-number').query({ number: '085 000 77 88' }).expect(200)).body).toEqual({ recordings: 2, tickets: 0, requesters: 0 });
    await service.as('trainer').get('/api/v1/holds/by-number').query({ number }).expect(403);
    await officer.get('/api/v1/holds/by-number').query({ number: '788' }).expect(422);
    await place({ number, expected: 3 }).expect(409);
    await place({ number: '+31850009999', expected: 1 }).expect(404);
    await place({ number, expected: 2, reason: ' ' }).expect(422);
    const { body } = await place({ number: '085-0007788', expected: 2 }).expect(201);
    const { actId } = body as { actId: string };
    expect(body).toMatchObject({ recordings: 2, ended: 0 });
    const line = await groupOf(actId);
    expect(line).toMatchObject({ requestId: null, holds: 2, recordings: 2, unconfirmed: 2, hold: null });
    const later = await service.push({ callId: randomUUID(), caller: number }, wav);
    const heldIds = ((await officer.get('/api/v1/recordings').query({ number, held: 'true' }).expect(200)).body as { items: { id: string }[] }).items.map(({ id }) => id);
    expect(heldIds.sort()).toEqual([...ids].sort());
    expect(heldIds).not.toContain(later);
    await officer.post(`/api/v1/holds/groups/${actId}/confirm`).send({ asOf: line?.unconfirmedUntil }).expect(403);
    expect((await second.post(`/api/v1/holds/groups/${actId}/confirm`).send({ asOf: line?.unconfirmedUntil }).expect(200)).body).toEqual({ confirmed: 2, left: 0 });
    expect((await second.post(`/api/v1/holds/groups/${actId}/release`).send({ reason: 'geschikt' }).expect(200)).body).toEqual({ released: 2 });
    await second.post(`/api/v1/holds/groups/${actId}/release`).send({ reason: 'nog eens' }).expect(409);
    const entries = await service.service.platform.database.query<{ details: object }>(`SELECT details FROM audit_entries WHERE object_id = $1`, [actId]);
    expect(entries).toHaveLength(1);
    expect(JSON.stringify(entries)).not.toContain('850007788');
  });

  test('keeps tickets with its calls, tells how many people share it, and takes no number of our own', async () => {
    const number = '+31850007790';
    const callId = await service.push({ callId: randomUUID(), caller: number }, wav);
    const ticketIds: string[] = [];
    for (const name of ['Anna', 'Bert']) {
      const { body } = await service.machine(service.helpdeskKey).put(`/api/v1/tickets/by-external/${randomUUID()}`).send({
        number: `H-${name}`, subject: 'Storing', category: 'support', status: 'open', createdAt: service.clock.now().toISOString(),
        requester: { name, phone: '085 000 77 90' },
        messages: [{ externalId: 'm', at: service.clock.now().toISOString(), from: 'customer', body: 'Het is stuk.', contentType: 'text/plain' }],
      }).expect(201);
      ticketIds.push((body as { id: string }).id);
    }
    expect((await officer.get('/api/v1/holds/by-number').query({ number }).expect(200)).body).toEqual({ recordings: 1, tickets: 2, requesters: 2 });
    const terms = { ground: 'legal_claim', reason: 'geschil', reviewAt: new Date(service.clock.now().getTime() + 30 * day).toISOString() };
    const { body } = await officer.post('/api/v1/holds/by-number').send({ ...terms, number, expected: 3 }).expect(201);
    expect(body).toMatchObject({ recordings: 1, tickets: 2, requesters: 2 });
    const held = (await officer.get(`/api/v1/holds?groupId=${(body as { actId: string }).actId}`).expect(200)).body as { items: { item: { id: string } }[] };
    expect(JSON.stringify(held)).toContain(callId);
    for (const id of ticketIds) expect((await officer.get(`/api/v1/tickets/${id}`).expect(200)).body).toMatchObject({ held: true });

    await service.as('administrator').put('/api/v1/organisation').send({ ownNumbers: [number] }).expect(200);
    const refused = await officer.get('/api/v1/holds/by-number').query({ number: '085 000 77 90' }).expect(422);
    expect(refused.body).toMatchObject({ errors: [{ path: 'number', message: expect.stringContaining('our own') as string }] });
    await officer.post('/api/v1/holds/by-number').send({ ...terms, number, expected: 3 }).expect(422);
    await service.as('administrator').put('/api/v1/organisation').send({ ownNumbers: [] }).expect(200);
  });
});

describe('a secret order', () => {
  const order = { authority: { name: 'Openbaar Ministerie', legalBasis: 'art. 126nd Sv', secret: true } };

  test('shows on what it keeps to its owner alone: to every other role it is as if it were not there', async () => {
    const { id: requestId, recordingIds: [id = ''] } = await searched(1, order);
    await service.processed(id);
    const heldFor = async (who: Agent) => ((await who.get(`/api/v1/recordings/${id}`).expect(200)).body as { held: boolean }).held;
    const listed = async (who: Agent, query: string) =>
      ((await who.get(`/api/v1/recordings?${query}`).expect(200)).body as { items: { id: string; held: boolean }[] }).items
        .filter((each) => each.id === id).map((each) => each.held);
    expect(await heldFor(officer)).toBe(true);
    expect(await listed(officer, 'held=true')).toEqual([true]);
    expect(await groupOf(requestId, officer)).toMatchObject({ secret: true });
    expect(await groupOf(requestId, service.as('auditor'))).toMatchObject({ secret: true });
    for (const who of [second, service.as('trainer'), service.as('administrator')]) {
      expect(await heldFor(who)).toBe(false);
      expect(await listed(who, 'held=true')).toEqual([]);
      expect(await listed(who, 'held=false')).toEqual([false]);
    }
    for (const who of [second, service.as('administrator')]) {
      expect(await groupOf(requestId, who)).toBeUndefined();
      expect((await who.get(`/api/v1/holds?recordingId=${id}`).expect(200)).body.items).toEqual([]);
      expect((await who.get('/api/v1/retention/report').expect(200)).text).not.toContain(id);
    }
    await second.post(`/api/v1/holds/groups/${requestId}/confirm`).send({ asOf: service.clock.now().toISOString() }).expect(404);
    // The PBX is told of nothing either.
    const again = await service.machine(service.pbxKey).post('/api/v1/recordings')
      .field({ callId: (await second.get(`/api/v1/recordings/${id}`)).body.callId as string, startedAt: (await second.get(`/api/v1/recordings/${id}`)).body.startedAt as string })
      .attach('audio', wav, 'call.wav').expect(200);
    expect(again.body).toMatchObject({ id, held: false });
  });

  test('keeps a call past its date for its owner alone, out of every other request, and from the sweep', async () => {
    const start = service.clock.now();
    const { id: requestId, recordingIds: [id = ''], itemIds } = await searched(1, order, new Date(start.getTime() - 86 * day));
    await step(requestId, 'items', { decisions: itemIds.map((itemId) => ({ itemId, decision: 'grant', confirmed: true })) }).expect(200);
    const { body: call } = await officer.get(`/api/v1/recordings/${id}`).expect(200);
    service.clock.set(new Date(start.getTime() + 5 * day));
    await service.signInAgain();
    officer = service.as('privacy_officer');
    second = await service.another('privacy_officer');
    await officer.get(`/api/v1/recordings/${id}`).expect(200);
    for (const address of [`/recordings/${id}`, `/recordings/${id}/audio?purpose=evidence`, `/recordings/${id}/listens`])
      await second.get(`/api/v1${address}`).expect(410);
    for (const who of [service.as('trainer'), service.as('administrator')]) await who.get(`/api/v1/recordings/${id}`).expect(410);
    await second.post('/api/v1/evidence').send({ recordingIds: [id], reason: 'zaak', recipient: 'rechtbank' }).expect(410);
    await second.post('/api/v1/holds').send({ recordingId: id, ground: 'legal_claim', reason: 'claim', reviewAt: new Date(service.clock.now().getTime() + day).toISOString() }).expect(410);
    const { body: theirs } = await officer.post(base).send({
      receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], locale: 'nl',
      subject: { name: 'Beller', phones: [(call as { caller: { number: string } }).caller.number] },
    }).expect(201);
    expect((await step((theirs as { id: string }).id, 'search').expect(200)).body).toMatchObject({ recordings: [] });
    await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
    await expect.poll(async () => (await service.as('administrator').get('/api/v1/retention')).body.lastSweep.state as string).toBe('done');
    await officer.get(`/api/v1/recordings/${id}`).expect(200);
    // In the file of the order it is there for who works on it: the second officer, too.
    const file = (await second.get(`${base}/${requestId}`).expect(200)).body as { items?: unknown };
    expect(JSON.stringify(file)).toContain(id);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { remind } from '../src/privacy/remind.js';
import { startTestService, type TestService } from './support/service.js';

/** Files of many things, read page by page; and answers that go out in two parts. */

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

const base = '/api/v1/privacy-requests';
const day = 86_400_000;
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const read = async (id: string, part = '', who = officer) => (await who.get(`${base}/${id}${part}`).expect(200)).body;
let number = 0;
interface Item {
  itemId: string;
  kind: string;
  decisions: object[];
}

/** Somebody who is known, with calls and tickets that were found. */
async function ready(rights: string[], calls: number, tickets = 0) {
  number += 1;
  const phone = `+3185000${5000 + number}`;
  for (let call = 0; call < calls; call += 1)
    await service.push({ caller: phone, callId: randomUUID(), startedAt: new Date(service.clock.now().getTime() - (call + 1) * 60_000).toISOString() });
  for (let ticket = 0; ticket < tickets; ticket += 1) {
    const at = new Date(service.clock.now().getTime() - (ticket + 1) * 90_000).toISOString();
    await service.machine(service.helpdeskKey).put(`/api/v1/tickets/by-external/${randomUUID()}`).send({
      number: `L${number}-${ticket}`, subject: 'Vraag', category: 'support', status: 'open', createdAt: at,
      requester: { name: 'Beller', phone }, messages: [{ externalId: 'm1', at, from: 'customer', body: 'Hallo', contentType: 'text/plain' }],
    }).expect(201);
  }
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights, locale: 'nl', subject: { name: `Lang ${number}`, phones: [phone] },
  }).expect(201);
  const id = body.id as string;
  await step(id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
  const found = (await step(id, 'search').expect(200)).body as { recordings: Item[]; tickets: Item[] };
  return { id, items: [...found.recordings, ...found.tickets] };
}

async function allPages(id: string, part: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { items: Record<string, unknown>[]; nextCursor: string | null } = await read(id, `/${part}limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    all.push(...page.items);
    cursor = page.nextCursor;
  }
  return all;
}

test('items and timeline are read page by page, and a decision answers with what it changed alone', async () => {
  const { id, items } = await ready(['access', 'portability'], 3, 2);
  const whole = await read(id);
  expect(whole.counts).toEqual({ items: 5, undecided: 7, events: whole.timeline.length });
  expect(await read(id, '?view=outline')).toEqual({ ...whole, items: [], undecided: [], timeline: [] });
  const ids = (list: Record<string, unknown>[]) => list.map((each) => each['itemId']);
  const paged = await allPages(id, 'items?');
  expect(new Set(ids(paged))).toEqual(new Set(ids(whole.items)));
  expect(paged).toHaveLength(5);
  for (const kind of ['recording', 'ticket'])
    expect(await allPages(id, `items?kind=${kind}&`)).toEqual(whole.items.filter((item: Item) => item.kind === kind));
  expect(await allPages(id, 'timeline?')).toEqual(whole.timeline.toReversed());
  const [one, other] = items;
  const { body: changed } = await officer.post(`${base}/${id}/items?view=changed`).send({ decisions: [
    { itemId: one?.itemId, decision: 'grant' }, { itemId: other?.itemId, decision: 'not_theirs' },
  ] }).expect(200);
  const after = await read(id);
  expect(new Set(ids(changed.items))).toEqual(new Set([one?.itemId, other?.itemId]));
  const touched = after.items.filter((item: Item) => ids(changed.items).includes(item.itemId));
  expect(changed.items).toEqual(expect.arrayContaining(touched));
  expect(changed.timeline).toEqual(after.timeline.slice(whole.timeline.length));
  expect(changed.counts).toEqual({ items: 5, undecided: 5, events: after.timeline.length });
  expect(changed.revision).toBe(after.revision);
  expect(ids(await allPages(id, 'items?whose=theirs&'))).toEqual([one?.itemId]);
  expect(ids(await allPages(id, 'items?whose=others&'))).toEqual([other?.itemId]);
  expect(await allPages(id, 'items?whose=open&')).toHaveLength(3);
  // Who sees no names sees none here either.
  expect((await read(id, '/items', service.as('auditor'))).items[0]).toMatchObject({ caller: null, callerName: null });
  await service.as('trainer').get(`${base}/${id}/timeline`).expect(403);
});

test('the letter that was approved goes out to the letter, and sending back gives an officer’s words back', async () => {
  const { id, items } = await ready(['access'], 1);
  await step(id, 'items', { decisions: [{ itemId: items[0]?.itemId, decision: 'grant' }] }).expect(200);
  const template = (opening: string) => officer.put('/api/v1/privacy-letter-templates/nl').send({ opening, closing: '' }).expect(200);
  await template('Zoals goedgekeurd.');
  await step(id, 'approve', {}, second).expect(200);
  await template('Later verzonnen.');
  const letter = async () => (await officer.get(`${base}/${id}/letter`).expect(200)).text;
  const draft = async () => (await read(id, '/letter/draft')) as { text: string; edited: boolean };
  expect(await draft()).toMatchObject({ text: expect.stringContaining('Zoals goedgekeurd.'), edited: false });
  await step(id, 'send-back', { reason: 'nog eens' }).expect(200);
  expect((await draft()).text).toContain('Later verzonnen.');
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Eigen woorden.' }).expect(200);
  await step(id, 'approve', {}, second).expect(200);
  await step(id, 'send-back', { reason: 'en nog eens' }).expect(200);
  expect(await draft()).toMatchObject({ text: 'Eigen woorden.', edited: true });
  await step(id, 'approve', {}, second).expect(200);
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Stiekem.' }).expect(409);
  expect(await letter()).toContain('Eigen woorden.');
  await template('');
});

test('an objection left for later has a letter of its own once it is approved, and is overdue until then', async () => {
  const { id, items } = await ready(['access', 'objection'], 1);
  const decide = (right: string) => step(id, 'items', { decisions: [{ itemId: items[0]?.itemId, right, decision: 'grant' }] }).expect(200);
  await decide('access');
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'De eerste brief.' }).expect(200);
  await step(id, 'approve', {}, second).expect(200);
  const letter = async () => (await officer.get(`${base}/${id}/letter`).expect(200)).text;
  expect(await letter()).toContain('De eerste brief.');
  try {
    service.clock.set(new Date(service.clock.now().getTime() + 40 * day));
    await service.signInAgain();
    officer = service.as('privacy_officer');
    expect(await read(id)).toMatchObject({ overdue: true });
    expect((await officer.get(`${base}?state=open&limit=200`).expect(200)).body.items.find((each: { id: string }) => each.id === id)).toMatchObject({ overdue: true });
    await remind({ platform: service.service.platform, settings: service.config });
    expect((await read(id)).timeline.map(({ kind }: { kind: string }) => kind)).toContain('overdue');
  } finally {
    service.clock.reset();
    await service.signInAgain();
    officer = service.as('privacy_officer');
    second = await service.another('privacy_officer');
  }
  await decide('objection');
  // What nobody has approved does not go out, and what was approved still does.
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'De tweede brief.' }).expect(200);
  expect(await letter()).toContain('De eerste brief.');
  await step(id, 'approve', {}, second).expect(200);
  expect(await letter()).toContain('De tweede brief.');
});

test.each([
  ['15(4)', 422], ['UAVG 41', 422], ['21(1)', 422], ['other', 422], ['17(3)(b)', 200], ['17(3)(e)', 200], ['12(5)', 200],
])('to refuse to erase a call on %s is answered %i', async (ground, status) => {
  refusing ??= await ready(['erasure'], 1);
  const decision = { itemId: refusing.items[0]?.itemId, right: 'erasure', decision: 'refuse', reason: 'geschil 2026-14', ground };
  const { body } = await step(refusing.id, 'items', { decisions: [decision] }).expect(status);
  if (status === 200) expect(body.items[0].decisions[0]).toMatchObject({ ground, reviewAt: expect.any(String) });
});
let refusing: Awaited<ReturnType<typeof ready>> | undefined;

test('closing does not erase what was granted to be seen and nobody has fetched', async () => {
  const { id, items } = await ready(['access', 'erasure'], 1);
  const recordingId = (await read(id)).items[0].recordingId as string;
  await step(id, 'items', { decisions: ['access', 'erasure'].map((right) => ({ itemId: items[0]?.itemId, right, decision: 'grant' })) }).expect(200);
  await step(id, 'approve', {}, second).expect(200);
  await step(id, 'close', {}).expect(409);
  await officer.get(`/api/v1/recordings/${recordingId}`).expect(200);
  await officer.get(`${base}/${id}/package`).buffer(true).expect(200);
  await step(id, 'close', {}).expect(200);
  await officer.get(`/api/v1/recordings/${recordingId}`).expect(410);
});

test('what is not for the same eyes is not merged, and an address nobody verified makes who they are a question again', async () => {
  const { id } = await ready(['access'], 1);
  const { subject } = await read(id);
  const takeIn = async (rest: object, told: object = {}) => (await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], locale: 'nl', subject: { phones: subject.phones, ...told }, ...rest,
  }).expect(201)).body.id as string;
  const order = await takeIn({ authority: { name: 'OM', legalBasis: 'art. 126nd Sv', secret: true } });
  const employee = await takeIn({ employee: { userId: service.signInOf('agent').id } });
  expect((await read(id)).possibleDuplicates).toMatchObject([{ id: employee }]);
  for (const other of [order, employee]) {
    await officer.post(`${base}/${other}/merge`).send({ into: id }).expect(409);
    await officer.post(`${base}/${id}/merge`).send({ into: other }).expect(409);
  }
  const same = await takeIn({});
  expect((await officer.post(`${base}/${same}/merge`).send({ into: id }).expect(200)).body.identity.verifiedAt).not.toBe(null);
  const brings = await takeIn({}, { emails: ['somebody@else.test'] });
  expect((await officer.post(`${base}/${brings}/merge`).send({ into: id }).expect(200)).body).toMatchObject({ state: 'identity', identity: { verifiedAt: null } });
});

test('a refusal that comes after the first month is told to be late, extended or not', async () => {
  const { body } = await officer.post(base).send({
    receivedAt: '2026-01-05T10:00:00Z', channel: 'letter', rights: ['access'], locale: 'nl', subject: { phones: ['+31850006999'] },
  }).expect(201);
  await service.push({ caller: '+31850006999', callId: randomUUID() });
  await step(body.id, 'extend', { reason: 'veel' }).expect(200);
  const { recordings } = (await step(body.id, 'search').expect(200)).body;
  const decision = { itemId: recordings[0].itemId, decision: 'refuse', reason: 'kennelijk ongegrond', ground: '12(5)' };
  expect((await step(body.id, 'items', { decisions: [decision] }).expect(200)).body.clock.warnings).toContain('refusal_late');
});

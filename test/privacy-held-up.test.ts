import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { carryOutJob } from '../src/privacy/carry-out.js';
import { startTestService, type TestService } from './support/service.js';

/** An erasure that was granted and that another hold keeps back: what the person is told, and what nobody is. */

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
let serial = 0;
beforeAll(async () => {
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
});
afterAll(() => service.close());

const base = '/api/v1/privacy-requests';
const day = 86_400_000;
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const fileOf = async (id: string, who = officer) => (await who.get(`${base}/${id}`).expect(200)).body;
const draftOf = async (id: string): Promise<string> => (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body.text;
const owed = async () => (await officer.get(`${base}?letterDue=true`).expect(200)).body.items.map(({ id }: { id: string }) => id);
const kindsIn = ({ timeline }: { timeline: { kind: string }[] }) => timeline.map(({ kind }) => kind);
const isGone = async (id: string) => (await service.service.platform.database.query('SELECT 1 FROM recordings WHERE id = $1', [id])).length === 0;

async function takeIn(phone: string, rights: string[], rest: object = {}): Promise<string> {
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights, locale: 'nl',
    subject: { name: 'Anna Jansen', phones: [phone] }, ...rest,
  }).expect(201);
  await step(body.id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
  return body.id;
}

/** Somebody whose calls were found and are to be erased. */
async function ready(rights: string[], { calls = 1, ticket = false, ...rest }: { calls?: number; ticket?: boolean; [field: string]: unknown } = {}) {
  serial += 1;
  const phone = `+3168800${1000 + serial}`;
  const recordings: string[] = [];
  for (let call = 0; call < calls; call += 1) recordings.push(await service.push({ caller: phone, callId: randomUUID() }));
  for (const each of recordings) await service.processed(each);
  const tickets: string[] = [];
  if (ticket) {
    const at = new Date(service.clock.now().getTime() - 3_600_000).toISOString();
    const { body } = await service.machine(service.helpdeskKey).put(`/api/v1/tickets/by-external/held-${serial}`).send({
      number: `T-${serial}`, subject: 'Vraag', category: 'support', status: 'open', createdAt: at, requester: { name: 'Anna Jansen', phone },
      messages: [{ externalId: 'm1', at, from: 'customer', body: 'Hallo', contentType: 'text/plain' }],
    }).expect(201);
    tickets.push((body as { id: string }).id);
  }
  const id = await takeIn(phone, rights, { ...rest, subject: { phones: [phone] } });
  const search = (await step(id, 'search').expect(200)).body as Record<'recordings' | 'tickets', { itemId: string }[]>;
  const found = [...search.recordings, ...search.tickets];
  await step(id, 'items', { decisions: found.flatMap(({ itemId }) => rights.map((right) => ({ itemId, right, decision: 'grant' }))) }).expect(200);
  return { id, phone, recordings, tickets };
}
const hold = async (recordingId: string, ground = 'legal_claim'): Promise<string> =>
  (await officer.post('/api/v1/holds').send({
    recordingId, ground, reason: 'geschil over de levering', reviewAt: new Date(service.clock.now().getTime() + 10 * day).toISOString(),
  }).expect(201)).body.id;

/** A day and an hour later: a release has come into effect. */
async function dayLater(): Promise<void> {
  service.clock.set(new Date(service.clock.now().getTime() + day + 3_600_000));
  await service.signInAgain();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
  service.service.platform.jobs.nudge(carryOutJob);
}

test.each([
  ['nl', 'Een deel kunnen wij nu nog niet verwijderen', 'wij hebben dit nog nodig voor een rechtsvordering (artikel 17 lid 3 onder e AVG)', 'De reden daarvoor is vervallen'],
  ['en', 'Some of it we cannot erase yet', 'we still need this for a legal claim (article 17(3)(e) GDPR)', 'The reason for that is gone'],
])('what a claim keeps is named in the answer, restricted, and erased and told of once the claim is over (%s)', async (locale, part, because, after) => {
  const { id, recordings: [first = '', other = ''] } = await ready(['erasure'], { calls: 2, locale });
  const holdId = await hold(first);
  const draft = await draftOf(id);
  for (const words of [part, because]) expect(draft).toContain(words);
  await step(id, 'approve', {}, second).expect(200);
  expect((await officer.get(`${base}/${id}/letter`).expect(200)).text).toContain(because);
  await service.as('trainer').get(`/api/v1/recordings/${first}/audio`).expect(404);
  await officer.get(`/api/v1/recordings/${other}`).expect(410);
  await step(id, 'close').expect(200);
  const closed = await fileOf(id);
  expect([kindsIn(closed).filter((kind) => kind.startsWith('erasure_')).sort(), closed.lettersDue]).toEqual([['erasure_begun', 'erasure_held_up'], []]);
  await service.as('trainer').get(`/api/v1/recordings/${first}/audio`).expect(404);
  await officer.get(`${base}/${id}/notices/erased`).expect(409);

  await officer.post(`/api/v1/holds/${holdId}/release`).send({ reason: 'geschikt' }).expect(200);
  await dayLater();
  await expect.poll(async () => (await officer.get(`/api/v1/tombstones?recordingId=${first}`)).body.items, { timeout: 20_000 }).toMatchObject([{ reason: 'erasure' }]);
  expect([(await fileOf(id)).lettersDue, await owed()]).toEqual([['erased'], [id]]);
  const { text, fixed } = (await officer.get(`${base}/${id}/notices/erased`).expect(200)).body;
  expect(text).toContain(after);
  expect(text).toMatch(/- (gesprek van|call of) \d/);
  expect(fixed).toContain('Autoriteit Persoonsgegevens');
  await officer.post(`${base}/${id}/notices/erased`).send({}).expect(200);
  expect([(await fileOf(id)).lettersDue, await owed()]).toEqual([[], []]);
});

test('a hold that turns up after the answer was given is told of in a letter, and the queue says that it is owed', async () => {
  const { id, recordings: [first = ''] } = await ready(['access', 'erasure']);
  await step(id, 'approve', {}, second).expect(200);
  await officer.get(`${base}/${id}/package`).buffer(true).expect(200);
  await officer.get(`${base}/${id}/notices/held_up`).expect(409);
  await hold(first);
  await step(id, 'close').expect(200);
  expect([(await fileOf(id)).lettersDue, await owed()]).toEqual([['held_up'], [id]]);
  await service.as('trainer').get(`/api/v1/recordings/${first}/audio`).expect(404);
  const { text } = (await officer.get(`${base}/${id}/notices/held_up`).expect(200)).body;
  for (const words of ['nog niet verwijderd', 'De reden: wij hebben dit nog nodig voor een rechtsvordering (artikel 17 lid 3 onder e AVG). Het gaat om:\n\n- gesprek van'])
    expect(text).toContain(words);
  await officer.post(`${base}/${id}/notices/held_up`).send({ format: 'pdf' }).buffer(true).expect(200);
  expect([(await fileOf(id)).lettersDue, await owed()]).toEqual([[], []]);
});

test('an answer that is taken back opens what it closed, and does not count as having told of it', async () => {
  const { id, recordings: [first = ''] } = await ready(['erasure']);
  await hold(first);
  const trainer = service.as('trainer');
  await step(id, 'approve', {}, second).expect(200);
  await trainer.get(`/api/v1/recordings/${first}/audio`).expect(404);
  await step(id, 'send-back', { reason: 'kijk nog eens' }, second).expect(200);
  await trainer.get(`/api/v1/recordings/${first}/audio`).expect(200);
});

test('what only a secret order keeps is as gone as anything else: no file, letter or list differs, until the order lets go of it', async () => {
  const mine = await ready(['access', 'erasure'], { ticket: true });
  const plain = await ready(['access', 'erasure'], { ticket: true });
  const order = (await second.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'letter', rights: ['access', 'restriction'], locale: 'nl', subject: { phones: [mine.phone] },
    authority: { name: 'Officier van justitie', legalBasis: 'art. 126n Sv', secret: true },
  }).expect(201)).body.id as string;
  await step(order, 'identity', { method: 'letter', outcome: 'verified' }, second).expect(200);
  const ordered = (await step(order, 'search', {}, second).expect(200)).body as Record<'recordings' | 'tickets', { itemId: string }[]>;
  const all = [...ordered.recordings, ...ordered.tickets];
  expect(all).toHaveLength(2);
  await step(order, 'items', { decisions: all.flatMap(({ itemId }) => ['access', 'restriction'].map((right) => [itemId, right])).map(([itemId, right]) => ({ itemId, right, decision: 'grant', reason: 'het bevel noemt het' })) }, second).expect(200);

  // Of both requests all that anybody gets to see, but for what tells one from the other.
  const seen = async ({ id, recordings: [recordingId = ''], tickets: [ticketId = ''] }: typeof mine) => {
    const { items, timeline, urgent, nextExpiryAt, lettersDue, state } = await fileOf(id);
    const known = items.map(({ itemId: _, recordingId: __, ticketId: ___, decisions, ...item }: { itemId: string; recordingId: string; ticketId: string; decisions: { decision: string; carriedOutAt: string | null }[] }) =>
      ({ ...item, decisions: decisions.map(({ decision, carriedOutAt }) => [decision, carriedOutAt !== null]) }));
    const recording = await officer.get(`/api/v1/recordings/${recordingId}`);
    const ticket = await officer.get(`/api/v1/tickets/${ticketId}`);
    const holds = (await officer.get(`/api/v1/holds?recordingId=${recordingId}`)).body.items?.map(({ ground, state: now }: { ground: string; state: string }) => [ground, now]);
    const letter = (await draftOf(id)).replaceAll(/PV-\d+-\d+|T-\d+|\d\d:\d\d/g, '…');
    return { known, kinds: kindsIn({ timeline }), urgent, nextExpiryAt, lettersDue, state, status: recording.status, code: recording.body.code, ticket: [ticket.status, ticket.body.code], holds, letter };
  };
  expect((await draftOf(mine.id)).replaceAll(/PV-\d+-\d+|T-\d+|\d\d:\d\d/g, '…')).toBe((await draftOf(plain.id)).replaceAll(/PV-\d+-\d+|T-\d+|\d\d:\d\d/g, '…'));
  for (const { id } of [mine, plain]) {
    await step(id, 'approve', {}, second).expect(200);
    await officer.get(`${base}/${id}/package`).buffer(true).expect(200);
    await step(id, 'close').expect(200);
  }
  const isTicketGone = async (id = '') => (await service.service.platform.database.query('SELECT 1 FROM tickets WHERE id = $1', [id])).length === 0;
  await expect.poll(async () => (await isGone(plain.recordings[0] ?? '')) && (await isTicketGone(plain.tickets[0])), { timeout: 20_000 }).toBe(true);
  const told = await seen(mine);
  expect(told).toEqual(await seen(plain));
  expect(told).toMatchObject({ status: 410, ticket: [410, expect.any(String)], lettersDue: [] });
  expect(told.letter).toContain('Dat geldt niet zolang de wet ons verplicht iets te bewaren of het nodig is voor een rechtsvordering (artikel 17 lid 3 AVG)');
  for (const kind of ['held_up', 'erased']) await officer.get(`${base}/${mine.id}/notices/${kind}`).expect(409);
  expect(await owed()).toEqual([]);

  // Its owner goes on with it, and with the order it goes.
  expect(await isGone(mine.recordings[0] ?? '')).toBe(false);
  await second.get(`/api/v1/recordings/${mine.recordings[0] ?? ''}`).expect(200);
  await second.get(`/api/v1/tickets/${mine.tickets[0] ?? ''}`).expect(200);
  await step(order, 'approve', {}, officer).expect(200);
  await step(order, 'close', {}, second).expect(200);
  // What the order had preserved is its owner's to let go.
  const left = (await Promise.all([`recordingId=${mine.recordings[0] ?? ''}`, `ticketId=${mine.tickets[0] ?? ''}`].map(async (of) =>
    (await second.get(`/api/v1/holds?${of}`).expect(200)).body.items as { id: string; state: string; ground: string }[]))).flat();
  for (const each of left.filter(({ state, ground }) => ground === 'restriction' && state !== 'released'))
    await second.post(`/api/v1/holds/${each.id}/release`).send({ reason: 'het bevel is ten einde' }).expect(200);
  await dayLater();
  await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
  await expect.poll(async () => (await isGone(mine.recordings[0] ?? '')) && (await isTicketGone(mine.tickets[0])), { timeout: 20_000 }).toBe(true);
});

test('a request that is withdrawn erases nothing, whatever was decided', async () => {
  const { id, recordings: [first = ''] } = await ready(['erasure']);
  await step(id, 'close', { outcome: 'withdrawn', reason: 'bedacht zich' }).expect(200);
  await officer.get(`/api/v1/recordings/${first}`).expect(200);
  expect(kindsIn(await fileOf(id))).not.toContain('erasure_begun');
});

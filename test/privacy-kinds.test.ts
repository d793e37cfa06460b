import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mailReminders, remind } from '../src/privacy/remind.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** Requests of those who are not an ordinary caller: employees, companies, authorities; and letters besides the answer. */

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
let mailbox: Server;
const mails: string[] = [];

/** Takes mail and keeps it. */
function startMailbox(): Promise<Server> {
  const server = createServer((socket) => {
    let data: string | undefined;
    socket.write('220 test\r\n');
    socket.on('data', (chunk: Buffer) => {
      const said = chunk.toString();
      if (data !== undefined) {
        data += said;
        if (!data.includes('\r\n.\r\n')) return;
        mails.push(data);
        data = undefined;
        socket.write('250 ok\r\n');
      } else if (said.startsWith('DATA')) {
        data = '';
        socket.write('354 go\r\n');
      } else if (said.startsWith('QUIT')) socket.end('221 bye\r\n');
      else socket.write('250 ok\r\n');
    });
    socket.on('error', () => undefined);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

beforeAll(async () => {
  mailbox = await startMailbox();
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
  await service.as('administrator').put('/api/v1/organisation').send({ controller: 'Voorbeeld BV', address: 'Laan 1', privacyEmail: 'p@example.test' }).expect(200);
});
afterAll(async () => {
  mailbox.close();
  await service.close();
});

const base = '/api/v1/privacy-requests';
let serial = 0;
async function takeIn(rest: object, subject: object = {}) {
  serial += 1;
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], locale: 'nl',
    subject: { name: 'Anna Jansen', phones: [`06 8600 ${1000 + serial}`], emails: [`a${serial}@example.test`], ...subject }, ...rest,
  }).expect(201);
  return { ...body, phone: `+316860${String(1000 + serial).padStart(5, '0')}` } as { id: string; reference: string; phone: string; dueAt: string };
}
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const verify = (id: string) => step(id, 'identity', { method: 'known_email', outcome: 'verified' }).expect(200);
const search = async (id: string, body: object = {}) => (await step(id, 'search', body).expect(200)).body;
const zip = (id: string) => officer.get(`${base}/${id}/package`).buffer(true).parse((response, done) => {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('end', () => done(null, Buffer.concat(chunks)));
}).expect(200);
const stereo = () => tone({ seconds: 2, channels: 2 });
async function keyOf(name: string): Promise<string> {
  const { body } = await service.as('administrator').post('/api/v1/keys').send({ name, role: 'pbx', channels: ['caller', 'agent'] }).expect(201);
  return body.key;
}
async function pushed(key: string, fields: Record<string, string>, audio = stereo()): Promise<string> {
  serial += 1;
  const { body } = await service.machine(key).post('/api/v1/recordings')
    .field({ callId: `k${serial}`, startedAt: new Date(service.clock.now().getTime() - 60_000).toISOString(), caller: '+31685000001', callee: '+31850000001', ...fields })
    .attach('audio', audio, 'call.wav').expect(201);
  return body.id;
}

test('an employee gets their own leg; the customer’s is masked, and who leads them is kept from it', async () => {
  const key = await keyOf('legs');
  const { id: employeeId } = service.signInOf('agent');
  await service.as('administrator').patch(`/api/v1/users/${employeeId}`).send({ extensions: ['4711'] }).expect(200);
  await service.as('administrator').put('/api/v1/further-uses/evaluation').send({
    ground: 'legitimate_interest', explanation: 'Coaching.', consent: { date: '2026-10-01', reference: 'OR-2026-7' },
  }).expect(200);
  const leader = await service.another('privacy_officer');
  const leaderId = (await leader.get('/api/v1/session').expect(200)).body.user.id;
  const recordingId = await pushed(key, { agent: '4711' });
  await pushed(key, { agent: '4712' });
  await officer.post(base).send({
    receivedAt: '2026-11-01', channel: 'email', rights: ['access'], subject: { name: 'x' }, employee: { userId: recordingId },
  }).expect(422);
  const { id } = await takeIn({ employee: { userId: employeeId, keptFrom: [leaderId] } }, { name: 'Adem Agent' });
  await leader.get(`${base}/${id}`).expect(404);
  await step(id, 'search', {}, leader).expect(404);
  expect((await leader.get(base).expect(200)).body.items.map((each: { id: string }) => each.id)).not.toContain(id);
  await verify(id);
  const { recordings } = await search(id);
  expect(recordings.map((item: { recordingId: string; basis: string[] }) => [item.recordingId, item.basis])).toEqual([[recordingId, ['own_call']]]);
  const decided = (await step(id, 'items', { decisions: [{ itemId: recordings[0].itemId, decision: 'grant' }] }).expect(200)).body;
  expect(decided.items[0].decisions[0].mask).toMatchObject([{ startMs: 0, channel: 'caller' }]);
  await step(id, 'approve', {}, second).expect(200);
  const letter = (await officer.get(`${base}/${id}/letter`).expect(200)).text;
  for (const words of ['1 oktober 2026', 'artikel 27 WOR; OR-2026-7', 'uw eigen stem']) expect(letter).toContain(words);
  // What the register says of customers is not about them.
  expect(letter).not.toContain('uw werkgever of opdrachtgever');
  const file = ((await zip(id)).body as Buffer).toString('latin1');
  expect(file).toContain('data/work.json');
});

test('a company has no right of access: refused by default, and sent on with a letter to each', async () => {
  const { id, phone } = await takeIn({ requesterKind: 'company' }, { organisation: 'Klant BV' });
  await service.push({ caller: phone });
  await verify(id);
  const { recordings } = await search(id);
  expect(recordings[0].usual[0]).toMatchObject({ decision: 'refuse' });
  await step(id, 'items', { decisions: [{ itemId: recordings[0].itemId, decision: 'grant' }] }).expect(422);
  const forward = (await officer.get(`${base}/${id}/notices/forward`).expect(200)).body;
  expect(forward).toMatchObject({ to: 'Klant BV', fixed: '' });
  expect(forward.text).toContain('artikel 28 lid 3 onder e');
  const told = await officer.post(`${base}/${id}/notices/forwarded`).send({}).expect(200);
  for (const words of ['Klant BV', 'Autoriteit Persoonsgegevens', 'rechtbank', 'zes weken']) expect(told.text).toContain(words);
  const pdf = await officer.post(`${base}/${id}/notices/forward`).send({ format: 'pdf', text: 'In andere woorden.' }).buffer(true).expect(200);
  expect(pdf.headers['content-type']).toBe('application/pdf');
  const { timeline } = (await officer.get(`${base}/${id}`).expect(200)).body;
  expect(timeline.filter(({ kind }: { kind: string }) => kind === 'notice_sent').map((each: { details: object; note: string }) => [each.details, each.note.slice(0, 9)]))
    .toEqual([[{ notice: 'forwarded' }, expect.any(String)], [{ notice: 'forward' }, 'In andere']]);
});

test('a secret order and its hold are known to its owner and the auditor; no letter and no trail of others tells of it', async () => {
  const caller = await takeIn({});
  const recordingId = await service.push({ caller: caller.phone });
  const order = await takeIn(
    { authority: { name: 'Officier van justitie', legalBasis: 'art. 126n Sv', secret: true }, rights: ['access', 'restriction'] },
    { name: null, emails: [], phones: [caller.phone] },
  );
  await verify(order.id);
  const found = await search(order.id);
  await step(order.id, 'items', { decisions: ['access', 'restriction'].map((right) => (
    { itemId: found.recordings[0].itemId, right, decision: 'grant', reason: 'the order names it' })) }).expect(200);
  await step(order.id, 'approve', {}, second).expect(200);
  // In the ordinary player, where nothing says what it is for.
  await service.processed(recordingId);
  await officer.get(`/api/v1/recordings/${recordingId}/audio`).expect(200);
  const reply = (await officer.get(`${base}/${order.id}/letter`).expect(200)).text;
  expect(reply).toContain('Antwoord op uw bevel');
  expect(reply).toContain('Officier van justitie');
  expect(reply).not.toContain('Autoriteit Persoonsgegevens');
  await zip(order.id);
  const trailOf = async (who: Agent) => JSON.stringify((await who.get(`/api/v1/audit?object=${recordingId}&limit=100`).expect(200)).body);
  expect(await trailOf(service.as('auditor'))).toContain('authority_order');
  expect(await trailOf(service.as('auditor'))).toContain('restriction.placed');
  for (const words of ['authority_order', 'restriction.placed']) expect(await trailOf(second)).not.toContain(words);
  expect(JSON.stringify((await second.get(`/api/v1/audit?object=${order.id}&limit=100`).expect(200)).body)).not.toContain('privacy_request');
  expect(JSON.stringify((await second.get('/api/v1/holds?limit=100').expect(200)).body)).not.toContain('authority_order');

  await verify(caller.id);
  const theirs = await search(caller.id);
  await step(caller.id, 'items', { decisions: [{ itemId: theirs.recordings[0].itemId, decision: 'grant' }] }).expect(200);
  await step(caller.id, 'approve', {}, second).expect(200);
  const letter = (await officer.get(`${base}/${caller.id}/letter`).expect(200)).text;
  expect(letter).toContain('aan niemand anders verstrekt');
  expect(letter).toContain('Er is niet naar deze opname geluisterd');
});

test('an extension, doubt about identity and receipt are told in letters that name complaint and court', async () => {
  const { id } = await takeIn({ locale: 'en', rights: ['access', 'objection'] });
  await officer.get(`${base}/${id}/notices/extension`).expect(409);
  await step(id, 'extend', { reason: 'We have to ask two other companies.' }).expect(200);
  for (const kind of ['received', 'identity', 'clarification', 'extension', 'lifting']) {
    const { text } = await officer.post(`${base}/${id}/notices/${kind}`).send({}).expect(200);
    for (const words of ['Autoriteit Persoonsgegevens', 'rechtbank', 'six weeks', 'Dear Anna Jansen']) expect([kind, text]).toEqual([kind, expect.stringContaining(words)]);
  }
  expect((await officer.get(`${base}/${id}/notices/extension`).expect(200)).body.text).toContain('We have to ask two other companies.');
  await verify(id);
  await officer.get(`${base}/${id}/notices/identity`).expect(409);
});

test('what was said in a call finds whoever is named in it, and stands in the package without what is masked', async () => {
  const recordingId = await service.push({ caller: '+31850009999' }, stereo());
  await service.processed(recordingId);
  const segments = [
    { startMs: 100, endMs: 600, speaker: null, text: 'Zult u mevrouw Quispel terugbellen' },
    { startMs: 1200, endMs: 1700, speaker: null, text: 'Mijn zwager Ubbo weet het' },
  ];
  await service.as('trainer').put(`/api/v1/recordings/${recordingId}/transcript`).send({ revision: 0, segments }).expect(200);
  const { id } = await takeIn({}, { name: 'Mevrouw Quispel' });
  await verify(id);
  const { recordings } = await search(id);
  expect(recordings.map((item: { recordingId: string; basis: string[] }) => [item.recordingId, item.basis])).toEqual([[recordingId, ['transcript']]]);
  await step(id, 'items', { decisions: [{ itemId: recordings[0].itemId, decision: 'grant', mask: [{ startMs: 1100, endMs: 1800 }] }] }).expect(200);
  await step(id, 'approve', {}, second).expect(200);
  const file = ((await zip(id)).body as Buffer).toString('latin1');
  expect(file).toContain('data/transcripts/0001.html');
  expect([file.includes('Quispel terugbellen'), file.includes('Ubbo')]).toEqual([true, false]);
});

test('earlier recipients are told in a letter by the reference of what they hold, without anybody’s name', async () => {
  const { id, phone } = await takeIn({ rights: ['erasure'] });
  const recordingId = await service.push({ caller: phone });
  await service.service.platform.database.query(
    `INSERT INTO disclosures (package_id, recording_id, kind, reference, recipient, reason, disclosed_at)
     VALUES (gen_random_uuid(), $1, 'evidence', 'EV-2026-0042', 'Advocaat Zuid', 'geschil', $2)`,
    [recordingId, service.clock.now()],
  );
  await verify(id);
  const { recordings } = await search(id);
  const mine = recordings.find((item: { recordingId: string }) => item.recordingId === recordingId);
  const others = recordings.filter((item: object) => item !== mine).map(({ itemId }: { itemId: string }) => ({ itemId, decision: 'not_theirs' }));
  await step(id, 'items', { decisions: [{ itemId: mine.itemId, right: 'erasure', decision: 'grant' }, ...others] }).expect(200);
  await step(id, 'approve', {}, second).expect(200);
  const [told] = (await officer.get(`${base}/${id}/notifications`).expect(200)).body.items;
  const { text } = await officer.post(`${base}/${id}/notifications/${told.id}/letter`).send({}).expect(200);
  for (const words of ['Advocaat Zuid', 'EV-2026-0042', 'artikel 19 AVG', 'te wissen']) expect(text).toContain(words);
  expect(text).not.toContain('Jansen');
});

test('of a copy of a document only its destruction is kept, with the check', async () => {
  const { id } = await takeIn({});
  await step(id, 'identity', { method: 'questions', outcome: 'doubt', doubt: 'antwoorden klopten niet' }).expect(200);
  const file = (await step(id, 'identity', { method: 'masked_copy', outcome: 'verified' }).expect(200)).body;
  const kinds = file.timeline.map(({ kind }: { kind: string }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['copy_destroyed', 'identity_checked']));
  expect(file.identity.checks.at(-1)).toEqual({ method: 'masked_copy', outcome: 'verified', doubt: null, at: expect.any(String), by: expect.any(String) });
  const trail = (await service.as('auditor').get(`/api/v1/audit?object=${id}&action=privacy_request.copy_destroyed`).expect(200)).body.items;
  expect(trail).toHaveLength(1);
});

test('statistics count an outcome once it is approved, and until then as open', async () => {
  const { id, phone } = await takeIn({ receivedAt: '2019-05-06T10:00:00Z' });
  await service.push({ caller: phone });
  await verify(id);
  const { recordings } = await search(id);
  const own = recordings.filter((item: { caller: string }) => item.caller === phone);
  const others = recordings.filter((item: { caller: string }) => item.caller !== phone).map(({ itemId }: { itemId: string }) => ({ itemId, decision: 'not_theirs' }));
  await step(id, 'items', { decisions: [...own.map(({ itemId }: { itemId: string }) => ({ itemId, decision: 'grant' })), ...others] }).expect(200);
  const figures = async () => (await officer.get(`${base}/statistics?from=2019-05-01&to=2019-06-01`).expect(200)).body.byRight;
  expect(await figures()).toEqual([{ right: 'access', outcome: 'open', count: 1, medianDays: null }]);
  await step(id, 'approve', {}, second).expect(200);
  expect(await figures()).toMatchObject([{ right: 'access', outcome: 'granted', count: 1 }]);
});

test('passages of a ticket are made unreadable in the preview and the package, and nothing of them is left', async () => {
  const request = await takeIn({ rights: ['access', 'portability'] });
  const { body: made } = await service.machine(service.helpdeskKey).put('/api/v1/tickets/by-external/passages').send({
    number: 'P1', subject: 'Vraag', category: 'support', status: 'open', createdAt: service.clock.now().toISOString(),
    requester: { name: 'Anna Jansen', phone: request.phone },
    messages: [
      { externalId: 'm1', at: service.clock.now().toISOString(), from: 'customer', body: 'Mijn buurman Karel heeft het ook.', contentType: 'text/plain' },
      { externalId: 'm2', at: service.clock.now().toISOString(), from: 'agent', internal: true, body: 'Advies van mr. Zwartkruis.', contentType: 'text/plain' },
    ],
  }).expect(201);
  await verify(request.id);
  const { tickets } = await search(request.id);
  const item = tickets.find((each: { ticketId: string }) => each.ticketId === made.id);
  const { messages } = (await officer.get(`/api/v1/tickets/${made.id}`).expect(200)).body;
  const passages = [{ pieceId: messages[0].id, start: 13, end: 18 }, { pieceId: messages[1].id }];
  const decisions = [
    { itemId: item.itemId, right: 'access', decision: 'partly', reason: 'anderen', passages },
    { itemId: item.itemId, right: 'portability', decision: 'grant', passages: passages.slice(0, 1) },
  ];
  await step(request.id, 'items', { decisions: [{ ...decisions[0], passages: [{ pieceId: messages[0].id, start: 9, end: 9 }] }] }).expect(422);
  await step(request.id, 'items', { decisions }).expect(200);
  const preview = (await officer.get(`${base}/${request.id}/items/${item.itemId}/preview`).expect(200)).text;
  expect(preview).toContain('Mijn buurman [onleesbaar gemaakt] heeft');
  expect(preview).toContain('Dit bericht is weggelaten');
  expect(preview).not.toContain('Zwartkruis');
  await step(request.id, 'approve', {}, second).expect(200);
  const file = ((await zip(request.id)).body as Buffer).toString('latin1');
  expect(file.includes('Karel') || file.includes('Zwartkruis')).toBe(false);
});

test('several items on a number that others use need a look at each', async () => {
  const { id, phone } = await takeIn({});
  for (const callerName of ['Een', 'Twee']) await service.push({ caller: phone, callerName });
  await verify(id);
  const { recordings, sharedNumbers } = await search(id);
  expect(sharedNumbers).toEqual([phone]);
  const decisions = recordings.map(({ itemId }: { itemId: string }) => ({ itemId, decision: 'grant' }));
  await step(id, 'items', { decisions }).expect(422);
  await step(id, 'items', { decisions: [decisions[0]] }).expect(200);
  await step(id, 'items', { decisions }).expect(200);
});

test('an erasure is not kept waiting by what another request held and let go of', async () => {
  const one = await takeIn({}, { name: 'Wilma Wist' });
  const recordingId = await service.push({ caller: one.phone });
  const other = await takeIn({ rights: ['erasure'] }, { name: 'Wilma Wist', phones: [one.phone] });
  await verify(one.id);
  const found = await search(one.id);
  await step(one.id, 'items', { decisions: [{ itemId: found.recordings[0].itemId, decision: 'refuse', reason: 'x' }] }).expect(200);
  await step(one.id, 'approve', {}, second).expect(200);
  await step(one.id, 'close').expect(200);
  await verify(other.id);
  const theirs = await search(other.id);
  await step(other.id, 'items', { decisions: [{ itemId: theirs.recordings[0].itemId, right: 'erasure', decision: 'grant' }] }).expect(200);
  const approved = (await step(other.id, 'approve', {}, second).expect(200)).body;
  expect(approved.timeline.map(({ kind }: { kind: string }) => kind)).toContain('erasure_begun');
  await officer.get(`/api/v1/recordings/${recordingId}`).expect(410);
});

test('officers are mailed once a step, without anybody’s name; while the clock stands still nobody is', async () => {
  const { id, reference, dueAt } = await takeIn({});
  const paused = await takeIn({});
  await step(paused.id, 'pause', { reason: 'wie?' }).expect(200);
  const settings = { ...service.config, alarms: { ...service.config.alarms, mail: { smtpUrl: `smtp://127.0.0.1:${(mailbox.address() as AddressInfo).port}?ignoreTLS=true`, from: 'opname@example.test', to: 'x@example.test' } } };
  const context = { platform: service.service.platform, settings };
  service.clock.freeze(new Date(Date.parse(dueAt) - 86_400_000));
  for (let turn = 0; turn < 2; turn += 1) {
    await remind(context);
    await mailReminders(context);
  }
  const about = mails.filter((mail) => mail.includes(reference));
  expect(about.length).toBe(3);
  expect(about.join('')).toContain('privacy-officer@example.test');
  expect(mails.join('')).not.toContain('Jansen');
  expect(mails.some((mail) => mail.includes(paused.reference))).toBe(false);
  expect(id).toBeTruthy();
  service.clock.reset();
  await service.signInAgain();
});

test('what a company or an authority asks is no duplicate of a person’s, and a company is listed and written of by its name', async () => {
  const phone = '+31850008123';
  const person = await takeIn({}, { name: 'Pia Persoon', emails: [], phones: [phone] });
  const order = await takeIn({ authority: { name: 'Politie', legalBasis: 'art. 126nd Sv' } }, { name: null, emails: [], phones: [phone] });
  const company = await takeIn({ requesterKind: 'company' }, { name: null, emails: [], phones: [phone], organisation: 'Bakkerij Noord' });
  const again = await takeIn({}, { name: 'Pia Persoon', emails: [], phones: [phone] });
  const duplicatesOf = async (id: string) => (await officer.get(`${base}/${id}`).expect(200)).body.possibleDuplicates.map((each: { id: string }) => each.id);
  expect([await duplicatesOf(order.id), await duplicatesOf(company.id), await duplicatesOf(again.id)]).toEqual([[], [], [person.id]]);
  expect((await officer.get(`${base}/${company.id}/notices/forward`).expect(200)).body.text).toContain('Het verzoek is van:\n\n- Bakkerij Noord');
  const { items } = (await officer.get(`${base}?limit=100`).expect(200)).body;
  expect(items.find(({ id }: { id: string }) => id === company.id)).toMatchObject({ requesterKind: 'company', subjectName: 'Bakkerij Noord' });
});

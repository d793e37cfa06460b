import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBlocks } from '../src/privacy/letter.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
let folder: string;
beforeAll(async () => {
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
  folder = await mkdtemp(path.join(tmpdir(), 'privacy-answer-'));
  await service.as('administrator').put('/api/v1/organisation').send({
    controller: 'Voorbeeld BV', address: 'Laan 1, 1234 AB Utrecht', privacyEmail: 'privacy@example.test', ownNumbers: [], holidays: [],
  }).expect(200);
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

const base = '/api/v1/privacy-requests';
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const binary = (who: Agent, address: string) =>
  who.get(address).buffer(true).parse((response, done) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => done(null, Buffer.concat(chunks)));
  });

let number = 0;
async function world(rights: string[], locale = 'nl') {
  number += 1;
  const caller = `+3185000${2000 + number}`;
  const subject = { name: `Jan Möller ${number}`, address: 'Dorpsstraat 5, 3400 AA IJsselstein', emails: [`jan${number}@example.test`], phones: [caller] };
  const recordingId = await service.push({ caller, holds: '[{"startMs":1500,"endMs":2000}]' }, tone({ seconds: 3, channels: 2, rate: 8000, seed: number }));
  await service.processed(recordingId);
  const at = service.clock.now().toISOString();
  const ticket = (
    await service.machine(service.helpdeskKey).put(`/api/v1/tickets/by-external/answer-${number}`).send({
      number: `A${number}`, subject: 'Telefoon', category: 'support', status: 'open', createdAt: at,
      requester: { name: subject.name, email: subject.emails[0], phone: caller, organisation: 'Bakker', relation: 'contracting_party' },
      messages: [
        { externalId: 'm1', at, from: 'customer', body: '=2+3 is <b>stuk</b>', contentType: 'text/plain' },
        { externalId: 'm2', at, from: 'agent', body: 'Wij kijken ernaar', contentType: 'text/plain' },
        { externalId: 'm3', at, from: 'agent', internal: true, body: 'lastige klant', contentType: 'text/plain' },
      ],
    })
  ).body as { id: string };
  await officer.get(`/api/v1/recordings/${recordingId}/audio`).expect(200);
  const { id, reference } = (
    await officer.post(base).send({ receivedAt: at, channel: 'email', rights, subject, locale, details: '' }).expect(201)
  ).body as { id: string; reference: string };
  await step(id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
  const found = (await step(id, 'search').expect(200)).body;
  return { id, reference, subject, recordingId, ticketId: ticket.id, recording: found.recordings[0].itemId as string, ticket: found.tickets[0].itemId as string };
}

async function unpack(id: string): Promise<{ root: string; files: string[]; read(name: string): Promise<string> }> {
  const answer = await binary(officer, `${base}/${id}/package`).expect(200).expect('Content-Type', 'application/zip');
  const target = await mkdtemp(path.join(folder, 'unpacked-'));
  await writeFile(path.join(target, 'answer.zip'), answer.body as Buffer);
  execFileSync('unzip', ['-q', 'answer.zip'], { cwd: target });
  const [name = ''] = (await readdir(target)).filter((each) => each !== 'answer.zip');
  const root = path.join(target, name);
  const files = (await readdir(root, { recursive: true })).sort();
  return { root, files, read: (file) => readFile(path.join(root, file), 'utf8') };
}

/** The loudest sample of a channel between two moments of a 16-bit stereo WAV. */
function loudest(wav: Buffer, channel: number, fromMs: number, toMs: number): number {
  const data = wav.indexOf('data') + 8;
  const rate = wav.readUInt32LE(wav.indexOf('fmt ') + 12);
  let peak = 0;
  for (let frame = Math.round((fromMs * rate) / 1000); frame < (toMs * rate) / 1000; frame += 1) {
    const at = data + frame * 4 + channel * 2;
    if (at + 2 <= wav.length) peak = Math.max(peak, Math.abs(wav.readInt16LE(at)));
  }
  return peak;
}

describe('an answer', () => {
  test('walks from intake to a package that opens offline, and a letter in both forms', async () => {
    const { id, reference, recording, ticket, recordingId } = await world(['access', 'portability']);
    const letter = `${base}/${id}/letter`;
    for (const address of [`${base}/${id}/package`, letter, `${letter}?format=pdf`]) await officer.get(address).expect(409);
    await step(id, 'items', {
      decisions: [
        { itemId: recording, decision: 'grant', mask: [{ startMs: 0, endMs: 500, channel: 0 }] },
        { itemId: ticket, decision: 'grant' },
        { itemId: ticket, right: 'portability', decision: 'grant' },
      ],
    }).expect(200);
    await officer.get(`${base}/${id}/package`).expect(409);
    const preview = (await binary(officer, `${base}/${id}/items/${recording}/preview`).expect(200)).body as Buffer;
    expect(loudest(preview, 0, 20, 480)).toBe(0);
    await step(id, 'approve', {}, second).expect(200);

    const { root, files, read } = await unpack(id);
    expect(path.basename(root)).toBe(reference);
    expect(files).toEqual(expect.arrayContaining(['index.html', 'data/letter.html', 'data/tickets/0001.html', 'data/portability/tickets.json', 'data/portability/tickets.csv', 'data/portability/schema.json']));
    const audio = files.find((file) => file.endsWith('.wav')) ?? '';
    const index = await read('index.html');
    for (const text of [audio, 'lang="nl"', 'Autoriteit Persoonsgegevens', 'rechtbank', 'zes weken', 'Gespreksopnames als u ons belt', 'bewijs van gemaakte afspraken', 'Beluisterd', 'data/portability/tickets.json', 'Voorbeeld BV'])
      expect(index).toContain(text);
    expect(index).not.toMatch(/https?:\/\/|<script/);
    for (const [, link = ''] of index.matchAll(/(?:href|src)="([^"]+)"/g)) expect(files).toContain(link);
    const wav = await readFile(path.join(root, audio));
    // The hold is cut, one leg is silent where it is masked, the other is not.
    expect(wav.length).toBeLessThan(8000 * 4 * 2.6);
    expect([loudest(wav, 0, 20, 480), loudest(wav, 1, 20, 480) > 1000, loudest(wav, 0, 600, 1000) > 1000]).toEqual([0, true, true]);
    expect(await read('data/tickets/0001.html')).toContain('lastige klant');
    expect(await read('data/tickets/0001.html')).toContain('&lt;b&gt;stuk');
    const portable = JSON.parse(await read('data/portability/tickets.json'));
    expect(portable).toMatchObject([{ number: `A${number}`, messages: [{ body: '=2+3 is <b>stuk</b>' }] }]);
    expect(portable[0].messages).toHaveLength(1);
    const csv = await read('data/portability/tickets.csv');
    expect(csv).toContain(`'=2+3`);
    expect(csv).not.toMatch(/Wij kijken|lastige/);
    execFileSync('sh', ['verify.sh'], { cwd: root });
    execFileSync('sha256sum', ['-c', '--quiet', 'manifest-sha256.txt'], { cwd: root });

    const html = (await officer.get(letter).expect(200).expect('Content-Type', /html/)).text;
    for (const text of [reference, 'Geachte Jan Möller', 'Inzage', 'Overdracht', 'Autoriteit Persoonsgegevens', 'rechtbank', 'zes weken', 'Dorpsstraat 5'])
      expect(html).toContain(text);
    const pdf = (await binary(officer, `${letter}?format=pdf`).expect(200).expect('Content-Type', 'application/pdf')).body as Buffer;
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await service.as('auditor').get(letter).expect(403);
    await step(id, 'extend', { reason: 'late' }).expect(409);
    await step(id, 'close').expect(200);
    const listens = (await officer.get(`/api/v1/audit?object=${recordingId}&action=recording.listened`).expect(200)).body.items;
    expect(listens.map((entry: { details: { purpose: string } }) => entry.details.purpose).sort()).toEqual(['access_request', 'evidence']);
  });

  test('erases only after the copy was handed out, where both were granted', async () => {
    const { id, recording, ticket, recordingId } = await world(['access', 'erasure']);
    const all = [recording, ticket].flatMap((itemId) => [{ itemId, decision: 'grant' }, { itemId, right: 'erasure', decision: 'grant' }]);
    await step(id, 'items', { decisions: all }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    const { files } = await unpack(id);
    expect(files.filter((file) => file.endsWith('.wav'))).toHaveLength(1);
    await step(id, 'close').expect(200);
    await officer.get(`/api/v1/recordings/${recordingId}`).expect(410);
    await expect
      .poll(async () => (await officer.get(`/api/v1/tombstones?recordingId=${recordingId}`)).body.items, { timeout: 20_000 })
      .toMatchObject([{ reason: 'erasure' }]);
    expect((await officer.get(`${base}/${id}`).expect(200)).body.timeline.map((event: { kind: string }) => event.kind)).toContain('erasure_begun');
  });

  test('does not wait for an objection that is undecided, and says so; in English where that was asked', async () => {
    const { id, recording, ticket } = await world(['access', 'objection'], 'en');
    const decisions = [{ itemId: recording, decision: 'refuse', reason: 'manifestly unfounded', ground: '12(5)' }, { itemId: ticket, decision: 'grant' }];
    await step(id, 'items', { decisions }).expect(200);
    expect((await step(id, 'approve', {}, second).expect(200)).body.processes.map((process: { state: string }) => process.state)).toEqual(['approved', 'open']);
    const html = (await officer.get(`${base}/${id}/letter`).expect(200)).text;
    for (const text of ['Dear Jan', 'have yet to decide on your objection', 'article 12(5) GDPR', 'Manifestly unfounded.', 'within six weeks', 'lang="en"'])
      expect(html).toContain(text);
    await step(id, 'close').expect(409);
    const objections = [recording, ticket].map((itemId) => ({ itemId, right: 'objection', decision: 'grant' }));
    await step(id, 'items', { decisions: objections }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    await step(id, 'close').expect(200);
  });

  test('says of nothing that nothing was found', async () => {
    const { body } = await officer.post(base).send({
      receivedAt: service.clock.now().toISOString(), channel: 'letter', rights: ['access', 'portability'],
      subject: { name: 'Niemand Bekend', emails: ['niemand@example.test'] }, locale: 'nl', details: '',
    }).expect(201);
    await step(body.id, 'search').expect(200);
    await step(body.id, 'approve', {}, second).expect(409);
    await step(body.id, 'identity', { method: 'known_email', outcome: 'verified' }).expect(200);
    await step(body.id, 'approve').expect(403);
    await step(body.id, 'approve', {}, second).expect(200);
    expect((await officer.get(`${base}/${body.id}/letter`).expect(200)).text).toContain('geen opnamen of supportvragen van u gevonden');
    const { files } = await unpack(body.id);
    expect(files).toContain('index.html');
    await step(body.id, 'close').expect(200);
  });

  test('can be worded anew until it is approved, and keeps complaint and court', async () => {
    const { id, recording, ticket } = await world(['access']);
    await officer.put('/api/v1/privacy-letter-templates/nl').send({ opening: 'Dank voor uw bericht.', closing: 'Tot zover.' }).expect(200);
    const draft = (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body;
    expect([draft.edited, draft.text.includes('Dank voor uw bericht.')]).toEqual([false, true]);
    await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Korte brief.\n\n## Kop\n\n- een\n- <i>twee</i>' }).expect(200);
    await step(id, 'items', { decisions: [recording, ticket].map((itemId) => ({ itemId, decision: 'grant' })) }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    await officer.put(`${base}/${id}/letter/draft`).send({ text: 'te laat' }).expect(409);
    const html = (await officer.get(`${base}/${id}/letter`).expect(200)).text;
    for (const text of ['Korte brief.', '<h2>Kop</h2>', '&lt;i&gt;twee', 'Autoriteit Persoonsgegevens', 'rechtbank']) expect(html).toContain(text);
  });
});

test('the text of a letter is read into headings, paragraphs and lists', () => {
  expect(readBlocks('een\ntwee\r\n\r\n## Kop\n\n- a\n- b\n\n- niet\nalles')).toEqual([
    { kind: 'paragraph', text: 'een\ntwee' }, { kind: 'heading', text: 'Kop' }, { kind: 'list', items: ['a', 'b'] },
    { kind: 'paragraph', text: '- niet\nalles' },
  ]);
});

describe('a delivery', () => {
  async function approved() {
    const made = await world(['access']);
    await step(made.id, 'items', { decisions: [made.recording, made.ticket].map((itemId) => ({ itemId, decision: 'grant' })) }).expect(200);
    await officer.post(`${base}/${made.id}/deliveries`).send({}).expect(409);
    await step(made.id, 'approve', {}, second).expect(200);
    return made;
  }
  const addressOf = (url: string) => new URL(url).pathname;
  const send = (address: string, code: string) => service.nobody().post(address).type('form').send({ code });

  test('opens with its code, once, and says kindly when it is over', async () => {
    const { id, subject } = await approved();
    const { url, code } = (await officer.post(`${base}/${id}/deliveries`).send({}).expect(201)).body;
    const address = addressOf(url);
    const page = (await service.nobody().get(address).expect(200)).text;
    expect(page).toContain('Vul de code in');
    expect(page).not.toContain(subject.name);
    expect((await send(address, '00000000').expect(422)).text).toContain('klopt niet');
    const zip = (await binary(service.nobody(), address).expect(200)).body as Buffer;
    expect(zip.subarray(0, 2).toString()).not.toBe('PK');
    const fetched = await service.nobody().post(address).type('form').send({ code: ` ${code.slice(0, 4)} ${code.slice(4)}` }).buffer(true)
      .parse((response, done) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => done(null, Buffer.concat(chunks)));
      });
    expect([fetched.status, (fetched.body as Buffer).subarray(0, 2).toString()]).toEqual([200, 'PK']);
    await expect.poll(async () => (await send(address, code)).status, { timeout: 15_000 }).toBe(410);
    // While the last bytes are on their way another download is refused; that all of them went is written a moment later.
    await expect.poll(async () => (await service.nobody().get(address)).status, { timeout: 15_000 }).toBe(410);
    expect((await service.nobody().get(address).expect(410)).text).toContain('werkt niet meer');
    expect((await service.nobody().get('/api/v1/deliveries/nothing').expect(410)).text).toContain('does not work any more');
  });

  test('is closed by wrong codes, by a newer one, and by its date', async () => {
    const { id } = await approved();
    const first = (await officer.post(`${base}/${id}/deliveries`).send({}).expect(201)).body;
    const next = (await officer.post(`${base}/${id}/deliveries`).send({ days: 1 }).expect(201)).body;
    await send(addressOf(first.url), first.code).expect(410);
    for (const status of [422, 422, 422, 422, 429]) await send(addressOf(next.url), 'x').expect(status);
    await send(addressOf(next.url), next.code).expect(429);
    const last = (await officer.post(`${base}/${id}/deliveries`).send({ days: 1 }).expect(201)).body;
    service.clock.advance(86_400_000 + 1000);
    await send(addressOf(last.url), last.code).expect(410);
    service.clock.reset();
  });

  test('about more things than are read at once holds each of them once, newest first, and says why it leaves the others out', async () => {
    const { id, recording, ticketId } = await world(['access', 'portability']);
    // More than a batch, five opened in the same instant.
    await service.service.platform.database.query(
      `INSERT INTO tickets SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'external_id', t.external_id || '-' || n,
         'number', 'B' || lpad(n::text, 4, '0'), 'opened_at', t.opened_at - (n / 5) * interval '1 hour'))).*
       FROM tickets t, generate_series(1, 204) n WHERE t.id = $1`,
      [ticketId],
    );
    const found = (await step(id, 'search').expect(200)).body as { tickets: { itemId: string; number: string }[] };
    expect(found.tickets).toHaveLength(205);
    const isRefused = (index: number) => index % 50 === 1;
    const decisions = found.tickets.flatMap(({ itemId }, index) => [
      isRefused(index) ? { itemId, decision: 'refuse', ground: '15(4)', reason: `Reden ${index}.` } : { itemId, decision: 'grant' },
      { itemId, right: 'portability', decision: 'grant' },
    ]);
    await step(id, 'items', { decisions: [{ itemId: recording, decision: 'grant' }, ...decisions] }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    const { root, files, read } = await unpack(id);
    const index = await read('index.html');
    const granted = found.tickets.filter((_ticket, place) => !isRefused(place));
    const links = [...index.matchAll(/href="(data\/tickets\/\d+\.html)"[^>]*>[^<]*?([AB]\d+)/g)];
    expect(links.map(([, link]) => link)).toEqual(granted.map((_ticket, place) => `data/tickets/${String(place + 1).padStart(4, '0')}.html`));
    expect(links.map(([, , each]) => each)).toEqual(granted.map((ticket) => ticket.number));
    for (const [, link = ''] of index.matchAll(/(?:href|src)="([^"]+)"/g)) expect(files).toContain(link);
    expect([...index.matchAll(/Reden \d+\./g)].map(String)).toEqual(['Reden 1.', 'Reden 51.', 'Reden 101.', 'Reden 151.', 'Reden 201.']);
    expect(index.match(/<table/g)).toHaveLength(4);
    expect(index.endsWith('</main></body></html>\n')).toBe(true);
    const portable = JSON.parse(await read('data/portability/tickets.json')) as { number: string }[];
    expect(portable.map((each) => each.number)).toEqual(found.tickets.map((ticket) => ticket.number));
    expect(JSON.parse(await read('data/listens.json')).listens).toMatchObject([{ purpose: 'evidence' }]);
    execFileSync('sh', ['verify.sh'], { cwd: root });
    // Nothing it was made of stays behind.
    expect(await readdir(path.join(service.dataDir, 'answers'))).toEqual([]);
  });
});

describe('after an approval', () => {
  test('statements and corrections are attached with what stood there before, and earlier recipients are listed', async () => {
    const { id, recording, ticket, recordingId, ticketId } = await world(['rectification', 'access']);
    await service.service.platform.database.query(
      `INSERT INTO disclosures (package_id, recording_id, kind, reference, recipient, reason, disclosed_at)
       VALUES (gen_random_uuid(), $1, 'evidence', 'EV-1', 'Advocaat', 'geschil', $2)`,
      [recordingId, service.clock.now()],
    );
    const correct = (itemId: string, body: object) => officer.post(`${base}/${id}/items/${itemId}/rectifications`).send(body);
    await correct(recording, { statement: 'Ik zei maandag.' }).expect(409);
    const decisions = [recording, ticket].flatMap((itemId) => [{ itemId, decision: 'grant' }, { itemId, right: 'rectification', decision: 'grant' }]);
    await step(id, 'items', { decisions }).expect(200);
    await correct(recording, { statement: 'Ik zei maandag.' }).expect(201);
    await correct(recording, { field: 'organisation', value: 'x' }).expect(422);
    const { items } = (await correct(ticket, { field: 'requesterName', value: 'Jan Muller' }).expect(201)).body;
    expect(items[1]).toMatchObject({ field: 'requesterName', oldValue: expect.stringContaining('Möller'), newValue: 'Jan Muller' });
    expect((await officer.get(`/api/v1/tickets/${ticketId}`).expect(200)).body.requester.name).toBe('Jan Muller');
    await step(id, 'approve', {}, second).expect(200);
    const list = (await officer.get(`${base}/${id}/notifications`).expect(200)).body.items;
    expect(list).toMatchObject([{ right: 'rectification', recipient: 'Advocaat', toldAt: null }]);
    await officer.post(`${base}/${id}/notifications/${list[0].id}`).send({}).expect(200);
    await officer.post(`${base}/${id}/notifications/${list[0].id}`).send({}).expect(409);
    expect(await (await unpack(id)).read('index.html')).toContain('Ik zei maandag.');
  });
});

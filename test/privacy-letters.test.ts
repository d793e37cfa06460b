import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderPdf } from '../src/privacy/letter.js';
import { cite, ended, sentence } from '../src/privacy/words.js';
import { startTestService, type TestService } from './support/service.js';

/** What letters say: held to what was decided, and to what a reader needs. */

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
let serial = 0;

beforeAll(async () => {
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
  await service.as('administrator').put('/api/v1/organisation').send({ controller: 'Voorbeeld BV', address: 'Laan 1, 1234 AB Plaats', privacyEmail: 'p@example.test' }).expect(200);
});
afterAll(() => service.close());

const base = '/api/v1/privacy-requests';
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const letterOf = async (id: string) => (await officer.get(`${base}/${id}/letter`).expect(200)).text as string;

/** A request of somebody who called `calls` times, found and confirmed to be theirs. */
async function found(rights: string[], { calls = 1, ...rest }: { calls?: number; [field: string]: unknown } = {}): Promise<{ id: string; items: string[]; recordings: string[] }> {
  serial += 1;
  const phone = `+3168700${1000 + serial}`;
  const recordings = [];
  for (let call = 0; call < calls; call += 1) recordings.push(await service.push({ caller: phone }));
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights, locale: 'nl', subject: { name: 'Zoë Łukasz', address: 'Laan 2, rechts\nPlaats', phones: [phone] }, ...rest,
  }).expect(201);
  await step(body.id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
  const { recordings: items } = (await step(body.id, 'search').expect(200)).body;
  return { id: body.id, items: items.map(({ itemId }: { itemId: string }) => itemId), recordings };
}
const decide = (id: string, items: readonly string[], right: string, decision: string, rest: object = {}) =>
  step(id, 'items', { decisions: items.map((itemId) => ({ itemId, right, decision, ...rest })) }).expect(200);

test.each([
  ['15(3)', 'artikel 15 lid 3 AVG', 'article 15(3) GDPR'],
  ['17(3)(e)', 'artikel 17 lid 3 onder e AVG', 'article 17(3)(e) GDPR'],
  ['18(1), 17(1)', 'artikel 18 lid 1 en artikel 17 lid 1 AVG', 'articles 18(1) and 17(1) GDPR'],
  ['4(1), 15', 'artikel 4 onder 1 en artikel 15 AVG', 'articles 4(1) and 15 GDPR'],
  ['UAVG 41', 'artikel 41 UAVG', 'article 41 of the Dutch implementation act (UAVG)'],
])('%s is cited as lawyers do', (article, dutch, english) => {
  expect([cite(article, 'nl'), cite(article, 'en')]).toEqual([dutch, english]);
});

test('what an officer wrote becomes a sentence among others', () => {
  expect([ended(' veel gesprekken '), ended('Echt waar?'), sentence('één ding'), sentence('')]).toEqual(['veel gesprekken.', 'Echt waar?', 'Één ding.', '']);
});

describe('a letter of an erasure', () => {
  test('still names what it was about once that is gone', async () => {
    const { id, items, recordings } = await found(['erasure']);
    await decide(id, items, 'erasure', 'grant');
    const draft = (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body.text;
    await step(id, 'approve', {}, second).expect(200);
    await officer.get(`/api/v1/recordings/${recordings[0] ?? ''}`).expect(410);
    expect((await officer.get(`${base}/${id}/letter/draft`).expect(200)).body.text).toBe(draft);
    const called = /gesprek van \d+ \w+ \d{4} om \d\d:\d\d/.exec(draft)?.[0];
    expect(called).toBeDefined();
    expect(await letterOf(id)).toContain(called);
  });

  test('cites the article that follows from an objection decided beside it', async () => {
    const { id, items } = await found(['erasure', 'objection']);
    await decide(id, items, 'erasure', 'grant');
    await decide(id, items, 'objection', 'grant');
    const { text } = (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body;
    expect(text).toContain('artikel 17 lid 1 onder c AVG');
    expect(text).toContain('Gegrond (artikel 21 lid 1 AVG)');
  });

  test('tells one reason once, each thing with its own date', async () => {
    const { id, items } = await found(['erasure'], { calls: 2 });
    await decide(id, items, 'erasure', 'refuse', { reason: 'er loopt een geschil', ground: '17(3)(e)' });
    const { text } = (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body;
    expect(text.match(/Er loopt een geschil\./g)).toHaveLength(1);
    expect(text.match(/wij bekijken dit opnieuw op/g)).toHaveLength(2);
  });
});

describe('what several outcomes say together', () => {
  const textOf = async (id: string): Promise<string> => (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body.text;
  const others = (recordingId: string, kind: string, recipient: string) => service.service.platform.database.query(
    `INSERT INTO disclosures (package_id, recording_id, kind, reference, recipient, reason, disclosed_at) VALUES (gen_random_uuid(), $1, $2, 'EV-2026-0001', $3, 'x', $4)`,
    [recordingId, kind, recipient, service.clock.now()]);

  test('a restriction lasts until the erasure granted beside it; what was asked already is not offered', async () => {
    const { id, items } = await found(['erasure', 'restriction', 'objection']);
    for (const right of ['erasure', 'restriction', 'objection']) await decide(id, items, right, 'grant');
    const text = await textOf(id);
    expect(text).toContain('Dit geldt tot de gegevens zijn verwijderd.');
    expect(text).not.toContain('Wilt u dat wij de gegevens ook verwijderen');
  });

  test('a refused objection opens nothing again that a granted restriction keeps closed; a refused restriction never closed anything', async () => {
    const { id, items } = await found(['objection', 'restriction']);
    await decide(id, items, 'objection', 'refuse', { reason: 'Er loopt een geschil.', ground: '21(1)' });
    await decide(id, items, 'restriction', 'grant');
    expect(await textOf(id)).not.toContain('heffen wij op');
    await decide(id, items, 'restriction', 'refuse', { reason: 'Er is niets te onderzoeken.' });
    expect((await textOf(id)).match(/Die beperking heffen wij op/g)).toHaveLength(1);
  });

  test('an erasure is not granted by its exception, nor access refused by the article that grants it', async () => {
    const { id, items, recordings } = await found(['access', 'erasure']);
    await officer.post(`/api/v1/recordings/${recordings[0] ?? ''}/agreements`).send({ startMs: 0, endMs: 500, summary: 'Levering maandag', parties: ['A'] }).expect(201);
    await decide(id, items, 'access', 'refuse', { reason: 'Kennelijk buitensporig.' });
    await decide(id, items, 'erasure', 'grant', { reason: 'De afspraak is nagekomen.' });
    const text = await textOf(id);
    expect(text).toContain('Afgewezen (artikel 15 lid 4 AVG). Kennelijk buitensporig.');
    expect(text).toContain('Toegewezen (artikel 17 lid 1 onder a AVG)');
  });

  test.each([
    ['access', 'refuse', {}, 'Afgewezen (artikel 15 lid 4 AVG). De reden.'],
    ['access', 'partly', {}, 'Gedeeltelijk toegewezen (artikel 15 lid 4 AVG). De reden.'],
    ['access', 'refuse', { reason: 'Het onderzoek loopt (artikel 23 AVG)' }, 'Afgewezen. Het onderzoek loopt (artikel 23 AVG).'],
    ['rectification', 'refuse', {}, 'Afgewezen (artikel 16 AVG). De reden.'],
    ['erasure', 'refuse', {}, 'Afgewezen (artikel 17 lid 3 onder e AVG). De reden.'],
    ['restriction', 'refuse', {}, 'Afgewezen (artikel 18 lid 1 AVG). De reden.'],
    ['objection', 'partly', {}, 'Gedeeltelijk gegrond (artikel 21 lid 1 AVG). De reden.'],
    ['access', 'refuse', { ground: '12(5)' }, 'Afgewezen (artikel 12 lid 5 AVG). De reden.'],
  ])('no refusal goes without a ground: %s, %s, %j', async (right, decision, rest, words) => {
    const { id, items } = await found([right]);
    await decide(id, items, right, decision, { reason: 'De reden', ...rest });
    expect(await textOf(id)).toContain(words);
  });

  test.each([
    ['access', '17(3)(e)', 422], ['access', '21(1)', 422], ['access', 'other', 422], ['rectification', '15(4)', 422], ['restriction', '16', 422],
    ['objection', '15(4)', 422], ['objection', '21(1)', 200], ['restriction', '18(1)', 200],
  ])('another right’s ground, or one that names no article, carries no refusal: %s on %s is answered %i', async (right, ground, status) => {
    const { id, items } = await found([right]);
    await step(id, 'items', { decisions: [{ itemId: items[0], right, decision: 'refuse', reason: 'De reden', ground }] }).expect(status);
  });

  test('that recipients are told is said where there is one, and the person is none', async () => {
    const { id, items, recordings } = await found(['erasure']);
    await decide(id, items, 'erasure', 'grant');
    await others(recordings[0] ?? '', 'privacy', 'betrokkene');
    expect(await textOf(id)).not.toContain('artikel 19');
    await others(recordings[0] ?? '', 'evidence', 'Advocaat Zuid');
    expect(await textOf(id)).toContain('tenzij dat onmogelijk is of onevenredig veel moeite kost (artikel 19 AVG)');
  });
});

test.each([['nl', 'Antwoord op uw bezwaar'], ['en', 'Answer to your objection']])('an objection alone is answered as one (%s)', async (locale, subject) => {
  const { id, items } = await found(['objection'], { locale });
  await decide(id, items, 'objection', 'grant');
  await step(id, 'approve', {}, second).expect(200);
  expect(await letterOf(id)).toContain(subject);
});

test('an extension names the date that was promised, with the days the clock stood still, and none while it stands still', async () => {
  const { body } = await officer.post(base).send({
    receivedAt: '2026-01-12', channel: 'letter', rights: ['access'], locale: 'nl', subject: { name: 'Kees Klant', emails: ['kees2@example.test'] },
  }).expect(201);
  await step(body.id, 'pause', { reason: 'wie is het?' }).expect(200);
  await step(body.id, 'extend', { reason: 'wij vragen twee bedrijven' }).expect(200);
  const textOf = async (): Promise<string> => (await officer.get(`${base}/${body.id}/notices/extension`).expect(200)).body.text;
  const still = await textOf();
  expect(still).toContain('staat de termijn voor ons antwoord stil');
  expect(still).not.toContain('U krijgt uiterlijk');
  await step(body.id, 'resume').expect(200);
  await service.service.platform.database.query(`UPDATE privacy_pauses SET paused_at = paused_at - interval '4 days' WHERE request_id = $1`, [body.id]);
  // 12 February, four days on; three months from receipt, four days on.
  for (const words of ['U zou uiterlijk op 16 februari 2026', 'U krijgt uiterlijk op 16 april 2026']) expect(await textOf()).toContain(words);
});

test('an objection that is decided later has a letter of its own, also where the first was worded anew', async () => {
  const { id, items } = await found(['access', 'objection']);
  await decide(id, items, 'access', 'grant');
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Eerste brief.' }).expect(200);
  await step(id, 'approve', {}, second).expect(200);
  await decide(id, items, 'objection', 'refuse', { reason: 'Er loopt een geschil.', ground: '21(1)' });
  expect(await letterOf(id)).toContain('Eerste brief.');
  expect(await letterOf(id)).not.toContain('niet gegrond');
  expect((await officer.get(`${base}/${id}/letter/draft`).expect(200)).body).toMatchObject({ edited: false, text: expect.stringContaining('niet gegrond') });
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Tweede brief.' }).expect(200);
  expect(await letterOf(id)).toContain('Eerste brief.');
  await step(id, 'approve', {}, second).expect(200);
  expect(await letterOf(id)).toContain('Tweede brief.');
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Te laat.' }).expect(409);
});

test('without a copy, the letter itself tells when and for what a recording was listened to', async () => {
  const { id, items, recordings } = await found(['access']);
  await service.processed(recordings[0] ?? '');
  await officer.get(`/api/v1/recordings/${recordings[0] ?? ''}/audio?purpose=evidence`).expect(200);
  await decide(id, items, 'access', 'refuse', { reason: 'Kennelijk buitensporig.', ground: '12(5)' });
  const { text } = (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body;
  expect(text).toMatch(/één keer naar deze opname geluisterd:\n\n- \d+ \w+ \d{4}: bewijs van gemaakte afspraken/);
});

test('portability of recordings alone is refused with the reason, and never as if nothing was found', async () => {
  const { id, items } = await found(['access', 'portability']);
  await decide(id, items, 'access', 'grant');
  const { text } = (await officer.get(`${base}/${id}/letter/draft`).expect(200)).body;
  expect(text).toContain('Valt niet onder dit recht (artikel 20 lid 1 AVG)');
  expect(text).not.toContain('geen opnamen of supportvragen');
});

test('a company learns of nobody whether anything is held, and is addressed as one', async () => {
  const { id, items } = await found(['access'], { requesterKind: 'company' });
  await decide(id, items, 'access', 'refuse', { reason: 'Zij zijn uw werknemers' });
  await step(id, 'approve', {}, second).expect(200);
  const letter = await letterOf(id);
  for (const words of ['Geachte heer of mevrouw', 'Die persoon kan het verzoek zelf doen', 'Zij zijn uw werknemers.']) expect(letter).toContain(words);
  for (const words of ['gesprek van', 'geluisterd', 'verstrekt aan']) expect(letter).not.toContain(words);
});

test('of an authority’s order nobody else gets a letter, and the draft of its reply names what it gets', async () => {
  const { id, items } = await found(['access'], { authority: { name: 'Politie', legalBasis: 'art. 126nd Sv', secret: true } });
  for (const kind of ['received', 'identity', 'extension', 'lifting']) await officer.get(`${base}/${id}/notices/${kind}`).expect(409);
  await decide(id, items, 'access', 'grant', { reason: 'het bevel noemt het' });
  expect((await officer.get(`${base}/${id}/letter/draft`).expect(200)).body.text).toMatch(/wat uw bevel noemt .*\n\n- gesprek van/);
});

test('whoever acts for another is asked for the mandate, and an extension gives its reason as a sentence', async () => {
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'letter', rights: ['access'], locale: 'nl',
    subject: { name: 'Kees Klant', emails: ['kees@example.test'] }, representative: { name: 'mr. B. Bakker', address: 'Kade 1', mandate: 'volmacht' },
  }).expect(201);
  const { text } = (await officer.get(`${base}/${body.id}/notices/identity`).expect(200)).body;
  for (const words of ['namens Kees Klant', 'een machtiging van Kees Klant']) expect(text).toContain(words);
  await step(body.id, 'extend', { reason: 'wij vragen twee bedrijven' }).expect(200);
  expect((await officer.get(`${base}/${body.id}/notices/extension`).expect(200)).body.text).toContain('De reden: wij vragen twee bedrijven. Daarom');
});

test('a PDF carries fonts that spell any name, and an address keeps the lines it was given', async () => {
  const { id, items } = await found(['access']);
  await decide(id, items, 'access', 'grant');
  await step(id, 'approve', {}, second).expect(200);
  const { body } = await officer.get(`${base}/${id}/letter?format=pdf`).buffer(true).expect(200);
  expect((body as Buffer).toString('latin1')).toContain('DejaVuSansCondensed');
  expect(await letterOf(id)).toContain('Zoë Łukasz\nLaan 2, rechts\nPlaats');
});

/** Of each page of a PDF, where its lines of text begin, from the top: across and up, in points. */
function linesOf(pdf: Buffer): { x: number; y: number }[][] {
  const pages: { x: number; y: number }[][] = [];
  for (let at = pdf.indexOf('stream\n'); at >= 0; at = pdf.indexOf('stream\n', at + 1)) {
    if (pdf.subarray(at - 3, at).toString() === 'end') continue;
    let text: string;
    try {
      text = inflateSync(pdf.subarray(at + 7)).toString('latin1');
    } catch {
      continue;
    }
    const lines = [...text.matchAll(/1 0 0 1 ([\d.]+) ([\d.]+) Tm/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
    if (lines.length > 0) pages.push(lines);
  }
  return pages;
}

test('no item of a list goes on over a page, nor is the line that leads to it left behind', async () => {
  const item = 'gesprek van 23 november 2026 om 14:03; wij bekijken dit opnieuw op 21 februari 2027, en dat is meer dan er op een enkele regel van een brief past';
  for (let before = 22; before < 34; before += 1) {
    const pdf = await renderPdf({
      locale: 'nl', reference: 'PV-2026-0001', sender: ['Voorbeeld BV'], addressee: ['Anna Jansen'], date: '23 november 2026', subject: 'Antwoord',
      salutation: 'Geachte Anna Jansen,', ending: 'Met vriendelijke groet,', signed: 'Voorbeeld BV',
      blocks: [
        { kind: 'paragraph', text: Array.from({ length: before }, (_, line) => `regel ${line}`).join('\n') },
        { kind: 'paragraph', text: 'Het gaat om:' }, { kind: 'list', items: Array.from({ length: 12 }, () => item) },
      ],
    }, new Date('2026-11-23T12:00:00Z'));
    const pages = linesOf(pdf);
    expect(pages.length).toBeGreaterThan(1);
    // A bullet stands at 74 points, what it is about at 86: on the same height.
    for (const lines of pages) {
      const [first] = lines.filter(({ x }) => x === 86);
      if (first !== undefined) expect([before, lines.some(({ x, y }) => x === 74 && y === first.y)]).toEqual([before, true]);
    }
    const leads = pages.findIndex((lines) => lines.some(({ x }) => x === 74));
    const [bullet] = (pages[leads] ?? []).filter(({ x }) => x === 74);
    expect([before, (pages[leads] ?? []).some(({ x, y }) => x === 70 && y > (bullet?.y ?? 0))]).toEqual([before, true]);
  }
});

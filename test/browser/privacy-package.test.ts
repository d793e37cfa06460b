import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { launch, overflow, violations } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/** The package of an answer as whoever asked opens it: unzipped on a machine of their own, in a browser, without a network. */

let service: TestService;
let browser: Browser;
const folders: string[] = [];
const base = '/api/v1/privacy-requests';

beforeAll(async () => {
  service = await startTestService();
  browser = await launch();
  await service
    .as('administrator')
    .put('/api/v1/organisation')
    .send({ controller: 'Voorbeeld BV', address: 'Laan 1, 1234 AB Plaats', privacyEmail: 'privacy@example.test' })
    .expect(200);
  await service
    .as('administrator')
    .put('/api/v1/further-uses/transcription')
    .send({
      ground: 'legitimate_interest', explanation: 'Uitschrijven op verzoek.', purposes: ['access_request'],
      processor: { name: 'Schrijfdienst BV', region: 'Nederland' },
    })
    .expect(200);
});

afterAll(async () => {
  await browser.close();
  await service.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A request with everything in it, answered; the package unzipped. @returns its folder */
async function answered(locale: 'nl' | 'en', caller: string): Promise<string> {
  const officer = service.as('privacy_officer');
  const at = service.clock.now().toISOString();
  const email = `zoe-${locale}@example.test`;
  const recordings = [
    await service.push({ caller, callerName: 'Zoë Łukasz', holds: '[{"startMs":1000,"endMs":2000}]' }, speechLike({ seconds: 6 })),
    await service.push({ caller }, speechLike({ seconds: 4 })),
  ];
  for (const each of recordings) await service.processed(each);
  const segments = [{ startMs: 200, endMs: 900, speaker: 'caller', text: 'Mijn telefoon doet het niet' }];
  await service.as('trainer').put(`/api/v1/recordings/${recordings[0] ?? ''}/transcript`).send({ revision: 0, segments }).expect(200);
  await officer.get(`/api/v1/recordings/${recordings[0] ?? ''}/audio?purpose=evidence`).expect(200);
  await officer
    .post('/api/v1/evidence')
    .send({ recordingIds: [recordings[1]], reason: 'geschil', recipient: 'Advocaat Zuid', scope: 'full' })
    .expect(202);
  await expect
    .poll(async () => (await service.service.platform.database.query('SELECT 1 FROM disclosures WHERE recording_id = $1', [recordings[1]])).length)
    .toBe(1);
  const helpdesk = service.machine(service.helpdeskKey);
  await helpdesk
    .put(`/api/v1/tickets/by-external/package-${locale}`)
    .send({
      number: `T-${locale}`, subject: 'Toestel <b>stuk</b>', category: 'support', status: 'open', createdAt: at,
      requester: { name: 'Zoë Łukasz', email, relation: 'contracting_party' },
      messages: [
        { externalId: 'm1', at, from: 'customer', body: '<p>Hij doet het niet <img src="https://elders.example/pixel.gif"></p>', contentType: 'text/html' },
        { externalId: 'm2', at, from: 'agent', internal: true, body: 'Klant belde twee keer.', contentType: 'text/plain' },
      ],
    })
    .expect(201);
  await helpdesk
    .post(`/api/v1/tickets/by-external/package-${locale}/attachments`)
    .field({ messageExternalId: 'm1', externalId: 'a1' })
    .attach('file', Buffer.from('een bijlage'), { filename: 'foto 1.txt', contentType: 'text/plain' })
    .expect(201);
  const taken = await officer
    .post(base)
    .send({
      receivedAt: at, channel: 'email', rights: ['access', 'portability', 'erasure'], locale, details: '',
      subject: { name: 'Zoë Łukasz', address: 'Laan 2\nPlaats', emails: [email], phones: [caller] },
    })
    .expect(201);
  const request = `${base}/${(taken.body as { id: string }).id}`;
  await officer.post(`${request}/identity`).send({ method: 'known_email', outcome: 'verified' }).expect(200);
  const found = (await officer.post(`${request}/search`).send({}).expect(200)).body as Record<'recordings' | 'tickets', { itemId: string; recordingId: string | null }[]>;
  const masked = found.recordings.find(({ recordingId }) => recordingId === recordings[0])?.itemId ?? '';
  const all = [...found.recordings, ...found.tickets].map(({ itemId }) => itemId);
  const decisions = all.flatMap((itemId) => [
    { itemId, right: 'access', decision: 'grant', ...(itemId === masked ? { mask: [{ startMs: 2000, endMs: 2500, channel: 'agent' }] } : {}) },
    { itemId, right: 'erasure', decision: 'refuse', reason: locale === 'nl' ? 'Er loopt een geschil' : 'There is a dispute', ground: '17(3)(e)' },
  ]);
  const portable = found.tickets.map(({ itemId }) => ({ itemId, right: 'portability', decision: 'grant' }));
  await officer.post(`${request}/items`).send({ decisions: [...decisions, ...portable] }).expect(200);
  await (await service.another('privacy_officer')).post(`${request}/approve`).send({}).expect(200);
  const { body } = await officer
    .get(`${request}/package`)
    .buffer(true)
    .parse((response, done) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => done(null, Buffer.concat(chunks)));
    })
    .expect(200);
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-answer-'));
  folders.push(folder);
  await writeFile(path.join(folder, 'answer.zip'), body as Buffer);
  execFileSync('unzip', ['-q', 'answer.zip'], { cwd: folder });
  return path.join(folder, (taken.body as { reference: string }).reference);
}

/** What leads on from a page, as files that have to be there. */
const linksOf = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('[href], [src]')].map((each) => each.href || each.src).filter((each) => !each.startsWith('mailto:'))`);

/** Plays what is in sight, and answers how far it came. */
const heard = (page: Page, index: number) =>
  page.evaluate<{ duration: number; at: number }>(`(async () => {
    const audio = document.querySelectorAll('audio')[${index}];
    audio.muted = true;
    await audio.play();
    await new Promise((resolve) => audio.addEventListener('timeupdate', () => audio.currentTime > 0.2 && resolve()));
    audio.pause();
    return { duration: audio.duration, at: audio.currentTime };
  })()`);

const words = {
  nl: {
    title: 'Antwoord op uw verzoek', letter: 'Lees de brief', said: 'wat er is gezegd',
    texts: [
      'Gespreksopnamen', 'bewijs van gemaakte afspraken', 'Anderen zijn onhoorbaar gemaakt', 'Supportvragen', 'Gegevens om mee te nemen', 'afgewezen',
      'Artikel 17 lid 3 onder e AVG', 'Gespreksopnames als u ons belt.', '90 dagen', 'Gerechtvaardigd belang', 'Verantwoordelijke', 'Advocaat Zuid', 'Schrijfdienst BV', 'Uw rechten',
      'bezwaar', 'Autoriteit Persoonsgegevens', 'Postbus 93374', 'rechtbank', 'artikel 35 UAVG', 'zes weken',
    ],
    internal: 'interne notitie', none: /\b(Access|Recording|Kept|Purpose|Ground|refused|listened)\b/,
  },
  en: {
    title: 'Answer to your request', letter: 'Read the letter', said: 'what was said',
    texts: [
      'Call recordings', 'evidence of agreements', 'Others have been made inaudible', 'Support questions', 'Data to take with you', 'refused',
      'Article 17(3)(e) GDPR', 'Call recordings when you call us.', '90 days', 'Legitimate interest', 'Advocaat Zuid', 'Schrijfdienst BV', 'Your rights',
      'object', 'Autoriteit Persoonsgegevens', 'Postbus 93374', 'rechtbank', 'article 35', 'six weeks',
    ],
    internal: 'internal note', none: /\b(Inzage|Opname|Bewaard|Doel|Grond|afgewezen|beluisterd|gesprek)\b/i,
  },
} as const;

describe.each([
  ['nl', '+31612388001'],
  ['en', '+31612388002'],
] as const)('the package of an answer in %s', (locale, caller) => {
  it('opens from a folder: sound that plays, what was said, tickets, why, who else, rights and remedies; nothing is fetched', async () => {
    const { title, letter, said, texts, internal, none } = words[locale];
    const root = await answered(locale, caller);
    for (const [width, colorScheme] of [[1280, 'light'], [320, 'dark']] as const) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
      const fetched: string[] = [];
      context.on('request', (request) => !request.url().startsWith('file:') && fetched.push(request.url()));
      const page = await context.newPage();
      await page.goto(pathToFileURL(path.join(root, 'index.html')).href);
      const start = page.url();
      expect(await page.evaluate('document.documentElement.lang')).toBe(locale);
      const shown = await page.locator('main').innerText();
      for (const text of [title, ...texts]) expect(shown).toContain(text);
      expect(shown).not.toMatch(none);
      expect(shown).not.toContain('undefined');
      const [long, short] = [await heard(page, 1), await heard(page, 0)].sort((one, other) => other.duration - one.duration);
      // The hold music is cut: a second less than what was recorded.
      expect([Math.round(long?.duration ?? 0), Math.round(short?.duration ?? 0), (long?.at ?? 0) > 0.2]).toEqual([5, 4, true]);

      const pages = [start];
      for (const name of [letter, said, /T-(nl|en)/] as const) {
        await page.goto(start);
        await page.getByRole('link', { name }).first().click();
        pages.push(page.url());
      }
      expect(await page.locator('main').innerText()).toContain(internal);
      for (const address of pages) {
        await page.goto(address);
        expect(await violations(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        for (const link of await linksOf(page)) expect([link, existsSync(fileURLToPath(link))]).toEqual([link, true]);
      }
      expect(fetched).toEqual([]);
      await context.close();
    }
  });
});

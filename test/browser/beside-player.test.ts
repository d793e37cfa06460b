import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, launch, overflow, signIn, violations, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';
import { startSpeechServer, type SpeechServer } from '../support/speech-server.js';
import { agentExtension, giveExtension, share } from '../support/training.js';

let service: TestService;
let speech: SpeechServer;
let browser: Browser;
let visitor: Visit | undefined;
let files: string;
const ids: string[] = [];

beforeAll(async () => {
  speech = await startSpeechServer();
  service = await startTestService({ uiFolder: await buildUi(), env: { TRANSCRIPTION_URL: speech.url } });
  browser = await launch();
  files = await mkdtemp(path.join(tmpdir(), 'opname-transcripts-'));
  await giveExtension(service);
  for (const seed of [1, 2, 3, 4])
    ids.push(await service.push({ agent: agentExtension, caller: `+3161234560${seed}` }, speechLike({ seconds: 12, seed })));
  for (const id of ids) await service.processed(id);
});

afterAll(async () => {
  await browser.close();
  await service.close();
  await speech.close();
  await rm(files, { recursive: true, force: true });
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(role: 'trainer' | 'agent' | 'privacy_officer', to: string, width = 1440): Promise<Page> {
  await visitor?.context.close();
  visitor = await visit(browser, service.url, { width });
  await signIn(visitor.page, service.signInOf(role), to);
  return visitor.page;
}

const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 40_000 });
const call = (index: number) => ids[index] ?? '';
const flags = (page: Page) => page.locator('.flag-list li');

describe('a request that is heard in a call', () => {
  it('goes to the officer with one click, at its time, and no second click makes a second request', async () => {
    const page = await open('trainer', `/recordings/${call(0)}?t=5`);
    await page.getByRole('slider').waitFor();
    await page.getByRole('button', { name: 'Inzage', exact: true }).click();
    await soon(() => flags(page).allInnerTexts()).toEqual([expect.stringMatching(/Inzage\s+0:05\s+PV-\d{4}-0001/)]);
    await page.getByRole('slider').fill('8000');
    await page.getByRole('button', { name: 'Ander verzoek…' }).click();
    await page.getByRole('button', { name: 'Melden', exact: true }).click();
    await page.getByRole('link', { name: 'Kies waar het om gaat, of schrijf het op' }).waitFor();
    await page.getByLabel('Correctie').check();
    await page.getByLabel('Toelichting').fill('De naam is verkeerd gespeld.');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Melden', exact: true }).click();
    await soon(() => flags(page).count()).toBe(2);
    await page.reload();
    await soon(() => flags(page).allInnerTexts()).toEqual([expect.stringContaining('0:05'), expect.stringMatching(/Correctie\s+0:08\s+PV-\d{4}-0001/)]);
    expect(visitor?.complaints).toEqual([]);

    const officer = await open('privacy_officer', '/privacy');
    await officer.getByRole('link', { name: /PV-\d{4}-0001/ }).first().click();
    await officer.getByText('De naam is verkeerd gespeld.').waitFor();
    await officer.getByRole('link', { name: /0:05$/ }).click();
    await officer.getByRole('slider').waitFor();
    expect(await officer.getByRole('slider').inputValue()).toBe('5000');
  });

  it('can be reported by the agent whose call was shared', async () => {
    await share(service, call(1));
    const page = await open('agent', `/recordings/${call(1)}?t=2`, 320);
    await page.getByRole('button', { name: 'Verwijdering', exact: true }).click();
    await soon(() => flags(page).allInnerTexts()).toEqual([expect.stringContaining('Verwijdering')]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });

  it('and is an objection closes the call at once', async () => {
    const page = await open('trainer', `/recordings/${call(3)}`);
    await page.getByRole('button', { name: 'Afspelen', exact: true }).click();
    await soon(async () => (await audioFacts(page))?.currentTime ?? 0).toBeGreaterThan(0.2);
    await page.getByRole('button', { name: 'Bezwaar', exact: true }).click();
    await page.getByRole('heading', { name: 'Het bezwaar is gemeld' }).waitFor();
    await soon(() => page.evaluate('heard.audio.every((each) => each.paused)')).toBe(true);
    expect(await violations(page)).toEqual([]);
    await page.goto(`/recordings/${call(3)}`);
    await page.getByRole('heading', { name: 'Niet gevonden' }).first().waitFor();
  });
});

async function importFile(page: Page, name: string, content: string): Promise<void> {
  await writeFile(path.join(files, name), content);
  await page.getByRole('button', { name: 'Bestand overnemen' }).click();
  await page.getByLabel(/^Bestand/).setInputFiles(path.join(files, name));
  await page.getByRole('dialog').getByRole('button', { name: 'Bestand overnemen' }).click();
  await soon(() => page.getByRole('dialog').count()).toBe(0);
}

describe('a transcript', () => {
  const lines = (page: Page) => page.locator('.transcript li').allInnerTexts();

  it('is imported from WebVTT, SRT and JSON, and keeps the history of its corrections', async () => {
    const page = await open('trainer', `/recordings/${call(0)}`);
    await page.getByRole('tab', { name: 'Transcript' }).click();
    await importFile(page, 'one.vtt', 'WEBVTT\n\n00:00.500 --> 00:02.000\n<v Medewerker>Goedemiddag');
    await soon(() => lines(page)).toEqual([expect.stringContaining('Medewerker: Goedemiddag')]);
    await importFile(page, 'two.srt', '1\n00:00:00,500 --> 00:00:02,000\nGoedemiddag\n\n2\n00:00:04,250 --> 00:00:06,000\nIk heb geen internet');
    await soon(() => lines(page)).toEqual([expect.stringContaining('Goedemiddag'), expect.stringContaining('geen internet')]);
    await importFile(page, 'three.json', '{"segments":[{"start":0.5,"end":2,"text":"Goedemiddag"},{"start":4.25,"end":6,"text":"Ik heb geen internet"},{"start":7,"end":8,"text":"Momentje"}]}');
    await soon(() => page.locator('.transcript li').count()).toBe(3);
    await page.getByRole('button', { name: 'Verbeteren' }).click();
    const typed = await page.getByLabel('Regels').inputValue();
    await page.getByLabel('Regels').fill(typed.replace('Ik heb geen internet', 'Beller: Ik heb geen beeld'));
    await page.getByLabel('Waarom deze verbetering?').fill('Verkeerd verstaan');
    await page.getByRole('button', { name: 'Opslaan' }).click();
    await soon(() => lines(page)).toEqual([expect.anything(), expect.stringContaining('Beller: Ik heb geen beeld'), expect.anything()]);
    await page.getByRole('button', { name: 'Geschiedenis' }).click();
    const newest = page.locator('.revisions > li').first();
    await newest.getByRole('heading', { name: 'Versie 4' }).waitFor();
    const told = await newest.innerText();
    for (const words of ['getypt door Test trainer', 'Verkeerd verstaan', '1 regel veranderd', 'Was: Ik heb geen internet', 'Werd: Beller: Ik heb geen beeld'])
      expect(told).toContain(words);
    expect(await page.locator('.revisions > li').count()).toBe(4);
    expect(await violations(page)).toEqual([]);
    // A line of an older wording leads to its place, and the correction moved no other line.
    await newest.getByRole('button', { name: 'Afspelen vanaf 0:04' }).first().click();
    expect(await page.getByRole('slider').inputValue()).toBe('4300');
  });

  it('follows the sound', async () => {
    const page = await open('trainer', `/recordings/${call(0)}?t=2`);
    await page.getByRole('tab', { name: 'Transcript' }).click();
    await page.getByRole('button', { name: 'Afspelen', exact: true }).click();
    const current = page.locator('.transcript li[aria-current]');
    await soon(() => current.innerText()).toContain('Goedemiddag');
    await soon(() => current.innerText()).toContain('geen beeld');
    await soon(() => current.innerText()).toContain('Momentje');
  });

  it('is searched from the list once that is on record, and a hit opens the call there', async () => {
    let page = await open('trainer', '/recordings');
    await page.locator('.row-link').first().waitFor();
    expect(await page.getByLabel('Gezegd in het gesprek').count()).toBe(0);
    const act = { explanation: 'Voorbeelden vinden om mee te trainen' };
    await service.as('administrator').put('/api/v1/further-uses/speech_search').send(act).expect(200);
    page = await open('trainer', '/recordings');
    await page.getByLabel('Gezegd in het gesprek').fill('olifant');
    await page.keyboard.press('Enter');
    await page.getByText('Niet gevonden in de transcripten').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Gezegd in het gesprek').fill('beelden');
    await page.keyboard.press('Enter');
    await page.locator('.said').getByText('Ik heb geen beeld').waitFor();
    expect(decodeURIComponent(page.url())).not.toContain('beeld');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Beluisteren vanaf 0:04' }).click();
    await page.getByRole('slider').waitFor();
    expect(await page.getByRole('slider').inputValue()).toBe('4300');
    await page.goBack();
    await page.locator('.said').getByText('Ik heb geen beeld').waitFor();
  });

  it('is fetched from the speech-to-text server while someone looks', async () => {
    const act = { explanation: 'Trainen', purposes: ['training'], processor: { name: 'Spraak BV', region: 'NL' } };
    await service.as('administrator').put('/api/v1/further-uses/transcription').send(act).expect(200);
    speech.answers = [{ status: 200, body: { segments: [{ start: 1, end: 3, text: ' Vanzelf geschreven' }] } }];
    const page = await open('trainer', `/recordings/${call(2)}`);
    await page.getByRole('tab', { name: 'Transcript' }).click();
    await page.getByRole('button', { name: 'Laten uitschrijven' }).click();
    await soon(() => lines(page)).toEqual([expect.stringContaining('Vanzelf geschreven')]);
    await page.getByText(/automatisch/).waitFor();
  });

  it('is fetched by an officer for the purpose that was stated, and for no other', async () => {
    const act = { explanation: 'Verschuldigd op verzoek', purposes: ['access_request'], processor: { name: 'Spraak BV', region: 'NL' } };
    await service.as('administrator').put('/api/v1/further-uses/transcription').send(act).expect(200);
    speech.answers = [{ status: 200, body: { segments: [{ start: 1, end: 3, text: ' Voor de beller' }] } }];
    const page = await open('privacy_officer', `/recordings/${call(3)}?tab=transcript`);
    await page.getByText('Geen transcript', { exact: true }).waitFor();
    const fetching = page.getByRole('button', { name: 'Laten uitschrijven' });
    expect(await fetching.count()).toBe(0);
    await page.getByRole('button', { name: 'Afspelen', exact: true }).click();
    await page.getByRole('dialog').getByRole('radio').nth(1).check();
    await page.getByRole('dialog').getByRole('button', { name: 'Luisteren' }).click();
    await fetching.click();
    await soon(() => lines(page)).toEqual([expect.stringContaining('Voor de beller')]);
    const { body } = await service.as('privacy_officer').get(`/api/v1/recordings/${call(3)}/transcript?purpose=access_request`).expect(200);
    expect(body).toMatchObject({ request: { purpose: 'access_request', state: 'done' } });
  });
});

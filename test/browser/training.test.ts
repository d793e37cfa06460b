import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, launch, overflow, signIn, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
const ids: string[] = [];

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  await service.as('administrator').patch(`/api/v1/users/${service.signInOf('agent').id}`).send({ extensions: ['101'] }).expect(200);
  for (const seed of [1, 2]) ids.push(await service.push({ agent: '101' }, speechLike({ seconds: 8, seed })));
  for (const id of ids) await service.processed(id);
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

type Role = 'trainer' | 'agent' | 'administrator';

async function open(role: Role, to: string, options: VisitOptions = {}): Promise<Page> {
  await visitor?.context.close();
  visitor = await visit(browser, service.url, options);
  await signIn(visitor.page, service.signInOf(role), to);
  return visitor.page;
}

const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });
const call = () => ids[0] ?? '';

describe('remarks on a call', () => {
  it('are written by a key at the place, shared with the agent, and answered', async () => {
    const page = await open('trainer', `/recordings/${call()}?t=3`);
    await page.getByRole('slider').focus();
    await page.keyboard.press('c');
    await page.getByRole('dialog', { name: 'Opmerking op 0:03' }).waitFor();
    await page.locator('#comment-text').focus();
    await page.keyboard.type('Mooi samengevat.');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Mooi samengevat.').waitFor();
    expect(await page.locator('.marker-comment').count()).toBe(1);
    await page.getByRole('slider').focus();
    await page.keyboard.press('PageUp');
    await page.keyboard.press(']');
    await soon(async () => Number(await page.getByRole('slider').inputValue())).toBe(3000);
    await page.getByRole('button', { name: /^Delen met Test agent/ }).click();
    await page.getByRole('button', { name: 'Delen', exact: true }).click();
    await page.getByText(/^Gedeeld met Test agent op/).waitFor();
    expect(await violations(page)).toEqual([]);

    const agent = await open('agent', '/shared');
    await agent.getByRole('link', { name: /^Gesprek van/ }).click();
    await agent.getByText('Mooi samengevat.').waitFor();
    await agent.getByRole('button', { name: /^Antwoorden op/ }).click();
    await agent.getByLabel('Antwoord', { exact: true }).fill('Dank je.');
    await agent.getByRole('dialog').getByRole('button', { name: 'Antwoorden', exact: true }).click();
    await agent.locator('.replies').getByText('Dank je.').waitFor();
    expect(await violations(agent)).toEqual([]);
    expect(visitor?.complaints).toEqual([]);
  });

  it('stand beside a transcript that is typed, searched and followed', async () => {
    const page = await open('trainer', `/recordings/${call()}`);
    await page.getByRole('tab', { name: 'Transcript' }).click();
    await page.getByRole('button', { name: 'Typen' }).click();
    await page.getByLabel('Regels').fill('0:00 Medewerker: Goedemiddag\n0:04 Beller: Mijn scherm is zwart');
    await page.getByRole('button', { name: 'Opslaan' }).click();
    await page.locator('.transcript li').nth(1).waitFor();
    await page.getByRole('button', { name: 'Afspelen vanaf 0:04' }).click();
    await soon(() => page.locator('.transcript li[aria-current]').innerText()).toContain('Mijn scherm');
    await page.getByLabel('Zoeken in het transcript').fill('zwart');
    await soon(() => page.locator('.transcript li').count()).toBe(1);
    expect(await violations(page)).toEqual([]);
  });

  it('go with a record of what was heard', async () => {
    const page = await open('trainer', `/recordings/${call()}?t=0`);
    const told = page.waitForRequest((request) => request.url().endsWith('/heard'));
    await page.getByRole('button', { name: 'Afspelen', exact: true }).click();
    await soon(async () => (await audioFacts(page))?.currentTime ?? 0).toBeGreaterThan(1.2);
    await page.getByRole('button', { name: 'Pauzeren' }).click();
    const { intervals } = (await told).postDataJSON() as { intervals: { startMs: number; endMs: number }[] };
    expect(intervals[0]?.startMs).toBeLessThan(500);
    expect(intervals.at(-1)?.endMs).toBeGreaterThan(1000);
    expect((await (await told).response())?.status()).toBe(200);
  });
});

describe('a collection', () => {
  it('is made from the player, put in order with buttons, and plays on where that was asked', async () => {
    const page = await open('trainer', `/recordings/${call()}`);
    await page.getByRole('tab', { name: /Opmerkingen/ }).click();
    await page.getByRole('button', { name: 'Aan verzameling toevoegen' }).click();
    await page.getByLabel('Naam').fill('Afronden');
    await page.getByRole('dialog').getByRole('button', { name: 'Aan verzameling toevoegen' }).click();
    await soon(() => page.getByRole('dialog').count()).toBe(0);
    const { body } = await service.as('trainer').get('/api/v1/collections').expect(200);
    const id = (body as { items: { id: string }[] }).items[0]?.id ?? '';
    await service.as('trainer').post(`/api/v1/collections/${id}/items`).send({ recordingId: ids[1], note: 'Tweede' }).expect(201);
    await page.goto(`/collections/${id}`);
    await page.getByRole('button', { name: /omhoog$/ }).nth(1).click();
    await soon(() => page.locator('.collection-items li').first().innerText()).toContain('Tweede');
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Automatisch verder, na 5 seconden').check();
    await page.getByRole('button', { name: 'Alles afspelen' }).click();
    await page.getByText('1 van 2').waitFor();
    await soon(async () => (await audioFacts(page))?.paused).toBe(false);
    await page.getByRole('slider').fill('7000');
    await page.getByText(/Het volgende onderdeel begint over/).waitFor({ timeout: 30_000 });
    await page.getByText('2 van 2').waitFor({ timeout: 30_000 });
    await soon(async () => (await audioFacts(page))?.paused).toBe(false);
    expect(page.url()).toContain(call());
    expect(visitor?.complaints).toEqual([]);
  });
});

describe('evaluations', () => {
  it('are off until the consent is recorded, then go from draft to answer', async () => {
    let page = await open('trainer', '/evaluations');
    await page.getByText('Beoordelen staat uit').waitFor();
    expect(await violations(page)).toEqual([]);
    page = await open('administrator', '/evaluations');
    await page.getByRole('button', { name: 'Vastleggen en aanzetten' }).click();
    expect(await page.locator('.fault-summary a').count()).toBe(3);
    await page.getByLabel('Datum van de instemming').fill('2026-01-15');
    await page.getByLabel('Kenmerk van het besluit').fill('OR-2026-3');
    await page.getByLabel('Wat is afgesproken?').fill('Alleen om te leren.');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Vastleggen en aanzetten' }).click();
    await page.getByText('OR-2026-3').waitFor();

    page = await open('trainer', '/evaluations/scorecards');
    await page.getByRole('button', { name: 'Nieuw formulier' }).click();
    await page.getByLabel('Naam').fill('Basis');
    await page.getByLabel('Onderdelen en vragen').fill('# Begin\nNoemt de naam\nToon | 5');
    await page.getByRole('button', { name: 'Opslaan' }).click();
    await page.getByText('versie 1, 1 onderdeel').waitFor();
    await page.goto(`/recordings/${call()}?t=2`);
    await page.getByRole('tab', { name: 'Beoordeling' }).click();
    await page.getByRole('button', { name: 'Beoordeling beginnen' }).click();
    await page.getByRole('group', { name: 'Noemt de naam' }).getByLabel('Ja').check();
    await page.getByRole('group', { name: 'Toon' }).getByLabel('N.v.t.').check();
    await page.getByLabel('Notitie: Noemt de naam').fill('Duidelijk.');
    await page.getByText(/Concept bewaard om/).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.reload();
    await page.getByRole('tab', { name: 'Beoordeling' }).click();
    await soon(() => page.getByLabel('Notitie: Noemt de naam').inputValue()).toBe('Duidelijk.');
    await page.getByRole('button', { name: 'Indienen' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Indienen' }).click();
    await page.getByText('100%').waitFor();

    page = await open('agent', '/evaluations');
    await page.locator('.row-link').first().click();
    await page.getByText('Duidelijk.').waitFor();
    await page.getByLabel('Uw reactie').fill('Helder.');
    await page.getByRole('button', { name: 'Doorgeven' }).click();
    await page.locator('.evaluation-read').getByText('Helder.').waitFor();
    expect(await violations(page)).toEqual([]);

    page = await open('trainer', '/recordings');
    await page.getByRole('link', { name: 'Willekeurige steekproef' }).click();
    await page.getByRole('button', { name: 'Trekken' }).click();
    await page.getByText(/van 2 gesprekken getrokken/).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  for (const [language, theme] of [
    ['en', 'dark'],
    ['nl', 'light'],
  ] as const)
    it(`and all beside them fit 320 px: ${language}, ${theme}`, async () => {
      const { body } = await service.as('trainer').get('/api/v1/collections').expect(200);
      const collection = (body as { items: { id: string }[] }).items[0]?.id ?? '';
      const page = await open('trainer', '/collections', { language, theme, width: 320 });
      for (const path of ['/collections', `/collections/${collection}`, '/evaluations', '/evaluations/scorecards', '/evaluations/sample', `/recordings/${call()}`]) {
        await page.goto(path);
        await page.locator('main h1').waitFor();
        await soon(() => page.locator('.bones, [aria-busy="true"]').count()).toBe(0);
        expect({ path, found: await violations(page) }).toEqual({ path, found: [] });
        expect(await overflow(page), path).toBeLessThanOrEqual(0);
      }
    });
});

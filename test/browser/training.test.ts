import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, launch, signIn, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
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

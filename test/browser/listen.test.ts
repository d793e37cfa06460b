import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, launch, levels, signIn, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
let callId: string;
const ids: string[] = [];

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  const now = service.clock.now().getTime();
  for (const [index, agent] of ['101', '102', '103'].entries()) {
    const startedAt = new Date(now - (index + 1) * 3_600_000).toISOString();
    const audio = speechLike({ seconds: 40, seed: index + 1, pauses: [[10_000, 22_000]] });
    ids.push(
      await service.push({ agent, startedAt, caller: `+3161234567${index}`, callerName: `Caller ${index}` }, audio),
    );
  }
  for (const id of ids) await service.processed(id);
  callId = ids[1] ?? '';
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(role: 'trainer' | 'privacy_officer', to: string): Promise<Page> {
  visitor = await visit(browser, service.url);
  await signIn(visitor.page, service.signInOf(role), to);
  return visitor.page;
}

/** Asks again and again: everything in a browser takes its time, more so on a busy machine. */
const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });
const play = (page: Page) => page.getByRole('button', { name: 'Afspelen', exact: true });
const slider = (page: Page) => page.getByRole('slider');
const place = async (page: Page) => Number(await slider(page).inputValue()) / 1000;
const time = async (page: Page) => (await audioFacts(page))?.currentTime ?? -1;

describe('listening to a call', () => {
  it('is found by a filter, opened and heard', async () => {
    const page = await open('trainer', '/');
    await soon(() => page.locator('.recordings tbody tr').count()).toBe(3);
    await page.getByLabel('Laatste drie cijfers').fill('671');
    await page.getByRole('button', { name: 'Zoeken' }).click();
    await soon(() => page.locator('.recordings tbody tr').count()).toBe(1);
    expect(page.url()).not.toContain('671');
    await page.locator('.row-link').click();
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(1);
    const facts = await audioFacts(page);
    expect(facts?.decodedBytes).toBeGreaterThan(0);
    expect(facts?.duration).toBeCloseTo(40, 0);
    expect(Math.max(...(await levels(page)))).toBeGreaterThan(0.001);
    expect(await slider(page).getAttribute('aria-valuetext')).toMatch(/seconde[n]? van 40 seconden/);
    expect(visitor?.complaints).toEqual([]);
  });

  it('names no caller in the address or the title of the tab', async () => {
    const page = await open('privacy_officer', `/recordings/${callId}`);
    await page.getByRole('heading', { level: 1, name: /Caller 1/ }).waitFor();
    expect(await page.title()).not.toContain('Caller 1');
    await page.goto('/recordings');
    await page.getByLabel('Telefoonnummer').fill('06 12 34 56 71');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('.recordings tbody tr').count()).toBe(1);
    expect(decodeURIComponent(page.url()).replace(/\D/g, '')).not.toContain('345671');
    await page.reload();
    await soon(() => page.getByLabel('Telefoonnummer').inputValue()).toBe('06 12 34 56 71');
    await soon(() => page.locator('.recordings tbody tr').count()).toBe(1);
  });

  it('asks an officer what for, and says so to the service', async () => {
    const page = await open('privacy_officer', `/recordings/${callId}`);
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/audio')) asked.push(new URL(request.url()).search);
    });
    await play(page).click();
    await page.getByText('Verzoek van een betrokkene').click();
    expect(asked).toEqual([]);
    await page.getByRole('button', { name: 'Luisteren' }).click();
    await soon(() => time(page)).toBeGreaterThan(0.3);
    expect(new Set(asked)).toEqual(new Set(['?purpose=access_request']));
  });

  it('fetches no sound before it is played', async () => {
    const page = await open('trainer', '/recordings');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.locator(`#recording-${callId}`).click();
    await page.locator('.waveform').waitFor();
    expect(asked.filter((url) => url.includes('/audio'))).toEqual([]);
  });

  it('goes where the keys say', async () => {
    const page = await open('trainer', `/recordings/${callId}`);
    await slider(page).focus();
    for (const [key, at] of [
      ['ArrowRight', 5],
      ['l', 15],
      ['PageDown', 40],
      ['j', 30],
      ['ArrowLeft', 25],
      ['PageUp', 0],
    ] as const) {
      await page.keyboard.press(key);
      await soon(() => place(page)).toBeCloseTo(at, 0);
    }
    await page.keyboard.press('.');
    expect(await page.getByLabel('Snelheid').inputValue()).toBe('1.25');
    await page.keyboard.press('k');
    await soon(() => time(page)).toBeGreaterThan(0.3);
    expect(await audioFacts(page)).toMatchObject({ playbackRate: 1.25, preservesPitch: true, paused: false });
    await page.keyboard.press('Space');
    await soon(async () => (await audioFacts(page))?.paused).toBe(true);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Toetsen van de speler' }).waitFor();
    await page.getByLabel('Toetsen gebruiken').uncheck();
    await page.keyboard.press('Escape');
    await slider(page).focus();
    await page.keyboard.press('k');
    expect((await audioFacts(page))?.paused).toBe(true);
  });

  it('silences one leg, or all but one, in the sound itself', async () => {
    const page = await open('trainer', `/recordings/${callId}`);
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(0.2);
    const loudest = [0, 0];
    const listen = async () => {
      for (const [leg, level] of (await levels(page)).entries()) loudest[leg] = Math.max(loudest[leg] ?? 0, level);
      return loudest;
    };
    const begin = async (key: string, from: number) => {
      await page.keyboard.press(key);
      await slider(page).fill(String(from * 1000));
      // What was on its way to the speakers is heard out.
      await page.waitForTimeout(400);
      loudest.fill(0);
    };
    await slider(page).focus();
    await begin('1', 0);
    await soon(async () => (await listen())[1]).toBeGreaterThan(0.005);
    expect(loudest[0]).toBeLessThan(0.0005);
    await begin('Shift+1', 22);
    await soon(async () => (await listen())[0]).toBeGreaterThan(0.005);
    expect(loudest[1]).toBeLessThan(0.0005);
  });

  it('leaves silences out, and tells what that saves', async () => {
    const page = await open('trainer', `/recordings/${callId}?t=8`);
    await page.locator('.waveform').waitFor();
    await page.getByLabel(/Stilte overslaan/).check();
    await soon(() => page.getByText(/bespaart 0:1[01]/).count()).toBe(1);
    await play(page).click();
    const seen: number[] = [];
    await soon(async () => {
      seen.push(await time(page));
      return seen.at(-1);
    }).toBeGreaterThan(22.5);
    expect(seen.filter((at) => at > 11.5 && at < 21)).toEqual([]);
  });

  it('begins where a link says, and otherwise where this person left off', async () => {
    const page = await open('trainer', `/recordings/${callId}?t=12`);
    await slider(page).waitFor();
    expect(await place(page)).toBeCloseTo(12, 1);
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(13);
    await page.getByRole('button', { name: 'Pauzeren' }).click();
    await page.goto(`/recordings/${callId}`);
    await page.getByText(/U was gebleven bij 0:1\d/).waitFor();
    expect(await place(page)).toBeGreaterThan(12.5);
    await page.getByRole('button', { name: 'Vanaf het begin' }).click();
    expect(await place(page)).toBe(0);
  });

  it('repeats a stretch that was marked by keys', async () => {
    const page = await open('trainer', `/recordings/${callId}?t=3`);
    await slider(page).focus();
    await page.keyboard.press('i');
    await page.getByLabel('tot', { exact: true }).fill('0:05');
    await page.keyboard.press('Tab');
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(4.3);
    await soon(() => time(page)).toBeLessThan(4);
    await soon(() => time(page)).toBeGreaterThan(4.3);
    await soon(() => time(page)).toBeLessThan(4);
  });

  it('goes on by itself, from its place, when the network comes back', async () => {
    const page = await open('trainer', `/recordings/${callId}?t=6`);
    let away = false;
    await page.route('**/audio*', async (route) => {
      if (away) return await route.abort('internetdisconnected');
      const asked = /bytes=(\d+)-/.exec(route.request().headers()['range'] ?? '');
      const start = Number(asked?.[1] ?? 0);
      // A third of the file, then the connection is gone.
      const response = await route.fetch({
        headers: { ...route.request().headers(), range: `bytes=${start}-${start + 60_000}` },
      });
      away = true;
      await route.fulfill({ response });
    });
    await play(page).click();
    await page.getByText(/Het geluid hapert/).waitFor({ timeout: 30_000 });
    const before = await place(page);
    expect(before).toBeGreaterThanOrEqual(6);
    await page.unroute('**/audio*');
    await soon(() => time(page)).toBeGreaterThan(before + 0.5);
    expect(await page.getByText(/Het geluid hapert/).count()).toBe(0);
  });

  it('steps through the list it was opened from, and comes back to its row', async () => {
    const page = await open('trainer', '/recordings');
    await page.locator(`#recording-${ids[0] ?? ''}`).click();
    await page.getByText('1 van 3').waitFor();
    await page.keyboard.press('n');
    await page.getByText('2 van 3').waitFor();
    expect(page.url()).toContain(callId);
    await page.keyboard.press('p');
    await page.getByText('1 van 3').waitFor();
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await soon(() => page.evaluate('document.activeElement.id')).toMatch(/^recording-/);
    // And by the link, to the row of the call that was looked at last.
    await page.locator(`#recording-${ids[0] ?? ''}`).click();
    await page.getByText('1 van 3').waitFor();
    await page.keyboard.press('n');
    await page.getByText('2 van 3').waitFor();
    await page.getByRole('link', { name: 'Terug naar de lijst' }).click();
    await soon(() => page.evaluate('document.activeElement.id')).toBe(`recording-${callId}`);
  });
});

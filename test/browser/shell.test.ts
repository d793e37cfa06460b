import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, launch, signIn, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let browser: Browser;
let current: Visit | undefined;
let callId = '';

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  callId = await service.push({ agent: '101', caller: '+31612345678' }, speechLike({ seconds: 20 }));
  await service.push({ agent: '102', caller: '+31687654321' });
  await service.processed(callId);
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await current?.context.close();
  current = undefined;
});

async function enter(): Promise<Page> {
  current = await visit(browser, service.url);
  return current.page;
}

const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });
const focused = (page: Page) =>
  page.evaluate<string>(`(() => {
  const { activeElement: at } = document;
  if (at === document.body) return '';
  return at.id || at.getAttribute('aria-label') || at.textContent.trim().slice(0, 40);
})()`);

/** Presses Tab until the focus is where it is wanted, and says how it looks there. */
async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let step = 0; step < 60; step += 1) {
    const now = await focused(page);
    if (wanted.test(now)) return;
    seen.push(now);
    await page.keyboard.press('Tab');
  }
  throw new Error(`the focus never came to ${wanted.source}: ${seen.join(', ')}`);
}

describe('signing in', () => {
  it('says what is missing, and refuses without saying what was wrong', async () => {
    const page = await enter();
    await page.goto('/recordings');
    await page.getByRole('button', { name: 'Aanmelden' }).click();
    await soon(() => focused(page)).toBe('Er gaat nog iets niet goed');
    await page.getByRole('link', { name: 'Vul uw e-mailadres in' }).click();
    await page.keyboard.type('nobody@example.test');
    await page.getByLabel('Wachtwoord').fill('wrong wrong wrong');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').textContent()).toMatch(/niet gelukt/);
  });

  it('goes on where the person was when the session had ended', async () => {
    const page = await enter();
    await signIn(page, service.signInOf('trainer'), `/recordings?agent=101`);
    await page.locator('.row-link').waitFor();
    await page.context().clearCookies();
    await page.getByLabel('Periode').selectOption('week');
    await page.getByText(/sessie is verlopen/).waitFor();
    const { email, password } = service.signInOf('trainer');
    await page.locator('#email').fill(email);
    await page.locator('#password').fill(password);
    await page.keyboard.press('Enter');
    await soon(() => page.locator('.recordings tbody .row-link').count()).toBe(1);
    expect(page.url()).toContain('agent=101');
    expect(page.url()).toContain('period=week');
  });

  it('shows each role its own way only', async () => {
    const expected = {
      trainer: ['Opnames', 'Tickets', 'Afspraken', 'Verzamelingen', 'Beoordelingen'],
      agent: ['Opnames', 'Met mij gedeeld', 'Beoordelingen'],
      privacy_officer: [
        'Opnames',
        'Tickets',
        'Afspraken',
        'Bewijspakketten',
        'Echtheid controleren',
        'Toegangslogboek',
        'Privacyverzoeken',
        'Bewaartermijnen',
        'Bewaarblokkeringen',
        'Verdere verwerkingen',
      ],
      auditor: [
        'Toegangslogboek',
        'Privacyverzoeken',
        'Bewaartermijnen',
        'Bewaarblokkeringen',
        'Verdere verwerkingen',
        'Echtheid controleren',
      ],
      administrator: [
        'Gebruikers',
        'API-sleutels',
        'Aanvoer',
        'Organisatie',
        'Bewaartermijnen',
        'Bewaarblokkeringen',
        'Verdere verwerkingen',
        'Echtheid controleren',
      ],
    } as const;
    for (const [role, entries] of Object.entries(expected)) {
      const page = await enter();
      await signIn(page, service.signInOf(role as keyof typeof expected));
      await soon(() => page.locator('nav li').allTextContents()).toEqual([...entries]);
      await current?.context.close();
    }
  });
});

describe('language and theme', () => {
  it('are switched in the header and remembered', async () => {
    const page = await enter();
    await signIn(page, service.signInOf('trainer'));
    await page.getByRole('heading', { level: 1, name: 'Opnames' }).waitFor();
    await page.getByRole('button', { name: 'EN, English' }).click();
    await page.getByRole('heading', { level: 1, name: 'Recordings' }).waitFor();
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Recordings' }).waitFor();
    expect(await page.evaluate('[document.documentElement.lang, document.documentElement.dataset.theme]')).toEqual([
      'en',
      'dark',
    ]);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 23, 30)');
  });

  it('never flash: what is painted first is what was chosen', async () => {
    current = await visit(browser, service.url, { language: 'en', theme: 'dark' });
    const { page } = current;
    await page.addInitScript(`
      globalThis.painted = [];
      new MutationObserver(() => {
        const { lang, dataset } = document.documentElement;
        if (document.body) painted.push([lang, dataset.theme, getComputedStyle(document.body).backgroundColor].join(' '));
      }).observe(document, { childList: true, subtree: true });
    `);
    await page.goto('/');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const painted = await page.evaluate<string[]>('painted.filter((each) => !each.endsWith("rgba(0, 0, 0, 0)"))');
    expect(new Set(painted)).toEqual(new Set(['en dark rgb(18, 23, 30)']));
  });
});

describe('with the keyboard alone', () => {
  it('a call is found, played, muted and left again', async () => {
    const page = await enter();
    await page.goto('/');
    const { email, password } = service.signInOf('trainer');
    await tabTo(page, /^email$/);
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.locator('.row-link').first().waitFor();
    await tabTo(page, /^Naar de inhoud$/);
    await page.keyboard.press('Enter');
    await soon(() => focused(page)).toBe('main');
    await tabTo(page, /^number$/);
    await page.keyboard.type('678');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('.row-link').count()).toBe(1);
    await tabTo(page, /^Zoeken$/);
    await page.keyboard.press('ArrowDown');
    await soon(() => focused(page)).toBe(`recording-${callId}`);
    await page.keyboard.press('Enter');
    await page.getByRole('slider').waitFor();
    await soon(() => page.evaluate('document.activeElement.tagName')).toBe('H1');
    await page.keyboard.press('k');
    await soon(async () => (await audioFacts(page))?.currentTime ?? 0).toBeGreaterThan(0.2);
    await tabTo(page, /^Dempen: Beller$/);
    await page.keyboard.press('Space');
    expect(await page.getByRole('button', { name: 'Dempen: Beller' }).getAttribute('aria-pressed')).toBe('true');
    await tabTo(page, /Plaats in het gesprek/);
    await page.keyboard.press('End');
    await soon(async () => Number(await page.getByRole('slider').inputValue())).toBeGreaterThan(19_000);
    await tabTo(page, /^tab-comments$/);
    await page.keyboard.press('ArrowRight');
    await soon(() => focused(page)).toBe('tab-evaluation');
    await page.keyboard.press('Shift+Tab');
    await page.goBack();
    await soon(() => focused(page)).toBe(`recording-${callId}`);
    expect(current?.complaints).toEqual([]);
  });

  it('everything that can have the focus shows it, and the waveform hides nothing from it', async () => {
    const page = await enter();
    await signIn(page, service.signInOf('trainer'), `/recordings/${callId}`);
    await page.locator('.waveform').waitFor();
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate<{ hidden: boolean; outline: string; what: string }>(`(() => {
        const { activeElement: at } = document;
        return { hidden: at.closest('[aria-hidden=true]') !== null, outline: getComputedStyle(at).outlineStyle, what: at.outerHTML.slice(0, 80) };
      })()`);
      if (at.what.startsWith('<body')) break;
      expect(at, at.what).toMatchObject({ hidden: false, outline: 'solid' });
    }
  });

  it('a user is made, with faults named on the way', async () => {
    const page = await enter();
    await signIn(page, service.signInOf('administrator'));
    await page.locator('.row-actions').first().waitFor();
    await tabTo(page, /^Nieuwe gebruiker$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, /^name$/);
    await page.keyboard.press('Enter');
    await soon(() => focused(page)).toBe('Er gaat nog iets niet goed');
    await tabTo(page, /^name$/);
    await page.keyboard.type('Nora Nieuw');
    await page.keyboard.press('Tab');
    await page.keyboard.type('nora@example.test');
    await page.keyboard.press('Tab');
    await page.keyboard.type('vier woorden zonder verband');
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: 'Nora Nieuw', exact: true }).waitFor();
    await soon(() => focused(page)).toMatch(/Nieuwe gebruiker/);
  });
});

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildUi, launch, overflow, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

let open: TestService;
let browser: Browser;
let visitor: Visit | undefined;
let ui: string;

beforeAll(async () => {
  ui = await buildUi();
  open = await startTestService({ uiFolder: ui, env: { PRIVACY_PORTAL: 'true' } });
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await open.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function portal(service: TestService, options: VisitOptions = {}) {
  visitor = await visit(browser, service.url, options);
  await visitor.page.goto('/privacy-portal');
  return visitor.page;
}

describe('the public form for privacy requests', () => {
  it('takes a request from somebody who knows nobody here, by keyboard alone', async () => {
    const page = await portal(open);
    await page.getByRole('heading', { level: 1, name: 'Uw privacyrechten' }).waitFor();
    const press = async (label: RegExp) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const text = await page.evaluate<string>(
          `[...(document.activeElement.labels ?? [])].map((each) => each.textContent).join(' ') || document.activeElement.textContent`,
        );
        if (label.test(text.trim())) return;
      }
      throw new Error(`${String(label)} was not reached`);
    };
    await press(/^Verzoek versturen/);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Er gaat nog iets niet goed');
    expect(await page.locator('.fault-summary li').count()).toBe(3);
    await press(/^Weten en horen/);
    await page.keyboard.press('Space');
    await press(/^Dat mijn gesprekken niet voor training/);
    await page.keyboard.press('Space');
    await press(/^Naam/);
    await page.keyboard.type('Wim Webformulier');
    await press(/^E-mailadres/);
    await page.keyboard.type('wim@example.test');
    await press(/^Telefoonnummer/);
    await page.keyboard.type('06 12 34 50 99');
    await press(/^Verzoek versturen/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Uw verzoek is ontvangen' }).waitFor();
    const said = await page.locator('main').innerText();
    expect(said).toMatch(/[2-9A-Z]{4}-[2-9A-Z]{4}/);
    expect(said).toMatch(/Antwoord uiterlijk/);
    expect(page.url()).not.toContain('Wim');

    const queue = await open.as('privacy_officer').get('/api/v1/privacy-requests').expect(200);
    const [taken] = (queue.body as { items: { channel: string; subjectName: string; processes: { right: string }[] }[] }).items;
    expect(taken).toMatchObject({ channel: 'portal', subjectName: 'Wim Webformulier' });
    expect(taken?.processes.map(({ right }) => right).sort()).toEqual(['access', 'objection']);
    expect(visitor?.complaints).toEqual([]);
  });

  it('says in plain words what is wrong with a number, and keeps what was filled in', async () => {
    const page = await portal(open);
    await page.locator('input[name=portal-right-access]').check();
    await page.locator('#portal-name').fill('Wim');
    await page.locator('#portal-phone').fill('geen nummer');
    await page.locator('button[type=submit]').click();
    await page.locator('.fault-summary').getByText('Dit is geen telefoonnummer').waitFor();
    expect(await page.locator('#portal-name').inputValue()).toBe('Wim');
  });

  for (const [language, theme, width] of [
    ['nl', 'light', 1440],
    ['en', 'dark', 320],
    ['nl', 'dark', 320],
    ['en', 'light', 1440],
  ] as const)
    it(`breaks no rule of accessibility and fits ${width} px: ${language}, ${theme}`, async () => {
      const page = await portal(open, { language, theme, width });
      await page.locator('#portal-name').waitFor();
      await page.locator('#portal-kind').selectOption('representative');
      await page.locator('button[type=submit]').click();
      await page.locator('.fault-summary').waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(visitor?.complaints).toEqual([]);
    });
});

describe('while the form is off', () => {
  it('says so kindly, and takes nothing', async () => {
    const closed = await startTestService({ uiFolder: ui });
    try {
      const page = await portal(closed);
      await page.getByRole('heading', { name: 'Dit formulier staat uit' }).waitFor();
      expect(await page.locator('form').count()).toBe(0);
      expect(await violations(page)).toEqual([]);
      await closed.nobody().post('/api/v1/privacy-portal').send({ name: 'Wim', rights: ['access'] }).expect(404);
    } finally {
      await closed.close();
    }
  });
});

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tone } from '../support/audio.js';
import { buildUi, launch, overflow, signIn, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/** An administrator connects a PBX, from the choice of it to its first recording. */

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await service.close();
});
afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(to: string, options: VisitOptions = {}): Promise<Page> {
  visitor = await visit(browser, service.url, options);
  await signIn(visitor.page, service.signInOf('administrator'), to);
  return visitor.page;
}

/** What the page tells to paste, run as it stands in a folder of its own. */
async function paste(lines: string): Promise<string> {
  const cwd = await mkdtemp(path.join(tmpdir(), 'opname-paste-'));
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', lines], { cwd });
    expect(await readdir(cwd)).toEqual([]);
    return stdout;
  } finally {
    await rm(cwd, { recursive: true });
  }
}

const log = (page: Page) => page.getByRole('log');
const push = (key: string, fields: Record<string, string>) =>
  service
    .machine(key)
    .post('/api/v1/recordings')
    .field({ startedAt: new Date(Date.now() - 20_000).toISOString(), caller: '+31850000101', agent: '201', ...fields })
    .attach('audio', tone({ seconds: 3, channels: 2 }), 'call.wav');

describe('connecting a PBX', () => {
  it('leads from the choice to the first recording, by the keyboard, and says what was wrong on the way', async () => {
    const page = await open('/admin/ingest');
    await page.getByRole('link', { name: 'Telefooncentrale aansluiten' }).first().click();
    await page.getByRole('radio', { name: 'Asterisk' }).focus();
    await page.keyboard.press('ArrowUp');
    expect(await page.getByRole('radio', { name: 'Iets anders (curl)' }).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Verder' }).press('Enter');
    await page.getByRole('link', { name: 'Vul een naam in' }).press('Enter');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.type('Centrale Utrecht');
    await page.keyboard.press('Enter');

    // The lines hold this installation's address and the new key; run as they stand they prove the way.
    const lines = await page.getByRole('region', { name: 'Probeer de weg' }).innerText();
    expect(lines).toContain(service.url);
    const key = /opn_[0-9A-Za-z]{43}/.exec(lines)?.[0] ?? '';
    expect(key).not.toBe('');
    await log(page).getByText('Nog niets.').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await paste(lines.replace(key, key.slice(0, 20)))).toMatch(/key is wrong/);
    await log(page).getByText('begint goed, maar klopt verder niet').waitFor();
    expect(await paste(lines)).toContain('This PBX can deliver');
    await log(page).getByText('Proeftoon van de centrale ontvangen').waitFor();

    await page.getByRole('button', { name: 'Proeftoon sturen' }).click();
    await page.getByText('Opname werkt: de proeftoon is opgeslagen').waitFor();
    expect(await page.locator('.test-steps .ok').count()).toBe(6);
    expect((await service.as('trainer').get('/api/v1/recordings').expect(200)).body).toMatchObject({ items: [] });

    await push(key, { callId: 'eens', startedAt: 'gisteren' }).expect(422);
    await log(page).getByText('Opname geweigerd: Velden kloppen niet.').waitFor();
    expect(await log(page).innerText()).toContain('is geen tijdstip zoals');
    await push(key, { callId: 'uit', direction: 'outbound' }).expect(422);
    await log(page).getByText('Alleen gesprekken in een richting uit de privacyverklaring').waitFor();
    await push(key, { callId: 'eerste' }).expect(201);
    await log(page).getByText('Aangesloten.').waitFor();
    await log(page).getByText('er valt niets op aan te merken').waitFor();
    expect(await log(page).innerText()).not.toContain('0101');
    expect(await violations(page)).toEqual([]);

    // Later: the key is gone, the rest is there; another key can be had without losing the first.
    await page.reload();
    await page.getByText('De sleutel wordt maar één keer getoond').waitFor();
    expect(await page.content()).not.toContain(key);
    await page.getByRole('button', { name: 'Nieuwe sleutel' }).click();
    await page.getByRole('button', { name: 'Sleutel erbij maken' }).click();
    await page.getByText('wordt alleen nu getoond').waitFor();
    await push(key, { callId: 'tweede' }).expect(201);
    await page.getByRole('link', { name: 'Naar aanvoer' }).click();
    await page.getByRole('link', { name: 'Centrale Utrecht: proef en meekijken' }).waitFor();
    expect(visitor?.complaints).toEqual([]);
  });

  it('of 3CX shows what to set, and waits until the PBX was asked', async () => {
    const page = await open('/admin/connect', { language: 'en' });
    await page.getByRole('radio', { name: '3CX' }).check();
    await page.getByLabel('Name').fill('Office "North"');
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(JSON.parse(await page.getByRole('region', { name: 'Let Opname ask' }).innerText())).toMatchObject([
      { kind: '3cx', source: 'Office "North"' },
    ]);
    await page.getByText('Waiting until Opname has asked').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it('rotates a key with an overlap of choice, and shows by day what was refused and why', async () => {
    const made = await service.as('administrator').post('/api/v1/keys').send({ name: 'Wissel', role: 'pbx' }).expect(201);
    const { key } = made.body as { key: string };
    await push(key, { callId: 'geweigerd', direction: 'outbound' }).expect(422);
    const page = await open('/admin/keys');
    await page.getByRole('button', { name: 'Sleutel Wissel vernieuwen' }).click();
    await page.getByLabel('De oude sleutel werkt nog').selectOption({ label: 'een week' });
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Vernieuwen', exact: true }).click();
    const second = await page.getByRole('textbox', { name: 'Sleutel' }).inputValue();
    await page.getByRole('button', { name: 'Ik heb het bewaard' }).click();
    await page.getByText(/^Werkt tot/).first().waitFor();
    await push(key, { callId: 'oude' }).expect(201);
    await push(second, { callId: 'nieuwe' }).expect(201);
    await page.goto('/admin/ingest');
    const panel = page.getByRole('region', { name: 'Wissel' });
    await panel.getByText('Per dag').click();
    await panel.getByRole('row', { name: /Richting die de privacyverklaring niet dekt: 1/ }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  it.each([{ language: 'nl', theme: 'light', width: 1440 }, { language: 'en', theme: 'dark', width: 320 }] as const)(
    'keeps a list of numbers that are never recorded, at $width px',
    async (options) => {
      const nl = options.language === 'nl';
      const page = await open('/admin/organisation', options);
      await page.getByRole('button', { name: nl ? 'Nummer uitsluiten' : 'Exclude a number' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: nl ? 'Opslaan' : 'Save' }).click();
      await dialog.getByRole('link', { name: nl ? 'Vul in waarom' : 'Enter why' }).waitFor();
      expect(await violations(page)).toEqual([]);
      await dialog.getByLabel(nl ? 'Nummer of toestel' : 'Number or extension').fill('030 123 45 67');
      await dialog.getByLabel(nl ? 'Waarom' : 'Why').fill('Lijn van de OR');
      await dialog.getByRole('button', { name: nl ? 'Opslaan' : 'Save' }).click();
      await page.getByRole('cell', { name: 'Lijn van de OR' }).waitFor();
      await dialog.waitFor({ state: 'detached' });
      expect([await violations(page), await overflow(page)]).toEqual([[], 0]);
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined) await page.screenshot({ path: path.join(folder, `excluded-${options.width}.png`), fullPage: true });
      const { body } = await service.as('administrator').post('/api/v1/keys').send({ name: 'OR', role: 'pbx' }).expect(201);
      const { key } = body as { key: string };
      await push(key, { callId: 'or', caller: '+31301234567' }).expect(422);
      await page.getByRole('button', { name: nl ? /^Weer opnemen:/ : /^Record again:/ }).click();
      await dialog.getByRole('button', { name: nl ? 'Weer opnemen' : 'Record again' }).click();
      await page.getByText(nl ? 'Er is niets uitgesloten' : 'Nothing is excluded').waitFor();
      // A later call: one that was kept out stays out.
      await push(key, { callId: 'later', caller: '+31301234567' }).expect(201);
    },
  );

  it.each([
    { language: 'nl', theme: 'light', width: 320 }, { language: 'en', theme: 'dark', width: 320 }, { language: 'nl', theme: 'dark', width: 1440 },
    { language: 'en', theme: 'light', width: 1440 },
  ] as const)('is readable at $width px, $language, $theme', async (options) => {
    const answer = await service.as('administrator').post('/api/v1/keys').send({ name: 'Een centrale met een lange naam', role: 'pbx' }).expect(201);
    const { sourceId, key } = answer.body as { sourceId: string; key: string };
    await push(key, { callId: 'lang-genoeg-om-over-te-lopen-1763856000.123456789-en-nog-veel-meer', caller: '' }).expect(201);
    await push(key, { callId: 'x', direction: 'outbound' }).expect(422);
    const page = await open('/admin/connect', options);
    await page.locator('.vendor').first().waitFor();
    expect([await violations(page), await overflow(page)]).toEqual([[], 0]);
    for (const vendor of ['asterisk', 'freepbx', 'freeswitch', 'rtpengine', '3cx', 'curl']) {
      await page.goto(`/admin/connect/${sourceId}?pbx=${vendor}`);
      await page.locator('.arrivals .notice.error').waitFor();
      if (vendor === 'asterisk') {
        await page.locator('.panel .button', { hasText: /toon|tone/ }).click();
        await page.locator('.test-steps .ok').nth(5).waitFor();
        await page.waitForFunction('document.querySelectorAll(".arrivals .notice").length >= 3');
      }
      expect([vendor, await violations(page), await overflow(page)]).toEqual([vendor, [], 0]);
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined)
        await page.screenshot({ path: path.join(folder, `connect-${vendor}-${options.language}-${options.theme}-${options.width}.png`), fullPage: true });
    }
  });
});

import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPackage } from '../../src/packages/verifier/check.js';
import { speechLike } from '../support/audio.js';
import { buildUi, launch, signIn, violations, visit } from '../support/browser.js';
import { filesBelow, unpack } from '../support/evidence.js';
import { startTestService, type TestService } from '../support/service.js';

/** An officer with a court date and no mouse: from the call to the package in the hand. */

let service: TestService;
let browser: Browser;
let callId: string;

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  callId = await service.push({ agent: '101', callerName: 'J. de Vries', ticket: '48211', caller: '+31612345678' }, speechLike({ seconds: 20 }));
  await service.processed(callId);
});
afterAll(async () => {
  await browser.close();
  await service.close();
});

const focused = `(() => { const it = document.activeElement; return [it.id, it.type ?? '', it.getAttribute('aria-label'), it.textContent].join(' '); })()`;

/** Presses Tab until the focus is on what is wanted. */
async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  for (let step = 0; step < 150; step += 1) {
    if (wanted.test(await page.evaluate<string>(focused))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the focus never came to ${wanted.source}`);
}

async function press(page: Page, wanted: RegExp, key = 'Enter'): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press(key);
}

describe('with the keyboard alone', () => {
  it('an agreement is marked, found, sealed with a third party silenced, and handed over', { timeout: 180_000 }, async () => {
    const { page, context, complaints } = await visit(browser, service.url);
    await signIn(page, service.signInOf('privacy_officer'), `/recordings/${callId}?t=4`);
    await page.locator('.waveform').waitFor();
    await press(page, /^tab-tickets/, 'ArrowRight');
    await page.getByText(/Markeren verlengt de bewaartermijn niet/).waitFor();
    await press(page, /Afspraak markeren$/);
    await page.locator('form.mark').waitFor();
    await tabTo(page, /^mark-startMs/);
    await page.keyboard.type('0:04');
    await tabTo(page, /^mark-endMs/);
    await page.keyboard.type('0:09');
    await tabTo(page, /^mark-summary/);
    await page.keyboard.type('Akkoord op 24 maanden');
    await press(page, /Markeren$/);
    await page.locator('.agreed', { hasText: 'Akkoord op 24 maanden' }).waitFor();
    // It is drawn over the lanes too, where it was marked.
    const drawn = await page.evaluate<number>(`(() => {
      const host = [...document.querySelectorAll('.waveform-lanes > div')].find((each) => each.shadowRoot);
      const mark = host.shadowRoot.querySelector('[part=agreement]').getBoundingClientRect();
      const lanes = host.getBoundingClientRect();
      return Math.round((mark.left - lanes.left) / lanes.width * 20);
    })()`);
    expect(drawn).toBe(4);

    await page.goto('/agreements');
    await page.locator('td .check').waitFor();
    await tabTo(page, /^number/);
    await page.keyboard.type('06 12345678');
    await page.keyboard.press('Enter');
    await page.locator('td .check').waitFor();
    expect(page.url()).not.toContain('12345678');
    await press(page, /^ checkbox/, 'Space');
    await press(page, /Bewijspakket verzegelen$/);
    await page.locator('dialog').waitFor();
    await tabTo(page, /^seal-recipient/);
    await page.keyboard.type('Rechtbank Utrecht');
    await tabTo(page, /^seal-reason/);
    await page.keyboard.type('Geschil over de looptijd');
    await press(page, /31 6 12 34 56 78$/);
    await press(page, /Stuk vanaf hier$/);
    await tabTo(page, /Stuk 1: van/);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('0:05');
    await tabTo(page, /Stuk 1: tot/);
    await page.keyboard.type('0:06');
    expect(await violations(page)).toEqual([]);
    await press(page, /^ submit +Verzegelen$/);
    await page.waitForURL('**/packages');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /^Pakket EV-\d{4}-0001 downloaden/ }).waitFor({ timeout: 60_000 })
        .then(() => press(page, /Pakket EV-\d{4}-0001 downloaden/)),
    ]);
    const unpacked = await unpack(await readFile(await download.path()));
    const files = await filesBelow(unpacked.folder);
    const [key] = await service.service.platform.database.query<{ key_id: string }>('SELECT key_id FROM signing_keys');
    expect(await checkPackage(files, { trustedKeyIds: [key?.key_id ?? ''] })).toMatchObject({ verdict: 'unchanged', faults: [] });
    const told = Buffer.from((await files.get('data/audio/derived/derivation.json')?.read()) ?? []).toString();
    const { derivations } = JSON.parse(told) as { derivations: { passage: object; masks: object[] }[] };
    expect(derivations).toMatchObject([{ passage: { startMs: 4000, endMs: 9000 }, masks: [{ startMs: 5000, endMs: 6000 }] }]);
    await unpacked.remove();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

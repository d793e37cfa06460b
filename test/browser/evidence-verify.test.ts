import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tone } from '../support/audio.js';
import { launch, violations } from '../support/browser.js';
import { download, seal, unpack, type SealedPackage, type Unpacked } from '../support/evidence.js';
import { startTestService, type TestService } from '../support/service.js';

/** `verify.html` as a stranger opens it: from a disk, without any network. */

let browser: Browser;
let service: TestService;
let sealedPackage: SealedPackage;
let unpacked: Unpacked;
const asked: string[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  service = await startTestService();
  const id = await service.push({}, tone({ seconds: 2, channels: 2 }));
  sealedPackage = await seal(service, [id], { scope: 'full' });
  unpacked = await unpack(await download(service, sealedPackage.id));
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await service.close();
  await unpacked.remove();
});

async function openVerifier(html = path.join(unpacked.folder, 'verify.html')): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US' });
  await context.route('**', (route) => {
    const url = route.request().url();
    if (!url.startsWith('file:') && !url.startsWith('blob:')) asked.push(url);
    return route.continue();
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(pathToFileURL(html).href);
  return page;
}

async function verdict(page: Page): Promise<string | null> {
  await page.locator('#result h2').waitFor();
  return await page.locator('#result h2').getAttribute('data-verdict');
}

describe('verify.html, opened from a disk', () => {
  it('finds a zip unchanged, shows the fingerprint and plays the audio', async () => {
    const page = await openVerifier();
    await page.locator('#file').setInputFiles(unpacked.zip);
    expect(await verdict(page)).toBe('unchanged');
    expect(await page.locator('#result h2').innerText()).toContain('Ongewijzigd sinds ontvangst');
    const result = await page.locator('#result').innerText();
    expect(result).toContain(sealedPackage.reference);
    expect(result).toContain(sealedPackage.keyId);
    await page.locator('audio').first().waitFor();
    expect(await page.locator('audio').count()).toBe(2);
    const playedTo: number = await page.locator('audio').first().evaluate(async (element) => {
      const audio = element as unknown as { play(): Promise<void>; currentTime: number; duration: number };
      await audio.play();
      while (audio.currentTime === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      return audio.duration;
    });
    expect(playedTo).toBeCloseTo(2, 1);
    expect(await violations(page)).toEqual([]);
    await page.locator('[data-language=en]').click();
    expect(await page.locator('#result h2').innerText()).toContain('Unchanged since receipt');
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('finds the unpacked folder unchanged, and one with a changed byte changed', async () => {
    const page = await openVerifier();
    await page.locator('#folder').setInputFiles(unpacked.folder);
    expect(await verdict(page)).toBe('unchanged');
    const zip = await readFile(unpacked.zip);
    const at = zip.indexOf('RIFF') + 9000;
    zip[at] = (zip[at] ?? 0) ^ 1;
    const changed = `${unpacked.zip}.changed.zip`;
    await writeFile(changed, zip);
    await page.locator('#file').setInputFiles(changed);
    await page.locator('.verdict.changed').waitFor();
    expect(await page.locator('#result h2').innerText()).toContain('Gewijzigd');
    expect(await page.locator('#result').innerText()).toContain('data/audio/');
    await page.context().close();
  });

  it('calls the sender unknown whose key it does not know, until its fingerprint is typed in', async () => {
    const stranger = `${unpacked.folder}-verify.html`;
    const html = await readFile(path.join(unpacked.folder, 'verify.html'), 'utf8');
    await writeFile(stranger, html.replace(sealedPackage.keyId, '0'.repeat(64)));
    const page = await openVerifier(stranger);
    await page.locator('#file').setInputFiles(unpacked.zip);
    expect(await verdict(page)).toBe('unknown_sender');
    expect(await page.locator('#result h2').innerText()).toContain('Onbekende afzender');
    await page.locator('#fingerprint').fill(sealedPackage.keyId.slice(0, 20).toUpperCase().replaceAll(/(.{4})/g, '$1 '));
    expect(await verdict(page)).toBe('unchanged');
    await page.locator('#fingerprint').fill('ffff ffff ffff ffff ffff');
    expect(await verdict(page)).toBe('unknown_sender');
    await page.context().close();
  });

  it('tells each of the three verdicts in words and by a sign, in both languages', async () => {
    const stranger = `${unpacked.folder}-stranger.html`;
    const html = await readFile(path.join(unpacked.folder, 'verify.html'), 'utf8');
    await writeFile(stranger, html.replace(sealedPackage.keyId, '0'.repeat(64)));
    const zip = await readFile(unpacked.zip);
    zip[zip.indexOf('RIFF') + 9000] = (zip[zip.indexOf('RIFF') + 9000] ?? 0) ^ 1;
    const changed = `${unpacked.zip}.changed-too.zip`;
    await writeFile(changed, zip);
    for (const [opened, file, mark, dutch, english] of [
      [undefined, unpacked.zip, '✔', 'Ongewijzigd sinds ontvangst', 'Unchanged since receipt'],
      [undefined, changed, '✘', 'Gewijzigd', 'Changed'],
      [stranger, unpacked.zip, '?', 'Onbekende afzender', 'Unknown sender'],
    ] as const) {
      const page = await openVerifier(opened);
      await page.locator('#file').setInputFiles(file);
      await verdict(page);
      for (const [language, words] of [['nl', dutch], ['en', english]] as const) {
        await page.locator(`[data-language=${language}]`).click();
        const heading = await page.locator('#result h2').innerText();
        expect([heading.includes(mark), heading.includes(words)]).toEqual([true, true]);
        expect(await page.locator('#result h2 [aria-hidden=true]').innerText()).toBe(mark);
        expect(await page.locator('#claim').innerText()).toMatch(language === 'nl' ? /niet wie er spreekt/ : /not tell who speaks/);
        expect(await violations(page)).toEqual([]);
      }
      await page.context().close();
    }
  });

  it('is readable in a window 320 pixels wide', async () => {
    const page = await openVerifier();
    await page.setViewportSize({ width: 320, height: 700 });
    await page.locator('#file').setInputFiles(unpacked.zip);
    await verdict(page);
    const [narrowest, overflow] = await page.evaluate<[number, number]>(`[
      Math.min(...[...document.querySelectorAll('dd')].map((each) => each.clientWidth)),
      document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ]`);
    expect(narrowest).toBeGreaterThan(200);
    expect(overflow).toBe(0);
    await page.context().close();
  });

  it('does not mix up two packages that were chosen one after the other, and says so of what it cannot read', async () => {
    const page = await openVerifier();
    const large = `${unpacked.folder}-large`;
    await cp(unpacked.folder, large, { recursive: true });
    // A forgery that takes long to check, and then the real one.
    await writeFile(path.join(large, 'data/audio/original.wav'), Buffer.alloc(60_000_000));
    await page.locator('#folder').setInputFiles(large);
    await page.locator('#file').setInputFiles(unpacked.zip);
    expect(await verdict(page)).toBe('unchanged');
    await page.waitForTimeout(1500);
    expect(await verdict(page)).toBe('unchanged');
    const cut = `${unpacked.zip}.cut.zip`;
    await writeFile(cut, (await readFile(unpacked.zip)).subarray(0, 20_000));
    await page.locator('#file').setInputFiles(cut);
    await page.getByText('Dit kan niet worden gelezen').waitFor();
    expect(await page.locator('#result').isVisible()).toBe(false);
    await page.context().close();
  });

  it('is the same page that the service hands to anyone, and works there', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${service.url}/api/v1/evidence/verifier`);
    await page.locator('#file').setInputFiles(unpacked.zip);
    expect(await verdict(page)).toBe('unchanged');
    await context.close();
  });

  it('asked nobody for anything, and nothing was refused to it', () => {
    expect([asked, complaints]).toEqual([[], []]);
  });
});

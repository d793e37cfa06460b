import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { build } from 'vite';

/** The screens as a person meets them: real Chromium, the built pages, the service's own security policy. */

const root = path.resolve(import.meta.dirname, '../..');

/** Builds the screens into a folder of their own and answers it. */
export async function buildUi(): Promise<string> {
  const outDir = await mkdtemp(path.join(tmpdir(), 'opname-ui-'));
  process.once('exit', () => rmSync(outDir, { recursive: true, force: true }));
  await build({
    configFile: path.join(root, 'vite.config.ts'),
    root: path.join(root, 'public'),
    logLevel: 'warn',
    build: { outDir },
  });
  return outDir;
}

/** Chromium with a fresh profile that asks nobody but the page's own server. */
export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** What the security policy refused, and what the page threw. Must stay empty. */
  complaints: string[];
}

export interface VisitOptions {
  language?: 'nl' | 'en';
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

/** Opens a page as a new person at a new machine would. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { language = 'nl', theme = 'light', width = 1440, height = 900 } = options;
  const context = await browser.newContext({ baseURL: url, viewport: { width, height }, locale: 'nl-NL' });
  const complaints: string[] = [];
  await context.addInitScript(`
    if (localStorage.getItem('opname.language') === null) localStorage.setItem('opname.language', '${language}');
    if (localStorage.getItem('opname.theme') === null) localStorage.setItem('opname.theme', '${theme}');
    addEventListener('securitypolicyviolation', (event) => {
      if (!globalThis.axe) console.error('refused by policy: ' + event.violatedDirective + ' ' + event.blockedURI);
    });
    ${listeningPoints}
  `);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.text().startsWith('refused by policy')) complaints.push(message.text());
  });
  return { page, context, complaints };
}

/**
 * Lets a test hear what a person hears: every node that is joined to the speakers also feeds an analyser, and every
 * `Audio` is kept, so that a test can ask for levels and for the element's own clock.
 */
const listeningPoints = `
  globalThis.heard = { taps: [], audio: [] };
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const analyser = new AnalyserNode(this.context, { fftSize: 2048 });
      connect.call(this, analyser);
      heard.taps.push(analyser);
    }
    return connect.call(this, target, ...rest);
  };
  const OneAudio = Audio;
  globalThis.Audio = function (...given) {
    const made = new OneAudio(...given);
    heard.audio.push(made);
    return made;
  };
`;

/** The loudness of each leg over the last quarter second, 0 to 1, as it reaches the speakers. */
export async function levels(page: Page): Promise<number[]> {
  return await page.evaluate(`heard.taps.map((tap) => {
    const samples = new Float32Array(tap.fftSize);
    tap.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  })`);
}

export interface AudioFacts {
  currentTime: number;
  duration: number;
  paused: boolean;
  playbackRate: number;
  preservesPitch: boolean;
  decodedBytes: number;
}

/** What the browser's own audio element says of itself; undefined before there is one with sound. */
export async function audioFacts(page: Page): Promise<AudioFacts | undefined> {
  return await page.evaluate(`(() => {
    const audio = heard.audio.findLast((each) => each.currentSrc !== '');
    return audio && {
      currentTime: audio.currentTime, duration: audio.duration, paused: audio.paused,
      playbackRate: audio.playbackRate, preservesPitch: audio.preservesPitch,
      decodedBytes: audio.webkitAudioDecodedByteCount,
    };
  })()`);
}

/** Signs in through the form. */
export async function signIn(page: Page, person: { email: string; password: string }, to = '/'): Promise<void> {
  await page.goto(to);
  await page.locator('#email').fill(person.email);
  await page.locator('#password').fill(person.password);
  await page.locator('button[type=submit]').click();
  await page.locator('nav').first().waitFor({ state: 'attached' });
}

let axe: Promise<string> | undefined;

/** What axe-core finds wrong with the page as it stands: rule, place and why. */
export async function violations(page: Page): Promise<string[]> {
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(await axe);
  return await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target, failureSummary].join(' | '))))`);
}

/**
 * What axe-core finds in both languages and both themes: the switches in the header are pressed, the page stays. Names the
 * dress in which it was found.
 */
export async function inEveryDress(page: Page): Promise<string[]> {
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const code = await axe;
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(code);
  return await page.evaluate(`(async () => {
    const found = [];
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()));
    for (const [language, theme] of [['nl', 0], ['nl', 1], ['en', 1], ['en', 0]]) {
      document.querySelector('.segments button[lang="' + language + '"]').click();
      [...document.querySelectorAll('.segments button:not([lang])')].at(1 + theme).click();
      await frame();
      await frame();
      const { violations } = await axe.run(document, { resultTypes: ['violations'], elementRef: false });
      for (const { id, nodes } of violations)
        for (const { target, failureSummary } of nodes)
          found.push([language, theme === 0 ? 'light' : 'dark', id, target, failureSummary].join(' | '));
    }
    return found;
  })()`);
}

/** Controls that stick out of the window, or out of a box that cuts them off and cannot be scrolled: nobody can use those. */
export async function cutOff(page: Page): Promise<string[]> {
  return await page.evaluate(`[...document.querySelectorAll('main :is(button, a, input, select, textarea)')].flatMap((control) => {
    const { left, right, width } = control.getBoundingClientRect();
    if (width === 0 || control.closest('[aria-hidden=true], .unseen')) return [];
    for (let box = control.parentElement; box; box = box.parentElement) {
      const { overflowX } = getComputedStyle(box);
      if (overflowX === 'auto' || overflowX === 'scroll') return [];
      const edge = box.getBoundingClientRect();
      if (overflowX === 'visible' || (left >= edge.left - 1 && right <= edge.right + 1)) continue;
      return ['cut off: ' + (control.getAttribute('aria-label') ?? control.textContent.trim()).slice(0, 60)];
    }
    return right > innerWidth + 1 ? ['outside: ' + control.outerHTML.slice(0, 80)] : [];
  })`);
}

/** How many CSS pixels the page is wider than its window; nothing may be. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate('document.documentElement.scrollWidth - innerWidth');
}

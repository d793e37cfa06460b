import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike, tone, wav } from '../support/audio.js';
import { audioFacts, buildUi, launch, signIn, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/** What a player must not get wrong: the place, the sound, the time that listening takes. */

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
let longId = '';
let pauseId = '';
let toneId = '';
let unevenId = '';

/** Twelve minutes of room noise, in which each leg sounds for a second: the caller on the minute, the agent half a minute later. */
function longCall(): Buffer {
  const rate = 8000;
  let state = 1;
  const legs = [0, 30].map((offset) =>
    Int16Array.from({ length: 720 * rate }, (_, index) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      const seconds = index / rate - offset;
      const sounds = seconds >= 60 && seconds % 60 < 1;
      return sounds ? 16_000 * Math.sin((2 * Math.PI * 700 * index) / rate) : (state >> 16) / 40;
    }),
  );
  return wav(legs, rate, 'mulaw');
}

/** Twenty seconds: the caller loud for the first five, the agent far from the microphone for the ten after it, then nobody. */
function unevenCall(): Buffer {
  const rate = 8000;
  const leg = (from: number, until: number, loudness: number) =>
    Int16Array.from({ length: 20 * rate }, (_, index) =>
      index >= from * rate && index < until * rate ? loudness * 32_767 * Math.sin((2 * Math.PI * 440 * index) / rate) : 0,
    );
  return wav([leg(0, 5, 0.8), leg(5, 15, 0.04)], rate);
}

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  longId = await service.push({ agent: '101' }, longCall());
  pauseId = await service.push({ agent: '102', caller: '+31612345671' }, speechLike({ seconds: 40, pauses: [[10_000, 22_000]] }));
  toneId = await service.push({ agent: '103' }, tone({ seconds: 30, channels: 2 }));
  unevenId = await service.push({ agent: '104' }, unevenCall());
  for (const id of [longId, pauseId, toneId, unevenId]) await service.processed(id);
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(to: string, url = service.url): Promise<Page> {
  visitor = await visit(browser, url);
  await signIn(visitor.page, service.signInOf('trainer'), to);
  await visitor.page.getByRole('slider').waitFor();
  return visitor.page;
}

const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 40_000 });
const slider = (page: Page) => page.getByRole('slider');
const play = (page: Page) => page.getByRole('button', { name: 'Afspelen', exact: true });
const time = async (page: Page) => (await audioFacts(page))?.currentTime ?? -1;
const place = async (page: Page) => Number(await slider(page).inputValue()) / 1000;

/** The media time at which a leg is first heard loudly, told by the sound itself. */
const firstHeard = (page: Page, leg: number) =>
  page.evaluate<number>(`new Promise((heardAt) => {
    const samples = new Float32Array(512);
    const look = () => {
      const tap = heard.taps[${leg}];
      const audio = heard.audio.findLast((each) => each.currentSrc !== '');
      if (tap && audio && !audio.seeking) {
        tap.getFloatTimeDomainData(samples);
        if (Math.max(...samples.subarray(-128)) > 0.15) return heardAt(audio.currentTime);
      }
      setTimeout(look, 4);
    };
    look();
  })`);

describe('seeking', () => {
  it('is exact, by the ranges that the service serves', async () => {
    const page = await open(`/recordings/${longId}`);
    const answers: { status: number; range: string; served: string | undefined }[] = [];
    page.on('response', (response) => {
      if (response.url().includes('/audio'))
        answers.push({ status: response.status(), range: response.request().headers()['range'] ?? '', served: response.headers()['content-range'] });
    });
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(0.2);
    for (const [seconds, leg] of [[600, 0], [390, 1], [60, 0]] as const) {
      await slider(page).fill(String((seconds - 1.5) * 1000));
      await soon(() => time(page)).toBeGreaterThan(seconds - 1.5);
      const heardAt = await firstHeard(page, leg);
      expect(heardAt, `${seconds} s`).toBeGreaterThan(seconds - 0.1);
      expect(heardAt, `${seconds} s`).toBeLessThan(seconds + 0.3);
    }
    const far = answers.filter(({ range }) => Number(/bytes=(\d+)-/.exec(range)?.[1] ?? 0) > 1_000_000);
    expect(far.length).toBeGreaterThan(0);
    expect(new Set(far.map(({ status }) => status))).toEqual(new Set([206]));
    expect(far.every(({ range, served }) => served?.startsWith(`bytes ${/\d+/.exec(range)?.[0] ?? '?'}-`))).toBe(true);
  });

  it('has an overview of a call over ten minutes: a click in it goes there; a short call has none', async () => {
    const page = await open(`/recordings/${longId}`);
    const overview = page.locator('.overview');
    await overview.waitFor();
    const box = await overview.boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 12);
    await soon(() => place(page)).toBeCloseTo(360, -1);
    const shown = await page.locator('.overview-window').boundingBox();
    expect((shown?.width ?? 0) / (box?.width ?? 1)).toBeCloseTo(240 / 720, 1);
    await page.goto(`/recordings/${pauseId}`);
    await page.locator('.waveform').waitFor();
    expect(await page.locator('.overview').count()).toBe(0);
  });
});

/** The way to the service, which can be cut as a cable is. */
async function cable(): Promise<{ url: string; cut: () => Promise<void>; mend: () => Promise<void>; close: () => Promise<void> }> {
  const { port } = new URL(service.url);
  const sockets = new Set<Socket>();
  let server: Server;
  const listen = async (at: number) => {
    server = createServer((near) => {
      const far = connect(Number(port), '127.0.0.1');
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    }).listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const at = await listen(0);
  const cut = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `http://127.0.0.1:${at}`, cut, mend: async () => void (await listen(at)), close: cut };
}

describe('who speaks how much', () => {
  it('stands at each lane, of a quiet voice too, and how much of the call is silence beside it', async () => {
    const page = await open(`/recordings/${unevenId}?tab=details`);
    const lane = (name: string) => page.getByRole('group', { name, exact: true });
    await soon(() => lane('Beller').innerText()).toContain('spreekt 25%');
    expect(await lane('Medewerker').innerText()).toContain('spreekt 50%');
    // Of the five silent seconds a breath is left standing before and after.
    await soon(() => page.locator('.details').innerText()).toMatch(/Stilte\s+2[2-5]%/);
  });
});

describe('when the sound does not come', () => {
  it('the place is kept while the service is away, and playing goes on by itself once it is back', async () => {
    const way = await cable();
    const page = await open(`/recordings/${longId}`, way.url);
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(0.2);
    await way.cut();
    // Beyond what was fetched already.
    await slider(page).fill('655000');
    await page.getByText(/Het geluid hapert/).waitFor({ timeout: 40_000 });
    expect(await place(page)).toBe(655);
    await way.mend();
    await soon(() => time(page)).toBeGreaterThan(655.3);
    expect(await page.getByText(/Het geluid hapert/).count()).toBe(0);
    expect((await audioFacts(page))?.paused).toBe(false);
    await visitor?.context.close();
    await way.close();
  });

  it('bytes that are no sound are asked for again, at the same place', async () => {
    const page = await open(`/recordings/${pauseId}?t=7`);
    let spoiled = 0;
    await page.route('**/audio*', async (route) => {
      spoiled += 1;
      await route.fulfill({ status: 200, contentType: 'audio/mp4', body: 'this is no sound' });
    });
    await play(page).click();
    await page.getByText(/Het geluid hapert/).waitFor();
    await soon(() => spoiled).toBeGreaterThan(1);
    expect(await place(page)).toBe(7);
    await page.unroute('**/audio*');
    await soon(() => time(page)).toBeGreaterThan(7.3);
  });

  it('lanes that do not come leave the slider to work', async () => {
    visitor = await visit(browser, service.url);
    const { page } = visitor;
    await page.route('**/waveform', (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{"code":"not-found"}' }));
    await signIn(page, service.signInOf('trainer'), `/recordings/${pauseId}`);
    await page.getByText(/Het geluidsbeeld ontbreekt/).waitFor();
    await slider(page).fill('12000');
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(12.2);
  });
});

describe('the time that listening takes', () => {
  it('is shorter by the silences that are left out', async () => {
    const page = await open(`/recordings/${pauseId}?t=8`);
    await page.locator('.waveform').waitFor();
    await page.getByLabel(/Stilte overslaan/).check();
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(8);
    const began = await page.evaluate<[number, number]>('[performance.now(), heard.audio.at(-1).currentTime]');
    const ended = await page.evaluate<[number, number]>(`new Promise((done) => {
      const audio = heard.audio.at(-1);
      const look = () => (audio.currentTime > 24 ? done([performance.now(), audio.currentTime]) : setTimeout(look, 10));
      look();
    })`);
    const covered = ended[1] - began[1];
    expect(covered).toBeGreaterThan(14);
    // Two seconds before the pause, two after it; the rest is what the browser needs to jump.
    expect((ended[0] - began[0]) / 1000).toBeLessThan(covered - 6);
    const heardMs = await page.evaluate<number>(`(() => {
      const { played } = heard.audio.at(-1);
      return Array.from({ length: played.length }, (_, at) => played.end(at) - played.start(at)).reduce((sum, each) => sum + each, 0);
    })()`);
    expect(heardMs).toBeLessThan(covered - 8);
  });

  it('is halved at double speed, at the same pitch, and for the next call too', async () => {
    const page = await open(`/recordings/${toneId}`);
    await page.getByLabel('Snelheid').selectOption('2');
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(1.5);
    // The caller's leg is a tone of 440 Hz.
    const pitch = await page.evaluate<number>(`(() => {
      const tap = heard.taps[0];
      tap.fftSize = 16384;
      return new Promise((told) => setTimeout(() => {
        const levels = new Float32Array(tap.frequencyBinCount);
        tap.getFloatFrequencyData(levels);
        told(levels.indexOf(Math.max(...levels)) * tap.context.sampleRate / tap.fftSize);
      }, 1200));
    })()`);
    expect(Math.abs(pitch - 440)).toBeLessThan(15);
    expect(await audioFacts(page)).toMatchObject({ playbackRate: 2, preservesPitch: true });
    await page.goto(`/recordings/${pauseId}`);
    await slider(page).waitFor();
    expect(await page.getByLabel('Snelheid').inputValue()).toBe('2');
  });
});

describe('keys', () => {
  it('do what the help says, and leave fields alone', async () => {
    const page = await open(`/recordings/${pauseId}?t=4`);
    await slider(page).focus();
    await page.keyboard.press('s');
    expect(await page.getByLabel(/Stilte overslaan/).isChecked()).toBe(true);
    await page.keyboard.press('2');
    expect(await page.getByRole('button', { name: 'Dempen: Medewerker' }).getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('Shift+2');
    expect(await page.getByRole('button', { name: 'Solo: Medewerker' }).getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('.');
    await page.keyboard.press('.');
    await page.keyboard.press(',');
    expect(await page.getByLabel('Snelheid').inputValue()).toBe('1.25');
    await page.keyboard.press('i');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('o');
    expect(await page.getByLabel('van', { exact: true }).inputValue()).toBe('0:04');
    expect(await page.getByLabel('tot', { exact: true }).inputValue()).toBe('0:09');
    // In a field a letter is a letter, and an arrow moves in the text.
    await page.getByLabel('tot', { exact: true }).focus();
    for (const key of ['k', 'ArrowLeft', 'PageDown', '2']) await page.keyboard.press(key);
    expect(await place(page)).toBe(9);
    expect(await audioFacts(page)).toBeUndefined();
    // A box that was ticked keeps its space bar and lets the letters go.
    await page.getByLabel(/Stilte overslaan/).focus();
    await page.keyboard.press('Space');
    expect(await page.getByLabel(/Stilte overslaan/).isChecked()).toBe(false);
    await page.keyboard.press('k');
    await soon(async () => (await audioFacts(page))?.paused).toBe(false);
    await page.keyboard.press('c');
    await page.getByRole('dialog', { name: /^Opmerking op/ }).waitFor();
  });

  it('of a headset pause and go on, and the button follows', async () => {
    const page = await open(`/recordings/${pauseId}`);
    await play(page).click();
    await soon(() => time(page)).toBeGreaterThan(0.2);
    await page.evaluate('heard.audio.at(-1).pause()');
    await play(page).waitFor();
    await page.evaluate('void heard.audio.at(-1).play()');
    await page.getByRole('button', { name: 'Pauzeren' }).waitFor();
    const before = await place(page);
    await soon(() => place(page)).toBeGreaterThan(before);
  });

  it('alone find a call, play it and comment on it', async () => {
    visitor = await visit(browser, service.url);
    const { page } = visitor;
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () => page.evaluate<string>('document.activeElement.id || document.activeElement.textContent.trim().slice(0, 40)');
    await page.goto('/');
    const { email, password } = service.signInOf('trainer');
    await soon(focused).toBe('email');
    await page.keyboard.type(email);
    await press('Tab');
    await page.keyboard.type(password);
    await press('Enter');
    await page.locator('.row-link').first().waitFor();
    await press('/');
    await soon(focused).toBe('number');
    await page.keyboard.type('671');
    await press('Enter');
    await soon(() => page.locator('.row-link').count()).toBe(1);
    await press('Tab', 'Tab', 'Tab', 'Tab');
    await soon(focused).toBe('Zoeken');
    await press('ArrowDown', 'Enter');
    await slider(page).waitFor();
    await soon(() => page.evaluate('document.activeElement.tagName')).toBe('H1');
    await press('k');
    await soon(() => time(page)).toBeGreaterThan(0.3);
    await press('k', 'c');
    await soon(focused).toBe('comment-text');
    await page.keyboard.type('Rustig gebleven.');
    for (let step = 0; step < 6 && (await focused()) !== 'Plaatsen'; step += 1) await press('Tab');
    await press('Enter');
    await page.locator('.remark').getByText('Rustig gebleven.').waitFor();
    expect(visitor.complaints).toEqual([]);
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { readConfig } from '../../src/config.js';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/log.js';
import { startService } from '../../src/service.js';

/**
 * How long a call of two hours takes to open: from the arrival of its peaks to the painted lanes, in Chromium, on the whole
 * service with its embedded backends. `npm run bench -- player [hours] [how often]`. Needs Chromium (`CHROMIUM_PATH`).
 */

const hours = Number(process.argv[3] ?? 2);
const times = Number(process.argv[4] ?? 9);
const aimMs = 150;
const root = path.resolve(import.meta.dirname, '../..');
const person = { email: 'bench@opname.example', password: randomBytes(16).toString('hex') };

/** Two people taking turns, µ-law at 8 kHz: a minute of it, over and over. */
function call(): Buffer {
  const rate = 8000;
  const minute = Buffer.alloc(60 * rate * 2, 0xff);
  for (let frame = 0; frame < 60 * rate; frame += 1) {
    const seconds = frame / rate;
    const speaks = Math.floor(seconds / 3.3) % 2;
    const loud = 0.3 + 0.7 * Math.abs(Math.sin(seconds * 4.1));
    // Bytes around 0x80 and 0x00 are the loudest of µ-law, 0xff the softest.
    const half = (frame * 2_654_435_761) % 2 === 0 ? 255 : 127;
    if (seconds % 3.3 < 2.6) minute[frame * 2 + speaks] = half - Math.floor(loud * 110);
  }
  const minutes = Math.round(hours * 60);
  const header = Buffer.alloc(44);
  const bytes = minute.length * minutes;
  header.write('RIFF', 0);
  header.writeUInt32LE(bytes + 36, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  for (const [at, value] of [[20, 7], [22, 2], [32, 2], [34, 8]] as const) header.writeUInt16LE(value, at);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.write('data', 36);
  header.writeUInt32LE(bytes, 40);
  return Buffer.concat([header, ...Array.from({ length: minutes }, () => minute)]);
}

async function json(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Makes a trainer and a PBX, pushes the call and waits until it is playable. @returns its id and who listens */
async function prepare(api: string) {
  const session = await fetch(`${api}/session`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(person),
  });
  const headers = { 'Content-Type': 'application/json', Cookie: session.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
  const trainer = { email: 'trainer@opname.example', password: randomBytes(16).toString('hex') };
  await json(`${api}/users`, { method: 'POST', headers, body: JSON.stringify({ ...trainer, name: 'Bench', role: 'trainer', locale: 'nl' }) });
  const { key } = await json(`${api}/keys`, { method: 'POST', headers, body: JSON.stringify({ name: 'bench', role: 'pbx' }) });
  const startedAt = new Date(Date.now() - (hours + 1) * 3_600_000).toISOString();
  const query = new URLSearchParams({ startedAt, caller: '+31850000101', agent: '101' });
  const pushed = await json(`${api}/recordings/by-call/bench?${query.toString()}`, {
    method: 'PUT', headers: { Authorization: `Bearer ${String(key)}`, 'Content-Type': 'audio/wav' }, body: new Uint8Array(call()),
  });
  for (;;) {
    const { state } = await json(`${api}/recordings/${String(pushed['id'])}`, { headers });
    if (state === 'ready') return { id: String(pushed['id']), trainer };
    if (state === 'failed') throw new Error('the call could not be made playable');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

interface Opened {
  /** From the last byte of the peaks (or of the call, when that came later) to the painted lanes. */
  afterPeaksMs: number;
  wholeMs: number;
  peaksBytes: number;
}

async function openOnce(page: Page, id: string): Promise<Opened> {
  await page.goto(`/recordings/${id}`);
  return await page.evaluate<Opened>(`new Promise((done) => {
    const look = () => {
      const [ready] = performance.getEntriesByName('player-ready');
      const fetched = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/api/v1/recordings/${id}'));
      const peaks = fetched.find(({ name }) => name.endsWith('/waveform'));
      const call = fetched.find(({ name }) => name.endsWith('${id}'));
      if (!ready || !peaks || !call) return setTimeout(look, 5);
      done({ afterPeaksMs: ready.startTime - Math.max(peaks.responseEnd, call.responseEnd), wholeMs: ready.startTime, peaksBytes: peaks.decodedBodySize });
    };
    look();
  })`);
}

const folder = await mkdtemp(path.join(tmpdir(), 'opname-bench-'));
const uiFolder = path.join(folder, 'ui');
await build({ configFile: path.join(root, 'vite.config.ts'), root: path.join(root, 'public'), logLevel: 'warn', build: { outDir: uiFolder } });
const config = readConfig({
  PORT: '0', HOST: '127.0.0.1', DATA_DIR: path.join(folder, 'data'), ADMIN_EMAIL: person.email, ADMIN_PASSWORD: person.password, LOG_LEVEL: 'error',
});
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
const service = await startService({ config, clock: systemClock, log: createLog(config.logLevel), version, uiFolder, announce: () => undefined });
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const url = service.url ?? '';
  const { id, trainer } = await prepare(`${url}/api/v1`);
  const page = await (await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 } })).newPage();
  await page.goto('/');
  await page.locator('#email').fill(trainer.email);
  await page.locator('#password').fill(trainer.password);
  await page.locator('button[type=submit]').click();
  await page.locator('nav').waitFor({ state: 'attached' });
  const opened: Opened[] = [];
  for (let run = 0; run <= times; run += 1) opened.push(await openOnce(page, id));
  // The first one also warms the browser up; it is told, not counted.
  const [first, ...counted] = opened;
  const sorted = counted.map(({ afterPeaksMs }) => afterPeaksMs).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const worst = sorted.at(-1) ?? 0;
  const ms = (value: number | undefined) => `${Math.round(value ?? 0)} ms`;
  const whole = counted.map(({ wholeMs }) => wholeMs).sort((a, b) => a - b);
  console.log(`a call of ${hours} hours, opened ${counted.length} times; its peaks are ${Math.round((first?.peaksBytes ?? 0) / 1000)} kB`);
  console.log(`from the peaks to painted lanes: median ${ms(median)}, worst ${ms(worst)}, the very first ${ms(first?.afterPeaksMs)}`);
  console.log(`from the address to painted lanes: median ${ms(whole[Math.floor(whole.length / 2)])}; aim: under ${aimMs} ms from the peaks`);
  if (median > aimMs) process.exitCode = 1;
} finally {
  await browser.close();
  await service.close();
  await rm(folder, { recursive: true, force: true });
}

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { tone, wav } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';
import { restrict } from './support/training.js';

/** A call in one file a side is heard in one stereo player, each voice on its own channel, whatever came first. */

const monitor = path.join(import.meta.dirname, 'recordings/asterisk/monitor/2026/11/22');
const real = (ending: string) => {
  const name = readdirSync(monitor).find((each) => each.endsWith(ending));
  if (name === undefined) throw new Error(`no recording ends in ${ending}`);
  return { name, bytes: readFileSync(path.join(monitor, name)) };
};

let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T22:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

const shown = async (id: string) => (await service.as('privacy_officer').get(`/api/v1/recordings/${id}`).expect(200)).body as Record<string, unknown>;
interface Drawn { durationMs: number; channels: number[][] }
const drawn = async (id: string) => (await service.as('trainer').get(`/api/v1/recordings/${id}/waveform`).expect(200)).body as Drawn;
const joined = async (id: string) => {
  await expect.poll(async () => { await service.processed(id); return (await shown(id))['channels']; }, { timeout: 30_000 }).toBe(2);
};
const loud = (peaks: number[] = []) => Math.max(...peaks.map(Math.abs));
/** A tone in the first or in the second half, silence in the other. */
const half = (which: 0 | 1) => {
  const samples = new Int16Array(16_000);
  for (let at = 0; at < 8000; at += 1) samples[which * 8000 + at] = Math.round(12_000 * Math.sin(at / 3));
  return wav([samples], 8000);
};
const firstHalf = (peaks: number[] = []) => loud(peaks.slice(0, Math.floor(peaks.length / 2) - 4));
const secondHalf = (peaks: number[] = []) => loud(peaks.slice(Math.ceil(peaks.length / 2) + 4));

describe('sides are told apart by their label, not by their order', () => {
  test.each([['caller', 'agent'], ['agent', 'caller']])('%s first', async (...order) => {
    const callId = `order-${order[0]}`;
    const ids: Record<string, string> = {};
    for (const leg of order) ids[leg] = await service.push({ callId, part: leg, leg }, half(leg === 'caller' ? 0 : 1));
    const leading = ids['caller'] ?? '';
    await joined(leading);
    const { channels } = await drawn(leading);
    expect(firstHalf(channels[0])).toBeGreaterThan(0.2);
    expect(secondHalf(channels[0])).toBeLessThan(0.05);
    expect(firstHalf(channels[1])).toBeLessThan(0.05);
    expect(secondHalf(channels[1])).toBeGreaterThan(0.2);
    expect(await shown(ids['agent'] ?? '')).toMatchObject({ leg: 'agent', legOf: leading });
  });
});

test('files of a real Asterisk (r and t): the mixed one plays both sides, and a trainer sees one call', async () => {
  const [mixed, caller, agent] = ['1795377770.10.wav', '1795377770.10-in.wav', '1795377770.10-out.wav'].map(real);
  const push = async (file: ReturnType<typeof real> | undefined) =>
    (await service.machine(service.pbxKey).post('/api/v1/recordings').attach('audio', file?.bytes ?? Buffer.alloc(0), file?.name ?? '').expect(201)).body as Record<string, string>;
  const sides = [await push(agent), await push(caller)];
  const whole = await push(mixed);
  expect(whole).toMatchObject({ callId: '1795377770.10', part: '0', leg: null, startedAt: '2026-11-22T20:02:50.000Z', caller: { number: '+31850000101' } });
  expect(sides).toMatchObject([{ part: 'out', leg: 'agent' }, { part: 'in', leg: 'caller' }]);
  const id = whole['id'] ?? '';
  await joined(id);
  const { durationMs, channels } = await drawn(id);
  expect(Math.abs(durationMs - 14_080)).toBeLessThan(80);
  // The caller speaks first, the agent answers: each is silent while the other speaks.
  expect(firstHalf(channels[0])).toBeGreaterThan(0.1);
  expect(secondHalf(channels[1])).toBeGreaterThan(0.1);
  expect(loud(channels[0]?.slice(-40))).toBeLessThan(0.02);
  const list = (await service.as('trainer').get('/api/v1/recordings?limit=200').expect(200)).body as { items: { callId: string }[] };
  expect(list.items.filter((item) => item.callId === '1795377770.10')).toHaveLength(1);
  expect((await shown(id))['sha256']).toBe(whole['sha256']);
  // What the mixed file holds its sides hold: closed to training, none of the three is heard for it.
  const all = [whole, ...sides].map((each) => `/api/v1/recordings/${each['id'] ?? ''}/audio`);
  for (const path of all) await service.as('trainer').get(path).expect(200);
  await restrict(service, id);
  for (const path of all) {
    await service.as('trainer').get(path).expect(404);
    await service.as('privacy_officer').get(path).expect(200);
  }
});

test('singles of rtpengine in MP3 go together as well', async () => {
  const folder = path.join(import.meta.dirname, 'recordings/rtpengine-26.0');
  const file = (ending: string) => readFileSync(path.join(folder, readdirSync(folder).find((name) => name.endsWith(ending)) ?? ''));
  const caller = await service.push({ callId: 'mp3', part: 'caller', leg: 'caller' }, file('a04549b9.mp3'));
  await service.push({ callId: 'mp3', part: 'callee', leg: 'agent' }, file('83f05a52.mp3'));
  await joined(caller);
  expect((await drawn(caller)).channels).toHaveLength(2);
  expect(await shown(caller)).toMatchObject({ codec: 'mp3' });
});

test('sides of another length are filled up; a later version of one side is heard', async () => {
  const caller = await service.push({ callId: 'lengths', part: 'caller', leg: 'caller' }, tone({ seconds: 3 }));
  await service.push({ callId: 'lengths', part: 'agent', leg: 'agent' }, tone({ seconds: 1 }));
  await joined(caller);
  expect(Math.abs((await drawn(caller)).durationMs - 3000)).toBeLessThan(80);
  await service.push({ callId: 'lengths', part: 'agent', leg: 'agent' }, tone({ seconds: 5, seed: 3 }));
  await expect.poll(async () => { await service.processed(caller); return Math.round((await drawn(caller)).durationMs / 1000); }, { timeout: 30_000 }).toBe(5);
});

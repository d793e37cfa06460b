import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { startTestService, type TestService } from './support/service.js';

/** Recordings that real telephony software made, pushed on their own day: the manifest beside them says what they are. */

const folder = path.join(import.meta.dirname, 'recordings');

interface Real {
  file: string;
  bytes: number;
  durationMs: number | undefined;
  channels: number;
}

const real: Real[] = [];
let section = '';
for (const line of readFileSync(path.join(folder, 'MANIFEST.md'), 'utf8').split('\n')) {
  section = /^## .*\(`([^`]+)`\)/.exec(line)?.[1] ?? section;
  const row = /^\| `([^`]+)` \| (\d+) \| ([^|]+) \|/.exec(line);
  if (row === null || row[3]?.trim() === 'text') continue;
  const seconds = /([\d.]+) s\b/.exec(row[3] ?? '')?.[1];
  real.push({
    file: path.join(section, row[1] ?? ''),
    bytes: Number(row[2]),
    durationMs: seconds === undefined ? undefined : Number(seconds) * 1000,
    channels: Number(/(\d) ch/.exec(row[3] ?? '')?.[1]),
  });
}

let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T22:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

const push = (item: Real, audio: Buffer) =>
  service
    .machine(service.pbxKey)
    .post('/api/v1/recordings')
    .field({ callId: item.file, startedAt: '2026-11-22T20:02:33Z' })
    .attach('audio', audio, path.basename(item.file));

test('the manifest names all of them', () => {
  expect(real.length).toBeGreaterThan(45);
});

describe('a real recording comes out with its digest, its length and a copy that plays', () => {
  test.each(real.filter((item) => item.durationMs !== undefined).map((item) => [item.file, item] as const))('%s', async (_name, item) => {
    const audio = readFileSync(path.join(folder, item.file));
    expect(audio.length).toBe(item.bytes);
    const pushed = await push(item, audio).expect(201);
    expect(pushed.body.sha256).toBe(createHash('sha256').update(audio).digest('hex'));
    await service.processed(pushed.body.id);
    const { body } = await service.as('privacy_officer').get(`/api/v1/recordings/${pushed.body.id}`).expect(200);
    expect(body.state).toBe('ready');
    expect(Math.abs(body.durationMs - (item.durationMs ?? 0))).toBeLessThan(80);
    expect(body.channels).toBe(item.channels);
    const played = await service.as('trainer').get(`/api/v1/recordings/${pushed.body.id}/audio`).buffer(true).expect(200);
    expect(played.headers['content-type']).toBe('audio/mp4');
    expect((played.body as Buffer).subarray(4, 8).toString()).toBe('ftyp');
    const waveform = await service.as('trainer').get(`/api/v1/recordings/${pushed.body.id}/waveform`).expect(200);
    expect(waveform.body.channels).toHaveLength(item.channels);
    expect(Math.abs(waveform.body.durationMs - body.durationMs)).toBeLessThan(80);
  });
});

describe('a call in which nothing was said is refused as empty', () => {
  test.each(real.filter((item) => item.durationMs === undefined).map((item) => [item.file, item] as const))('%s', async (_name, item) => {
    const answer = await push(item, readFileSync(path.join(folder, item.file))).expect(422);
    expect(answer.body.code).toBe('empty-recording');
  });
});

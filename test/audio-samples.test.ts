import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleCalls } from '../scripts/samples/calls.js';
import { recogniseAudio } from '../src/platform/audio/recognise.js';
import { findFfmpeg, type Ffmpeg } from '../src/platform/ffmpeg.js';
import { createLog } from '../src/platform/log.js';

const samples = join(import.meta.dirname, '..', 'scripts', 'samples');

let folder: string;
let ffmpeg: Ffmpeg;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opname-samples-'));
  ffmpeg = await findFfmpeg(createLog('silent'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the sample calls', () => {
  test('are all there and all described', async () => {
    const files = (await readdir(samples)).filter((file) => /\.(wav|mp3|opus|gsm|ulaw)$/i.test(file));
    expect(files.sort()).toEqual(sampleCalls.map(({ file }) => file).sort());
  });

  test.each(sampleCalls.map((call) => [call.file, call] as const))('%s is what it says it is', async (file, call) => {
    const path = join(samples, file);
    const recognised = await recogniseAudio(path, { fileName: file });
    expect(recognised).toMatchObject({ codec: call.codec, channels: call.channels, truncated: false });
    const { holds = [] } = call;
    const processed = await ffmpeg.process(path, recognised, { playback: join(folder, 'copy.m4a') }, { holds });
    expect(Math.abs(processed.durationMs - call.durationMs)).toBeLessThan(200);
    expect(processed.cuts).toHaveLength(holds.length);
    expect(processed.waveform.maxPeak).toBeGreaterThan(0.3);
    const times = call.transcript.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(call.durationMs);
    if (call.channels === 1) return;
    // Each line is heard on the side of the one who says it.
    const outputs = { playback: join(folder, 'copy.m4a') };
    const uncut = holds.length === 0 ? processed : await ffmpeg.process(path, recognised, outputs);
    for (const { atMs, who } of call.transcript) {
      const [left = 0, right = 0] = uncut.waveform.channels.map((points) => {
        return Math.max(...points.slice(Math.ceil(atMs / 50) * 2, Math.ceil((atMs + 600) / 50) * 2));
      });
      expect(who === 'caller' ? left > 3 * right : right > 3 * left).toBe(true);
    }
  });

  test('have holds and gaps to show', async () => {
    expect(sampleCalls.some(({ holds }) => holds !== undefined)).toBe(true);
    const path = join(samples, 'router-offline.wav');
    const { gaps } = await ffmpeg.process(path, await recogniseAudio(path, {}), { playback: join(folder, 'copy.m4a') });
    expect(gaps).toHaveLength(2);
  });
});

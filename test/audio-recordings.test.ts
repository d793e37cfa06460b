import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recogniseAudio } from '../src/platform/audio/recognise.js';
import { findFfmpeg, type Ffmpeg } from '../src/platform/ffmpeg.js';
import { createLog } from '../src/platform/log.js';
import { decode, probe, realRecordings, recordingFiles } from './support/audio-tools.js';

const recordings = await realRecordings();
const sounding = recordings.filter(({ seconds }) => seconds !== undefined);
const broken = recordings.filter(({ seconds }) => seconds === undefined);

let folder: string;
let ffmpeg: Ffmpeg;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opname-recordings-'));
  ffmpeg = await findFfmpeg(createLog('silent'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('recordings that real telephony software made', () => {
  test('are all named in the manifest', async () => {
    const files = (await recordingFiles()).map((file) => basename(file)).sort();
    const named = recordings.filter(({ codec }) => codec !== 'text').map(({ path }) => basename(path)).sort();
    expect(named.length).toBeGreaterThan(40);
    expect(files).toEqual(named);
  });

  const named = sounding.map((recording) => [basename(recording.path), recording] as const);
  test.each(named)('%s is recognised, measured, and gets a playable copy', async (_name, recording) => {
    const seconds = recording.seconds ?? 0;
    const recognised = await recogniseAudio(recording.path, { fileName: recording.name });
    expect(recognised.codec).toBe(recording.codec.replace('adpcm_g722', 'g722'));
    const { channels, rateHz } = recording;
    // Killed while it recorded, or copied while it still did: the header says nothing yet.
    const truncated = /sizes in the header are 0|still being written/.test(recording.remark);
    expect(recognised).toMatchObject({ channels, sampleRateHz: rateHz, truncated });
    expect(Math.abs(recognised.estimatedDurationMs - seconds * 1000)).toBeLessThan(60);

    const playback = join(folder, 'playback.m4a');
    const processed = await ffmpeg.process(recording.path, recognised, { playback });
    expect(Math.abs(processed.durationMs - seconds * 1000)).toBeLessThan(60);
    expect(processed.playbackDurationMs).toBe(processed.durationMs);
    expect(processed).toMatchObject({ channels: recording.channels, truncated, cuts: [] });

    const { waveform } = processed;
    expect(waveform.channels).toHaveLength(recording.channels);
    for (const points of waveform.channels) {
      expect(Math.abs(points.length / 2 - processed.durationMs / 50)).toBeLessThanOrEqual(1);
      expect(points.every((value) => Math.abs(value) <= waveform.maxPeak)).toBe(true);
    }
    expect(waveform.maxPeak).toBe(Math.max(...waveform.channels.flat().map(Math.abs)));

    const copy = await probe(playback);
    expect(copy.streams).toMatchObject([{ codec_name: 'aac', profile: 'LC', channels: recording.channels }]);
    const bytes = await readFile(playback);
    expect(bytes.length).toBe(processed.playbackBytes);
    expect(bytes.indexOf('moov')).toBeGreaterThan(0);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    const copyRateHz = Number(copy.streams[0]?.sample_rate);
    const decodedMs = ((await decode(playback)).length / channels / copyRateHz) * 1000;
    // An encoder's last frame may be padded: 1024 samples.
    expect(Math.abs(decodedMs - processed.durationMs)).toBeLessThan(70);
  });

  test('of unanswered calls, of which there are four, are empty', async () => {
    const empty = broken.filter(({ codec }) => codec !== 'text');
    expect(empty).toHaveLength(4);
    for (const { path, name } of empty) {
      await expect(recogniseAudio(path, { fileName: name })).rejects.toMatchObject({ code: 'empty-recording' });
    }
  });

  test('do not include the description beside a voicemail', async () => {
    const [description] = broken.filter(({ codec }) => codec === 'text');
    await expect(recogniseAudio(description?.path ?? '', { fileName: 'msg0000.txt' })).rejects.toMatchObject({
      code: 'not-audio',
    });
  });

  test('with a muted stretch of 3 s show it as a gap', async () => {
    const muted = sounding.find(({ remark }) => remark.includes('muted'));
    const recognised = await recogniseAudio(muted?.path ?? '', {});
    const { gaps } = await ffmpeg.process(muted?.path ?? '', recognised, { playback: join(folder, 'muted.m4a') });
    const samples = await decode(muted?.path ?? '');
    const [fromMs, toMs] = longestZeroes(samples, 8);
    expect(toMs - fromMs).toBeGreaterThan(2900);
    expect(gaps.some(([start, end]) => start <= fromMs + 300 && end >= toMs - 300)).toBe(true);
  });
});

/** The longest run of digital silence, in milliseconds. */
function longestZeroes(samples: Int16Array, samplesPerMs: number): [number, number] {
  let best: [number, number] = [0, 0];
  let from = 0;
  for (let i = 0; i <= samples.length; i += 1) {
    if (samples[i] === 0) continue;
    if (i - from > best[1] - best[0]) best = [from, i];
    from = i + 1;
  }
  return [best[0] / samplesPerMs, best[1] / samplesPerMs];
}

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinary } from '../src/platform/audio/ffmpeg-binary.js';
import { recogniseAudio } from '../src/platform/audio/recognise.js';
import { findFfmpeg, type Ffmpeg } from '../src/platform/ffmpeg.js';
import { createLog } from '../src/platform/log.js';
import { headerless, speechLike, tone, wav, wavHeader } from './support/audio.js';
import * as tools from './support/audio-tools.js';

const log = createLog('silent');
let folder: string;
let playback: string;
let ffmpeg: Ffmpeg;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opname-ffmpeg-'));
  playback = join(folder, 'playback.m4a');
  ffmpeg = await findFfmpeg(log);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Options = Parameters<Ffmpeg['process']>[3];
type Hints = Parameters<typeof recogniseAudio>[1];

async function file(bytes: Buffer, name = 'upload'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function processed(bytes: Buffer, { hints = {}, ...options }: Options & { hints?: Hints } = {}) {
  const path = await file(bytes);
  return await ffmpeg.process(path, await recogniseAudio(path, hints), { playback }, options);
}

/** How loud one channel of the playback copy is between two times. */
async function heard(channel: number, channels: number, ms: [number, number]): Promise<number> {
  const rateHz = Number((await tools.probe(playback)).streams[0]?.sample_rate);
  return tools.loudness(tools.leg(await tools.decode(playback), { channel, channels, rateHz }, ms));
}

describe('the playback copy', () => {
  test('keeps the legs apart and in their order', async () => {
    const { channels, sourceChannels, waveform } = await processed(speechLike({ seconds: 12 }));
    expect({ channels, sourceChannels }).toEqual({ channels: 2, sourceChannels: [0, 1] });
    const { streams } = await tools.probe(playback);
    expect(streams).toMatchObject([{ codec_name: 'aac', sample_rate: '16000', channels: 2 }]);
    // The caller speaks first.
    expect(await heard(0, 2, [500, 1500])).toBeGreaterThan(0.02);
    expect(await heard(1, 2, [500, 1500])).toBeLessThan(0.005);
    const [caller = [], agent = []] = waveform.channels;
    expect(Math.max(...caller.slice(20, 60))).toBeGreaterThan(10 * Math.max(...agent.slice(20, 60)));
  });

  test('of a two-channel raw recording has the caller left', async () => {
    const caller = Int16Array.from({ length: 16_000 }, (_, i) => 12_000 * Math.sin(i / 3));
    const hints = { fileName: 'call.raw' };
    expect(await processed(headerless([caller, new Int16Array(16_000)]), { hints })).toMatchObject({ channels: 2 });
    expect(await heard(0, 2, [500, 1500])).toBeGreaterThan(0.2);
    expect(await heard(1, 2, [500, 1500])).toBeLessThan(0.001);
  });

  test('carries no tag of the original', async () => {
    const tagged = join(folder, 'tagged.mp3');
    const source = await file(tone({ seconds: 1 }));
    await tools.ffmpeg('-i', source, '-metadata', 'title=Zoë van der Berg', '-b:a', '32k', tagged);
    await ffmpeg.process(tagged, await recogniseAudio(tagged, {}), { playback });
    expect((await readFile(playback)).includes('Berg')).toBe(false);
  });

  test('of four channels keeps the two that are not silent', async () => {
    const loud = (hz: number) => Int16Array.from({ length: 24_000 }, (_, i) => 9000 * Math.sin((i * hz) / 1273));
    const quiet = new Int16Array(24_000);
    const result = await processed(wav([quiet, loud(440), quiet, loud(660)], 8000));
    expect(result).toMatchObject({ channels: 2, sourceChannels: [1, 3], durationMs: 3000 });
    expect(result.waveform.channels).toHaveLength(2);
    expect(await heard(0, 2, [500, 2500])).toBeGreaterThan(0.1);
    expect(await heard(1, 2, [500, 2500])).toBeGreaterThan(0.1);
    expect(await processed(wav([quiet, quiet, loud(440), quiet], 8000))).toMatchObject({ sourceChannels: [0, 2] });
  });
});

describe('holds', () => {
  /** Music (a tone) between 4 and 7 s and from 10 s on; silence else. */
  const music = (rate: number) => {
    const sounding = (ms: number) => (ms >= 4000 && ms < 7000) || ms >= 10_000;
    const leg = Int16Array.from({ length: 12 * rate }, (_, i) => {
      return sounding((i * 1000) / rate) ? 12_000 * Math.sin(i / 2) : 0;
    });
    return wav([leg, leg], rate);
  };
  const holds = [{ startMs: 10_000, endMs: 99_000 }, { startMs: 4000, endMs: 6000 }, { startMs: 5500, endMs: 7000 }];

  test.each([8000, 11_025, 44_100, 48_000])('are cut from copy and waveform, not from the length (%i Hz)', async (rate) => {
    const result = await processed(music(rate), { holds });
    expect(result).toMatchObject({ durationMs: 12_000, channels: 2 });
    expect(result.cuts).toHaveLength(2);
    for (const [i, [startMs, endMs]] of [[4000, 7000], [10_000, 12_000]].entries()) {
      expect(result.cuts[i]?.[0]).toBeLessThanOrEqual(startMs ?? 0);
      expect(result.cuts[i]?.[0]).toBeGreaterThan((startMs ?? 0) - 12);
      expect(result.cuts[i]?.[1]).toBeGreaterThanOrEqual(endMs ?? 0);
      expect(result.cuts[i]?.[1]).toBeLessThan((endMs ?? 0) + 12);
    }
    const cutMs = result.cuts.reduce((sum, [startMs, endMs]) => sum + endMs - startMs, 0);
    expect(Math.abs(result.playbackDurationMs - (12_000 - cutMs))).toBeLessThanOrEqual(1);
    expect(result.waveform.durationMs).toBe(result.playbackDurationMs);
    // Not one sample of music is left, neither drawn nor heard.
    expect(result.waveform.maxPeak).toBe(0);
    expect(await heard(0, 2, [0, 6900])).toBeLessThan(0.0005);
    expect(result.gaps).toEqual([[250, result.playbackDurationMs - 250]]);
  });

  test('that cover all of the recording leave a moment of silence', async () => {
    const result = await processed(tone({ seconds: 3 }), { holds: [{ startMs: 0, endMs: 60_000 }] });
    expect(result).toMatchObject({ durationMs: 3000, playbackDurationMs: 0, cuts: [[0, 3000]] });
    expect(await heard(0, 1, [0, 150])).toBeLessThan(0.0005);
  });

  test('that run backwards or lie outside cut nothing', async () => {
    const odd = [{ startMs: 900, endMs: 100 }, { startMs: 5000, endMs: 6000 }, { startMs: -500, endMs: 0 }];
    expect(await processed(tone({ seconds: 2 }), { holds: odd })).toMatchObject({ playbackDurationMs: 2000, cuts: [] });
  });
});

describe('gaps', () => {
  test('are found in room noise and in digital silence, and not in short pauses', async () => {
    const pauses: [number, number][] = [[6000, 9000], [12_000, 12_900]];
    const { gaps } = await processed(speechLike({ seconds: 24, pauses, mutes: [[15_000, 18_000]] }));
    const covering = (startMs: number, endMs: number) => gaps.filter(([from, to]) => from < endMs && to > startMs);
    expect(covering(6000, 9000)).toHaveLength(1);
    const [[from, to] = [0, 0]] = covering(6000, 9000);
    expect(Math.abs(from - 6250)).toBeLessThan(300);
    expect(Math.abs(to - 8750)).toBeLessThan(300);
    expect(covering(15_500, 17_500)).toHaveLength(1);
    expect(covering(12_000, 12_900)).toEqual([]);
    expect(gaps.every(([start, end]) => end > start)).toBe(true);
  });

  test('are not found where one of the two is speaking, however softly the other', async () => {
    const { gaps } = await processed(tone({ seconds: 10, channels: 2, amplitude: 0.05 }));
    expect(gaps).toEqual([]);
  });
});

describe('headers that lie', () => {
  const pcm = tone({ seconds: 3 }).subarray(44);

  test.each([
    ['4 GiB', wavHeader({ dataBytes: 0xffffffff, riffBytes: 0xffffffff })],
    ['nothing', wavHeader({ dataBytes: 0, riffBytes: 0 })],
    ['less than there is', wavHeader({ dataBytes: 8000 })],
  ])('about the size (%s) do not change the length', async (name, header) => {
    const result = await processed(Buffer.concat([header, pcm]));
    // Sizes of nothing are what a recorder leaves that was killed before it wrote them.
    expect(result).toMatchObject({ durationMs: 3000, truncated: name === 'nothing' });
    expect(Math.abs(result.waveform.channels[0]?.length ?? 0)).toBe(120);
  });

  test('about a missing end give what is there, marked', async () => {
    const cut = tone({ seconds: 6 }).subarray(0, 44 + 48_000);
    expect(await processed(cut)).toMatchObject({ durationMs: 3000, truncated: true });
  });

  test.each(['flac', 'opus', 'mp3', 'm4a'])('a %s that was cut off keeps its beginning', async (extension) => {
    const whole = join(folder, `whole.${extension}`);
    const source = await file(speechLike({ seconds: 20 }));
    await tools.ffmpeg('-i', source, ...(extension === 'm4a' ? ['-movflags', '+faststart'] : []), whole);
    const bytes = await readFile(whole);
    const result = await processed(bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    expect(result.truncated).toBe(true);
    expect(result.durationMs).toBeGreaterThan(8000);
    expect(result.durationMs).toBeLessThan(16_000);
  });
});

describe('what cannot be decoded', () => {
  test('is refused, and leaves no file', async () => {
    const flac = join(folder, 'broken.flac');
    await tools.ffmpeg('-i', await file(speechLike({ seconds: 4 })), flac);
    const bytes = await readFile(flac);
    bytes.fill(0x55, 100);
    await expect(processed(bytes)).rejects.toMatchObject({ code: 'not-audio' });
    expect(existsSync(playback)).toBe(false);
  });

  test('says nothing of names and places', async () => {
    const path = await file(tone({ seconds: 1 }), 'Zoë van der Berg 0612345678.wav');
    const recognised = await recogniseAudio(path, {});
    const lost = ffmpeg.process(path, recognised, { playback: join(folder, 'no-such-folder', 'copy.m4a') });
    const error = await lost.then(() => undefined, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).message)).not.toMatch(/Berg|0612|no-such-folder|opname-/);
  });

  test('never makes ffmpeg open another file or address', async () => {
    const secret = await file(tone({ seconds: 1 }), 'secret.wav');
    const playlist = Buffer.from(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`);
    const path = await file(playlist, 'playlist');
    for (const container of ['wav', 'mp3', 'mp4', 'ogg', 'matroska']) {
      const sound = { codec: 'mp3', channels: 1, sampleRateHz: 8000, estimatedDurationMs: 1, truncated: false };
      const claimed = { container, ...sound };
      await expect(ffmpeg.process(path, claimed, { playback })).rejects.toMatchObject({ code: 'not-audio' });
    }
  });
});

describe('stopping', () => {
  test('before it began does nothing', async () => {
    const signal = AbortSignal.abort(new Error('shutting down'));
    await expect(processed(tone({ seconds: 1 }), { signal })).rejects.toThrow('shutting down');
    expect(existsSync(playback)).toBe(false);
  });

  test('in the middle kills ffmpeg and leaves no file', async () => {
    const path = await longMulaw(3600);
    const stop = new AbortController();
    const recognised = await recogniseAudio(path, {});
    const running = ffmpeg.process(path, recognised, { playback }, { signal: stop.signal });
    while (!existsSync(playback)) await new Promise((resolve) => setTimeout(resolve, 10));
    stop.abort(new Error('shutting down'));
    await expect(running).rejects.toThrow('shutting down');
    expect(existsSync(playback)).toBe(false);
  });
});

describe('a very long recording', () => {
  test('is processed in flat memory', async () => {
    const path = await longMulaw(2 * 3600);
    const recognised = await recogniseAudio(path, {});
    expect(recognised.estimatedDurationMs).toBe(7_200_000);
    const before = process.memoryUsage().rss;
    let highest = before;
    const watch = setInterval(() => { highest = Math.max(highest, process.memoryUsage().rss); }, 50);
    const result = await ffmpeg.process(path, recognised, { playback }).finally(() => { clearInterval(watch); });
    expect(result.durationMs).toBe(7_200_000);
    expect(result.waveform.channels[0]).toHaveLength(2 * 144_000);
    // Its samples are 115 MB, its file is 58.
    expect(highest - before).toBeLessThan(50 * 1024 * 1024);
  }, 180_000);
});

/** A µ-law WAV of a tone that comes and goes, written piece by piece. */
async function longMulaw(seconds: number): Promise<string> {
  const path = join(folder, `long-${seconds}.wav`);
  const minute = Buffer.concat([
    tone({ seconds: 2, codec: 'mulaw' }).subarray(44),
    tone({ seconds: 58, codec: 'mulaw', amplitude: 0 }).subarray(44),
  ]);
  const handle = await open(path, 'w');
  await handle.write(wavHeader({ codec: 'mulaw', dataBytes: seconds * 8000 }));
  for (let i = 0; i < seconds / 60; i += 1) await handle.write(minute);
  await handle.close();
  return path;
}

describe('finding ffmpeg', () => {
  const path = process.env['PATH'];
  afterAll(() => {
    process.env['PATH'] = path;
  });

  test('tells which one it is', async () => {
    expect(ffmpeg.version).toMatch(/\d/);
    expect(['path', 'npm']).toContain(ffmpeg.source);
  });

  test("prefers the machine's own when that can do what is needed, and not when it cannot", async () => {
    const npm = await findBinary(log);
    const own = join(folder, 'bin');
    await mkdir(own);
    const script = async (text: string) => {
      await writeFile(join(own, 'ffmpeg'), `#!/bin/sh\n${text}\n`);
      await chmod(join(own, 'ffmpeg'), 0o755);
    };
    process.env['PATH'] = `${own}:/usr/bin:/bin`;
    await script(`exec '${npm.command}' "$@"`);
    expect(await findBinary(log)).toMatchObject({ source: 'path', version: npm.version });
    await script('case "$*" in *version*) echo "ffmpeg version 9.9 of nothing";; esac');
    expect(await findBinary(log)).toMatchObject({ source: 'npm' });
    await script('exit 1');
    expect(await findBinary(log)).toMatchObject({ source: 'npm' });
  });

  test('says in one line what to do where there is none', async () => {
    const { platform } = process;
    process.env['PATH'] = join(folder, 'nothing');
    Object.defineProperty(process, 'platform', { value: 'haiku' });
    try {
      const none = 'No usable ffmpeg (ffmpeg on PATH: not there; ffmpeg from npm: not there). Install ffmpeg';
      await expect(findBinary(log)).rejects.toThrow(none);
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });
});

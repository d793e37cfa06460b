import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recogniseAudio } from '../src/platform/audio/recognise.js';
import type { RecognisedAudio } from '../src/platform/audio/recognised.js';
import { Problem } from '../src/platform/problem.js';
import { speechLike, tone } from './support/audio.js';
import { canEncode, ffmpeg } from './support/audio-tools.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opname-properties-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Hints = Parameters<typeof recogniseAudio>[1];

/** The reading, or the problem; anything else that is thrown goes on. */
async function attempt(bytes: Uint8Array, hints: Hints = {}): Promise<RecognisedAudio | Problem> {
  const path = join(folder, 'candidate');
  await writeFile(path, bytes);
  try {
    return await recogniseAudio(path, hints);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** First bytes that lead into each parser. */
const beginnings = [
  '', 'RIFF\x24\0\0\0WAVEfmt \x10\0\0\0', 'RIFF\x24\0\0\0WAVE', 'RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0', 'OggS\0\x02',
  'fLaC\0\0\0\x22', '\0\0\0\x18ftypM4A ', '\0\0\0\x08moov', '\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff', '#!AMR\n',
  '#!AMR-WB\n', '.snd\0\0\0\x18', 'caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20', 'ID3\x04\0\0\0\0\0\x05', '\xff\xfb\x90\0',
  '\xff\xf3\x40\xc0', '\xff\xf1\x50\x80', 'riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0',
].map((text) => Buffer.from(text, 'latin1'));

describe('recognition', () => {
  test('answers any bytes with a sane reading or a problem', async () => {
    const bytes = fc.tuple(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 600 }));
    const hint = fc.constantFrom(undefined, 'ulaw', 'alaw', 'sln', 'sln16', 'gsm', 'g722', 'raw2', 'mp3', '__proto__');
    await fc.assert(
      fc.asyncProperty(bytes, hint, async ([beginning, rest], format) => {
        const whole = Buffer.concat([beginning, rest]);
        const answer = await attempt(whole, format === undefined ? {} : { format });
        if (answer instanceof Problem) {
          expect(['not-audio', 'empty-recording']).toContain(answer.code);
          return;
        }
        expect(answer.channels).toBeGreaterThanOrEqual(1);
        expect(answer.sampleRateHz).toBeGreaterThanOrEqual(4000);
        // No format packs more than a minute into a byte.
        expect(answer.estimatedDurationMs).toBeLessThanOrEqual(whole.length * 60_000);
        expect(answer.estimatedDurationMs).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 1500 },
    );
  });

  test('answers a valid file with some bytes changed', async () => {
    const files = await validFiles();
    const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), changes, fc.boolean(), async ({ bytes }, changed, inHead) => {
        const copy = Buffer.from(bytes);
        const reach = inHead ? Math.min(copy.length, 120) : copy.length;
        for (const [place, value] of changed) copy[Math.floor(place * (reach - 1))] = value;
        const answer = await attempt(copy);
        if (!(answer instanceof Problem)) expect(Number.isSafeInteger(answer.estimatedDurationMs)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('never finds a truncated file longer than the whole', async () => {
    for (const { name, bytes } of await validFiles()) {
      const whole = await attempt(bytes);
      if (whole instanceof Problem) throw new Error(`${name} is valid`);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
          const answer = await attempt(bytes.subarray(0, length));
          if (answer instanceof Problem) return;
          expect(answer.codec, name).toBe(whole.codec);
          expect(answer.estimatedDurationMs, name).toBeLessThanOrEqual(whole.estimatedDurationMs);
        }),
        { numRuns: 60 },
      );
    }
  });
});

async function validFiles(): Promise<{ name: string; bytes: Buffer }[]> {
  const files = [
    { name: 'wav', bytes: tone({ seconds: 0.5, channels: 2 }) },
    { name: 'mulaw wav', bytes: tone({ seconds: 0.5, codec: 'mulaw' }) },
  ];
  const source = join(folder, 'source.wav');
  await writeFile(source, speechLike({ seconds: 0.6, rate: 16_000 }));
  const made: [extension: string, encoder: string, ...args: string[]][] = [
    ['mp3', 'libmp3lame'], ['opus', 'libopus'], ['ogg', 'libvorbis'], ['flac', 'flac'], ['m4a', 'aac'], ['aac', 'aac'],
    ['webm', 'libopus'], ['mp4', 'aac', '-movflags', '+frag_keyframe+empty_moov'], ['w64', 'pcm_s16le'],
    ['au', 'pcm_alaw'], ['caf', 'pcm_s16le'], ['mov', 'pcm_s16le', '-movflags', '+faststart'],
    ['amr', 'libopencore_amrnb', '-ar', '8000', '-ac', '1'],
  ];
  for (const [extension, encoder, ...args] of made) {
    if (!(await canEncode(encoder))) continue;
    const path = join(folder, `valid.${extension}`);
    await ffmpeg('-i', source, '-c:a', encoder, ...args, path);
    files.push({ name: extension, bytes: await readFile(path) });
  }
  return files;
}

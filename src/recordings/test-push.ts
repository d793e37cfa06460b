import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { recogniseAudio } from '../platform/audio/recognise.js';
import type { RecognisedAudio } from '../platform/audio/recognised.js';
import type { Ffmpeg } from '../platform/ffmpeg.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem, type ProblemCode } from '../platform/problem.js';
import { discardUpload, receiveStream, type Upload, type UploadLimits } from './upload.js';

/**
 * A test push: sound takes the way that recordings take (received, storage with proof, read back, decoded) and is
 * deleted again before the answer. There is never a row of it, so nobody finds it in a list. Should the process die on the
 * way, the object that is left has no row, and reconciliation removes it like any other.
 */

export const testSteps = ['received', 'recognised', 'stored', 'read_back', 'decoded', 'deleted'] as const;
export type TestStepName = (typeof testSteps)[number];

export interface TestStep {
  step: TestStepName;
  ok: boolean;
  ms: number;
  /** Why not. */
  code?: ProblemCode;
}

export interface TestOutcome {
  ok: boolean;
  steps: TestStep[];
  /** Of the sound as it was decoded; null when it did not get so far. */
  durationMs: number | null;
}

export interface Testing {
  platform: Pick<Platform, 'clock' | 'log' | 'objects'>;
  ffmpeg: () => Promise<Ffmpeg>;
  limits: UploadLimits;
  /** For the decoded copy. */
  folder: string;
}

/** Sound of a test is short: more is somebody's recording, sent to the wrong address. */
export const mostTestBytes = 2 * 1024 * 1024;

const toneSeconds = 2;
const toneRateHz = 8000;

/** Two seconds of 440 and 660 Hz, one a channel, as 16-bit PCM in WAV. */
export function testTone(): Buffer {
  const frames = toneSeconds * toneRateHz;
  const file = Buffer.alloc(44 + frames * 4);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(2, 22);
  file.writeUInt32LE(toneRateHz, 24);
  file.writeUInt32LE(toneRateHz * 4, 28);
  file.writeUInt16LE(4, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(frames * 4, 40);
  for (let frame = 0; frame < frames; frame += 1)
    [440, 660].forEach((hz, channel) => {
      const sample = Math.round(8000 * Math.sin((2 * Math.PI * hz * frame) / toneRateHz));
      file.writeInt16LE(sample, 44 + frame * 4 + channel * 2);
    });
  return file;
}

/** The tone of this service itself, through all steps. Does not throw: what went wrong stands at its step. */
export async function testWithTone(testing: Testing): Promise<TestOutcome> {
  const steps: TestStep[] = [];
  let upload: Upload | undefined;
  try {
    upload = await take(steps, 'received', () => receiveStream(Readable.from([testTone()]), 'test.wav', testing.limits));
    return upload === undefined ? { ok: false, steps, durationMs: null } : await testUpload(testing, upload, steps);
  } finally {
    await discardUpload(upload);
  }
}

/** What was uploaded, through the rest of the steps. The upload is left to the caller. */
export async function testUpload(testing: Testing, upload: Upload, steps: TestStep[] = [{ step: 'received', ok: true, ms: 0 }]): Promise<TestOutcome> {
  const { objects, clock } = testing.platform;
  const audio = await take(steps, 'recognised', () =>
    recogniseAudio(upload.content, upload.fileName === undefined ? {} : { fileName: upload.fileName }),
  );
  if (audio === undefined) return { ok: false, steps, durationMs: null };
  const key = `recordings/${newId(clock)}/test/original`;
  let durationMs: number | undefined;
  const stored = await take(steps, 'stored', async () => {
    const { bytes, md5, sha256 } = upload;
    await objects.putFile(key, upload.content, { bytes, md5, sha256, contentType: 'application/octet-stream', tags: { hold: '0' } });
    return true;
  });
  if (stored === true) {
    const same = await take(steps, 'read_back', () => readBack(testing, key, upload.sha256));
    if (same === true) durationMs = await take(steps, 'decoded', () => decode(testing, upload.content, audio));
  }
  // Also after a put that failed: something may be there all the same.
  await take(steps, 'deleted', async () => {
    const [result] = await objects.deleteEveryVersion([key]);
    if (result?.error !== undefined || (await objects.confirmAbsent([key])).length > 0) throw new Problem('storage-unavailable');
    return true;
  });
  return { ok: steps.length === testSteps.length && steps.every(({ ok }) => ok), steps, durationMs: durationMs ?? null };
}

/** Does one step, notes how it went, and answers undefined when it failed. */
async function take<Value>(steps: TestStep[], step: TestStepName, act: () => Promise<Value>): Promise<Value | undefined> {
  const startedMs = performance.now();
  const ms = () => Math.round(performance.now() - startedMs);
  try {
    const value = await act();
    steps.push({ step, ok: true, ms: ms() });
    return value;
  } catch (error) {
    steps.push({ step, ok: false, ms: ms(), code: error instanceof Problem ? error.code : 'internal-error' });
    return undefined;
  }
}

async function readBack({ platform }: Testing, key: string, sha256: string): Promise<true> {
  const read = await platform.objects.read(key);
  if (read === undefined) throw new Problem('storage-unavailable');
  const hash = createHash('sha256');
  await pipeline(read.body, hash);
  if (hash.digest('hex') !== sha256) throw new Problem('digest-mismatch');
  return true;
}

async function decode({ platform, ffmpeg, folder }: Testing, content: string | Buffer, audio: RecognisedAudio): Promise<number> {
  const own = path.join(folder, `test-${newId(platform.clock)}`);
  await mkdir(own, { recursive: true, mode: 0o700 });
  try {
    const input = typeof content === 'string' ? content : path.join(own, 'original');
    if (typeof content !== 'string') await writeFile(input, content, { mode: 0o600 });
    const decoder = await ffmpeg();
    const processed = await decoder.process(input, audio, { playback: path.join(own, 'playback.m4a') });
    return processed.durationMs;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

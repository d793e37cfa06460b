import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Mask } from '../platform/audio/derive-plan.js';
import { recogniseAudio } from '../platform/audio/recognise.js';
import type { RecognisedAudio } from '../platform/audio/recognised.js';
import type { Ffmpeg } from '../platform/ffmpeg.js';
import { Problem } from '../platform/problem.js';
import type { Interval, VersionRow } from '../recordings/recording.js';
import type { Bag } from './bag.js';
import type { SealPlatform, SealWork } from './seal.js';
import type { Derivation } from './verifier/layout.js';

/** Originals and what is made of them, on their way into a bag. An original is believed only by its digest. */

/** The file of an original in `folder`, or undefined when storage has it no more, or not as it was received. */
export async function fetchOriginal(
  { objects }: Pick<SealPlatform, 'objects'>, version: VersionRow, { folder, signal }: SealWork,
): Promise<string | undefined> {
  const stored = await objects.read(version.original_key, { signal });
  if (stored === undefined) return undefined;
  const file = path.join(folder, `${version.id}.${version.file_extension}`);
  const sha256 = createHash('sha256');
  await pipeline(
    stored.body,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sha256.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file, { mode: 0o600, highWaterMark: 1024 * 1024 }),
    { signal },
  );
  if (sha256.digest('hex') === version.sha256) return file;
  await rm(file, { force: true });
  return undefined;
}

/** Puts a file into the bag. */
export async function addFile(bag: Bag, place: string, file: string): Promise<{ bytes: number; sha256: string }> {
  const { size } = await stat(file);
  // A buffer no larger than the file: thousands of small ones would each leave a large one for the collector.
  const highWaterMark = Math.max(1024, Math.min(size, 1024 * 1024));
  return await bag.add(place, createReadStream(file, { highWaterMark }) as AsyncIterable<Buffer>, size);
}

/** What the bytes are. The row may tell of a playback copy made of two sides; bytes with a header are asked anew. */
async function recognisedAs(original: string, version: VersionRow): Promise<RecognisedAudio> {
  if (version.ffmpeg_input === null) return await recogniseAudio(original, {});
  const input = version.ffmpeg_input as NonNullable<RecognisedAudio['input']>;
  return {
    container: version.container,
    codec: version.codec,
    channels: input.channels ?? version.channels,
    sampleRateHz: version.sample_rate_hz,
    estimatedDurationMs: version.duration_ms,
    truncated: version.truncated,
    input,
  };
}

/** What a copy is to be. */
export interface CopyOrder {
  kind: Derivation['kind'];
  /** The name of the file, without folders: `clip-01.wav`. */
  file: string;
  agreementId: string | null;
  passage: Interval | undefined;
  cuts: readonly Interval[];
  masks: readonly Mask[];
}

/**
 * Makes a copy of an original and puts it into the bag under `folder` (ending in `/`), with what is told of how it was made.
 * Undefined when it cannot be made: nothing in the passage can be decoded, or all of it is cut.
 */
export async function addCopy(
  bag: Bag,
  { ffmpeg, original, version }: { ffmpeg: Ffmpeg; original: string; version: VersionRow },
  folder: string,
  order: CopyOrder,
  work: SealWork,
): Promise<Derivation | undefined> {
  const output = path.join(work.folder, order.file);
  const names = { input: `original.${version.file_extension}`, output: order.file };
  const { passage, cuts, masks } = order;
  try {
    const recognised = await recognisedAs(original, version);
    const made = await ffmpeg.derive(original, recognised, output, { passage, cuts, masks }, { names, signal: work.signal });
    const { bytes, sha256 } = await addFile(bag, `${folder}${order.file}`, output);
    return {
      file: order.file, sha256, bytes, durationMs: made.durationMs, kind: order.kind, agreementId: order.agreementId,
      source: { versionId: version.id, number: version.number ?? 0, sha256: version.sha256 },
      tool: 'ffmpeg', toolVersion: ffmpeg.version, arguments: made.arguments,
      passage: passage ?? null, cuts: [...cuts], masks: [...masks],
    };
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-audio') return undefined;
    throw error;
  } finally {
    await rm(output, { force: true });
  }
}

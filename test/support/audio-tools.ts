import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { findBinary } from '../../src/platform/audio/ffmpeg-binary.js';
import { createLog } from '../../src/platform/log.js';

/** What tests need of ffmpeg beyond the service's own use of it: other codecs to make, and a second opinion. */

const run = promisify(execFile);
let ffmpegCommand: Promise<string> | undefined;

/** Runs the ffmpeg that the service would find; returns what it wrote to its standard output. */
export async function ffmpeg(...args: string[]): Promise<Buffer> {
  ffmpegCommand ??= findBinary(createLog('silent')).then(({ command }) => command);
  const all = ['-v', 'error', '-nostdin', '-y', ...args];
  const { stdout } = await run(await ffmpegCommand, all, { encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}

/** Whether this ffmpeg can write with that encoder. */
export async function canEncode(encoder: string): Promise<boolean> {
  const list = (await ffmpeg('-encoders')).toString();
  return list.split('\n').some((line) => line.trim().split(/\s+/)[1] === encoder);
}

export interface Probe {
  format: { format_name: string; duration?: string };
  streams: { codec_name: string; profile?: string; sample_rate: string; channels: number; duration?: string }[];
}

/** ffprobe's reading of a file. */
export async function probe(path: string): Promise<Probe> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', path];
  return JSON.parse((await run(await ffprobeCommand(), args)).stdout) as Probe;
}

/** All channels of a file as interleaved samples. */
export async function decode(path: string): Promise<Int16Array> {
  const bytes = new Uint8Array(await ffmpeg('-i', path, '-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1'));
  return new Int16Array(bytes.buffer, 0, bytes.byteLength >> 1);
}

/** One channel of interleaved samples, between two times. */
export function leg(
  samples: Int16Array,
  { channel, channels, rateHz }: { channel: number; channels: number; rateHz: number },
  [startMs, endMs]: [number, number],
): number[] {
  const [from, to] = [startMs, endMs].map((at) => Math.round((at * rateHz) / 1000)) as [number, number];
  return Array.from({ length: to - from }, (_, i) => samples[(from + i) * channels + channel] ?? 0);
}

/** Root mean square, as a part of full scale. */
export function loudness(samples: readonly number[]): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length)) / 32_768;
}

async function ffprobeCommand(): Promise<string> {
  try {
    const name = `@ffprobe-installer/${process.platform}-${process.arch}`;
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'ffprobe');
    await chmod(path, 0o755).catch(() => undefined);
    await stat(path);
    return path;
  } catch {
    return 'ffprobe';
  }
}

export interface RealRecording {
  path: string;
  name: string;
  /** As the manifest tells it. */
  codec: string;
  rateHz: number;
  channels: number;
  /** Undefined where the file holds no audio, or is no audio. */
  seconds: number | undefined;
  remark: string;
}

const recordingsFolder = join(import.meta.dirname, '..', 'recordings');

/** The recordings that real telephony software made, with what their manifest says of each. */
export async function realRecordings(): Promise<RealRecording[]> {
  const manifest = await readFile(join(recordingsFolder, 'MANIFEST.md'), 'utf8');
  const found: RealRecording[] = [];
  let folder = '';
  for (const line of manifest.split('\n')) {
    folder = /^## .*\(`(.+)\/`\)/.exec(line)?.[1] ?? folder;
    const [, name, format, remark] = /^\| `(.+?)` \| \d+ \| (.+?) \| (.+?) \|$/.exec(line) ?? [];
    if (name === undefined || format === undefined || remark === undefined) continue;
    const [, codec = 'text', rate, channels, seconds] = /^(\w+) (\d+) Hz, (\d) ch, (?:([\d.]+) s)?/.exec(format) ?? [];
    found.push({
      path: join(recordingsFolder, folder, name),
      name,
      codec,
      rateHz: Number(rate),
      channels: Number(channels),
      seconds: seconds === undefined ? undefined : Number(seconds),
      remark,
    });
  }
  return found;
}

/** Every file under the recordings folder that sounds, by its size and place; to see that the manifest names all. */
export async function recordingFiles(): Promise<string[]> {
  const entries = await readdir(recordingsFolder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.(md|csv|txt|request|bin)$|queue_log$/.test(entry.name))
    .map((entry) => relative(recordingsFolder, join(entry.parentPath, entry.name)));
}

import { execFile } from 'node:child_process';
import { access, chmod, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Log } from '../log.js';

export interface FfmpegBinary {
  /** What to spawn: a path, or `ffmpeg` where the machine's own is used. */
  command: string;
  version: string;
  source: 'path' | 'npm';
}

/** What recordings come in, and what the playback copy needs. A list in a list: one of them will do. */
const needed: Record<'decoders' | 'encoders' | 'demuxers' | 'muxers' | 'filters', (string | string[])[]> = {
  decoders: [
    'pcm_s16le', 'pcm_mulaw', 'pcm_alaw', 'gsm', 'gsm_ms', ['g722', 'adpcm_g722'], 'adpcm_ima_wav', 'adpcm_ms',
    ['mp3float', 'mp3'], ['opus', 'libopus'], ['vorbis', 'libvorbis'], 'aac', 'flac',
  ],
  encoders: ['aac', 'pcm_s16le'],
  demuxers: ['wav', 's16le', 'mulaw', 'alaw', 'gsm', 'g722', 'mp3', 'ogg', 'flac', 'aac', 'mov'],
  muxers: ['ipod', 'wav'],
  filters: ['aresample', 'asetpts', 'asplit', 'asetnsamples', 'aselect', 'pan', 'atrim', 'volume'],
};

/**
 * The ffmpeg to use: the machine's own when it is on PATH and can do what is needed, since it gets security fixes;
 * otherwise the one that comes with npm. Throws one plain error when there is neither.
 */
export async function findBinary(log: Log): Promise<FfmpegBinary> {
  const faults: string[] = [];
  for (const source of ['path', 'npm'] as const) {
    try {
      const command = source === 'path' ? 'ffmpeg' : await npmBinary();
      const version = await versionOf(command);
      const missing = await missingFrom(command);
      if (missing.length === 0) return { command, version, source };
      faults.push(`${where[source]} lacks ${missing.join(', ')}`);
      log.warn({ source, version, missing }, 'this ffmpeg cannot do what is needed');
    } catch (error) {
      faults.push(`${where[source]}: ${reason(error)}`);
    }
  }
  throw new Error(`No usable ffmpeg (${faults.join('; ')}). Install ffmpeg 5 or later so that it is on PATH.`);
}

const where = { path: 'ffmpeg on PATH', npm: 'ffmpeg from npm' } as const;

async function npmBinary(): Promise<string> {
  const name = `@ffmpeg-binary/${process.platform}-${process.arch}`;
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  const path = join(dirname(manifest), 'ffmpeg');
  try {
    await access(path, constants.X_OK);
  } catch {
    // npm may unpack it without the executable bit; on a read-only file system this fails and says so.
    await chmod(path, 0o755);
  }
  return path;
}

async function versionOf(command: string): Promise<string> {
  const version = /^ffmpeg version (\S+)/.exec(await output(command, '-version'))?.[1];
  if (version === undefined) throw new Error('does not say its version');
  return version;
}

async function missingFrom(command: string): Promise<string[]> {
  const missing: string[] = [];
  for (const [kind, names] of Object.entries(needed)) {
    const listed = namesIn(await output(command, `-${kind}`));
    for (const name of names) {
      const choices = typeof name === 'string' ? [name] : name;
      if (!choices.some((choice) => listed.has(choice))) missing.push(`${kind.slice(0, -1)} ${choices[0] ?? ''}`);
    }
  }
  return missing;
}

/** Lists are lines of flags in one or two columns, a name or several with commas between, and a description. */
function namesIn(list: string): Set<string> {
  const words = list.split('\n').flatMap((line) => line.trim().split(/\s+/).slice(0, 3));
  return new Set(words.flatMap((word) => word.split(',')));
}

async function output(command: string, argument: string): Promise<string> {
  const options = { timeout: 20_000, maxBuffer: 4 * 1024 * 1024 };
  return (await promisify(execFile)(command, ['-hide_banner', argument], options)).stdout;
}

function reason(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === 'ENOENT' || code === 'MODULE_NOT_FOUND') return 'not there';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'not executable';
  return 'does not run';
}

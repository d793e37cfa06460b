import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import path from 'node:path';
import { readRecordingName } from '../../src/recordings/doors/freepbx.js';

/** The files of an archive: which there are, which were settled before, which need not be asked about. */

export interface Found {
  /** In bytes: a name need not be UTF-8. */
  file: Buffer;
  relative: Buffer;
  bytes: number;
  modifiedAtMs: number;
  /** What it is besides a file: told, and not followed. */
  oddity?: 'a link, not followed' | 'a folder that cannot be read';
}

const slash = Buffer.from(path.sep);
const under = (folder: Buffer, name: Buffer) => (folder.length === 0 ? name : Buffer.concat([folder, slash, name]));

/** Every file below `root`, in no particular order. What goes away while it is looked for is not there. */
export async function* filesOf(root: Buffer, relative: Buffer = Buffer.alloc(0)): AsyncGenerator<Found> {
  const folder = under(root, relative);
  const here = relative.length === 0 ? root : folder;
  let entries;
  try {
    // The types know no names in bytes here, though Node does.
    entries = await opendir(here, { encoding: 'buffer' as BufferEncoding });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    yield { file: here, relative, bytes: 0, modifiedAtMs: 0, oddity: 'a folder that cannot be read' };
    return;
  }
  for await (const entry of entries) {
    const name = under(relative, entry.name as unknown as Buffer);
    if (entry.isDirectory()) {
      yield* filesOf(root, name);
      continue;
    }
    const file = under(root, name);
    const facts = await lstat(file).catch(() => undefined);
    if (facts === undefined) continue;
    const found = { file, relative: name, bytes: facts.size, modifiedAtMs: facts.mtimeMs };
    if (facts.isSymbolicLink()) yield { ...found, oddity: 'a link, not followed' };
    else if (facts.isFile()) yield found;
  }
}

/** What was settled in earlier runs: a digest of path and size, one a line, with what became of it. */
export class Settled {
  readonly #known = new Set<string>();

  constructor(readonly file: string) {
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) if (/^[0-9a-f]{32} \S+$/.test(line)) this.#known.add(line.slice(0, 32));
    // A line that was torn by a power cut must not spoil the next.
    appendFileSync(file, '\n');
  }

  static nameOf({ relative, bytes }: Found): string {
    return createHash('sha256').update(relative).update(`\0${bytes}`).digest('hex').slice(0, 32);
  }

  has(found: Found): boolean {
    return this.#known.has(Settled.nameOf(found));
  }

  /** At once, but not forced to the disk: what a power cut takes from it is asked again, and the service knows the bytes. */
  add(found: Found, outcome: string): void {
    appendFileSync(this.file, `${Settled.nameOf(found)} ${outcome}\n`);
  }
}

const extensions = /\.(wav|wav49|wav16|gsm|mp3|ulaw|ul|alaw|al|sln|sln16|g722|raw|opus|ogg|flac)$/i;
/** The service decides by the day; this is only so old that no clock or zone could matter. */
const surelyOverMs = 93 * 86_400_000;
/** A call of today whose file changed just now may still be going on. */
const restMs = 60_000;
const longestCallMs = 12 * 3_600_000;

/** Why a file need not be asked about; undefined for one that is to be sent. */
export function skipReason(found: Found, nowMs: number): string | undefined {
  if (found.oddity !== undefined) return found.oddity;
  const name = found.relative.toString('utf8');
  if (!extensions.test(name)) return 'not a recording';
  const read = readRecordingName(name, 'UTC');
  const ageMs = read === undefined ? undefined : nowMs - read.startedAt.getTime();
  if (ageMs !== undefined && ageMs < longestCallMs && nowMs - found.modifiedAtMs < restMs) return 'still being written';
  if (found.bytes <= 44) return 'empty-recording';
  if (ageMs === undefined) return 'name not understood';
  return ageMs > surelyOverMs ? 'retention-over' : undefined;
}

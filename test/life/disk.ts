import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseEntry } from '../../src/platform/embedded/s3/entry.js';

/** A folder that changed so shortly before it was read may change once more and keep its time. */
const coarseMs = 100;

/** Of an object: what tells its bytes, and the tag that the rules of the bucket look at. */
export interface Stored {
  etag: string;
  hold: string | undefined;
}

/**
 * What lies on the disk of the storage, looked at past its server, its index and its client: a listing of everything over
 * HTTP on every day would take more time than the day itself.
 */
export class DiskOfStorage {
  /** By folder: when it last changed, and the objects by the names of the files that tell them: such a file never changes. */
  readonly #shards = new Map<string, { changedMs: number; files: Map<string, Stored & { key: string }> }>();

  /** @param folder where the bucket keeps its objects, in folders by their first two digits */
  constructor(private readonly folder: string) {}

  /** All objects whose keys begin with one of `roots`, by key. */
  objects(roots: readonly string[]): Map<string, Stored> {
    const found = new Map<string, Stored>();
    for (const shard of readdirSync(this.folder))
      for (const file of this.#read(shard).values()) if (roots.some((root) => file.key.startsWith(root))) found.set(file.key, file);
    return found;
  }

  #read(shard: string): Map<string, Stored & { key: string }> {
    const folder = path.join(this.folder, shard);
    const changedMs = statSync(folder).mtimeMs;
    const known = this.#shards.get(shard);
    if (known?.changedMs === changedMs) return known.files;
    const files = new Map<string, Stored & { key: string }>();
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json')) continue;
      const file = known?.files.get(name) ?? entryIn(path.join(folder, name));
      files.set(name, file);
    }
    this.#shards.set(shard, { changedMs: Date.now() - changedMs < coarseMs ? 0 : changedMs, files });
    return files;
  }
}

function entryIn(file: string): Stored & { key: string } {
  const entry = parseEntry(readFileSync(file, 'utf8'));
  if (entry === undefined) throw new Error('an object that cannot be read');
  return { key: entry.key, etag: entry.etag, hold: entry.tags['hold'] };
}

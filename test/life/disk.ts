import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseEntry } from '../../src/platform/embedded/s3/entry.js';

/** A folder that changed so shortly before it was read may change once more and keep its time. */
const coarseMs = 100;

/**
 * What lies on the disk of the storage, looked at past its server, its index and its client: a listing of everything over
 * HTTP on every day would take more time than the day itself.
 */
export class DiskOfStorage {
  /** By folder: when it last changed, and the keys by the names of the files that tell them: such a file never changes. */
  readonly #shards = new Map<string, { changedMs: number; keys: Map<string, string> }>();

  /** @param folder where the bucket keeps its objects, in folders by their first two digits */
  constructor(private readonly folder: string) {}

  /** The keys of all objects that are there, by what they begin with. */
  keys(roots: readonly string[]): Set<string> {
    const found = new Set<string>();
    for (const shard of readdirSync(this.folder))
      for (const key of this.#read(shard).values()) if (roots.some((root) => key.startsWith(root))) found.add(key);
    return found;
  }

  #read(shard: string): Map<string, string> {
    const folder = path.join(this.folder, shard);
    const changedMs = statSync(folder).mtimeMs;
    const known = this.#shards.get(shard);
    if (known?.changedMs === changedMs) return known.keys;
    const keys = new Map<string, string>();
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json')) continue;
      const key = known?.keys.get(name) ?? parseEntry(readFileSync(path.join(folder, name), 'utf8'))?.key;
      if (key === undefined) throw new Error('an object that cannot be read');
      keys.set(name, key);
    }
    this.#shards.set(shard, { changedMs: Date.now() - changedMs < coarseMs ? 0 : changedMs, keys });
    return keys;
  }
}

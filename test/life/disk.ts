import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEntry } from '../../src/platform/embedded/s3/entry.js';

/**
 * What lies on the disk of the storage, looked at past its server, its index and its client: a listing of everything over
 * HTTP on every day would take more time than the day itself.
 */
export class DiskOfStorage {
  /** Keys by the names of the files that tell them: such a file never changes. */
  #known = new Map<string, string>();

  /** @param folder where the bucket keeps its objects, in folders by their first two digits */
  constructor(private readonly folder: string) {}

  /** The keys of all objects that are there, by what they begin with. */
  keys(roots: readonly string[]): Set<string> {
    const seen = new Map<string, string>();
    for (const shard of readdirSync(this.folder))
      for (const name of readdirSync(path.join(this.folder, shard))) {
        if (!name.endsWith('.json')) continue;
        const key = this.#known.get(name) ?? parseEntry(readFileSync(path.join(this.folder, shard, name), 'utf8'))?.key;
        if (key === undefined) throw new Error('an object that cannot be read');
        seen.set(name, key);
      }
    this.#known = seen;
    return new Set([...seen.values()].filter((key) => roots.some((root) => key.startsWith(root))));
  }
}

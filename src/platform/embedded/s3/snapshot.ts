/**
 * The index of a bucket, written down so that opening need not read every metadata file. It is only ever a saving:
 * an entry counts when a metadata file of exactly its hash and revision lies on disk, and a revision is never
 * written twice. So the snapshot may be old, torn, mixed or gone, and what is opened is still what is on disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from '../../log.js';
import type { Disk } from './disk.js';
import { fileName, hashOf, parseEntry, parseFileName, shardOf, stayAbove, type Entry } from './entry.js';

const snapshotName = 'index.jsonl';
const header = 'objects 1';

/** Writes the snapshot of `entries` beside the objects of `bucketFolder`. They may change meanwhile: see above. */
export async function writeSnapshot(bucketFolder: string, entries: Iterable<Entry>, disk: Disk): Promise<void> {
  const path = disk.temporary();
  const digest = createHash('sha256');
  const handle = await open(path, 'wx');
  try {
    let lines = [header];
    const flush = async (): Promise<void> => {
      const text = lines.join('\n') + '\n';
      digest.update(text);
      await handle.appendFile(text);
      lines = [];
    };
    for (const entry of entries) {
      lines.push(JSON.stringify(entry));
      if (lines.length === 500) await flush();
    }
    await flush();
    await handle.appendFile(digest.digest('hex') + '\n');
    if (disk.fsync) await handle.sync();
    await handle.close();
    await rename(path, join(bucketFolder, snapshotName));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}

/** The entries of the snapshot by hash; empty when it is missing or damaged. */
async function readSnapshot(bucketFolder: string, log: Log): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const digest = createHash('sha256');
  let previous: string | undefined;
  let first = true;
  try {
    for await (const line of createInterface({ input: createReadStream(join(bucketFolder, snapshotName)) })) {
      if (previous !== undefined) {
        digest.update(previous + '\n');
        if (first && previous !== header) throw new Error('not a snapshot');
        const entry = first ? undefined : parseEntry(previous);
        if (!first && !entry) throw new Error('a line is damaged');
        if (entry) entries.set(hashOf(entry.key), entry);
        first = false;
      }
      previous = line;
    }
    if (previous !== digest.digest('hex')) throw new Error('cut off or changed');
    return entries;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.warn({ error }, 'the index of a bucket is damaged and is made anew from its objects');
    }
    return new Map();
  }
}

/**
 * The objects of a bucket as they are on disk, and how many of them the snapshot did not know. What a crash left over
 * of unfinished changes is removed.
 */
export async function loadEntries(bucketFolder: string, log: Log): Promise<{ entries: Entry[]; unknown: number }> {
  const known = await readSnapshot(bucketFolder, log);
  const objects = join(bucketFolder, 'objects');
  const entries: Entry[] = [];
  let damaged = 0;
  let unknown = 0;
  for (const shard of await readdir(objects)) {
    const folder = join(objects, shard);
    const names = (await readdir(folder)).map(parseFileName).filter((name) => name !== undefined);
    const newest = new Map<string, string>();
    for (const { hash, revision, kind } of names) {
      if (kind === 'json' && revision > (newest.get(hash) ?? '')) newest.set(hash, revision);
      stayAbove(revision);
    }
    const found = new Map<string, Entry>();
    const unread = new Set<string>();
    for (const [hash, revision] of newest) {
      const fromSnapshot = known.get(hash);
      if (fromSnapshot?.revision === revision) found.set(hash, fromSnapshot);
      else unread.add(hash);
    }
    unknown += unread.size;
    const reading = [...unread].map(async (hash) => {
      const revision = newest.get(hash) ?? '';
      const entry = parseEntry(await readFile(join(folder, fileName(hash, revision, 'json')), 'utf8'));
      if (entry?.revision !== revision || hashOf(entry.key) !== hash) return;
      found.set(hash, entry);
      unread.delete(hash);
    });
    await Promise.all(reading);
    damaged += unread.size;
    entries.push(...found.values());
    for (const { hash, revision, kind } of names) {
      if (unread.has(hash)) continue; // metadata that cannot be read: everything of it is kept for a person to look at
      const current = kind === 'json' ? newest.get(hash) : found.get(hash)?.dataRevision;
      if (revision !== current) await rm(join(folder, fileName(hash, revision, kind)), { force: true });
    }
  }
  if (damaged > 0) log.error({ damaged }, 'metadata of stored objects cannot be read; the files were kept');
  return { entries, unknown };
}

/** The shard folders of a bucket, all made with it so that no object waits for one. */
export const shards: readonly string[] = Array.from({ length: 256 }, (_unused, at) =>
  shardOf(at.toString(16).padStart(2, '0')),
);

/**
 * One bucket: its objects on disk and its index in memory, which is changed only after the disk was.
 *
 * Order of a write: bytes on disk under a temporary name; data file named; metadata file named (the object now
 * exists, also after a crash); folder synced; acknowledged; what it replaced removed. Of a deletion: metadata file
 * removed (the object is now gone), folder synced, acknowledged.
 */
import { link, copyFile, rename, rm, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { Disk } from './disk.js';
import { fileName, hashOf, nextRevision, shardOf, type Entry, type NewEntry } from './entry.js';
import { S3Error } from './errors.js';
import { loadEntries, writeSnapshot } from './snapshot.js';
import { SortedKeys } from './sorted-keys.js';

/** `If-Match` and `If-None-Match` of a write. Entity tags in quotes, or `*`. */
export interface WriteConditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

export class Bucket {
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new Map<string, Promise<void>>();
  #sorted = new SortedKeys();
  #writing = 0;
  #removed = false;
  #changesSinceSnapshot = 0;
  #snapshotting: Promise<void> | undefined;

  private constructor(
    readonly name: string,
    readonly folder: string,
    readonly createdAt: Date,
    private readonly disk: Disk,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  static async open(
    name: string,
    folder: string,
    createdAt: Date,
    disk: Disk,
    clock: Clock,
    log: Log,
  ): Promise<Bucket> {
    const bucket = new Bucket(name, folder, createdAt, disk, clock, log);
    const { entries, unknown } = await loadEntries(folder, log);
    for (const entry of entries) bucket.#entries.set(entry.key, entry);
    bucket.#sorted = new SortedKeys(bucket.#entries.keys());
    bucket.#changed(unknown);
    return bucket;
  }

  get keys(): SortedKeys {
    return this.#sorted;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The object, or `NoSuchKey`. */
  existing(key: string): Entry {
    const entry = this.#entries.get(key);
    if (!entry) throw new S3Error('NoSuchKey');
    return entry;
  }

  #path(hash: string, revision: string, kind: 'json' | 'data'): string {
    return join(this.folder, 'objects', shardOf(hash), fileName(hash, revision, kind));
  }

  #shardFolder(hash: string): string {
    return join(this.folder, 'objects', shardOf(hash));
  }

  /** Runs `change` when no other change of the same key runs, and the bucket is not being removed. */
  async #inTurn<T>(key: string, change: () => Promise<T>): Promise<T> {
    if (this.#removed) throw new S3Error('NoSuchBucket');
    this.#writing++;
    const before = this.#turns.get(key);
    let done: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#turns.set(key, mine);
    try {
      await before;
      return await change();
    } finally {
      done();
      if (this.#turns.get(key) === mine) this.#turns.delete(key);
      this.#writing--;
    }
  }

  /** Throws `PreconditionFailed`, or `NoSuchKey` for If-Match on nothing, when a write may not go on. */
  check(key: string, { ifMatch, ifNoneMatch }: WriteConditions): void {
    const entry = this.#entries.get(key);
    if (ifNoneMatch !== undefined && entry && (ifNoneMatch === '*' || ifNoneMatch === entry.etag)) {
      throw new S3Error('PreconditionFailed');
    }
    if (ifMatch === undefined) return;
    if (!entry) throw new S3Error('NoSuchKey');
    if (ifMatch !== '*' && ifMatch !== entry.etag) throw new S3Error('PreconditionFailed');
  }

  /** Makes the file at `temporary`, already on disk, the object `entry.key`. It is gone afterwards, come what may. */
  async put(entry: NewEntry, temporary: string, conditions: WriteConditions): Promise<Entry> {
    try {
      return await this.#inTurn(entry.key, async () => {
        this.check(entry.key, conditions);
        const revision = nextRevision();
        const whole: Entry = { ...entry, revision, dataRevision: revision, modifiedAtMs: this.clock.now().getTime() };
        const data = this.#path(hashOf(entry.key), revision, 'data');
        await rename(temporary, data);
        try {
          return await this.#commit(whole);
        } catch (error) {
          if (this.#entries.get(entry.key) !== whole) await rm(data, { force: true });
          throw error;
        }
      });
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Replaces the tags of an object. Its age stays what it was, as on Amazon S3. */
  async setTags(key: string, tags: Record<string, string>): Promise<void> {
    await this.#inTurn(key, () => this.#commit({ ...this.existing(key), tags, revision: nextRevision() }));
  }

  /** The metadata file of `entry` gets its name; from here on `entry` is the object. */
  async #commit(entry: Entry): Promise<Entry> {
    const hash = hashOf(entry.key);
    const previous = this.#entries.get(entry.key);
    const metadata = await this.disk.writeTemporary(JSON.stringify(entry));
    try {
      await rename(metadata, this.#path(hash, entry.revision, 'json'));
    } catch (error) {
      await rm(metadata, { force: true });
      throw error;
    }
    this.#entries.set(entry.key, entry);
    if (!previous) this.#sorted.add(entry.key);
    await this.disk.syncFolder(this.#shardFolder(hash));
    if (previous) {
      await rm(this.#path(hash, previous.revision, 'json'), { force: true });
      if (previous.dataRevision !== entry.dataRevision) {
        await rm(this.#path(hash, previous.dataRevision, 'data'), { force: true });
      }
    }
    this.#changed();
    return entry;
  }

  /**
   * Deletes the objects among `keys` for which `stillMeant` holds, and returns how many those were. They are gone for
   * good when it returns.
   */
  async delete(keys: readonly string[], stillMeant: (entry: Entry) => boolean = () => true): Promise<number> {
    const touched = new Set<string>();
    let deleted = 0;
    for (const key of keys) {
      await this.#inTurn(key, async () => {
        const entry = this.#entries.get(key);
        if (!entry || !stillMeant(entry)) return;
        const hash = hashOf(key);
        await rm(this.#path(hash, entry.revision, 'json'), { force: true });
        this.#entries.delete(key);
        this.#sorted.delete(key);
        touched.add(this.#shardFolder(hash));
        deleted++;
        await rm(this.#path(hash, entry.dataRevision, 'data'), { force: true });
        this.#changed();
      });
    }
    for (const folder of touched) await this.disk.syncFolder(folder);
    return deleted;
  }

  /** Opens the bytes of `entry`, the object a moment ago; with the object it is now when it was replaced meanwhile. */
  async openData(entry: Entry): Promise<{ entry: Entry; file: FileHandle }> {
    for (let current = entry, attempt = 0; ; attempt++) {
      try {
        const file = await open(this.#path(hashOf(current.key), current.dataRevision, 'data'));
        const { size } = await file.stat();
        if (size === current.bytes) return { entry: current, file };
        await file.close();
        throw new Error('A stored object does not have its size');
      } catch (error) {
        const now = this.existing(entry.key);
        if (now.dataRevision === current.dataRevision || attempt > 5) throw error;
        current = now;
      }
    }
  }

  /** A temporary file with the bytes of `entry`: a second name for the same, which never change, where possible. */
  async copyData(entry: Entry): Promise<string> {
    const temporary = this.disk.temporary();
    const data = this.#path(hashOf(entry.key), entry.dataRevision, 'data');
    try {
      await link(data, temporary);
    } catch {
      if (this.#entries.get(entry.key)?.dataRevision !== entry.dataRevision) throw new S3Error('NoSuchKey');
      await copyFile(data, temporary);
    }
    return temporary;
  }

  /** Marks an empty bucket as going away, after which nothing is written to it. Throws `BucketNotEmpty`. */
  retire(): void {
    if (this.#entries.size > 0 || this.#writing > 0) throw new S3Error('BucketNotEmpty');
    this.#removed = true;
  }

  #changed(count = 1): void {
    this.#changesSinceSnapshot += count;
    if (this.#changesSinceSnapshot < Math.max(1000, this.#entries.size / 5) || this.#snapshotting) return;
    this.#snapshotting = this.#writeSnapshot().finally(() => {
      this.#snapshotting = undefined;
    });
  }

  async #writeSnapshot(): Promise<void> {
    this.#changesSinceSnapshot = 0;
    try {
      await writeSnapshot(this.folder, this.#entries.values(), this.disk);
    } catch (error) {
      this.log.warn({ error }, 'the index of a bucket could not be written; the next start reads its objects');
    }
  }

  /** Waits for changes under way and writes the index, so that the next start is quick. */
  async close(): Promise<void> {
    await Promise.all(this.#turns.values());
    await this.#snapshotting;
    if (this.#changesSinceSnapshot > 0 && !this.#removed) await this.#writeSnapshot();
  }
}

/**
 * The folder of the embedded S3 server.
 *
 *   lock.N                     who serves it, see folder-lock.ts
 *   temporary/                 unfinished files; emptied at each start
 *   buckets/NAME/bucket.json   since when it exists
 *                lifecycle.json  its lifecycle rules, when it has some
 *                index.jsonl     a saving, see snapshot.ts
 *                objects/hh/     see entry.ts
 *   uploads/ID/                multipart uploads, see multipart.ts
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import { Bucket } from './bucket.js';
import { Disk, readIfThere } from './disk.js';
import { S3Error } from './errors.js';
import { lockFolder } from './folder-lock.js';
import { parseRules, type Rule } from './lifecycle.js';
import { Uploads } from './multipart.js';
import { shards } from './snapshot.js';

export interface StoreOptions {
  folder: string;
  clock: Clock;
  log: Log;
  fsync: boolean;
}

export class Store {
  readonly #buckets = new Map<string, Bucket>();
  readonly #rules = new Map<string, Rule[]>();
  readonly #folder: string;

  private constructor(
    private readonly options: StoreOptions,
    readonly disk: Disk,
    readonly uploads: Uploads,
    private readonly unlock: () => Promise<void>,
  ) {
    this.#folder = join(options.folder, 'buckets');
  }

  /** Opens the folder, making it when missing. Throws when another server has it. */
  static async open(options: StoreOptions): Promise<Store> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const unlock = await lockFolder(options.folder);
    try {
      const temporary = join(options.folder, 'temporary');
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary);
      await mkdir(join(options.folder, 'buckets'), { recursive: true });
      const disk = new Disk(temporary, options.fsync);
      const uploads = await Uploads.open(join(options.folder, 'uploads'), disk, options.clock);
      await disk.syncFolder(options.folder);
      const store = new Store(options, disk, uploads, unlock);
      for (const name of await readdir(store.#folder)) await store.#load(name);
      return store;
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  async #load(name: string): Promise<void> {
    const folder = join(this.#folder, name);
    const description = await readIfThere(join(folder, 'bucket.json'));
    if (description === undefined) return;
    const { createdAt } = JSON.parse(description) as { createdAt: string };
    const { clock, log } = this.options;
    this.#buckets.set(name, await Bucket.open(name, folder, new Date(createdAt), this.disk, clock, log));
    const rules = await readIfThere(join(folder, 'lifecycle.json'));
    if (rules !== undefined) this.#rules.set(name, parseRules(rules));
  }

  get buckets(): Bucket[] {
    return [...this.#buckets.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** The bucket, or `NoSuchBucket`. */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket) throw new S3Error('NoSuchBucket');
    return bucket;
  }

  /** Makes a bucket: prepared aside and named in one step. */
  async createBucket(name: string): Promise<void> {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) throw new S3Error('InvalidBucketName');
    if (this.#buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou');
    const aside = this.disk.temporary();
    const createdAt = this.options.clock.now();
    await mkdir(aside);
    await writeFile(join(aside, 'bucket.json'), JSON.stringify({ createdAt: createdAt.toISOString() }), {
      flush: this.disk.fsync,
    });
    await mkdir(join(aside, 'objects'));
    for (const shard of shards) await mkdir(join(aside, 'objects', shard));
    await this.disk.syncFolder(join(aside, 'objects'));
    await this.disk.syncFolder(aside);
    if (this.#buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou');
    await rename(aside, join(this.#folder, name)).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ENOTEMPTY' || code === 'EEXIST' ? new S3Error('BucketAlreadyOwnedByYou') : error;
    });
    await this.disk.syncFolder(this.#folder);
    await this.#load(name);
  }

  /** Removes an empty bucket, with its rules and unfinished uploads. Throws `BucketNotEmpty`. */
  async deleteBucket(name: string): Promise<void> {
    const bucket = this.bucket(name);
    bucket.retire();
    this.#buckets.delete(name);
    this.#rules.delete(name);
    const aside = join(this.disk.temporaryFolder, randomUUID());
    await rename(bucket.folder, aside);
    await this.disk.syncFolder(this.#folder);
    await bucket.close();
    await this.uploads.abortAll(name);
    await rm(aside, { recursive: true, force: true });
  }

  /** The lifecycle rules of a bucket; none means that none were ever put, or that they were deleted. */
  rules(name: string): Rule[] {
    return this.#rules.get(name) ?? [];
  }

  async setRules(name: string, rules: Rule[]): Promise<void> {
    const { folder } = this.bucket(name);
    await this.disk.replace(folder, 'lifecycle.json', JSON.stringify(rules));
    this.#rules.set(name, rules);
  }

  /** Lets changes under way end, writes the indexes, lets go of the folder. */
  async close(): Promise<void> {
    for (const bucket of this.#buckets.values()) await bucket.close();
    await this.unlock();
  }
}

/**
 * Multipart uploads. Each is a folder: `upload.json`, and its parts as `NUMBER.MD5.BYTES.part`, so that a part and
 * what is known of it appear in one step. Source: S3 API Reference, CreateMultipartUpload and its fellows.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../clock.js';
import type { Disk } from './disk.js';
import { readIfThere } from './disk.js';
import type { NewEntry } from './entry.js';
import { S3Error } from './errors.js';

export const minPartBytes = 5 * 1024 * 1024;

export interface Upload {
  id: string;
  bucket: string;
  key: string;
  /** By the clock given to the server. */
  startedAtMs: number;
  contentType: string;
  headers: Record<string, string>;
  tags: Record<string, string>;
}

export interface Part {
  number: number;
  /** Hex. */
  md5: string;
  bytes: number;
}

function parsePart(name: string): Part | undefined {
  const found = /^(\d+)\.([0-9a-f]{32})\.(\d+)\.part$/.exec(name);
  return found ? { number: Number(found[1]), md5: found[2] ?? '', bytes: Number(found[3]) } : undefined;
}

function partName({ number, md5, bytes }: Part): string {
  return `${number}.${md5}.${bytes}.part`;
}

export class Uploads {
  readonly #uploads = new Map<string, Upload>();

  private constructor(
    private readonly folder: string,
    private readonly disk: Disk,
    private readonly clock: Clock,
  ) {}

  static async open(folder: string, disk: Disk, clock: Clock): Promise<Uploads> {
    await mkdir(folder, { recursive: true });
    const uploads = new Uploads(folder, disk, clock);
    for (const id of await readdir(folder)) {
      const description = await readIfThere(join(folder, id, 'upload.json'));
      if (description === undefined) await rm(join(folder, id), { recursive: true, force: true });
      else uploads.#uploads.set(id, JSON.parse(description) as Upload);
    }
    return uploads;
  }

  async start(upload: Omit<Upload, 'id' | 'startedAtMs'>): Promise<Upload> {
    const whole: Upload = { ...upload, id: randomUUID(), startedAtMs: this.clock.now().getTime() };
    const folder = join(this.folder, whole.id);
    await mkdir(folder);
    await this.disk.replace(folder, 'upload.json', JSON.stringify(whole));
    await this.disk.syncFolder(this.folder);
    this.#uploads.set(whole.id, whole);
    return whole;
  }

  /** The upload of this id for this key, or `NoSuchUpload`. */
  existing(id: string, bucket: string, key: string): Upload {
    const upload = this.#uploads.get(id);
    if (!upload || upload.bucket !== bucket || upload.key !== key) throw new S3Error('NoSuchUpload');
    return upload;
  }

  /** Uploads of a bucket, by key and then by start. */
  of(bucket: string): Upload[] {
    return [...this.#uploads.values()]
      .filter((upload) => upload.bucket === bucket)
      .sort((a, b) =>
        a.key === b.key ? a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1) : a.key < b.key ? -1 : 1,
      );
  }

  /** Makes the file at `temporary`, already on disk, a part. The file is gone afterwards, come what may. */
  async addPart(upload: Upload, part: Part, temporary: string): Promise<void> {
    const folder = join(this.folder, upload.id);
    try {
      if (!this.#uploads.has(upload.id)) throw new S3Error('NoSuchUpload');
      await rename(temporary, join(folder, partName(part)));
      await this.disk.syncFolder(folder);
      for (const name of await readdir(folder)) {
        if (parsePart(name)?.number === part.number && name !== partName(part))
          await rm(join(folder, name), { force: true });
      }
    } catch (error) {
      throw this.#uploads.has(upload.id) ? error : new S3Error('NoSuchUpload');
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** The parts there are, by number. */
  async parts(upload: Upload): Promise<Part[]> {
    const names = await readdir(join(this.folder, upload.id)).catch(() => []);
    return names
      .map(parsePart)
      .filter((part) => part !== undefined)
      .sort((left, right) => left.number - right.number);
  }

  /** Puts the parts `asked` for together in a temporary file, on disk, with what is known of the object they make. */
  async assemble(
    upload: Upload,
    asked: { number: number; etag: string }[],
  ): Promise<{ entry: NewEntry; temporary: string }> {
    if (asked.some(({ number }, at) => number <= (asked[at - 1]?.number ?? 0))) throw new S3Error('InvalidPartOrder');
    const there = await this.parts(upload);
    const parts = asked.map(({ number, etag }, at) => {
      const part = there.find((each) => each.number === number && each.md5 === etag.replaceAll('"', ''));
      if (!part) throw new S3Error('InvalidPart');
      if (at < asked.length - 1 && part.bytes < minPartBytes) throw new S3Error('EntityTooSmall');
      return part;
    });
    if (parts.length === 0) throw new S3Error('MalformedXML');
    const digests = createHash('md5');
    for (const part of parts) digests.update(Buffer.from(part.md5, 'hex'));
    const temporary = this.disk.temporary();
    try {
      for (const part of parts) {
        const source = createReadStream(join(this.folder, upload.id, partName(part)), { highWaterMark: 1 << 20 });
        await pipeline(source, createWriteStream(temporary, { flags: 'a' }));
      }
      const handle = await open(temporary);
      try {
        if (this.disk.fsync) await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      await rm(temporary, { force: true });
      throw this.#uploads.has(upload.id) ? error : new S3Error('NoSuchUpload');
    }
    const { key, contentType, headers, tags } = upload;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const etag = `"${digests.digest('hex')}-${parts.length}"`;
    return { entry: { key, contentType, headers, tags, bytes, etag, checksum: {} }, temporary };
  }

  /** Forgets an upload and its parts. */
  async remove(upload: Upload): Promise<void> {
    this.#uploads.delete(upload.id);
    const aside = this.disk.temporary();
    await rename(join(this.folder, upload.id), aside).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    await this.disk.syncFolder(this.folder);
    await rm(aside, { recursive: true, force: true });
  }

  async abortAll(bucket: string): Promise<void> {
    for (const upload of this.of(bucket)) await this.remove(upload);
  }
}

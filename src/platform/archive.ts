import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/**
 * Zip files (PKWARE APPNOTE 6.3.10), written as they stream by: stored, not compressed, since audio does not shrink; zip64
 * where sizes or places ask for it; memory does not grow with what is put in. Each entry's header is completed once its
 * bytes are there, so that readers of every kind take it: many refuse stored entries whose sizes come only afterwards.
 */
export interface Archive {
  /**
   * Adds a file of `bytes` bytes and says what they were. One at a time.
   * @throws Error when the source holds more or fewer
   */
  add(name: string, source: AsyncIterable<Uint8Array> | Uint8Array, bytes: number, mode?: number): Promise<Digests>;
  /** Writes the directory and waits until all of it is on disk. @returns the size of the archive */
  finish(): Promise<number>;
  /** Gives up and removes the file. Harmless after `finish`, which leaves it be. */
  discard(): Promise<void>;
}

/** Digests in hex. */
export interface Digests {
  bytes: number;
  sha256: string;
  sha512: string;
}

interface Entry {
  name: Buffer;
  crc: number;
  bytes: number;
  offset: number;
  mode: number;
}

const limit32 = 0xffffffff;
const limit16 = 0xffff;
const utf8Names = 0x0800;
const madeByUnix = 0x032d; // Unix, specification 4.5

/** MS-DOS date and time, which begin in 1980; of UTC, so that a package made twice is the same. */
function dosTime(instant: Date): { date: number; time: number } {
  const at = new Date(Math.max(instant.getTime(), Date.UTC(1980, 0, 1)));
  return {
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
  };
}

/** The extended information field (APPNOTE 4.5.3) with these 64-bit values; nothing when there are none. */
function zip64Field(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, index) => field.writeBigUInt64LE(BigInt(value), 4 + 8 * index));
  return field;
}

/**
 * Begins an archive in a new file. `at` stands on every entry. Sizes and places from `zip64From` on (4 GiB) are written as
 * zip64, with fewer than that only to try readers. @throws EEXIST when the file is there
 */
export async function createArchive(
  file: string, at: Date, signal?: AbortSignal, zip64From = limit32,
): Promise<Archive> {
  return new ZipFile(file, await open(file, 'wx', 0o600), dosTime(at), signal, zip64From);
}

/** Bytes that hold no more memory than themselves: a small Buffer keeps the whole of the pool it is cut from. */
function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

class ZipFile implements Archive {
  readonly #entries: Entry[] = [];
  #offset = 0;
  #open = true;

  constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
    private readonly at: { date: number; time: number },
    private readonly signal: AbortSignal | undefined,
    private readonly zip64From: number,
  ) {}

  async add(
    name: string, source: AsyncIterable<Uint8Array> | Uint8Array, bytes: number, mode = 0o644,
  ): Promise<Digests> {
    const entry: Entry = { name: ownBytes(name), crc: 0, bytes, offset: this.#offset, mode };
    const headerBytes = this.#localHeader(entry).length;
    this.#offset += headerBytes;
    const sha256 = createHash('sha256');
    const sha512 = createHash('sha512');
    const end = this.#offset + bytes;
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      this.signal?.throwIfAborted();
      if (this.#offset + chunk.length > end) throw new Error('There is more to be archived than was announced');
      const written = this.#write(chunk, this.#offset);
      entry.crc = crc32(chunk, entry.crc);
      sha256.update(chunk);
      sha512.update(chunk);
      this.#offset += chunk.length;
      await written;
    }
    if (this.#offset !== end) throw new Error('There is less to be archived than was announced');
    await this.#write(this.#localHeader(entry), entry.offset);
    this.#entries.push(entry);
    return { bytes, sha256: sha256.digest('hex'), sha512: sha512.digest('hex') };
  }

  async finish(): Promise<number> {
    const start = this.#offset;
    for (const entry of this.#entries) await this.#append(this.#directoryEntry(entry));
    await this.#append(this.#endOfDirectory(start, this.#offset - start));
    await this.handle.sync();
    await this.#close();
    return this.#offset;
  }

  async discard(): Promise<void> {
    if (!this.#open) return;
    await this.#close();
    await rm(this.file, { force: true });
  }

  async #close(): Promise<void> {
    this.#open = false;
    await this.handle.close();
  }

  async #append(bytes: Buffer): Promise<void> {
    await this.#write(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; )
      done += (await this.handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }

  #isLarge(value: number): boolean {
    return value >= this.zip64From;
  }

  /** What stands in a field of 32 bits: the value, or that it is told in 64. */
  #field(value: number): number {
    return this.#isLarge(value) ? limit32 : value;
  }

  #localHeader({ name, crc, bytes }: Entry): Buffer {
    const extra = zip64Field(this.#isLarge(bytes) ? [bytes, bytes] : []);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(extra.length > 0 ? 45 : 20, 4);
    header.writeUInt16LE(utf8Names, 6);
    header.writeUInt16LE(this.at.time, 10);
    header.writeUInt16LE(this.at.date, 12);
    header.writeUInt32LE(crc, 14);
    header.writeUInt32LE(this.#field(bytes), 18);
    header.writeUInt32LE(this.#field(bytes), 22);
    header.writeUInt16LE(name.length, 26);
    header.writeUInt16LE(extra.length, 28);
    return Buffer.concat([header, name, extra]);
  }

  #directoryEntry({ name, crc, bytes, offset, mode }: Entry): Buffer {
    const extra = zip64Field([
      ...(this.#isLarge(bytes) ? [bytes, bytes] : []), ...(this.#isLarge(offset) ? [offset] : []),
    ]);
    const header = Buffer.alloc(46);
    header.writeUInt32LE(0x02014b50, 0);
    header.writeUInt16LE(madeByUnix, 4);
    header.writeUInt16LE(extra.length > 0 ? 45 : 20, 6);
    header.writeUInt16LE(utf8Names, 8);
    header.writeUInt16LE(this.at.time, 12);
    header.writeUInt16LE(this.at.date, 14);
    header.writeUInt32LE(crc, 16);
    header.writeUInt32LE(this.#field(bytes), 20);
    header.writeUInt32LE(this.#field(bytes), 24);
    header.writeUInt16LE(name.length, 28);
    header.writeUInt16LE(extra.length, 30);
    header.writeUInt32LE(((0o100000 | mode) << 16) >>> 0, 38);
    header.writeUInt32LE(this.#field(offset), 42);
    return Buffer.concat([header, name, extra]);
  }

  #endOfDirectory(start: number, bytes: number): Buffer {
    const count = this.#entries.length;
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(Math.min(count, limit16), 8);
    end.writeUInt16LE(Math.min(count, limit16), 10);
    end.writeUInt32LE(this.#field(bytes), 12);
    end.writeUInt32LE(this.#field(start), 16);
    if (count < limit16 && !this.#isLarge(bytes) && !this.#isLarge(start)) return end;
    const zip64 = Buffer.alloc(56);
    zip64.writeUInt32LE(0x06064b50, 0);
    zip64.writeBigUInt64LE(44n, 4);
    zip64.writeUInt16LE(madeByUnix, 12);
    zip64.writeUInt16LE(45, 14);
    zip64.writeBigUInt64LE(BigInt(count), 24);
    zip64.writeBigUInt64LE(BigInt(count), 32);
    zip64.writeBigUInt64LE(BigInt(bytes), 40);
    zip64.writeBigUInt64LE(BigInt(start), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(start + bytes), 8);
    locator.writeUInt32LE(1, 16);
    return Buffer.concat([zip64, locator, end]);
  }
}

import { open, type FileHandle } from 'node:fs/promises';
import { notAudio } from './recognised.js';

/** Reads come in windows of this size, so that walking through small frames costs few system calls. */
const windowBytes = 16 * 1024;

/** All that one recognition may read. Real files need far less; a hostile one ends here. */
const budgetBytes = 64 * 1024 * 1024;

/** A file of which small parts are read, with a bound on memory and on the total read. */
export class AudioFile {
  readonly size: number;
  readonly #content: FileHandle | Buffer;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  #spentBytes = 0;

  private constructor(content: FileHandle | Buffer, size: number) {
    this.#content = content;
    this.size = size;
  }

  /** `content` is a path, or the bytes themselves. */
  static async open(content: string | Buffer): Promise<AudioFile> {
    if (typeof content !== 'string') return new AudioFile(content, content.length);
    const handle = await open(content, 'r');
    try {
      return new AudioFile(handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Up to `length` bytes (at most 64 KiB) from `offset`: fewer at the end of the file, none beyond it. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (length > 64 * 1024) throw new RangeError('read in smaller parts');
    const end = Math.min(offset + length, this.size);
    if (!(offset >= 0) || end <= offset) return Buffer.alloc(0);
    if (offset < this.#windowAt || end > this.#windowAt + this.#window.length) await this.#load(offset, length);
    return this.#window.subarray(offset - this.#windowAt, end - this.#windowAt);
  }

  async close(): Promise<void> {
    if (!Buffer.isBuffer(this.#content)) await this.#content.close();
  }

  async #load(offset: number, length: number): Promise<void> {
    const wanted = Math.max(length, windowBytes);
    this.#spentBytes += wanted;
    if (this.#spentBytes > budgetBytes) throw notAudio('too scattered to be read');
    if (Buffer.isBuffer(this.#content)) {
      this.#window = this.#content.subarray(offset, offset + wanted);
      this.#windowAt = offset;
      return;
    }
    const buffer = Buffer.alloc(Math.min(wanted, this.size - offset));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#content.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#window = buffer.subarray(0, filled);
    this.#windowAt = offset;
  }
}

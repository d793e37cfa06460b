import { open, type FileHandle } from 'node:fs/promises';
import { notAudio } from './recognised.js';

/** Reads come in windows of this size, so that walking through small frames costs few system calls. */
const windowBytes = 16 * 1024;

/** All that one recognition may read. Real files need far less; a hostile one ends here. */
const budgetBytes = 64 * 1024 * 1024;

/** A file of which small parts are read, with a bound on memory and on the total read. */
export class AudioFile {
  readonly size: number;
  readonly #handle: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  #spentBytes = 0;

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  static async open(path: string): Promise<AudioFile> {
    const handle = await open(path, 'r');
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
    await this.#handle.close();
  }

  async #load(offset: number, length: number): Promise<void> {
    const wanted = Math.max(length, windowBytes);
    this.#spentBytes += wanted;
    if (this.#spentBytes > budgetBytes) throw notAudio('too scattered to be read');
    const buffer = Buffer.alloc(Math.min(wanted, this.size - offset));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#window = buffer.subarray(0, filled);
    this.#windowAt = offset;
  }
}

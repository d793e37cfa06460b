import { Writable } from 'node:stream';

/** What the decoder says of the samples that follow. */
export interface PcmFormat {
  channels: number;
  sampleRateHz: number;
}

/** Longer than any header ffmpeg writes. */
const maxHeaderBytes = 4096;

/**
 * Takes a WAV stream of 16-bit samples and hands on whole frames of them. The sizes in the header mean nothing on a
 * pipe; its channel count and rate are those of the sound as it was really decoded, whatever the source's header said.
 */
export class PcmSink extends Writable {
  readonly #begin: (format: PcmFormat) => (samples: Int16Array) => void;
  #take: ((samples: Int16Array) => void) | undefined;
  #frameBytes = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** `begin` is called once with the format; what it returns gets the samples, interleaved, valid during the call. */
  constructor(begin: (format: PcmFormat) => (samples: Int16Array) => void) {
    super({ emitClose: false, highWaterMark: 1024 * 1024 });
    this.#begin = begin;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    try {
      let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      if (this.#take === undefined) bytes = this.#readHeader(bytes);
      if (this.#take !== undefined) bytes = this.#hand(bytes, this.#take);
      this.#rest = Buffer.from(bytes);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error('decoded sound could not be taken', { cause: error }));
    }
  }

  #readHeader(bytes: Buffer): Buffer {
    let at = 12;
    let format: PcmFormat | undefined;
    while (at + 8 <= bytes.length) {
      const id = bytes.toString('latin1', at, at + 4);
      const size = bytes.readUInt32LE(at + 4);
      if (id === 'data' && format !== undefined) {
        this.#frameBytes = 2 * format.channels;
        this.#take = this.#begin(format);
        return bytes.subarray(at + 8);
      }
      if (id === 'fmt ' && at + 16 <= bytes.length) {
        format = { channels: bytes.readUInt16LE(at + 10), sampleRateHz: bytes.readUInt32LE(at + 12) };
      }
      at += 8 + size + (size % 2);
    }
    if (bytes.length > maxHeaderBytes) throw new Error('the decoder sent no WAV header');
    return bytes;
  }

  #hand(bytes: Buffer, take: (samples: Int16Array) => void): Buffer {
    const whole = bytes.length - (bytes.length % this.#frameBytes);
    // Samples must lie on even addresses to be viewed as such; a fresh Uint8Array begins on one.
    const view = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
    if (whole > 0) take(new Int16Array(view.buffer, view.byteOffset, whole / 2));
    return bytes.subarray(whole);
  }
}

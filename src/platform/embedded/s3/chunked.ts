/**
 * `Content-Encoding: aws-chunked`: a body in chunks that may each be signed, with checksums in a trailer.
 * Source: S3 API Reference, "Signature calculations for the Authorization header: Transferring payload in multiple
 * chunks", and the same "including trailing headers".
 */
import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { S3Error } from './errors.js';
import type { SignatureChain } from './signature.js';

const maxLineBytes = 8 * 1024;

type State = 'size' | 'bytes' | 'end of chunk' | 'trailer' | 'done';

export class ChunkedDecoder extends Transform {
  /** Header fields that came after the body, in lower case. */
  readonly trailer: Record<string, string> = {};

  #state: State = 'size';
  #kept: Buffer = Buffer.alloc(0);
  #missing = 0;
  #signature = '';
  #sha256: Hash | undefined;
  #signedTrailer = '';

  /** `chain` checks the signatures of chunks and trailer; without it they are not signed. */
  constructor(private readonly chain: SignatureChain | undefined) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#kept = this.#read(this.#kept.length > 0 ? Buffer.concat([this.#kept, chunk]) : chunk);
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _flush(callback: TransformCallback): void {
    callback(this.#state === 'done' ? null : new S3Error('IncompleteBody'));
  }

  /** Reads as far as `input` goes and returns what is left of it. */
  #read(input: Buffer): Buffer {
    let rest = input;
    while (rest.length > 0) {
      if (this.#state === 'bytes') {
        const bytes = rest.subarray(0, this.#missing);
        this.#sha256?.update(bytes);
        this.push(bytes);
        this.#missing -= bytes.length;
        rest = rest.subarray(bytes.length);
        if (this.#missing === 0) this.#endOfBytes();
        continue;
      }
      const end = rest.indexOf('\r\n');
      if (end < 0) {
        if (rest.length > maxLineBytes) throw new S3Error('InvalidRequest');
        return rest;
      }
      this.#line(rest.subarray(0, end).toString('latin1'));
      rest = rest.subarray(end + 2);
    }
    return rest;
  }

  #line(line: string): void {
    if (this.#state === 'size') this.#startChunk(line);
    else if (this.#state === 'end of chunk' && line === '') this.#state = 'size';
    else if (this.#state === 'trailer') this.#trailerLine(line);
    else throw new S3Error('InvalidRequest');
  }

  #startChunk(line: string): void {
    const found = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
    if (!found) throw new S3Error('InvalidRequest');
    this.#missing = parseInt(found[1] ?? '', 16);
    this.#signature = found[2] ?? '';
    this.#sha256 = this.chain ? createHash('sha256') : undefined;
    if (this.#missing > 0) {
      this.#state = 'bytes';
      return;
    }
    this.#checkChunk();
    this.#state = 'trailer';
  }

  #endOfBytes(): void {
    this.#checkChunk();
    this.#state = 'end of chunk';
  }

  #checkChunk(): void {
    if (this.#sha256) this.chain?.checkChunk(this.#sha256.digest('hex'), this.#signature);
  }

  #trailerLine(line: string): void {
    if (line === '') {
      const names = Object.keys(this.trailer);
      if (this.chain && names.length > 0) this.chain.checkTrailer(this.#signedTrailer, this.#signature);
      this.#state = 'done';
      return;
    }
    const colon = line.indexOf(':');
    if (colon < 1 || Object.keys(this.trailer).length >= 20) throw new S3Error('MalformedTrailerError');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') {
      this.#signature = value;
      return;
    }
    this.trailer[name] = value;
    this.#signedTrailer += `${name}:${value}\n`;
  }
}

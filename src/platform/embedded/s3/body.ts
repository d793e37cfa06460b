/** Receives the body of a request, in constant memory, holding it against every digest that came with it. */
import { createHash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform, Writable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Call } from './call.js';
import { header } from './call.js';
import { checksumFor } from './checksums.js';
import { ChunkedDecoder } from './chunked.js';
import { S3Error } from './errors.js';

/** The most one PUT may carry. Source: S3 User Guide, "Amazon S3 multipart upload limits". */
const maxObjectBytes = 5 * 1024 ** 3;
const maxDocumentBytes = 2 * 1024 * 1024;

export interface ReceivedBody {
  bytes: number;
  /** Hex. */
  md5: string;
  /** The checksum header of the client's choice with its value, verified; empty when it chose none. */
  checksum: Record<string, string>;
}

const unsignedTrailer = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const signedChunks = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const signedTrailer = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';

/** How many bytes the headers announce. Throws `MissingContentLength` where a body comes without saying. */
function announcedBytes(request: IncomingMessage, decoded: boolean): number {
  const text = header(request, decoded ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined) {
    // Methods without a body send neither a length nor an encoding.
    if (!decoded && header(request, 'transfer-encoding') === undefined) return 0;
    throw new S3Error('MissingContentLength');
  }
  if (!/^\d{1,15}$/.test(text)) throw new S3Error('InvalidArgument');
  return Number(text);
}

/** The name of the checksum header this request carries or announces in its trailer. */
function checksumName(request: IncomingMessage): string | undefined {
  const announced = header(request, 'x-amz-trailer')?.trim().toLowerCase();
  const values = Object.keys(request.headers).filter((name) => /^x-amz-checksum-(crc|sha)[0-9a-z]+$/.test(name));
  if (values.length > 1 || (values.length === 1 && announced?.startsWith('x-amz-checksum-'))) {
    throw new S3Error('InvalidRequest', 'One checksum at a time.');
  }
  return announced?.startsWith('x-amz-checksum-') ? announced : values[0];
}

/**
 * Like `pipeline`, but leaves `request` open when a later step fails, so that the client can still be told why.
 * Rejects when the client hangs up.
 */
async function pump(request: IncomingMessage, first: Duplex, ...steps: (Duplex | Writable)[]): Promise<void> {
  const hungUp = (): void => {
    if (!request.readableEnded) first.destroy(new S3Error('IncompleteBody'));
  };
  request.once('error', hungUp);
  request.once('close', hungUp);
  if (request.destroyed) hungUp();
  try {
    request.pipe(first);
    await pipeline([first, ...steps]);
  } finally {
    request.unpipe(first);
    request.off('close', hungUp);
  }
}

/** `open` gives what it is written to, and is asked only for a body that may come. */
async function receive({ request, response, signed }: Call, open: () => Writable, maxBytes: number): Promise<ReceivedBody> {
  const { payload } = signed;
  const chunked = [unsignedTrailer, signedChunks, signedTrailer].includes(payload);
  const plain = payload === 'UNSIGNED-PAYLOAD' || /^[0-9a-f]{64}$/.test(payload);
  if (!chunked && !plain) throw new S3Error(payload.startsWith('STREAMING-') ? 'NotImplemented' : 'InvalidArgument');
  const announced = announcedBytes(request, chunked);
  if (announced > maxBytes) throw new S3Error('EntityTooLarge');
  const wantedMd5 = header(request, 'content-md5');
  if (wantedMd5 !== undefined && Buffer.from(wantedMd5, 'base64').length !== 16) throw new S3Error('InvalidDigest');
  const name = checksumName(request);
  const checksum = name === undefined ? undefined : checksumFor(name);
  if (name !== undefined && !checksum) throw new S3Error('NotImplemented', 'This checksum is not known here.');

  const md5 = createHash('md5');
  const sha256 = plain && payload !== 'UNSIGNED-PAYLOAD' ? createHash('sha256') : undefined;
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > announced) {
        callback(new S3Error('IncompleteBody'));
        return;
      }
      md5.update(chunk);
      sha256?.update(chunk);
      checksum?.update(chunk);
      callback(null, chunk);
    },
  });
  const decoder = chunked ? new ChunkedDecoder(payload === unsignedTrailer ? undefined : signed.chain) : undefined;
  // Only now, with who calls and what is to come known to be good, is a waiting client told to send.
  if (/100-continue/i.test(header(request, 'expect') ?? '')) response.writeContinue();
  if (decoder) await pump(request, decoder, measure, open());
  else await pump(request, measure, open());

  if (bytes !== announced) throw new S3Error('IncompleteBody');
  if (sha256 && sha256.digest('hex') !== payload) throw new S3Error('XAmzContentSHA256Mismatch');
  const digest = md5.digest();
  if (wantedMd5 !== undefined && wantedMd5 !== digest.toString('base64')) throw new S3Error('BadDigest');
  if (name === undefined || !checksum) return { bytes, md5: digest.toString('hex'), checksum: {} };
  const given = header(request, name) ?? decoder?.trailer[name];
  if (given === undefined) throw new S3Error('MalformedTrailerError');
  const value = checksum.digest();
  if (given !== value) throw new S3Error('BadDigest');
  return { bytes, md5: digest.toString('hex'), checksum: { [name]: value } };
}

/** Receives a body into a temporary file, on disk when this returns. Leaves nothing when it throws. */
export async function receiveFile(call: Call): Promise<ReceivedBody & { temporary: string }> {
  const { disk } = call.store;
  const temporary = disk.temporary();
  let file: WriteStream | undefined;
  const open = () => (file = createWriteStream(temporary, { flags: 'wx', flush: disk.fsync, highWaterMark: 1 << 18 }));
  try {
    return { ...(await receive(call, open, maxObjectBytes)), temporary };
  } catch (error) {
    // One that is still being opened would be there again after it was removed.
    if (file !== undefined) await closed(file);
    await rm(temporary, { force: true });
    throw error;
  }
}

async function closed(file: WriteStream): Promise<void> {
  if (file.closed) return;
  await new Promise<void>((resolve) => {
    file.once('close', resolve);
    file.on('error', () => undefined);
    file.destroy();
  });
}

/** Receives a small document, such as XML. Throws `EntityTooLarge` beyond 2 MiB. */
export async function receiveText(call: Call): Promise<string> {
  const chunks: Buffer[] = [];
  const memory = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  await receive(call, () => memory, maxDocumentBytes);
  return Buffer.concat(chunks).toString('utf8');
}

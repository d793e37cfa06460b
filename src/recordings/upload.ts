import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import type { Request } from 'express';
import { Problem } from '../platform/problem.js';
import { giveRoomBack, takeRoom } from './upload-memory.js';
import { inMemory, onDisk, type See } from './upload-place.js';

/**
 * Takes audio off the wire into a temporary file, or into bounded memory when it is small, hashing as it comes: memory
 * stays the same however large the file is, and the bytes can be looked at before anything is promised.
 */

/** A file that has come in whole. Whoever asked for it discards it. */
export interface Upload {
  /** The path of the temporary file, or the bytes themselves. */
  content: string | Buffer;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
  md5: string;
  /** As the client named it; undefined where it did not. Never trusted, never used as a path. */
  fileName: string | undefined;
}

export interface UploadLimits {
  folder: string;
  maxBytes: number;
}

/** Less free space than this, and nothing is taken: the database and the worker need room too. */
const reservedBytes = 256 * 1024 * 1024;
const staleMs = 24 * 3_600_000;

/** Makes the folder and clears what a process that died left in it. */
export async function prepareUploads(folder: string, olderThanMs = staleMs): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const facts = await stat(file).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > olderThanMs) await rm(file, { force: true });
  }
}

/** By folder, what uploads under way have announced and not yet written: space that is free, and taken. */
const promisedBytes = new Map<string, number>();

function promise(folder: string, bytes: number): void {
  promisedBytes.set(folder, Math.max(0, (promisedBytes.get(folder) ?? 0) + bytes));
}

/** What was free in a folder, and when it was asked: in a burst of small files asking costs more than it tells. */
const seenFree = new Map<string, { bytes: number; atMs: number }>();
const seenForMs = 100;

async function freeBytes(folder: string): Promise<number> {
  const seen = seenFree.get(folder);
  const atMs = performance.now();
  if (seen !== undefined && atMs - seen.atMs < seenForMs) return seen.bytes;
  const disk = await statfs(folder);
  const bytes = disk.bavail * disk.bsize;
  seenFree.set(folder, { bytes, atMs });
  return bytes;
}

/** @throws Problem `disk-low` when `bytes` more would not leave room for everything else and for uploads under way. */
async function requireSpace(folder: string, bytes: number): Promise<void> {
  const taken = bytes + reservedBytes + (promisedBytes.get(folder) ?? 0);
  if ((await freeBytes(folder)) < taken) throw new Problem('disk-low', { headers: { 'Retry-After': '60' } });
}

/** A body that announced no length, or a disk that others fill, is looked at again after as much. */
const lookAgainBytes = 16 * 1024 * 1024;

function announcedBytes(request: Request): number {
  const header = request.headers['content-length'];
  const bytes = header === undefined ? 0 : Number(header);
  return Number.isSafeInteger(bytes) ? bytes : 0;
}

/**
 * The body as a stream of its own. When taking it fails, only this copy is destroyed: the request itself is read on and
 * thrown away, so that the client, still sending, gets to see why it was refused.
 */
function bodyOf(request: Request): Readable {
  const body = new PassThrough();
  request.pipe(body);
  request.once('close', () => {
    if (!request.complete) body.destroy(new Problem('invalid-request', { detail: 'The body ended early.' }));
  });
  body.once('close', () => {
    request.unpipe(body);
    request.resume();
  });
  return body;
}

/**
 * Streams `source` into memory or a temporary file. Nothing is left behind when it fails.
 * @param announced how many bytes are expected; 0 when that is not known
 */
async function store(source: Readable, fileName: string | undefined, limits: UploadLimits, announced: number): Promise<Upload> {
  const room = takeRoom(announced);
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let bytes = 0;
  let lookAt = lookAgainBytes;
  let promised = room === undefined ? announced : 0;
  promise(limits.folder, promised);
  const measure: See = (piece) => {
    bytes += piece.length;
    if (bytes > limits.maxBytes) throw new Problem('too-large');
    sha256.update(piece);
    md5.update(piece);
    const kept = Math.min(promised, piece.length);
    promised -= kept;
    promise(limits.folder, -kept);
    if (bytes < lookAt) return undefined;
    lookAt = bytes + lookAgainBytes;
    return requireSpace(limits.folder, 0);
  };
  const place = room === undefined ? onDisk(limits.folder, measure) : inMemory(room, measure);
  try {
    await pipeline([source, ...place.steps]);
  } catch (error) {
    await discardContent(room ?? place.content(0));
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new Problem('disk-low', { cause: error });
    throw error;
  } finally {
    promise(limits.folder, -promised);
  }
  return { content: place.content(bytes), bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex'), fileName };
}

async function discardContent(content: string | Buffer): Promise<void> {
  if (typeof content === 'string') await rm(content, { force: true });
  else giveRoomBack(content);
}

/** Lets go of an upload, whatever became of it. Safe to repeat. */
export async function discardUpload(upload: Upload | undefined): Promise<void> {
  if (upload !== undefined) await discardContent(upload.content);
}

/**
 * Takes a raw body.
 * @throws Problem `too-large`, `disk-low`, `invalid-request` when the client went away
 */
export async function receiveRaw(request: Request, limits: UploadLimits): Promise<Upload> {
  if (announcedBytes(request) > limits.maxBytes) throw new Problem('too-large');
  await requireSpace(limits.folder, announcedBytes(request));
  return await store(bodyOf(request), undefined, limits, announcedBytes(request));
}

/** Takes a file that this service fetched itself. @throws Problem `too-large`, `disk-low` */
export async function receiveStream(source: Readable, fileName: string | undefined, limits: UploadLimits): Promise<Upload> {
  await requireSpace(limits.folder, 0);
  return await store(source, fileName, limits, 0);
}

/**
 * Takes a body that is text, whatever its Content-Type claims: UTF-8, or Windows-1252 where it is not.
 * @throws Problem `too-large`, `invalid-request` when the client went away
 */
export async function receiveText(request: Request, maxBytes: number): Promise<string> {
  if (announcedBytes(request) > maxBytes) throw new Problem('too-large');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Problem('too-large');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return new TextDecoder('windows-1252').decode(body);
  }
}

/** What came in a multipart body: at most one file, and text fields by name. */
export interface MultipartUpload {
  file: Upload | undefined;
  fields: Record<string, string>;
}

export interface MultipartOptions extends UploadLimits {
  /** Names of the parts that are files, with or without a file name and a type (rtpengine sends neither). */
  fileParts: readonly string[];
}

const maxFieldBytes = 256 * 1024;

/** A part with a file name is a file, except `metadata`, which some clients send as one. */
function multipartParser(request: Request, fileParts: readonly string[]) {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? '' },
      limits: { fieldSize: maxFieldBytes, fields: 100, parts: 110, fieldNameSize: 200 },
      isPartAFile: (name, _type, fileName) =>
        fileParts.includes(name ?? '') || (fileName !== undefined && name !== 'metadata'),
    });
  } catch {
    throw new Problem('invalid-request', { detail: 'The multipart body has no boundary.' });
  }
}

/** The parser complains with plain errors, the file system with coded ones: only the first are the client's fault. */
function readingFault(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || code === 'ERR_STREAM_PREMATURE_CLOSE'
    ? new Problem('invalid-request', { detail: 'The multipart body ended early or is malformed.', cause: error })
    : error;
}

/**
 * Takes a multipart body, its parts in any order.
 * @throws Problem `too-large`, `disk-low`, `invalid-request` when it is not multipart or ends early, `invalid-input` when
 * it holds several files
 */
export async function receiveMultipart(request: Request, options: MultipartOptions): Promise<MultipartUpload> {
  if (!/^multipart\/form-data\b/i.test(request.headers['content-type'] ?? ''))
    throw new Problem('unsupported-media-type', { detail: 'Send multipart/form-data.' });
  if (announcedBytes(request) > options.maxBytes + 16 * maxFieldBytes) throw new Problem('too-large');
  await requireSpace(options.folder, announcedBytes(request));

  const fields: Record<string, string> = {};
  const files: Promise<Upload>[] = [];
  let fault: Problem | undefined;
  const parser = multipartParser(request, options.fileParts);
  parser.on('file', (name, stream, fileName: string | undefined) => {
    // A part that is not ended errs on its own stream as well as on the parser; unheard it would end the process.
    stream.on('error', () => undefined);
    if (options.fileParts.includes(name) && files.length === 0) {
      const stored = store(stream, fileName, options, announcedBytes(request));
      // Its failure is seen below; here it only stops the rest of the body from being read.
      stored.catch((error: unknown) => parser.destroy(error as Error));
      files.push(stored);
      return;
    }
    fault ??= new Problem('invalid-input', { errors: [{ path: name.slice(0, 80), message: 'is a file that is not expected here' }] });
    stream.resume();
  });
  const tooMany = () => (fault ??= new Problem('too-large', { detail: 'The form has too many parts.' }));
  parser.on('fieldsLimit', tooMany).on('partsLimit', tooMany);
  parser.on('field', (name, value, nameCut, valueCut) => {
    if (nameCut || valueCut) fault ??= new Problem('too-large', { detail: 'A field is too long.' });
    else if (Object.hasOwn(fields, name)) fault ??= new Problem('invalid-input', { errors: [{ path: name.slice(0, 80), message: 'is given twice' }] });
    else fields[name] = value;
  });

  const outcome = await pipeline(bodyOf(request), parser).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const stored = await Promise.allSettled(files);
  const file = stored[0]?.status === 'fulfilled' ? stored[0].value : undefined;
  const failed = stored[0]?.status === 'rejected' ? (stored[0].reason as unknown) : outcome?.error;
  if (failed !== undefined || fault !== undefined) {
    await discardUpload(file);
    throw failed instanceof Problem ? failed : (fault ?? readingFault(failed));
  }
  return { file, fields };
}

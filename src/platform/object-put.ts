/** Storing bytes and proving it: whole or in parts, tried again where that may help, believed only when shown. */
import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './log.js';
import type {
  ObjectFacts,
  ObjectRead,
  PutOptions,
  ReadOptions,
  ProvedObject,
  StorageTraits,
  StoredObject,
} from './object-contract.js';
import { asProblem, isMissing, isPassing, isPreconditionRefusal } from './object-faults.js';
import { Problem } from './problem.js';

const attempts = 3;
const notWhatWasMeasured = 'The bytes to be stored are not the ones that were measured.';

export interface SendOptions {
  signal?: AbortSignal | undefined;
  ifAbsent?: boolean;
}

export interface PartToSend {
  /** From 1 on. */
  number: number;
  body: Readable | Buffer;
  bytes: number;
  /** Hex. */
  md5: string;
}

/** What storage answers to bytes that it took whole. */
export interface Sent {
  versionId?: string | undefined;
  etag?: string;
}

/** The single requests that storing is made of. Versions are undefined where the bucket keeps none. */
export interface PutRequests {
  readonly log: Log;
  readonly multipartAboveBytes: number;
  readonly partBytes: number;
  sendWhole(
    key: string,
    body: Readable | Buffer,
    facts: ObjectFacts,
    options: SendOptions,
  ): Promise<Sent>;
  beginParts(key: string, facts: ObjectFacts): Promise<string>;
  sendPart(key: string, uploadId: string, part: PartToSend, signal?: AbortSignal): Promise<string>;
  endParts(key: string, uploadId: string, etags: string[], options: SendOptions): Promise<string | undefined>;
  abortParts(key: string, uploadId: string): Promise<void>;
  head(key: string, versionId?: string, signal?: AbortSignal): Promise<StoredObject | undefined>;
  read(key: string, options: ReadOptions): Promise<ObjectRead | undefined>;
  tags(key: string, versionId?: string): Promise<Record<string, string> | undefined>;
  setTags(key: string, tags: Record<string, string>, versionId?: string): Promise<void>;
}

/** Where bytes come from, as often as they are needed; `end` is inclusive. */
export interface Source {
  open(start: number, end: number): Promise<Readable | Buffer>;
}

export function fileSource(path: string): Source {
  return {
    async open(start, end) {
      if (end < start) return Buffer.alloc(0);
      const file = await open(path); // before there is a stream, whose error nobody might be waiting for
      return file.createReadStream({ start, end, highWaterMark: 1 << 18 });
    },
  };
}

export function bytesSource(bytes: Buffer): Source {
  return { open: (start, end) => Promise.resolve(bytes.subarray(start, end + 1)) };
}

export function factsOf(bytes: Buffer, contentType: string, tags: Record<string, string>): ObjectFacts {
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest('hex');
  return { bytes: bytes.length, md5: digest('md5'), sha256: digest('sha256'), contentType, tags };
}

function sameTags(left: Record<string, string>, right: Record<string, string>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

/** Runs `ask` again after a passing fault, three times in all. */
async function insisting<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      signal?.throwIfAborted();
      return await ask();
    } catch (error) {
      if (signal?.aborted || attempt === attempts || !isPassing(error)) throw error;
      await pause(200 * 2 ** attempt, undefined, signal ? { signal } : {});
    }
  }
}

/** Opens bytes for one request and closes them after it, whatever happens; a read error ends the request. */
async function withBody<T>(
  source: Source,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
  send: (body: Readable | Buffer, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const body = await source.open(start, end);
  const failed = new AbortController();
  if (body instanceof Readable) body.on('error', (error) => failed.abort(error));
  try {
    return await send(body, signal ? AbortSignal.any([signal, failed.signal]) : failed.signal);
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error;
  } finally {
    if (body instanceof Readable) body.destroy();
  }
}

/**
 * Stores what `source` gives at `key` and proves it against `facts`. Throws `storage-unavailable`, or `conflict` when
 * `ifAbsent` and other bytes are there; then an object may be there that was not proved.
 */
export async function putProved(
  requests: PutRequests,
  traits: StorageTraits,
  key: string,
  source: Source,
  facts: ObjectFacts,
  { signal, ifAbsent = false }: PutOptions,
): Promise<ProvedObject> {
  const inParts = facts.bytes > requests.multipartAboveBytes;
  try {
    // Asked beforehand too: some servers take no notice of If-None-Match on parts, or where the bucket keeps versions.
    if (ifAbsent && (await requests.head(key, undefined, signal))) {
      throw Object.assign(new Error('There is an object already'), { name: 'PreconditionFailed' });
    }
    const sent: Sent = inParts
      ? { versionId: await sendInParts(requests, key, source, facts, { signal, ifAbsent }) }
      : await insisting(signal, () =>
          withBody(source, 0, facts.bytes - 1, signal, (body, both) =>
            requests.sendWhole(key, body, facts, { signal: both, ifAbsent }),
          ),
        );
    return await prove(requests, traits, key, facts, { ...sent, inParts, signal });
  } catch (error) {
    if (!isPreconditionRefusal(error)) throw asProblem(error, signal);
    // It may be our own: from an attempt whose answer was lost, or from before a crash.
    const there = await requests.head(key, undefined, signal);
    const isOurs = there?.bytes === facts.bytes && (there.sha256 === facts.sha256 || there.etag === facts.md5);
    if (!isOurs) throw new Problem('conflict', { cause: error });
    // Whose tags those are nobody knows.
    return prove(requests, { ...traits, keepsTags: false }, key, facts, { versionId: there.versionId, inParts, signal });
  }
}

async function sendInParts(
  requests: PutRequests,
  key: string,
  source: Source,
  facts: ObjectFacts,
  { signal, ifAbsent = false }: SendOptions,
): Promise<string | undefined> {
  const { partBytes, log } = requests;
  const uploadId = await requests.beginParts(key, facts);
  try {
    const etags: string[] = [];
    const whole = createHash('sha256');
    for (let start = 0; start < facts.bytes; start += partBytes) {
      const end = Math.min(start + partBytes, facts.bytes) - 1;
      const part = { number: etags.length + 1, bytes: end - start + 1, md5: await md5Of(source, start, end, whole) };
      const send = (body: Readable | Buffer, both: AbortSignal): Promise<string> =>
        requests.sendPart(key, uploadId, { ...part, body }, both);
      etags.push(await insisting(signal, () => withBody(source, start, end, signal, send)));
    }
    // No server checks an object of parts as a whole: this is where a file that is not the one measured is noticed.
    if (whole.digest('hex') !== facts.sha256) throw new Problem('storage-unavailable', { detail: notWhatWasMeasured });
    return await requests.endParts(key, uploadId, etags, { ifAbsent });
  } catch (error) {
    await requests.abortParts(key, uploadId).catch((failure: unknown) => {
      log.warn({ error: failure }, 'an upload in parts could not be aborted; the bucket rule will');
    });
    throw error;
  }
}

/** The MD5 of a part, in hex; its bytes go into `whole` too. */
async function md5Of(source: Source, start: number, end: number, whole: Hash): Promise<string> {
  const md5 = createHash('md5');
  const bytes = await source.open(start, end);
  for await (const chunk of bytes instanceof Readable ? bytes : [bytes]) {
    md5.update(chunk as Buffer);
    whole.update(chunk as Buffer);
  }
  return md5.digest('hex');
}

/**
 * Holds what storage says it has against what was sent. Where it checks bytes by itself, and answered a put with their digest
 * as entity tag, it has said so already; otherwise it is asked. Throws `storage-unavailable` when they differ.
 */
async function prove(
  requests: PutRequests,
  traits: StorageTraits,
  key: string,
  facts: ObjectFacts,
  { versionId, etag, inParts, signal }: Sent & { inParts: boolean; signal: AbortSignal | undefined },
): Promise<ProvedObject> {
  const isSaid = traits.checksBytes && traits.etagIsMd5 && !inParts && etag === facts.md5;
  const said = { key, ...(versionId === undefined ? {} : { versionId }), bytes: facts.bytes, etag: facts.md5 };
  const stored: ProvedObject | undefined = isSaid ? said : await requests.head(key, versionId, signal);
  const isPlainMd5 = traits.etagIsMd5 && !inParts && !stored?.etag.includes('-');
  if (!stored || stored.bytes !== facts.bytes || (isPlainMd5 && stored.etag !== facts.md5)) {
    throw new Problem('storage-unavailable', { detail: 'The storage does not have what was sent to it.' });
  }
  // Tags given when an upload in parts begins are dropped by some servers, and by a few those of a plain put.
  if (inParts || !traits.keepsTags) {
    const tags = await requests.tags(key, versionId);
    if (!tags || !sameTags(tags, facts.tags)) await tagProved(requests, key, facts.tags, versionId);
  }
  if (!traits.checksBytes && (await sha256Stored(requests, key, versionId, signal)) !== facts.sha256) {
    throw new Problem('storage-unavailable', { detail: 'The storage gives back other bytes than were sent to it.' });
  }
  return stored;
}

/** Replaces all tags of an object and reads them back. Throws `not-found` when there is no such object. */
export async function tagProved(
  requests: Pick<PutRequests, 'setTags' | 'tags'>,
  key: string,
  tags: Record<string, string>,
  versionId?: string,
): Promise<void> {
  try {
    await requests.setTags(key, tags, versionId);
  } catch (error) {
    throw isMissing(error) ? new Problem('not-found', { cause: error }) : asProblem(error);
  }
  const now = await requests.tags(key, versionId);
  if (!now) throw new Problem('not-found');
  if (!sameTags(now, tags)) {
    throw new Problem('storage-unavailable', { detail: 'The storage did not keep the tags.' });
  }
}

async function sha256Stored(
  requests: PutRequests,
  key: string,
  versionId: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const options = { ...(versionId === undefined ? {} : { versionId }), ...(signal ? { signal } : {}) };
  const found = await requests.read(key, options);
  if (!found) return undefined;
  const hash = createHash('sha256');
  try {
    for await (const chunk of found.body) hash.update(chunk as Buffer);
  } catch (error) {
    throw asProblem(error, signal);
  }
  return hash.digest('hex');
}

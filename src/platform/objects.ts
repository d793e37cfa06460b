/**
 * The object storage: any S3. What is put is proved to be there; what is deleted is deleted in every version.
 *
 * S3 servers differ more than they say. This asks only what they share, decides on error names and statuses alone,
 * and believes nothing that it can ask for: `prepare` finds out what this storage checks by itself.
 */
import { createHash, randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import * as s3 from '@aws-sdk/client-s3';
import type { Log } from './log.js';
import { asProblem, isDigestRefusal, isMissing, isPassing, isUnsupported, nameOf, statusOf } from './object-faults.js';
import { keepRule, readRule, writeRule, type LifecycleRule } from './object-lifecycle.js';
import { Problem } from './problem.js';

export type { LifecycleRule } from './object-lifecycle.js';

export interface ObjectStoreOptions {
  /** Undefined: Amazon's own. */
  endpoint?: string;
  region: string;
  bucket: string;
  /** Undefined: the client's own chain (environment, profile, instance role). */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  forcePathStyle: boolean;
  log: Log;
  /** Larger files go up in parts of `partBytes`. Defaults: 5 GiB, the most one PUT may carry, and 256 MiB. */
  multipartAboveBytes?: number;
  partBytes?: number;
}

/** What a caller knows of bytes before they are stored, and what storage must then agree with. */
export interface ObjectFacts {
  bytes: number;
  /** Hex. */
  md5: string;
  /** Hex. */
  sha256: string;
  contentType: string;
  tags: Record<string, string>;
}

export interface StoredObject {
  key: string;
  /** Where the bucket keeps versions. */
  versionId?: string;
  bytes: number;
  /** Without quotes. */
  etag: string;
  contentType: string;
  lastModified: Date;
  /** Hex, as noted by whoever stored it; undefined on objects that others made. */
  sha256?: string;
}

export interface ObjectRead {
  body: Readable;
  /** How many this answer holds. */
  bytes: number;
  /** How many the object has. */
  totalBytes: number;
  etag: string;
}

export interface ObjectVersion {
  key: string;
  versionId?: string;
  bytes: number;
  lastModified: Date;
  isLatest: boolean;
  isDeleteMarker: boolean;
}

/** What `prepare` found out about this storage. */
export interface StorageTraits {
  versioning: 'off' | 'on' | 'suspended' | 'unknown';
  objectLock: boolean;
  /** It refuses a body that does not have the Content-MD5 given. Where not, every put is read back. */
  checksBytes: boolean;
  /** The entity tag of a plain put is its MD5. */
  etagIsMd5: boolean;
}

/** Every method throws `storage-unavailable` when storage is away, full, too slow or refuses us. */
export interface Objects {
  /** Makes the bucket when it is missing and finds out what the storage does. To be awaited before the first put. */
  prepare(): Promise<StorageTraits>;
  /**
   * Stores the file at `path` and proves it: size, digest and tags as storage tells them, read back where storage
   * does not check. When it throws an object may be there. `ifAbsent`: throws `conflict` when other bytes are there.
   */
  putFile(key: string, path: string, facts: ObjectFacts, options?: PutOptions): Promise<StoredObject>;
  /** The same for bytes in memory. */
  putBytes(key: string, bytes: Buffer, contentType: string, tags: Record<string, string>, options?: PutOptions): Promise<StoredObject>;
  /** Undefined when there is no such object. `range` is inclusive; throws `range-not-satisfiable` when it lies outside. */
  read(key: string, options?: ReadOptions): Promise<ObjectRead | undefined>;
  head(key: string, versionId?: string): Promise<StoredObject | undefined>;
  /** Replaces all tags and reads them back. Throws `not-found` when there is no such object. */
  tag(key: string, tags: Record<string, string>, versionId?: string): Promise<void>;
  /** Undefined when there is no such object. */
  tags(key: string, versionId?: string): Promise<Record<string, string> | undefined>;
  /** Deletes every version and delete marker of each key. `error` is storage's own code; absent keys succeed. */
  deleteEveryVersion(keys: string[]): Promise<{ key: string; error?: string }[]>;
  /** Those of `keys` of which any version or delete marker is still there. */
  confirmAbsent(keys: string[]): Promise<string[]>;
  /** Every version and delete marker whose key begins with `prefix`. */
  list(prefix: string): AsyncIterable<ObjectVersion>;
  /** Aborts uploads in parts that never ended, those begun before `olderThan` when given; how many. */
  abortUploads(prefix: string, olderThan?: Date): Promise<number>;
  /** The bucket's lifecycle rules, or `unsupported` where the storage has none or does not let us see them. */
  lifecycle(): Promise<LifecycleRule[] | 'unsupported'>;
  /** Puts `rules` in place of those with the same ids, drops those in `retired`, keeps all others as they are. */
  putLifecycle(rules: LifecycleRule[], retired?: string[]): Promise<LifecycleRule[] | 'unsupported'>;
  /** Whether storage answers, within two seconds. */
  reachable(signal?: AbortSignal): Promise<void>;
  close(): void;
}

export interface PutOptions {
  signal?: AbortSignal;
  ifAbsent?: boolean;
}

export interface ReadOptions {
  range?: { start: number; end?: number };
  versionId?: string;
  signal?: AbortSignal;
}

const putAttempts = 3;
const reachableMs = 2000;
const atOnce = 8;
const deleteBatch = 1000;
const canaryFolder = 'canary/';
const ignore = (): void => undefined;
/** The client's own messages may quote keys, and go to the console when nobody takes them. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Where bytes come from, as often as they are needed; `end` is inclusive. */
interface Source {
  bytes: number;
  open(start: number, end: number): Promise<Readable | Buffer>;
}

function fileSource(path: string, bytes: number): Source {
  return {
    bytes,
    async open(start, end) {
      const file = await open(path); // before there is a stream, whose error the client might not catch
      return file.createReadStream({ start, end, highWaterMark: 1 << 18 });
    },
  };
}

function bytesSource(bytes: Buffer): Source {
  return { bytes: bytes.length, open: (start, end) => Promise.resolve(bytes.subarray(start, end + 1)) };
}

function md5Base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

function sameTags(left: Record<string, string>, right: Record<string, string>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

function tagSet(tags: Record<string, string>): s3.Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Runs `work` on every item, a few at a time, and returns the results in order. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of queue) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}

/** Opens the storage. Nothing is asked of it yet. */
export function openObjects(options: ObjectStoreOptions): Promise<Objects> {
  return Promise.resolve(new S3Objects(options));
}

class S3Objects implements Objects {
  readonly #client: s3.S3Client;
  readonly #bucket: string;
  readonly #log: Log;
  readonly #region: string;
  readonly #multipartAboveBytes: number;
  readonly #partBytes: number;
  #traits: StorageTraits = { versioning: 'unknown', objectLock: false, checksBytes: false, etagIsMd5: false };

  constructor(options: ObjectStoreOptions) {
    const { endpoint, region, bucket, credentials, forcePathStyle, log } = options;
    this.#bucket = bucket;
    this.#region = region;
    this.#log = log;
    this.#multipartAboveBytes = options.multipartAboveBytes ?? 5 * 1024 ** 3;
    this.#partBytes = options.partBytes ?? 256 * 1024 ** 2;
    this.#client = new s3.S3Client({
      region,
      forcePathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      // With the default, an error of a streamed body becomes an uncaught exception, and Ceph answers 411.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 3,
      logger: silent,
      requestHandler: {
        connectionTimeout: 3000,
        socketTimeout: 60_000,
        httpAgent: { keepAlive: true, maxSockets: 200 },
        httpsAgent: { keepAlive: true, maxSockets: 200 },
      },
    });
  }

  /** Runs `ask`, turning what it throws into what callers are told. */
  async #asking<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw asProblem(error, signal);
    }
  }

  async prepare(): Promise<StorageTraits> {
    return this.#asking(async () => {
      await this.#ensureBucket();
      const versioning = await this.#versioning();
      const objectLock = await this.#hasObjectLock();
      this.#traits = { versioning, objectLock, ...(await this.#canary()) };
      this.#log.info({ storage: this.#traits }, 'storage is there');
      return this.#traits;
    });
  }

  async #ensureBucket(): Promise<void> {
    try {
      await this.#client.send(new s3.HeadBucketCommand({ Bucket: this.#bucket }));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      const elsewhere = this.#region === 'us-east-1' ? undefined : (this.#region as s3.BucketLocationConstraint);
      const configuration = elsewhere && { CreateBucketConfiguration: { LocationConstraint: elsewhere } };
      try {
        await this.#client.send(new s3.CreateBucketCommand({ Bucket: this.#bucket, ...configuration }));
        this.#log.info({}, 'the bucket was made');
      } catch (failure) {
        if (nameOf(failure) !== 'BucketAlreadyOwnedByYou') throw failure; // someone else starting at the same moment
      }
    }
  }

  async #versioning(): Promise<StorageTraits['versioning']> {
    try {
      const { Status } = await this.#client.send(new s3.GetBucketVersioningCommand({ Bucket: this.#bucket }));
      return Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off';
    } catch (error) {
      if (isPassing(error)) throw error;
      return 'unknown';
    }
  }

  async #hasObjectLock(): Promise<boolean> {
    try {
      const answer = await this.#client.send(new s3.GetObjectLockConfigurationCommand({ Bucket: this.#bucket }));
      return answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    } catch (error) {
      if (isPassing(error)) throw error;
      return false;
    }
  }

  /** Puts a little object with a wrong Content-MD5, and one with the right one, and looks what happens. */
  async #canary(): Promise<Pick<StorageTraits, 'checksBytes' | 'etagIsMd5'>> {
    const body = Buffer.from('canary');
    const md5 = createHash('md5').update(body);
    const wrong = createHash('md5').update('another bird').digest('base64');
    const object = { Bucket: this.#bucket, Key: `${canaryFolder}${randomUUID()}`, Body: body };
    try {
      let checksBytes = false;
      try {
        await this.#client.send(new s3.PutObjectCommand({ ...object, ContentMD5: wrong }));
      } catch (error) {
        if (!isDigestRefusal(error)) throw error;
        checksBytes = true;
      }
      const hex = md5.digest('hex');
      const { ETag } = await this.#client.send(new s3.PutObjectCommand({ ...object, ContentMD5: md5Base64(hex) }));
      return { checksBytes, etagIsMd5: unquoted(ETag) === hex };
    } finally {
      await this.deleteEveryVersion([object.Key]);
    }
  }

  async putFile(key: string, path: string, facts: ObjectFacts, options: PutOptions = {}): Promise<StoredObject> {
    return this.#put(key, fileSource(path, facts.bytes), facts, options);
  }

  async putBytes(
    key: string,
    bytes: Buffer,
    contentType: string,
    tags: Record<string, string>,
    options: PutOptions = {},
  ): Promise<StoredObject> {
    const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest('hex');
    const facts = { bytes: bytes.length, md5: digest('md5'), sha256: digest('sha256'), contentType, tags };
    return this.#put(key, bytesSource(bytes), facts, options);
  }

  async #put(key: string, source: Source, facts: ObjectFacts, { signal, ifAbsent = false }: PutOptions): Promise<StoredObject> {
    for (let attempt = 1; ; attempt++) {
      try {
        signal?.throwIfAborted();
        const inParts = facts.bytes > this.#multipartAboveBytes;
        const versionId = inParts
          ? await this.#sendInParts(key, source, facts, ifAbsent, signal)
          : await this.#sendWhole(key, source, facts, ifAbsent, signal);
        return await this.#prove(key, facts, { versionId, inParts, signal });
      } catch (error) {
        if (statusOf(error) === 412) {
          // It may be our own, from an attempt whose answer was lost, or from before a crash.
          if (await this.#isSame(key, facts, signal)) return this.#prove(key, facts, { inParts: false, signal });
          throw new Problem('conflict', { cause: error });
        }
        const isFinal = signal?.aborted || attempt === putAttempts || !isPassing(error);
        if (isFinal) throw asProblem(error, signal);
        await pause(200 * 2 ** attempt, undefined, signal ? { signal } : {}).catch(ignore);
      }
    }
  }

  async #isSame(key: string, facts: ObjectFacts, signal?: AbortSignal): Promise<boolean> {
    const there = await this.#asking(() => this.#head(key, undefined, signal), signal);
    return there?.bytes === facts.bytes && (there.sha256 === facts.sha256 || there.etag === facts.md5);
  }

  async #sendWhole(key: string, source: Source, facts: ObjectFacts, ifAbsent: boolean, signal?: AbortSignal): Promise<string | undefined> {
    const { VersionId } = await this.#withBody(source, 0, facts.bytes - 1, signal, (Body, abortSignal) =>
      this.#client.send(
        new s3.PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body,
          ContentLength: facts.bytes,
          ContentMD5: md5Base64(facts.md5),
          ContentType: facts.contentType,
          Metadata: { sha256: facts.sha256 },
          ...(Object.keys(facts.tags).length > 0 ? { Tagging: new URLSearchParams(facts.tags).toString().replaceAll('+', '%20') } : {}),
          ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
        }),
        { abortSignal },
      ),
    );
    return VersionId;
  }

  /** Opens bytes for one request and closes them after it, whatever happens; a read error ends the request. */
  async #withBody<T>(
    source: Source,
    start: number,
    end: number,
    signal: AbortSignal | undefined,
    send: (body: Readable | Buffer, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const body = source.bytes === 0 ? Buffer.alloc(0) : await source.open(start, end);
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

  async #sendInParts(key: string, source: Source, facts: ObjectFacts, ifAbsent: boolean, signal?: AbortSignal): Promise<string | undefined> {
    const address = { Bucket: this.#bucket, Key: key };
    // Asked beforehand too, because some servers take no notice of If-None-Match on completion.
    if (ifAbsent && (await this.#head(key, undefined, signal))) throw Object.assign(new Error(), { $metadata: { httpStatusCode: 412 } });
    const { UploadId } = await this.#client.send(
      new s3.CreateMultipartUploadCommand({ ...address, ContentType: facts.contentType, Metadata: { sha256: facts.sha256 } }),
    );
    try {
      const parts: s3.CompletedPart[] = [];
      for (let start = 0; start < facts.bytes; start += this.#partBytes) {
        const end = Math.min(start + this.#partBytes, facts.bytes) - 1;
        parts.push(await this.#sendPart({ ...address, UploadId, PartNumber: parts.length + 1 }, source, start, end, signal));
      }
      const { VersionId } = await this.#client.send(
        new s3.CompleteMultipartUploadCommand({
          ...address,
          UploadId,
          MultipartUpload: { Parts: parts },
          ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
        }),
      );
      return VersionId;
    } catch (error) {
      await this.#client.send(new s3.AbortMultipartUploadCommand({ ...address, UploadId })).catch((failure: unknown) => {
        this.#log.warn({ error: failure }, 'an upload in parts could not be aborted; the bucket rule will');
      });
      throw error;
    }
  }

  async #sendPart(
    address: Omit<s3.UploadPartCommandInput, 'Body'>,
    source: Source,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<s3.CompletedPart> {
    const md5 = createHash('md5');
    const bytes = await source.open(start, end);
    if (bytes instanceof Readable) for await (const chunk of bytes) md5.update(chunk as Buffer);
    else md5.update(bytes);
    const ContentMD5 = md5.digest('base64');
    for (let attempt = 1; ; attempt++) {
      try {
        const { ETag } = await this.#withBody(source, start, end, signal, (Body, abortSignal) =>
          this.#client.send(
            new s3.UploadPartCommand({ ...address, Body, ContentLength: end - start + 1, ContentMD5 }),
            { abortSignal },
          ),
        );
        return { ETag, PartNumber: address.PartNumber };
      } catch (error) {
        if (signal?.aborted || attempt === putAttempts || !isPassing(error)) throw error;
        await pause(200 * 2 ** attempt);
      }
    }
  }

  /** Holds what storage says it has against what was sent. Throws `storage-unavailable` when they differ. */
  async #prove(
    key: string,
    facts: ObjectFacts,
    { versionId, inParts, signal }: { versionId?: string | undefined; inParts: boolean; signal?: AbortSignal | undefined },
  ): Promise<StoredObject> {
    const stored = await this.#head(key, versionId, signal);
    const isPlainMd5 = this.#traits.etagIsMd5 && !inParts && !stored?.etag.includes('-');
    if (!stored || stored.bytes !== facts.bytes || (isPlainMd5 && stored.etag !== facts.md5)) {
      throw new Problem('storage-unavailable', { detail: 'The storage does not have what was sent to it.' });
    }
    // Tags given when an upload in parts begins are dropped by some servers: there they come last.
    const tags = await this.tags(key, versionId);
    if (!tags || !sameTags(tags, facts.tags)) await this.tag(key, facts.tags, versionId);
    if (!this.#traits.checksBytes && (await this.#digest(key, versionId, signal)) !== facts.sha256) {
      throw new Problem('storage-unavailable', { detail: 'The storage gives back other bytes than were sent to it.' });
    }
    return stored;
  }

  async #digest(key: string, versionId: string | undefined, signal: AbortSignal | undefined): Promise<string | undefined> {
    const found = await this.read(key, { ...(versionId === undefined ? {} : { versionId }), ...(signal ? { signal } : {}) });
    if (!found) return undefined;
    const hash = createHash('sha256');
    for await (const chunk of found.body) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  async read(key: string, { range, versionId, signal }: ReadOptions = {}): Promise<ObjectRead | undefined> {
    try {
      const answer = await this.#client.send(
        new s3.GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...(range ? { Range: `bytes=${range.start}-${range.end ?? ''}` } : {}),
          ...(versionId === undefined ? {} : { VersionId: versionId }),
        }),
        signal ? { abortSignal: signal } : {},
      );
      if (!(answer.Body instanceof Readable)) throw new Problem('storage-unavailable');
      const body = signal ? addAbortSignal(signal, answer.Body) : answer.Body;
      const bytes = answer.ContentLength ?? 0;
      const totalBytes = Number(/\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? bytes);
      return { body, bytes, totalBytes, etag: unquoted(answer.ETag) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (statusOf(error) !== 416) throw asProblem(error, signal);
      const bytes = (await this.head(key, versionId))?.bytes ?? 0;
      throw new Problem('range-not-satisfiable', { headers: { 'Content-Range': `bytes */${bytes}` }, cause: error });
    }
  }

  async head(key: string, versionId?: string): Promise<StoredObject | undefined> {
    return this.#asking(() => this.#head(key, versionId));
  }

  async #head(key: string, versionId?: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    try {
      const answer = await this.#client.send(
        new s3.HeadObjectCommand({ Bucket: this.#bucket, Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) }),
        signal ? { abortSignal: signal } : {},
      );
      const sha256 = answer.Metadata?.['sha256'];
      return {
        key,
        ...(answer.VersionId === undefined ? {} : { versionId: answer.VersionId }),
        bytes: answer.ContentLength ?? 0,
        etag: unquoted(answer.ETag),
        contentType: answer.ContentType ?? '',
        lastModified: answer.LastModified ?? new Date(0),
        ...(sha256 === undefined ? {} : { sha256 }),
      };
    } catch (error) {
      // A HEAD has no body to say what is missing: where it is the bucket, `reachable` says so.
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async tag(key: string, tags: Record<string, string>, versionId?: string): Promise<void> {
    const version = versionId === undefined ? {} : { VersionId: versionId };
    try {
      await this.#client.send(
        new s3.PutObjectTaggingCommand({ Bucket: this.#bucket, Key: key, ...version, Tagging: { TagSet: tagSet(tags) } }),
      );
    } catch (error) {
      throw isMissing(error) ? new Problem('not-found', { cause: error }) : asProblem(error);
    }
    const now = await this.tags(key, versionId);
    if (!now) throw new Problem('not-found');
    if (!sameTags(now, tags)) throw new Problem('storage-unavailable', { detail: 'The storage did not keep the tags.' });
  }

  async tags(key: string, versionId?: string): Promise<Record<string, string> | undefined> {
    const version = versionId === undefined ? {} : { VersionId: versionId };
    try {
      const { TagSet } = await this.#client.send(new s3.GetObjectTaggingCommand({ Bucket: this.#bucket, Key: key, ...version }));
      return Object.fromEntries((TagSet ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw asProblem(error);
    }
  }

  async deleteEveryVersion(keys: string[]): Promise<{ key: string; error?: string }[]> {
    return this.#asking(async () => {
      if (keys.length === 0) return [];
      // Asked each time: who switches versioning on would else keep every "deleted" recording.
      const isPlain = (await this.#versioning()) === 'off';
      const targets = isPlain
        ? keys.map((Key) => ({ Key }))
        : (await each(keys, (key) => this.#versionsOf(key))).flat();
      const errors = new Map<string, string>();
      for (let at = 0; at < targets.length; at += deleteBatch) {
        const Objects = targets.slice(at, at + deleteBatch);
        const answer = await this.#client.send(
          new s3.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
        );
        for (const { Key, Code } of answer.Errors ?? []) {
          if (Code !== 'NoSuchKey' && Code !== 'NoSuchVersion') errors.set(Key ?? '', Code ?? 'Unknown');
        }
      }
      return keys.map((key) => {
        const error = errors.get(key);
        return error === undefined ? { key } : { key, error };
      });
    });
  }

  async #versionsOf(key: string): Promise<s3.ObjectIdentifier[]> {
    const found: s3.ObjectIdentifier[] = [];
    for await (const version of this.#list(key)) {
      if (version.key !== key) break; // longer keys come after it
      found.push({ Key: key, ...(version.versionId === undefined ? {} : { VersionId: version.versionId }) });
    }
    return found;
  }

  async confirmAbsent(keys: string[]): Promise<string[]> {
    return this.#asking(async () => {
      const present = await each(keys, async (key) => {
        // Of all keys that begin with it, the key itself comes first.
        for await (const version of this.#list(key, 1)) return version.key === key;
        return false;
      });
      return keys.filter((_key, at) => present[at]);
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectVersion> {
    try {
      yield* this.#list(prefix);
    } catch (error) {
      throw asProblem(error);
    }
  }

  async *#list(prefix: string, pageSize = 1000): AsyncIterable<ObjectVersion> {
    let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
    while (marker) {
      const request = new s3.ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: prefix, MaxKeys: pageSize, ...marker });
      const answer: s3.ListObjectVersionsCommandOutput = await this.#client.send(request);
      const { Versions = [], DeleteMarkers = [] } = answer;
      const all = [
        ...Versions.map((version) => ({ version, bytes: version.Size ?? 0, isDeleteMarker: false })),
        ...DeleteMarkers.map((version) => ({ version, bytes: 0, isDeleteMarker: true })),
      ].map(({ version: { Key, VersionId, LastModified, IsLatest }, bytes, isDeleteMarker }) => ({
        key: Key ?? '',
        ...(VersionId === undefined ? {} : { versionId: VersionId }),
        bytes,
        lastModified: LastModified ?? new Date(0),
        isLatest: IsLatest ?? false,
        isDeleteMarker,
      }));
      // The client hands versions and markers over apart; together they are in order again, as far as keys go.
      yield* all.sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
      const { NextKeyMarker: key, NextVersionIdMarker: version } = answer;
      marker = answer.IsTruncated && key !== undefined
        ? { KeyMarker: key, ...(version === undefined ? {} : { VersionIdMarker: version }) }
        : undefined;
    }
  }

  async abortUploads(prefix: string, olderThan?: Date): Promise<number> {
    return this.#asking(async () => {
      let aborted = 0;
      let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
      while (marker) {
        const request = new s3.ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix, ...marker });
        const answer: s3.ListMultipartUploadsCommandOutput = await this.#client.send(request);
        for (const { Key, UploadId, Initiated } of answer.Uploads ?? []) {
          if (olderThan && Initiated && Initiated >= olderThan) continue;
          try {
            await this.#client.send(new s3.AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
            aborted++;
          } catch (error) {
            if (nameOf(error) !== 'NoSuchUpload') throw error; // completed or aborted by someone else meanwhile
          }
        }
        const { NextKeyMarker: key, NextUploadIdMarker: id } = answer;
        marker = answer.IsTruncated && key !== undefined && id !== undefined ? { KeyMarker: key, UploadIdMarker: id } : undefined;
      }
      return aborted;
    });
  }

  async lifecycle(): Promise<LifecycleRule[] | 'unsupported'> {
    const rules = await this.#asking(() => this.#rawRules());
    return rules === 'unsupported' ? rules : rules.map(readRule);
  }

  async #rawRules(): Promise<s3.LifecycleRule[] | 'unsupported'> {
    try {
      const { Rules } = await this.#client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket: this.#bucket }));
      return Rules ?? [];
    } catch (error) {
      if (nameOf(error) === 'NoSuchLifecycleConfiguration') return [];
      if (isUnsupported(error) || nameOf(error) === 'AccessDenied') return 'unsupported';
      throw error;
    }
  }

  async putLifecycle(rules: LifecycleRule[], retired: string[] = []): Promise<LifecycleRule[] | 'unsupported'> {
    return this.#asking(async () => {
      const present = await this.#rawRules();
      if (present === 'unsupported') return present;
      const replaced = new Set([...rules.map(({ id }) => id), ...retired]);
      const others = present.filter(({ ID }) => !replaced.has(ID ?? '')).map(keepRule);
      const Rules = [...others, ...rules.map(writeRule)];
      if (Rules.length === 0) {
        await this.#client.send(new s3.DeleteBucketLifecycleCommand({ Bucket: this.#bucket }));
      } else {
        await this.#client.send(
          new s3.PutBucketLifecycleConfigurationCommand({ Bucket: this.#bucket, LifecycleConfiguration: { Rules } }),
        );
      }
      const now = await this.#rawRules();
      return now === 'unsupported' ? now : now.map(readRule);
    });
  }

  async reachable(signal?: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(reachableMs);
    const abortSignal = signal ? AbortSignal.any([signal, limit]) : limit;
    await this.#asking(async () => {
      try {
        await this.#client.send(new s3.HeadBucketCommand({ Bucket: this.#bucket }), { abortSignal });
      } catch (error) {
        throw statusOf(error) === 404 ? new Problem('storage-unavailable', { cause: error }) : error;
      }
    }, signal);
  }

  close(): void {
    this.#client.destroy();
  }
}

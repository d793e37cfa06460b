/**
 * The object storage: any S3. What is put is proved to be there; what is deleted is deleted in every version.
 *
 * S3 servers differ more than they say. This asks only what they share, decides on error names and statuses alone,
 * and believes nothing that it can ask for: `prepare` finds out what this storage checks by itself.
 */
import { createHash, randomUUID } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import type { Log } from './log.js';
import type {
  ObjectFacts,
  ObjectRead,
  Objects,
  ObjectStoreOptions,
  ObjectVersion,
  PutOptions,
  ReadOptions,
  StorageTraits,
  StoredObject,
} from './object-contract.js';
import { asProblem, isDigestRefusal, isMissing, isPassing, isUnsupported, nameOf, statusOf } from './object-faults.js';
import { keepRule, readRule, writeRule, type LifecycleRule } from './object-lifecycle.js';
import { bytesSource, factsOf, fileSource, putProved, sameTags } from './object-put.js';
import type { PartToSend, PutRequests, SendOptions } from './object-put.js';
import { deleteEvery, stillPresent, type VersionId, type VersionRequests } from './object-versions.js';
import { Problem } from './problem.js';
import { Turns } from './turns.js';

export type * from './object-contract.js';
export type { LifecycleRule } from './object-lifecycle.js';

const reachableMs = 2000;
const filesAtOnce = 8;
const canaryFolder = 'canary/';
const ignore = (): void => undefined;
/** The client's own messages may quote keys, and go to the console when nobody takes them. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

function md5Base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

function versionOf(versionId: string | undefined): { VersionId?: string } {
  return versionId === undefined ? {} : { VersionId: versionId };
}

/** The order in which S3 lists keys. */
function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function describeVersion(
  { Key, VersionId, LastModified, IsLatest }: s3.DeleteMarkerEntry,
  bytes: number,
  isDeleteMarker: boolean,
): ObjectVersion {
  return {
    key: Key ?? '',
    ...(VersionId === undefined ? {} : { versionId: VersionId }),
    bytes,
    lastModified: LastModified ?? new Date(0),
    isLatest: IsLatest ?? false,
    isDeleteMarker,
  };
}

function tagSet(tags: Record<string, string>): s3.Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Opens the storage. Nothing is asked of it yet. */
export function openObjects(options: ObjectStoreOptions): Promise<Objects> {
  return Promise.resolve(new S3Objects(options));
}

class S3Objects implements Objects, PutRequests, VersionRequests {
  readonly #client: s3.S3Client;
  readonly #bucket: string;
  readonly log: Log;
  readonly #region: string;
  readonly multipartAboveBytes: number;
  readonly partBytes: number;
  #traits: StorageTraits = { versioning: 'unknown', objectLock: false, legalHold: false, checksBytes: false, etagIsMd5: false };
  /** Each file under way costs buffers on both sides: a burst of pushes waits here instead of filling memory. */
  readonly #fileTurns = new Turns(filesAtOnce);

  constructor(options: ObjectStoreOptions) {
    const { endpoint, region, bucket, credentials, forcePathStyle, log } = options;
    this.#bucket = bucket;
    this.#region = region;
    this.log = log;
    this.multipartAboveBytes = options.multipartAboveBytes ?? 5 * 1024 ** 3;
    this.partBytes = options.partBytes ?? 256 * 1024 ** 2;
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
      const versioning = await this.versioning();
      const objectLock = await this.#hasObjectLock();
      const legalHold = objectLock && (await this.#holdsLegally());
      this.#traits = { versioning, objectLock, legalHold, ...(await this.#canary()) };
      this.log.info({ storage: this.#traits }, 'storage is there');
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
        this.log.info({}, 'the bucket was made');
      } catch (failure) {
        if (nameOf(failure) !== 'BucketAlreadyOwnedByYou') throw failure; // someone else starting at the same moment
      }
    }
  }

  async versioning(): Promise<StorageTraits['versioning']> {
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

  /** Puts a little object under legal hold and tries to delete it. */
  async #holdsLegally(): Promise<boolean> {
    const { key } = await this.putBytes(`${canaryFolder}${randomUUID()}`, Buffer.from('canary'), 'text/plain', {});
    const setHold = (Status: 'ON' | 'OFF') =>
      this.#client.send(new s3.PutObjectLegalHoldCommand({ Bucket: this.#bucket, Key: key, LegalHold: { Status } }));
    try {
      await setHold('ON');
    } catch (error) {
      if (isPassing(error)) throw error;
      await this.deleteEveryVersion([key]);
      return false;
    }
    const [outcome] = await this.deleteEveryVersion([key]);
    const stood = outcome?.error !== undefined && (await this.confirmAbsent([key])).length > 0;
    if (stood) await setHold('OFF');
    await this.deleteEveryVersion([key]);
    return stood;
  }

  async legalHold(key: string, on: boolean, versionId?: string): Promise<void> {
    if (!this.#traits.legalHold) return;
    const hold = { Bucket: this.#bucket, Key: key, LegalHold: { Status: on ? ('ON' as const) : ('OFF' as const) } };
    try {
      await this.#client.send(new s3.PutObjectLegalHoldCommand({ ...hold, ...versionOf(versionId) }));
    } catch (error) {
      throw isMissing(error) ? new Problem('not-found', { cause: error }) : asProblem(error);
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

  putFile(key: string, path: string, facts: ObjectFacts, options: PutOptions = {}): Promise<StoredObject> {
    return this.#fileTurns.run(() => putProved(this, this.#traits, key, fileSource(path), facts, options));
  }

  putBytes(
    key: string,
    bytes: Buffer,
    contentType: string,
    tags: Record<string, string>,
    options: PutOptions = {},
  ): Promise<StoredObject> {
    return putProved(this, this.#traits, key, bytesSource(bytes), factsOf(bytes, contentType, tags), options);
  }

  async sendWhole(
    key: string,
    body: Readable | Buffer,
    facts: ObjectFacts,
    options: SendOptions,
  ): Promise<string | undefined> {
    const tagging = new URLSearchParams(facts.tags).toString().replaceAll('+', '%20');
    const { VersionId } = await this.#client.send(
      new s3.PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: body,
        ContentLength: facts.bytes,
        ContentMD5: md5Base64(facts.md5),
        ContentType: facts.contentType,
        Metadata: { sha256: facts.sha256 },
        ...(tagging === '' ? {} : { Tagging: tagging }),
        ...(options.ifAbsent ? { IfNoneMatch: '*' } : {}),
      }),
      options.signal ? { abortSignal: options.signal } : {},
    );
    return VersionId;
  }

  async beginParts(key: string, facts: ObjectFacts): Promise<string> {
    const { UploadId } = await this.#client.send(
      new s3.CreateMultipartUploadCommand({
        Bucket: this.#bucket,
        Key: key,
        ContentType: facts.contentType,
        Metadata: { sha256: facts.sha256 },
      }),
    );
    return UploadId ?? '';
  }

  async sendPart(key: string, uploadId: string, part: PartToSend, signal?: AbortSignal): Promise<string> {
    const { ETag } = await this.#client.send(
      new s3.UploadPartCommand({
        Bucket: this.#bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: part.number,
        Body: part.body,
        ContentLength: part.bytes,
        ContentMD5: md5Base64(part.md5),
      }),
      signal ? { abortSignal: signal } : {},
    );
    return ETag ?? '';
  }

  async endParts(
    key: string,
    uploadId: string,
    etags: string[],
    { ifAbsent }: SendOptions,
  ): Promise<string | undefined> {
    const { VersionId } = await this.#client.send(
      new s3.CompleteMultipartUploadCommand({
        Bucket: this.#bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: etags.map((ETag, at) => ({ ETag, PartNumber: at + 1 })) },
        ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
      }),
    );
    return VersionId;
  }

  async abortParts(key: string, uploadId: string): Promise<void> {
    try {
      await this.#client.send(
        new s3.AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId }),
      );
    } catch (error) {
      if (nameOf(error) !== 'NoSuchUpload') throw error; // completed, or aborted by someone else meanwhile
    }
  }

  async read(key: string, { range, versionId, signal }: ReadOptions = {}): Promise<ObjectRead | undefined> {
    try {
      const answer = await this.#client.send(
        new s3.GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...(range ? { Range: `bytes=${range.start}-${range.end ?? ''}` } : {}),
          ...versionOf(versionId),
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

  async head(key: string, versionId?: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    try {
      const answer = await this.#client.send(
        new s3.HeadObjectCommand({ Bucket: this.#bucket, Key: key, ...versionOf(versionId) }),
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
      throw asProblem(error, signal);
    }
  }

  async tag(key: string, tags: Record<string, string>, versionId?: string): Promise<void> {
    const Tagging = { TagSet: tagSet(tags) };
    try {
      await this.#client.send(
        new s3.PutObjectTaggingCommand({ Bucket: this.#bucket, Key: key, ...versionOf(versionId), Tagging }),
      );
    } catch (error) {
      throw isMissing(error) ? new Problem('not-found', { cause: error }) : asProblem(error);
    }
    const now = await this.tags(key, versionId);
    if (!now) throw new Problem('not-found');
    if (sameTags(now, tags)) return;
    throw new Problem('storage-unavailable', { detail: 'The storage did not keep the tags.' });
  }

  async tags(key: string, versionId?: string): Promise<Record<string, string> | undefined> {
    try {
      const { TagSet } = await this.#client.send(
        new s3.GetObjectTaggingCommand({ Bucket: this.#bucket, Key: key, ...versionOf(versionId) }),
      );
      return Object.fromEntries((TagSet ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw asProblem(error);
    }
  }

  deleteEveryVersion(keys: string[]): Promise<{ key: string; error?: string }[]> {
    return this.#asking(() => deleteEvery(this, keys));
  }

  confirmAbsent(keys: string[]): Promise<string[]> {
    return this.#asking(() => stillPresent(this, keys));
  }

  async deleteVersions(ids: VersionId[]): Promise<{ key: string; code: string }[]> {
    const Objects = ids.map(({ key, versionId }) => ({ Key: key, ...versionOf(versionId) }));
    const { Errors } = await this.#client.send(
      new s3.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
    );
    return (Errors ?? []).map(({ Key, Code }) => ({ key: Key ?? '', code: Code ?? 'Unknown' }));
  }

  async *list(prefix: string, { after }: { after?: string } = {}): AsyncIterable<ObjectVersion> {
    try {
      yield* this.versions(prefix, { after });
    } catch (error) {
      throw asProblem(error);
    }
  }

  async *versions(
    prefix: string,
    { pageSize = 1000, after }: { pageSize?: number; after?: string | undefined } = {},
  ): AsyncIterable<ObjectVersion> {
    let marker: { KeyMarker?: string; VersionIdMarker?: string } = after === undefined ? {} : { KeyMarker: after };
    for (;;) {
      const answer: s3.ListObjectVersionsCommandOutput = await this.#client.send(
        new s3.ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: prefix, MaxKeys: pageSize, ...marker }),
      );
      const page = [
        ...(answer.Versions ?? []).map((version) => describeVersion(version, version.Size ?? 0, false)),
        ...(answer.DeleteMarkers ?? []).map((version) => describeVersion(version, 0, true)),
      ];
      // The client hands versions and markers over apart; together they are in order again, as far as keys go.
      page.sort((left, right) => compareBytes(left.key, right.key));
      // Ceph begins with the marker's own key where a bucket keeps versions.
      yield* after === undefined ? page : page.filter(({ key }) => compareBytes(key, after) > 0);
      const { NextKeyMarker: key, NextVersionIdMarker: version } = answer;
      if (!answer.IsTruncated || key === undefined) return;
      marker = { KeyMarker: key, ...(version === undefined ? {} : { VersionIdMarker: version }) };
    }
  }

  async abortUploads(prefix: string, olderThan?: Date, only?: (key: string) => boolean): Promise<number> {
    return this.#asking(async () => {
      let aborted = 0;
      let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
      while (marker) {
        const request = new s3.ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix, ...marker });
        const answer: s3.ListMultipartUploadsCommandOutput = await this.#client.send(request);
        for (const { Key, UploadId, Initiated } of answer.Uploads ?? []) {
          if (olderThan && Initiated && Initiated >= olderThan) continue;
          if (only && !only(Key ?? '')) continue;
          await this.abortParts(Key ?? '', UploadId ?? '');
          aborted++;
        }
        const { NextKeyMarker: key, NextUploadIdMarker: id } = answer;
        const hasMore = answer.IsTruncated && key !== undefined && id !== undefined;
        marker = hasMore ? { KeyMarker: key, UploadIdMarker: id } : undefined;
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
      const { Rules } = await this.#client.send(
        new s3.GetBucketLifecycleConfigurationCommand({ Bucket: this.#bucket }),
      );
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

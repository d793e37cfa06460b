/**
 * Requests to any S3, and the only place that knows its client. What they mean together is told in object-storage.ts.
 *
 * S3 servers differ more than they say. This asks only what they share, and decides on error names and statuses alone.
 */
import { addAbortSignal, Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import type { Log } from './log.js';
import type {
  ObjectFacts,
  ObjectRead,
  Objects,
  ObjectStoreOptions,
  ObjectVersion,
  ReadOptions,
  StorageTraits,
  StoredObject,
} from './object-contract.js';
import { asProblem, isMissing, isPassing, isUnsupported, nameOf, statusOf } from './object-faults.js';
import type { PartToSend, SendOptions, Sent } from './object-put.js';
import { ProvedObjects, type StorageRequests, type UploadInParts } from './object-storage.js';
import type { VersionId } from './object-versions.js';
import { Problem } from './problem.js';

export type * from './object-contract.js';
export type { LifecycleRule } from './object-lifecycle.js';

const ignore = (): void => undefined;
/**
 * The client's own messages may quote keys, and go to the console when nobody takes them. It looks whether there is `info`
 * before it makes up a message of every request and answer.
 */
const silent = { trace: ignore, debug: ignore, info: undefined, warn: ignore, error: ignore } as unknown as Required<s3.S3ClientConfig>['logger'];

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

/**
 * The digest of the body as the signature needs it (SigV4, `x-amz-content-sha256`) is known already: without this the client
 * would hash all bytes once more. Storage refuses a body that is another.
 */
function signWithDigest(command: s3.PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (given) => {
      (given.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
      return next(given);
    },
    { step: 'build', name: 'digestIsKnown' },
  );
}

/** Opens the storage. Nothing is asked of it yet. */
export function openObjects(options: ObjectStoreOptions): Promise<Objects> {
  return Promise.resolve(new ProvedObjects(new S3Requests(options)));
}

class S3Requests implements StorageRequests<s3.LifecycleRule> {
  readonly #client: s3.S3Client;
  readonly #bucket: string;
  readonly #region: string;
  readonly log: Log;
  readonly multipartAboveBytes: number;
  readonly partBytes: number;

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

  async bucketExists(signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#client.send(
        new s3.HeadBucketCommand({ Bucket: this.#bucket }),
        signal ? { abortSignal: signal } : {},
      );
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  async makeBucket(): Promise<void> {
    const elsewhere = this.#region === 'us-east-1' ? undefined : (this.#region as s3.BucketLocationConstraint);
    const configuration = elsewhere && { CreateBucketConfiguration: { LocationConstraint: elsewhere } };
    try {
      await this.#client.send(new s3.CreateBucketCommand({ Bucket: this.#bucket, ...configuration }));
    } catch (error) {
      if (nameOf(error) !== 'BucketAlreadyOwnedByYou') throw error; // someone else starting at the same moment
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

  async hasObjectLock(): Promise<boolean> {
    try {
      const answer = await this.#client.send(new s3.GetObjectLockConfigurationCommand({ Bucket: this.#bucket }));
      return answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    } catch (error) {
      if (isPassing(error)) throw error;
      return false;
    }
  }

  async sendWithMd5(key: string, body: Buffer, md5: string): Promise<string> {
    const { ETag } = await this.#client.send(
      new s3.PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentMD5: md5Base64(md5) }),
    );
    return unquoted(ETag);
  }

  async sendWhole(
    key: string,
    body: Readable | Buffer,
    facts: ObjectFacts,
    options: SendOptions,
  ): Promise<Sent> {
    const tagging = new URLSearchParams(facts.tags).toString().replaceAll('+', '%20');
    const command = new s3.PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentLength: facts.bytes,
      ContentMD5: md5Base64(facts.md5),
      ContentType: facts.contentType,
      Metadata: { sha256: facts.sha256 },
      ...(tagging === '' ? {} : { Tagging: tagging }),
      ...(options.ifAbsent ? { IfNoneMatch: '*' } : {}),
    });
    if (Buffer.isBuffer(body)) signWithDigest(command, facts.sha256);
    const { VersionId, ETag } = await this.#client.send(command, options.signal ? { abortSignal: options.signal } : {});
    return { versionId: VersionId, etag: unquoted(ETag) };
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

  async setTags(key: string, tags: Record<string, string>, versionId?: string): Promise<void> {
    const Tagging = { TagSet: tagSet(tags) };
    await this.#client.send(
      new s3.PutObjectTaggingCommand({ Bucket: this.#bucket, Key: key, ...versionOf(versionId), Tagging }),
    );
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

  async setLegalHold(key: string, on: boolean, versionId?: string): Promise<void> {
    const LegalHold = { Status: on ? ('ON' as const) : ('OFF' as const) };
    await this.#client.send(
      new s3.PutObjectLegalHoldCommand({ Bucket: this.#bucket, Key: key, LegalHold, ...versionOf(versionId) }),
    );
  }

  async deleteVersions(ids: VersionId[]): Promise<{ key: string; code: string }[]> {
    const Objects = ids.map(({ key, versionId }) => ({ Key: key, ...versionOf(versionId) }));
    const { Errors } = await this.#client.send(
      new s3.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
    );
    return (Errors ?? []).map(({ Key, Code }) => ({ key: Key ?? '', code: Code ?? 'Unknown' }));
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

  async *uploads(prefix: string): AsyncIterable<UploadInParts> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const answer: s3.ListMultipartUploadsCommandOutput = await this.#client.send(
        new s3.ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix, ...marker }),
      );
      for (const { Key, UploadId, Initiated } of answer.Uploads ?? []) {
        yield { key: Key ?? '', uploadId: UploadId ?? '', begunAt: Initiated };
      }
      const { NextKeyMarker: key, NextUploadIdMarker: id } = answer;
      if (!answer.IsTruncated || key === undefined || id === undefined) return;
      marker = { KeyMarker: key, UploadIdMarker: id };
    }
  }

  async rules(): Promise<s3.LifecycleRule[] | 'unsupported'> {
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

  async setRules(rules: s3.LifecycleRule[]): Promise<void> {
    const bucket = { Bucket: this.#bucket };
    if (rules.length === 0) {
      await this.#client.send(new s3.DeleteBucketLifecycleCommand(bucket));
    } else {
      const configuration = { LifecycleConfiguration: { Rules: rules } };
      await this.#client.send(new s3.PutBucketLifecycleConfigurationCommand({ ...bucket, ...configuration }));
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

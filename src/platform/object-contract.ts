/** What the rest of the service may ask of the object storage, and what it is told. Nothing here knows how. */
import type { Readable } from 'node:stream';
import type { Log } from './log.js';
import type { LifecycleRule } from './object-lifecycle.js';

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

/** What a put has shown to be there. */
export type ProvedObject = Pick<StoredObject, 'key' | 'versionId' | 'bytes' | 'etag'>;

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
  /** A version under legal hold is not deleted, whoever asks: seen, not believed. */
  legalHold: boolean;
  /** It refuses a body that does not have the Content-MD5 given. Where not, every put is read back. */
  checksBytes: boolean;
  /** The entity tag of a plain put is its MD5. */
  etagIsMd5: boolean;
  /** Tags given with a plain put are kept: seen once, so that they need not be read back each time. */
  keepsTags: boolean;
}

/** Every method throws `storage-unavailable` when storage is away, full, too slow or refuses us. */
export interface Objects {
  /** Makes the bucket when it is missing and finds out what the storage does. To be awaited before the first put. */
  prepare(): Promise<StorageTraits>;
  /**
   * Stores a file, or small bytes whose facts are known, and proves it: size, digest and tags as storage tells them, read
   * back where storage does not check. When it throws an object may be there. `ifAbsent`: throws `conflict` when other
   * bytes are there; two callers at the very same moment are told apart only where storage heeds If-None-Match.
   */
  putFile(key: string, content: string | Buffer, facts: ObjectFacts, options?: PutOptions): Promise<ProvedObject>;
  /** The same for bytes in memory. */
  putBytes(
    key: string,
    bytes: Buffer,
    contentType: string,
    tags: Record<string, string>,
    options?: PutOptions,
  ): Promise<ProvedObject>;
  /** Undefined when there is no such object. `range` is inclusive; outside it throws `range-not-satisfiable`. */
  read(key: string, options?: ReadOptions): Promise<ObjectRead | undefined>;
  head(key: string, versionId?: string): Promise<StoredObject | undefined>;
  /** Replaces all tags and reads them back. Throws `not-found` when there is no such object. */
  tag(key: string, tags: Record<string, string>, versionId?: string): Promise<void>;
  /** Undefined when there is no such object. */
  tags(key: string, versionId?: string): Promise<Record<string, string> | undefined>;
  /**
   * Puts one version under legal hold, or lifts it. Nothing is done where the storage has no legal hold that works.
   * Throws `not-found` when there is no such version.
   */
  legalHold(key: string, on: boolean, versionId?: string): Promise<void>;
  /** Deletes every version and delete marker of each key. `error` is storage's own code; absent keys succeed. */
  deleteEveryVersion(keys: string[]): Promise<{ key: string; error?: string }[]>;
  /** Those of `keys` of which any version or delete marker is still there. */
  confirmAbsent(keys: string[]): Promise<string[]>;
  /** Every version and delete marker whose key begins with `prefix`, by key; with `after`, those of keys beyond it. */
  list(prefix: string, options?: { after?: string }): AsyncIterable<ObjectVersion>;
  /** Aborts unfinished uploads in parts, those begun before `olderThan` and to keys `only` takes. How many. */
  abortUploads(prefix: string, olderThan?: Date, only?: (key: string) => boolean): Promise<number>;
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

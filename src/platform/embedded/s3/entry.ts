/**
 * What is known of one stored object, and the names of the two files that hold it. Pure.
 *
 * An object with key K lives in `objects/hh/` as `H.R.data` and `H.R.json`, where H is the SHA-256 of K, hh its first
 * two digits and R a revision that only grows. No key ever becomes a path. The json file's name appearing is the
 * moment the object exists; with two of them, the higher revision is the object and the other a leftover.
 */
import { createHash } from 'node:crypto';

export interface Entry {
  key: string;
  /** Names the metadata file; a new one at each change, that of tags included. */
  revision: string;
  /** Names the data file; the revision at which the bytes came. */
  dataRevision: string;
  bytes: number;
  /** In quotes, as S3 gives it. */
  etag: string;
  /** Milliseconds since 1970, by the clock given to the server. */
  modifiedAtMs: number;
  contentType: string;
  /** Headers given back as they came: `x-amz-meta-…`, `content-disposition` and the like. */
  headers: Record<string, string>;
  tags: Record<string, string>;
  /** The checksum header the client chose, with its verified value. */
  checksum: Record<string, string>;
}

/** What a writer says of an object; the rest is the bucket's to fill in. */
export type NewEntry = Omit<Entry, 'revision' | 'dataRevision' | 'modifiedAtMs'>;

export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export function shardOf(hash: string): string {
  return hash.slice(0, 2);
}

export function fileName(hash: string, revision: string, kind: 'json' | 'data'): string {
  return `${hash}.${revision}.${kind}`;
}

/**
 * Reads a file name made by `fileName`, or returns undefined. Revisions of this century begin with 0; one that does not
 * is none of ours, and to count on from it would leave the range in which numbers are exact.
 */
export function parseFileName(name: string): { hash: string; revision: string; kind: 'json' | 'data' } | undefined {
  const found = /^([0-9a-f]{64})\.(0[0-9a-f]{13})\.(json|data)$/.exec(name);
  if (!found) return undefined;
  return { hash: found[1] ?? '', revision: found[2] ?? '', kind: found[3] === 'json' ? 'json' : 'data' };
}

const perMs = 1024;
let last = 0;

/**
 * A revision higher than any given before and than any of an earlier run, as far as the machine's clock went forward:
 * real time in 1/1024 ms, 14 hex digits. Two revisions of one key are only ever compared after a crash between them.
 */
export function nextRevision(): string {
  last = Math.max(last + 1, Date.now() * perMs);
  return last.toString(16).padStart(14, '0');
}

/** Makes sure that `nextRevision` stays above `revision`, seen on disk; the clock may have been put back since. */
export function stayAbove(revision: string): void {
  last = Math.max(last, parseInt(revision, 16));
}

function isRecordOfStrings(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string');
}

/** Reads an entry written by `JSON.stringify`, or returns undefined when it is not one. */
export function parseEntry(text: string): Entry | undefined {
  let value: Partial<Record<keyof Entry, unknown>>;
  try {
    value = JSON.parse(text) as Partial<Record<keyof Entry, unknown>>;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { key, revision, dataRevision, bytes, etag, modifiedAtMs, contentType, headers, tags, checksum } = value;
  if (typeof key !== 'string' || typeof revision !== 'string' || typeof dataRevision !== 'string') return undefined;
  if (typeof bytes !== 'number' || typeof etag !== 'string' || typeof modifiedAtMs !== 'number') return undefined;
  if (typeof contentType !== 'string') return undefined;
  if (!isRecordOfStrings(headers) || !isRecordOfStrings(tags) || !isRecordOfStrings(checksum)) return undefined;
  return { key, revision, dataRevision, bytes, etag, modifiedAtMs, contentType, headers, tags, checksum };
}

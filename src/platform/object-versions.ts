/** Deleting for good: every version and every delete marker of a key, and the proof that none is left. */
import type { ObjectVersion, StorageTraits } from './object-contract.js';

const atOnce = 8;
/** The most one DeleteObjects takes. */
const batchSize = 1000;

export interface VersionId {
  key: string;
  versionId?: string;
}

/** The single requests that deleting is made of. */
export interface VersionRequests {
  versioning(): Promise<StorageTraits['versioning']>;
  /** Versions and delete markers by key, asked for `pageSize` at a time. */
  versions(prefix: string, options?: { pageSize?: number; after?: string | undefined }): AsyncIterable<ObjectVersion>;
  /** Up to 1000 at once; what could not be deleted, with storage's own code. */
  deleteVersions(ids: VersionId[]): Promise<{ key: string; code: string }[]>;
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

async function versionsOf(requests: VersionRequests, key: string): Promise<VersionId[]> {
  const found: VersionId[] = [];
  for await (const version of requests.versions(key)) {
    if (version.key !== key) break; // of all keys that begin with it, the key itself comes first
    found.push({ key, ...(version.versionId === undefined ? {} : { versionId: version.versionId }) });
  }
  return found;
}

/** Deletes every version of `keys`. `error` is storage's own code; a key that was not there succeeds. */
export async function deleteEvery(
  requests: VersionRequests,
  keys: string[],
): Promise<{ key: string; error?: string }[]> {
  if (keys.length === 0) return [];
  // Asked each time: who switches versioning on would else keep every "deleted" object.
  const keepsVersions = (await requests.versioning()) !== 'off';
  const ids = keepsVersions
    ? (await each(keys, (key) => versionsOf(requests, key))).flat()
    : keys.map((key) => ({ key }));
  const errors = new Map<string, string>();
  for (let at = 0; at < ids.length; at += batchSize) {
    for (const { key, code } of await requests.deleteVersions(ids.slice(at, at + batchSize))) {
      if (code !== 'NoSuchKey' && code !== 'NoSuchVersion') errors.set(key, code);
    }
  }
  return keys.map((key) => {
    const error = errors.get(key);
    return error === undefined ? { key } : { key, error };
  });
}

/** Those of `keys` of which any version or delete marker is there. */
export async function stillPresent(requests: VersionRequests, keys: string[]): Promise<string[]> {
  const present = await each(keys, async (key) => {
    for await (const version of requests.versions(key, { pageSize: 1 })) return version.key === key;
    return false;
  });
  return keys.filter((_key, at) => present[at]);
}

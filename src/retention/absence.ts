import type { Objects, ObjectVersion } from '../platform/objects.js';

/** What is stored under the prefixes of many items, and getting rid of it. */

/** So many keys of others are passed over before a new listing is begun at the next prefix. */
const worthSkipping = 1000;
/** So few are asked after one by one: a listing over all of them would tell of a page of others. */
const oneByOne = 3;

/**
 * Every version and delete marker under each of `prefixes`, which all lie under `root`. Items that are due together were
 * stored together, so one listing tells of many of them; at worst it is one a prefix.
 */
export async function foundUnder(
  objects: Pick<Objects, 'list'>,
  root: string,
  prefixes: readonly string[],
): Promise<Map<string, ObjectVersion[]>> {
  const sorted = [...prefixes].sort();
  const found = new Map<string, ObjectVersion[]>(sorted.map((prefix) => [prefix, []]));
  if (sorted.length <= oneByOne) {
    for (const prefix of sorted) for await (const version of objects.list(prefix)) found.get(prefix)?.push(version);
    return found;
  }
  for (let at = 0; at < sorted.length; ) {
    let passed = 0;
    let ended = true;
    for await (const version of objects.list(root, { after: sorted[at] ?? root })) {
      while (at < sorted.length && isPast(version.key, sorted[at] ?? '')) at += 1;
      const prefix = sorted[at];
      if (prefix === undefined) break;
      if (version.key.startsWith(prefix)) {
        found.get(prefix)?.push(version);
        passed = 0;
      } else if ((passed += 1) >= worthSkipping) {
        ended = false;
        break;
      }
    }
    if (ended) break;
  }
  return found;
}

const isPast = (key: string, prefix: string): boolean => key > prefix && !key.startsWith(prefix);

/** Aborts what was being uploaded in parts under `prefixes` and never finished. */
export async function abortUploadsUnder(
  objects: Pick<Objects, 'abortUploads'>,
  root: string,
  prefixes: readonly string[],
): Promise<void> {
  await objects.abortUploads(root, undefined, (key) => prefixes.some((prefix) => key.startsWith(prefix)));
}

import type { Platform } from '../platform/platform.js';
import { digestOfToken } from './token.js';

/**
 * Keys that did not work, for whoever connects a PBX: a key cut off while pasting shows nothing else anywhere. Kept are the
 * first characters, which tell keys apart and open nothing, for a day.
 */

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

export type RefusedKeyReason = 'unknown' | 'damaged' | 'revoked' | 'expired' | 'wrong_role';

export interface RefusedKey {
  /** As far as it looks like a key of ours, its first characters; else empty. */
  prefix: string;
  reason: RefusedKeyReason;
  count: number;
  lastAt: Date;
}

const shownCharacters = 10;
const keptMs = 24 * 3_600_000;
const mostKept = 200;
/** One a second and process: whoever tries keys by the thousand fills neither the table nor the database's time. */
const everyMs = 1000;
const lastNotedMs = new WeakMap<object, number>();

const prefixOf = (key: string) => (/^opn_[0-9A-Za-z]{1,43}$/.test(key) ? key.slice(0, shownCharacters) : '');

/**
 * Notes that a key was refused. Not waited for, and no harm when it fails: it only helps who is looking.
 * `wrong_role`: a key that works, but not here, such as a helpdesk's on a PBX.
 */
export function noteRefusedKey(base: Base, key: string, why?: 'wrong_role'): void {
  const { clock, database, log } = base;
  const now = clock.now();
  const sinceMs = now.getTime() - (lastNotedMs.get(database) ?? -Infinity);
  if (sinceMs >= 0 && sinceMs < everyMs) return;
  lastNotedMs.set(database, now.getTime());
  void write(base, key, now, why).catch((error: unknown) => log.warn({ error }, 'could not note a refused key'));
}

async function write({ database }: Base, key: string, now: Date, why: 'wrong_role' | undefined): Promise<void> {
  const prefix = prefixOf(key);
  const [known] =
    prefix === ''
      ? []
      : await database.query<{ sourceId: string; isSame: boolean; revoked: boolean }>(
          `SELECT source_id AS "sourceId", digest = $2 AS "isSame", revoked_at IS NOT NULL AS revoked FROM keys
           WHERE prefix = $1 ORDER BY digest = $2 DESC LIMIT 1`,
          [prefix, digestOfToken(key)],
        );
  const reason: RefusedKeyReason =
    why !== undefined ? why
    : known === undefined ? 'unknown'
    : !known.isSame ? 'damaged'
    : known.revoked ? 'revoked'
    : 'expired';
  await database.query(
    `INSERT INTO refused_keys (prefix, reason, source_id, count, last_at) VALUES ($1, $2, $3, 1, $4)
     ON CONFLICT (prefix, reason) DO UPDATE SET count = CASE WHEN refused_keys.last_at < $5 THEN 1 ELSE refused_keys.count + 1 END,
       source_id = excluded.source_id, last_at = excluded.last_at`,
    [prefix, reason, known?.sourceId ?? null, now, new Date(now.getTime() - keptMs)],
  );
  await dropOldRefusedKeys({ database }, now);
}

/** Drops what is older than a day, and what is more than anyone looks at. */
export async function dropOldRefusedKeys({ database }: Pick<Platform, 'database'>, now: Date): Promise<void> {
  await database.query(
    `DELETE FROM refused_keys WHERE last_at < $1 OR last_at <
       (SELECT last_at FROM refused_keys ORDER BY last_at DESC OFFSET $2 LIMIT 1)`,
    [new Date(now.getTime() - keptMs), mostKept - 1],
  );
}

/** Refused keys that may be this source's, newest first: its own, and those nobody knows. */
export async function refusedKeysOf({ database }: Pick<Platform, 'database'>, sourceId: string, since: Date): Promise<RefusedKey[]> {
  return await database.query<RefusedKey>(
    `SELECT prefix, reason, count, last_at AS "lastAt" FROM refused_keys
     WHERE last_at >= $2 AND (source_id = $1 OR source_id IS NULL) ORDER BY last_at DESC LIMIT 10`,
    [sourceId, since],
  );
}

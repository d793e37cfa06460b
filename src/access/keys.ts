import { append, type Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Machine, MachineRole } from './caller.js';
import { findOrMakeSource, makeSource, type Source, type SourceSettings } from './source.js';
import { digestOfToken, randomToken } from './token.js';

/** The keys machines come with. A key is shown once, when it is made; its digest is what is kept. */

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

const keyPattern = /^opn_[0-9A-Za-z]{43}$/;
/** What is kept readable, to tell keys apart: far too little of the 256 bits to guess the rest. */
const prefixLength = 10;
const seenEveryMs = 60_000;

/** How long the old key still works after a rotation, unless told: time to change it on the PBX. */
export const usualOverlapMs = 24 * 60 * 60_000;

/** A key that starts as ours do, which tells it from another service's password. */
export const looksLikeKey = (text: string) => text.startsWith('opn_');

/** A key as administrators see it. */
export interface Key {
  id: string;
  name: string;
  role: MachineRole;
  /** The first characters of the key. */
  prefix: string;
  state: 'active' | 'overlapping' | 'expired' | 'revoked';
  createdAt: Date;
  lastSeenAt: Date | null;
  /** When it stops working, set by a rotation. */
  expiresAt: Date | null;
  revokedAt: Date | null;
  sourceId: string;
  sourceName: string;
}

type KeyRow = Omit<Key, 'state'>;

function present(row: KeyRow, now: Date): Key {
  const { expiresAt, revokedAt } = row;
  const state =
    revokedAt !== null ? 'revoked' : expiresAt === null ? 'active' : expiresAt > now ? 'overlapping' : 'expired';
  return { ...row, state };
}

const columns = `k.id, k.name, k.role, k.prefix, k.created_at AS "createdAt", k.last_seen_at AS "lastSeenAt",
  k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt", k.source_id AS "sourceId", s.name AS "sourceName"`;

function newKey(): { key: string; prefix: string; digest: Buffer } {
  const key = `opn_${randomToken()}`;
  return { key, prefix: key.slice(0, prefixLength), digest: digestOfToken(key) };
}

/** What is known only when a key is made. */
export interface MadeKey {
  id: string;
  key: string;
  name: string;
  role: MachineRole;
  prefix: string;
  createdAt: Date;
  source: Source;
}

/**
 * Makes a key. `source` is an existing source's id or name, or the name of a new one; without it a source is made with
 * the key's name.
 * @throws Problem `invalid-input`, `conflict`: see `findOrMakeSource`.
 */
export async function createKey(
  base: Base,
  actor: Actor,
  wanted: { name: string; role: MachineRole; source?: string | undefined } & SourceSettings,
  defaultTimeZone: string,
): Promise<MadeKey> {
  const { clock, database } = base;
  const { name, role, timezone, channels } = wanted;
  return database.inTransaction(async (tx) => {
    const source =
      wanted.source === undefined
        ? await makeSource(base, tx, actor, { name, kind: role, timezone: timezone ?? defaultTimeZone, channels })
        : await findOrMakeSource(base, tx, actor, wanted.source, role, { timezone, channels }, defaultTimeZone);
    const { key, prefix, digest } = newKey();
    const id = newId(clock);
    const createdAt = clock.now();
    await database.query(
      'INSERT INTO keys (id, source_id, name, role, prefix, digest, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [id, source.id, name, role, prefix, digest, createdAt],
      tx,
    );
    await append(database, clock, tx, {
      actor,
      action: 'key.created',
      object: { type: 'key', id },
      details: { role, sourceId: source.id },
    });
    return { id, key, name, role, prefix, createdAt, source };
  });
}

/** Newest first, those that no longer work included. */
export async function listKeys({ clock, database }: Base, page: { limit: number; cursor?: string | undefined }) {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<KeyRow>(
    `SELECT ${columns} FROM keys k JOIN sources s ON s.id = k.source_id
     WHERE $1::timestamptz IS NULL OR (k.created_at, k.id) < ($1, $2::uuid)
     ORDER BY k.created_at DESC, k.id DESC LIMIT $3`,
    [after?.at ?? null, after?.id ?? null, page.limit + 1],
  );
  const now = clock.now();
  return toPage(
    rows,
    page.limit,
    (row) => present(row, now),
    (row) => ({ at: row.createdAt, id: row.id }),
  );
}

/**
 * Makes a new key for the same source, in force at once; the old one works for `overlapMs` more.
 * @throws Problem `not-found`, `conflict` when the key no longer works or was rotated before.
 */
export async function rotateKey(
  { clock, database }: Base,
  actor: Actor,
  id: string,
  overlapMs: number,
): Promise<{
  id: string;
  key: string;
  name: string;
  role: MachineRole;
  prefix: string;
  sourceId: string;
  createdAt: Date;
  previous: { id: string; expiresAt: Date };
}> {
  return database.inTransaction(async (tx) => {
    const [old] = await database.query<{
      name: string;
      role: MachineRole;
      sourceId: string;
      expiresAt: Date | null;
      revokedAt: Date | null;
    }>(
      `SELECT name, role, source_id AS "sourceId", expires_at AS "expiresAt", revoked_at AS "revokedAt"
       FROM keys WHERE id = $1 FOR UPDATE`,
      [id],
      tx,
    );
    if (old === undefined) throw new Problem('not-found');
    if (old.revokedAt !== null || old.expiresAt !== null)
      throw new Problem('conflict', { detail: 'This key was rotated or revoked before.' });
    const { key, prefix, digest } = newKey();
    const newKeyId = newId(clock);
    const now = clock.now();
    const expiresAt = new Date(now.getTime() + overlapMs);
    const { name, role, sourceId } = old;
    await database.query(
      'INSERT INTO keys (id, source_id, name, role, prefix, digest, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [newKeyId, sourceId, name, role, prefix, digest, now],
      tx,
    );
    await database.query(
      'UPDATE keys SET expires_at = $2, replaced_by = $3 WHERE id = $1',
      [id, expiresAt, newKeyId],
      tx,
    );
    await append(database, clock, tx, {
      actor,
      action: 'key.rotated',
      object: { type: 'key', id },
      details: { replacedBy: newKeyId, overlapMs },
    });
    return { id: newKeyId, key, name, role, prefix, sourceId, createdAt: now, previous: { id, expiresAt } };
  });
}

/** Ends a key from the next request on. Its row stays, for the audit trail. @throws Problem `not-found` */
export async function revokeKey({ clock, database }: Base, actor: Actor, id: string): Promise<void> {
  await database.inTransaction(async (tx) => {
    const [key] = await database.query<{ revokedAt: Date | null }>(
      'SELECT revoked_at AS "revokedAt" FROM keys WHERE id = $1 FOR UPDATE',
      [id],
      tx,
    );
    if (key === undefined) throw new Problem('not-found');
    if (key.revokedAt !== null) return;
    await database.query('UPDATE keys SET revoked_at = $2 WHERE id = $1', [id, clock.now()], tx);
    await append(database, clock, tx, { actor, action: 'key.revoked', object: { type: 'key', id } });
  });
}

/** Keys whose `last_seen_at` this process is writing, so that a burst of pushes writes it once. */
const beingNoted = new WeakMap<Database, Set<string>>();

/** The machine that has this key, if the key works. One query by a unique index; a revoked key fails at once. */
export async function findMachine({ clock, database, log }: Base, key: string): Promise<Machine | undefined> {
  if (!keyPattern.test(key)) return undefined;
  const now = clock.now();
  const [row] = await database.queryOften<
    Omit<Machine, 'kind'> & { organisationNumbers: string[] | null; lastSeenAt: Date | null }
  >(
    `SELECT k.id AS "keyId", k.role, k.source_id AS "sourceId", k.last_seen_at AS "lastSeenAt", s.name AS "sourceName",
       s.time_zone AS "timeZone", s.channel_map AS "channelMap", s.own_numbers AS "ownNumbers",
       (SELECT o.own_numbers FROM organisation_versions o ORDER BY o.version DESC LIMIT 1) AS "organisationNumbers"
     FROM keys k JOIN sources s ON s.id = k.source_id
     WHERE k.digest = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)`,
    [digestOfToken(key), now],
  );
  if (row === undefined) return undefined;
  const { lastSeenAt, organisationNumbers, ...machine } = row;
  if (lastSeenAt === null || now.getTime() - lastSeenAt.getTime() >= seenEveryMs)
    noteSeen({ database, log }, machine.keyId, now);
  return {
    kind: 'machine',
    ...machine,
    // The organisation's numbers are a PBX's own as well.
    ownNumbers: [...new Set([...machine.ownNumbers, ...(organisationNumbers ?? [])])],
  };
}

/** Not waited for: a push is not slowed by it, and should it fail, the next push does it. */
function noteSeen({ database, log }: Pick<Base, 'database' | 'log'>, keyId: string, now: Date): void {
  const busy = beingNoted.get(database) ?? new Set();
  beingNoted.set(database, busy);
  if (busy.has(keyId)) return;
  busy.add(keyId);
  void database
    .query('UPDATE keys SET last_seen_at = greatest(last_seen_at, $2) WHERE id = $1', [keyId, now])
    .catch((error: unknown) => log.warn({ error }, 'could not note that a key was used'))
    .finally(() => busy.delete(keyId));
}

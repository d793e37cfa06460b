import type { Transaction } from 'sequelize';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';

/**
 * The audit trail's only way in. An entry is written inside the transaction of the act it describes: both stay, or
 * neither. Entries carry pseudonymous ids and digests, never names or numbers, so that erasing a person leaves the chain
 * whole.
 */

/** Who did it. `system` acts by itself (a sweep, a worker); its id names the part, such as `sweep`. */
export interface Actor {
  kind: 'person' | 'machine' | 'system';
  id: string;
}

export const systemActor = (part: string): Actor => ({ kind: 'system', id: part });

export type AuditDetail = string | number | boolean | null | AuditDetail[] | { [name: string]: AuditDetail };

export interface AuditEntry {
  actor: Actor;
  /** `noun.verb` in the past tense, such as `recording.received`. */
  action: string;
  object?: { type: string; id: string };
  /** Ids, digests, counts, dates, codes. Never names, numbers, texts. */
  details?: { [name: string]: AuditDetail };
}

/** The name of the advisory lock by which the sealer knows when every entry below some id has been decided. */
export const auditLock = 'audit.append';

/**
 * Appends entries inside `tx`. The shared lock is held to the end of the transaction: the sealer waits for those who hold
 * it (`settle.ts`), so that no entry can commit later with an id below one already sealed. It makes nobody wait.
 */
export async function append(
  database: Database,
  clock: Clock,
  tx: Transaction,
  ...entries: readonly AuditEntry[]
): Promise<void> {
  if (entries.length === 0) return;
  // One statement however many there are: a sweep appends hundreds. There is no row, and so no id, before the lock is
  // held; they get their ids in the order given.
  await database.queryOften(
    `WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended($3, 0))::text AS shared)
     INSERT INTO audit_entries (at, actor_kind, actor_id, action, object_type, object_id, details)
     SELECT $1::timestamptz, entry->'actor'->>'kind', entry->'actor'->>'id', entry->>'action', entry->'object'->>'type',
       entry->'object'->>'id', coalesce(entry->'details', '{}')
     FROM held, jsonb_array_elements($2::jsonb) WITH ORDINALITY AS given (entry, place)
     WHERE held.shared IS NOT NULL ORDER BY place`,
    [clock.now(), JSON.stringify(entries), auditLock],
    tx,
  );
}

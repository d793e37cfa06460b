import type { Actor, AuditDetail } from './log.js';

/**
 * The bytes that are hashed and signed: JSON in the canonical form of RFC 8785 (JCS), UTF-8. No white space; members
 * sorted by their names' UTF-16 code units; strings and numbers as ECMAScript's `JSON.stringify` writes them (numbers are
 * IEEE 754 doubles). Anyone with a JSON parser and SHA-256 can recompute them.
 */

/** @throws RangeError for a number that JSON has no way to write. */
export function canonical(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('Not a number that JSON can write');
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonical(value), 'utf8');

/** An entry as it stands in the chain. All of it is hashed: `canonicalBytes` of this is the leaf's data. */
export interface ChainEntry {
  id: number;
  /** UTC with milliseconds: `2026-11-22T20:15:00.000Z`. */
  at: string;
  actor: Actor;
  action: string;
  object: { type: string; id: string } | null;
  details: { [name: string]: AuditDetail };
}

/** A row of `audit_entries`, selected by `entryColumns`. */
export interface EntryRow {
  id: number;
  at: string;
  actor_kind: Actor['kind'];
  actor_id: string;
  action: string;
  object_type: string | null;
  object_id: string | null;
  details: { [name: string]: AuditDetail };
}

/** An instant as text, so that no driver's or session's habit comes in between; odd values stay visible as odd text. */
export const instantColumn = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ${column}`;

export const entryColumns = `id, ${instantColumn('at')}, actor_kind, actor_id, action, object_type, object_id, details`;

export function chainEntry(row: EntryRow): ChainEntry {
  return {
    id: row.id,
    at: row.at,
    actor: { kind: row.actor_kind, id: row.actor_id },
    action: row.action,
    // Half an object can only come from tampering: it must not look like none.
    object:
      row.object_type === null && row.object_id === null
        ? null
        : { type: row.object_type as string, id: row.object_id as string },
    details: row.details,
  };
}

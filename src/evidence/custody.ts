import type { Actor } from '../audit/log.js';
import { custodyFile } from '../packages/custody.js';
import type { CustodyLine } from '../packages/verifier/layout.js';
import type { Database } from '../platform/database.js';

/**
 * What became of a recording, taken from the audit trail: receipt, versions, corrections, listens, holds, agreements, links,
 * exports, audio sent to be transcribed. Left out is who merely looked it up, and what an authority's order or a person's
 * request keeps between others.
 */

interface TrailRow {
  id: number;
  at: string;
  actor_kind: Actor['kind'];
  actor_id: string;
  action: string;
  details: Record<string, unknown>;
  role: string | null;
}

/** With milliseconds, as the entry has it in the chain. */
const instant = `to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at`;

/** A custody file, and what in the package belongs to its lines. */
export interface Custody {
  text: string;
  entries: number;
  head: string;
  /** The entries of the audit trail that are its lines, in order. */
  entryIds: number[];
  /** Changes of what is known of the call that its lines tell of, with when and by whom: of no others is anything told. */
  changes: ReadonlyMap<string, Pick<CustodyLine, 'at' | 'actor'>>;
  /** Holds that its lines tell of. */
  holdIds: ReadonlySet<string>;
}

/** The custody file of a recording, up to the last entry of the trail that is sealed: only that can be proved. */
export async function custodyOf(database: Database, recordingId: string, sealedUpTo: number): Promise<Custody> {
  const rows = await database.query<TrailRow>(
    `SELECT e.id, ${instant}, e.actor_kind, e.actor_id, e.action, e.details, u.role
     FROM audit_entries e LEFT JOIN users u ON e.actor_kind = 'person' AND u.id::text = e.actor_id
     WHERE e.object_type = 'recording' AND e.object_id = $1 AND e.id <= $2 AND NOT e.details @> '{"secret": true}'
       AND (e.action LIKE 'hold.%' OR e.action LIKE 'agreement.%' OR e.action LIKE 'recording.%'
         OR e.action = 'transcript.audio_sent')
       AND e.action <> 'recording.viewed'
       AND NOT EXISTS (SELECT FROM holds h WHERE h.id::text = e.details ->> 'holdId' AND h.ground = 'authority_order')
     UNION ALL
     SELECT e.id, ${instant}, e.actor_kind, e.actor_id, e.action, e.details, u.role
     FROM ticket_links l JOIN audit_entries e ON e.object_id = l.ticket_id::text
       LEFT JOIN users u ON e.actor_kind = 'person' AND u.id::text = e.actor_id
     WHERE l.recording_id = $1::uuid AND e.id <= $2 AND e.object_type = 'ticket' AND e.action IN ('ticket.linked', 'ticket.unlinked')
       AND e.details ->> 'recordingId' = $1
     ORDER BY id`,
    [recordingId, sealedUpTo],
  );
  const acts = rows.map((row) => ({
    at: row.at,
    actor: { kind: row.actor_kind, id: row.actor_id, ...(row.role === null ? {} : { role: row.role }) },
    action: row.action,
    details: row.details,
    entry: row.id,
  }));
  const named = (name: string) =>
    acts.flatMap(({ at, actor, details: { [name]: id } }) => (typeof id === 'string' ? [[id, { at, actor }] as const] : []));
  return {
    ...custodyFile(acts),
    entryIds: rows.map(({ id }) => id),
    changes: new Map(named('changeId')),
    holdIds: new Set(named('holdId').map(([id]) => id)),
  };
}

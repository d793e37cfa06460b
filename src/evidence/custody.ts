import type { Actor } from '../audit/log.js';
import { custodyFile } from '../packages/custody.js';
import type { Database } from '../platform/database.js';

/**
 * What became of a recording, taken from the audit trail: receipt, versions, corrections, listens, holds, agreements, links,
 * exports. Left out is who merely looked it up, and what an authority's order or a person's request keeps between others.
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
const at = `to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at`;

/** The custody file of a recording as it stands now. */
export async function custodyOf(
  database: Database, recordingId: string,
): Promise<{ text: string; entries: number; head: string }> {
  const rows = await database.query<TrailRow>(
    `SELECT e.id, ${at}, e.actor_kind, e.actor_id, e.action, e.details, u.role
     FROM audit_entries e LEFT JOIN users u ON e.actor_kind = 'person' AND u.id::text = e.actor_id
     WHERE e.object_type = 'recording' AND e.object_id = $1 AND NOT e.details @> '{"secret": true}'
       AND (e.action LIKE 'hold.%' OR e.action LIKE 'agreement.%' OR e.action LIKE 'recording.%')
       AND e.action <> 'recording.viewed'
       AND NOT EXISTS (SELECT FROM holds h WHERE h.id::text = e.details ->> 'holdId' AND h.ground = 'authority_order')
     UNION ALL
     SELECT e.id, ${at}, e.actor_kind, e.actor_id, e.action, e.details, u.role
     FROM ticket_links l JOIN audit_entries e ON e.object_id = l.ticket_id::text
       LEFT JOIN users u ON e.actor_kind = 'person' AND u.id::text = e.actor_id
     WHERE l.recording_id = $1::uuid AND e.object_type = 'ticket' AND e.action IN ('ticket.linked', 'ticket.unlinked')
       AND e.details ->> 'recordingId' = $1
     ORDER BY id`,
    [recordingId],
  );
  return custodyFile(
    rows.map((row) => ({
      at: row.at,
      actor: { kind: row.actor_kind, id: row.actor_id, ...(row.role === null ? {} : { role: row.role }) },
      action: row.action,
      details: row.details,
      entry: row.id,
    })),
  );
}

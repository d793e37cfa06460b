import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { Disposition } from './recording.js';

/**
 * Call data records: what a PBX says of a call when it is over. They come before, after or without the recording; a
 * record without one is kept for the completeness check only.
 */

/** An interval in which the call was on hold. */
export interface Hold {
  /** ISO 8601. */
  from: string;
  to: string;
}

export interface CallRecord {
  /** The channel, as the PBX names it. Not unique: a transfer or a busy agent gives several records. */
  uniqueId: string;
  /** Tells the records of one channel apart. */
  sequence: string;
  /** What all records of a call have in common. */
  callKey: string;
  startedAt: Date;
  answeredAt: Date | null;
  endedAt: Date;
  billedMs: number | null;
  disposition: Disposition;
  callerNumber: string | null;
  callerName: string | null;
  callerWithheld: boolean;
  calleeNumber: string | null;
  channel: string | null;
  peerChannel: string | null;
  application: string | null;
  agent: string | null;
  queue: string | null;
  /** The path of the recording as the PBX knows it. */
  recordingName: string | null;
  holds: Hold[];
}

/** The columns of `call_records` by the names used here. */
export const callRecordColumns = `id, unique_id AS "uniqueId", sequence, call_key AS "callKey", started_at AS "startedAt",
  answered_at AS "answeredAt", ended_at AS "endedAt", billed_ms AS "billedMs", disposition, caller_number AS "callerNumber",
  caller_name AS "callerName", caller_withheld AS "callerWithheld", callee_number AS "calleeNumber", channel,
  peer_channel AS "peerChannel", application, agent, queue, recording_name AS "recordingName", holds`;

/**
 * Whoever changes what is known of a call holds this, so that a recording and its record cannot miss each other. A call
 * has as many names as it has channels; they are locked in their order, so that nobody waits for who waits for them.
 */
export async function lockCall(database: Database, tx: Transaction, sourceId: string, ...names: string[]): Promise<void> {
  const locks = [...new Set(names)].sort().map((name) => `recordings.call ${sourceId} ${name}`);
  if (locks.length > 0) await database.query('SELECT pg_advisory_xact_lock(hashtextextended(name, 0))::text FROM unnest($1::text[]) AS name', [locks], tx);
}

/** Locks the call of the recording `id` by its own names, in the same order. @returns undefined when there is none */
export async function lockCallNamedBy(
  database: Database,
  tx: Transaction,
  id: string,
): Promise<{ source_id: string; call_id: string; call_key: string } | undefined> {
  const [call] = await database.queryOften<{ source_id: string; call_id: string; call_key: string }>(
    `SELECT r.source_id, r.call_id, r.call_key,
       (SELECT count(pg_advisory_xact_lock(hashtextextended('recordings.call ' || r.source_id || ' ' || name, 0))::text)
        FROM (SELECT DISTINCT named COLLATE "C" AS name FROM unnest(ARRAY[r.call_id, r.call_key]) AS named ORDER BY 1) AS names) AS locks
     FROM recordings r WHERE r.id = $1`,
    [id],
    tx,
  );
  return call;
}

/** Locks the call of a recording by its own names and by those that its call data has for it. */
export async function lockCallOf(
  database: Database,
  tx: Transaction,
  recording: { source_id: string; call_id: string; call_key: string },
): Promise<void> {
  await lockCall(database, tx, recording.source_id, recording.call_key, recording.call_id);
  const further = await database.query<{ name: string }>(
    'SELECT DISTINCT call_key AS name FROM call_records WHERE source_id = $1 AND unique_id = $2 AND call_key <> ALL($3::text[])',
    [recording.source_id, recording.call_id, [recording.call_key, recording.call_id]],
    tx,
  );
  await lockCall(database, tx, recording.source_id, ...further.map(({ name }) => name));
}

import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import { recordingColumns, type Disposition, type RecordingRow } from './recording.js';

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

/**
 * Locks the call of the recording `id` by its own names, in the same order, and then its row.
 * @returns undefined when there is none
 */
export async function lockRecordingAndCall(
  database: Database,
  tx: Transaction,
  id: string,
): Promise<(RecordingRow & { locked_key: string }) | undefined> {
  const [recording] = await database.queryOften<RecordingRow & { locked_key: string }>(callThenRow, [id], tx);
  return recording;
}

/** The row is locked when the whole line is there, and given as it is by then: another may have changed it in between. */
const callThenRow = `
  WITH call AS MATERIALIZED (
    SELECT named.call_key AS locked_key,
      (SELECT count(pg_advisory_xact_lock(hashtextextended('recordings.call ' || named.source_id || ' ' || name, 0))::text)
       FROM (SELECT DISTINCT each COLLATE "C" AS name FROM unnest(ARRAY[named.call_id, named.call_key]) AS each ORDER BY 1) AS names) AS locks
    FROM recordings named WHERE named.id = $1
  )
  SELECT ${recordingColumns('r')}, call.locked_key FROM call JOIN recordings r ON r.id = $1 WHERE call.locks > 0 FOR UPDATE OF r`;

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

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

/** Whoever changes what is known of one call holds this, so that a recording and its record cannot miss each other. */
export async function lockCall(database: Database, tx: Transaction, sourceId: string, callKey: string): Promise<void> {
  await database.advisoryLock(tx, `recordings.call ${sourceId} ${callKey}`, 'exclusive');
}

import type { Transaction } from 'sequelize';
import { append, type Actor } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { broughtForward, endOfCall } from '../retention/policy.js';
import { factsOf, holdsOf, recordsOfCaller, type CallFacts } from './call-facts.js';
import { callRecordColumns, type CallRecord } from './call-record.js';
import { fieldChanges, keepChange } from './history.js';
import type { Interval, RecordingRow, VersionRow } from './recording.js';

type Base = Pick<Platform, 'clock' | 'database'>;
type Known = RecordingRow & Pick<VersionRow, 'duration_ms' | 'received_at'> & { version_id: string };

/**
 * Brings the recordings and the records of a call together: each recording learns what its records tell, and records
 * that have one are kept with it from now on. The caller holds `lockCall`. Facts fill gaps; what a push told stays,
 * but for a number that the caller withheld.
 */
export async function settleCall(platform: Base, tx: Transaction, sourceId: string, callKey: string, actor: Actor): Promise<void> {
  const { database } = platform;
  const recordings = await database.query<Known>(
    `SELECT r.*, v.id AS version_id, v.duration_ms, v.received_at
     FROM recordings r JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version
     WHERE r.source_id = $1 AND r.version > 0 AND r.purge_intent IS NULL AND (r.call_key = $2 OR r.call_id = $2
       OR r.call_id IN (SELECT c.unique_id FROM call_records c WHERE c.source_id = $1 AND c.call_key = $2))
     ORDER BY r.id FOR UPDATE OF r`,
    [sourceId, callKey],
    tx,
  );
  if (recordings.length === 0) return;
  const keys = [...new Set([callKey, ...recordings.flatMap((recording) => [recording.call_key, recording.call_id])])];
  const records = await database.query<CallRecord & { id: string }>(
    `SELECT ${callRecordColumns} FROM call_records
     WHERE source_id = $1 AND purge_intent IS NULL AND (call_key = ANY($2::text[]) OR unique_id = ANY($2::text[]))
     ORDER BY started_at, sequence`,
    [sourceId, keys],
    tx,
  );
  if (records.length === 0) return;
  // With several recordings of a call its records go with the one that stays longest.
  const keeper = recordings.reduce((a, b) => (b.retain_until > a.retain_until ? b : a));
  await database.query(
    'UPDATE call_records SET recording_id = $2 WHERE id = ANY($1::uuid[]) AND recording_id IS DISTINCT FROM $2',
    [records.map((record) => record.id), keeper.id],
    tx,
  );
  for (const recording of recordings) {
    const facts = factsOf(recording.call_id, records);
    if (facts === undefined) continue;
    await fillIn(platform, tx, recording, facts, holdsOf(records, recording.started_at), actor);
    if (recording.caller_withheld || facts.callerWithheld) await forgetCallerInRecords(database, tx, recording, records);
  }
}

/** What the network told of a caller who hides does not stay in the records either. */
async function forgetCallerInRecords(
  database: Base['database'],
  tx: Transaction,
  recording: Known,
  records: readonly (CallRecord & { id: string })[],
): Promise<void> {
  const ofCaller = recordsOfCaller(recording.call_id, records);
  const hidden = new Set([recording.caller_number, ...ofCaller.map(({ callerNumber }) => callerNumber)]);
  const telling = records.filter(
    (record) => (record.callerNumber !== null && hidden.has(record.callerNumber)) || (record.callerName !== null && ofCaller.includes(record)),
  );
  if (telling.length === 0) return;
  await database.query(
    'UPDATE call_records SET caller_number = NULL, caller_name = NULL, caller_withheld = true WHERE id = ANY($1::uuid[])',
    [telling.map(({ id }) => id)],
    tx,
  );
}

/** An end that lies before the start, or a day behind it, is another clock's. */
function plausibleEnd(recording: Known, { endedAt }: CallFacts): Date | null {
  const tookMs = endedAt.getTime() - recording.started_at.getTime();
  return recording.ended_at ?? (tookMs >= 0 && tookMs <= 86_400_000 ? endedAt : null);
}

async function fillIn(
  { clock, database }: Base,
  tx: Transaction,
  recording: Known,
  facts: CallFacts,
  holds: Interval[],
  actor: Actor,
): Promise<void> {
  const callerWithheld = recording.caller_withheld || facts.callerWithheld;
  const endedAt = plausibleEnd(recording, facts);
  const measured = { startedAt: recording.started_at, durationMs: recording.duration_ms, receivedAt: recording.received_at };
  const after: Partial<RecordingRow> = {
    disposition: facts.disposition,
    answered_at: facts.answeredAt,
    billed_ms: facts.billedMs,
    transfers: facts.transfers,
    caller_withheld: callerWithheld,
    // Withheld, whoever says so, goes before a number, whatever PBX tells it. What stands beside it since was corrected by hand.
    caller_number: recording.caller_withheld ? recording.caller_number : callerWithheld ? null : (recording.caller_number ?? facts.callerNumber),
    caller_name: recording.caller_withheld ? recording.caller_name : callerWithheld ? null : (recording.caller_name ?? facts.callerName),
    callee_number: recording.callee_number ?? facts.calleeNumber,
    agent: recording.agent ?? facts.agent,
    queue: recording.queue ?? facts.queue,
    ended_at: endedAt,
    holds: recording.holds.length > 0 ? recording.holds : holds,
  };
  const changes = fieldChanges(recording, after);
  const fields = changes.map(({ field }) => field);
  if (fields.length === 0 && recording.call_data_at !== null) return;
  const retainUntil = broughtForward(
    recording.retain_until,
    endOfCall({ ...measured, endedAt: recording.ended_at }),
    endOfCall({ ...measured, endedAt }),
  );
  await database.query(
    `UPDATE recordings SET disposition = $2, answered_at = $3, billed_ms = $4, transfers = $5::jsonb, caller_withheld = $6,
       caller_number = $7, caller_name = $8, callee_number = $9, agent = $10, queue = $11, ended_at = $12, holds = $13::jsonb,
       retain_until = $14, call_data_at = coalesce(call_data_at, $15) WHERE id = $1`,
    [
      recording.id, after.disposition, after.answered_at, after.billed_ms, JSON.stringify(after.transfers), callerWithheld,
      after.caller_number, after.caller_name, after.callee_number, after.agent, after.queue, endedAt,
      JSON.stringify(after.holds), retainUntil, clock.now(),
    ],
    tx,
  );
  // What the playback copy leaves out has changed: it is made anew.
  if (fields.includes('holds'))
    await database.query(
      `UPDATE recording_versions SET state = 'received', attempts = 0, next_attempt_at = $2 WHERE id = $1 AND state <> 'receiving'`,
      [recording.version_id, clock.now()],
      tx,
    );
  const kept = fields.length === 0 ? {} : await keepChange({ clock, database }, tx, recording.id, { fields: changes }, actor);
  await append(database, clock, tx, {
    actor,
    action: 'recording.call_data_added',
    object: { type: 'recording', id: recording.id },
    details: { fields, shortened: retainUntil < recording.retain_until, ...kept },
  });
}

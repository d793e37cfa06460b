import type { Transaction } from 'sequelize';
import { actorOf, type Machine } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { broughtForward, endOfCall } from '../retention/policy.js';
import { purgeJob } from '../retention/sweep.js';
import { lockCall } from './call-record.js';
import { settleCall } from './call-settle.js';
import { excludeCall, type ExclusionPlatform } from './exclude-call.js';
import { fieldChanges, keepChange } from './history.js';
import type { MetadataChange } from './metadata.js';
import { lockRecordingOfCall, type RecordingRow, type VersionRow } from './recording.js';
import { withholdThroughout } from './withhold.js';

const json = new Set(['channel_map', 'holds']);

/**
 * Changes what is known of a call. Dates may shorten the retention period, never lengthen it.
 * @returns the id of the recording
 * @throws Problem `not-found`, `retention-ended`, `number-excluded` when an excluded number turns out to take part: then the
 * recording is being deleted
 */
export async function changeMetadata(
  platform: ExclusionPlatform & Pick<Platform, 'jobs'>,
  machine: Machine,
  call: { sourceId: string; callId: string; part: string },
  told: MetadataChange,
): Promise<string> {
  const { clock, database } = platform;
  const outcome = await database.inTransaction(async (tx) => {
    await lockBefore(database, tx, call, told);
    const recording = await lockRecordingOfCall(database, call, tx);
    if (recording === undefined || recording.version === 0) throw new Problem('not-found');
    if (recording.retain_until <= clock.now() || recording.purge_intent !== null) throw new Problem('retention-ended');
    const change = recording.caller_withheld ? withoutCaller(told) : told;
    const fields = fieldChanges(recording, change);
    const changed = Object.entries(change).filter(([column]) => fields.some(({ field }) => field === column));
    if (Object.keys(told).length > 0 && (await isExcludedNow(platform, machine, tx, { ...recording, ...told }))) return 'excluded';
    if (changed.length === 0) return recording.id;
    const [version] = await database.query<VersionRow>(
      'SELECT * FROM recording_versions WHERE recording_id = $1 AND number = $2',
      [recording.id, recording.version],
      tx,
    );
    if (version === undefined) throw new Problem('not-found');
    const measured = { durationMs: version.duration_ms, receivedAt: version.received_at };
    const before = endOfCall({ startedAt: recording.started_at, endedAt: recording.ended_at, ...measured });
    const after = endOfCall({
      startedAt: change.started_at ?? recording.started_at,
      endedAt: change.ended_at ?? recording.ended_at,
      ...measured,
    });
    const retainUntil = broughtForward(recording.retain_until, before, after);
    const assignments = changed.map(([column], index) => `${column} = $${index + 3}${json.has(column) ? '::jsonb' : ''}`);
    await database.query(
      `UPDATE recordings SET retain_until = $2, ${assignments.join(', ')} WHERE id = $1`,
      [recording.id, retainUntil, ...changed.map(([column, value]) => (json.has(column) ? JSON.stringify(value) : value))],
      tx,
    );
    // What the playback copy leaves out has changed: it is made anew.
    if (changed.some(([column]) => column === 'holds'))
      await database.query(
        `UPDATE recording_versions SET state = 'received', attempts = 0, next_attempt_at = $2 WHERE id = $1`,
        [version.id, clock.now()],
        tx,
      );
    const kept = await keepChange(platform, tx, recording.id, { fields }, actorOf(machine));
    await append(database, clock, tx, {
      actor: actorOf(machine),
      action: 'recording.metadata_changed',
      object: { type: 'recording', id: recording.id },
      details: { fields: changed.map(([column]) => column), shortened: retainUntil < recording.retain_until, ...kept },
    });
    const hides = change.caller_withheld === true;
    if (hides) await withholdThroughout(platform, tx, recording, actorOf(machine), recording.caller_number);
    // Call data may be there under the name that the call is given now, or tell the number that is withheld now.
    const linked = change.linked_id ?? null;
    if (linked !== null || hides) await settleCall(platform, tx, call.sourceId, linked ?? recording.call_key, actorOf(machine));
    return recording.id;
  });
  if (outcome !== 'excluded') return outcome;
  platform.jobs.nudge(purgeJob);
  throw new Problem('number-excluded');
}

/** A number that the caller withheld stays unknown, whoever tells it later. */
function withoutCaller(told: MetadataChange): MetadataChange {
  const { caller_number: _number, caller_name: _name, ...rest } = told;
  return rest;
}

/** The call is locked before its row, in the same order as whoever brings call data. */
async function lockBefore(
  database: Platform['database'],
  tx: Transaction,
  call: { sourceId: string; callId: string; part: string },
  change: MetadataChange,
): Promise<void> {
  const [known] = await database.query<{ key: string }>(
    'SELECT call_key AS key FROM recordings WHERE source_id = $1 AND call_id = $2 AND part = $3',
    [call.sourceId, call.callId, call.part],
    tx,
  );
  const names = [call.callId, known?.key, change.linked_id].filter((name) => name !== undefined && name !== null);
  await lockCall(database, tx, call.sourceId, ...names);
}

async function isExcludedNow(
  platform: ExclusionPlatform,
  machine: Machine,
  tx: Transaction,
  after: Pick<RecordingRow, 'source_id' | 'call_id' | 'call_key' | 'linked_id' | 'caller_number' | 'callee_number' | 'agent' | 'queue'>,
): Promise<boolean> {
  const call = { sourceId: after.source_id, names: [after.call_id, after.call_key, after.linked_id] };
  const parties = [after.caller_number, after.callee_number, after.agent, after.queue];
  return await excludeCall(platform, tx, call, { parties }, actorOf(machine));
}

import type { Transaction } from 'sequelize';
import { append, type Actor } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { fieldChanges, keepChange } from './history.js';
import type { RecordingRow } from './recording.js';

/**
 * A caller who withheld their number did so for the whole call. When one of its parts says so, the others forget caller and
 * name too, as does a recording that the call went on to and that has just the number that is forgotten here. What stands
 * beside "withheld" already was corrected by hand, and stays. The caller holds `lockCall`.
 * @param forgotten the number that the part which said so had until now
 */
export async function withholdThroughout(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  call: Pick<RecordingRow, 'source_id' | 'call_id' | 'call_key'>,
  actor: Actor,
  forgotten: string | null = null,
): Promise<void> {
  const recordings = await database.query<RecordingRow>(
    `SELECT * FROM recordings WHERE source_id = $1 AND (call_id = $2 OR call_key = $3) AND version > 0 AND purge_intent IS NULL
     ORDER BY id FOR UPDATE`,
    [call.source_id, call.call_id, call.call_key],
    tx,
  );
  const parts = recordings.filter((recording) => recording.call_id === call.call_id);
  if (!parts.some((part) => part.caller_withheld)) return;
  const numbers = new Set([forgotten, ...parts.filter((part) => !part.caller_withheld).map((part) => part.caller_number)]);
  numbers.delete(null);
  const telling = recordings.filter(
    (recording) => !recording.caller_withheld && (parts.includes(recording) || numbers.has(recording.caller_number)),
  );
  for (const recording of telling) {
    const fields = fieldChanges(recording, { caller_number: null, caller_name: null, caller_withheld: true });
    await database.query('UPDATE recordings SET caller_number = NULL, caller_name = NULL, caller_withheld = true WHERE id = $1', [recording.id], tx);
    const kept = await keepChange({ clock, database }, tx, recording.id, { fields }, actor);
    await append(database, clock, tx, {
      actor,
      action: 'recording.metadata_changed',
      object: { type: 'recording', id: recording.id },
      details: { fields: fields.map(({ field }) => field), shortened: false, ...kept },
    });
  }
}

import type { Transaction } from 'sequelize';
import type { Machine } from '../access/caller.js';
import { append, type Actor } from '../audit/log.js';
import type { RecognisedAudio } from '../platform/audio/recognise.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { heldAt } from '../retention/hold.js';
import { broughtForward, endOfCall } from '../retention/policy.js';
import { requestRetags } from '../retention/retag.js';
import { erasedBefore, pushDigest } from '../retention/tombstone.js';
import { lockCall, lockCallNamedBy } from './call-record.js';
import { settleCall } from './call-settle.js';
import { digestsOf, excludedBefore, type ExclusionPlatform } from './exclude-call.js';
import { fieldChanges, keepChange } from './history.js';
import { joinLegs } from './legs.js';
import type { Metadata } from './metadata.js';
import { objectKeys, recordingColumns, type RecordingRow, type VersionRow } from './recording.js';
import type { Upload } from './upload.js';

/**
 * The two transactions between which the bytes of a recording are stored: one opens a version, so that there is a row
 * before there is an object; the other makes it the newest, once storage has it. Every statement is a round trip that
 * every push makes, so what is asked together is asked in one.
 */

type VersionPlatform = Pick<Platform, 'clock' | 'database' | 'jobs' | 'log' | 'objects'> & ExclusionPlatform;

/** The worker's job: it finds what there is to do by state; the nudge only saves time. */
export const processJob = 'recordings.process';

export interface Ingested {
  outcome: 'created' | 'new_version' | 'duplicate';
  recordingId: string;
}

/** What is known of a version while its bytes are being stored. */
export type OpenVersion = Pick<VersionRow, 'id' | 'recording_id' | 'original_key' | 'bytes' | 'sha256' | 'duration_ms' | 'received_at'>;

type Opened = { duplicateOf: string } | { version: OpenVersion; held: boolean };

type Opening = [
  platform: VersionPlatform,
  machine: Machine,
  metadata: Metadata,
  upload: Upload,
  audio: RecognisedAudio,
  times: { receivedAt: Date; retainUntil: Date },
];

/**
 * Writes the row of a version that is about to be stored, and of its recording where it is the first. Neither is seen by
 * anyone yet.
 * @throws Problem `retention-over` when the recording is past its date, being deleted, or was erased on request
 */
export async function openVersion(...given: Opening): Promise<Opened> {
  return await given[0].database.inTransaction((tx) => open(tx, ...given));
}

async function open(tx: Transaction, ...[platform, machine, metadata, upload, audio, times]: Opening): Promise<Opened> {
  const { database, clock } = platform;
  const call = { sourceId: machine.sourceId, callId: metadata.callId, part: metadata.part };
  // A row that is there is locked by being written as it was; one that is being deleted is waited for.
  const [recording] = await database.queryOften<Pick<RecordingRow, 'id' | 'version' | 'purge_intent' | 'retain_until'>>(
    `INSERT INTO recordings AS r (id, source_id, call_id, part, linked_id, direction, caller_number, caller_name, callee_number,
       callee_name, agent, queue, ticket_number, started_at, ended_at, holds, channel_map, created_at, retain_until,
       caller_withheld, leg)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17::jsonb, $18, $19, $20, $21)
     ON CONFLICT (source_id, call_id, part) DO UPDATE SET call_id = excluded.call_id
     RETURNING r.id, r.version, r.purge_intent, r.retain_until`,
    [
      newId(clock), call.sourceId, call.callId, call.part, metadata.linkedId, metadata.direction, metadata.callerNumber,
      metadata.callerName, metadata.calleeNumber, metadata.calleeName, metadata.agent, metadata.queue,
      metadata.ticketNumber, metadata.startedAt, metadata.endedAt, JSON.stringify(metadata.holds),
      JSON.stringify(metadata.channelMap), times.receivedAt, times.retainUntil, metadata.callerWithheld, metadata.leg,
    ],
    tx,
  );
  if (recording === undefined) throw new Error('a recording that was just inserted is gone');
  if (recording.purge_intent !== null || (recording.version > 0 && recording.retain_until <= times.receivedAt))
    throw new Problem('retention-over');
  const id = newId(clock);
  const extension = fileExtensionOf(audio);
  const version: OpenVersion = {
    id, recording_id: recording.id, original_key: objectKeys(recording.id, id, extension).original, bytes: upload.bytes,
    sha256: upload.sha256, duration_ms: Math.round(audio.estimatedDurationMs), received_at: times.receivedAt,
  };
  const [found] = await database.queryOften<{ erased: boolean; committed: boolean; held: boolean }>(
    insertVersion,
    [
      recording.id, upload.sha256, pushDigest(call.sourceId, call.callId, call.part), times.receivedAt, id,
      version.original_key, extension, upload.bytes, upload.md5, audio.container, audio.codec, audio.channels,
      audio.sampleRateHz, version.duration_ms, audio.truncated, JSON.stringify(audio.input ?? null),
    ],
    tx,
  );
  // What was erased on request does not come back because a PBX still has it.
  if (found?.erased !== false) throw new Problem('retention-over');
  return found.committed ? { duplicateOf: recording.id } : { version, held: found.held };
}

/** SQL: are these bytes already a committed version of the recording? */
const committedVersion = (recordingSql: string, digestSql: string) =>
  `EXISTS (SELECT FROM recording_versions w WHERE w.recording_id = ${recordingSql} AND w.sha256 = ${digestSql} AND w.state <> 'receiving')`;

/** Writes a version of the recording $1 unless it was erased, or has these bytes; tells both, and whether it is held. */
const insertVersion = `
  WITH found AS MATERIALIZED (
    SELECT ${erasedBefore('$3::text')} AS erased, ${committedVersion('$1::uuid', '$2::text')} AS committed,
      ${heldAt('recording', '$1::uuid', '$4::timestamptz')} AS held
  ), written AS (
    INSERT INTO recording_versions (id, recording_id, state, original_key, file_extension, bytes, sha256, md5, container,
      codec, channels, sample_rate_hz, duration_ms, truncated, ffmpeg_input, received_at, next_attempt_at)
    SELECT $5::uuid, $1::uuid, 'receiving', $6, $7, $8, $2, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $4::timestamptz,
      $4::timestamptz
    FROM found WHERE NOT erased AND NOT committed
  )
  SELECT erased, committed, held FROM found`;

/** Safe for a key: what the file would be called, so that a package can name it. */
function fileExtensionOf(audio: RecognisedAudio): string {
  const named = audio.container === 'raw' ? audio.codec : audio.container;
  return /^[a-z0-9_]{1,12}$/.test(named) ? named : 'bin';
}

/**
 * Makes a proved version the newest one, in one transaction with its audit entry. When the same bytes were committed
 * meanwhile by another request, this copy is removed and the answer is that recording.
 */
export async function commitVersion(
  platform: VersionPlatform,
  version: OpenVersion,
  actor: Actor,
  metadata: Metadata | undefined,
): Promise<Ingested> {
  const { database, clock } = platform;
  const committed = await database.inTransaction(async (tx) => {
    // Before the row, in the same order as whoever brings call data.
    const call = await lockCallNamedBy(database, tx, version.recording_id);
    if (call === undefined) return 'retention-over';
    const [recording] = await database.queryOften<RecordingRow>(
      `SELECT ${recordingColumns('r')} FROM recordings r WHERE r.id = $1 FOR UPDATE`, [version.recording_id], tx,
    );
    // Its date may have come while the bytes were being stored, or since a process died over it.
    if (recording === undefined || recording.purge_intent !== null || recording.retain_until <= clock.now()) return 'retention-over';
    const around = await lookAround(platform, tx, recording, call, version);
    // Its call data may have come while the bytes were being stored.
    if (around.excluded) return 'number-excluded';
    if (around.duplicate) return { ...recording, duplicate: true };
    const number = recording.version + 1;
    await database.queryOften(
      `WITH made AS (UPDATE recordings SET version = $2 WHERE id = $4)
       UPDATE recording_versions SET state = 'received', number = $2, next_attempt_at = $3 WHERE id = $1`,
      [version.id, number, clock.now(), recording.id],
      tx,
    );
    await append(database, clock, tx, {
      actor,
      action: 'recording.received',
      object: { type: 'recording', id: recording.id },
      details: { version: number, versionId: version.id, sha256: version.sha256, bytes: version.bytes },
    });
    if (number > 1 && metadata !== undefined) await applyPushedMetadata(platform, recording, version, metadata, actor, tx);
    // The object may have been tagged before a hold was placed that saw nothing of it.
    if (around.held) await requestRetags(database, tx, [{ kind: 'recording', itemId: recording.id }], clock.now());
    if (around.records) await settleCall(platform, tx, call.source_id, call.call_key, actor);
    if (around.parts) await joinLegs(platform, tx, recording.id);
    return { ...recording, duplicate: false };
  });
  if (typeof committed === 'string' || committed.duplicate) {
    await abandonVersion(platform, version);
    if (typeof committed === 'string') throw new Problem(committed);
    return { outcome: 'duplicate', recordingId: committed.id };
  }
  platform.jobs.nudge(processJob);
  return { outcome: committed.version === 0 ? 'created' : 'new_version', recordingId: committed.id };
}

/** What a locked recording stands among. Most have neither call data yet nor other parts, and no more is asked for them. */
async function lookAround(
  { clock, database }: VersionPlatform,
  tx: Transaction,
  { id, source_id: sourceId, call_id: callId, call_key: callKey }: RecordingRow,
  locked: Pick<RecordingRow, 'source_id' | 'call_id' | 'call_key'>,
  version: OpenVersion,
): Promise<{ duplicate: boolean; held: boolean; excluded: boolean; records: boolean; parts: boolean }> {
  const [found] = await database.queryOften<{ duplicate: boolean; held: boolean; excluded: boolean; keys: string[]; parts: boolean }>(
    whatIsAround,
    [
      id, version.sha256, clock.now(), sourceId, callId, callKey,
      digestsOf({ sourceId: locked.source_id, names: [locked.call_id, locked.call_key] }),
    ],
    tx,
  );
  if (found === undefined) throw new Error('a statement without a table gave no row');
  // The call data may have a name for the call that was not locked yet.
  await lockCall(database, tx, sourceId, ...found.keys.filter((key) => key !== callId && key !== callKey));
  return { ...found, records: found.keys.length > 0 };
}

const whatIsAround = `
  SELECT ${committedVersion('$1::uuid', '$2')} AS duplicate, ${heldAt('recording', '$1::uuid', '$3')} AS held,
    ${excludedBefore('$4', '$7')} AS excluded,
    ARRAY(SELECT DISTINCT c.call_key FROM call_records c
      WHERE c.source_id = $4 AND (c.call_key IN ($5, $6) OR c.unique_id IN ($5, $6))) AS keys,
    EXISTS (SELECT FROM recordings o WHERE o.source_id = $4 AND o.call_id = $5 AND o.id <> $1) AS parts`;

/** A later push tells more than an earlier one; it never lengthens the period. */
async function applyPushedMetadata(
  platform: VersionPlatform,
  recording: RecordingRow,
  version: OpenVersion,
  metadata: Metadata,
  actor: Actor,
  tx: Transaction,
): Promise<void> {
  const call = { durationMs: version.duration_ms, receivedAt: version.received_at };
  const before = endOfCall({ startedAt: recording.started_at, endedAt: recording.ended_at, ...call });
  const retainUntil = broughtForward(recording.retain_until, before, endOfCall({ ...metadata, ...call }));
  const withheld = recording.caller_withheld || metadata.callerWithheld;
  const after = {
    linked_id: metadata.linkedId ?? recording.linked_id,
    // A number that the caller withheld stays unknown, whichever version says so. What stands beside it was corrected by hand.
    caller_withheld: withheld,
    caller_number: recording.caller_withheld ? recording.caller_number : withheld ? null : (metadata.callerNumber ?? recording.caller_number),
    caller_name: recording.caller_withheld ? recording.caller_name : withheld ? null : (metadata.callerName ?? recording.caller_name),
    callee_number: metadata.calleeNumber ?? recording.callee_number,
    agent: metadata.agent ?? recording.agent,
    queue: metadata.queue ?? recording.queue,
    ticket_number: metadata.ticketNumber ?? recording.ticket_number,
    ended_at: metadata.endedAt ?? recording.ended_at,
    holds: metadata.holds,
    channel_map: metadata.channelMap,
    direction: metadata.direction,
  } satisfies Partial<RecordingRow>;
  const fields = fieldChanges(recording, after);
  if (fields.length === 0 && retainUntil.getTime() === recording.retain_until.getTime()) return;
  await platform.database.query(
    `UPDATE recordings SET linked_id = $2, caller_number = $3, caller_name = $4, callee_number = $5, agent = $6, queue = $7,
       ticket_number = $8, ended_at = $9, holds = $10::jsonb, channel_map = $11::jsonb, retain_until = $12, direction = $13,
       caller_withheld = $14 WHERE id = $1`,
    [
      recording.id, after.linked_id, after.caller_number, after.caller_name, after.callee_number, after.agent, after.queue,
      after.ticket_number, after.ended_at, JSON.stringify(after.holds), JSON.stringify(after.channel_map), retainUntil,
      after.direction, after.caller_withheld,
    ],
    tx,
  );
  const kept = fields.length === 0 ? {} : await keepChange(platform, tx, recording.id, { fields }, actor);
  await append(platform.database, platform.clock, tx, {
    actor,
    action: 'recording.metadata_changed',
    object: { type: 'recording', id: recording.id },
    details: { fields: fields.map(({ field }) => field), shortened: retainUntil < recording.retain_until, ...kept },
  });
}

/**
 * Takes back a version that was never acknowledged: its object first, then its rows, so that nothing is left without a
 * row. When the storage is away the row stays `receiving` and is taken up later.
 * @returns whether it is gone
 */
export async function abandonVersion(platform: VersionPlatform, version: OpenVersion): Promise<boolean> {
  const failures = await platform.objects
    .deleteEveryVersion([version.original_key])
    .then((results) => results.filter((result) => result.error !== undefined).length)
    .catch(() => 1);
  if (failures > 0) return false;
  await platform.database.inTransaction(async (tx) => {
    await platform.database.query(`DELETE FROM recording_versions WHERE id = $1 AND state = 'receiving'`, [version.id], tx);
    await platform.database.query(
      `DELETE FROM recordings r WHERE id = $1 AND version = 0
         AND NOT EXISTS (SELECT 1 FROM recording_versions v WHERE v.recording_id = r.id)`,
      [version.recording_id],
      tx,
    );
  });
  return true;
}


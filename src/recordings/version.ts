import type { Transaction } from 'sequelize';
import type { Machine } from '../access/caller.js';
import { append, type Actor } from '../audit/log.js';
import type { RecognisedAudio } from '../platform/audio/recognise.js';
import { sqlState } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Period } from '../retention/category.js';
import { heldAt } from '../retention/hold.js';
import { isInForce } from '../retention/policies.js';
import { broughtForward, endOfCall } from '../retention/policy.js';
import { requestRetags } from '../retention/retag.js';
import { endedBefore, erasedBefore, pushDigest } from '../retention/tombstone.js';
import { lockCall, lockRecordingAndCall } from './call-record.js';
import { settleCall } from './call-settle.js';
import { digestsOf, excludedBefore, type ExclusionPlatform } from './exclude-call.js';
import { fieldChanges, keepChange } from './history.js';
import { joinLegs } from './legs.js';
import type { Metadata } from './metadata.js';
import { objectKeys, type RecordingRow, type VersionRow } from './recording.js';
import type { Upload } from './upload.js';
import { withholdThroughout } from './withhold.js';

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

export type Opened = { duplicateOf: string } | { version: OpenVersion; held: boolean };

type Opening = [
  platform: VersionPlatform,
  machine: Machine,
  metadata: Metadata,
  upload: Upload,
  audio: RecognisedAudio,
  times: { receivedAt: Date; retainUntil: Date; period: Period },
];

/**
 * Writes the row of a version that is about to be stored, and of its recording where it is the first. Neither is seen by
 * anyone yet. Undefined, and nothing is written, when another period is in force by now than `retainUntil` was made with.
 * @throws Problem `retention-over` when the recording is past its date, being deleted, or was deleted before
 */
export async function openVersion(...given: Opening): Promise<Opened | undefined> {
  const [{ database, clock }, machine, metadata, upload, audio, times] = given;
  const [newRecordingId, id] = [newId(clock), newId(clock)];
  const extension = fileExtensionOf(audio);
  const opened: Omit<OpenVersion, 'recording_id' | 'original_key'> = {
    id, bytes: upload.bytes, sha256: upload.sha256, duration_ms: Math.round(audio.estimatedDurationMs), received_at: times.receivedAt,
  };
  const bind = [
    newRecordingId, machine.sourceId, metadata.callId, metadata.part, metadata.linkedId, metadata.direction, metadata.callerNumber,
    metadata.callerName, metadata.calleeNumber, metadata.calleeName, metadata.agent, metadata.queue, metadata.ticketNumber,
    metadata.startedAt, metadata.endedAt, JSON.stringify(metadata.holds), JSON.stringify(metadata.channelMap), times.receivedAt,
    times.retainUntil, metadata.callerWithheld, metadata.leg, pushDigest(machine.sourceId, metadata.callId, metadata.part),
    upload.sha256, id, objectKeys(newRecordingId, id, extension).original, extension, upload.bytes, upload.md5, audio.container,
    audio.codec, audio.channels, audio.sampleRateHz, opened.duration_ms, audio.truncated, JSON.stringify(audio.input ?? null),
    times.period.amount, times.period.unit,
  ];
  // One statement is a transaction. Should it collide with others, it is tried again as every transaction is.
  const rows = await database.queryOften<OpenedRow>(openRows, bind).catch((error: unknown) => {
    if (!['40001', '40P01'].includes(sqlState(error) ?? '')) throw error;
    return database.inTransaction((tx) => database.queryOften<OpenedRow>(openRows, bind, tx));
  });
  const [found] = rows;
  if (found?.outdated === true) return undefined;
  if (found === undefined || found.id === null || found.refused) throw new Problem('retention-over');
  if (found.committed) return { duplicateOf: found.id };
  return { version: { ...opened, recording_id: found.id, original_key: found.original_key }, held: found.held };
}

interface OpenedRow {
  outdated: boolean;
  /** Null where no row was written. */
  id: string | null;
  refused: boolean;
  committed: boolean;
  held: boolean;
  original_key: string;
}

/** SQL: are these bytes already a committed version of the recording? */
const committedVersion = (recordingSql: string, digestSql: string) =>
  `EXISTS (SELECT FROM recording_versions w WHERE w.recording_id = ${recordingSql} AND w.sha256 = ${digestSql} AND w.state <> 'receiving')`;

/**
 * Writes the row of a recording, and of its version unless it has these bytes or is past its date. No row comes of it when it
 * was erased on request, or came to its end before: it does not come back because a PBX still has it. A row that is there is
 * locked by being written as it was; one that is being deleted is waited for. What others commit while it waits is not seen
 * here, but by `commitVersion`. The key names the recording that it would have been if it were the first.
 */
const openRows = `
  WITH known AS MATERIALIZED (
    SELECT ${erasedBefore('$22::text')} OR ${endedBefore('$22::text', '$18::timestamptz', '$14::timestamptz')} AS went,
      NOT ${isInForce('recording', '$36::integer', '$37::text')} AS outdated
  ),
  recording AS (
    INSERT INTO recordings AS r (id, source_id, call_id, part, linked_id, direction, caller_number, caller_name, callee_number,
      callee_name, agent, queue, ticket_number, started_at, ended_at, holds, channel_map, created_at, retain_until,
      caller_withheld, leg)
    SELECT $1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17::jsonb, $18::timestamptz,
      $19, $20, $21
    FROM known WHERE NOT went AND NOT outdated
    ON CONFLICT (source_id, call_id, part) DO UPDATE SET call_id = excluded.call_id
    RETURNING r.id, r.version, r.purge_intent, r.retain_until
  ), found AS MATERIALIZED (
    SELECT r.id, r.purge_intent IS NOT NULL OR (r.version > 0 AND r.retain_until <= $18) AS refused,
      ${committedVersion('r.id', '$23::text')} AS committed, ${heldAt('recording', 'r.id', '$18')} AS held,
      replace($25, $1::text, r.id::text) AS original_key
    FROM recording r
  ), version AS (
    INSERT INTO recording_versions (id, recording_id, state, original_key, file_extension, bytes, sha256, md5, container,
      codec, channels, sample_rate_hz, duration_ms, truncated, ffmpeg_input, received_at, next_attempt_at)
    SELECT $24::uuid, f.id, 'receiving', f.original_key, $26, $27, $23, $28, $29, $30, $31, $32, $33, $34, $35::jsonb, $18, $18
    FROM found f WHERE NOT refused AND NOT committed
  )
  SELECT known.outdated, f.id, f.refused, f.committed, f.held, f.original_key FROM known LEFT JOIN found f ON true`;

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
    // The call before the row, in the same order as whoever brings call data.
    const recording = await lockRecordingAndCall(database, tx, version.recording_id);
    // Its date may have come while the bytes were being stored, or since a process died over it.
    if (recording === undefined || recording.purge_intent !== null || recording.retain_until <= clock.now()) return 'retention-over';
    const number = recording.version + 1;
    const around = await makeNewest(platform, tx, recording, version, number);
    // It may have been erased, and its call data may have come, while the bytes were being stored.
    if (around.erased) return 'retention-over';
    if (around.excluded) return 'number-excluded';
    if (around.duplicate) return { ...recording, duplicate: true };
    await append(database, clock, tx, {
      actor,
      action: 'recording.received',
      object: { type: 'recording', id: recording.id },
      details: { version: number, versionId: version.id, sha256: version.sha256, bytes: version.bytes },
    });
    if (number > 1 && metadata !== undefined) await applyPushedMetadata(platform, recording, version, metadata, actor, tx);
    // The object may have been tagged before a hold was placed that saw nothing of it.
    if (around.held) await requestRetags(database, tx, [{ kind: 'recording', itemId: recording.id }], clock.now());
    if (around.parts || metadata?.callerWithheld === true) await withholdThroughout(platform, tx, recording, actor, recording.caller_number);
    if (around.records) await settleCall(platform, tx, recording.source_id, recording.locked_key, actor);
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

/** What a locked recording stands among. */
interface Around {
  erased: boolean;
  excluded: boolean;
  duplicate: boolean;
  held: boolean;
  parts: boolean;
}

/**
 * Makes a version the newest of a locked recording, unless it is not to be kept, and tells what it stands among. Most have
 * neither call data yet nor other parts, and no more is asked for them.
 */
async function makeNewest(
  { clock, database }: VersionPlatform,
  tx: Transaction,
  { id, source_id: sourceId, call_id: callId, call_key: callKey, part, locked_key: lockedKey }: RecordingRow & { locked_key: string },
  version: OpenVersion,
  number: number,
): Promise<Around & { records: boolean }> {
  const [found] = await database.queryOften<Around & { keys: string[] }>(
    newestUnlessNotKept,
    [
      id, version.sha256, clock.now(), sourceId, callId, callKey, digestsOf({ sourceId, names: [callId, lockedKey] }),
      pushDigest(sourceId, callId, part), version.id, number,
    ],
    tx,
  );
  if (found === undefined) throw new Error('a statement without a table gave no row');
  // The call data may have a name for the call that was not locked yet.
  await lockCall(database, tx, sourceId, ...found.keys.filter((key) => key !== callId && key !== callKey));
  return { ...found, records: found.keys.length > 0 };
}

const newestUnlessNotKept = `
  WITH around AS MATERIALIZED (
    SELECT ${erasedBefore('$8')} AS erased, ${excludedBefore('$4', '$7')} AS excluded,
      ${committedVersion('$1::uuid', '$2')} AS duplicate, ${heldAt('recording', '$1::uuid', '$3')} AS held,
      ARRAY(SELECT DISTINCT c.call_key FROM call_records c
        WHERE c.source_id = $4 AND (c.call_key IN ($5, $6) OR c.unique_id IN ($5, $6))) AS keys,
      EXISTS (SELECT FROM recordings o WHERE o.source_id = $4 AND o.call_id = $5 AND o.id <> $1) AS parts
  ), made AS (
    UPDATE recordings SET version = $10 FROM around
    WHERE recordings.id = $1 AND NOT around.erased AND NOT around.excluded AND NOT around.duplicate
  ), named AS (
    UPDATE recording_versions v SET state = 'received', number = $10, next_attempt_at = $3 FROM around
    WHERE v.id = $9 AND NOT around.erased AND NOT around.excluded AND NOT around.duplicate
  )
  SELECT erased, excluded, duplicate, held, keys, parts FROM around`;

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


import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Transaction } from 'sequelize';
import { actorOf, type Machine } from '../access/caller.js';
import { append, systemActor, type Actor } from '../audit/log.js';
import type { RecognisedAudio } from '../platform/audio/recognise.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeld } from '../retention/hold.js';
import { periodInForce } from '../retention/policies.js';
import { broughtForward, endOfCall, recordingRetainUntil } from '../retention/policy.js';
import { requestRetags } from '../retention/retag.js';
import { purgeJob } from '../retention/sweep.js';
import { pushDigest, wasErased } from '../retention/tombstone.js';
import { lockCallOf } from './call-record.js';
import { settleCall } from './call-settle.js';
import { excludeCall, isCallExcluded, mayBeExcluded, type ExclusionPlatform, type NamedCall } from './exclude-call.js';
import { fieldChanges, keepChange } from './history.js';
import { joinLegs } from './legs.js';
import type { Metadata } from './metadata.js';
import { isExtension } from './numbers.js';
import { lockRecordingOfCall, objectKeys, type Direction, type RecordingRow, type VersionRow } from './recording.js';
import type { Upload } from './upload.js';

/**
 * Takes a recording in. The row is committed first (`receiving`, invisible), then the object is put and proved, then the
 * row is committed as `received` and only now acknowledged. A process that dies in between leaves a `receiving` row,
 * which `finishStaleUploads` finishes or removes.
 */

export type IngestPlatform = Pick<Platform, 'clock' | 'database' | 'jobs' | 'log' | 'objects'> & ExclusionPlatform;

export interface IngestSettings {
  recordingDirections: readonly Direction[];
  /** The organisation's own numbers, E.164; empty when it has not told them. */
  ownNumbers: readonly string[];
}

export interface Ingested {
  outcome: 'created' | 'new_version' | 'duplicate';
  recordingId: string;
}

/** The worker's job: it finds what there is to do by state; the nudge only saves time. */
export const processJob = 'recordings.process';

/** @throws Problem `digest-mismatch`, `direction-not-covered` */
function checkCovered(metadata: Metadata, upload: Upload, settings: IngestSettings): void {
  if (metadata.sha256 !== null && metadata.sha256 !== upload.sha256) throw new Problem('digest-mismatch');
  if (!settings.recordingDirections.includes(metadata.direction)) throw new Problem('direction-not-covered');
  const ours = (number: string | null) => number !== null && (settings.ownNumbers.includes(number) || isExtension(number));
  if (settings.ownNumbers.length > 0 && metadata.agent === null && !ours(metadata.callerNumber) && !ours(metadata.calleeNumber))
    throw new Problem('direction-not-covered', { detail: 'No number or extension of the organisation takes part in this call.' });
}

/** @throws Problem `number-excluded`; what came in of the call before is being deleted then */
async function refuseExcluded(platform: IngestPlatform, machine: Machine, metadata: Metadata): Promise<void> {
  const { callerNumber, calleeNumber, agent, queue, callId, linkedId } = metadata;
  const call: NamedCall = { sourceId: machine.sourceId, names: [callId, linkedId] };
  // Most calls have nothing to do with any of it, and need no lock to know.
  if (!(await mayBeExcluded(platform, call))) return;
  const excluded = await platform.database.inTransaction(async (tx) => {
    await lockCallOf(platform.database, tx, { source_id: machine.sourceId, call_id: callId, call_key: linkedId ?? callId });
    return await excludeCall(platform, tx, call, { parties: [callerNumber, calleeNumber, agent, queue] }, actorOf(machine));
  });
  if (!excluded) return;
  platform.jobs.nudge(purgeJob);
  throw new Problem('number-excluded');
}

/**
 * Stores an uploaded recording. The temporary file is left to the caller.
 * @throws Problem `digest-mismatch`, `direction-not-covered`, `number-excluded`, `retention-over`, `storage-unavailable`,
 * `database-unavailable`; nothing is kept then.
 */
export async function ingest(
  platform: IngestPlatform,
  settings: IngestSettings,
  machine: Machine,
  metadata: Metadata,
  upload: Upload,
  audio: RecognisedAudio,
): Promise<Ingested> {
  checkCovered(metadata, upload, settings);
  await refuseExcluded(platform, machine, metadata);
  const receivedAt = platform.clock.now();
  const end = endOfCall({ ...metadata, durationMs: audio.estimatedDurationMs, receivedAt });
  const retainUntil = recordingRetainUntil(end, await periodInForce(platform.database, 'recording'));
  if (retainUntil <= receivedAt) {
    // Kept still, until the later date that it came in with: its bytes once more change nothing, other bytes would.
    const kept = await keptDuplicate(platform, machine, metadata, upload, receivedAt);
    if (kept !== undefined) return { outcome: 'duplicate', recordingId: kept };
    throw new Problem('retention-over');
  }

  const opened = await platform.database.inTransaction((tx) =>
    openVersion(platform, machine, metadata, upload, audio, { receivedAt, retainUntil }, tx),
  );
  if ('duplicateOf' in opened) return { outcome: 'duplicate', recordingId: opened.duplicateOf };

  try {
    await platform.objects.putFile(opened.version.original_key, upload.path, {
      bytes: upload.bytes,
      md5: upload.md5,
      sha256: upload.sha256,
      contentType: 'application/octet-stream',
      tags: { hold: opened.held ? '1' : '0' },
    });
  } catch (error) {
    await abandonVersion(platform, opened.version);
    throw error;
  }
  return await commitVersion(platform, opened.version, actorOf(machine), metadata);
}

type Opened = { duplicateOf: string } | { version: VersionRow; held: boolean };

async function openVersion(
  platform: IngestPlatform,
  machine: Machine,
  metadata: Metadata,
  upload: Upload,
  audio: RecognisedAudio,
  times: { receivedAt: Date; retainUntil: Date },
  tx: Transaction,
): Promise<Opened> {
  const { database, clock } = platform;
  const call = { sourceId: machine.sourceId, callId: metadata.callId, part: metadata.part };
  // What was erased on request does not come back because a PBX still has it.
  if (await wasErased(database, tx, pushDigest(call.sourceId, call.callId, call.part))) throw new Problem('retention-over');
  await database.query(
    `INSERT INTO recordings (id, source_id, call_id, part, linked_id, direction, caller_number, caller_name, callee_number,
       callee_name, agent, queue, ticket_number, started_at, ended_at, holds, channel_map, created_at, retain_until,
       caller_withheld, leg)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17::jsonb, $18, $19, $20, $21)
     ON CONFLICT (source_id, call_id, part) DO NOTHING`,
    [
      newId(clock), call.sourceId, call.callId, call.part, metadata.linkedId, metadata.direction, metadata.callerNumber,
      metadata.callerName, metadata.calleeNumber, metadata.calleeName, metadata.agent, metadata.queue,
      metadata.ticketNumber, metadata.startedAt, metadata.endedAt, JSON.stringify(metadata.holds),
      JSON.stringify(metadata.channelMap), times.receivedAt, times.retainUntil, metadata.callerWithheld, metadata.leg,
    ],
    tx,
  );
  const recording = await lockRecordingOfCall(database, call, tx);
  if (recording === undefined) throw new Error('a recording that was just inserted is gone');
  if (recording.purge_intent !== null || (recording.version > 0 && recording.retain_until <= times.receivedAt))
    throw new Problem('retention-over');
  const duplicate = await committedVersion(platform, recording.id, upload.sha256, tx);
  if (duplicate) return { duplicateOf: recording.id };

  const versionId = newId(clock);
  const extension = fileExtensionOf(audio);
  const [version] = await database.query<VersionRow>(
    `INSERT INTO recording_versions (id, recording_id, state, original_key, file_extension, bytes, sha256, md5, container,
       codec, channels, sample_rate_hz, duration_ms, truncated, ffmpeg_input, received_at, next_attempt_at)
     VALUES ($1, $2, 'receiving', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15, $15)
     RETURNING *`,
    [
      versionId, recording.id, objectKeys(recording.id, versionId, extension).original, extension, upload.bytes,
      upload.sha256, upload.md5, audio.container, audio.codec, audio.channels, audio.sampleRateHz,
      Math.round(audio.estimatedDurationMs), audio.truncated, JSON.stringify(audio.input ?? null), times.receivedAt,
    ],
    tx,
  );
  if (version === undefined) throw new Error('a version that was just inserted is gone');
  return { version, held: await isHeld(database, tx, 'recording', recording.id, times.receivedAt) };
}

/** The recording that has these bytes and whose frozen date has not come. */
async function keptDuplicate(
  { database }: IngestPlatform,
  machine: Machine,
  metadata: Metadata,
  upload: Upload,
  now: Date,
): Promise<string | undefined> {
  const [kept] = await database.query<{ id: string }>(
    `SELECT r.id FROM recordings r JOIN recording_versions v ON v.recording_id = r.id AND v.state <> 'receiving'
     WHERE r.source_id = $1 AND r.call_id = $2 AND r.part = $3 AND r.purge_intent IS NULL AND r.retain_until > $4
       AND v.sha256 = $5 LIMIT 1`,
    [machine.sourceId, metadata.callId, metadata.part, now, upload.sha256],
  );
  return kept?.id;
}

/** Whether these bytes are already a committed version of the recording. */
async function committedVersion(platform: IngestPlatform, recordingId: string, sha256: string, tx: Transaction): Promise<boolean> {
  const rows = await platform.database.query(
    `SELECT 1 FROM recording_versions WHERE recording_id = $1 AND sha256 = $2 AND state <> 'receiving' LIMIT 1`,
    [recordingId, sha256],
    tx,
  );
  return rows.length > 0;
}

/** Safe for a key: what the file would be called, so that a package can name it. */
function fileExtensionOf(audio: RecognisedAudio): string {
  const named = audio.container === 'raw' ? audio.codec : audio.container;
  return /^[a-z0-9_]{1,12}$/.test(named) ? named : 'bin';
}

/**
 * Makes a proved version the newest one, in one transaction with its audit entry. When the same bytes were committed
 * meanwhile by another request, this copy is removed and the answer is that recording.
 */
async function commitVersion(
  platform: IngestPlatform,
  version: VersionRow,
  actor: Actor,
  metadata: Metadata | undefined,
): Promise<Ingested> {
  const { database, clock } = platform;
  const committed = await database.inTransaction(async (tx) => {
    // Before the row, in the same order as whoever brings call data.
    const [call] = await database.query<Pick<RecordingRow, 'source_id' | 'call_id' | 'call_key'>>(
      'SELECT source_id, call_id, call_key FROM recordings WHERE id = $1', [version.recording_id], tx,
    );
    if (call === undefined) return 'retention-over';
    await lockCallOf(database, tx, call);
    // Its call data may have come while the bytes were being stored.
    const named = { sourceId: call.source_id, names: [call.call_id, call.call_key] };
    if (await isCallExcluded(platform, tx, named)) return 'number-excluded';
    const [recording] = await database.query<RecordingRow>(
      'SELECT * FROM recordings WHERE id = $1 FOR UPDATE', [version.recording_id], tx,
    );
    if (recording === undefined || recording.purge_intent !== null) return 'retention-over';
    if (await committedVersion(platform, recording.id, version.sha256, tx)) return { ...recording, duplicate: true };
    const number = recording.version + 1;
    await database.query(
      `UPDATE recording_versions SET state = 'received', number = $2, next_attempt_at = $3 WHERE id = $1`,
      [version.id, number, clock.now()],
      tx,
    );
    await database.query('UPDATE recordings SET version = $2 WHERE id = $1', [recording.id, number], tx);
    await append(database, clock, tx, {
      actor,
      action: 'recording.received',
      object: { type: 'recording', id: recording.id },
      details: { version: number, versionId: version.id, sha256: version.sha256, bytes: version.bytes },
    });
    if (number > 1 && metadata !== undefined) await applyPushedMetadata(platform, recording, version, metadata, actor, tx);
    // The object may have been tagged before a hold was placed that saw nothing of it.
    if (await isHeld(database, tx, 'recording', recording.id, clock.now()))
      await requestRetags(database, tx, [{ kind: 'recording', itemId: recording.id }], clock.now());
    await settleCall(platform, tx, call.source_id, call.call_key, actor);
    await joinLegs(platform, tx, recording.id);
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

/** A later push tells more than an earlier one; it never lengthens the period. */
async function applyPushedMetadata(
  platform: IngestPlatform,
  recording: RecordingRow,
  version: VersionRow,
  metadata: Metadata,
  actor: Actor,
  tx: Transaction,
): Promise<void> {
  const call = { durationMs: version.duration_ms, receivedAt: version.received_at };
  const before = endOfCall({ startedAt: recording.started_at, endedAt: recording.ended_at, ...call });
  const retainUntil = broughtForward(recording.retain_until, before, endOfCall({ ...metadata, ...call }));
  const after = {
    linked_id: metadata.linkedId ?? recording.linked_id,
    caller_number: metadata.callerNumber ?? recording.caller_number,
    caller_name: metadata.callerName ?? recording.caller_name,
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
       ticket_number = $8, ended_at = $9, holds = $10::jsonb, channel_map = $11::jsonb, retain_until = $12, direction = $13
     WHERE id = $1`,
    [
      recording.id, after.linked_id, after.caller_number, after.caller_name, after.callee_number, after.agent, after.queue,
      after.ticket_number, after.ended_at, JSON.stringify(after.holds), JSON.stringify(after.channel_map), retainUntil,
      after.direction,
    ],
    tx,
  );
  const kept = fields.length === 0 ? {} : await keepChange(platform, tx, recording.id, { fields });
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
 */
async function abandonVersion(platform: IngestPlatform, version: VersionRow): Promise<void> {
  const failures = await platform.objects
    .deleteEveryVersion([version.original_key])
    .then((results) => results.filter((result) => result.error !== undefined).length)
    .catch(() => 1);
  if (failures > 0) return;
  await platform.database.inTransaction(async (tx) => {
    await platform.database.query(`DELETE FROM recording_versions WHERE id = $1 AND state = 'receiving'`, [version.id], tx);
    await platform.database.query(
      `DELETE FROM recordings r WHERE id = $1 AND version = 0
         AND NOT EXISTS (SELECT 1 FROM recording_versions v WHERE v.recording_id = r.id)`,
      [version.recording_id],
      tx,
    );
  });
}

/** How long an upload may take before its row is looked at: longer than any request lives. */
const staleUploadMs = 2 * 3_600_000;

/**
 * Settles uploads whose process died: an object that is there with the right digest becomes a received recording (a PBX
 * that cannot retry would lose it otherwise), anything else is removed.
 * @returns how many were finished and how many removed
 */
export async function finishStaleUploads(
  platform: IngestPlatform,
  staleMs = staleUploadMs,
): Promise<{ finished: number; removed: number }> {
  const before = new Date(platform.clock.now().getTime() - staleMs);
  const stale = await platform.database.query<VersionRow>(
    `SELECT * FROM recording_versions WHERE state = 'receiving' AND received_at < $1 ORDER BY received_at LIMIT 100`,
    [before],
  );
  const outcome = { finished: 0, removed: 0 };
  for (const version of stale) {
    if ((await isNewest(platform, version)) && (await storedWhole(platform, version))) {
      if (await finishUpload(platform, version)) outcome.finished += 1;
      else outcome.removed += 1;
    } else {
      await abandonVersion(platform, version);
      outcome.removed += 1;
    }
  }
  return outcome;
}

/** @returns false when it is not to be kept any more: then it has been taken back */
async function finishUpload(platform: IngestPlatform, version: VersionRow): Promise<boolean> {
  try {
    await commitVersion(platform, version, systemActor('ingest'), undefined);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return false;
    throw error;
  }
}

/** False when the source has pushed the call again meanwhile: the older bytes must not come out as the newest version. */
async function isNewest(platform: IngestPlatform, version: VersionRow): Promise<boolean> {
  const later = await platform.database.query(
    `SELECT 1 FROM recording_versions WHERE recording_id = $1 AND state <> 'receiving' AND received_at > $2 LIMIT 1`,
    [version.recording_id, version.received_at],
  );
  return later.length === 0;
}

/** Whether storage holds exactly the bytes that were received, by reading them back. */
async function storedWhole(platform: IngestPlatform, version: VersionRow): Promise<boolean> {
  const stored = await platform.objects.head(version.original_key);
  if (stored?.bytes !== version.bytes) return false;
  const read = await platform.objects.read(version.original_key);
  if (read === undefined) return false;
  const sha256 = createHash('sha256');
  await pipeline(read.body, sha256);
  return sha256.digest('hex') === version.sha256;
}

/** Removes the temporary file of an upload, whatever became of it. */
export async function discardUpload(upload: Upload | undefined): Promise<void> {
  if (upload !== undefined) await rm(upload.path, { force: true });
}

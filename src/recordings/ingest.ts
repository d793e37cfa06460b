import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { actorOf, type Machine } from '../access/caller.js';
import { systemActor } from '../audit/log.js';
import type { RecognisedAudio } from '../platform/audio/recognise.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { periodInForce } from '../retention/policies.js';
import { endOfCall, recordingRetainUntil } from '../retention/policy.js';
import { purgeJob } from '../retention/sweep.js';
import { lockCallOf } from './call-record.js';
import { excludeCall, mayBeExcluded, type ExclusionPlatform, type NamedCall } from './exclude-call.js';
import type { Metadata } from './metadata.js';
import { isExtension } from './numbers.js';
import type { Direction, VersionRow } from './recording.js';
import type { Upload } from './upload.js';
import { abandonVersion, commitVersion, openVersion, type Ingested, type Opened } from './version.js';

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
  /** How long storage may take for a file; by its size when not told. */
  storeWithinMs?: number | undefined;
}

/** Half a minute, and half a megabyte a second: far slower than any storage worth having. */
const storeWithinMs = (bytes: number): number => 30_000 + Math.ceil(bytes / 500);

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
 * Stores an uploaded recording. The upload is left to the caller.
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
  const opened = await openByDate(platform, machine, metadata, upload, audio, { receivedAt, end });
  if ('duplicateOf' in opened) return { outcome: 'duplicate', recordingId: opened.duplicateOf };

  const limit = AbortSignal.timeout(settings.storeWithinMs ?? storeWithinMs(upload.bytes));
  try {
    const { bytes, md5, sha256 } = upload;
    const facts = { bytes, md5, sha256, contentType: 'application/octet-stream', tags: { hold: opened.held ? '1' : '0' } };
    await platform.objects.putFile(opened.version.original_key, upload.content, facts, { signal: limit });
  } catch (error) {
    // Storage that hangs is not asked to delete either: `finishStaleUploads` settles the row.
    if (limit.aborted) throw new Problem('storage-unavailable', { cause: error });
    await abandonVersion(platform, opened.version);
    throw error;
  }
  return await commitVersion(platform, opened.version, actorOf(machine), metadata);
}

/**
 * Opens a version with the date that the period in force gives it, at the moment its row is written.
 * @throws Problem `retention-over`
 */
async function openByDate(
  platform: IngestPlatform, machine: Machine, metadata: Metadata, upload: Upload, audio: RecognisedAudio, call: { receivedAt: Date; end: Date },
): Promise<Opened> {
  for (;;) {
    const { receivedAt, end } = call;
    const period = await periodInForce(platform.database, 'recording');
    const retainUntil = recordingRetainUntil(end, period);
    if (retainUntil <= receivedAt) {
      // Kept still, until the later date that it came in with: its bytes once more change nothing, other bytes would.
      const kept = await keptDuplicate(platform, machine, metadata, upload, receivedAt);
      if (kept !== undefined) return { duplicateOf: kept };
      throw new Problem('retention-over');
    }
    const opened = await openVersion(platform, machine, metadata, upload, audio, { receivedAt, retainUntil, period });
    if (opened !== undefined) return opened;
  }
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

/** How long an upload may take before its row is looked at: longer than any request lives. */
const staleUploadMs = 2 * 3_600_000;
/** How long a row that was looked at waits for the next look: one that storage will not give back keeps no other waiting. */
const againMs = 10 * 60_000;

/**
 * Settles uploads whose process died: an object that is there with the right digest becomes a received recording (a PBX
 * that cannot retry would lose it otherwise), anything else is removed, as is what is past its date by now.
 * @returns how many were finished and how many removed
 */
export async function finishStaleUploads(
  platform: IngestPlatform,
  staleMs = staleUploadMs,
): Promise<{ finished: number; removed: number }> {
  const now = platform.clock.now();
  const stale = await platform.database.query<VersionRow>(
    `UPDATE recording_versions v SET next_attempt_at = $3
     FROM (SELECT id FROM recording_versions WHERE state = 'receiving' AND received_at < $1 AND next_attempt_at <= $2
           ORDER BY next_attempt_at LIMIT 100 FOR UPDATE SKIP LOCKED) due
     WHERE v.id = due.id RETURNING v.*`,
    [new Date(now.getTime() - staleMs), now, new Date(now.getTime() + againMs)],
  );
  const outcome = { finished: 0, removed: 0 };
  for (const version of stale.sort((a, b) => a.received_at.getTime() - b.received_at.getTime())) {
    const isWanted = (await isNewest(platform, version)) && (await storedWhole(platform, version));
    const became = isWanted ? await finishUpload(platform, version) : (await abandonVersion(platform, version)) ? 'removed' : 'left';
    if (became !== 'left') outcome[became] += 1;
  }
  return outcome;
}

/** `removed` when it is not to be kept any more: then it has been taken back. */
async function finishUpload(platform: IngestPlatform, version: VersionRow): Promise<'finished' | 'removed'> {
  try {
    await commitVersion(platform, version, systemActor('ingest'), undefined);
    return 'finished';
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return 'removed';
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

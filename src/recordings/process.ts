import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { append, systemActor } from '../audit/log.js';
import type { RecognisedAudio } from '../platform/audio/recognise.js';
import type { Ffmpeg, ProcessedAudio } from '../platform/ffmpeg.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeld } from '../retention/hold.js';
import { broughtForward, endOfCall } from '../retention/policy.js';
import { objectKeys, type RecordingRow, type VersionRow } from './recording.js';

/**
 * Makes of an original what is listened to: measures it, and in one decode makes the playback copy, the waveform and the
 * gap map. Work is found by state (`received`), claimed by moving `next_attempt_at` ahead, and safe to do twice: the
 * derived objects have fixed keys.
 */

export type ProcessPlatform = Pick<Platform, 'clock' | 'database' | 'log' | 'objects'>;

export interface Processing {
  platform: ProcessPlatform;
  ffmpeg: Ffmpeg;
  /** For temporary files; cleared by whoever makes it. */
  folder: string;
}

type Claimed = VersionRow & Pick<RecordingRow, 'started_at' | 'ended_at' | 'holds'>;

/** Renewed every third of it; what a worker held that died is taken up by another after it. */
const leaseMs = 90_000;
const mostAttempts = 5;

/** Takes one version whose turn it is, so that no other worker does before the lease runs out. */
async function claim({ clock, database }: ProcessPlatform): Promise<Claimed | undefined> {
  const now = clock.now();
  const [claimed] = await database.query<Claimed>(
    `UPDATE recording_versions v SET attempts = v.attempts + 1, next_attempt_at = $2
     FROM recordings r
     WHERE v.id = (
         SELECT w.id FROM recording_versions w JOIN recordings q ON q.id = w.recording_id
         WHERE w.state = 'received' AND w.next_attempt_at <= $1 AND w.number = q.version AND q.purge_intent IS NULL
         ORDER BY w.next_attempt_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
       AND r.id = v.recording_id
     RETURNING v.*, r.started_at, r.ended_at, r.holds`,
    [now, new Date(now.getTime() + leaseMs)],
  );
  return claimed;
}

/**
 * Processes until there is nothing left to do or `signal` aborts.
 * @returns how many were made ready, and how many not
 */
export async function processReceived(
  processing: Processing,
  signal: AbortSignal,
  touch: () => Promise<void> = async () => undefined,
): Promise<{ ready: number; failed: number }> {
  const outcome = { ready: 0, failed: 0 };
  while (!signal.aborted) {
    const version = await claim(processing.platform);
    if (version === undefined) break;
    const keepAlive = setInterval(() => {
      Promise.all([touch(), extendLease(processing.platform, version)]).catch((error: unknown) =>
        processing.platform.log.warn({ error, versionId: version.id }, 'lease not extended'),
      );
    }, leaseMs / 3);
    try {
      await processVersion(processing, version, signal);
      outcome.ready += 1;
    } catch (error) {
      if (signal.aborted) break;
      outcome.failed += 1;
      await recordFailure(processing.platform, version, error);
    } finally {
      clearInterval(keepAlive);
    }
  }
  return outcome;
}

/** Gives up every claim at once. Only for a process that knows that no other works on this database. */
export async function releaseClaims({ clock, database }: ProcessPlatform): Promise<void> {
  await database.query(
    `UPDATE recording_versions SET next_attempt_at = $1 WHERE state = 'received' AND attempts > 0 AND next_attempt_at > $1`,
    [clock.now()],
  );
}

async function extendLease({ clock, database }: ProcessPlatform, version: VersionRow): Promise<void> {
  await database.query(`UPDATE recording_versions SET next_attempt_at = $2 WHERE id = $1 AND state = 'received'`, [
    version.id,
    new Date(clock.now().getTime() + leaseMs),
  ]);
}

async function processVersion(processing: Processing, version: Claimed, signal: AbortSignal): Promise<void> {
  const { platform, ffmpeg } = processing;
  const folder = path.join(processing.folder, randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const original = path.join(folder, `original.${version.file_extension}`);
    const stored = await platform.objects.read(version.original_key, { signal });
    if (stored === undefined) throw new Problem('storage-unavailable', { detail: 'The original is missing in storage.' });
    await pipeline(stored.body, createWriteStream(original, { mode: 0o600 }), { signal });
    const playback = path.join(folder, 'playback.m4a');
    const audio: RecognisedAudio = {
      container: version.container,
      codec: version.codec,
      channels: version.channels,
      sampleRateHz: version.sample_rate_hz,
      estimatedDurationMs: version.duration_ms,
      truncated: version.truncated,
      ...(version.ffmpeg_input === null ? {} : { input: version.ffmpeg_input as NonNullable<RecognisedAudio['input']> }),
    };
    const processed = await ffmpeg.process(original, audio, { playback }, { holds: version.holds, signal });
    await storeDerived(platform, version, processed, playback);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Puts the derived objects, then commits them. If the recording was purged meanwhile they are taken back. */
async function storeDerived(
  platform: ProcessPlatform,
  version: Claimed,
  processed: ProcessedAudio,
  playbackFile: string,
): Promise<void> {
  const { database, objects, clock } = platform;
  const keys = objectKeys(version.recording_id, version.id, version.file_extension);
  const held = await isHeld(database, undefined, 'recording', version.recording_id, clock.now());
  const tags = { hold: held ? '1' : '0' };
  const facts = await digestsOf(playbackFile);
  await objects.putFile(keys.playback, playbackFile, { ...facts, contentType: 'audio/mp4', tags });
  const waveform = Buffer.from(JSON.stringify({ ...processed.waveform, gaps: processed.gaps }));
  await objects.putBytes(keys.waveform, waveform, 'application/json', tags);

  const kept = await database.inTransaction(async (tx) => {
    const [recording] = await database.query<RecordingRow>(
      'SELECT * FROM recordings WHERE id = $1 FOR UPDATE', [version.recording_id], tx,
    );
    if (recording === undefined || recording.purge_intent !== null) return undefined;
    // Told otherwise while this was being made (a hold interval added): the next turn makes it anew.
    const stale = JSON.stringify(recording.holds) !== JSON.stringify(version.holds);
    const call = { startedAt: recording.started_at, endedAt: recording.ended_at, receivedAt: version.received_at };
    const before = endOfCall({ ...call, durationMs: version.duration_ms });
    const after = endOfCall({ ...call, durationMs: processed.durationMs });
    await database.query(
      `UPDATE recording_versions SET state = $2, duration_ms = $3, channels = $4, codec = $5, sample_rate_hz = $6,
         truncated = truncated OR $7, playback_key = $8, playback_bytes = $9, playback_sha256 = $10, playback_duration_ms = $11,
         waveform_key = $12, processed_at = $13, failure_code = NULL, next_attempt_at = $13
       WHERE id = $1`,
      [
        version.id, stale ? 'received' : 'ready', processed.durationMs, processed.channels, processed.codec,
        processed.sampleRateHz, processed.truncated, keys.playback, facts.bytes, facts.sha256, processed.playbackDurationMs,
        keys.waveform, clock.now(),
      ],
      tx,
    );
    await database.query(
      'UPDATE recordings SET retain_until = $2 WHERE id = $1',
      [recording.id, broughtForward(recording.retain_until, before, after)],
      tx,
    );
    await append(database, clock, tx, {
      actor: systemActor('process'),
      action: 'recording.processed',
      object: { type: 'recording', id: recording.id },
      details: { versionId: version.id, durationMs: processed.durationMs, playbackSha256: facts.sha256 },
    });
    return { held: await isHeld(database, tx, 'recording', recording.id, clock.now()) };
  });
  if (kept === undefined) await objects.deleteEveryVersion([keys.playback, keys.waveform]);
  else if (kept.held !== held)
    for (const key of [keys.playback, keys.waveform]) await objects.tag(key, { hold: kept.held ? '1' : '0' });
}

async function digestsOf(file: string): Promise<{ bytes: number; md5: string; sha256: string }> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    md5.update(chunk);
  }
  return { bytes: (await stat(file)).size, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

/**
 * A recording that cannot be decoded is `failed` at once, one whose processing broke off five times too; its original
 * stays. When storage or database are away it waits its turn without being blamed.
 */
async function recordFailure(platform: ProcessPlatform, version: VersionRow, error: unknown): Promise<void> {
  const { clock, database, log } = platform;
  const code = error instanceof Problem ? error.code : 'internal-error';
  const blameless = code === 'storage-unavailable' || code === 'database-unavailable' || code === 'disk-low';
  const failed = !blameless && (code !== 'internal-error' || version.attempts >= mostAttempts);
  log.warn({ versionId: version.id, code, attempts: version.attempts, failed, error }, 'recording not processed');
  const delayMs = Math.min(30_000 * 2 ** Math.max(0, version.attempts - 1), 3_600_000);
  await database.inTransaction(async (tx) => {
    await database.query(
      `UPDATE recording_versions SET state = $2, failure_code = $3, next_attempt_at = $4, attempts = attempts - $5
       WHERE id = $1 AND state = 'received'`,
      [version.id, failed ? 'failed' : 'received', failed ? code : null, new Date(clock.now().getTime() + delayMs), blameless ? 1 : 0],
      tx,
    );
    if (failed)
      await append(database, clock, tx, {
        actor: systemActor('process'),
        action: 'recording.processing_failed',
        object: { type: 'recording', id: version.recording_id },
        details: { versionId: version.id, code },
      });
  });
}

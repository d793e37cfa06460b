import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { append, systemActor } from '../audit/log.js';
import { recogniseAudio, type RecognisedAudio } from '../platform/audio/recognise.js';
import type { Ffmpeg, ProcessedAudio } from '../platform/ffmpeg.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeld } from '../retention/hold.js';
import { requestRetags } from '../retention/retag.js';
import { broughtForward, endOfCall } from '../retention/policy.js';
import { interleave } from './interleave.js';
import { sidesOf, type Sides } from './legs.js';
import { objectKeys, type Leg, type RecordingRow, type VersionRow } from './recording.js';

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

type Claimed = VersionRow & Pick<RecordingRow, 'started_at' | 'ended_at' | 'holds' | 'channel_map' | 'leg_of'>;

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
     RETURNING v.*, r.started_at, r.ended_at, r.holds, r.channel_map, r.leg_of`,
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
    const playback = path.join(folder, 'playback.m4a');
    const options = { holds: version.holds, signal };
    const sides = await sidesOf(platform.database, version.recording_id);
    const own = await fetchOriginal(platform, version, folder, signal);
    const joined = sides === undefined ? undefined : await joinBothSides(processing, sides, version, folder, signal);
    const input = joined ?? own;
    const processed = await ffmpeg.process(input.path, input.audio, { playback }, options);
    const measured = { ...processed, codec: own.audio.codec, truncated: processed.truncated || own.audio.truncated };
    await storeDerived(platform, version, measured, playback, sides);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The original in a temporary file, with what its bytes are. */
async function fetchOriginal(
  platform: ProcessPlatform,
  version: VersionRow,
  folder: string,
  signal: AbortSignal,
): Promise<{ path: string; audio: RecognisedAudio }> {
  const original = path.join(folder, `${version.id}.${version.file_extension}`);
  const stored = await platform.objects.read(version.original_key, { signal });
  if (stored === undefined) throw new Problem('storage-unavailable', { detail: 'The original is missing in storage.' });
  await pipeline(stored.body, createWriteStream(original, { mode: 0o600 }), { signal });
  // The row may tell of the playback copy by now; bytes with a header are asked anew, those without were told once.
  if (version.ffmpeg_input === null) return { path: original, audio: await recogniseAudio(original, {}) };
  const input = version.ffmpeg_input as NonNullable<RecognisedAudio['input']>;
  const audio = {
    container: version.container,
    codec: version.codec,
    channels: input.channels ?? version.channels,
    sampleRateHz: version.sample_rate_hz,
    estimatedDurationMs: version.duration_ms,
    truncated: version.truncated,
    input,
  };
  return { path: original, audio };
}

/** Both sides of the call as one stereo file, in the order of the channel map; undefined when they do not go together. */
async function joinBothSides(
  { platform, ffmpeg }: Processing,
  sides: Sides,
  version: Claimed,
  folder: string,
  signal: AbortSignal,
): Promise<{ path: string; audio: RecognisedAudio } | undefined> {
  const order: Leg[] = version.channel_map[0] === 'agent' ? ['agent', 'caller'] : ['caller', 'agent'];
  const firstMs = Math.min(...order.map((leg) => sides[leg].started_at.getTime()));
  const files: { path: string; leadMs: number }[] = [];
  for (const leg of order) {
    const side = sides[leg];
    const { path: original, audio } = await fetchOriginal(platform, side, folder, signal);
    const decoded = path.join(folder, `${leg}.wav`);
    await ffmpeg.derive(original, audio, decoded, { cuts: [], masks: [] }, { names: { input: '', output: '' }, signal });
    files.push({ path: decoded, leadMs: side.started_at.getTime() - firstMs });
  }
  const output = path.join(folder, 'both.wav');
  if (!(await interleave(files, output, signal))) return undefined;
  return { path: output, audio: await recogniseAudio(output, {}) };
}

const idsOf = (sides: Sides | undefined) => (sides === undefined ? '' : `${sides.caller.id} ${sides.agent.id}`);

/** Puts the derived objects, then commits them. If the recording was purged meanwhile they are taken back. */
async function storeDerived(
  platform: ProcessPlatform,
  version: Claimed,
  processed: ProcessedAudio,
  playbackFile: string,
  sides: Sides | undefined,
): Promise<void> {
  const { database, objects, clock } = platform;
  const names = objectKeys(version.recording_id, version.id, version.file_extension);
  const both = [names.bothPlayback, names.bothWaveform];
  const keys = sides === undefined ? names : { playback: names.bothPlayback, waveform: names.bothWaveform };
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
    // Told otherwise while this was being made (a hold added, the other side came): the next turn makes it anew.
    const isStale = JSON.stringify(recording.holds) !== JSON.stringify(version.holds) ||
      idsOf(await sidesOf(database, recording.id, tx)) !== idsOf(sides);
    const call = { startedAt: recording.started_at, endedAt: recording.ended_at, receivedAt: version.received_at };
    const before = endOfCall({ ...call, durationMs: version.duration_ms });
    const after = endOfCall({ ...call, durationMs: processed.durationMs });
    await database.query(
      `UPDATE recording_versions SET state = $2, duration_ms = $3, channels = $4, codec = $5, sample_rate_hz = $6,
         truncated = truncated OR $7, playback_key = $8, playback_bytes = $9, playback_sha256 = $10, playback_duration_ms = $11,
         waveform_key = $12, processed_at = $13, failure_code = NULL, next_attempt_at = $13
       WHERE id = $1`,
      [
        version.id, isStale ? 'received' : 'ready', processed.durationMs, processed.channels, processed.codec,
        processed.sampleRateHz, processed.truncated, keys.playback, facts.bytes, facts.sha256, processed.playbackDurationMs,
        keys.waveform, clock.now(),
      ],
      tx,
    );
    await database.query(
      'UPDATE recordings SET retain_until = $2, sides_joined = $3 WHERE id = $1',
      [recording.id, broughtForward(recording.retain_until, before, after), sides !== undefined],
      tx,
    );
    await append(database, clock, tx, {
      actor: systemActor('process'),
      action: 'recording.processed',
      object: { type: 'recording', id: recording.id },
      details: { versionId: version.id, durationMs: processed.durationMs, playbackSha256: facts.sha256 },
    });
    const isHeldNow = await isHeld(database, tx, 'recording', recording.id, clock.now());
    // It was stored as held: a legal hold of the storage, where there is one, follows.
    if (isHeldNow) await requestRetags(database, tx, [{ kind: 'recording', itemId: recording.id }], clock.now());
    return { isStale, held: isHeldNow };
  });
  // The other side may have been deleted while this was being made, or when a process died over it.
  if (sides === undefined && version.leg_of === null && version.attempts + (version.playback_key === null ? 0 : 2) > 1)
    await objects.deleteEveryVersion(both);
  if (kept === undefined || (kept.isStale && sides !== undefined)) await objects.deleteEveryVersion([keys.playback, keys.waveform]);
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

import type { Person } from '../access/caller.js';
import { actorOf } from '../access/caller.js';
import { append, systemActor } from '../audit/log.js';
import { sqlState, type Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { requireUse } from '../retention/further-use.js';
import { isRestricted } from '../retention/hold.js';
import { lockKept } from './kept.js';
import type { ListenPurpose } from './listen.js';
import { findRecording } from './recording.js';
import { speechToText, SpeechToTextFailure, type SpeechToTextSettings } from './speech-to-text.js';
import { keptSegments, transcriptOf, writeTranscriptIn } from './transcript.js';

/**
 * Fetching transcripts from a speech-to-text server: requests are rows, found by state. Whether it is still allowed is
 * asked anew just before the audio leaves: the act on record, the recording's period, restrictions and objections.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

export const transcribeJob = 'recordings.transcribe';

export interface TranscriptRequest {
  id: string;
  state: 'waiting' | 'done' | 'failed';
  purpose: ListenPurpose;
  language: string;
  requestedAt: Date;
  finishedAt: Date | null;
  failureCode: string | null;
}

const shown = `id, state, purpose, language, requested_at AS "requestedAt", finished_at AS "finishedAt", failure_code AS "failureCode"`;

/** The newest request for a recording. */
export async function newestRequest(database: Database, recordingId: string): Promise<TranscriptRequest | undefined> {
  const [row] = await database.query<TranscriptRequest>(
    `SELECT ${shown} FROM transcript_requests WHERE recording_id = $1 ORDER BY requested_at DESC, id DESC LIMIT 1`,
    [recordingId],
  );
  return row;
}

/**
 * Asks for a transcript over revision `seen`.
 * @throws Problem `not-switched-on` when no act allows it for this purpose, `conflict` when one is asked for already or
 * the transcript has changed, `retention-ended`
 */
export async function requestTranscript(
  base: Base,
  person: Person,
  told: { recordingId: string; purpose: ListenPurpose; language: string; revision: number },
): Promise<TranscriptRequest> {
  const { clock, database } = base;
  try {
    return await database.inTransaction(async (tx) => {
      const act = await requireUse(database, 'transcription', told.purpose, tx);
      await lockKept(base, tx, told.recordingId);
      const present = (await transcriptOf(database, told.recordingId, told.purpose, tx))?.revision ?? 0;
      if (present !== told.revision)
        throw new Problem('conflict', {
          detail: 'The transcript was changed meanwhile.',
          members: { revision: present },
        });
      const [row] = await database.query<TranscriptRequest>(
        `INSERT INTO transcript_requests (id, recording_id, purpose, language, base_revision, requested_by, requested_at, next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING ${shown}`,
        [newId(clock), told.recordingId, told.purpose, told.language, present, person.userId, clock.now()],
        tx,
      );
      if (row === undefined) throw new Error('a request that was just inserted is gone');
      await append(database, clock, tx, {
        actor: actorOf(person),
        action: 'transcript.requested',
        object: { type: 'recording', id: told.recordingId },
        details: { requestId: row.id, purpose: told.purpose, actId: act.id },
      });
      return row;
    });
  } catch (error) {
    if (sqlState(error) === '23505')
      throw new Problem('conflict', { detail: 'A transcript of this recording is being made.' });
    throw error;
  }
}

interface Claimed {
  id: string;
  recording_id: string;
  purpose: ListenPurpose;
  language: string;
  base_revision: number;
  attempts: number;
}

const leaseMs = 5 * 60_000;
const mostAttempts = 6;

/** Takes one request whose turn it is; what a worker held that died is taken up by another after the lease. */
async function claim({ clock, database }: Base): Promise<Claimed | undefined> {
  const now = clock.now();
  const [claimed] = await database.query<Claimed>(
    `UPDATE transcript_requests SET attempts = attempts + 1, next_attempt_at = $2
     WHERE id = (SELECT id FROM transcript_requests WHERE state = 'waiting' AND next_attempt_at <= $1
                 ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, recording_id, purpose, language, base_revision, attempts`,
    [now, new Date(now.getTime() + leaseMs)],
  );
  return claimed;
}

type TranscribePlatform = Pick<Platform, 'clock' | 'database' | 'objects' | 'log'>;

/** Answers requests until there is nothing left to do or `signal` aborts. @returns how many became transcripts */
export async function transcribeRequested(
  platform: TranscribePlatform,
  settings: SpeechToTextSettings,
  signal: AbortSignal,
  touch: () => Promise<void> = async () => undefined,
): Promise<number> {
  let done = 0;
  while (!signal.aborted) {
    const request = await claim(platform);
    if (request === undefined) break;
    const keepAlive = setInterval(() => {
      Promise.all([touch(), extendLease(platform, request)]).catch((error: unknown) =>
        platform.log.warn({ error, requestId: request.id }, 'lease not extended'),
      );
    }, leaseMs / 5);
    try {
      await transcribe(platform, settings, request, signal);
      done += 1;
    } catch (error) {
      if (signal.aborted) break;
      await recordFailure(platform, request, error);
    } finally {
      clearInterval(keepAlive);
    }
  }
  return done;
}

async function extendLease({ clock, database }: Base, { id }: Claimed): Promise<void> {
  await database.query(`UPDATE transcript_requests SET next_attempt_at = $2 WHERE id = $1 AND state = 'waiting'`, [
    id,
    new Date(clock.now().getTime() + leaseMs),
  ]);
}

/** A recording that may still be sent away for this purpose. @throws Problem */
async function sendable({ clock, database }: Base, request: Claimed) {
  await requireUse(database, 'transcription', request.purpose);
  const found = await findRecording(database, request.recording_id);
  if (found === undefined) throw new Problem('not-found');
  const { recording, version } = found;
  if (recording.retain_until <= clock.now() || recording.purge_intent !== null) throw new Problem('retention-ended');
  const restricted =
    request.purpose !== 'access_request' &&
    (await isRestricted(database, undefined, 'recording', recording.id, request.purpose));
  if (restricted) throw new Problem('not-found');
  if (version.state !== 'ready' || version.playback_key === null) throw new Problem('not-ready');
  return { recording, version, playbackKey: version.playback_key };
}

async function transcribe(
  platform: TranscribePlatform,
  settings: SpeechToTextSettings,
  request: Claimed,
  signal: AbortSignal,
): Promise<void> {
  const { clock, database, objects } = platform;
  const { recording, version, playbackKey } = await sendable(platform, request);
  const stored = await objects.read(playbackKey, { signal });
  if (stored === undefined) throw new Problem('storage-unavailable');
  // On record before the first byte leaves.
  await database.inTransaction((tx) =>
    append(database, clock, tx, {
      actor: systemActor('transcribe'),
      action: 'transcript.audio_sent',
      object: { type: 'recording', id: recording.id },
      details: { requestId: request.id, purpose: request.purpose, attempt: request.attempts },
    }),
  );
  const heard = await speechToText(
    settings,
    { body: stored.body, bytes: stored.bytes, language: request.language },
    signal,
  );
  const segments = keptSegments(
    heard.map((segment) => ({ ...segment, text: segment.text.slice(0, 5000) })),
    { recording, version },
  );
  await database.inTransaction(async (tx) => {
    const told = { origin: 'fetched' as const, purpose: request.purpose, language: request.language, segments, reason: null };
    await writeTranscriptIn(platform, tx, systemActor('transcribe'), recording, request.base_revision, told);
    await database.query(
      `UPDATE transcript_requests SET state = 'done', finished_at = $2 WHERE id = $1 AND state = 'waiting'`,
      [request.id, clock.now()],
      tx,
    );
  });
}

/** What trying again may mend waits its turn, longer each time; the rest has failed, and says why by a code. */
async function recordFailure(platform: TranscribePlatform, request: Claimed, error: unknown): Promise<void> {
  const { clock, database, log } = platform;
  const code = error instanceof SpeechToTextFailure || error instanceof Problem ? error.code : 'internal-error';
  const passing =
    error instanceof SpeechToTextFailure
      ? !error.lasting
      : !(error instanceof Problem) || error.status === 503 || error.code === 'not-ready';
  const failed = !passing || request.attempts >= mostAttempts;
  log.warn({ requestId: request.id, code, attempts: request.attempts, failed }, 'recording not transcribed');
  const now = clock.now();
  const next = new Date(now.getTime() + Math.min(30_000 * 2 ** (request.attempts - 1), 3_600_000));
  await database.query(
    `UPDATE transcript_requests SET state = $2, failure_code = $3, finished_at = $4, next_attempt_at = $5 WHERE id = $1 AND state = 'waiting'`,
    [request.id, failed ? 'failed' : 'waiting', failed ? code : null, failed ? now : null, next],
  );
}

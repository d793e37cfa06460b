import type { Transaction } from 'sequelize';
import type { Actor } from '../audit/log.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { lockKept } from './kept.js';
import type { ListenPurpose } from './listen.js';
import type { RecordingRow, VersionRow } from './recording.js';
import { cutsOf, playbackDurationMs, toPlayback, toRecording } from './timeline.js';
import type { Segment } from './transcript-formats.js';

/**
 * What was said in a call, beside its waveform. Whoever may hear a recording may read its transcript: names that are
 * spoken are heard, and masking what is heard a moment later would hide nothing; the page says so. Searching through
 * speech is a use of its own, off until it is put on record. Every wording stays until the recording goes. One that was
 * made to answer the caller is not there for training, unless an act in force lets speech be written down for training, too.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

export const transcriptOrigins = ['typed', 'imported', 'fetched'] as const;
export type TranscriptOrigin = (typeof transcriptOrigins)[number];

/** A wording. Segments are on the recording's own timeline. */
export interface TranscriptRow {
  recordingId: string;
  /** The version of the recording that was heard. */
  recordingVersion: number;
  revision: number;
  origin: TranscriptOrigin;
  purpose: ListenPurpose;
  language: string;
  changedBy: { id: string; name: string } | null;
  changedAt: Date;
  reason: string | null;
  segments: Segment[];
}

const select = `SELECT t.recording_id AS "recordingId", v.recording_version AS "recordingVersion", v.revision, v.origin, v.purpose, v.language,
  CASE WHEN u.id IS NOT NULL THEN json_build_object('id', u.id, 'name', u.name) END AS "changedBy",
  v.changed_at AS "changedAt", v.reason, v.segments
  FROM transcripts t JOIN transcript_revisions v ON v.recording_id = t.recording_id LEFT JOIN users u ON u.id = v.changed_by`;

/** SQL over `v`, a wording: may it be used for training? */
export const openWording = `(v.purpose <> 'access_request' OR v.origin = 'fetched' AND EXISTS (
  SELECT FROM further_uses f WHERE f.use = 'transcription' AND f.ended_at IS NULL AND 'training' = ANY (f.purposes)))`;

const forPurpose = (purpose: ListenPurpose) => (purpose === 'training' ? openWording : 'true');

/**
 * The transcript as it stands for `purpose`: the newest wording that may be used for it; undefined when there is none. Also
 * for the answer to an access request.
 */
export async function transcriptOf(
  database: Database,
  recordingId: string,
  purpose: ListenPurpose,
  tx?: Transaction,
): Promise<TranscriptRow | undefined> {
  const [row] = await database.query<TranscriptRow>(
    `${select} WHERE t.recording_id = $1 AND ${forPurpose(purpose)} ORDER BY v.revision DESC LIMIT 1`,
    [recordingId],
    tx,
  );
  return row;
}

/** Every wording that may be used for `purpose`, newest first. */
export async function transcriptHistory(database: Database, recordingId: string, purpose: ListenPurpose): Promise<TranscriptRow[]> {
  return await database.query<TranscriptRow>(
    `${select} WHERE t.recording_id = $1 AND ${forPurpose(purpose)} ORDER BY v.revision DESC`,
    [recordingId],
  );
}

interface Heard {
  recording: Pick<RecordingRow, 'id' | 'version' | 'holds'>;
  version: Pick<VersionRow, 'sample_rate_hz' | 'duration_ms'>;
}

const cutsIn = ({ recording, version }: Heard) => cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);

/** Segments as the player shows them. */
export function heardSegments(segments: readonly Segment[], heard: Heard): Segment[] {
  const cuts = cutsIn(heard);
  return segments.map((segment) => ({
    ...segment,
    startMs: toPlayback(segment.startMs, cuts),
    endMs: toPlayback(segment.endMs, cuts),
  }));
}

/** Measured and estimated lengths differ by less; what speech-to-text says beyond the end is cut off. */
const slackMs = 2000;

/** Segments of the playback copy on the recording's own timeline, in order. @throws Problem `invalid-input` for one outside */
export function keptSegments(told: readonly Segment[], heard: Heard): Segment[] {
  const cuts = cutsIn(heard);
  const audibleMs = playbackDurationMs(heard.version.duration_ms, cuts);
  return told
    .map((segment, at) => {
      if (segment.startMs > audibleMs + slackMs)
        throw new Problem('invalid-input', {
          errors: [{ path: `segments.${at}.startMs`, message: 'lies outside the recording' }],
        });
      const startMs = Math.min(segment.startMs, audibleMs);
      const endMs = Math.max(startMs, Math.min(segment.endMs, audibleMs));
      return { ...segment, ...toRecording({ startMs, endMs }, cuts) };
    })
    .map((segment) => ({ ...segment, endMs: Math.max(segment.startMs, segment.endMs) }))
    .sort((one, other) => one.startMs - other.startMs);
}

export interface NewTranscript {
  origin: TranscriptOrigin;
  purpose: ListenPurpose;
  language: string;
  /** On the recording's own timeline. */
  segments: Segment[];
  reason: string | null;
}

const fieldsOf = ({ startMs, endMs, speaker, text }: Segment) => [startMs, endMs, speaker, text];
const isSame = (before: TranscriptRow | undefined, told: NewTranscript) =>
  before !== undefined &&
  before.language === told.language &&
  JSON.stringify(before.segments.map(fieldsOf)) === JSON.stringify(told.segments.map(fieldsOf));

/**
 * Writes a wording over revision `seen`, as it stands for its purpose (0: there is none yet). The same wording again changes
 * nothing.
 * @throws Problem `conflict` with the present revision when it was changed meanwhile, `retention-ended`
 */
export async function writeTranscript(
  base: Base,
  actor: Actor,
  recording: Pick<RecordingRow, 'id' | 'version'>,
  seen: number,
  told: NewTranscript,
): Promise<void> {
  await base.database.inTransaction((tx) => writeTranscriptIn(base, tx, actor, recording, seen, told));
}

/** `writeTranscript` inside `tx`. */
export async function writeTranscriptIn(
  base: Base,
  tx: Transaction,
  actor: Actor,
  recording: Pick<RecordingRow, 'id' | 'version'>,
  seen: number,
  told: NewTranscript,
): Promise<void> {
  const { clock, database } = base;
  const now = clock.now();
  const personId = actor.kind === 'person' ? actor.id : null;
  await lockKept(base, tx, recording.id);
  await database.query(
    `INSERT INTO transcripts (recording_id, recording_version, origin, language, changed_by, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [recording.id, recording.version, told.origin, told.language, personId, now],
    tx,
  );
  const [row] = await database.query<{ revision: number }>(
    'SELECT revision FROM transcripts WHERE recording_id = $1 FOR UPDATE',
    [recording.id],
    tx,
  );
  const before = await transcriptOf(database, recording.id, told.purpose, tx);
  if (isSame(before, told)) return;
  const present = before?.revision ?? 0;
  if (present !== seen)
    throw new Problem('conflict', { detail: 'The transcript was changed meanwhile.', members: { revision: present } });
  const revision = (row?.revision ?? 0) + 1;
  const segments = JSON.stringify(told.segments);
  await database.query(
    `UPDATE transcripts SET revision = $2, recording_version = $3, origin = $4, language = $5, changed_by = $6, changed_at = $7
     WHERE recording_id = $1`,
    [recording.id, revision, recording.version, told.origin, told.language, personId, now],
    tx,
  );
  await database.query(
    `INSERT INTO transcript_revisions (recording_id, revision, recording_version, origin, language, segments, changed_by, changed_at, reason, purpose)
     VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10)`,
    [recording.id, revision, recording.version, told.origin, told.language, segments, personId, now, told.reason, told.purpose],
    tx,
  );
  await database.query('DELETE FROM transcript_segments WHERE recording_id = $1', [recording.id], tx);
  await database.query(
    `INSERT INTO transcript_segments (recording_id, position, start_ms, end_ms, speaker, text)
     SELECT $1, row_number() OVER (), told."startMs", told."endMs", told.speaker, told.text
     FROM jsonb_to_recordset($2::jsonb) AS told ("startMs" bigint, "endMs" bigint, speaker text, text text)`,
    [recording.id, segments],
    tx,
  );
  await append(database, clock, tx, {
    actor,
    action: 'transcript.written',
    object: { type: 'recording', id: recording.id },
    details: { revision, origin: told.origin, segments: told.segments.length },
  });
}

import type { Database } from '../platform/database.js';

/**
 * Is everything there? Answered calls whose recordings did not come, recordings whose call data did not come, and PBXs
 * that have fallen silent: each against what the same source does otherwise.
 */

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A PBX tries again for a while, and its CDR may come before its recording. */
const graceMs = 15 * minuteMs;
const callDataGraceMs = 60 * minuteMs;
/** As long as call data without a recording is kept. */
const lookBackMs = 7 * dayMs;
/** Shorter conversations are recordings of nothing. */
const shortestMs = 3_000;

/** A call that was answered and has no recording. No number and no name: administrators see neither. */
export interface MissingRecording {
  sourceId: string;
  callId: string;
  startedAt: Date;
  endedAt: Date;
  billedMs: number | null;
}

/**
 * Answered calls from outside that reached somebody and have no recording, newest first. Of a source that never sends
 * recordings nothing is missing; voicemail, conferences and calls of our own numbers are not expected.
 */
export async function missingRecordings(
  database: Database,
  now: Date,
  ownNumbers: readonly string[],
  limit = 1000,
): Promise<MissingRecording[]> {
  return await database.query<MissingRecording>(
    `SELECT c.source_id AS "sourceId", c.call_key AS "callId", min(c.started_at) AS "startedAt", max(c.ended_at) AS "endedAt",
       sum(c.billed_ms)::bigint AS "billedMs"
     FROM call_records c JOIN sources s ON s.id = c.source_id
     WHERE c.recording_id IS NULL AND c.purge_intent IS NULL AND c.disposition = 'answered'
       AND c.retain_until > $6 AND c.ended_at BETWEEN $1 AND $2 AND coalesce(c.billed_ms, $3) >= $3
       AND (c.peer_channel IS NOT NULL OR c.queue IS NOT NULL OR c.agent IS NOT NULL)
       AND coalesce(c.application, 'Dial') NOT IN ('VoiceMail', 'VoiceMailMain', 'voicemail', 'ConfBridge', 'conference')
       AND coalesce(c.channel, '') !~ '^Local/.*;2$'
       AND NOT coalesce(c.caller_number ~ '^[0-9]{1,6}$' OR c.caller_number = ANY(s.own_numbers || $4::text[]), false)
       AND EXISTS (SELECT 1 FROM recordings r WHERE r.source_id = c.source_id AND r.version > 0)
       AND NOT EXISTS (SELECT 1 FROM call_records o WHERE o.source_id = c.source_id AND o.call_key = c.call_key AND o.recording_id IS NOT NULL)
     GROUP BY c.source_id, c.call_key ORDER BY max(c.ended_at) DESC LIMIT $5`,
    [new Date(now.getTime() - lookBackMs), new Date(now.getTime() - graceMs), shortestMs, ownNumbers, limit, now],
  );
}

/** Recordings of the last week without call data, by source; of sources that send call data only. */
export async function withoutCallData(database: Database, now: Date): Promise<Map<string, number>> {
  const rows = await database.query<{ sourceId: string; count: number }>(
    `SELECT r.source_id AS "sourceId", count(*) AS count FROM recordings r
     WHERE r.version > 0 AND r.leg_of IS NULL AND r.call_data_at IS NULL AND r.created_at BETWEEN $1 AND $2
       AND EXISTS (SELECT 1 FROM call_records c WHERE c.source_id = r.source_id AND c.received_at > $1)
     GROUP BY r.source_id`,
    [new Date(now.getTime() - lookBackMs), new Date(now.getTime() - callDataGraceMs)],
  );
  return new Map(rows.map((row) => [row.sourceId, row.count]));
}

/** What a source received since a moment, in this week and in earlier ones. */
export interface Rhythm {
  sourceId: string;
  lastReceivedAt: Date;
  /** How many came in the same stretch of each of the last four weeks that the source already sent in. */
  earlier: number[];
}

/** So many would be expected: with fewer, silence is chance (a mean of six leaves one in four hundred). */
const enough = 6;

/** How many recordings are overdue by the rhythm of earlier weeks; undefined while there is no rhythm to go by. */
export function expectedSince({ earlier }: Pick<Rhythm, 'earlier'>): number | undefined {
  return earlier.length === 0 ? undefined : earlier.reduce((sum, count) => sum + count, 0) / earlier.length;
}

/** A source is silent when nothing came although, by its own rhythm, several should have. */
export function isSilent(rhythm: Pick<Rhythm, 'earlier'>): boolean {
  return (expectedSince(rhythm) ?? 0) >= enough;
}

/** The rhythm of every source that ever sent something. Weeks are counted in the zone of the source, whose clocks people live by. */
export async function rhythms(database: Database, now: Date): Promise<Rhythm[]> {
  return await database.query<Rhythm>(
    `WITH heard AS (
       SELECT source_id, max(last_at) AS last_at, min(hour) AS first_hour FROM ingest_hours
       WHERE outcome IN ('received', 'duplicate') GROUP BY source_id)
     SELECT s.id AS "sourceId", heard.last_at AS "lastReceivedAt", ARRAY(
       SELECT (SELECT coalesce(sum(h.count), 0) FROM ingest_hours h
         WHERE h.source_id = s.id AND h.outcome = 'received'
           AND h.hour >= ((heard.last_at + interval '1 hour') AT TIME ZONE s.time_zone - week * interval '7 days') AT TIME ZONE s.time_zone
           AND h.hour < ($1::timestamptz AT TIME ZONE s.time_zone - week * interval '7 days' - interval '59 minutes') AT TIME ZONE s.time_zone)
       FROM generate_series(1, 4) AS week
       WHERE heard.first_hour <= ($1::timestamptz AT TIME ZONE s.time_zone - week * interval '7 days') AT TIME ZONE s.time_zone
       ORDER BY week)::int[] AS earlier
     FROM sources s JOIN heard ON heard.source_id = s.id WHERE s.kind = 'pbx'`,
    [now],
  );
}

/**
 * Refusals that point at a fault in how a PBX is connected, or in what it writes. Left out is what a rule refuses (a
 * direction, an excluded number, a period that is over), calls in which nothing was said, and what will come again by
 * itself (503).
 */
const faulty = ['not-audio', 'digest-mismatch', 'invalid-input', 'invalid-request', 'unsupported-media-type', 'too-large', 'internal-error'];
const refusedWithinMs = 2 * 3_600_000;

/** How many recordings of each source were refused lately for what is somebody's to mend. */
export async function refusedLately(database: Database, now: Date): Promise<{ sourceId: string; count: number }[]> {
  return await database.query<{ sourceId: string; count: number }>(
    `SELECT source_id AS "sourceId", sum(count)::int AS count FROM ingest_hours
     WHERE outcome = ANY($1::text[]) AND last_at > $2 AND hour > $2::timestamptz - interval '1 hour' GROUP BY source_id`,
    [faulty, new Date(now.getTime() - refusedWithinMs)],
  );
}

/** Pushes of one day in the zone of the source. */
export interface IngestDay {
  sourceId: string;
  date: string;
  outcome: string;
  count: number;
  lastAt: Date;
}

/** What became of pushes since `from`, by source, day and outcome. */
export async function ingestDays(database: Database, from: Date): Promise<IngestDay[]> {
  return await database.query<IngestDay>(
    `SELECT h.source_id AS "sourceId", to_char(h.hour AT TIME ZONE s.time_zone, 'YYYY-MM-DD') AS date, h.outcome,
       sum(h.count) AS count, max(h.last_at) AS "lastAt"
     FROM ingest_hours h JOIN sources s ON s.id = h.source_id WHERE h.hour >= $1
     GROUP BY 1, 2, 3 ORDER BY 2 DESC, 3`,
    [from],
  );
}

import type { Person } from '../access/caller.js';
import { actorOf } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Interval, RecordingRow, VersionRow } from './recording.js';
import { cutsOf, toRecording } from './timeline.js';

/**
 * Who listened to what and why (art. 15 GDPR as read in C-579/21: a caller may be told dates and purposes). A listen is
 * recorded before the first byte leaves; ranges asked for within half an hour of one another belong to the same one,
 * since a browser fetches a recording in many pieces.
 */

export const listenPurposes = ['training', 'evidence', 'access_request'] as const;
export type ListenPurpose = (typeof listenPurposes)[number];

/** A listen under way. */
export interface Listen {
  id: string;
}

const sameListenMs = 30 * 60_000;

/** Opens a listen, or goes on with the one that is open, and commits it before any audio is served. */
export async function openListen(
  platform: Pick<Platform, 'clock' | 'database'>,
  person: Person,
  recordingId: string,
  versionId: string,
  purpose: ListenPurpose,
): Promise<Listen> {
  const { clock, database } = platform;
  const now = clock.now();
  return await database.inTransaction(async (tx) => {
    const [open] = await database.query<Listen>(
      `UPDATE listens SET last_served_at = $4 WHERE id = (
         SELECT id FROM listens WHERE user_id = $1 AND version_id = $2 AND purpose = $3 AND last_served_at > $5
         ORDER BY last_served_at DESC LIMIT 1)
       RETURNING id`,
      [person.userId, versionId, purpose, now, new Date(now.getTime() - sameListenMs)],
      tx,
    );
    if (open !== undefined) return open;
    const id = newId(clock);
    await database.query(
      `INSERT INTO listens (id, recording_id, version_id, user_id, purpose, opened_at, last_served_at)
       VALUES ($1, $2, $3, $4, $5, $6, $6)`,
      [id, recordingId, versionId, person.userId, purpose, now],
      tx,
    );
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'recording.listened',
      object: { type: 'recording', id: recordingId },
      details: { listenId: id, versionId, purpose },
    });
    return { id };
  });
}

/** Adds the bytes that were really sent (`end` exclusive) to a listen. */
export async function recordServed(
  platform: Pick<Platform, 'clock' | 'database'>,
  listen: Listen,
  start: number,
  end: number,
): Promise<void> {
  if (end <= start) return;
  await platform.database.query(
    `UPDATE listens SET served_bytes = served_bytes + int8multirange(int8range($2, $3)), last_served_at = $4 WHERE id = $1`,
    [listen.id, start, end, platform.clock.now()],
  );
}

/** A player reports late, and a paused one for long; but not for yesterday's listen. */
const reportWithinMs = 24 * 3_600_000;

/**
 * Adds what the player says was heard to this person's newest listen of a recording: stretches of the playback copy, which
 * are kept on the recording's own timeline. Reported twice, they count once.
 * @returns how much of the recording this listen has heard by now
 * @throws Problem `conflict` when this person has not been listening
 */
export async function recordHeard(
  platform: Pick<Platform, 'clock' | 'database'>,
  person: Person,
  { recording, version }: { recording: RecordingRow; version: VersionRow },
  purpose: ListenPurpose,
  heard: readonly Interval[],
): Promise<{ listenId: string; heardMs: number }> {
  const { clock, database } = platform;
  const now = clock.now();
  const cuts = cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);
  const multirange = (intervals: readonly Interval[]) =>
    `{${intervals.map(({ startMs, endMs }) => `[${startMs},${endMs})`).join(',')}}`;
  const kept = heard.map((each) => toRecording(each, cuts));
  const [row] = await database.query<{ listenId: string; heardMs: number }>(
    `UPDATE listens l SET last_heard_at = $4,
       heard_ms = l.heard_ms + ($6::int8multirange * int8multirange(int8range(0, $8::int8)) - $7::int8multirange)
     WHERE l.id = (SELECT id FROM listens WHERE user_id = $1 AND recording_id = $2 AND purpose = $3 AND version_id = $9
                     AND greatest(last_served_at, last_heard_at) > $5 ORDER BY opened_at DESC, id DESC LIMIT 1)
     RETURNING l.id AS "listenId", ${heardLength} AS "heardMs"`,
    [
      person.userId, recording.id, purpose, now, new Date(now.getTime() - reportWithinMs), multirange(kept), multirange(cuts),
      version.duration_ms, version.id,
    ],
  );
  if (row === undefined) throw new Problem('conflict', { detail: 'No listen is open: nothing of it was served.' });
  return row;
}

/** SQL over listens `l`: milliseconds heard, each counted once. */
const heardLength = `(SELECT coalesce(sum(upper(heard) - lower(heard)), 0)::int8 FROM unnest(l.heard_ms) heard)`;

/** A listen as the register of listens shows it. */
export interface ListenFact {
  id: string;
  recordingId: string;
  openedAt: Date;
  purpose: ListenPurpose;
  by: { id: string; name: string };
  lastServedAt: Date;
  lastHeardAt: Date | null;
  servedBytes: number;
  heardMs: number;
  /** On the recording's own timeline. */
  heard: Interval[];
}

/**
 * Who listened to these recordings, when and why, oldest first. A caller may be told dates and purposes (C-579/21); who
 * it was, only where that is needed to use their rights.
 */
export async function listensOf(
  database: Database,
  recordingIds: readonly string[],
  page?: { limit: number; after: { at: Date; id: string } | undefined },
): Promise<ListenFact[]> {
  return await database.query<ListenFact>(
    `SELECT l.id, l.recording_id AS "recordingId", l.opened_at AS "openedAt", l.purpose,
       json_build_object('id', u.id, 'name', u.name) AS by, l.last_served_at AS "lastServedAt",
       l.last_heard_at AS "lastHeardAt",
       (SELECT coalesce(sum(upper(part) - lower(part)), 0)::int8 FROM unnest(l.served_bytes) part) AS "servedBytes",
       ${heardLength} AS "heardMs",
       (SELECT coalesce(json_agg(json_build_object('startMs', lower(part), 'endMs', upper(part)) ORDER BY part), '[]')
        FROM unnest(l.heard_ms) part) AS heard
     FROM listens l JOIN users u ON u.id = l.user_id
     WHERE l.recording_id = ANY ($1::uuid[]) AND ($2::timestamptz IS NULL OR (l.opened_at, l.id) > ($2, $3::uuid))
     ORDER BY l.opened_at, l.id LIMIT $4`,
    [recordingIds, page?.after?.at ?? null, page?.after?.id ?? null, page === undefined ? null : page.limit + 1],
  );
}

import type { Person } from '../access/caller.js';
import { actorOf } from '../access/caller.js';
import { append } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';

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

import type { Transaction } from 'sequelize';
import type { Platform } from '../platform/platform.js';
import { heldAt, isHeld } from '../retention/hold.js';
import { requestRetags } from '../retention/retag.js';
import { objectKeys, type Leg, type RecordingRow, type VersionRow } from './recording.js';

/**
 * A call recorded in one file a side. Each file is a part of the call and a recording by itself, with its own bytes and
 * its own version; the one that leads (the mixed file where there is one, else the caller's side) plays both sides in one
 * stereo copy, so that a trainer has one player and hears who speaks. Which side a file is, its label says, never its order.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

/** The first of these leads: a file that is no side (mixed), then the caller's side; equal ones by age. */
const leadingFirst = `(r.leg IS NOT NULL), (r.leg = 'agent'), r.id`;

/**
 * Brings the sides of a call together after one of its parts was committed. The leading recording is made anew when both
 * sides are there. The caller holds `lockCall`.
 */
export async function joinLegs({ clock, database }: Base, tx: Transaction, recordingId: string): Promise<void> {
  const parts = await database.query<RecordingRow>(
    `SELECT r.* FROM recordings r JOIN recordings given ON given.source_id = r.source_id AND given.call_id = r.call_id
     WHERE given.id = $1 AND r.version > 0 AND r.purge_intent IS NULL ORDER BY ${leadingFirst} FOR UPDATE OF r`,
    [recordingId],
    tx,
  );
  const [leading] = parts;
  const sides = parts.filter((part) => part.leg !== null);
  const isWhole = (['caller', 'agent'] as const).every((leg) => sides.some((side) => side.leg === leg));
  if (leading === undefined || !isWhole) return;
  await database.query(
    `UPDATE recordings SET leg_of = CASE WHEN id = $2 THEN NULL ELSE $2::uuid END WHERE id = ANY($1::uuid[])`,
    [[...new Set([leading.id, ...sides.map((side) => side.id)])], leading.id],
    tx,
  );
  // A hold on one of them reaches the others from here on: their tags follow.
  const now = clock.now();
  if (await isHeld(database, tx, 'recording', leading.id, now)) await requestRetags(database, tx, [{ kind: 'recording', itemId: leading.id }], now);
  const given = parts.find((part) => part.id === recordingId);
  if (given === undefined || (given.leg === null && given.id !== leading.id)) return;
  await database.query(
    `UPDATE recording_versions v SET state = 'received', attempts = 0, next_attempt_at = $2
     FROM recordings r WHERE r.id = $1 AND v.recording_id = r.id AND v.number = r.version AND v.state <> 'receiving'`,
    [leading.id, clock.now()],
    tx,
  );
}

/** The newest original of each side. */
export type Sides = Record<Leg, VersionRow & { started_at: Date }>;

/** Both sides, when the recording is the one that plays both. */
export async function sidesOf(
  database: Platform['database'],
  recordingId: string,
  tx?: Transaction,
): Promise<Sides | undefined> {
  const rows = await database.query<VersionRow & { leg: Leg; started_at: Date }>(
    `SELECT DISTINCT ON (r.leg) v.*, r.leg, r.started_at
     FROM recordings r JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version
     WHERE (r.id = $1 OR r.leg_of = $1) AND r.leg IS NOT NULL AND r.purge_intent IS NULL
     ORDER BY r.leg, r.id`,
    [recordingId],
    tx,
  );
  const caller = rows.find((row) => row.leg === 'caller');
  const agent = rows.find((row) => row.leg === 'agent');
  const isLeading = rows.length === 2 && caller !== undefined && agent !== undefined;
  return isLeading ? { caller, agent } : undefined;
}

/** SQL: has `side`, heard in the copy of another, been deleted or come to its end by `now`, with nothing that keeps it? */
const isOver = (now: string) =>
  `(side.purge_intent IS NOT NULL OR (side.retain_until <= ${now} AND NOT ${heldAt('recording', 'side.id', now)}))`;

/** May what is heard in the copy of a recording still be heard: its own audio, and that of the other side? */
export async function sidesAreOver({ clock, database }: Base, recording: Pick<RecordingRow, 'id' | 'sides_joined'>): Promise<boolean> {
  if (!recording.sides_joined) return false;
  const rows = await database.query(
    `SELECT 1 FROM recordings side WHERE side.leg_of = $1 AND side.leg IS NOT NULL AND ${isOver('$2::timestamptz')} LIMIT 1`,
    [recording.id, clock.now()],
  );
  return rows.length > 0;
}

/**
 * From the moment a side is being deleted nothing serves the copy in which it is heard with the other: inside `tx`, its
 * version goes back to the queue and is made anew from what is left.
 */
export async function separateSides({ clock, database }: Base, tx: Transaction, sides: readonly string[]): Promise<void> {
  await database.query(
    `WITH bereft AS (
       UPDATE recordings r SET sides_joined = false
       WHERE r.sides_joined AND r.purge_intent IS NULL
         AND r.id IN (SELECT side.leg_of FROM recordings side WHERE side.id = ANY($1::uuid[]))
       RETURNING r.id, r.version)
     UPDATE recording_versions v SET state = 'received', attempts = 0, next_attempt_at = $2
     FROM bereft WHERE v.recording_id = bereft.id AND v.number = bereft.version`,
    [sides, clock.now()],
    tx,
  );
}

/** The objects of others in which these sides are heard too, by the side. */
export async function copiesWith(database: Platform['database'], sides: readonly string[]): Promise<{ id: string; key: string }[]> {
  const rows = await database.query<{ id: string; leadingId: string; versionId: string }>(
    `SELECT side.id, side.leg_of AS "leadingId", v.id AS "versionId"
     FROM recordings side JOIN recording_versions v ON v.recording_id = side.leg_of WHERE side.id = ANY($1::uuid[])`,
    [sides],
  );
  return rows.flatMap(({ id, leadingId, versionId }) => {
    const { bothPlayback, bothWaveform } = objectKeys(leadingId, versionId, '');
    return [{ id, key: bothPlayback }, { id, key: bothWaveform }];
  });
}

/**
 * Has the playback copy of those made anew that hold a side which was deleted meanwhile: what was erased must not be heard
 * from another's copy.
 */
export async function separateDeletedSides({ clock, database }: Base): Promise<void> {
  await database.query(
    `WITH bereft AS (
       UPDATE recordings r SET sides_joined = false
       WHERE r.sides_joined AND r.purge_intent IS NULL AND (
         SELECT count(DISTINCT side.leg) FROM recordings side
         WHERE (side.id = r.id OR side.leg_of = r.id) AND side.leg IS NOT NULL AND side.purge_intent IS NULL) < 2
       RETURNING r.id, r.version)
     UPDATE recording_versions v SET state = 'received', attempts = 0, next_attempt_at = $1
     FROM bereft WHERE v.recording_id = bereft.id AND v.number = bereft.version`,
    [clock.now()],
  );
}

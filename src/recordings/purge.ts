import type { Platform } from '../platform/platform.js';
import type { Category, Item, Period, Remains, StoredItem } from '../retention/category.js';
import { endOfPeriodSql, latestEndSql } from '../retention/policy.js';
import { tableCategory } from '../retention/table-category.js';
import { pushDigest } from '../retention/tombstone.js';
import { copiesWith, separateSides } from './legs.js';

/**
 * What retention needs to know of recordings. The whole recording is one item, all its versions and what was made of them
 * included; rows that hang on it go by foreign key.
 */

/** `endOfCall` in SQL, over the row `i` of a recording and its newest version. */
const endOfCallSql = `LEAST(
  CASE WHEN i.ended_at >= i.started_at AND i.ended_at - i.started_at <= interval '24 hours' THEN i.ended_at
    ELSE i.started_at + COALESCE((SELECT v.duration_ms FROM recording_versions v
      WHERE v.recording_id = i.id ORDER BY v.number DESC NULLS LAST LIMIT 1), 0) * interval '1 millisecond' END,
  i.created_at)`;

/** No call ends after it was received. */
const storedColumns = (timeZone: string) => `i.id, i.id AS "subjectId", i.retain_until AS "retainUntil", i.created_at AS "storedAt",
  'recordings/' || i.id || '/' AS prefix,
  COALESCE((SELECT json_agg(json_build_object('key', o.key, 'bytes', o.bytes)) FROM recording_versions v
    CROSS JOIN LATERAL (VALUES (v.original_key, v.bytes), (v.playback_key, v.playback_bytes), (v.waveform_key, NULL))
      AS o (key, bytes)
    WHERE v.recording_id = i.id AND v.state <> 'receiving' AND o.key IS NOT NULL), '[]') AS objects,
  ${latestEndSql('i.created_at', `'recording'`, timeZone)} AS "latestRetainUntil"`;

/** SQL: the ids of all files of the calls that `ids` are sides of, themselves included. */
const filesOfCalls = (ids: string) => `(
  SELECT unnest(${ids}) UNION SELECT leg_of FROM recordings WHERE id = ANY(${ids}) AND leg_of IS NOT NULL
  UNION SELECT id FROM recordings WHERE leg_of = ANY(${ids})
  UNION SELECT side.id FROM recordings given JOIN recordings side ON side.leg_of = given.leg_of WHERE given.id = ANY(${ids}))`;

/** Recordings as a category of retention. `timeZone` is the service's. */
export function recordingCategory(platform: Pick<Platform, 'clock' | 'database'>, timeZone: string): Category {
  const { database } = platform;
  const common = tableCategory(database, {
    name: 'recording',
    subject: 'recording',
    table: 'recordings',
    subjectId: 'i.id',
    storedAt: 'i.created_at',
    prefix: `'recordings/' || i.id || '/'`,
    // A push that was never acknowledged leaves nothing, no tombstone either: `finishStaleUploads` takes it back.
    isIn: 'i.version > 0',
    dates: { policy: `'recording'`, under: (period: Period) => endOfPeriodSql(endOfCallSql, period, timeZone) },
  });
  return {
    ...common,
    policies: ['recording'],
    roots: ['recordings/'],

    // A call recorded in one file a side is held as one: all its files are locked, in the order in which a purge locks.
    async lockSubjects(tx, ids) {
      const files = await database.query<{ id: string }>(
        `SELECT id FROM recordings WHERE id IN ${filesOfCalls('$1::uuid[]')} ORDER BY id FOR UPDATE`, [ids], tx,
      );
      return await common.lockSubjects(tx, files.map(({ id }) => id));
    },

    itemsOf: (id) =>
      database.query<Item>(
        `SELECT i.id, i.id AS "subjectId", i.retain_until AS "retainUntil", i.created_at AS "storedAt",
           'recordings/' || i.id || '/' AS prefix
         FROM recordings i WHERE i.id IN ${filesOfCalls('ARRAY[$1::uuid]')} ORDER BY i.id`,
        [id],
      ),

    async markPurging(tx, ids, intent) {
      await common.markPurging(tx, ids, intent);
      await separateSides(platform, tx, ids);
    },

    copiesElsewhere: (ids) => copiesWith(database, ids),

    async remains(tx, ids) {
      const rows = await database.query<Omit<Remains, 'pushDigest'> & { sourceId: string; callId: string; part: string }>(
        `SELECT i.id, i.id AS "subjectId", i.source_id AS "sourceId", i.call_id AS "callId", i.part,
           to_char(i.started_at AT TIME ZONE $2, 'YYYY-MM-DD') AS day,
           ARRAY(SELECT v.sha256 FROM recording_versions v
             WHERE v.recording_id = i.id AND v.number IS NOT NULL ORDER BY v.number) AS sha256
         FROM recordings i WHERE i.id = ANY($1::uuid[])`,
        [ids, timeZone],
        tx,
      );
      return rows.map(({ callId, part, ...row }) => ({ ...row, pushDigest: pushDigest(row.sourceId, callId, part) }));
    },

    storedAfter: (_root, afterId, limit) =>
      database.query<StoredItem>(
        `SELECT ${storedColumns(timeZone)} FROM recordings i WHERE ($1::uuid IS NULL OR i.id > $1) ORDER BY i.id LIMIT $2`,
        [afterId, limit],
      ),

    stored: (ids) =>
      database.query<StoredItem>(`SELECT ${storedColumns(timeZone)} FROM recordings i WHERE i.id = ANY($1::uuid[])`, [ids]),
  };
}

import type { Database } from '../platform/database.js';
import type { Category, Period, Remains, StoredItem } from '../retention/category.js';
import { endOfPeriodSql, latestEndSql } from '../retention/policy.js';
import { tableCategory } from '../retention/table-category.js';

/** What retention needs to know of packages: each has a date of its own, and goes before what it contains. */

const storedAt = 'coalesce(i.sealed_at, i.requested_at)';
const prefix = `'exports/' || i.id || '/'`;

const storedColumns = (timeZone: string) => `i.id, i.id AS "subjectId", i.retain_until AS "retainUntil", ${storedAt} AS "storedAt",
  ${prefix} AS prefix,
  CASE WHEN i.sealed_at IS NULL THEN '[]'::json
    ELSE json_build_array(json_build_object('key', i.object_key, 'bytes', i.bytes)) END AS objects,
  ${latestEndSql(storedAt, `'package'`, timeZone)} AS "latestRetainUntil"`;

/** Packages as a category of retention. `timeZone` is the service's. */
export function packageCategory(database: Database, timeZone: string): Category {
  return {
    ...tableCategory(database, {
      name: 'package',
      subject: 'package',
      table: 'packages',
      subjectId: 'i.id',
      storedAt,
      prefix,
      dates: { policy: `'package'`, under: (period: Period) => endOfPeriodSql(storedAt, period, timeZone) },
    }),
    policies: ['package'],
    roots: ['exports/'],

    async remains(tx, ids) {
      return await database.query<Remains>(
        `SELECT i.id, i.id AS "subjectId", NULL::uuid AS "sourceId", NULL::text AS "pushDigest",
           to_char(${storedAt} AT TIME ZONE $2, 'YYYY-MM-DD') AS day,
           CASE WHEN i.sha256 IS NULL THEN '{}'::text[] ELSE ARRAY[i.sha256] END AS sha256
         FROM packages i WHERE i.id = ANY($1::uuid[])`,
        [ids, timeZone],
        tx,
      );
    },

    storedAfter: (_root, afterId, limit) =>
      database.query<StoredItem>(
        `SELECT ${storedColumns(timeZone)} FROM packages i WHERE ($1::uuid IS NULL OR i.id > $1) ORDER BY i.id LIMIT $2`,
        [afterId, limit],
      ),

    stored: (ids) =>
      database.query<StoredItem>(`SELECT ${storedColumns(timeZone)} FROM packages i WHERE i.id = ANY($1::uuid[])`, [ids]),

    async containing(tx, category, items) {
      if (category !== 'recording') return [];
      const rows = await database.query<{ id: string }>(
        `SELECT DISTINCT p.id FROM package_recordings c JOIN packages p ON p.id = c.package_id
         WHERE c.recording_id = ANY ($1::uuid[]) AND p.purge_intent IS NULL`,
        [items],
        tx,
      );
      return rows.map((row) => row.id);
    },
  };
}

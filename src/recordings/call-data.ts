import type { Database } from '../platform/database.js';
import type { Category, Period, Remains, StoredItem } from '../retention/category.js';
import { endOfPeriodSql } from '../retention/policy.js';
import { tableCategory } from '../retention/table-category.js';

/**
 * Call data without a recording as a category of retention. A record that has a recording is no item: it goes with it, by
 * foreign key. These have no objects, and nothing that could be pushed again is remembered of them.
 */
export function callDataCategory(database: Database, timeZone: string): Category {
  const none: StoredItem[] = [];
  return {
    ...tableCategory(database, {
      name: 'call_data',
      subject: 'recording',
      table: 'loose_call_records',
      subjectId: 'i.id',
      storedAt: 'i.received_at',
      prefix: 'NULL::text',
      dates: { policy: `'call_data'`, under: (period: Period) => endOfPeriodSql('i.ended_at', period, timeZone) },
    }),
    policies: ['call_data'],
    roots: [],
    remains: (tx, ids) =>
      database.query<Remains>(
        `SELECT i.id, i.id AS "subjectId", '{}'::text[] AS sha256, to_char(i.started_at AT TIME ZONE $2, 'YYYY-MM-DD') AS day,
           i.source_id AS "sourceId", NULL AS "pushDigest"
         FROM call_records i WHERE i.id = ANY($1::uuid[])`,
        [ids, timeZone],
        tx,
      ),
    storedAfter: () => Promise.resolve(none),
    stored: () => Promise.resolve(none),
  };
}

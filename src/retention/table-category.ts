import type { Database } from '../platform/database.js';
import type { Category, DueCount, Item, Period, SubjectKind } from './category.js';
import { heldAt } from './hold.js';

/** The table behind a category, for the parts of `Category` that are the same for all. Names are SQL, never input. */
export interface CategoryTable {
  name: string;
  subject: SubjectKind;
  /** The table; below it is called `i`. */
  table: string;
  /** SQL over `i`. */
  subjectId: string;
  storedAt: string;
  /** SQL over `i` that gives the prefix as text, or null. */
  prefix: string;
  /** SQL over `i`, true unless told: was it taken in? What still is coming in is settled by who takes it in, not swept. */
  isIn?: string;
  /** SQL over `i`: the date that `period` gives. `policy` is SQL over `i` for the name of the policy it follows. */
  dates?: { policy: string; under(period: Period): string };
}

type TableCategory = Pick<
  Category,
  'name' | 'subject' | 'lockSubjects' | 'dueSql' | 'lockDue' | 'lockItems' | 'markPurging' | 'endPeriod' | 'deleteRows' | 'countDue' | 'overdue'
  | 'oldestStored' | 'itemsOf' | 'shortenable' | 'shorten'
>;

/**
 * The common part of a category whose items are the rows of one table with columns `id uuid`, a date
 * (`retain_until timestamptz`) and an intent (`purge_intent jsonb`), indexed on (retain_until, id) and on the subject.
 */
export function tableCategory(database: Database, described: CategoryTable): TableCategory {
  const { name, subject, table, subjectId, storedAt, prefix, isIn = 'true', dates } = described;
  const item = `i.id, ${subjectId} AS "subjectId", i.retain_until AS "retainUntil", ${storedAt} AS "storedAt", ${prefix} AS prefix`;
  const held = (now: string) => heldAt(subject, subjectId, now);
  return {
    name,
    subject,
    lockSubjects: (tx, ids) =>
      database.query(
        `SELECT i.id, ${subjectId} AS "subjectId", i.retain_until AS "retainUntil", i.purge_intent IS NOT NULL AS purging
         FROM ${table} i WHERE ${subjectId} = ANY($1::uuid[]) ORDER BY i.id FOR UPDATE OF i`,
        [ids],
        tx,
      ),
    dueSql: (now) =>
      `EXISTS (SELECT FROM ${table} i WHERE i.retain_until <= ${now} AND i.purge_intent IS NULL AND ${isIn} AND NOT ${held(now)})`,
    lockDue: (tx, now, limit) =>
      database.query<Item>(
        `SELECT ${item} FROM ${table} i
         WHERE i.retain_until <= $1 AND i.purge_intent IS NULL AND ${isIn} AND NOT ${held('$1')}
         ORDER BY i.retain_until, i.id LIMIT $2 FOR UPDATE OF i SKIP LOCKED`,
        [now, limit],
        tx,
      ),
    lockItems: (tx, ids) =>
      database.query<Item>(
        `SELECT ${item} FROM ${table} i WHERE i.id = ANY($1::uuid[]) ORDER BY i.id FOR UPDATE OF i`,
        [ids],
        tx,
      ),
    async markPurging(tx, ids, value) {
      await database.query(
        `UPDATE ${table} i SET purge_intent = $2::jsonb WHERE i.id = ANY($1::uuid[])`,
        [ids, JSON.stringify(value)],
        tx,
      );
    },
    async endPeriod(tx, ids, now) {
      await database.query(`UPDATE ${table} i SET retain_until = least(i.retain_until, $2) WHERE i.id = ANY($1::uuid[])`, [ids, now], tx);
    },
    async deleteRows(tx, ids) {
      const rows = await database.query<{ id: string }>(
        `DELETE FROM ${table} i WHERE i.id = ANY($1::uuid[]) RETURNING i.id`,
        [ids],
        tx,
      );
      return rows.map((row) => row.id);
    },
    countDue: (from, until) =>
      database.query<DueCount>(
        `SELECT to_char(i.retain_until AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date, count(*) AS count
         FROM ${table} i WHERE i.retain_until > $1 AND i.retain_until <= $2 AND i.purge_intent IS NULL AND ${isIn} GROUP BY 1 ORDER BY 1`,
        [from, until],
      ),
    async overdue(now) {
      const [row] = await database.query<{ count: number; oldest: Date | null }>(
        `SELECT count(*) AS count, min(i.retain_until) AS oldest FROM ${table} i
         WHERE i.retain_until <= $1 AND ${isIn} AND NOT ${held('$1')}`,
        [now],
      );
      return row ?? { count: 0, oldest: null };
    },
    async oldestStored(now) {
      const [row] = await database.query<{ oldest: Date | null }>(
        `SELECT ${storedAt} AS oldest FROM ${table} i WHERE ${prefix} IS NOT NULL AND NOT ${held('$1')}
         ORDER BY ${storedAt} LIMIT 1`,
        [now],
      );
      return row?.oldest ?? null;
    },
    itemsOf: (id) =>
      database.query<Item>(
        `SELECT ${item} FROM ${table} i WHERE ${subjectId} = $1 AND ${prefix} IS NOT NULL ORDER BY i.id`,
        [id],
      ),
    ...(dates === undefined ? {} : shortening(database, table, dates)),
  };
}

/** Both acts walk the same rows with the same expression, so that a preview is what happens. */
function shortening(
  database: Database,
  table: string,
  dates: { policy: string; under(period: Period): string },
): Required<Pick<Category, 'shortenable' | 'shorten'>> {
  return {
    async shortenable(policy, period, at, tx) {
      // A digest that needs no order and no memory, however many there are: two sums over 60 bits of a digest of each.
      const bits = (from: number) => `('x' || substr(md5(id::text), ${from}, 15))::bit(60)::bigint::numeric`;
      const sum = (from: number) => `coalesce(sum(${bits(from)}) FILTER (WHERE due <= $2), 0)`;
      const [row] = await database.query<{ shortened: number; dueAtOnce: number; digest: string }>(
        `SELECT count(*) AS shortened, count(*) FILTER (WHERE due <= $2) AS "dueAtOnce", ${sum(1)} || '.' || ${sum(16)} AS digest
         FROM (SELECT i.id, i.retain_until, ${dates.under(period)} AS due FROM ${table} i
               WHERE ${dates.policy} = $1 AND i.purge_intent IS NULL) dated
         WHERE due < retain_until AND retain_until > $2`,
        [policy, at],
        tx,
      );
      return row ?? { shortened: 0, dueAtOnce: 0, digest: '' };
    },
    async shorten(tx, policy, period, afterId, limit) {
      const rows = await database.query<{ id: string; changed: boolean }>(
        `WITH page AS (
           SELECT i.id, ${dates.under(period)} AS due FROM ${table} i
           WHERE ($2::uuid IS NULL OR i.id > $2) AND ${dates.policy} = $1 ORDER BY i.id LIMIT $3 FOR UPDATE OF i),
         changed AS (
           UPDATE ${table} i SET retain_until = page.due FROM page
           WHERE page.id = i.id AND page.due < i.retain_until AND i.purge_intent IS NULL RETURNING i.id)
         SELECT page.id, changed.id IS NOT NULL AS changed FROM page LEFT JOIN changed USING (id) ORDER BY page.id`,
        [policy, afterId, limit],
        tx,
      );
      return {
        changed: rows.filter((row) => row.changed).length,
        next: rows.length < limit ? null : (rows.at(-1)?.id ?? null),
      };
    },
  };
}

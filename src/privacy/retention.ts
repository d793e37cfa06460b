import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import type { Category, Remains } from '../retention/category.js';
import { heldAt } from '../retention/hold.js';
import { periodInForce } from '../retention/policies.js';
import { endOfPeriod, endOfPeriodSql } from '../retention/policy.js';
import { tableCategory } from '../retention/table-category.js';
import { refuseDeleted } from '../retention/tombstone.js';
import type { Outcome, PrivacyContext, RequestRow } from './request.js';

/** Request files have a period of their own, counted from their closing (accountability, art. 5(2) GDPR). */

/** Closes the row inside `tx`: from here on its own retention counts. */
export async function closeRow(
  { platform: { clock, database }, settings }: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: Pick<RequestRow, 'id'>,
  outcome: Outcome,
  mergedInto: string | null = null,
): Promise<void> {
  const now = clock.now();
  const retainUntil = endOfPeriod(now, await periodInForce(database, 'privacy_request', tx), settings.timeZone);
  await database.query(
    `UPDATE privacy_requests SET state = 'closed', closed_at = $2, closed_by = $3, outcome = $4, merged_into = $5,
       retain_until = $6 WHERE id = $1`,
    [request.id, now, person.userId, outcome, mergedInto, retainUntil],
    tx,
  );
}

/** SQL over `q`: may a request file still be read at `nowSql`? From its date on it may not, swept or not. */
export const stillKept = (nowSql: string): string => `(q.purge_intent IS NULL
  AND (q.retain_until IS NULL OR q.retain_until > ${nowSql} OR ${heldAt('privacy_request', 'q.id', nowSql)}))`;

/** @throws Problem `not-found`, `retention-ended` from its date on */
export async function refuseOver({ platform: { clock, database } }: PrivacyContext, id: string): Promise<void> {
  const [request] = await database.query<{ kept: boolean }>(
    `SELECT ${stillKept('$2')} AS kept FROM privacy_requests q WHERE q.id = $1`,
    [id, clock.now()],
  );
  if (request?.kept === true) return;
  if (request !== undefined) throw new Problem('retention-ended');
  await refuseDeleted(database, 'privacy_request', id);
  throw new Problem('not-found');
}

/** Request files as a category of retention: rows alone, everything about a request goes with it by foreign key. */
export function privacyRequestCategory(database: Database, timeZone: string): Category {
  return {
    ...tableCategory(database, {
      name: 'privacy_request',
      subject: 'privacy_request',
      table: 'privacy_requests',
      subjectId: 'i.id',
      storedAt: 'i.created_at',
      prefix: 'NULL::text',
      dates: {
        policy: `CASE WHEN i.closed_at IS NULL THEN '' ELSE 'privacy_request' END`,
        under: (period) => endOfPeriodSql('i.closed_at', period, timeZone),
      },
    }),
    policies: ['privacy_request'],
    roots: [],
    remains: (tx, ids) =>
      database.query<Remains>(
        `SELECT i.id, i.id AS "subjectId", NULL::uuid AS "sourceId", NULL::text AS "pushDigest", '{}'::text[] AS sha256,
           to_char(i.closed_at AT TIME ZONE $2, 'YYYY-MM-DD') AS day
         FROM privacy_requests i WHERE i.id = ANY($1::uuid[])`,
        [ids, timeZone],
        tx,
      ),
    storedAfter: () => Promise.resolve([]),
    stored: () => Promise.resolve([]),
    itemsOf: () => Promise.resolve([]),
  };
}

import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { SubjectKind } from './category.js';
import { holdColumns, type Hold } from './place-hold.js';

/** Holds, as whoever may know of them is shown them. */

export interface HoldFilter {
  kind?: SubjectKind | undefined;
  itemId?: string | undefined;
  /** Of one group: a request, an act, or one hold by itself. */
  groupId?: string | undefined;
  /** Only those in force, or only those that are over. */
  inForce?: boolean | undefined;
  /** Who asks: holds that may not be told are their owner's and the auditor's to know. */
  reader: Person;
}

/**
 * SQL over `holds`: may the reader know of this row? `all` (the auditor) and `readerId` are SQL. What serves the request of a
 * colleague is nothing for those who are kept from it.
 */
export const tellable = (all: string, readerId: string): string => `(${all} OR owner_id = ${readerId} OR (NOT secret
  AND NOT EXISTS (SELECT FROM privacy_requests k WHERE k.id = holds.request_id
    AND (k.employee_id = ${readerId} OR ${readerId} = ANY (k.kept_from)))))`;

/** SQL over `holds`: what waits for a second person. A hold whose end has passed asks nobody any more. */
export const waiting = (now: string) => `confirmed_at IS NULL AND released_at IS NULL AND (ends_at IS NULL OR ends_at > ${now})`;

/** Holds, newest first. */
export async function listHolds(
  database: Database,
  now: Date,
  filter: HoldFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: Hold[]; nextCursor: string | null }> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Hold>(
    `SELECT ${holdColumns} FROM holds
     WHERE ($1::text IS NULL OR category = $1) AND ($2::uuid IS NULL OR item_id = $2)
       AND ($3::boolean IS NULL OR (ends_at IS NULL OR ends_at > $4) = $3)
       AND ($5::timestamptz IS NULL OR (placed_at, id) < ($5, $6::uuid))
       AND ${tellable('$8::boolean', '$9::uuid')}
       AND ($10::uuid IS NULL OR coalesce(request_id, act_id, id) = $10)
     ORDER BY placed_at DESC, id DESC LIMIT $7`,
    [
      filter.kind ?? null, filter.itemId ?? null, filter.inForce ?? null, now, after?.at ?? null, after?.id ?? null,
      page.limit + 1, filter.reader.role === 'auditor', filter.reader.userId, filter.groupId ?? null,
    ],
  );
  return toPage(rows, page.limit, (row) => row, (row) => ({ at: row.placedAt, id: row.id }));
}

/** Holds that stand and fall together, as one line: all those of a request, all those of one act, or one by itself. */
export interface HoldGroup {
  /** Of the request, the act or the hold. */
  id: string;
  requestId: string | null;
  /** As people call the request: `PV-2026-0007`. */
  reference: string | null;
  recordings: number;
  tickets: number;
  packages: number;
  holds: number;
  grounds: Hold['ground'][];
  reasons: string[];
  owners: string[];
  placedBy: string[];
  /** Of the latest one. */
  placedAt: Date;
  unconfirmed: number;
  /** The latest of those that wait for a second person: what a confirmation of what was shown reaches. */
  unconfirmedUntil: Date | null;
  confirmBy: Date | null;
  reviewAt: Date;
  reviewDue: boolean;
  released: boolean;
  /** When the last of them stops to hold; null while one has no end. */
  endsAt: Date | null;
  secret: boolean;
}

/** Groups of holds, the one with the newest hold first. */
export async function listHoldGroups(
  database: Database,
  now: Date,
  filter: Pick<HoldFilter, 'inForce' | 'reader'>,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: HoldGroup[]; nextCursor: string | null }> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const waits = waiting('$1');
  const items = (kind: SubjectKind) => `count(DISTINCT item_id) FILTER (WHERE category = '${kind}')`;
  const rows = await database.query<HoldGroup>(
    `SELECT g.*, 'PV-' || q.year || '-' || lpad(q.number::text, 4, '0') AS reference FROM (
       SELECT coalesce(request_id, act_id, id) AS id, (array_agg(request_id))[1] AS "requestId", ${items('recording')} AS recordings,
         ${items('ticket')} AS tickets, ${items('package')} AS packages, count(*) AS holds, array_agg(DISTINCT ground) AS grounds,
         array_agg(DISTINCT reason) AS reasons, array_agg(DISTINCT owner_id)::text[] AS owners,
         array_agg(DISTINCT placed_by)::text[] AS "placedBy", max(placed_at) AS "placedAt",
         count(*) FILTER (WHERE ${waits}) AS unconfirmed, max(placed_at) FILTER (WHERE ${waits}) AS "unconfirmedUntil",
         min(confirm_by) FILTER (WHERE ${waits}) AS "confirmBy",
         coalesce(min(review_at) FILTER (WHERE ends_at IS NULL), min(review_at)) AS "reviewAt",
         bool_or(released_at IS NULL AND (ends_at IS NULL OR ends_at > $1) AND review_at <= $1) AS "reviewDue",
         bool_and(released_at IS NOT NULL) AS released,
         CASE WHEN bool_or(ends_at IS NULL) THEN NULL ELSE max(ends_at) END AS "endsAt", bool_or(secret) AS secret
       FROM holds WHERE ($2::boolean IS NULL OR (ends_at IS NULL OR ends_at > $1) = $2) AND ${tellable('$3::boolean', '$4::uuid')}
       GROUP BY 1) g LEFT JOIN privacy_requests q ON q.id = g."requestId"
     WHERE $5::timestamptz IS NULL OR (g."placedAt", g.id) < ($5, $6::uuid)
     ORDER BY g."placedAt" DESC, g.id DESC LIMIT $7`,
    [
      now, filter.inForce ?? null, filter.reader.role === 'auditor', filter.reader.userId, after?.at ?? null, after?.id ?? null,
      page.limit + 1,
    ],
  );
  return toPage(rows, page.limit, (row) => row, (row) => ({ at: row.placedAt, id: row.id }));
}

/** Holds by their ids. */
export async function holdsById(database: Database, ids: readonly string[]): Promise<Map<string, Hold>> {
  const rows = await database.query<Hold>(`SELECT ${holdColumns} FROM holds WHERE id = ANY($1::uuid[])`, [ids]);
  return new Map(rows.map((hold) => [hold.id, hold]));
}

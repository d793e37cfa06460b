import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { SubjectKind } from './category.js';
import { holdColumns, type Hold } from './place-hold.js';

/** Holds, as whoever may know of them is shown them. */

export interface HoldFilter {
  kind?: SubjectKind | undefined;
  itemId?: string | undefined;
  /** Only those in force, or only those that are over. */
  inForce?: boolean | undefined;
  /** Who asks: holds that may not be told are their owner's and the auditor's to know. */
  reader: Person;
}

/** SQL: may the reader know of the hold in this row? `all` and `readerId` are SQL. */
export const tellable = (all: string, readerId: string): string => `(NOT secret OR ${all} OR owner_id = ${readerId})`;

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
     ORDER BY placed_at DESC, id DESC LIMIT $7`,
    [
      filter.kind ?? null, filter.itemId ?? null, filter.inForce ?? null, now, after?.at ?? null, after?.id ?? null,
      page.limit + 1, filter.reader.role === 'auditor', filter.reader.userId,
    ],
  );
  return toPage(rows, page.limit, (row) => row, (row) => ({ at: row.placedAt, id: row.id }));
}

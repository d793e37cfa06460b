import { z } from 'zod';
import { Problem } from './problem.js';

/**
 * Keyset paging: a cursor holds the sort key of the last row seen, so that a page costs the same however deep it is and
 * rows that arrive meanwhile shift nothing.
 */

/** `limit` and `cursor` as every list takes them. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(300).optional(),
};

/** The reply `{items, nextCursor}`. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** An opaque cursor for the sort key `[at, id]`. */
export function encodeCursor(at: Date, id: string | number): string {
  return Buffer.from(JSON.stringify([at.toISOString(), id])).toString('base64url');
}

/** @throws Problem `invalid-input` when the cursor is not one of ours. */
export function decodeCursor(cursor: string): { at: Date; id: string } {
  try {
    const [at, id] = z
      .tuple([z.iso.datetime(), z.union([z.uuid(), z.int().transform(String)])])
      .parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { at: new Date(at), id };
  } catch {
    throw new Problem('invalid-input', { errors: [{ path: 'cursor', message: 'is not a cursor of this list' }] });
  }
}

/** Cuts `rows`, of which one more than `limit` was asked, to a page and says whether there is a next one. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
  keyOf: (row: Row) => { at: Date; id: string | number },
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { items: shown.map(present), nextCursor: null };
  const { at, id } = keyOf(last);
  return { items: shown.map(present), nextCursor: encodeCursor(at, id) };
}

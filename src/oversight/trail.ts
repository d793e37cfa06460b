import type { Actor, AuditDetail } from '../audit/log.js';
import type { Database } from '../platform/database.js';

/** The audit trail as people read it: newest first, with the names of those who still have one. */

export interface TrailFilter {
  /** A person's, source's or part's id. */
  actor?: string | undefined;
  /** An id, or `type:id`, or `type:` for all of a type. */
  object?: string | undefined;
  /** `recording.received`, or `recording.*`. */
  action?: string | undefined;
  from?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
  /** Whether entries marked `secret` (an authority's order that may not be told) are included. */
  secrets: boolean;
}

export interface TrailRow {
  id: number;
  at: Date;
  actor_kind: Actor['kind'];
  actor_id: string;
  /** Joined when read: entries themselves hold no names, and a person who was erased has none. */
  actor_name: string | null;
  action: string;
  object_type: string | null;
  object_id: string | null;
  details: { [name: string]: AuditDetail };
}

/** Up to `most` entries before `before`, newest first. */
export async function readTrail(
  database: Database,
  filter: TrailFilter,
  most: number,
  before?: { at: Date; id: string | number },
): Promise<TrailRow[]> {
  const binds: unknown[] = [];
  const value = (given: unknown) => `$${binds.push(given)}`;
  const conditions: string[] = [];
  if (filter.actor !== undefined) conditions.push(`actor_id = ${value(filter.actor)}`);
  if (filter.object !== undefined) {
    const { type, id } = splitObject(filter.object);
    if (type !== undefined) conditions.push(`object_type = ${value(type)}`);
    if (id !== '') conditions.push(`object_id = ${value(id)}`);
  }
  if (filter.action?.endsWith('.*') === true)
    conditions.push(`starts_with(action, ${value(filter.action.slice(0, -1))})`);
  else if (filter.action !== undefined) conditions.push(`action = ${value(filter.action)}`);
  if (filter.from !== undefined) conditions.push(`at >= ${value(filter.from)}`);
  if (filter.until !== undefined) conditions.push(`at < ${value(filter.until)}`);
  if (before !== undefined)
    conditions.push(`(at, e.id) < (${value(before.at)}::timestamptz, ${value(String(before.id))}::bigint)`);
  if (!filter.secrets) conditions.push(`NOT details @> '{"secret": true}'`);
  // The page first, the names of its few people after: the join must not keep the index from giving the order.
  return await database.query<TrailRow>(
    `SELECT e.*, u.name AS actor_name
     FROM (
       SELECT id, at, actor_kind, actor_id, action, object_type, object_id, details FROM audit_entries e
       ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
       ORDER BY at DESC, id DESC LIMIT ${value(most)}
     ) e
     LEFT JOIN users u ON e.actor_kind = 'person' AND u.id::text = e.actor_id
     ORDER BY at DESC, e.id DESC`,
    binds,
  );
}

function splitObject(object: string): { type: string | undefined; id: string } {
  const match = /^([a-z_]+):(.*)$/s.exec(object);
  return match === null ? { type: undefined, id: object } : { type: match[1], id: match[2] ?? '' };
}

const columns = ['id', 'at', 'actor_kind', 'actor_id', 'actor_name', 'action', 'object_type', 'object_id', 'details'];
const page = 1000;

/** The trail as CSV (RFC 4180, UTF-8 with the mark that spreadsheets look for), in memory of one page. */
export async function* trailAsCsv(database: Database, filter: TrailFilter): AsyncGenerator<string> {
  yield `\uFEFF${csvLine(columns)}`;
  for (let before: { at: Date; id: number } | undefined; ; ) {
    const rows = await readTrail(database, filter, page, before);
    yield rows
      .map((row) =>
        csvLine([
          String(row.id), row.at.toISOString(), row.actor_kind, row.actor_id, row.actor_name ?? '', row.action,
          row.object_type ?? '', row.object_id ?? '', JSON.stringify(row.details),
        ]),
      )
      .join('');
    const last = rows.at(-1);
    if (last === undefined || rows.length < page) return;
    before = { at: last.at, id: last.id };
  }
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** A spreadsheet runs a cell that begins like a formula: a quotation mark before it keeps it text. */
function csvCell(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

import type { Role } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { readNumberSearch, type NumberSearch } from '../recordings/numbers.js';
import { closedToTraining, heldAt, restrictedNow } from '../retention/hold.js';
import { hasNumber } from './link.js';
import { readSearch } from './search-words.js';
import { ticketColumns, type TicketRow } from './ticket.js';

/** Tickets by number, requester, organisation, text and period: newest first, one page at a time. */

export interface TicketFilter {
  number?: string | undefined;
  email?: string | undefined;
  phone?: string | undefined;
  q?: string | undefined;
  from?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
}

/** A ticket in a list, with what stands beside its row. */
export interface FoundTicket extends TicketRow {
  source_name: string;
  held: boolean;
  restricted: boolean;
}

const facts = (now: string) => `${ticketColumns}, s.name AS source_name, ${heldAt('ticket', 't.id', now)} AS held,
  ${restrictedNow('ticket', 't.id')} AS restricted`;

/** SQL: tickets that `role` may know of. Past its period a held one is the officer's alone. */
function visible(role: Role, now: string): string {
  const kept = `t.retain_until > ${now}`;
  const until = role === 'privacy_officer' ? `(${kept} OR ${heldAt('ticket', 't.id', now)})` : kept;
  const open = viewOf(role).ticketText ? '' : `AND NOT ${closedToTraining('ticket', 't.id')}`;
  return `${until} AND t.purge_intent IS NULL ${open}`;
}

/** Who may not read names and texts may not search by them either: what is found would tell them. */
export function requireSearchable(role: Role, filter: TicketFilter): void {
  const personal = filter.email ?? filter.phone ?? filter.q;
  if (personal !== undefined && !viewOf(role).ticketText)
    throw new Problem('forbidden', { detail: 'This role finds tickets by number and period.' });
}

type Bound = (given: unknown) => string;

/** What a search box holds that looks like a telephone number: tickets of that requester are meant as well. */
const looksLikeNumber = /^[+(\d][\d\s()./-]{6,24}$/;

function phoneCondition(search: NumberSearch, value: Bound): string {
  if ('whole' in search) return `t.requester_phone = ${value(search.whole)}`;
  const pattern = value(`${[...search.ending].reverse().join('')}%`);
  return `t.requester_phone IS NOT NULL AND reverse(t.requester_phone) LIKE ${pattern}`;
}

/** Ids of one index walk, newest first. `conditions` are SQL over `t`. */
const walk = (conditions: readonly string[], limit: string) =>
  `(SELECT t.id, t.opened_at FROM tickets t WHERE ${conditions.join(' AND ')} ORDER BY t.opened_at DESC, t.id DESC LIMIT ${limit})`;

/**
 * So many of the newest are looked through before the index of words is asked. Words that stand in every fiftieth ticket
 * fill a page from the few; where a handful was found among those, a page is likely to be among the many.
 */
const newestFew = 3_000;
const newestMany = 60_000;
const handful = 3;

/** A walk that ends after `most` tickets, or once a page is full. */
const walkNewest = (conditions: readonly string[], matches: string, limit: string, most: number) =>
  `(SELECT t.id, t.opened_at FROM (
      SELECT t.id, t.opened_at, t.document FROM tickets t WHERE ${conditions.join(' AND ')}
      ORDER BY t.opened_at DESC, t.id DESC LIMIT ${most}) t
    WHERE ${matches} ORDER BY t.opened_at DESC, t.id DESC LIMIT ${limit})`;

/**
 * Rarer words are few enough to fetch all of and sort. Kept apart from sorting and limit, or PostgreSQL would at times
 * guess that walking all tickets in order comes upon enough of them soon.
 */
const walkWords = (conditions: readonly string[], matches: string, limit: string) =>
  `(WITH hits AS MATERIALIZED (SELECT t.id, t.opened_at FROM tickets t WHERE ${[...conditions, matches].join(' AND ')})
    SELECT h.id, h.opened_at FROM hits h ORDER BY h.opened_at DESC, h.id DESC LIMIT ${limit})`;

/**
 * One page, and one row more if there is a next one.
 * @throws Problem `forbidden` when `role` may not search by that, `invalid-input` for a number too short to search by
 */
export async function findTickets(
  database: Database,
  role: Role,
  filter: TicketFilter,
  page: { limit: number; after: { at: Date; id: string } | undefined },
  context: { now: Date; country: string },
): Promise<FoundTicket[]> {
  requireSearchable(role, filter);
  const bind: unknown[] = [context.now];
  const value: Bound = (given) => `$${bind.push(given)}`;
  const conditions = [visible(role, '$1')];
  if (filter.number !== undefined) conditions.push(hasNumber('t', value(filter.number.trim())));
  if (filter.email !== undefined) conditions.push(`t.requester_email = ${value(filter.email.trim().toLowerCase())}`);
  if (filter.phone !== undefined) {
    const search = readNumberSearch(filter.phone, context.country);
    if (search === undefined)
      throw new Problem('invalid-input', { errors: [{ path: 'phone', message: 'has too few digits to search by' }] });
    conditions.push(phoneCondition(search, value));
  }
  if (filter.from !== undefined) conditions.push(`t.opened_at >= ${value(filter.from)}`);
  if (filter.until !== undefined) conditions.push(`t.opened_at < ${value(filter.until)}`);
  if (page.after !== undefined)
    conditions.push(`(t.opened_at, t.id) < (${value(page.after.at)}, ${value(page.after.id)}::uuid)`);
  const limit = value(page.limit + 1);
  const read = (walks: readonly string[]) =>
    database.query<FoundTicket>(
      `SELECT ${facts('$1')} FROM (${walks.join(' UNION ')}) found
       JOIN tickets t ON t.id = found.id JOIN sources s ON s.id = t.source_id
       ORDER BY t.opened_at DESC, t.id DESC LIMIT ${limit}`,
      bind,
    );
  if (filter.q === undefined) return await read([walk(conditions, limit)]);

  const phone = looksLikeNumber.test(filter.q.trim()) ? readNumberSearch(filter.q, context.country) : undefined;
  const numbers = phone === undefined ? [] : [walk([...conditions, phoneCondition(phone, value)], limit)];
  const query = await readSearch(database, filter.q);
  if (query === undefined) return numbers.length === 0 ? [] : await read(numbers);
  const matches = `t.document @@ ${value(query)}::tsquery`;
  if (numbers.length === 0) {
    const few = await read([walkNewest(conditions, matches, limit, newestFew)]);
    if (few.length > page.limit) return few;
    if (few.length >= handful) {
      const many = await read([walkNewest(conditions, matches, limit, newestMany)]);
      if (many.length > page.limit) return many;
    }
  }
  return await read([walkWords(conditions, matches, limit), ...numbers]);
}

/** One ticket whatever its dates; undefined when `role` may not know of it. */
export async function findOneTicket(database: Database, role: Role, id: string, now: Date): Promise<FoundTicket | undefined> {
  const open = viewOf(role).ticketText ? '' : `AND NOT ${closedToTraining('ticket', 't.id')}`;
  const [row] = await database.query<FoundTicket>(
    `SELECT ${facts('$2')} FROM tickets t JOIN sources s ON s.id = t.source_id WHERE t.id = $1 ${open}`,
    [id, now],
  );
  return row;
}

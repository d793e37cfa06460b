import type { Caller, Role } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { readNumberSearch, type NumberSearch } from '../recordings/numbers.js';
import { closedToTraining, heldToTell, knowerOf, restrictedNow, type Knower } from '../retention/hold.js';
import { hasNumber } from './link.js';
import { readSearch } from './search-words.js';
import { newestFirst, stretchesBetween } from './stretch.js';
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

const facts = (now: string, knower: Knower) => `${ticketColumns}, s.name AS source_name, ${heldToTell('ticket', 't.id', now, knower)} AS held,
  ${restrictedNow('ticket', 't.id')} AS restricted`;

/** SQL: tickets that the caller may know of. Past its period a held one is the officer's alone. */
function visible(caller: Caller, now: string): string {
  const { role } = caller;
  const kept = `t.retain_until > ${now}`;
  const until = role === 'privacy_officer' ? `(${kept} OR ${heldToTell('ticket', 't.id', now, knowerOf(caller))})` : kept;
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
  // So many numbers end in the same three digits that they are kept in order; longer endings are few enough to sort.
  if (search.ending.length === 3) return `right(t.requester_phone, 3) = ${value(search.ending)}`;
  const pattern = value(`${[...search.ending].reverse().join('')}%`);
  return `t.requester_phone IS NOT NULL AND reverse(t.requester_phone) LIKE ${pattern}`;
}

/** Ids of one index walk, newest first. `conditions` are SQL over `t`. */
const walk = (conditions: readonly string[], limit: string) =>
  `(SELECT t.id, t.opened_at FROM tickets t WHERE ${conditions.join(' AND ')} ORDER BY t.opened_at DESC, t.id DESC LIMIT ${limit})`;

/**
 * One page, and one row more if there is a next one.
 * @throws Problem `forbidden` when the role may not search by that, `invalid-input` for a number too short to search by
 */
export async function findTickets(
  database: Database,
  caller: Caller,
  filter: TicketFilter,
  page: { limit: number; after: { at: Date; id: string } | undefined },
  context: { now: Date; country: string },
): Promise<FoundTicket[]> {
  requireSearchable(caller.role, filter);
  const knower = knowerOf(caller);
  const bind: unknown[] = [context.now];
  const value: Bound = (given) => `$${bind.push(given)}`;
  const conditions = [visible(caller, '$1')];
  if (filter.number !== undefined) conditions.push(hasNumber('t', value(filter.number.trim())));
  if (filter.email !== undefined) conditions.push(`t.requester_email = ${value(filter.email.trim().toLowerCase())}`);
  if (filter.phone !== undefined) {
    const search = readNumberSearch(filter.phone, context.country);
    if (search === undefined)
      throw new Problem('invalid-input', { errors: [{ path: 'phone', message: 'has too few digits to search by' }] });
    conditions.push(phoneCondition(search, value));
  }
  const period: string[] = [];
  if (filter.from !== undefined) period.push(`t.opened_at >= ${value(filter.from)}`);
  if (filter.until !== undefined) period.push(`t.opened_at < ${value(filter.until)}`);
  if (page.after !== undefined)
    period.push(`(t.opened_at, t.id) < (${value(page.after.at)}, ${value(page.after.id)}::uuid)`);
  const inOrder = (more: readonly string[]) => {
    const most = value(page.limit + 1);
    return readShown(database, `SELECT id FROM ${walk([...conditions, ...period, ...more], most)} newest`, bind, most, knower);
  };
  if (filter.q === undefined) return await inOrder([]);

  const phone = looksLikeNumber.test(filter.q.trim()) ? readNumberSearch(filter.q, context.country) : undefined;
  const search = { conditions, period, bind: [...bind], knower };
  const [words, ends] = await Promise.all([readSearch(database, filter.q), endsOf(database)]);
  const byWords = words === undefined || ends === undefined ? [] : await findWords(database, words, search, page, within(ends, filter, page));
  if (phone === undefined) return byWords;
  const byNumber = await inOrder([phoneCondition(phone, value)]);
  const found = new Map([...byWords, ...byNumber].map((ticket) => [ticket.id, ticket]));
  return [...found.values()].sort(newestTicketFirst).slice(0, page.limit + 1);
}

const newestTicketFirst = (a: FoundTicket, b: FoundTicket) =>
  b.opened_at.getTime() - a.opened_at.getTime() || (a.id < b.id ? 1 : -1);

/** The tickets whose ids an SQL query gives, with what lists show of them; `$1` is now. */
const readShown = (database: Database, ids: string, bind: readonly unknown[], most: string, knower: Knower) =>
  database.query<FoundTicket>(
    `SELECT ${facts('$1', knower)} FROM (${ids}) found JOIN tickets t ON t.id = found.id JOIN sources s ON s.id = t.source_id
     ORDER BY t.opened_at DESC, t.id DESC LIMIT ${most}`,
    bind,
  );

interface Ends {
  oldest: Date;
  newest: Date;
}

/** When the first and the last ticket were opened; undefined while there are none. */
async function endsOf(database: Database): Promise<Ends | undefined> {
  const [ends] = await database.query<{ oldest: Date | null; newest: Date | null }>(
    'SELECT min(opened_at) AS oldest, max(opened_at) AS newest FROM tickets',
  );
  return ends === undefined || ends.oldest === null || ends.newest === null ? undefined : { oldest: ends.oldest, newest: ends.newest };
}

/** The time in which tickets of this page lie: from, and until just before. */
function within({ oldest, newest }: Ends, filter: TicketFilter, page: { after: { at: Date } | undefined }): { from: Date; until: Date } {
  const least = (...given: (number | undefined)[]) => Math.min(...given.map((each) => each ?? Infinity));
  return {
    from: new Date(Math.max(oldest.getTime(), filter.from?.getTime() ?? -Infinity)),
    until: new Date(least(newest.getTime() + 1, filter.until?.getTime(), page.after && page.after.at.getTime() + 1)),
  };
}

/** What is asked besides words, as SQL over `t`. */
interface Besides {
  conditions: readonly string[];
  period: readonly string[];
  bind: readonly unknown[];
  knower: Knower;
}

/**
 * Tickets that hold the words, newest first. Looked for from the newest stretch of time back, since sorting every ticket
 * with a common word costs the more the more there are.
 */
async function findWords(
  database: Database,
  words: string,
  { conditions, period, bind, knower }: Besides,
  page: { limit: number },
  whole: { from: Date; until: Date },
): Promise<FoundTicket[]> {
  const found: FoundTicket[] = [];
  const wanted = page.limit + 1;
  const parts = newestFirst(whole.from, whole.until);
  let widen = false;
  for (let next = parts.next(widen); next.done !== true; next = parts.next(widen)) {
    const { from, until } = next.value;
    const binds = [...bind];
    const value: Bound = (given) => `$${binds.push(given)}`;
    // The words and the stretch come from one index. The exact instants are looked at afterwards: offered to PostgreSQL
    // together with the rest, they would tempt it to read all tickets of the stretch.
    const hits = `WITH hits AS MATERIALIZED (SELECT t.id, t.opened_at FROM tickets t
        WHERE ${conditions.join(' AND ')} AND t.document @@ ${value(words)}::tsquery
          AND ticket_stretches(t.opened_at) && ${value(stretchesBetween(from, until))}::integer[])
      SELECT t.id FROM hits t WHERE ${[...period, `t.opened_at >= ${value(from)}`, `t.opened_at < ${value(until)}`].join(' AND ')}`;
    const most = value(wanted - found.length);
    const rows = await readShown(database, `${hits} ORDER BY t.opened_at DESC, t.id DESC LIMIT ${most}`, binds, most, knower);
    found.push(...rows);
    if (found.length >= wanted) break;
    widen = found.length < wanted / 8;
  }
  return found;
}

/** One ticket whatever its dates; undefined when `role` may not know of it. */
export async function findOneTicket(
  database: Database, role: Role, id: string, now: Date, knower: Knower,
): Promise<FoundTicket | undefined> {
  return (await findEachTicket(database, role, [id], now, knower)).get(id);
}

/** Several tickets by id, whatever their dates, without those that `role` may not know of. */
export async function findEachTicket(
  database: Database, role: Role, ids: readonly string[], now: Date, knower: Knower,
): Promise<Map<string, FoundTicket>> {
  const open = viewOf(role).ticketText ? '' : `AND NOT ${closedToTraining('ticket', 't.id')}`;
  const rows = await database.query<FoundTicket>(
    `SELECT ${facts('$2', knower)} FROM tickets t JOIN sources s ON s.id = t.source_id WHERE t.id = ANY ($1::uuid[]) ${open}`,
    [[...ids], now],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

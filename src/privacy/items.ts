import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { Interval, Leg } from '../recordings/recording.js';
import { heldAt, heldToTell, restrictedNow } from '../retention/hold.js';
import { usualDecision, type ItemFacts, type Usual } from './decide.js';
import type { RefusalGround } from './refusal-grounds.js';
import type { ProcessRow, RequestRow } from './request.js';
import type { Right, Verdict } from './rights.js';

/** What a request is about: recordings and tickets with what is known of them, and what was decided. */

/** A stretch in which somebody who is not involved is heard; in one channel, or in all. On the recording's timeline. */
export interface MaskSegment extends Interval {
  channel?: number;
}

/** A passage of a message in a ticket, by the characters of its words; without a place, the whole message or attachment. */
export interface Passage {
  /** Of the message or attachment. */
  pieceId: string;
  start?: number | undefined;
  end?: number | undefined;
}

export interface DecisionRow {
  id: string;
  item_id: string;
  right: Right;
  decision: Verdict;
  usual: Verdict | null;
  article: string;
  ground: RefusalGround | null;
  reason: string | null;
  review_at: Date | null;
  mask: MaskSegment[];
  /** Of a ticket: what is made unreadable. */
  passages: Passage[];
  /** Null where the law left nothing to decide. */
  decided_by: string | null;
  decided_at: Date;
  carried_out_at: Date | null;
}

/** An item beside the row it names; what comes from a row is null once that is gone. */
export interface ItemRow {
  id: string;
  request_id: string;
  kind: 'recording' | 'ticket';
  item_id: string;
  basis: string[];
  shared_number: boolean;
  found_at: Date;
  /** When the call began or the ticket was opened: lists are in this order, newest first. */
  item_at: Date;
  hold_id: string | null;
  /** Null while nobody has said whether it is theirs. */
  confirmed: boolean | null;
  /** Whether it may still be read: within its period or held, and not being deleted. */
  available: boolean;
  held: boolean;
  restricted: boolean;
  retain_until: Date | null;
  started_at: Date | null;
  duration_ms: number | null;
  channels: number | null;
  sample_rate_hz: number | null;
  /** Null for tickets. */
  holds: Interval[] | null;
  channel_map: Leg[] | null;
  version_state: string | null;
  caller_number: string | null;
  caller_name: string | null;
  callee_number: string | null;
  agent: string | null;
  ticket_number: string | null;
  subject: string | null;
  requester_name: string | null;
  requester_relation: ItemFacts['relation'];
  requester_kind: RequestRow['requester_kind'];
  opened_at: Date | null;
  has_agreement: boolean;
  objection_upheld: boolean;
}

const columns = `i.id, i.request_id, i.kind, i.item_id, i.basis, i.shared_number, i.found_at, i.item_at, i.hold_id, i.confirmed,
  coalesce(r.retain_until, t.retain_until) AS retain_until, r.started_at, v.duration_ms, v.channels, v.sample_rate_hz,
  r.holds, r.channel_map, v.state AS version_state,
  r.caller_number, r.caller_name, r.callee_number, r.agent, t.number AS ticket_number, t.subject, t.requester_name,
  t.requester_relation, t.opened_at, q.requester_kind`;

/** SQL over `i` and `q`: what a secret order keeps shows as held in its own file alone. */
const heldHere = (kind: 'recording' | 'ticket') =>
  `CASE WHEN q.secret THEN ${heldAt(kind, 'i.item_id', '$1')} ELSE ${heldToTell(kind, 'i.item_id', '$1', 'everyone')} END`;

/** The same of what a secret order restricts. */
const restrictedHere = (kind: 'recording' | 'ticket') =>
  `CASE WHEN q.secret THEN ${restrictedNow(kind, 'i.item_id', 'all')} ELSE ${restrictedNow(kind, 'i.item_id')} END`;

/**
 * SQL over `i`, `q`, `r` and `t`: may the item still be read at $1? Only of what is past its period it is asked whether it is
 * held.
 */
export const isAvailable = `coalesce(CASE i.kind
    WHEN 'recording' THEN r.purge_intent IS NULL AND (r.retain_until > $1 OR ${heldHere('recording')})
    ELSE t.purge_intent IS NULL AND (t.retain_until > $1 OR ${heldHere('ticket')}) END
    AND coalesce(r.id, t.id) IS NOT NULL, false)`;

const select = `SELECT ${columns}, ${isAvailable} AS available,
  CASE i.kind WHEN 'recording' THEN ${heldHere('recording')} ELSE ${heldHere('ticket')} END AS held,
  CASE i.kind WHEN 'recording' THEN ${restrictedHere('recording')} ELSE ${restrictedHere('ticket')} END AS restricted,
  EXISTS (SELECT FROM agreements a WHERE a.recording_id = r.id AND a.withdrawn_at IS NULL) AS has_agreement,
  EXISTS (SELECT FROM privacy_decisions d JOIN privacy_items o ON o.id = d.item_id
    WHERE o.kind = i.kind AND o.item_id = i.item_id AND d."right" = 'objection' AND d.decision = 'grant'
      AND d.replaced_at IS NULL) AS objection_upheld
  FROM privacy_items i JOIN privacy_requests q ON q.id = i.request_id
  LEFT JOIN recordings r ON i.kind = 'recording' AND r.id = i.item_id
  LEFT JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version
  LEFT JOIN tickets t ON i.kind = 'ticket' AND t.id = i.item_id`;

/**
 * What may not be read any more, told as if its row were gone, as it will be once the sweep comes to it. What a hold keeps
 * that may not be told stays there longer, and nothing gives it away.
 */
const asGone = (item: ItemRow): ItemRow =>
  item.available
    ? item
    : {
        ...item, retain_until: null, started_at: null, duration_ms: null, channels: null, sample_rate_hz: null, holds: null, channel_map: null,
        version_state: null, caller_number: null, caller_name: null, callee_number: null, agent: null, ticket_number: null, subject: null,
        requester_name: null, requester_relation: null, opened_at: null, has_agreement: false,
      };

async function read(database: Database, sql: string, bind: readonly unknown[], tx: Transaction | undefined): Promise<ItemRow[]> {
  return (await database.query<ItemRow>(sql, bind, tx)).map(asGone);
}

/** The items of a request: recordings first, newest first. */
export async function itemsOf(database: Database, requestId: string, now: Date, tx?: Transaction): Promise<ItemRow[]> {
  return await read(database, `${select} WHERE i.request_id = $2 ORDER BY i.kind, i.item_at DESC, i.id DESC`, [now, requestId], tx);
}

/** Items of a request by their ids; what is none of its items is left out. */
export async function itemsNamed(
  database: Database,
  requestId: string,
  ids: readonly string[],
  now: Date,
  tx?: Transaction,
): Promise<ItemRow[]> {
  return await read(database, `${select} WHERE i.request_id = $2 AND i.id = ANY ($3::uuid[])`, [now, requestId, [...ids]], tx);
}

/** One item of a request. */
export async function findItem(
  database: Database,
  requestId: string,
  itemId: string,
  now: Date,
  tx?: Transaction,
): Promise<ItemRow | undefined> {
  return (await itemsNamed(database, requestId, [itemId], now, tx))[0];
}

/** The decisions that count on these items, by item. */
export async function decisionsOn(
  database: Database,
  itemIds: readonly string[],
  tx?: Transaction,
): Promise<Map<string, DecisionRow[]>> {
  const rows = await database.query<DecisionRow>(
    'SELECT * FROM privacy_decisions WHERE item_id = ANY ($1::uuid[]) AND replaced_at IS NULL ORDER BY decided_at, id',
    [[...itemIds]],
    tx,
  );
  return byItem(rows);
}

function byItem(rows: readonly DecisionRow[]): Map<string, DecisionRow[]> {
  const found = new Map<string, DecisionRow[]>();
  for (const row of rows) {
    const known = found.get(row.item_id);
    if (known === undefined) found.set(row.item_id, [row]);
    else known.push(row);
  }
  return found;
}

/** An item with the decisions that count on it. */
export interface DecidedItem {
  item: ItemRow;
  decisions: DecisionRow[];
}

/** Which items of a request, and from where on. */
export interface ItemFilter {
  kind?: ItemRow['kind'] | undefined;
  /** `open`: nobody has said whose it is. */
  whose?: 'theirs' | 'others' | 'open' | undefined;
  after?: { at: Date; id: string } | undefined;
}

/** One page of items, newest first, along an index: as quick however many there are. */
export async function pageOfItems(
  database: Database,
  requestId: string,
  now: Date,
  { kind, whose, after }: ItemFilter,
  limit: number,
  tx?: Transaction,
): Promise<DecidedItem[]> {
  const confirmed = { theirs: 'i.confirmed', others: 'i.confirmed = false', open: 'i.confirmed IS NULL' };
  const items = await read(
    database,
    `${select} WHERE i.id IN (SELECT i.id FROM privacy_items i WHERE i.request_id = $2
         ${kind === undefined ? '' : `AND i.kind = '${kind}'`} ${whose === undefined ? '' : `AND ${confirmed[whose]}`}
         AND ($3::timestamptz IS NULL OR (i.item_at, i.id) < ($3, $4::uuid))
         ORDER BY i.item_at DESC, i.id DESC LIMIT $5)
     ORDER BY i.item_at DESC, i.id DESC`,
    [now, requestId, after?.at ?? null, after?.id ?? null, limit],
    tx,
  );
  const decisions = await decisionsOn(database, items.map(({ id }) => id), tx);
  return items.map((item) => ({ item, decisions: decisions.get(item.id) ?? [] }));
}

/** So many items are in memory at once. */
const batch = 200;

/** Every item that passes, newest first, some hundred at a time. */
export async function* itemBatches(
  database: Database,
  requestId: string,
  now: Date,
  filter: Omit<ItemFilter, 'after'>,
  tx?: Transaction,
): AsyncGenerator<DecidedItem[]> {
  let after: ItemFilter['after'];
  for (;;) {
    const items = await pageOfItems(database, requestId, now, { ...filter, after }, batch, tx);
    if (items.length > 0) yield items;
    const last = items.at(-1)?.item;
    if (last === undefined || items.length < batch) return;
    after = { at: last.item_at, id: last.id };
  }
}

/** The decisions that count, by item. */
export async function decisionsOf(
  database: Database,
  requestId: string,
  tx?: Transaction,
): Promise<Map<string, DecisionRow[]>> {
  return byItem(await database.query<DecisionRow>(
    `SELECT d.* FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id
     WHERE i.request_id = $1 AND d.replaced_at IS NULL ORDER BY d.decided_at, d.id`,
    [requestId],
    tx,
  ));
}

/** Whoever is neither asks for the person. */
const requesterIn = (kind: RequestRow['requester_kind']): ItemFacts['requester'] =>
  kind === 'company' || kind === 'authority' ? kind : 'subject';

const factsOf = (item: ItemRow): ItemFacts => ({
  kind: item.kind,
  relation: item.requester_relation,
  hasAgreement: item.has_agreement,
  objectionUpheld: item.objection_upheld,
  requester: requesterIn(item.requester_kind),
});

/** The law's default for this item. */
export const usualFor = (item: ItemRow, right: Right): Usual => usualDecision(right, factsOf(item));

/** Whether anybody has to decide follows from the kind of a thing and from who asks: the rest only says how. */
export const decidesOn = (right: Right, { kind, requester_kind: requester }: Pick<ItemRow, 'kind' | 'requester_kind'>): boolean =>
  usualDecision(right, { kind, relation: null, hasAgreement: false, objectionUpheld: false, requester: requesterIn(requester) }).decides;

/** Cells that somebody still has to decide: of items that are theirs or may be, in processes that are not approved. */
export function undecided(
  processes: readonly ProcessRow[],
  items: readonly ItemRow[],
  decisions: ReadonlyMap<string, readonly DecisionRow[]>,
): { itemId: string; right: Right }[] {
  const open = processes.filter(({ state }) => state === 'open' || state === 'decided').map(({ right }) => right);
  return items
    .filter((item) => item.confirmed !== false && item.available)
    .flatMap((item) =>
      open
        .filter((right) => usualFor(item, right).decides)
        .filter((right) => !(decisions.get(item.id) ?? []).some((decision) => decision.right === right))
        .map((right) => ({ itemId: item.id, right })),
    );
}

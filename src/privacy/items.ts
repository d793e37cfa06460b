import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { Interval, Leg } from '../recordings/recording.js';
import { heldAt, heldToTell, restrictedNow } from '../retention/hold.js';
import { usualDecision, type ItemFacts, type RefusalGround, type Usual } from './decide.js';
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

const columns = `i.id, i.request_id, i.kind, i.item_id, i.basis, i.shared_number, i.found_at, i.hold_id, i.confirmed,
  coalesce(r.retain_until, t.retain_until) AS retain_until, r.started_at, v.duration_ms, v.channels, v.sample_rate_hz,
  r.holds, r.channel_map, v.state AS version_state,
  r.caller_number, r.caller_name, r.callee_number, r.agent, t.number AS ticket_number, t.subject, t.requester_name,
  t.requester_relation, t.opened_at, q.requester_kind`;

/** What a secret order keeps shows as held in its own file alone. */
const select = `SELECT ${columns}, x.held, coalesce(
    (r.id IS NOT NULL AND r.purge_intent IS NULL AND (r.retain_until > $1 OR x.held))
    OR (t.id IS NOT NULL AND t.purge_intent IS NULL AND (t.retain_until > $1 OR x.held)), false) AS available,
  CASE i.kind WHEN 'recording' THEN ${restrictedNow('recording', 'i.item_id')}
    ELSE ${restrictedNow('ticket', 'i.item_id')} END AS restricted,
  EXISTS (SELECT FROM agreements a WHERE a.recording_id = r.id AND a.withdrawn_at IS NULL) AS has_agreement,
  EXISTS (SELECT FROM privacy_decisions d JOIN privacy_items o ON o.id = d.item_id
    WHERE o.kind = i.kind AND o.item_id = i.item_id AND d."right" = 'objection' AND d.decision = 'grant'
      AND d.replaced_at IS NULL) AS objection_upheld
  FROM privacy_items i JOIN privacy_requests q ON q.id = i.request_id
  LEFT JOIN recordings r ON i.kind = 'recording' AND r.id = i.item_id
  LEFT JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version
  LEFT JOIN tickets t ON i.kind = 'ticket' AND t.id = i.item_id
  CROSS JOIN LATERAL (SELECT CASE WHEN i.kind = 'recording' AND q.secret THEN ${heldAt('recording', 'i.item_id', '$1')}
    WHEN i.kind = 'recording' THEN ${heldToTell('recording', 'i.item_id', '$1', 'everyone')}
    WHEN q.secret THEN ${heldAt('ticket', 'i.item_id', '$1')}
    ELSE ${heldToTell('ticket', 'i.item_id', '$1', 'everyone')} END AS held) x`;

/** The items of a request: recordings first, newest first. */
export async function itemsOf(database: Database, requestId: string, now: Date, tx?: Transaction): Promise<ItemRow[]> {
  return await database.query<ItemRow>(
    `${select} WHERE i.request_id = $2 ORDER BY i.kind, coalesce(r.started_at, t.opened_at, i.found_at) DESC, i.id`,
    [now, requestId],
    tx,
  );
}

/** One item of a request. */
export async function findItem(
  database: Database,
  requestId: string,
  itemId: string,
  now: Date,
): Promise<ItemRow | undefined> {
  const [row] = await database.query<ItemRow>(`${select} WHERE i.request_id = $2 AND i.id = $3`, [now, requestId, itemId]);
  return row;
}

/** The decisions that count, by item. */
export async function decisionsOf(
  database: Database,
  requestId: string,
  tx?: Transaction,
): Promise<Map<string, DecisionRow[]>> {
  const rows = await database.query<DecisionRow>(
    `SELECT d.* FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id
     WHERE i.request_id = $1 AND d.replaced_at IS NULL ORDER BY d.decided_at, d.id`,
    [requestId],
    tx,
  );
  const byItem = new Map<string, DecisionRow[]>();
  for (const row of rows) byItem.set(row.item_id, [...(byItem.get(row.item_id) ?? []), row]);
  return byItem;
}

const factsOf = (item: ItemRow): ItemFacts => ({
  kind: item.kind,
  relation: item.requester_relation,
  hasAgreement: item.has_agreement,
  objectionUpheld: item.objection_upheld,
  requester: item.requester_kind === 'company' || item.requester_kind === 'authority' ? item.requester_kind : 'subject',
});

/** The law's default for this item. */
export const usualFor = (item: ItemRow, right: Right): Usual => usualDecision(right, factsOf(item));

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

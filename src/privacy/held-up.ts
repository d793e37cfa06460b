import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { HoldGround } from '../retention/place-hold.js';
import { liftRestrictionsIn, restrictAllIn } from '../retention/restrict.js';
import { recordAll, type PrivacyContext, type RequestRow } from './request.js';

/**
 * Erasures that were granted and that another hold keeps back: what the person is told of them, and when. The answer names
 * those that were known when it was approved; of those that turn up later a letter tells (`held_up`), and another one once
 * they are erased after all (`erased`). Meanwhile they are restricted.
 *
 * None of this knows of holds that may not be told: those keep back nothing that anybody hears of (`carry-out.ts`).
 */

/** Letters that somebody is owed about a granted erasure. */
export const lettersDue = ['held_up', 'erased'] as const;
export type LetterDue = (typeof lettersDue)[number];

/** SQL over `d` and `q`: a granted erasure that counts, of a person who is written to and did not withdraw. */
const granted = `d."right" = 'erasure' AND d.decision = 'grant' AND d.replaced_at IS NULL AND q.requester_kind <> 'authority'
  AND coalesce(q.outcome, 'answered') = 'answered'`;

/** SQL over `e` and `q`: an erasure was held up since the answer was approved last. */
const heldUp = `e.kind = 'erasure_held_up' AND (q.approved_at IS NULL OR e.at >= q.approved_at)`;

const sent = (notice: LetterDue, since: string) => `EXISTS (SELECT FROM privacy_events n WHERE n.request_id = q.id
  AND n.kind = 'notice_sent' AND n.details->>'notice' = '${notice}' AND n.at >= ${since})`;

/** SQL over `e` and `q`: the person knows that this waits, by the answer or by a letter. */
const isTold = `(e.details->>'inLetter' IS NOT NULL OR ${sent('held_up', 'e.at')})`;

const decisionOfEvent = `privacy_events e JOIN privacy_decisions d ON d.item_id = (e.details->>'itemId')::uuid`;

const dueSql: Record<LetterDue, string> = {
  held_up: `EXISTS (SELECT FROM ${decisionOfEvent} WHERE e.request_id = q.id AND ${heldUp} AND ${granted}
    AND d.carried_out_at IS NULL AND NOT ${isTold})`,
  erased: `EXISTS (SELECT FROM ${decisionOfEvent} WHERE e.request_id = q.id AND ${heldUp} AND ${granted}
    AND d.carried_out_at IS NOT NULL AND ${isTold} AND NOT ${sent('erased', 'd.carried_out_at')})`,
};

/** SQL over `q`: the letters it is owed, as an array of text. */
export const lettersDueSql = `array_remove(ARRAY[${lettersDue.map((kind) => `CASE WHEN ${dueSql[kind]} THEN '${kind}' END`).join(', ')}], NULL)`;

/** SQL over `q`: is any letter owed? Asks first which requests had anything held up at all: few. */
export const isLetterDueSql = `(q.id IN (SELECT request_id FROM privacy_events WHERE kind = 'erasure_held_up')
  AND (${lettersDue.map((kind) => dueSql[kind]).join(' OR ')}))`;

/** The letters that a request is owed. */
export async function lettersDueFor(database: Database, requestId: string): Promise<LetterDue[]> {
  const [row] = await database.query<{ due: LetterDue[] }>(`SELECT ${lettersDueSql} AS due FROM privacy_requests q WHERE q.id = $1`, [requestId]);
  return row?.due ?? [];
}

/**
 * Items whose erasure is granted and that holds of others keep at `now`, with the grounds of those, as far as they may be
 * told. A hold on a package keeps what is in it.
 */
export async function keptErasures(database: Database, requestId: string, now: Date, tx?: Transaction): Promise<Map<string, HoldGround[]>> {
  const rows = await database.query<{ itemId: string; grounds: HoldGround[] }>(
    `SELECT i.id AS "itemId", array_agg(DISTINCT h.ground) AS grounds
     FROM privacy_items i JOIN privacy_decisions d ON d.item_id = i.id JOIN privacy_requests q ON q.id = i.request_id
     JOIN LATERAL (
       SELECT h.* FROM holds_in_reach h WHERE h.category = i.kind AND h.item_id = i.item_id
       UNION ALL
       SELECT h.* FROM package_recordings c JOIN packages p ON p.id = c.package_id AND p.purge_intent IS NULL
         JOIN holds_in_reach h ON h.category = 'package' AND h.item_id = p.id
       WHERE i.kind = 'recording' AND c.recording_id = i.item_id) h ON true
     WHERE i.request_id = $1 AND i.confirmed AND ${granted} AND d.carried_out_at IS NULL
       AND NOT h.secret AND (h.ends_at IS NULL OR h.ends_at > $2) AND h.request_id IS DISTINCT FROM $1
       AND NOT (h.ground = 'open_request' AND h.request_id IS NOT NULL AND h.released_at IS NOT NULL)
     GROUP BY i.id`,
    [requestId, now],
    tx,
  );
  return new Map(rows.map(({ itemId, grounds }) => [itemId, grounds]));
}

/** Items of a request that were held up, of which the person knows, and that are being erased since the last letter that said so. */
export async function erasedAfterAll(database: Database, requestId: string): Promise<{ kind: 'recording' | 'ticket'; at: Date }[]> {
  return await database.query(
    `SELECT DISTINCT i.id, i.kind, i.item_at AS at FROM ${decisionOfEvent} JOIN privacy_items i ON i.id = d.item_id
     JOIN privacy_requests q ON q.id = i.request_id AND q.id = e.request_id
     WHERE q.id = $1 AND ${heldUp} AND ${granted} AND d.carried_out_at IS NOT NULL AND ${isTold} AND NOT ${sent('erased', 'd.carried_out_at')}
     ORDER BY i.kind, i.item_at DESC, i.id`,
    [requestId],
  );
}

/** What is held up: an item of the request, and the thing it is. */
export interface HeldUp {
  itemId: string;
  kind: 'recording' | 'ticket';
  subjectId: string;
}

/** Puts on the timeline, inside `tx`, that these wait, each once since the answer was approved, and closes their use. */
export async function noteHeldUp(
  { platform }: PrivacyContext,
  tx: Transaction,
  request: Pick<RequestRow, 'id' | 'secret'>,
  things: readonly HeldUp[],
  inLetter: boolean,
): Promise<void> {
  if (things.length === 0) return;
  const { database } = platform;
  const known = await database.query<{ itemId: string }>(
    `SELECT e.details->>'itemId' AS "itemId" FROM privacy_events e JOIN privacy_requests q ON q.id = e.request_id
     WHERE q.id = $1 AND ${heldUp} AND e.details->>'itemId' = ANY ($2::text[])`,
    [request.id, things.map(({ itemId }) => itemId)],
    tx,
  );
  const fresh = things.filter(({ itemId }) => inLetter || !known.some((each) => each.itemId === itemId));
  await restrictAllIn(platform, tx, { kind: 'system', id: 'privacy' }, things.map(({ kind, subjectId }) => (
    { kind, itemId: subjectId, purpose: 'all', ground: 'restriction', requestId: request.id })));
  await recordAll(platform, tx, 'system', request, fresh.map(({ itemId }) => (
    { kind: 'erasure_held_up', details: { itemId, ...(inLetter ? { inLetter } : {}) } })));
}

/** Notes, inside `tx`, what the answer that is being approved names as waiting. */
export async function noteHeldUpInLetter(context: PrivacyContext, tx: Transaction, request: RequestRow): Promise<void> {
  const { clock, database } = context.platform;
  const kept = await keptErasures(database, request.id, clock.now(), tx);
  if (kept.size === 0) return;
  const things = await database.query<HeldUp>(
    'SELECT id AS "itemId", kind, item_id AS "subjectId" FROM privacy_items WHERE id = ANY ($1::uuid[])',
    [[...kept.keys()]],
    tx,
  );
  await noteHeldUp(context, tx, request, things, true);
}

/** Opens, inside `tx`, what was closed only because its erasure waited: the answer that said so was taken back. */
export async function openHeldUp(
  { platform }: PrivacyContext,
  tx: Transaction,
  officer: { kind: 'person'; id: string },
  requestId: string,
): Promise<void> {
  const rows = await platform.database.query<{ id: string }>(
    `SELECT x.id FROM restrictions x WHERE x.request_id = $1 AND x.ground = 'restriction' AND x.lifted_at IS NULL
       AND NOT EXISTS (SELECT FROM privacy_processes p WHERE p.request_id = $1 AND p."right" = 'restriction')`,
    [requestId],
    tx,
  );
  await liftRestrictionsIn(platform, tx, officer, rows.map(({ id }) => id));
}

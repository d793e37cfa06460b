import type { Transaction } from 'sequelize';
import type { Platform } from '../platform/platform.js';
import { endHoldsIn, releaseHoldsIn } from '../retention/decide-hold.js';
import { beginPurgeUnlessHeld, endPeriods } from '../retention/purge.js';
import { liftRestrictionsIn } from '../retention/restrict.js';
import { retagJob } from '../retention/retag.js';
import { purgeJob } from '../retention/sweep.js';
import { noteHeldUp } from './held-up.js';
import { record, type PrivacyContext, type RequestRow } from './request.js';

/**
 * Carrying out what was decided and approved: erasing through the one purge, opening again what was closed while a request
 * was pending, letting go of what was kept for it. Rows say what is left to do, so that a process may die anywhere.
 */

/** The job that goes on with what a process that died has left. */
export const carryOutJob = 'privacy.carry-out';

interface Erasure {
  decisionId: string;
  requestId: string;
  secret: boolean;
  itemId: string;
  kind: 'recording' | 'ticket';
  subjectId: string;
  officerId: string;
  objectionUpheld: boolean;
}

/** So many erasures are begun in one go. */
const atOnce = 500;

/**
 * Erasures that may be carried out: approved (a request that is closed without an answer erases nothing, whatever was
 * decided), and what is disclosed of the same item has been handed out, since the answer could not be made otherwise.
 */
const erasures = `SELECT d.id AS "decisionId", q.id AS "requestId", q.secret, i.id AS "itemId", i.kind, i.item_id AS "subjectId",
    coalesce(d.decided_by, p.approved_by) AS "officerId",
    EXISTS (SELECT FROM privacy_decisions o WHERE o.item_id = i.id AND o."right" = 'objection' AND o.decision = 'grant'
      AND o.replaced_at IS NULL) AS "objectionUpheld"
  FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id JOIN privacy_requests q ON q.id = i.request_id
  JOIN privacy_processes p ON p.request_id = q.id AND p."right" = d."right" AND p.state IN ('approved', 'done')
    AND p.outcome <> 'withdrawn' AND p.approved_at IS NOT NULL
  WHERE d."right" = 'erasure' AND d.decision = 'grant' AND d.replaced_at IS NULL AND d.carried_out_at IS NULL
    AND i.confirmed AND ($1::uuid IS NULL OR q.id = $1)
    AND (q.closed_at IS NOT NULL OR NOT EXISTS (SELECT FROM privacy_decisions o WHERE o.item_id = i.id
      AND o."right" IN ('access', 'portability') AND o.decision <> 'refuse' AND o.replaced_at IS NULL))
  ORDER BY d.id LIMIT ${atOnce}`;

/** Carries out what can be carried out now, of one request or of all. @returns how many items were given to the purge */
export async function carryOutDecisions(context: PrivacyContext, requestId: string | null): Promise<number> {
  const { platform } = context;
  let begun = 0;
  const waiting = await platform.database.query<Erasure>(erasures, [requestId]);
  for (const erasure of waiting) begun += await erase(context, erasure);
  // The rest follows at once, not at the job's next turn; what another hold keeps does not make it go round and round.
  if (waiting.length === atOnce && begun > 0) platform.jobs.nudge(carryOutJob);
  await platform.database.query(
    `UPDATE privacy_decisions d SET carried_out_at = $2 FROM privacy_items i, privacy_processes p
     WHERE i.id = d.item_id AND p.request_id = i.request_id AND p."right" = d."right" AND p.state IN ('approved', 'done')
       AND (d."right" <> 'erasure' OR d.decision <> 'grant') AND d.replaced_at IS NULL AND d.carried_out_at IS NULL
       AND ($1::uuid IS NULL OR i.request_id = $1)`,
    [requestId, platform.clock.now()],
  );
  await openAgain(context, requestId);
  await letGo(context, requestId);
  if (begun > 0) platform.jobs.nudge(purgeJob);
  platform.jobs.nudge(retagJob);
  return begun;
}

/**
 * Begins one erasure. What another hold keeps stays, restricted, and the file says so. Where nothing but an order that may not
 * be told keeps it, its period ends: for all but those who know of the order it is gone, as what the sweep has yet to come to
 * is, and it is deleted once the order lets go of it. Nothing in the file of this request differs.
 */
async function erase(context: PrivacyContext, erasure: Erasure): Promise<number> {
  const { platform, categories } = context;
  const { clock, database } = platform;
  const request: Pick<RequestRow, 'id' | 'secret'> = { id: erasure.requestId, secret: erasure.secret };
  return await database.inTransaction(async (tx) => {
    const [open] = await database.query(
      'SELECT 1 FROM privacy_decisions WHERE id = $1 AND carried_out_at IS NULL AND replaced_at IS NULL FOR UPDATE',
      [erasure.decisionId],
      tx,
    );
    if (open === undefined) return 0;
    const holds = await database.query<{ id: string }>('SELECT id FROM holds WHERE request_id = $1', [erasure.requestId], tx);
    const order = {
      reason: erasure.objectionUpheld ? ('objection' as const) : ('erasure' as const),
      rule: `privacy decision ${erasure.decisionId}`,
      actor: { kind: 'person' as const, id: erasure.officerId },
    };
    const what = await whatToErase(platform, tx, erasure);
    const { keptBy } = await beginPurgeUnlessHeld(platform, categories, tx, what, order, holds.map((hold) => hold.id));
    if (keptBy === 'known') {
      await noteHeldUp(context, tx, request, [erasure], false);
      return 0;
    }
    if (keptBy === 'untold') await endPeriods(platform, categories, tx, what);
    const over = await database.query<{ id: string }>(
      `SELECT id FROM holds WHERE category = $1 AND item_id = $2 AND (ends_at IS NULL OR ends_at > $3)
         AND (request_id = $4 OR (ground = 'open_request' AND request_id IS NOT NULL AND released_at IS NOT NULL AND NOT secret))`,
      [erasure.kind, erasure.subjectId, clock.now(), erasure.requestId],
      tx,
    );
    await endHoldsIn(platform, tx, order.actor, over.map(({ id }) => id), 'what it kept is being erased');
    await database.query('UPDATE privacy_decisions SET carried_out_at = $2 WHERE id = $1', [erasure.decisionId, clock.now()], tx);
    await record(platform, tx, 'system', request, 'erasure_begun', {
      itemId: erasure.itemId, decisionId: erasure.decisionId, reason: order.reason,
    });
    return 1;
  });
}

/** A recording, or the messages and attachments of a ticket; the ticket itself where it has none. */
async function whatToErase({ database }: Platform, tx: Transaction, { kind, subjectId }: Erasure): Promise<{ category: string; ids: string[] }> {
  if (kind === 'recording') return { category: 'recording', ids: [subjectId] };
  const pieces = await database.query<{ id: string }>('SELECT id FROM ticket_pieces WHERE ticket_id = $1', [subjectId], tx);
  return pieces.length > 0 ? { category: 'ticket_piece', ids: pieces.map((piece) => piece.id) } : { category: 'ticket', ids: [subjectId] };
}

/**
 * Restrictions that a closed request no longer asks for: of what was refused, of what nobody confirmed, and everything
 * where there was no answer. An objection upheld in part leaves evidence open. What is yet to be erased stays closed.
 */
async function openAgain({ platform }: PrivacyContext, requestId: string | null): Promise<void> {
  const { database } = platform;
  const rows = await database.query<{ id: string; officerId: string }>(
    `SELECT x.id, q.closed_by AS "officerId" FROM restrictions x JOIN privacy_requests q ON q.id = x.request_id
     LEFT JOIN privacy_items i ON i.request_id = q.id AND i.kind = x.category AND i.item_id = x.item_id
     LEFT JOIN privacy_decisions d ON d.item_id = i.id AND d."right" = x.ground AND d.replaced_at IS NULL
     WHERE x.lifted_at IS NULL AND q.closed_at IS NOT NULL AND q.outcome <> 'merged' AND ($1::uuid IS NULL OR q.id = $1)
       AND (q.outcome <> 'answered' OR i.confirmed IS NOT TRUE OR d.decision = 'refuse'
         OR (d.decision = 'partly' AND x.purpose = 'evidence'))
       AND NOT EXISTS (SELECT FROM privacy_decisions w WHERE w.item_id = i.id AND q.outcome = 'answered' AND x.ground = 'restriction'
         AND w."right" = 'erasure' AND w.decision = 'grant' AND w.replaced_at IS NULL AND w.carried_out_at IS NULL)
       AND NOT (q.outcome = 'answered' AND i.id IS NULL AND EXISTS (SELECT FROM privacy_processes p
         WHERE p.request_id = q.id AND p."right" = 'objection' AND p.outcome IN ('granted', 'partly', 'nothing_found')))
     LIMIT 5000`,
    [requestId],
  );
  await inChunks(rows, (officerId, ids) =>
    database.inTransaction(async (tx) => void (await liftRestrictionsIn(platform, tx, { kind: 'person', id: officerId }, ids))),
  );
}

/** So many rows are changed in one transaction: others wait for them that long. */
const chunk = 500;

/** Rows by the officer whose act they follow from, a few hundred at a time. */
async function inChunks(
  rows: readonly { id: string; officerId: string }[],
  work: (officerId: string, ids: string[]) => Promise<void>,
): Promise<void> {
  for (const officerId of new Set(rows.map((row) => row.officerId))) {
    const ids = rows.filter((row) => row.officerId === officerId).map(({ id }) => id);
    for (let from = 0; from < ids.length; from += chunk) await work(officerId, ids.slice(from, from + chunk));
  }
}

/** Holds of a closed request; those of restrictions that were granted stay until the person is asked. */
async function letGo({ platform }: PrivacyContext, requestId: string | null): Promise<void> {
  const { clock, database } = platform;
  const rows = await database.query<{ id: string; officerId: string }>(
    `SELECT h.id, q.closed_by AS "officerId" FROM holds h JOIN privacy_requests q ON q.id = h.request_id
     WHERE h.released_at IS NULL AND (h.ends_at IS NULL OR h.ends_at > $2) AND q.closed_at IS NOT NULL AND q.outcome <> 'merged'
       AND ($1::uuid IS NULL OR q.id = $1)
       AND (h.ground IN ('open_request', 'authority_order') OR q.outcome <> 'answered' OR NOT EXISTS (
         SELECT FROM restrictions x WHERE x.request_id = q.id AND x.category = h.category AND x.item_id = h.item_id
           AND x.purpose = 'all' AND x.lifted_at IS NULL))
     LIMIT 5000`,
    [requestId, clock.now()],
  );
  await inChunks(rows, (officerId, ids) =>
    database.inTransaction(
      async (tx) => void (await releaseHoldsIn(platform, tx, { kind: 'person', id: officerId }, ids, 'the request is closed')),
    ),
  );
}

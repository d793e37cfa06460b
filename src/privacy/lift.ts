import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { liftRestrictionsIn } from '../retention/restrict.js';
import { carryOutDecisions } from './carry-out.js';
import { findRequest, record, type PrivacyContext } from './request.js';

/**
 * Lifting what a request restricted, once it is closed: the person is told beforehand (art. 18(3) GDPR), in the letter
 * `lifting`, which names a day two weeks on. Before that day nothing is lifted, unless they asked for it or agree.
 */

export const toldBeforeMs = 14 * 86_400_000;

/** SQL over `x`: what a request restricts (`$1`), of things that are still there and are not waiting to be erased. */
const inForce = `x.request_id = $1 AND x.ground = 'restriction' AND x.lifted_at IS NULL
  AND EXISTS (SELECT FROM privacy_processes p WHERE p.request_id = $1 AND p."right" = 'restriction')
  AND (EXISTS (SELECT FROM recordings r WHERE x.category = 'recording' AND r.id = x.item_id AND r.purge_intent IS NULL)
    OR EXISTS (SELECT FROM tickets t WHERE x.category = 'ticket' AND t.id = x.item_id AND t.purge_intent IS NULL))
  AND NOT EXISTS (SELECT FROM privacy_items i JOIN privacy_decisions d ON d.item_id = i.id AND d."right" = 'erasure'
    AND d.decision = 'grant' AND d.replaced_at IS NULL
    WHERE i.request_id = $1 AND i.kind = x.category AND i.item_id = x.item_id)`;

/** How many things a closed request restricts still, and from when on that may be lifted; null while nobody was told. */
export async function restrictedBy(database: Database, requestId: string, tx?: Transaction): Promise<{ count: number; liftableAt: Date | null }> {
  const [row] = await database.query<{ count: number; told: Date | null }>(
    `SELECT (SELECT count(DISTINCT (x.category, x.item_id)) FROM restrictions x WHERE ${inForce}) AS count,
       (SELECT max(at) FROM privacy_events WHERE request_id = $1 AND kind = 'notice_sent' AND details->>'notice' = 'lifting') AS told`,
    [requestId],
    tx,
  );
  const told = row?.told ?? null;
  return { count: row?.count ?? 0, liftableAt: told === null ? null : new Date(told.getTime() + toldBeforeMs) };
}

/**
 * Lifts the restrictions of a closed request; what was held for them goes free.
 * @throws Problem `not-found`, `conflict` while it is open (decide anew there), where nothing is restricted, and before two
 * weeks have passed since the letter, unless the person agreed
 */
export async function liftRestrictions(
  context: PrivacyContext,
  person: Person,
  id: string,
  { reason, agreed }: { reason: string; agreed: boolean },
): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await findRequest(database, id, tx);
    if (request.closed_at === null) throw new Problem('conflict', { detail: 'This request is open: decide on the restriction anew.' });
    const rows = await database.query<{ id: string }>(`SELECT x.id FROM restrictions x WHERE ${inForce}`, [id], tx);
    if (rows.length === 0) throw new Problem('conflict', { detail: 'Nothing is restricted for this request any more.' });
    const { liftableAt } = await restrictedBy(database, id, tx);
    if (!agreed && (liftableAt === null || liftableAt > clock.now()))
      throw new Problem('conflict', { detail: 'The person is told two weeks before a restriction is lifted, unless they agree to it.' });
    await liftRestrictionsIn(platform, tx, { kind: 'person', id: person.userId }, rows.map((row) => row.id));
    await record(platform, tx, person, request, 'restriction_lifted', { count: rows.length, agreed }, reason);
  });
  await carryOutDecisions(context, id);
}

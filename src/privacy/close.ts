import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { Problem } from '../platform/problem.js';
import { carryOutDecisions } from './carry-out.js';
import { lockOpenRequest, processesOf, record, type Outcome, type PrivacyContext } from './request.js';
import { closeRow } from './retention.js';

/** Closing a request: answered, or without an answer for a stated reason. */

export interface Closing {
  outcome: Exclude<Outcome, 'merged'>;
  reason?: string | undefined;
  /** To whom it was sent on: the company that decides about the data. */
  forwardedTo?: string | undefined;
}

/**
 * Closes the request; its own retention begins. What was kept for it goes free, what is to be erased goes.
 * @throws Problem `not-found`, `conflict` while something is not approved, or would be erased before it was handed out, `invalid-input` without a reason where one is due
 */
export async function close(context: PrivacyContext, person: Person, id: string, told: Closing): Promise<void> {
  const { platform } = context;
  const { database } = platform;
  if (told.outcome !== 'answered' && told.reason === undefined)
    throw new Problem('invalid-input', { errors: [{ path: 'reason', message: 'is needed to close without an answer' }] });
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    const open = (await processesOf(database, id, tx)).filter(({ state }) => state !== 'approved' && state !== 'done');
    if (told.outcome === 'answered' && open.length > 0)
      throw new Problem('conflict', { detail: 'Not every right that was asked for has an approved answer.' });
    if (told.outcome === 'answered') await refuseUnread(context, tx, id);
    await database.query(
      `UPDATE privacy_processes SET state = 'done', outcome = CASE WHEN $2 THEN outcome ELSE 'withdrawn' END
       WHERE request_id = $1`,
      [id, told.outcome === 'answered'],
      tx,
    );
    await database.query(
      `UPDATE privacy_pauses SET resumed_at = $2, resumed_by = $3 WHERE request_id = $1 AND resumed_at IS NULL`,
      [id, platform.clock.now(), person.userId],
      tx,
    );
    await closeRow(context, tx, person, request, told.outcome);
    const note = [told.forwardedTo, told.reason].filter((text) => text !== undefined).join('\n');
    await record(platform, tx, person, request, 'closed', { outcome: told.outcome, ...(told.forwardedTo === undefined ? {} : { sentOn: true }) }, note === '' ? undefined : note);
  });
  await carryOutDecisions(context, id);
}

/**
 * Closing erases what was to be erased. What was granted to be seen as well would be gone before anybody saw it.
 * @throws Problem `conflict` when such a thing has not been handed out
 */
async function refuseUnread({ platform: { database } }: PrivacyContext, tx: Transaction, id: string): Promise<void> {
  const [unread] = await database.query(
    `SELECT 1 FROM privacy_items i
     JOIN privacy_decisions e ON e.item_id = i.id AND e."right" = 'erasure' AND e.decision = 'grant' AND e.replaced_at IS NULL
     JOIN privacy_decisions a ON a.item_id = i.id AND a."right" IN ('access', 'portability') AND a.decision <> 'refuse' AND a.replaced_at IS NULL
     WHERE i.request_id = $1 AND i.confirmed AND NOT EXISTS (
       SELECT FROM privacy_events v WHERE v.request_id = $1 AND v.kind = 'package_handed_out') LIMIT 1`,
    [id],
    tx,
  );
  if (unread !== undefined)
    throw new Problem('conflict', { detail: 'Closing erases what the package gives, and the package has not been handed out yet.' });
}

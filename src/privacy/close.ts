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
 * @throws Problem `not-found`, `conflict` while something is not approved, `invalid-input` without a reason where one is due
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

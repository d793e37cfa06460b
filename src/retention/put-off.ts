import type { Purge, PurgePlatform } from './purge.js';

/** What came while it was being deleted (the copy of a recording that was being processed) is gone the next time. */
const cameMeanwhileMs = 5000;

const backoffMs = (attempts: number, fault: string | undefined): number =>
  fault === 'StillThere' && attempts === 1 ? cameMeanwhileMs : Math.min(6 * 3_600_000, 60_000 * 2 ** Math.min(attempts - 1, 12));

/**
 * Lets what failed wait, each for as long as it has failed before. Where its objects are still there the next attempt looks
 * `anew`: should the bucket's own rule delete it meanwhile, its tombstone has to say so. Where we may have deleted them
 * ourselves, what was found at first stays noted: to find nothing the next time says nothing of the bucket's rule.
 */
export async function putOff(
  context: PurgePlatform,
  purges: readonly Purge[],
  failures: ReadonlyMap<string, string>,
  anew: boolean,
): Promise<void> {
  const failed = purges.filter((purge) => failures.has(purge.itemId));
  if (failed.length === 0) return;
  const now = context.clock.now().getTime();
  await context.database.inTransaction(async (tx) => {
    await context.database.query(
      `UPDATE purges p SET claim_id = NULL, next_attempt_at = off.until, last_fault = off.fault,
         found = CASE WHEN $6 THEN NULL ELSE found END, found_live = CASE WHEN $6 THEN NULL ELSE found_live END
       FROM unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[]) AS off (id, until, fault, claim_id)
       WHERE p.category = $1 AND p.item_id = off.id AND p.claim_id = off.claim_id`,
      [
        failed[0]?.category, failed.map((purge) => purge.itemId),
        failed.map((purge) => new Date(now + backoffMs(purge.attempts, failures.get(purge.itemId)))),
        failed.map((purge) => failures.get(purge.itemId) ?? ''), failed.map((purge) => purge.claimId), anew,
      ],
      tx,
    );
    await context.database.query(`UPDATE sweeps SET failed = failed + $1 WHERE state = 'running'`, [failed.length], tx);
  });
  for (const purge of failed)
    context.log.warn(
      { category: purge.category, itemId: purge.itemId, attempts: purge.attempts, fault: failures.get(purge.itemId) },
      'A deletion failed and will be tried again',
    );
}

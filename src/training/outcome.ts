import { append, systemActor } from '../audit/log.js';
import type { EvaluationPlatform } from './evaluation.js';

/** Deletes outcomes and samples whose own period is over. @returns how many */
export async function expireOutcomes({ clock, database }: EvaluationPlatform): Promise<number> {
  return await database.inTransaction(async (tx) => {
    const gone = async (table: 'evaluation_outcomes' | 'samples') =>
      (await database.query(`DELETE FROM ${table} WHERE retain_until <= $1 RETURNING 1`, [clock.now()], tx)).length;
    const [outcomes, samples] = [await gone('evaluation_outcomes'), await gone('samples')];
    if (outcomes + samples > 0)
      await append(database, clock, tx, {
        actor: systemActor('training'),
        action: 'evaluation.outcomes_expired',
        details: { outcomes, samples },
      });
    return outcomes + samples;
  });
}

import type { Transaction } from 'sequelize';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeld } from '../retention/hold.js';

/**
 * Locks a recording that something is about to be written about: nothing is written about what is being deleted, and
 * nothing is deleted under what is being written.
 * @throws Problem `not-found`, `retention-ended`
 */
export async function lockKept(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  recordingId: string,
): Promise<void> {
  const [recording] = await database.query<{ retainUntil: Date; purging: boolean }>(
    `SELECT retain_until AS "retainUntil", purge_intent IS NOT NULL AS purging
     FROM recordings WHERE id = $1 AND version > 0 FOR SHARE`,
    [recordingId],
    tx,
  );
  if (recording === undefined) throw new Problem('not-found');
  const now = clock.now();
  const over = recording.retainUntil <= now && !(await isHeld(database, tx, 'recording', recordingId, now));
  if (over || recording.purging)
    throw new Problem('retention-ended', { members: { deletedAt: recording.retainUntil.toISOString() } });
}

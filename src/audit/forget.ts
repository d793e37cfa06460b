import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { SigningKey } from '../platform/signing.js';
import { batchColumns, headOf, stateAfter, statementBytes, type BatchRow, type CheckpointStatement } from './batch.js';
import { append, systemActor } from './log.js';
import { sealLock } from './seal.js';

/** Taken away in one transaction at most, beyond the first batch. */
const mostBatches = 1000;
const mostEntries = 50_000;

/**
 * Takes away the oldest batches that were all sealed before `before`, behind a signed checkpoint that the chain goes on
 * from, and says how many entries went. The newest batch always stays. Call again until it says 0.
 * The database refuses this for anything sealed less than a year ago, whatever is asked here.
 */
export async function forgetOldBatches(
  { clock, database }: { clock: Clock; database: Database },
  signingKey: SigningKey,
  before: Date,
): Promise<number> {
  return await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, sealLock, 'exclusive');
    const now = clock.now();
    const old = await database.query<BatchRow>(
      `SELECT ${batchColumns} FROM audit_batches
       WHERE number < (SELECT max(number) FROM audit_batches)
         AND count <= (SELECT min(count) FROM audit_batches) + ${mostEntries}
       ORDER BY number LIMIT ${mostBatches}`, [], tx,
    );
    // In order, and no further than the first that must stay: a chain has no holes.
    const kept = old.findIndex((row) => row.signed_at > before.toISOString());
    const last = old.at(kept === -1 ? -1 : kept - 1);
    if (last === undefined || kept === 0) return 0;
    const { batch, lastId, count, head, frontier } = stateAfter(last);
    const statement: CheckpointStatement = {
      format: 'opname-audit-checkpoint/1', batch, lastId, count, head, frontier: [...frontier],
      before: before.toISOString(), signedAt: now.toISOString(),
    };
    await database.query(
      `INSERT INTO audit_checkpoints (batch, last_id, count, head, frontier, before, signed_at, key_id, signature)
       VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9)`,
      [
        batch, lastId, count, head, JSON.stringify(frontier), before, now, signingKey.keyId,
        signingKey.sign(statementBytes(statement)),
      ],
      tx,
    );
    await append(database, clock, tx, {
      actor: systemActor('audit'), action: 'audit.checkpointed',
      object: { type: 'audit_batch', id: String(batch) }, details: { digest: headOf(statement), count },
    });
    const [gone] = await database.query<{ entries: number }>(
      `WITH gone AS (DELETE FROM audit_entries WHERE id <= $1 RETURNING 1) SELECT count(*) AS entries FROM gone`,
      [lastId], tx,
    );
    await database.query('DELETE FROM audit_batches WHERE number <= $1', [batch], tx);
    return gone?.entries ?? 0;
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../platform/database.js';
import { auditLock } from './log.js';

const pollMs = 25;

/**
 * An id under which every entry has been decided: written for good, or never. Undefined when a transaction that may
 * still write below it has not ended within `waitMs`.
 *
 * Ids are given when an entry is inserted, which is not the order in which entries are committed. Every writer holds
 * `auditLock` (shared) from before it is given an id to the end of its transaction. So: look how far ids have been given,
 * then see who holds the lock, then wait until those have ended. Whoever takes the lock later gets higher ids. No writer
 * ever waits for this, as each would behind an exclusive lock that itself waits for one slow transaction.
 */
export async function settledId(database: Database, waitMs: number): Promise<number | undefined> {
  const { mark, writers } = await database.inTransaction(async (tx) => {
    // Ids first, holders second: the other way round, one could slip in between.
    const [given] = await database.query<{ mark: number | null }>(
      `SELECT pg_sequence_last_value(pg_get_serial_sequence('audit_entries', 'id')::regclass) AS mark`, [], tx,
    );
    // Held by this transaction too, which is how it is told from other locks without knowing how its name is hashed.
    await database.advisoryLock(tx, auditLock, 'shared');
    const holders = await database.query<{ transaction: string }>(
      `SELECT other.virtualtransaction AS transaction
       FROM pg_locks own JOIN pg_locks other USING (locktype, database, classid, objid, objsubid)
       WHERE own.locktype = 'advisory' AND own.pid = pg_backend_pid() AND own.mode = 'ShareLock'
         AND other.granted AND other.pid <> own.pid`, [], tx,
    );
    return { mark: given?.mark ?? 0, writers: holders.map((holder) => holder.transaction) };
  });
  const deadlineMs = performance.now() + waitMs;
  while (writers.length > 0 && (await anyHoldsLocks(database, writers))) {
    if (performance.now() > deadlineMs) return undefined;
    await sleep(pollMs);
  }
  return mark;
}

async function anyHoldsLocks(database: Database, transactions: readonly string[]): Promise<boolean> {
  const [row] = await database.query<{ some: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND virtualtransaction = ANY ($1)) AS some`,
    [transactions],
  );
  return row?.some === true;
}

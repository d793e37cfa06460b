import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, systemActor } from '../src/audit/log.js';
import { systemClock } from '../src/platform/clock.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabase();
});
afterAll(async () => {
  await fresh.drop();
});

const count = async () =>
  (await fresh.database.query<{ n: number }>('SELECT count(*) AS n FROM audit_entries'))[0]?.n ?? -1;

describe('the audit trail', () => {
  it('keeps an entry together with the act it describes, or neither', async () => {
    const { database } = fresh;
    await database.inTransaction((tx) =>
      append(database, systemClock, tx, { actor: systemActor('test'), action: 'thing.done', details: { digest: 'ab' } }),
    );
    expect(await count()).toBe(1);
    await expect(
      database.inTransaction(async (tx) => {
        await append(database, systemClock, tx, { actor: systemActor('test'), action: 'thing.undone' });
        throw new Error('the act failed');
      }),
    ).rejects.toThrow('the act failed');
    expect(await count()).toBe(1);
  });

  const refused = [
    `UPDATE audit_entries SET details = '{}'`,
      'UPDATE audit_entries SET action = action WHERE false',
    'DELETE FROM audit_entries',
    'TRUNCATE audit_entries',
    'TRUNCATE audit_batches, audit_entries, signing_keys, audit_checkpoints CASCADE',
    `UPDATE signing_keys SET public_pem = 'x'`,
    'DELETE FROM signing_keys',
    'TRUNCATE audit_batches',
    'UPDATE audit_batches SET entries = 1',
    'UPDATE audit_checkpoints SET batch = 1',
    'DELETE FROM audit_checkpoints',
    'TRUNCATE audit_checkpoints',
    // Ids are the database's to give, so that none can be slipped in between.
    `INSERT INTO audit_entries (id, at, actor_kind, actor_id, action, details) VALUES (1000, now(), 'system', 'x', 'y', '{}')`,
    // A checkpoint opens the way for deletion: not without the old batch that it names.
    `INSERT INTO audit_checkpoints VALUES (9, 99, 99, 'x', '[]', now() - interval '4 years', now(), 'x', 'x')`,
  ];
  it.each(refused)('is guarded by the database itself against its owner: %s', async (sql) => {
    await expect(fresh.database.query(sql)).rejects.toThrow(/refused|non-DEFAULT/);
    // Not even where a superuser switches ordinary triggers off.
    await expect(
      fresh.database.inTransaction(async (tx) => {
        await fresh.database.query(`SET LOCAL session_replication_role = 'replica'`, [], tx);
        await fresh.database.query(sql, [], tx);
      }),
    ).rejects.toThrow(/refused|non-DEFAULT/);
    expect(await count()).toBe(1);
  });
});

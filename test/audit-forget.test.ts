import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Anchor } from '../src/audit/anchor.js';
import { latestBatch } from '../src/audit/batch.js';
import { forgetOldBatches } from '../src/audit/forget.js';
import { keysById } from '../src/audit/keys.js';
import { append, systemActor } from '../src/audit/log.js';
import { faultsOfProof, inclusionProofs } from '../src/audit/proof.js';
import { createSealer, type Sealer } from '../src/audit/seal.js';
import { verifyChain } from '../src/audit/verify.js';
import { MovableClock } from '../src/platform/clock.js';
import type { Database } from '../src/platform/database.js';
import { createLog } from '../src/platform/log.js';
import { openSigningKey, type SigningKey } from '../src/platform/signing.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const clock = new MovableClock();
let folder: string;
let fresh: FreshDatabase;
let database: Database;
let signingKey: SigningKey;
let sealer: Sealer;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'opname-forget-'));
  signingKey = await openSigningKey({ folder });
  fresh = await freshDatabase();
  database = fresh.database;
  sealer = createSealer({ clock, database, log: createLog('silent'), signingKey });
  // Batches 1 to 3 of 2022, 4 to 6 of 2024; the first holds the key's introduction too.
  for (const day of ['2022-03-01', '2022-03-02', '2022-03-03', '2024-05-01', '2024-05-02', '2024-05-03']) {
    clock.set(`${day}T12:00:00Z`);
    await write(2);
    await sealer.seal();
  }
});
afterEach(async () => {
  await fresh.drop();
  await rm(folder, { recursive: true });
});

async function write(count: number): Promise<void> {
  await database.inTransaction((tx) =>
    append(database, clock, tx, ...Array.from({ length: count }, (_, n) => ({
      actor: systemActor('test'), action: 'thing.done', details: { n },
    }))),
  );
}

const verify = async (options: { anchors?: Anchor[]; trustedKeyIds?: string[] } = {}) =>
  (await verifyChain(database, { trustedKeyIds: [signingKey.keyId], ...options })).verification;

/** The instant so many calendar years ago. */
function yearsAgo(years: number): Date {
  const at = clock.now();
  at.setUTCFullYear(at.getUTCFullYear() - years);
  return at;
}

const ids = async () => (await database.query<{ id: number }>('SELECT id FROM audit_entries ORDER BY id')).map((row) => row.id);

describe('entries past their period', () => {
  it('leave in whole batches behind a signed checkpoint, and the chain goes on from there', async () => {
    const tail = await latestBatch(database);
    const anchor = { count: tail?.count ?? 0, head: tail?.head ?? '' };
    clock.set('2025-03-02T11:59:59Z');
    expect(await forgetOldBatches({ clock, database }, signingKey, yearsAgo(3))).toBe(3);
    expect(await forgetOldBatches({ clock, database }, signingKey, yearsAgo(3))).toBe(0);
    expect(await verify({ anchors: [anchor] })).toMatchObject({ ok: true, checkpoint: 1, count: 13, unsealed: 1 });
    await sealer.seal();
    clock.set('2025-03-05T12:00:00Z');
    expect(await forgetOldBatches({ clock, database }, signingKey, yearsAgo(3))).toBe(4);
    await sealer.seal();
    await write(3);
    await sealer.seal();
    expect(await verify({ anchors: [anchor] })).toMatchObject({ ok: true, checkpoint: 3, count: 18, unsealed: 0, faults: [] });

    // What is left is still proved, across what is gone.
    const kept = await ids();
    const proofs = await inclusionProofs(database, kept);
    const keys = await keysById(database);
    expect([...proofs.keys()].sort((a, b) => a - b)).toEqual(kept);
    for (const proof of proofs.values()) expect(faultsOfProof(proof, keys)).toEqual([]);
  });

  it('never take the newest batch with them', async () => {
    clock.set('2040-01-01T00:00:00Z');
    expect(await forgetOldBatches({ clock, database }, signingKey, yearsAgo(3))).toBe(11);
    expect(await verify()).toMatchObject({ ok: true, checkpoint: 5, count: 13, batches: 6 });
  });

  it('stay for a year at least, whatever period is configured', async () => {
    clock.set('2025-01-01T00:00:00Z');
    await expect(forgetOldBatches({ clock, database }, signingKey, yearsAgo(0))).rejects.toThrow('refused');
    expect((await ids()).length).toBe(13);
  });

  it('are gone for good: one that is left, or one more that is taken, is found', async () => {
    clock.set('2025-03-05T12:00:00Z');
    await forgetOldBatches({ clock, database }, signingKey, yearsAgo(3));
    await sealer.seal();
    // The database lets no more go than the checkpoint covers.
    await expect(database.query('DELETE FROM audit_entries WHERE id = $1', [(await ids())[0]])).rejects.toThrow('no checkpoint');
    await database.query(
      `INSERT INTO audit_entries OVERRIDING SYSTEM VALUE
       SELECT 1, at, actor_kind, actor_id, action, object_type, object_id, details FROM audit_entries LIMIT 1`,
    );
    expect((await verify()).faults).toEqual([{ batch: null, what: 'entry 1 stands before every batch' }]);
  });

  it('cannot be made to leave by a checkpoint of someone without the key', async () => {
    const foreign = await openSigningKey({ folder: path.join(folder, 'foreign') });
    clock.set('2025-03-05T12:00:00Z');
    await database.query('INSERT INTO signing_keys VALUES ($1, $2, $3)', [foreign.keyId, foreign.publicPem, clock.now()]);
    await forgetOldBatches({ clock, database }, foreign, yearsAgo(3));
    const untrusted = [{ batch: 3, what: 'the checkpoint that stands for it is signed by a key that is not trusted' }];
    expect((await verify()).faults).toEqual(untrusted);
    // Nor when the service, unaware, seals what was written about it.
    await sealer.seal();
    expect((await verify()).faults).toEqual(untrusted);
    await database.query('ALTER TABLE audit_checkpoints DISABLE TRIGGER USER');
    await database.query(`UPDATE audit_checkpoints SET before = before - interval '1 day'`);
    expect((await verify()).faults[0]?.what).toBe('the checkpoint that stands for it is not validly signed');
  });

  it('stay gone when the key is rotated afterwards', async () => {
    clock.set('2025-03-05T12:00:00Z');
    await forgetOldBatches({ clock, database }, signingKey, yearsAgo(3));
    await sealer.seal();
    const next = await openSigningKey({ folder: path.join(folder, 'next') });
    await createSealer({ clock, database, log: createLog('silent'), signingKey: next }).seal();
    expect(await verify({ trustedKeyIds: [next.keyId] })).toMatchObject({ ok: true, checkpoint: 3 });
  });
});

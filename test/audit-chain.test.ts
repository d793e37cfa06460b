import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAnchor } from '../src/audit/anchor.js';
import { batchColumns, batchStatement, statementBytes, type BatchRow } from '../src/audit/batch.js';
import { append, systemActor } from '../src/audit/log.js';
import { createSealer, type Sealer } from '../src/audit/seal.js';
import { createVerifier } from '../src/audit/verifier.js';
import { verifyChain } from '../src/audit/verify.js';
import { MovableClock } from '../src/platform/clock.js';
import type { Database } from '../src/platform/database.js';
import { createLog } from '../src/platform/log.js';
import { openSigningKey, type SigningKey } from '../src/platform/signing.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const log = createLog('silent');
const folder = await mkdtemp(path.join(tmpdir(), 'opname-audit-'));
const signingKey = await openSigningKey({ folder: path.join(folder, 'keys') });
const clock = new MovableClock();
let fresh: FreshDatabase;
let database: Database;

beforeEach(async () => {
  clock.reset();
  fresh = await freshDatabase();
  database = fresh.database;
});
afterEach(async () => {
  await fresh.drop();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const sealerWith = (options: { key?: SigningKey; batchEntries?: number; anchorFile?: string } = {}): Sealer =>
  createSealer({ clock, database, log, signingKey: options.key ?? signingKey, ...options });

async function write(count: number): Promise<void> {
  await database.inTransaction(async (tx) => {
    for (let n = 0; n < count; n += 1)
      await append(database, clock, tx, {
        actor: systemActor('test'), action: 'thing.done', object: { type: 'thing', id: String(n) }, details: { n },
      });
  });
}

async function rows<Row extends object>(sql: string): Promise<Row[]> {
  return await database.query<Row>(sql);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function liveMb(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

const batches = () => rows<BatchRow>(`SELECT ${batchColumns} FROM audit_batches ORDER BY number`);

describe('sealing', () => {
  it('puts every committed entry in exactly one batch while many write, undo and seal at once', async () => {
    const sealers = [sealerWith({ batchEntries: 7 }), sealerWith({ batchEntries: 7 }), sealerWith()];
    let writing = true;
    const sealing = sealers.map(async (sealer) => {
      while (writing) {
        await sealer.seal();
        await sleep(5);
      }
    });
    let committed = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await sleep(Math.random() * 300);
        const undone = database.inTransaction(async (tx) => {
          const entries = 1 + (n % 3);
          for (let i = 0; i < entries; i += 1) {
            await append(database, clock, tx, { actor: systemActor(`writer-${n}`), action: 'thing.done', details: { n, i } });
            await sleep(Math.random() * 40);
          }
          if (n % 4 === 0) throw new Error('undone');
          committed += entries;
        });
        await undone.catch((error: unknown) => {
          if (!(error instanceof Error && error.message === 'undone')) throw error;
        });
      }),
    );
    writing = false;
    await Promise.all(sealing);
    await sealers[0]?.seal();

    const uncovered = await rows(
      `SELECT id FROM audit_entries e
       WHERE 1 <> (SELECT count(*) FROM audit_batches b WHERE e.id BETWEEN b.first_id AND b.last_id)`,
    );
    expect(uncovered).toEqual([]);
    const { verification } = await verifyChain(database, { trustedKeyIds: [signingKey.keyId] });
    // One more than was written: the key's own introduction.
    expect(verification).toMatchObject({ ok: true, count: committed + 1, unsealed: 0, faults: [] });
  });

  it('waits for a slow transaction without making others wait, and leaves its entry for after it', async () => {
    const sealer = sealerWith();
    await sealer.seal();
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let slow: Promise<void> | undefined;
    await new Promise<void>((begun) => {
      slow = database.inTransaction(async (tx) => {
        await append(database, clock, tx, { actor: systemActor('slow'), action: 'thing.begun' });
        begun();
        await finished;
      });
    });
    await write(1);
    expect(await sealer.seal({ waitMs: 50 })).toBe(0);
    const sealing = sealer.seal();
    await write(2);
    await sleep(50);
    finish();
    await slow;
    await sealing;
    await sealer.seal();
    const { verification } = await verifyChain(database);
    expect(verification).toMatchObject({ ok: true, count: 5, unsealed: 0 });
  });

  it('goes on where a process stopped between the act and the seal', async () => {
    await write(3);
    await sealerWith({ batchEntries: 2 }).seal();
    await write(4);
    // The process that wrote these is gone; another one comes up.
    expect((await verifyChain(database)).verification).toMatchObject({ ok: true, unsealed: 4 });
    await sealerWith({ batchEntries: 2 }).seal();
    expect((await verifyChain(database)).verification).toMatchObject({ ok: true, count: 8, unsealed: 0 });
    expect((await batches()).map((batch) => batch.entries)).toEqual([2, 2, 2, 2]);
  });

  it('makes heads that openssl verifies', async () => {
    await write(3);
    await sealerWith().seal();
    const [batch] = await batches();
    if (batch === undefined) throw new Error('No batch');
    const file = (name: string) => path.join(folder, name);
    await writeFile(file('statement.json'), statementBytes(batchStatement(batch)));
    await writeFile(file('batch.sig'), batch.signature);
    await writeFile(file('key.pem'), signingKey.publicPem);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8' });
    expect(
      openssl('dgst', '-sha256', '-verify', file('key.pem'), '-signature', file('batch.sig'), file('statement.json')),
    ).toBe('Verified OK\n');
    expect(openssl('dgst', '-sha256', '-r', file('statement.json')).slice(0, 64)).toBe(batch.head);
    expect(
      execFileSync('sh', ['-c', `openssl pkey -pubin -in ${file('key.pem')} -outform DER | sha256sum`], { encoding: 'utf8' }),
    ).toContain(signingKey.keyId);
  });

  it('seals and verifies 20,000 entries in memory that does not grow with them', async () => {
    await database.query(
      `INSERT INTO audit_entries (at, actor_kind, actor_id, action, object_type, object_id, details)
       SELECT '2026-01-01'::timestamptz + n * interval '1 second', 'system', 'load', 'thing.done', 'thing', n::text,
         jsonb_build_object('n', n, 'long', repeat('ab', 800), 'nested', jsonb_build_array(n, true, null, 0.1 * n))
       FROM generate_series(1, 20000) n`,
    );
    // All of it is 32 MB as text, and more than that as rows.
    const before = liveMb();
    let most = 0;
    const sampling = setInterval(() => (most = Math.max(most, liveMb())), 250);
    expect(await sealerWith().seal()).toBe(3);
    expect((await verifyChain(database)).verification).toMatchObject({ ok: true, count: 20_001, unsealed: 0 });
    clearInterval(sampling);
    expect(most).toBeGreaterThan(0);
    expect(most - before).toBeLessThan(20);
  });
});

describe('the key', () => {
  it('is rotated: old batches stay verifiable, and the new key vouches for them', async () => {
    await write(2);
    await sealerWith().seal();
    const next = await openSigningKey({ folder: path.join(folder, 'rotated') });
    await sealerWith({ key: next }).seal();
    expect((await verifyChain(database, { trustedKeyIds: [next.keyId] })).verification).toMatchObject({
      ok: true, count: 4, keyId: next.keyId, batches: 2,
    });
    // A process that still runs with the old key does not sign on top of the new one.
    await write(1);
    await expect(sealerWith().seal()).rejects.toThrow('signed by another key');
  });
});

describe('what is remembered outside the database', () => {
  it('shows a removed tail, which would verify by itself', async () => {
    const anchorFile = path.join(folder, 'anchor.json');
    const sealer = sealerWith({ batchEntries: 2, anchorFile });
    await write(4);
    await sealer.seal();
    const anchor = await readAnchor(anchorFile);
    if (anchor === undefined) throw new Error('No anchor');
    expect(JSON.parse(await readFile(anchorFile, 'utf8'))).toMatchObject({ batch: 3, count: 5 });
    expect((await verifyChain(database, { anchors: [anchor] })).verification.ok).toBe(true);

    await rows('ALTER TABLE audit_batches DISABLE TRIGGER USER');
    await rows('ALTER TABLE audit_entries DISABLE TRIGGER USER');
    await rows('DELETE FROM audit_batches WHERE number = 3');
    await rows('DELETE FROM audit_entries WHERE id > 4');
    expect((await verifyChain(database)).verification).toMatchObject({ ok: true, count: 4 });
    expect((await verifyChain(database, { anchors: [anchor] })).verification).toMatchObject({
      ok: false, faults: [{ batch: null, what: 'the chain is shorter than when it was anchored' }],
    });

    // Neither this process nor another one with the same file builds on it.
    await write(1);
    await expect(sealer.seal()).rejects.toThrow('shorter than when it was anchored');
    await expect(sealerWith({ anchorFile }).seal()).rejects.toThrow('shorter than when it was anchored');
    const report = await createVerifier({ clock, database, sealer, keyId: signingKey.keyId }).verify();
    expect(report.ok).toBe(false);

    // A tail written anew to the same length has another head.
    await sealerWith({ batchEntries: 1 }).seal();
    expect((await verifyChain(database, { anchors: [anchor] })).verification.faults).toContainEqual({
      batch: null, what: 'the anchored head is not in the chain',
    });
    await rm(anchorFile);
  });
});

describe('verification for a page', () => {
  it('recomputes a long chain from where it was last found sound, and whole when asked or after an hour', async () => {
    const sealer = sealerWith();
    const verifier = createVerifier({ clock, database, sealer, keyId: signingKey.keyId, wholeUpToEntries: 0 });
    await write(3);
    const first = await verifier.verify();
    expect(first).toMatchObject({ ok: true, count: 4, unsealed: 0, fullyCheckedAt: first.checkedAt });

    await rows('ALTER TABLE audit_entries DISABLE TRIGGER USER');
    await rows(`UPDATE audit_entries SET details = '{"n": 99}' WHERE id = 2`);
    await write(1);
    expect(await verifier.verify()).toMatchObject({ ok: true, count: 5, fullyCheckedAt: first.checkedAt });
    const [full, shared] = await Promise.all([verifier.verify({ full: true }), verifier.verify()]);
    expect(full).toMatchObject({ ok: false, faults: [{ batch: 1 }] });
    expect(shared).toBe(full);
    // Once found wanting, nothing is left out any more.
    expect((await verifier.verify()).ok).toBe(false);

    await rows(`UPDATE audit_entries SET details = '{"n": 1}' WHERE id = 2`);
    expect((await verifier.verify()).ok).toBe(true);
    await rows(`UPDATE audit_entries SET details = '{"n": 99}' WHERE id = 2`);
    expect((await verifier.verify()).ok).toBe(true);
    clock.advance(3_600_000);
    expect((await verifier.verify()).ok).toBe(false);
  });

  it('always recomputes a short chain whole', async () => {
    const verifier = createVerifier({ clock, database, sealer: sealerWith(), keyId: signingKey.keyId });
    await write(3);
    expect((await verifier.verify()).ok).toBe(true);
    await rows('ALTER TABLE audit_entries DISABLE TRIGGER USER');
    await rows(`UPDATE audit_entries SET action = 'thing.else' WHERE id = 3`);
    expect((await verifier.verify()).faults).toEqual([{ batch: 1, what: 'its entries are not those that were sealed' }]);
  });
});

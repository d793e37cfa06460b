import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorFileName } from '../src/audit/anchor.js';
import { append, systemActor } from '../src/audit/log.js';
import { createSealer } from '../src/audit/seal.js';
import { systemClock } from '../src/platform/clock.js';
import { createLog } from '../src/platform/log.js';
import { openSigningKey } from '../src/platform/signing.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

let fresh: FreshDatabase;
let dataDir: string;
beforeAll(async () => {
  fresh = await freshDatabase();
  dataDir = await mkdtemp(path.join(tmpdir(), 'opname-command-'));
  const signingKey = await openSigningKey({ folder: path.join(dataDir, 'keys') });
  await mkdir(path.join(dataDir, 'outside'));
  await writeFile(path.join(dataDir, 'outside', 'key.pem'), signingKey.publicPem);
  const { database } = fresh;
  const sealer = createSealer({
    clock: systemClock, database, log: createLog('silent'), signingKey, anchorFile: path.join(dataDir, anchorFileName),
  });
  for (let n = 0; n < 3; n += 1) {
    await database.inTransaction((tx) =>
      append(database, systemClock, tx, { actor: systemActor('test'), action: 'thing.done', details: { n } }),
    );
    await sealer.seal();
  }
});
afterAll(async () => {
  await fresh.drop();
  await rm(dataDir, { recursive: true });
});

interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

function verifyAudit(args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  const root = path.resolve(import.meta.dirname, '..');
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(root, 'scripts', 'verify-audit.ts'), ...args], {
    cwd: root,
    // Neither storage nor a given key is needed for this: what the settings ask for is there, and not used.
    env: {
      PATH: process.env['PATH'], DATA_DIR: dataDir, DATABASE_URL: fresh.url, S3_BUCKET: 'unused-bucket',
      SIGNING_KEY_FILE: path.join(dataDir, 'keys', 'signing-key.pem'), ...env,
    },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

describe('npm run verify-audit', () => {
  it('says that a sound chain is sound: 0', async () => {
    const { code, out, err } = await verifyAudit(['--key', path.join(dataDir, 'outside', 'key.pem')]);
    expect(err).toBe('');
    expect(out).toContain('The audit chain is sound.');
    expect(out).toContain('4 in 3 batches; 0 not sealed yet');
    expect(out).toContain('compared with 1 anchor noted');
    expect(code).toBe(0);
  });

  it('says what is wrong with one that is not: 1', async () => {
    const { database } = fresh;
    const anchor = path.join(dataDir, 'outside', 'anchor.json');
    await writeFile(anchor, JSON.stringify({ count: 9, head: 'ab'.repeat(32) }));
    const cut = await verifyAudit(['--anchor', anchor]);
    expect(cut.out).toContain('THE AUDIT CHAIN IS NOT SOUND.\n  the chain: the chain is shorter than when it was anchored');
    expect(cut.code).toBe(1);

    await database.query('ALTER TABLE audit_entries DISABLE TRIGGER USER');
    await database.query(`UPDATE audit_entries SET action = 'thing.else' WHERE details @> '{"n": 1}'`);
    const changed = await verifyAudit();
    expect(changed.out).toContain('batch 2: its entries are not those that were sealed');
    expect(changed.code).toBe(1);
    await database.query(`UPDATE audit_entries SET action = 'thing.done' WHERE details @> '{"n": 1}'`);
  });

  it('says what keeps it from checking: 2', async () => {
    const settings = await verifyAudit([], { DATABASE_URL: 'mysql://nowhere' });
    expect(settings).toMatchObject({ code: 2, out: '' });
    expect(settings.err).toContain('DATABASE_URL must be a postgres:// address');
    const anchor = await verifyAudit(['--anchor', path.join(dataDir, 'not-there')]);
    expect(anchor).toMatchObject({ code: 2, out: '' });
    expect(anchor.err).toContain('is not there');
    const option = await verifyAudit(['--unknown']);
    expect(option.code).toBe(2);
  });
});

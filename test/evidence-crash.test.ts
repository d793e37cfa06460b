import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSealer } from '../src/audit/seal.js';
import { evidenceKind } from '../src/evidence/evidence-kind.js';
import { checkPackage } from '../src/packages/verifier/check.js';
import { disclosuresOf, findPackage } from '../src/packages/package.js';
import { prepareSealing, sealOrdered, type Sealing, type SealPlatform } from '../src/packages/seal.js';
import { findFfmpeg, type Ffmpeg } from '../src/platform/ffmpeg.js';
import { createLog } from '../src/platform/log.js';
import { openSigningKey, type SigningKey } from '../src/platform/signing.js';
import { TimeStampUnavailable, type TimeStamper } from '../src/platform/time-stamp.js';
import { tone } from './support/audio.js';
import { filesBelow, unpack } from './support/evidence.js';
import { startTestService, type TestService } from './support/service.js';

/** What becomes of a package when the process that makes it dies. Nothing else seals here: the service has no worker. */

let service: TestService;
let ffmpeg: Ffmpeg;
let signingKey: SigningKey;
let folder: string;
const never = new AbortController().signal;

beforeAll(async () => {
  service = await startTestService({ env: { ROLE: 'web' } });
  ffmpeg = await findFfmpeg(createLog('silent'));
  signingKey = await openSigningKey({ pem: service.config.signingKey });
  folder = await mkdtemp(path.join(tmpdir(), 'opname-crash-'));
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

function sealingOn(platform: SealPlatform, timeStamper?: TimeStamper): Sealing {
  const base = { platform, ffmpeg, signingKey, timeStamper, folder, timeZone: 'Europe/Amsterdam' };
  return { ...base, kinds: [evidenceKind({ ...base, sealer: createSealer({ ...platform, signingKey }) })] };
}

/** A platform on which everything fails after so many calls of database and storage. */
function mortal(platform: SealPlatform, calls: number): SealPlatform {
  let left = calls;
  const of = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          left -= 1;
          if (left < 0) throw new Error('dead');
          return member.apply(target, args) as unknown;
        };
      },
    });
  return { ...platform, database: of(platform.database), objects: of(platform.objects) };
}

async function ordered(recordingIds: string[]): Promise<string> {
  const order = { recordingIds, reason: 'dispute', recipient: 'Rechtbank Utrecht' };
  const answer = await service.as('privacy_officer').post('/api/v1/evidence').send(order).expect(202);
  return (answer.body as { id: string }).id;
}

/** The package as storage has it, checked; and that there is only this one, on record once. */
async function expectSealedOnce(packageId: string, recordingId: string): Promise<void> {
  const { database, objects } = service.service.platform;
  const row = await findPackage(database, packageId);
  expect(row?.state).toBe('sealed');
  const keys: string[] = [];
  for await (const { key } of objects.list(`exports/${packageId}/`)) keys.push(key);
  expect(keys).toEqual([row?.objectKey]);
  const stored = await objects.read(row?.objectKey ?? '', {});
  if (stored === undefined) throw new Error('the package is not there');
  const zip = await buffer(stored.body);
  expect(createHash('sha256').update(zip).digest('hex')).toBe(row?.sha256);
  const unpacked = await unpack(zip);
  const report = await checkPackage(await filesBelow(unpacked.folder), { trustedKeyIds: [signingKey.keyId] });
  expect([report.faults, report.verdict]).toEqual([[], 'unchanged']);
  await unpacked.remove();
  const entries = await database.query(
    `SELECT 1 FROM audit_entries WHERE object_id = $1 AND action = 'evidence.sealed'`, [packageId],
  );
  expect(entries).toHaveLength(1);
  expect(await disclosuresOf(database, [recordingId])).toMatchObject([{ packageId, recipient: 'Rechtbank Utrecht' }]);
}

it('a package whose maker dies at any step is made by the next, once, and nobody counts as a recipient before', { timeout: 240_000 }, async () => {
  const { platform } = service.service;
  const recordingId = await service.push({}, tone({ seconds: 1 }));
  const packageId = await ordered([recordingId]);
  // Early on it only reads, and one step is like the next; from where it is stored on, each is another.
  let steps = 0;
  for (; (await findPackage(platform.database, packageId))?.state === 'sealing'; steps += steps < 35 ? 5 : 1) {
    expect(await disclosuresOf(platform.database, [recordingId])).toEqual([]);
    await sealOrdered(sealingOn(mortal(platform, steps)), never).catch(() => undefined);
    // The next process finds what was claimed by one that died.
    await prepareSealing(platform, folder, { alone: true });
    await platform.database.query(`UPDATE packages SET next_attempt_at = $1 WHERE state = 'sealing'`, [platform.clock.now()]);
  }
  expect(steps).toBeGreaterThan(20);
  expect(await readdir(folder)).toEqual([]);
  await expectSealedOnce(packageId, recordingId);
});

it.each(['list', 'putFile'] as const)('whoever was stopped at %s for longer than its turn leaves alone what another has sealed meanwhile', async (stop) => {
  const { platform } = service.service;
  const recordingId = await service.push({}, tone({ seconds: 1, seed: stop.length }));
  const packageId = await ordered([recordingId]);
  const { objects } = platform;
  const takeOver = async (): Promise<void> => {
    service.clock.advance(100_000);
    expect(await sealOrdered(sealingOn(platform), never)).toEqual({ sealed: 1, failed: 0 });
  };
  const slow: SealPlatform = {
    ...platform,
    objects: new Proxy(objects, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (name !== stop) return (...args: unknown[]) => member.apply(target, args) as unknown;
        if (stop === 'putFile')
          return async (...args: unknown[]): Promise<unknown> => {
            await takeOver();
            return (await member.apply(target, args)) as unknown;
          };
        return async function* (...args: unknown[]): AsyncGenerator<unknown> {
          await takeOver();
          yield* member.apply(target, args) as AsyncIterable<unknown>;
        };
      },
    }),
  };
  // Only a second attempt looks for what the first left.
  await sealOrdered(sealingOn(mortal(platform, 5)), never).catch(() => undefined);
  await platform.database.query('UPDATE packages SET next_attempt_at = $2 WHERE id = $1', [packageId, platform.clock.now()]);
  expect(await sealOrdered(sealingOn(slow), never)).toEqual({ sealed: 0, failed: 0 });
  service.clock.reset();
  await expectSealedOnce(packageId, recordingId);
});

it('an authority that is away is waited for once a package, not once a recording', async () => {
  const { platform } = service.service;
  const recordingIds = [await service.push({}, tone({ seconds: 1, seed: 3 })), await service.push({}, tone({ seconds: 1, seed: 4 }))];
  const packageId = await ordered(recordingIds);
  let asked = 0;
  const away: TimeStamper = {
    stamp() {
      asked += 1;
      return Promise.reject(new TimeStampUnavailable('nobody answers'));
    },
  };
  expect(await sealOrdered(sealingOn(platform, away), never)).toEqual({ sealed: 1, failed: 0 });
  expect(asked).toBe(1);
  expect((await findPackage(platform.database, packageId))?.state).toBe('sealed');
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { startEmbeddedS3, type EmbeddedS3 } from '../src/platform/embedded/s3/server.js';
import { createLog } from '../src/platform/log.js';
import type { LifecycleRule } from '../src/platform/objects.js';
import { applyLifecycle, checkLifecycle, expectedRules, keepLifecycle, lastLifecycleCheck } from '../src/retention/lifecycle.js';
import { purgeContext } from '../src/retention/jobs.js';
import { placeHold } from '../src/retention/place-hold.js';
import { previewPolicy, runShortenings, setPolicy } from '../src/retention/policies.js';
import { runRetags } from '../src/retention/retag.js';
import { requestSweep, runPurges } from '../src/retention/sweep.js';
import { listTombstones } from '../src/retention/tombstone.js';
import { createMetrics } from '../src/platform/metrics.js';
import { faultyProxy } from './support/faulty-proxy.js';
import { openBucket, retentionWorld, type RetentionWorld } from './support/retention.js';

const day = 86_400_000;
const timeZone = 'Europe/Amsterdam';
let folder: string;
let storage: EmbeddedS3;
let world: RetentionWorld;
const clock = new MovableClock();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lifecycle-'));
  const { s3 } = inject('backends');
  if (s3 === null) throw new Error('There is no storage in this run');
  storage = await startEmbeddedS3({
    folder, accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey, clock, log: createLog('silent'), fsync: false,
  });
  world = await retentionWorld({ endpoint: storage.endpoint, clock });
});
afterAll(async () => {
  await world.close();
  await storage.close();
  await rm(folder, { recursive: true });
});

const foreign: LifecycleRule = { id: 'somebody-elses', enabled: true, prefix: 'logs/', tags: {}, expireAfterDays: 7 };

test('the rules are those of the privacy rules, put beside what others made', async () => {
  await world.objects.putLifecycle([foreign]);
  expect((await checkLifecycle(world, timeZone)).state).toBe('drifted');
  const applied = await applyLifecycle(world, timeZone);
  expect(applied.state).toBe('in_sync');
  expect(applied.actual).toContainEqual(foreign);
  expect(applied.expected).toEqual([
    { id: 'recordings-90-days', enabled: true, prefix: 'recordings/', tags: { hold: '0' }, expireAfterDays: 90 },
    { id: 'tickets-3-years', enabled: true, prefix: 'tickets/', tags: { hold: '0' }, expireAfterDays: 1096 },
    { id: 'contact-forms-1-year', enabled: true, prefix: 'contact-forms/', tags: { hold: '0' }, expireAfterDays: 366 },
    { id: 'exports-30-days', enabled: true, prefix: 'exports/', tags: {}, expireAfterDays: 30 },
    { id: 'abort-uploads', enabled: true, prefix: '', tags: {}, abortUploadsAfterDays: 1 },
  ]);
  expect(expectedRules(new Map(), true)).toContainEqual({
    id: 'old-versions', enabled: true, prefix: '', tags: {}, expireNoncurrentAfterDays: 1, removeExpiredDeleteMarkers: true,
  });
});

test('a rule that somebody changed or removed shows as drift, and is put right without touching theirs', async () => {
  await world.objects.putLifecycle([
    { id: 'recordings-90-days', enabled: true, prefix: 'recordings/', tags: { hold: '0' }, expireAfterDays: 900 },
  ]);
  expect((await checkLifecycle(world, timeZone)).state).toBe('drifted');
  expect((await lastLifecycleCheck(world.database))?.state).toBe('drifted');
  await world.objects.putLifecycle([], ['recordings-90-days']);
  expect((await checkLifecycle(world, timeZone)).state).toBe('drifted');
  const applied = await applyLifecycle(world, timeZone);
  expect([applied.state, applied.actual.some((rule) => rule.id === foreign.id)]).toEqual(['in_sync', true]);
});

test('a storage without lifecycle is told as unsupported, not as drifted', async () => {
  const proxy = await faultyProxy(storage.endpoint);
  proxy.failWhen(({ url }) => (/[?&]lifecycle/.test(url) ? 501 : false));
  const without = { ...world, objects: await openBucket(world.bucket, proxy.endpoint) };
  expect((await applyLifecycle(without, timeZone)).state).toBe('unsupported');
  without.objects.close();
  await proxy.close();
  expect((await applyLifecycle(world, timeZone)).state).toBe('in_sync');
});

test('what the bucket deletes by its rule is buried as such; what is held it leaves', async () => {
  const id = await world.record();
  const held = await world.record();
  await placeHold(world, world.categories, world.officer, {
    kind: 'recording', itemId: held, ground: 'legal_claim', reason: 'claim', reviewAt: new Date(clock.now().getTime() + 200 * day),
  }, timeZone);
  await runRetags(world, world.categories);
  // No sweep came by for ninety-two days.
  clock.advance(92 * day);
  await storage.enforceLifecycle();
  expect(await world.keysOf(id)).toEqual([]);
  expect(await world.keysOf(held)).toHaveLength(3);
  await requestSweep(world, world.administrator);
  const platform = { ...world, metrics: createMetrics() };
  await runPurges(await purgeContext(platform, timeZone), world.categories);
  const stones = await listTombstones(world.database, undefined, { limit: 10 });
  expect(stones.items.map(({ itemId, reason, objects }) => ({ itemId, reason, objects }))).toEqual([
    { itemId: id, reason: 'lifecycle', objects: 0 },
  ]);
});

test('the rule waits for the longest period that something there was frozen with', async () => {
  const days = async () => (await checkLifecycle(world, timeZone)).expected[0]?.expireAfterDays;
  expect((await applyLifecycle(world, timeZone)).state).toBe('in_sync');
  const change = { unit: 'days' as const, reason: 'test' };
  await setPolicy(world, world.categories, world.administrator, 'recording', { ...change, amount: 60, existing: null });
  expect(await days()).toBe(90);
  clock.advance(91 * day);
  expect(await days()).toBe(60);
  const { token } = await previewPolicy(world, world.categories, 'recording', { amount: 30, unit: 'days' });
  await setPolicy(world, world.categories, world.administrator, 'recording', { ...change, amount: 30, existing: { expected: 0, token } });
  expect(await days()).toBe(60);
  await runShortenings(world, world.categories);
  expect(await days()).toBe(30);
});

test('the rules follow a longer period before they could cut it short; what somebody else changed is only told', async () => {
  await applyLifecycle(world, timeZone);
  const change = { unit: 'days' as const, reason: 'test', existing: null };
  await setPolicy(world, world.categories, world.administrator, 'recording', { ...change, amount: 80 });
  const kept = await keepLifecycle(world, timeZone);
  expect([kept.state, kept.actual.find((rule) => rule.id === 'recordings-90-days')?.expireAfterDays]).toEqual(['in_sync', 80]);
  await world.objects.putLifecycle([], ['recordings-90-days']);
  expect((await keepLifecycle(world, timeZone)).state).toBe('drifted');
  expect((await keepLifecycle(world, timeZone)).state).toBe('drifted');
});

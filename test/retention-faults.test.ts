import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { StorageAway } from '../src/retention/carry-out.js';
import { findSweep, requestSweep, runPurges } from '../src/retention/sweep.js';
import { faultyProxy, type FaultyProxy } from './support/faulty-proxy.js';
import { retentionWorld, type RetentionWorld } from './support/retention.js';

const day = 86_400_000;
let proxy: FaultyProxy;
let world: RetentionWorld;
beforeEach(async () => {
  proxy = await faultyProxy(inject('backends').s3?.endpoint ?? '');
  world = await retentionWorld({ endpoint: proxy.endpoint });
});
afterEach(async () => {
  await world.close();
  await proxy.close();
});

const left = async () => (await world.database.query<{ id: string }>('SELECT id FROM recordings')).map((row) => row.id);

test('one item that storage refuses to delete waits by itself, longer each time, and the others go', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, () => world.record()));
  const stubborn = ids[3] ?? '';
  world.clock.advance(90 * day);
  proxy.failWhen(({ method, body }) => method === 'POST' && body.includes(stubborn));
  const first = await requestSweep(world, world.administrator);
  await runPurges(world.context(), world.categories);
  expect(await left()).toEqual([stubborn]);
  expect(await findSweep(world, first.id)).toMatchObject({ state: 'done', purged: 7, failed: 1 });

  const waits: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const [purge] = await world.database.query<{ until: Date; fault: string; attempts: number }>(
      'SELECT next_attempt_at AS until, last_fault AS fault, attempts FROM purges',
    );
    expect(purge).toMatchObject({ fault: 'StorageRefuses', attempts: round + 1 });
    waits.push((purge?.until.getTime() ?? 0) - world.clock.now().getTime());
    world.clock.set(purge?.until ?? new Date(0));
    await runPurges(world.context(), world.categories);
  }
  expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);

  proxy.failWhen(undefined);
  // Whoever asks for a sweep does not wait for the wait to be over.
  const last = await requestSweep(world, world.administrator);
  await runPurges(world.context(), world.categories);
  expect(await left()).toEqual([]);
  expect(await findSweep(world, last.id)).toMatchObject({ state: 'done', purged: 1, failed: 0 });
});

test('when storage goes away in the middle of a sweep nothing is lost, counted as failed or called deleted', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => world.record()));
  world.clock.advance(90 * day);
  const sweep = await requestSweep(world, world.administrator);
  let batches = 0;
  const interrupted = runPurges(world.context((step) => {
    if (step === 'looked' && (batches += 1) === 2) proxy.away(true);
  }), world.categories, { batch: 2 });
  await expect(interrupted).rejects.toBeInstanceOf(StorageAway);
  expect(await left()).toHaveLength(4);
  expect(await world.database.query('SELECT FROM tombstones')).toHaveLength(2);
  expect(await findSweep(world, sweep.id)).toMatchObject({ state: 'running', purged: 2, failed: 0 });
  proxy.away(false);
  await runPurges(world.context(), world.categories);
  expect(await left()).toEqual([]);
  expect(await findSweep(world, sweep.id)).toMatchObject({ state: 'done', purged: 6, failed: 0 });
  for (const id of ids) expect(await world.keysOf(id)).toEqual([]);
  const reasons = await world.database.query('SELECT DISTINCT reason FROM tombstones');
  expect(reasons).toEqual([{ reason: 'retention' }]);
});

test('what was deleted before storage failed is never laid to the rule of the bucket', async () => {
  const ids = [await world.record(), await world.record()];
  // The sweep comes late: by now the bucket's rule could have deleted them.
  world.clock.advance(95 * day);
  proxy.failWhen(({ method, url }) => method === 'PUT' && url.includes('tombstones'));
  await requestSweep(world, world.administrator);
  expect(await runPurges(world.context(), world.categories)).toMatchObject({ purged: 0, failed: 2 });
  for (let round = 0; round < 2; round += 1) {
    if (round === 1) proxy.failWhen(undefined);
    world.clock.advance(3_600_000);
    await runPurges(world.context(), world.categories);
  }
  const stones = await world.database.query('SELECT reason FROM tombstones WHERE item_id = ANY($1::uuid[])', [ids]);
  expect(stones).toEqual([{ reason: 'retention' }, { reason: 'retention' }]);
});

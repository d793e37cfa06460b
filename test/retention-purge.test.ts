import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { recordingCategory } from '../src/recordings/purge.js';
import { listTombstones, wasErased } from '../src/retention/tombstone.js';
import { beginPurge } from '../src/retention/purge.js';
import { requestSweep, findSweep, runPurges } from '../src/retention/sweep.js';
import type { PurgeStep } from '../src/retention/carry-out.js';
import { retentionWorld, type RetentionWorld } from './support/retention.js';

const day = 86_400_000;
let world: RetentionWorld;
beforeEach(async () => {
  world = await retentionWorld();
});
afterEach(async () => {
  await world.close();
});

const rowsOf = (id: string) => world.database.query('SELECT id FROM recordings WHERE id = $1', [id]);
const stonesOf = async (id: string) => (await listTombstones(world.database, { kind: 'recording', id }, { limit: 10 })).items;

async function sweep(): Promise<{ purged: number; failed: number; state: string }> {
  const asked = await requestSweep(world, world.administrator);
  await runPurges(world.context(), world.categories);
  const done = await findSweep(world, asked.id);
  return { purged: done?.purged ?? -1, failed: done?.failed ?? -1, state: done?.state ?? 'none' };
}

describe('a sweep', () => {
  test('leaves a recording alone one second before its period ends and deletes it when it has ended', async () => {
    const ended = world.clock.now();
    const id = await world.record({ endedAt: ended });
    world.clock.set(new Date(ended.getTime() + 90 * day - 1000));
    expect(await sweep()).toEqual({ purged: 0, failed: 0, state: 'done' });
    expect(await rowsOf(id)).toHaveLength(1);
    expect(await world.keysOf(id)).toHaveLength(3);
    world.clock.set(new Date(ended.getTime() + 90 * day));
    expect(await sweep()).toEqual({ purged: 1, failed: 0, state: 'done' });
    expect(await rowsOf(id)).toEqual([]);
    expect(await world.keysOf(id)).toEqual([]);
    const [stone] = await stonesOf(id);
    expect(stone).toMatchObject({
      category: 'recording', itemId: id, reason: 'retention', objects: 3, actor: { kind: 'system', id: 'sweep' },
      day: new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Amsterdam' }).format(ended.getTime() - 60_000),
    });
    expect(stone?.sha256).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    const [entry] = await world.database.query<{ details: object }>(
      `SELECT details FROM audit_entries WHERE action = 'recording.purged' AND object_id = $1`, [id],
    );
    expect(entry?.details).toMatchObject({ reason: 'retention', tombstoneId: stone?.id });
  });

  test('deletes what lies under the recording without a row knowing of it, and nothing of its neighbours', async () => {
    const ended = world.clock.now();
    const id = await world.record({ endedAt: ended });
    const other = await world.record({ endedAt: new Date(ended.getTime() + day) });
    await world.objects.putBytes(`recordings/${id}/left/over.tmp`, Buffer.from('x'), 'text/plain', {});
    world.clock.advance(90 * day);
    await sweep();
    expect(await world.keysOf(id)).toEqual([]);
    expect(await world.keysOf(other)).toHaveLength(3);
  });

  test('is not over while another worker is claiming what is due, and asks the database little when there is nothing', async () => {
    const id = await world.record();
    world.clock.advance(90 * day);
    const asked = await requestSweep(world, world.administrator);
    await world.database.inTransaction(async (tx) => {
      // Another worker has locked it and has not said yet that it deletes it.
      await world.category.lockDue(tx, world.clock.now(), 10);
      await runPurges(world.context(), world.categories, { signal: AbortSignal.timeout(700) });
      expect(await findSweep(world, asked.id)).toMatchObject({ state: 'running' });
    });
    await runPurges(world.context(), world.categories);
    expect(await findSweep(world, asked.id)).toMatchObject({ state: 'done', purged: 1 });
    expect(await rowsOf(id)).toEqual([]);
    let statements = 0;
    const { database } = world;
    const counting = new Proxy(database, {
      get: (target, name) => {
        if (name === 'query' || name === 'inTransaction') statements += 1;
        return Reflect.get(target, name, target) as unknown;
      },
    });
    await runPurges({ ...world.context(), database: counting }, world.categories);
    expect(statements).toBe(2);
  });

  test('by several workers at once deletes each item once', async () => {
    for (let at = 0; at < 40; at += 1) await world.record({ objects: at < 10 });
    world.clock.advance(90 * day);
    await requestSweep(world, world.administrator);
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(() => runPurges(world.context(), world.categories, { batch: 5 })),
    );
    expect(outcomes.reduce((sum, each) => sum + each.purged, 0)).toBe(40);
    const [count] = await world.database.query<{ stones: number; entries: number }>(
      `SELECT (SELECT count(*) FROM tombstones) AS stones,
         (SELECT count(*) FROM audit_entries WHERE action = 'recording.purged') AS entries`,
    );
    expect(count).toEqual({ stones: 40, entries: 40 });
    expect((await world.database.query(`SELECT FROM sweeps WHERE state = 'running'`)).length).toBe(0);
  });

  test('calls what the bucket had deleted by its rule lifecycle, and what was gone too early retention', async () => {
    const id = await world.record({ objects: false });
    world.clock.advance(90 * day);
    await sweep();
    expect((await stonesOf(id))[0]).toMatchObject({ reason: 'lifecycle', objects: 0 });
    const early = await world.record({ objects: false });
    world.clock.advance(90 * day);
    await requestSweep(world, world.administrator);
    await runPurges({ ...world.context(), ruleDays: () => 91 }, world.categories);
    expect((await stonesOf(early))[0]).toMatchObject({ reason: 'retention', objects: 0 });
  });
});

describe('a purge that dies', () => {
  const steps: PurgeStep[] = ['claimed', 'looked', 'deleted', 'confirmed', 'buried'];
  test.each(steps)('after it was %s is carried on by the next', async (fatal) => {
    const id = await world.record();
    world.clock.advance(90 * day);
    await requestSweep(world, world.administrator);
    const dying = runPurges(world.context((step) => {
      if (step === fatal) throw new Error('died');
    }), world.categories);
    await expect(dying).rejects.toThrow('died');
    world.clock.advance(6 * 60_000);
    await runPurges(world.context(), world.categories);
    expect(await rowsOf(id)).toEqual([]);
    expect(await world.keysOf(id)).toEqual([]);
    expect(await stonesOf(id)).toHaveLength(1);
    expect((await stonesOf(id))[0]).toMatchObject({ reason: 'retention', objects: 3 });
    expect(await world.database.query('SELECT FROM purges')).toEqual([]);
    expect(await world.database.query(`SELECT FROM sweeps WHERE state = 'running'`)).toEqual([]);
  });
});

test('a purge that dies at any call to database or storage, before it or after, is carried on by the next', { timeout: 180_000 }, async () => {
  /** A service that stops for good at the call `fatal`, as a process does: before the call, or when its answer has come. */
  function dyingAt(fatal: number, after: boolean) {
    let calls = 0;
    const mortal = <T extends object>(target: T): T => new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (calls >= fatal) throw new Error('died');
          calls += 1;
          if (calls === fatal && !after) throw new Error('died');
          const answer: unknown = Reflect.apply(value, of, given);
          if (calls !== fatal || !(answer instanceof Promise)) return answer;
          return answer.then(() => { throw new Error('died'); });
        };
      },
    });
    const database = mortal(world.database);
    const categories = [recordingCategory({ clock: world.clock, database }, 'Europe/Amsterdam')];
    return { context: { ...world.context(), database, objects: mortal(world.objects) }, categories };
  }
  let deaths = 0;
  for (const after of [false, true])
    for (let fatal = 1, died = true; died; fatal += 1) {
      const id = await world.record();
      world.clock.advance(90 * day);
      await requestSweep(world, world.administrator);
      const { context, categories } = dyingAt(fatal, after);
      died = await runPurges(context, categories).then(() => false, (error: unknown) => String(error).includes('died'));
      deaths += died ? 1 : 0;
      world.clock.advance(6 * 60_000);
      await runPurges(world.context(), world.categories);
      expect([fatal, after, await rowsOf(id), await world.keysOf(id)]).toEqual([fatal, after, [], []]);
      expect((await stonesOf(id)).map(({ reason, objects }) => ({ reason, objects }))).toEqual([{ reason: 'retention', objects: 3 }]);
      expect(await world.database.query(`SELECT FROM purges UNION ALL SELECT FROM sweeps WHERE state = 'running'`)).toEqual([]);
    }
  // As many as there are calls, or the test would prove little.
  expect(deaths).toBeGreaterThan(40);
});

test.each(['looked', 'deleted', 'buried'])('a process killed with -9 when an item is %s leaves nothing undone', async (step) => {
  const id = await world.record();
  world.clock.advance(90 * day);
  await requestSweep(world, world.administrator);
  const told = {
    databaseUrl: world.databaseUrl, s3: inject('backends').s3, bucket: world.bucket, now: world.clock.now(), step,
  };
  const file = path.join(import.meta.dirname, 'support', 'purge-child.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(told)], { stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  world.clock.advance(6 * 60_000);
  await runPurges(world.context(), world.categories);
  expect([await rowsOf(id), await world.keysOf(id)]).toEqual([[], []]);
  expect((await stonesOf(id)).map(({ reason, objects }) => ({ reason, objects }))).toEqual([{ reason: 'retention', objects: 3 }]);
  expect(await world.database.query(`SELECT FROM purges UNION ALL SELECT FROM sweeps WHERE state = 'running'`)).toEqual([]);
});

describe('a purge that somebody decided on', () => {
  test('deletes before the date, names the decision, and is known when the same call is pushed again', async () => {
    const id = await world.record();
    await world.database.inTransaction((tx) =>
      beginPurge(world, world.categories, tx, { category: 'recording', ids: [id] }, {
        reason: 'erasure', rule: 'decision 1', actor: { kind: 'person', id: world.officer.userId },
      }),
    );
    await runPurges(world.context(), world.categories);
    const [stone] = await stonesOf(id);
    expect(stone).toMatchObject({ reason: 'erasure', rule: 'decision 1', actor: { kind: 'person', id: world.officer.userId } });
    expect(await wasErased(world.database, undefined, stone?.pushDigest ?? '')).toBe(true);
  });
});

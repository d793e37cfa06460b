import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from 'sequelize';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openDatabase, sqlState, type Database } from '../src/platform/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/platform/embedded/postgres.js';
import { createJobs } from '../src/platform/jobs.js';
import { createLog } from '../src/platform/log.js';
import { migrations } from '../migrations/index.js';
import { migrate } from '../src/platform/migrate.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const log = createLog('silent');

describe('on a server that stays', () => {
  let fresh: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    fresh = await freshDatabase({ empty: true });
    database = fresh.database;
    await database.query('CREATE TABLE counters (name text PRIMARY KEY, value int8 NOT NULL)');
  });

  afterAll(async () => {
    await fresh.drop();
  });

  async function valueOf(name: string): Promise<number | undefined> {
    const [row] = await database.query<{ value: number }>('SELECT value FROM counters WHERE name = $1', [name]);
    return row?.value;
  }

  test('values come back as what they are', async () => {
    const at = new Date('2026-03-29T01:30:00.123Z');
    const [row] = await database.query(
      `SELECT 42::int8 AS size, ARRAY[1, NULL, 3]::int8[] AS sizes, '{}'::int8[] AS none, count(*) AS count,
              $1::timestamptz AS at, '2026-03-29'::date AS day, 1.50::numeric AS amount, $2::jsonb AS object,
              $3::text[] AS list, $4::text AS nothing, $5::boolean AS flag, $6::bytea AS bytes`,
      [at, { a: [1, 'é'] }, ['x', 'y,"z'], null, true, Buffer.from([0, 255])],
    );
    expect(row).toEqual({
      size: 42, sizes: [1, null, 3], none: [], count: 1, at, day: '2026-03-29', amount: '1.50',
      object: { a: [1, 'é'] }, list: ['x', 'y,"z'], nothing: null, flag: true, bytes: Buffer.from([0, 255]),
    });
  });

  test('an int8 that a number cannot hold is refused rather than rounded', async () => {
    await expect(database.query('SELECT 9007199254740993::int8 AS big')).rejects.toThrow('beyond 2^53');
  });

  test('a bind can be used twice, and dollars in a text survive', async () => {
    expect(await database.query(`SELECT $1::text AS one, $1::text || $2 AS two`, ['a', '$1 $$'])).toEqual([
      { one: 'a', two: 'a$1 $$' },
    ]);
  });

  test('a statement asked often gives the same on every connection, and goes on when a column is added', async () => {
    const asked = 'SELECT name, value FROM counters WHERE name = $1';
    await database.query(`INSERT INTO counters VALUES ('often', 7)`);
    for (let time = 0; time < 8; time += 1) {
      const answers = await Promise.all([1, 2, 3].map(() => database.queryOften(asked, ['often'])));
      expect(answers).toEqual([1, 2, 3].map(() => [{ name: 'often', value: 7 }]));
      if (time === 6) await database.query('ALTER TABLE counters ADD COLUMN note text');
    }
  });

  test('a transaction is over when it is over, and is not said to be committed when a statement failed in it', async () => {
    let late: Transaction | undefined;
    await database.inTransaction((tx) => {
      late = tx;
      return Promise.resolve();
    });
    await expect(database.query('SELECT 1', [], late)).rejects.toThrow('is over');
    const hushed = database.inTransaction(async (tx) => {
      await database.query(`INSERT INTO counters (name, value) VALUES ('hushed', 1)`, [], tx);
      await database.query('SELECT 1 / 0', [], tx).catch(() => undefined);
    });
    await expect(hushed).rejects.toThrow('undone');
    expect(await valueOf('hushed')).toBeUndefined();
  });

  test('a transaction commits what it did, or nothing', async () => {
    await database.inTransaction(async (tx) => {
      await database.query(`INSERT INTO counters VALUES ('kept', 1)`, [], tx);
    });
    const reason = new Error('changed my mind');
    await expect(database.inTransaction(async (tx) => {
      await database.query(`INSERT INTO counters VALUES ('dropped', 1)`, [], tx);
      throw reason;
    })).rejects.toBe(reason);
    expect(await valueOf('kept')).toBe(1);
    expect(await valueOf('dropped')).toBeUndefined();
  });

  test('two transactions that lock each other out both come through', async () => {
    await database.query(`INSERT INTO counters VALUES ('left', 0), ('right', 0)`);
    const increase = (names: string[]): Promise<void> =>
      database.inTransaction(async (tx) => {
        for (const name of names) {
          await database.query('UPDATE counters SET value = value + 1 WHERE name = $1', [name], tx);
          await sleep(200);
        }
      });
    await Promise.all([increase(['left', 'right']), increase(['right', 'left'])]);
    expect([await valueOf('left'), await valueOf('right')]).toEqual([2, 2]);
  });

  test('a duplicate is told by its SQLSTATE and is no fault of the connection', async () => {
    await database.query(`INSERT INTO counters VALUES ('once', 1)`);
    const error = await database.query(`INSERT INTO counters VALUES ('once', 1)`).catch((thrown: unknown) => thrown);
    expect(sqlState(error)).toBe('23505');
  });

  test('an exclusive lock waits for shared ones, which do not wait for each other', async () => {
    const order: string[] = [];
    await database.inTransaction(async (one) => {
      await database.advisoryLock(one, 'door', 'shared');
      await database.inTransaction((two) => database.advisoryLock(two, 'door', 'shared'));
      order.push('both shared');
      const alone = database.inTransaction(async (three) => {
        await database.advisoryLock(three, 'door', 'exclusive');
        order.push('alone');
      });
      await sleep(200);
      order.push('shared ends');
      return { alone };
    }).then(({ alone }) => alone);
    expect(order).toEqual(['both shared', 'shared ends', 'alone']);
  });

  test('a connection that breaks in a transaction is database-unavailable, and the next one works', async () => {
    const broken = database.inTransaction(async (tx) => {
      await database.query(`INSERT INTO counters VALUES ('broken', 1)`, [], tx);
      await database.query('SELECT pg_terminate_backend(pg_backend_pid())', [], tx);
    });
    await expect(broken).rejects.toMatchObject({ code: 'database-unavailable', status: 503 });
    expect(await valueOf('broken')).toBeUndefined();
  });

  test('a statement that takes too long is cancelled: who asked is told to come back, in a transaction or without one', async () => {
    const hasty = await openDatabase({ url: fresh.url, log, statementTimeoutMs: 100 });
    const slow = hasty.query('SELECT pg_sleep(10)').catch((thrown: unknown) => thrown);
    const inside = hasty.inTransaction((tx) => hasty.query('SELECT pg_sleep(10)', [], tx)).catch((thrown: unknown) => thrown);
    for (const error of [await slow, await inside]) {
      expect(error).toMatchObject({ code: 'database-unavailable', status: 503, headers: { 'Retry-After': '10' } });
      expect(sqlState((error as Error).cause)).toBe('57014');
    }
    await hasty.close();
  });

  test('a password of any characters works in the address', async () => {
    const password = `p@ss:/?#%25 'é`;
    const role = `odd_${process.pid}`;
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p@ss:/?#%25 ''é'`);
    const url = new URL(fresh.url);
    url.username = role;
    url.password = encodeURIComponent(password);
    const odd = await openDatabase({ url: url.href, log });
    expect(await odd.query('SELECT current_user::text AS name')).toEqual([{ name: role }]);
    await odd.close();
    await database.query(`DROP ROLE ${role}`);
  });

  test('a wrong password is told at once', async () => {
    const url = Object.assign(new URL(fresh.url), { password: 'wrong' }).href;
    const error = await openDatabase({ url, log }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(sqlState((error as Error).cause)).toBe('28P01');
  });
});

describe('on a server that comes and goes', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  let port: number;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'opname-test-'));
    server = await startEmbeddedPostgres({ folder, log, fsync: false });
    port = Number(new URL(server.url).port);
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Resolves when the server that comes in its place lets `database` in; its processes end one after another. */
  async function restartServer(database: Database, signal: NodeJS.Signals): Promise<void> {
    const startedAt = async (): Promise<unknown> => (await database.query('SELECT pg_postmaster_start_time()'))[0];
    const before = await startedAt();
    process.kill(Number((await readFile(path.join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[0]), signal);
    await vi.waitFor(async () => { expect(await startedAt()).not.toEqual(before); }, { timeout: 30_000, interval: 50 });
  }

  test('a database that is away is database-unavailable; one that is starting is waited for', async () => {
    const { url } = server;
    await server.stop();
    await expect(openDatabase({ url, log, startTimeoutMs: 0 })).rejects.toMatchObject({ code: 'database-unavailable' });
    const opening = openDatabase({ url, log });
    server = await startEmbeddedPostgres({ folder, log, fsync: false, port });
    const database = await opening;
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await database.close();
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('queries work again after the server restarted (%s)', async (signal) => {
    const database = await openDatabase({ url: server.url, log });
    await Promise.all(Array.from({ length: 4 }, () => database.query('SELECT pg_sleep(0.05)::text')));
    const underWay = database.query('SELECT pg_sleep(30)::text');
    await vi.waitFor(async () => {
      const [row] = await database.query<{ count: number }>(
        `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'`,
      );
      expect(row?.count).toBe(1);
    });
    await Promise.all([
      expect(underWay).rejects.toMatchObject({ code: 'database-unavailable' }),
      restartServer(database, signal),
    ]);
    expect(await database.inTransaction((tx) => database.query('SELECT 2 AS two', [], tx))).toEqual([{ two: 2 }]);
    await database.close();
  });

  test('jobs go on by themselves after the server restarted', async () => {
    const database = await openDatabase({ url: server.url, log });
    await migrate(database, migrations, log);
    const jobs = createJobs({ url: server.url, log, work: true });
    let runs = 0;
    let nudged = 0;
    jobs.define('tick', () => { runs += 1; return Promise.resolve(); });
    jobs.every('tick', '1 second');
    jobs.define('index', () => { nudged += 1; return Promise.resolve(); });
    await jobs.start();
    await vi.waitFor(() => { expect(runs).toBeGreaterThan(0); }, { timeout: 30_000 });
    await restartServer(database, 'SIGINT');
    const before = runs;
    await vi.waitFor(() => { expect(runs).toBeGreaterThan(before); }, { timeout: 45_000, interval: 50 });
    jobs.nudge('index');
    await vi.waitFor(() => { expect(nudged).toBe(1); }, { timeout: 30_000, interval: 20 });
    await jobs.stop(5_000);
    await database.close();
  });
});

import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { chooseLauncher, locatePostgres } from '../src/platform/embedded/postgres-binaries.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/platform/embedded/postgres.js';
import { createLog } from '../src/platform/log.js';

const log = createLog('silent');
const nobody = 65534;
const isRoot = process.getuid?.() === 0;
let prepared: string;
let base: string;
let folder: string;
let cleanups: (() => Promise<void>)[] = [];

beforeAll(async () => {
  prepared = await mkdtemp(path.join(tmpdir(), 'opname-test-'));
  await (await startEmbeddedPostgres({ folder: prepared, log })).stop();
});

afterAll(async () => {
  await rm(prepared, { recursive: true, force: true });
});

beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'opname-test-'));
  folder = path.join(base, 'postgres');
});

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  cleanups = [];
  await rm(base, { recursive: true, force: true });
});

/** A server that ran before, and was stopped in order; faster than making one. */
async function usedBefore(): Promise<void> {
  await cp(prepared, folder, { recursive: true });
  await chmod(folder, 0o700);
}

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, log });
  cleanups.push(() => server.stop());
  return server;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

async function serverPid(): Promise<number> {
  return Number((await readFile(path.join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Another process that runs a server on `folder` and commits rows; `committed` holds what it was told is safe. */
async function committer(identity: { uid?: number; gid?: number } = {}): Promise<{
  child: ChildProcess; committed: number[];
}> {
  const child = fork(fileURLToPath(new URL('support/postgres-committer.ts', import.meta.url)), [folder], {
    execArgv: ['--import', 'tsx'],
    ...identity,
  });
  cleanups.push(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  const committed: number[] = [];
  child.on('message', (id) => committed.push(id as number));
  await vi.waitFor(() => {
    expect(child.exitCode).toBeNull();
    expect(committed.length).toBeGreaterThan(20);
  }, { timeout: 60_000, interval: 20 });
  return { child, committed };
}

async function missingOf(url: string, committed: number[]): Promise<number[]> {
  const found = new Set((await query(url, 'SELECT id FROM kept')).map((row) => row.id));
  return committed.filter((id) => !found.has(id));
}

test('what was committed is there after a stop and a start, in a folder that others cannot enter', async () => {
  await chmod(base, 0o700);
  const first = await startEmbeddedPostgres({ folder, log });
  await query(first.url, `CREATE TABLE kept AS SELECT 7 AS id, 'Zoë' AS name`);
  await first.stop();
  await expect(query(first.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

  const second = await start();
  expect(await query(second.url, `SELECT id, upper(name) AS name FROM kept`)).toEqual([{ id: 7, name: 'ZOË' }]);
  const [settings] = await query(second.url, `
    SELECT current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS sockets,
           current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync`);
  expect(settings).toEqual({ address: '127.0.0.1', sockets: '', encoding: 'UTF8', fsync: 'on' });
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(folder, 'password'))).mode & 0o777).toBe(0o600);
});

test('nobody gets in without the password', async () => {
  await usedBefore();
  const { url } = await start();
  for (const password of ['', 'opname']) {
    const attempt = query(Object.assign(new URL(url), { password }).href, 'SELECT 1');
    await expect(attempt).rejects.toThrow(/password/i);
  }
});

test('the server log has starts and stops, and no data', async () => {
  await usedBefore();
  const server = await startEmbeddedPostgres({ folder, log });
  await query(server.url, 'CREATE TABLE people (email text PRIMARY KEY)');
  await query(server.url, `INSERT INTO people VALUES ('anna@example.org')`);
  await expect(query(server.url, `INSERT INTO people VALUES ('anna@example.org')`)).rejects.toThrow('duplicate key');
  await expect(query(server.url, `SELECT 'anna@example.org'::integer`)).rejects.toThrow('invalid input');
  await server.stop();
  const said = await readFile(path.join(folder, 'server.log'), 'utf8');
  expect(said).toContain('database system is shut down');
  expect(said).not.toContain('anna');
});

test('of two starts at once one works and the other is told why not, in this process or another', async () => {
  await usedBefore();
  const results = await Promise.allSettled([start(), start()]);
  const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  expect(refusals.map((error) => error.message)).toEqual([
    `Another process is already running the database in ${folder}`,
  ]);
  const child = fork(fileURLToPath(new URL('support/postgres-committer.ts', import.meta.url)), [folder], {
    execArgv: ['--import', 'tsx'], silent: true,
  });
  const said: string[] = [];
  child.stderr?.on('data', (text) => said.push(String(text)));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(said.join('')).toContain('Another process is already running the database');
});

test('after kill -9 of the process that ran it, the next start has every committed row', async () => {
  await usedBefore();
  const { child, committed } = await committer();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { url } = await start();
  expect(await missingOf(url, committed)).toEqual([]);
});

test('after kill -9 of process and server together, the next start has every committed row', async () => {
  await usedBefore();
  const { child, committed } = await committer();
  const pid = await serverPid();
  child.kill('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await once(child, 'exit');
  const { url } = await start();
  expect(await missingOf(url, committed)).toEqual([]);
});

test('a server that outlived its process is stopped and replaced', async () => {
  await usedBefore();
  const first = await startEmbeddedPostgres({ folder, log });
  await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS id');
  await first.stop();
  // The same server without what would stop it with its parent: as it is where there is no setpriv.
  const binaries = await locatePostgres(folder);
  const { prefix } = await chooseLauncher(binaries, folder, () => Promise.resolve());
  const orphanPrefix = prefix.slice(0, Math.max(prefix.indexOf('setpriv'), 0));
  const [command = '', ...args] = [
    ...orphanPrefix, binaries.postgres, '-D', path.join(folder, 'data'), '-p', new URL(first.url).port,
    '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=',
  ];
  const orphan = spawn(command, args, { detached: true, stdio: 'ignore', env: binaries.environment });
  const ended = once(orphan, 'exit');
  await vi.waitFor(() => query(first.url, 'SELECT 1'), { timeout: 20_000, interval: 50 });

  const second = await start();
  await ended;
  expect(await query(second.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
  expect(await serverPid()).not.toBe(orphan.pid);
});

test('a server that is killed comes back by itself at the same address', async () => {
  await usedBefore();
  const { url } = await start();
  await query(url, 'CREATE TABLE kept AS SELECT 1 AS id');
  const killed = await serverPid();
  process.kill(killed, 'SIGKILL');
  await vi.waitFor(async () => {
    expect(await serverPid()).not.toBe(killed);
    expect(await query(url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
  }, { timeout: 30_000, interval: 50 });
});

test('it can be stopped while it is coming back', async () => {
  await usedBefore();
  const server = await startEmbeddedPostgres({ folder, log });
  process.kill(await serverPid(), 'SIGKILL');
  await sleep(50);
  await server.stop();
  await expect(query(server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(start().then((next) => query(next.url, 'SELECT 1 AS one'))).resolves.toEqual([{ one: 1 }]);
});

test('a process number left behind that is somebody else by now does not keep it from starting', async () => {
  await usedBefore();
  await writeFile(path.join(folder, 'data/postmaster.pid'), `${process.pid}\n${folder}/data\n0\n5432\n\n127.0.0.1\n`);
  const { url } = await start();
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a first start that was cut off is done again', async () => {
  await usedBefore();
  // As a kill leaves it: half a cluster under its provisional name, and no database of our own yet.
  await rename(path.join(folder, 'data'), path.join(folder, 'data.new'));
  await rm(path.join(folder, 'data.new/global'), { recursive: true });
  const { url } = await start();
  expect(await query(url, 'SELECT current_database() AS name')).toEqual([{ name: 'opname' }]);
  await expect(lstat(path.join(folder, 'data.new'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a cluster of another major version is told, and left alone', async () => {
  await usedBefore();
  const versionFile = path.join(folder, 'data/PG_VERSION');
  const version = await readFile(versionFile, 'utf8');
  await writeFile(versionFile, '14\n');
  await expect(start()).rejects.toThrow(/was made by PostgreSQL 14, and this is PostgreSQL \d+: dump it/);
  await writeFile(versionFile, version);
  const { url } = await start();
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a lost password is told, not replaced by one that does not work', async () => {
  await usedBefore();
  await rm(path.join(folder, 'password'));
  await expect(start()).rejects.toThrow(/The password of the database in .* is gone/);
});

test('a server that cannot start says why in one line', async () => {
  await usedBefore();
  await rm(path.join(folder, 'data/global/pg_control'));
  await expect(start()).rejects.toThrow(/does not start \(exit code 2\): .*could not open file/);
});

test.runIf(isRoot)('an ordinary user runs it, kill -9 loses nothing, root may go on with it', async (context) => {
  const own = path.join(base, 'own');
  await chmod(base, 0o755);
  await mkdir(own, { mode: 0o700 });
  await chown(own, nobody, nobody);
  folder = path.join(own, 'postgres');
  // A working copy in root's home cannot be read by anybody else: there is nothing to be tried then.
  const probe = spawn(process.execPath, ['-e', `fs.accessSync(process.argv[1])`, import.meta.filename], {
    uid: nobody, gid: nobody, stdio: 'ignore',
  });
  const [code] = (await once(probe, 'exit')) as [number];
  context.skip(code !== 0, 'this working copy is closed to other users');

  const { child, committed } = await committer({ uid: nobody, gid: nobody });
  expect((await stat(path.join(folder, 'data'))).uid).toBe(nobody);
  child.kill('SIGKILL');
  await once(child, 'exit');

  const again = await committer({ uid: nobody, gid: nobody });
  again.child.kill('SIGKILL');
  await once(again.child, 'exit');

  const { url } = await start();
  expect(await missingOf(url, [...committed, ...again.committed])).toEqual([]);
  expect((await stat(path.join(folder, 'data'))).uid).toBe(nobody);
});

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, lchown, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Log } from '../log.js';
import type { Launcher, Owner, PostgresBinaries } from './postgres-binaries.js';

const run = promisify(execFile);

/** The files of one embedded server: its cluster, the password that opens it, and what it says at start and stop. */
export interface ServerFolder {
  root: string;
  data: string;
  password: string;
  log: string;
}

/** Makes `folder`, open to its owner alone. Returns real paths, as the server's own command line will show them. */
export async function prepareFolder(folder: string): Promise<ServerFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const root = await realpath(folder);
  return {
    root,
    data: path.join(root, 'data'),
    password: path.join(root, 'password'),
    log: path.join(root, 'server.log'),
  };
}

/**
 * Makes us the only program that runs a server on this folder, until the returned function is called or we die. A
 * listening socket named after the folder is the lock: the kernel lets go of it whatever kills us.
 */
export async function claimFolder(folder: ServerFolder): Promise<() => Promise<void>> {
  const name = `opname-postgres-${createHash('sha256').update(folder.root).digest('hex').slice(0, 32)}`;
  // Linux has socket names without a file. Elsewhere a file stays behind after a kill: nobody answers on that one.
  const address = process.platform === 'linux' ? `\0${name}` : path.join(tmpdir(), `${name}.sock`);
  const taken = (): Error => new Error(`Another process is already running the database in ${folder.root}`);
  let server: Server | undefined = await listen(address);
  if (server === undefined && process.platform !== 'linux' && !(await answers(address))) {
    await rm(address, { force: true });
    server = await listen(address);
  }
  if (server === undefined) throw taken();
  const claim = server;
  return async () => {
    await new Promise<void>((resolve) => claim.close(() => { resolve(); }));
  };
}

/** A server listening there, or undefined when somebody else does. It does not keep the program alive. */
async function listen(address: string): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => { resolve(server); });
  });
}

async function answers(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(address, () => { socket.destroy(); resolve(true); });
    socket.once('error', () => { resolve(false); });
  });
}

/** Gives everything in the folder to the user that the server will run as. Only root can, and only root needs it. */
export async function giveFolder(folder: ServerFolder, owner: Owner): Promise<void> {
  if ((await stat(folder.root)).uid === owner.uid) return;
  // The folder itself comes last: until then the next start knows that this was not finished.
  for (const entry of await readdir(folder.root, { recursive: true })) {
    await lchown(path.join(folder.root, entry), owner.uid, owner.gid);
  }
  await lchown(folder.root, owner.uid, owner.gid);
}

/** The server's password: random, made once, readable by its owner alone. */
export async function readPassword(folder: ServerFolder, owner: Owner | undefined): Promise<string> {
  const known = await readFile(folder.password, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known !== undefined) return known.trim();
  if (await isCluster(folder)) {
    throw new Error(
      `The password of the database in ${folder.root} is gone: put ${folder.password} back from a backup`,
    );
  }
  const password = randomBytes(24).toString('hex');
  const draft = `${folder.password}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${password}\n`);
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, folder.password);
  return password;
}

async function isCluster(folder: ServerFolder): Promise<boolean> {
  return await stat(path.join(folder.data, 'PG_VERSION')).then(() => true, () => false);
}

/**
 * Makes the cluster when there is none, in another folder that is renamed when it is whole, so that a start that is
 * cut off is simply done again. Throws when the cluster was made by another major version.
 */
export async function prepareCluster(
  folder: ServerFolder,
  binaries: PostgresBinaries,
  launcher: Launcher,
  fsync: boolean,
): Promise<void> {
  if (await isCluster(folder)) {
    const version = (await readFile(path.join(folder.data, 'PG_VERSION'), 'utf8')).trim();
    if (version !== String(launcher.majorVersion)) {
      throw new Error(
        `The database in ${folder.root} was made by PostgreSQL ${version}, and this is PostgreSQL ` +
          `${launcher.majorVersion}: dump it with the former version of this program, or upgrade it with pg_upgrade`,
      );
    }
    return;
  }
  const draft = path.join(folder.root, 'data.new');
  await rm(draft, { recursive: true, force: true });
  const [command = '', ...args] = [
    ...launcher.prefix, binaries.initdb,
    '-D', draft, '-U', 'opname', `--pwfile=${folder.password}`, '--auth=scram-sha-256', '--encoding=UTF8',
    '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions',
    ...(fsync ? [] : ['--no-sync']),
  ];
  try {
    await run(command, args, { env: binaries.environment, cwd: folder.root });
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`The embedded PostgreSQL could not make its database: ${said}`, { cause: error });
  }
  await rename(draft, folder.data);
  const directory = await open(folder.root, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Stops a server that outlived the process that started it, and removes what a killed one left behind. Call it only
 * with the folder claimed. Throws when an orphan does not stop within 30 s.
 */
export async function stopOrphan(folder: ServerFolder, log: Log): Promise<void> {
  const pidFile = path.join(folder.data, 'postmaster.pid');
  for (let tenths = 0; ; tenths += 1) {
    const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
    if (!Number.isInteger(pid) || pid <= 1) break;
    if (!(await commandLine(pid)).includes(folder.data)) break;
    if (tenths === 300) throw new Error(`The database server ${pid} in ${folder.root} does not stop`);
    if (tenths === 0) log.warn({ pid }, 'Stopping a database server that outlived its process');
    // Every 2 s anew, since one that is only starting may not hear the first. After 10 s without a last checkpoint:
    // the next start then takes longer and loses nothing.
    if (tenths % 20 === 0) signal(pid, tenths < 100 ? 'SIGINT' : 'SIGQUIT');
    await sleep(100);
  }
  // The number in it may by now belong to any process, which would keep the server from starting.
  await rm(pidFile, { force: true });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The command line of a process; empty when there is none by that number. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8').then((text) => text.replaceAll('\0', ' '), () => '');
  }
  return await run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout, () => '');
}

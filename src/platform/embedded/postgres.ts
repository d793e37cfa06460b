import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Log } from '../log.js';
import { chooseLauncher, locatePostgres, type Launcher, type PostgresBinaries } from './postgres-binaries.js';
import {
  claimFolder, giveFolder, prepareCluster, prepareFolder, readPassword, stopOrphan, type ServerFolder,
} from './postgres-folder.js';

export interface EmbeddedPostgresOptions {
  /** Everything of the server is kept here; made when it is missing, open to its owner alone. */
  folder: string;
  log: Log;
  /** A free one when it is not given. */
  port?: number;
  /** False makes commits fast and unsafe: for tests, and for nothing else. */
  fsync?: boolean;
}

export interface EmbeddedPostgres {
  /** `postgres://opname:…@127.0.0.1:port/opname` */
  readonly url: string;
  /** Ends sessions, writes everything out and lets the folder go. */
  stop(): Promise<void>;
}

/** The server as our child, and how it ends. */
interface Running {
  child: ChildProcess;
  gone: Promise<string>;
}

const startTimeoutMs = 600_000; // After a crash the server first repeats all that was not yet written out.
const obstacleTimeoutMs = 10_000;
const stopTimeoutMs = 30_000;

/**
 * Starts a real PostgreSQL from npm's binaries on `folder`, made on the first start. It listens on 127.0.0.1 alone and
 * asks for a password that only the folder's owner can read. A server that a killed process left behind is stopped
 * first; a server that dies is started again on the same port. Throws, with one line that tells what to do, when
 * another process runs a server on the folder, or none can run here.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = await prepareFolder(options.folder);
  const release = await claimFolder(folder);
  try {
    const binaries = await locatePostgres(folder.root);
    const launcher = await chooseLauncher(binaries, folder.root, (owner) => giveFolder(folder, owner));
    const password = await readPassword(folder, launcher.owner);
    await prepareCluster(folder, binaries, launcher, options.fsync ?? true);
    const server = new SupervisedServer(folder, binaries, launcher, password, options);
    await server.start();
    return {
      url: server.url('opname'),
      stop: async () => {
        await server.stop();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

class SupervisedServer {
  #port = 0;
  #running: Running | undefined;
  #reviving: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(
    private readonly folder: ServerFolder,
    private readonly binaries: PostgresBinaries,
    private readonly launcher: Launcher,
    private readonly password: string,
    private readonly options: EmbeddedPostgresOptions,
  ) {}

  url(database: string): string {
    return `postgres://opname:${this.password}@127.0.0.1:${this.#port}/${database}`;
  }

  /** Starts it, on another port when a free one turns out to be taken. Waits up to 10 s for obstacles that pass. */
  async start(): Promise<void> {
    const startedAtMs = performance.now();
    await rename(this.folder.log, `${this.folder.log}.1`).catch(unlessMissing);
    await stopOrphan(this.folder, this.options.log);
    for (;;) {
      this.#port = this.options.port || (await freePort());
      try {
        await this.#launch();
        break;
      } catch (error) {
        if (!(error instanceof PassingObstacle) || performance.now() - startedAtMs > obstacleTimeoutMs) throw error;
        await sleep(300);
      }
    }
    try {
      await this.#ensureDatabase();
    } catch (error) {
      await this.stop();
      throw error;
    }
    const tookMs = Math.round(performance.now() - startedAtMs);
    this.options.log.info({ port: this.#port, tookMs }, 'Embedded PostgreSQL is ready');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#reviving;
    if (this.#running !== undefined) await this.#end(this.#running);
    this.#running = undefined;
  }

  /** One attempt. Throws what the server said when it ended before it was ready. */
  async #launch(): Promise<void> {
    const saidBefore = await this.#said();
    const running = await this.#spawn();
    const ended = await Promise.race([running.gone, this.#untilReady(running)]);
    if (ended !== undefined) {
      const said = (await this.#said()).slice(saidBefore.length).trim();
      const text = `The embedded PostgreSQL does not start (${ended}): ${said.split('\n').at(-1) ?? ''}`;
      throw passingObstacles.test(said) ? new PassingObstacle(text) : new Error(text);
    }
    this.#running = running;
    void running.gone.then((how) => {
      if (this.#running !== running || this.#stopping) return;
      this.#running = undefined;
      this.options.log.error({ how }, 'Embedded PostgreSQL ended by itself, starting it again');
      this.#reviving = this.#revive();
    });
  }

  /** Starts it again on the same port, for as long as it takes. */
  async #revive(): Promise<void> {
    while (!this.#stopping && this.#running === undefined) {
      try {
        await stopOrphan(this.folder, this.options.log);
        await this.#launch();
        this.options.log.info({ port: this.#port }, 'Embedded PostgreSQL is back');
      } catch (error) {
        this.options.log.error({ error }, 'Embedded PostgreSQL does not come back yet');
        await sleep(500);
      }
    }
  }

  async #spawn(): Promise<Running> {
    const fast = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };
    const settings = { ...serverSettings, ...(this.options.fsync === false ? fast : {}) };
    const [command = '', ...args] = [
      ...this.launcher.prefix, this.binaries.postgres, '-D', this.folder.data, '-p', String(this.#port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const log = await open(this.folder.log, 'a', 0o600);
    try {
      const child = spawn(command, args, {
        cwd: this.folder.root,
        env: this.binaries.environment,
        stdio: ['ignore', log.fd, log.fd],
        // Its own process group: Ctrl-C in a terminal is for us, and we stop it when our own work is done.
        detached: true,
      });
      const gone = new Promise<string>((resolve) => {
        child.once('error', (error) => { resolve(error.message); });
        child.once('exit', (code, signal) => { resolve(signal ?? `exit code ${code ?? 0}`); });
      });
      return { child, gone };
    } finally {
      await log.close();
    }
  }

  /** Resolves once it lets us in. */
  async #untilReady(running: Running): Promise<undefined> {
    const deadlineMs = performance.now() + startTimeoutMs;
    while (running.child.exitCode === null && running.child.signalCode === null) {
      try {
        await this.#query('SELECT 1');
        return;
      } catch {
        // Not yet; what stops it for good is told by its end and its log.
        if (performance.now() > deadlineMs) await this.#end(running);
        await sleep(30);
      }
    }
    await running.gone;
  }

  /** The cluster's own database, made here rather than with the cluster: a start cut off in between makes up for it. */
  async #ensureDatabase(): Promise<void> {
    const found = await this.#query(`SELECT 1 FROM pg_database WHERE datname = 'opname'`);
    if (found === 0) await this.#query('CREATE DATABASE opname');
  }

  async #query(sql: string): Promise<number> {
    const client = new Client({ connectionString: this.url('postgres'), connectionTimeoutMillis: 5000 });
    // A connection that breaks also fails the query or the connect below, which is where it is dealt with.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(sql)).rowCount ?? 0;
    } finally {
      await client.end();
    }
  }

  /** Fast shutdown; after 30 s an immediate one, from which the next start recovers without loss. */
  async #end(running: Running): Promise<void> {
    running.child.kill('SIGINT');
    const timer = new AbortController();
    const late = sleep(stopTimeoutMs, true, { signal: timer.signal }).catch(() => false);
    if (await Promise.race([running.gone.then(() => false), late])) {
      this.options.log.warn({}, 'Embedded PostgreSQL does not stop, so it is stopped at once');
      running.child.kill('SIGQUIT');
      await running.gone;
    }
    timer.abort();
  }

  async #said(): Promise<string> {
    return await readFile(this.folder.log, 'utf8').catch(unlessMissing) ?? '';
  }
}

/** The port was taken meanwhile, or the children of a killed server are still on their way out. */
const passingObstacles = /could not bind|Address already in use|shared memory block|lock file "/;
class PassingObstacle extends Error {}

/** Given on the command line, so that they hold for clusters of any age. */
const serverSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  max_connections: '60',
  jit: 'off', // Our statements are short; compiling them costs more than it saves.
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m ',
  // Messages of failed statements quote data. This level has the server's own start and stop, and none of those.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port');
  return address.port;
}

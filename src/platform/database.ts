import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, QueryConfig, QueryResult } from 'pg';
import { BaseError, ConnectionError, Sequelize, type Transaction } from 'sequelize';
import type { Log } from './log.js';
import { Problem } from './problem.js';

/** What `$1` and on stand for. An array becomes an SQL array; for `jsonb` give an object, or `JSON.stringify` a list. */
export type Bind = readonly unknown[];

/** PostgreSQL as the rest of the program sees it: transactions, typed SQL, and Sequelize for defining models. */
export interface Database {
  /** For defining models. Its own errors about a lost connection become a `Problem` through `asDatabaseProblem`. */
  readonly sequelize: Sequelize;

  /**
   * Runs `work` in one READ COMMITTED transaction and commits when it resolves. A deadlock or serialization failure
   * (40P01, 40001) makes PostgreSQL undo it all; `work` then runs again from its beginning, three times at most, so
   * `work` does nothing outside the database. Throws `database-unavailable` when the connection fails, a statement takes
   * too long or the conflict comes back each time; whether a COMMIT that was under way took hold when the connection
   * failed is unknown, so what follows must be safe to repeat.
   */
  inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;

  /**
   * The rows of one SQL statement with positional binds. `int8` arrives as a number (beyond 2^53 it throws),
   * `timestamptz` as a Date, `date` and `numeric` as strings.
   */
  query<Row extends object>(sql: string, bind?: Bind, tx?: Transaction): Promise<Row[]>;

  /**
   * The same for one of the few statements that every push or page asks: each connection has PostgreSQL parse and plan it
   * once. The text is always the same, and names its columns: with `*`, a migration under way would break it.
   */
  queryOften<Row extends object>(sql: string, bind: Bind, tx?: Transaction): Promise<Row[]>;

  /** Waits for the lock called `name` and holds it until `tx` ends. Names are shared by all processes. */
  advisoryLock(tx: Transaction, name: string, mode: 'exclusive' | 'shared'): Promise<void>;

  /** Resolves when the database answers within `timeoutMs` (5000), else throws `database-unavailable`. */
  reachable(timeoutMs?: number): Promise<void>;

  /** Waits for running queries and closes every connection. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/name`, with `?sslmode=…` and the like as node-postgres knows them. */
  url: string;
  log: Log;
  /** Connections at most; 10 unless told. */
  poolSize?: number;
  /** A single statement is cancelled after this long; 30 s unless told. */
  statementTimeoutMs?: number;
  /** How long to wait for a database that is still starting; 30 s unless told. */
  startTimeoutMs?: number;
}

const retriesOfConflict = 3;
const int8Oid = 20;
// The driver's types know only the scalar ones.
const int8ArrayOid = 1016 as number as typeof int8Oid;

/** What node and node-postgres say when a connection cannot be made or breaks. */
const brokenConnectionCodes = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH',
]);
const brokenConnectionMessages = /^Connection terminated|^Client has encountered a connection error|^timeout expired/;

/** The driver's own error inside Sequelize's, with its SQLSTATE or system error code. */
function driverError(error: Error): Error & { code?: unknown } {
  return error instanceof BaseError && 'original' in error && error.original instanceof Error ? error.original : error;
}

function isConnectionFailure(error: Error): boolean {
  if (error instanceof ConnectionError) return true;
  const { code, message } = driverError(error);
  if (typeof code !== 'string') return brokenConnectionMessages.test(message);
  // Class 08: connection exceptions. 57P01 to 57P03: shutting down, crashed, starting. 53300: no connection is free.
  return brokenConnectionCodes.has(code) || /^(08...|57P0[123]|53300)$/.test(code);
}

/** 57014: cancelled for taking too long. 25P03: a transaction that idled for too long. 55P03: a lock did not come free. */
const tooLong = /^(57014|25P03|55P03)$/;

/**
 * `error` as callers shall see it: a lost or unobtainable connection and a statement that took too long are
 * `database-unavailable`, so that who asked comes back; the rest is itself.
 */
export function asDatabaseProblem(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Problem) return error;
  if (isConnectionFailure(error)) return new Problem('database-unavailable', { cause: error });
  if (tooLong.test(sqlState(error) ?? ''))
    return new Problem('database-unavailable', { detail: 'The database took too long to answer.', cause: error });
  return error;
}

/** The SQLSTATE of a failed statement, such as `23505` for a duplicate; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = driverError(error);
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** `int8` as a number: our ids are UUIDs, so these are sizes, counts and positions. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('An int8 from the database is beyond 2^53');
  return value;
}

function parseInt8Array(text: string): (number | null)[] {
  if (text === '{}') return [];
  return text.slice(1, -1).split(',').map((item) => (item === 'NULL' ? null : parseInt8(item)));
}

/** A text cannot hold a NUL there. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\\0') : value;
}

const statementNames = new Map<string, string>();

/** A name for a prepared statement: the same text has the same name (63 characters at most) on every connection. */
function statementName(sql: string): string {
  const name = statementNames.get(sql) ?? createHash('sha256').update(sql).digest('base64url');
  statementNames.set(sql, name);
  return name;
}

/** What a transaction is made of here. To everyone else it is opaque. */
interface OpenTransaction {
  connection: Client;
  isOver: boolean;
}

/** A statement that comes late must not run on a connection that serves somebody else by now. */
function connectionOf(tx: Transaction): Client {
  const { connection, isOver } = tx as unknown as OpenTransaction;
  if (isOver) throw new Error('A statement for a transaction that is over');
  return connection;
}

/** A text of several statements without binds gives several results. */
function rowsOf<Row extends object>(result: QueryResult | QueryResult[]): Row[] {
  return (Array.isArray(result) ? result.flatMap(({ rows }) => rows as unknown[]) : result.rows) as Row[];
}

class SequelizeDatabase implements Database {
  constructor(readonly sequelize: Sequelize) {}

  async inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries += 1) {
      try {
        return await this.attempt(work);
      } catch (error) {
        const state = sqlState(error);
        if (state !== '40001' && state !== '40P01') throw asDatabaseProblem(error);
        if (retries === retriesOfConflict)
          throw new Problem('database-unavailable', { detail: 'Others are changing the same at this moment.', cause: error });
        await sleep(Math.random() * 20 * 2 ** retries);
      }
    }
  }

  private async attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { connectionManager } = this.sequelize;
    const connection = (await connectionManager.getConnection({ type: 'write' })) as Client;
    const tx: OpenTransaction = { connection, isOver: false };
    try {
      await connection.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      const result = await work(tx as unknown as Transaction);
      tx.isOver = true;
      // PostgreSQL answers so, without an error, when a statement failed in it and nobody said so.
      if ((await connection.query('COMMIT')).command === 'ROLLBACK') throw new Error('A transaction was undone at its end');
      connectionManager.releaseConnection(connection);
      return result;
    } catch (error) {
      tx.isOver = true;
      await connection.query('ROLLBACK').then(
        () => connectionManager.releaseConnection(connection),
        // Nobody knows what state it is in; what matters is told by the first error.
        () => connectionManager.destroyConnection(connection).catch(() => undefined),
      );
      throw error;
    }
  }

  async query<Row extends object>(sql: string, bind: Bind = [], tx?: Transaction): Promise<Row[]> {
    return await this.ask<Row>(bind.length === 0 ? { text: sql } : { text: sql, values: bind.map(storable) }, tx);
  }

  async queryOften<Row extends object>(sql: string, bind: Bind, tx?: Transaction): Promise<Row[]> {
    return await this.ask<Row>({ name: statementName(sql), text: sql, values: bind.map(storable) }, tx);
  }

  /** Straight to the driver: Sequelize's own layer between costs as much again as the statement. */
  private async ask<Row extends object>(query: QueryConfig<unknown[]>, tx: Transaction | undefined): Promise<Row[]> {
    try {
      if (tx !== undefined) return rowsOf<Row>(await connectionOf(tx).query(query));
      const { connectionManager } = this.sequelize;
      const connection = await connectionManager.getConnection({ type: 'write' });
      try {
        return rowsOf<Row>(await (connection as Client).query(query));
      } finally {
        connectionManager.releaseConnection(connection);
      }
    } catch (error) {
      throw asDatabaseProblem(error);
    }
  }

  async advisoryLock(tx: Transaction, name: string, mode: 'exclusive' | 'shared'): Promise<void> {
    const lock = mode === 'exclusive' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
    await this.query(`SELECT ${lock}(hashtextextended($1, 0))::text`, [name], tx);
  }

  async reachable(timeoutMs = 5000): Promise<void> {
    const timer = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: timer.signal, ref: false }).then(() => {
      throw new Problem('database-unavailable', { detail: 'The database does not answer' });
    });
    // When the answer comes first the timer is aborted, and nobody waits for its rejection any more.
    late.catch(() => undefined);
    try {
      await Promise.race([this.query('SELECT 1'), late]);
    } finally {
      timer.abort();
    }
  }

  async close(): Promise<void> {
    await this.sequelize.close();
  }
}

/**
 * Connects to PostgreSQL and waits, `startTimeoutMs` at most, for one that is still starting. Throws
 * `database-unavailable` when it stays away, and the server's own error when it refuses us (password, no such name).
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const sequelize = new Sequelize(options.url, {
    dialect: 'postgres',
    logging: false,
    pool: { max: options.poolSize ?? 10, min: 0, acquire: 15_000, idle: 30_000, evict: 5_000 },
    dialectOptions: {
      application_name: 'opname',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      // A transaction that nobody drives any more must not hold its row locks for ever.
      idle_in_transaction_session_timeout: 120_000,
    },
    hooks: {
      afterConnect: (connection) => {
        const client = connection as Client;
        client.setTypeParser(int8Oid, parseInt8);
        client.setTypeParser(int8ArrayOid, parseInt8Array);
      },
    },
  });
  const database = new SequelizeDatabase(sequelize);
  const deadlineMs = performance.now() + (options.startTimeoutMs ?? 30_000);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.reachable();
      return database;
    } catch (error) {
      if (!(error instanceof Problem) || refused(error) || performance.now() > deadlineMs) {
        await database.close();
        throw error;
      }
      if (attempt === 1) options.log.info({ error }, 'Waiting for the database');
      await sleep(500);
    }
  }
}

/** Class 28 and 3D000: wrong user, password or database name. Waiting does not help. */
function refused(problem: Problem): boolean {
  const state = sqlState(problem.cause);
  return state !== undefined && /^(28...|3D000)$/.test(state);
}

import type { Transaction } from 'sequelize';
import { MigrationError, Umzug } from 'umzug';
import { sqlState, type Bind, type Database } from './database.js';
import type { Log } from './log.js';

/** What a migration works with: SQL inside the transaction that also records it. */
export interface MigrationContext {
  query<Row extends object>(sql: string, bind?: Bind): Promise<Row[]>;
  readonly tx: Transaction;
}

/** One change of the schema. `name` is its file's name without the ending, and what the database remembers. */
export interface Migration {
  readonly name: string;
  up(context: MigrationContext): Promise<void>;
  /** Undoes `up`; data that only the newer schema could hold is lost. */
  down(context: MigrationContext): Promise<void>;
}

const lockName = 'opname migrations';

/** The names in the database, oldest first; none when it is new. */
async function appliedNames(database: Database, tx?: Transaction): Promise<string[]> {
  const [table] = await database.query<{ exists: boolean }>(
    `SELECT to_regclass('schema_migrations') IS NOT NULL AS exists`, [], tx,
  );
  if (table?.exists !== true) return [];
  return (await database.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name', [], tx)).map(
    (row) => row.name,
  );
}

/** The migrations that this program knows and the database has not had: two small queries, for `/readyz`. */
export async function pendingMigrations(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  const applied = new Set(await appliedNames(database));
  return migrations.map((migration) => migration.name).filter((name) => !applied.has(name));
}

/**
 * Does one step and records it, both or neither: the change and its row in `schema_migrations` are one transaction.
 * Every step takes the lock and then looks anew, so that any number of processes may start at once, and one that
 * dies lets the next go on where it stopped.
 */
async function step(database: Database, migration: Migration, direction: 'up' | 'down'): Promise<boolean> {
  return await database.inTransaction(async (tx) => {
    // Building an index or waiting for another process's migration may take longer than any query should.
    await database.query('SET LOCAL statement_timeout = 0', [], tx);
    await database.query('SET LOCAL idle_in_transaction_session_timeout = 0', [], tx);
    await database.advisoryLock(tx, lockName, 'exclusive');
    // Its time is the server's: nothing is decided by it, and a test's movable clock has no business here.
    await database.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         name text PRIMARY KEY,
         applied_at timestamptz NOT NULL DEFAULT now()
       )`, [], tx,
    );
    const applied = (await appliedNames(database, tx)).includes(migration.name);
    if (applied === (direction === 'up')) return false;
    await migration[direction]({ query: (sql, bind) => database.query(sql, bind, tx), tx });
    await database.query(
      direction === 'up'
        ? 'INSERT INTO schema_migrations (name) VALUES ($1)'
        : 'DELETE FROM schema_migrations WHERE name = $1',
      [migration.name], tx,
    );
    return true;
  });
}

function umzugOf(database: Database, migrations: readonly Migration[], log: Log): Umzug {
  const run = async (migration: Migration, direction: 'up' | 'down'): Promise<void> => {
    try {
      const done = await step(database, migration, direction);
      if (done) log.info({ migration: migration.name, direction }, 'Migrated');
    } catch (error) {
      // The database's own words may quote data, so only its code is told here; the rest is the cause.
      const why = sqlState(error) ?? (error instanceof Error ? error.name : 'unknown');
      const text = `Migration ${migration.name} (${direction}) failed (${why}) and was rolled back`;
      throw new Error(text, { cause: error });
    }
  };
  return new Umzug({
    migrations: migrations.map((migration) => ({
      name: migration.name,
      up: () => run(migration, 'up'),
      down: () => run(migration, 'down'),
    })),
    storage: {
      executed: () => appliedNames(database),
      // `step` writes these within the migration's own transaction.
      logMigration: () => Promise.resolve(),
      unlogMigration: () => Promise.resolve(),
    },
    logger: undefined,
  });
}

/**
 * Applies every pending migration in order. Safe when many processes start at once. Throws at the first that fails:
 * it is rolled back whole, those before it stay.
 */
export async function migrate(database: Database, migrations: readonly Migration[], log: Log): Promise<void> {
  assertOrdered(migrations);
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = (await appliedNames(database)).filter((name) => !known.has(name));
  if (unknown.length > 0) log.warn({ migrations: unknown }, 'The database has migrations of a newer version');
  try {
    await umzugOf(database, migrations, log).up();
  } catch (error) {
    // Umzug wraps what we threw in words of its own.
    throw error instanceof MigrationError ? error.cause : error;
  }
}

/** Undoes every migration, newest first. For tests, and for nothing else. */
export async function migrateDown(database: Database, migrations: readonly Migration[], log: Log): Promise<void> {
  await umzugOf(database, migrations, log).down({ to: 0 });
}

/** Names sort as they are listed, so that every database went the same way. */
function assertOrdered(migrations: readonly Migration[]): void {
  migrations.forEach((migration, index) => {
    const previous = migrations[index - 1];
    if (previous !== undefined && previous.name >= migration.name) {
      throw new Error(`Migration ${migration.name} is listed after ${previous.name}`);
    }
  });
}

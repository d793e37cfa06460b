import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { migrations } from '../migrations/index.js';
import { createLog } from '../src/platform/log.js';
import { migrate, migrateDown, pendingMigrations, type Migration } from '../src/platform/migrate.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const log = createLog('silent');
let opened: FreshDatabase[] = [];

async function emptyDatabase(): Promise<FreshDatabase> {
  const fresh = await freshDatabase({ empty: true });
  opened.push(fresh);
  return fresh;
}

/** Every column, constraint, index, trigger and function of ours, as one text to compare. */
async function schemaOf({ database }: FreshDatabase): Promise<string[]> {
  const rows = await database.query<{ line: string }>(`
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
           || coalesce(column_default, '') AS line
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function ' || p.oid::regprocedure FROM pg_proc p
      WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
    UNION ALL SELECT 'type ' || typname FROM pg_type
      WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
    ORDER BY 1`);
  return rows.map((row) => row.line);
}

afterEach(async () => {
  for (const fresh of opened) await fresh.drop();
  opened = [];
});

test('all migrations go up, down to nothing, and up again to the same schema', async () => {
  const fresh = await emptyDatabase();
  await migrate(fresh.database, migrations, log);
  const first = await schemaOf(fresh);
  expect(first.length).toBeGreaterThan(10);

  await migrateDown(fresh.database, migrations, log);
  expect((await schemaOf(fresh)).filter((line) => !line.includes('schema_migrations'))).toEqual([]);

  await migrate(fresh.database, migrations, log);
  expect(await schemaOf(fresh)).toEqual(first);
});

test('four processes that migrate one empty database at once all succeed, and each step is done once', async () => {
  const fresh = await emptyDatabase();
  const program = new URL('support/migrate-once.ts', import.meta.url);
  const codes = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = fork(program, [fresh.url], { execArgv: ['--import', 'tsx'] });
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    }),
  );
  expect(codes).toEqual([0, 0, 0, 0]);
  const rows = await fresh.database.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name');
  expect(rows.map((row) => row.name)).toEqual(migrations.map((migration) => migration.name));
});

test('what is pending is told without changing anything', async () => {
  const fresh = await emptyDatabase();
  expect(await pendingMigrations(fresh.database, migrations)).toEqual(migrations.map((migration) => migration.name));
  expect(await schemaOf(fresh)).toEqual([]);
  await migrate(fresh.database, migrations, log);
  expect(await pendingMigrations(fresh.database, migrations)).toEqual([]);
});

test('a failing migration leaves nothing of itself, keeps those before it, and goes on once it is mended', async () => {
  const fresh = await emptyDatabase();
  const one: Migration = {
    name: '20260101-01-create-one',
    up: async ({ query }) => { await query('CREATE TABLE one (id integer)'); },
    down: async ({ query }) => { await query('DROP TABLE one'); },
  };
  let mended = false;
  const two: Migration = {
    name: '20260101-02-create-two',
    up: async ({ query }) => {
      await query('CREATE TABLE two (id integer)');
      if (!mended) await query('SELECT no_such_column');
    },
    down: async ({ query }) => { await query('DROP TABLE two'); },
  };
  await expect(migrate(fresh.database, [one, two], log)).rejects.toThrow(
    'Migration 20260101-02-create-two (up) failed (42703) and was rolled back',
  );
  expect(await pendingMigrations(fresh.database, [one, two])).toEqual([two.name]);
  expect((await schemaOf(fresh)).some((line) => line.includes('two'))).toBe(false);
  mended = true;
  await migrate(fresh.database, [one, two], log);
  expect(await pendingMigrations(fresh.database, [one, two])).toEqual([]);
});

test('a list out of order is refused before anything runs', async () => {
  const fresh = await emptyDatabase();
  const named = (name: string): Migration => ({ name, up: () => Promise.resolve(), down: () => Promise.resolve() });
  await expect(migrate(fresh.database, [named('20260102-01-b'), named('20260101-01-a')], log)).rejects.toThrow(
    '20260101-01-a is listed after 20260102-01-b',
  );
  expect(await schemaOf(fresh)).toEqual([]);
});

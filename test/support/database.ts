import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from '../../src/platform/database.js';
import { createLog } from '../../src/platform/log.js';

/** A migrated, empty database of one's own. */
export interface FreshDatabase {
  url: string;
  database: Database;
  /** Closes `database`, ends all other connections and removes it. */
  drop(): Promise<void>;
}

/** Copies the migrated template: some 50 ms. With `empty`, a database without any table. */
export async function freshDatabase(options: { empty?: boolean } = {}): Promise<FreshDatabase> {
  const { databaseUrl, templateDatabase } = inject('backends');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${options.empty === true ? 'template0' : templateDatabase}`);
  const url = Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;
  const database = await openDatabase({ url, log: createLog('silent'), poolSize: 5 });
  return {
    url,
    database,
    drop: async () => {
      await database.close();
      await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(sql: string): Promise<void> {
  const client = new Client({ connectionString: inject('backends').databaseUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

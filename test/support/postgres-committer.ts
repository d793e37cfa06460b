import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { createLog } from '../../src/platform/log.js';

// A process of its own that runs a server on the folder at its first argument, commits row after row, and tells its
// parent of each that is safe.
const server = await startEmbeddedPostgres({ folder: process.argv[2] ?? '', log: createLog('silent') });
const client = new Client({ connectionString: server.url });
await client.connect();
await client.query('CREATE TABLE IF NOT EXISTS kept (id integer GENERATED ALWAYS AS IDENTITY, padding text)');
for (;;) {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO kept (padding) VALUES (repeat('x', 2000)) RETURNING id`,
  );
  process.send?.(rows[0]?.id);
}

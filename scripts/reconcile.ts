import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { migrations } from '../migrations/index.js';
import { readConfig } from '../src/config.js';
import { categoriesOf } from '../src/features.js';
import { systemClock } from '../src/platform/clock.js';
import { openDatabase } from '../src/platform/database.js';
import { joinBackends } from '../src/platform/embedded/backends.js';
import { createLog } from '../src/platform/log.js';
import { pendingMigrations } from '../src/platform/migrate.js';
import { openObjects } from '../src/platform/objects.js';
import { reconcile } from '../src/retention/reconcile.js';

/**
 * `npm run reconcile`: holds database and storage against each other, both ways. It changes nothing unless told to, and
 * works beside a running service as well as without one.
 */

const usage = `npm run reconcile -- [--repair]

Holds every row against every object, both ways, and prints a line for each thing that is wrong.
Exit code 0: all agree, or all was repaired. 1: something is wrong. 2: it could not be checked.

  --repair  deletes objects that no row knows (older than a day), puts tags right, and deletes once more what a restored
            backup brought back. Each repair stands in the audit trail. What would lose or lengthen something is only told.
`;

async function main(): Promise<number> {
  const { values: given } = parseArgs({
    options: { repair: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  const config = readConfig();
  if (config.databaseUrl === undefined && !existsSync(path.join(config.dataDir, 'postgres')))
    throw new Error(`There is no database: DATABASE_URL is not set, and DATA_DIR (${config.dataDir}) holds none`);
  // Logs go where they do not mix with the result.
  const log = createLog('error', process.stderr);
  const backends = await joinBackends({ ...config, clock: systemClock, log });
  try {
    const { endpoint, credentials, ...s3 } = backends.s3;
    const objects = await openObjects({
      ...s3, log, ...(endpoint === undefined ? {} : { endpoint }), ...(credentials === undefined ? {} : { credentials }),
    });
    const database = await openDatabase({ url: backends.databaseUrl, log, poolSize: 4 });
    try {
      if ((await pendingMigrations(database, migrations)).length > 0)
        throw new Error('The schema of the database is older than this program: npm run migrate');
      const { timeZone } = config;
      let left = 0;
      const counts = await reconcile({ clock: systemClock, database, objects, log }, categoriesOf({ clock: systemClock, database }, config), {
        repair: given.repair,
        timeZone,
        onFinding({ kind, category, itemId, key, repaired }) {
          if (!repaired) left += 1;
          process.stdout.write(`${repaired ? 'repaired ' : ''}${kind} ${category} ${itemId ?? '-'} ${key ?? ''}\n`);
        },
      });
      const told = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
      process.stdout.write(counts.size === 0 ? 'Database and storage agree.\n' : `Found: ${told}. Left: ${left}.\n`);
      return left === 0 ? 0 : 1;
    } finally {
      await database.close();
      objects.close();
    }
  } finally {
    await backends.close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`reconcile: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);

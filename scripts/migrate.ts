import { migrations } from '../migrations/index.js';
import { ConfigFault, readConfig } from '../src/config.js';
import { systemClock } from '../src/platform/clock.js';
import { openDatabase } from '../src/platform/database.js';
import { joinBackends } from '../src/platform/embedded/backends.js';
import { createLog } from '../src/platform/log.js';
import { migrate, pendingMigrations } from '../src/platform/migrate.js';

/** Brings the schema up to date, as every start does; for those who want it done before the new program starts. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog('warn');
  const backends = await joinBackends({ ...config, clock: systemClock, log });
  try {
    const database = await openDatabase({ url: backends.databaseUrl, log });
    try {
      const pending = await pendingMigrations(database, migrations);
      await migrate(database, migrations, log);
      process.stdout.write(pending.length === 0 ? 'The schema is up to date.\n' : `Applied: ${pending.join(', ')}\n`);
    } finally {
      await database.close();
    }
  } finally {
    await backends.close();
  }
}

main().catch((error: unknown) => {
  for (const line of error instanceof ConfigFault ? error.faults : [error instanceof Error ? error.message : String(error)])
    process.stderr.write(`opname: ${line}\n`);
  process.exitCode = 1;
});

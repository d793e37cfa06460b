import { migrations } from '../../migrations/index.js';
import { openDatabase } from '../../src/platform/database.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';

// A process of its own that migrates the database at its first argument, as every start of the service does.
const log = createLog('error');
const database = await openDatabase({ url: process.argv[2] ?? '', log });
await migrate(database, migrations, log);
await database.close();

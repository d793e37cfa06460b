import { createJobs } from '../../src/platform/jobs.js';
import { createLog } from '../../src/platform/log.js';

// A process of its own that runs a job which never ends, on the database at its first argument, and tells when it runs.
const jobs = createJobs({ url: process.argv[2] ?? '', log: createLog('error'), work: true });
jobs.define('forever', async () => {
  process.send?.('running');
  await new Promise(() => undefined);
}, { lockLifetimeMs: 2_000 });
await jobs.start();
jobs.nudge('forever');

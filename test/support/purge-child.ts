import { MovableClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database.js';
import { createLog } from '../../src/platform/log.js';
import { openObjects } from '../../src/platform/objects.js';
import { recordingCategory } from '../../src/recordings/purge.js';
import { runPurges } from '../../src/retention/sweep.js';

/** A process that sweeps and kills itself at a step of its first deletion: nothing of it is closed or finished. */
const told = JSON.parse(process.argv[2] ?? '{}') as {
  databaseUrl: string;
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };
  bucket: string;
  now: string;
  step: string;
};
const log = createLog('silent');
const clock = new MovableClock();
clock.set(told.now);
const database = await openDatabase({ url: told.databaseUrl, log });
const { endpoint, region, ...credentials } = told.s3;
const objects = await openObjects({ endpoint, region, bucket: told.bucket, credentials, forcePathStyle: true, log });
const context = {
  clock, database, objects, log, ruleDays: () => 90,
  step(step: string) {
    if (step === told.step) process.kill(process.pid, 'SIGKILL');
  },
};
await runPurges(context, [recordingCategory({ clock, database }, 'Europe/Amsterdam')]);
process.exit(0);

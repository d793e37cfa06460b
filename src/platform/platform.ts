import type { Clock } from './clock.js';
import type { Database } from './database.js';
import type { Jobs } from './jobs.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import type { Objects } from './objects.js';

/** What the features stand on. Each takes the parts it needs (`Pick<Platform, …>`). */
export interface Platform {
  clock: Clock;
  database: Database;
  jobs: Jobs;
  log: Log;
  metrics: Metrics;
  objects: Objects;
}

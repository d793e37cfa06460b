import { organisationOf } from '../access/organisation.js';
import { dropOldRefusedKeys } from '../access/refused-keys.js';
import type { Platform } from '../platform/platform.js';
import type { Category } from '../retention/category.js';
import { tellAlarms, watch, type AlarmSettings } from './alarms.js';
import { isSilent, missingRecordings, rhythms } from './completeness.js';
import { dropOldArrivals } from './arrivals.js';
import { forgetExclusions } from './excluded-numbers.js';
import { dropOldCounts } from './ingest-counts.js';
import { queueOf } from './ingest-routes.js';
import type { PullSettings } from './doors/threecx.js';
import { separateDeletedSides } from './legs.js';
import { pullAll } from './pull.js';
import { createDoor, type RecordingSettings } from './routes.js';

/** The jobs that look after what comes in, before `jobs.start`. Each finds its work by state. */
export function defineIngestJobs(
  platform: Platform,
  settings: RecordingSettings & { alarms: AlarmSettings; pulls: readonly PullSettings[]; timeZone: string },
  categories: readonly Category[],
): void {
  const { jobs } = platform;
  if (settings.pulls.length > 0) {
    const door = createDoor(platform, settings, categories);
    jobs.define('recordings.pull', (signal) => pullAll(platform, door, settings.pulls, settings.timeZone, signal), {
      lockLifetimeMs: 3 * 3_600_000,
    });
    jobs.every('recordings.pull', '1 minute');
  }
  jobs.define('recordings.watch', async (signal) => {
    await watch(platform, settings.alarms);
    await tellAlarms(platform, settings.alarms, signal);
  });
  jobs.every('recordings.watch', '5 minutes');
  jobs.define('recordings.separate-deleted-sides', () => separateDeletedSides(platform));
  jobs.every('recordings.separate-deleted-sides', '1 minute');
  jobs.define('recordings.drop-old-counts', async () => {
    await dropOldCounts(platform);
    await dropOldArrivals(platform);
    await dropOldRefusedKeys(platform, platform.clock.now());
  });
  jobs.every('recordings.drop-old-counts', '23 4 * * *');
  jobs.define('recordings.forget-exclusions', () => forgetExclusions(platform));
  jobs.every('recordings.forget-exclusions', '29 4 * * *');
  ingestMetrics(platform);
}

function ingestMetrics(platform: Platform): void {
  const { clock, database, metrics } = platform;
  metrics.gauge('opname_ingest_silent_sources', 'PBXs from which nothing comes although it should by their rhythm', [], async (gauge) => {
    gauge.set((await rhythms(database, clock.now())).filter(isSilent).length);
  });
  metrics.gauge('opname_ingest_missing_recordings', 'Answered calls of the last week without a recording', [], async (gauge) => {
    const { ownNumbers } = await organisationOf(database);
    gauge.set((await missingRecordings(database, clock.now(), ownNumbers)).length);
  });
  metrics.gauge('opname_processing_waiting', 'Recordings whose playback copy is not made yet', [], async (gauge) => {
    gauge.set((await queueOf(platform)).waiting);
  });
  metrics.gauge('opname_processing_lag_seconds', 'How long the oldest of them has been waiting', [], async (gauge) => {
    const { oldestAt } = await queueOf(platform);
    gauge.set(oldestAt === null ? 0 : Math.max(0, (clock.now().getTime() - Date.parse(oldestAt)) / 1000));
  });
}

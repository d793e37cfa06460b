import type { Platform } from '../platform/platform.js';
import { forgetDisclosures } from './package.js';
import { prepareSealing, sealOrdered, sealPackagesJob, type Sealing } from './seal.js';

/**
 * Seals what was ordered, and forgets disclosures past their period. To be awaited before `jobs.start`. `alone`: no other
 * process works on this database.
 */
export async function definePackageJobs(platform: Platform, sealing: Sealing, { alone }: { alone: boolean }): Promise<void> {
  const { database, jobs, metrics } = platform;
  await prepareSealing(platform, sealing.folder, { alone });
  jobs.define(sealPackagesJob, async (signal, touch) => void (await sealOrdered(sealing, signal, touch)));
  jobs.every(sealPackagesJob, '30 seconds');
  jobs.define('packages.forget-disclosures', async () => void (await forgetDisclosures(platform, sealing.timeZone)));
  jobs.every('packages.forget-disclosures', '23 3 * * *');
  metrics.gauge('opname_packages_waiting', 'Packages that wait to be sealed', [], async (gauge) => {
    const [row] = await database.query<{ count: number }>(`SELECT count(*) AS count FROM packages WHERE state = 'sealing'`);
    gauge.set(row?.count ?? 0);
  });
}

import type { Platform } from '../platform/platform.js';
import { prepareUploads } from '../recordings/upload.js';
import { forgetDeliveries } from './doors/webhook.js';
import { fetchAttachments, fetchJob } from './fetch.js';
import { ticketFolder } from './routes.js';
import { scanJob, scanPending } from './scan.js';
import { renewWords } from './search-words.js';
import type { TicketSettings } from './settings.js';
import { finishStalePieces } from './store.js';

const settleJob = 'tickets.settle';
const wordsJob = 'tickets.words';

/** Declares the work on tickets that happens by itself. Before `jobs.start()`. */
export function defineTicketJobs(platform: Platform, settings: TicketSettings): void {
  const { jobs } = platform;
  const folder = ticketFolder(settings.dataDir);
  const { scanner } = settings;

  jobs.define(settleJob, async (signal) => {
    await finishStalePieces(platform, signal);
    await forgetDeliveries(platform);
  });
  jobs.every(settleJob, '10 minutes');

  jobs.define(wordsJob, () => renewWords(platform.database), { lockLifetimeMs: 30 * 60_000 });
  jobs.every(wordsJob, '40 3 * * *');

  jobs.define(fetchJob, async (signal) => {
    const rules = { timeZone: settings.timeZone, scanned: scanner !== undefined };
    await fetchAttachments(platform, { ...settings, ...rules, folder }, signal);
  });
  jobs.every(fetchJob, '1 minute');

  if (scanner !== undefined) {
    jobs.define(scanJob, async (signal) => {
      await scanPending(platform, scanner, folder, signal);
    });
    jobs.every(scanJob, '1 minute');
  }
}

/** Makes the folder for temporary files and clears what a process that died left in it. At every start. */
export const prepareTickets = (settings: Pick<TicketSettings, 'dataDir'>): Promise<void> => prepareUploads(ticketFolder(settings.dataDir));

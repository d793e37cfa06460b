import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { answersFolder } from './bundle.js';
import { carryOutDecisions, carryOutJob } from './carry-out.js';
import { applyStandingObjections, objectionsJob } from './objections.js';
import { privacyMetrics } from './queue.js';
import { mailReminders, remind, reminderJob } from './remind.js';
import type { PrivacyContext } from './request.js';

/** What goes on without anybody asking: objections over what comes in, decisions still to carry out, reminders. */
export function definePrivacyJobs(context: PrivacyContext): void {
  const { jobs } = context.platform;
  jobs.define(objectionsJob, async () => void (await applyStandingObjections(context.platform)));
  jobs.every(objectionsJob, '30 seconds');
  jobs.define(carryOutJob, async () => void (await carryOutDecisions(context, null)));
  jobs.every(carryOutJob, '5 minutes');
  jobs.define(reminderJob, async () => {
    await remind(context);
    await mailReminders(context);
    await clearAnswers(context);
  });
  jobs.every(reminderJob, '15 minutes');
  privacyMetrics(context.platform);
}

const leftBehindMs = 86_400_000;

/** Removes what a process that died while it made an answer left behind; one being made is never a day old. */
async function clearAnswers({ platform: { clock }, settings }: PrivacyContext): Promise<void> {
  const folder = answersFolder(settings.dataDir);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const { mtimeMs } = await stat(path.join(folder, name));
    if (mtimeMs < clock.now().getTime() - leftBehindMs) await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

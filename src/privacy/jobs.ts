import { clearAnswers } from './answers-folder.js';
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
    await clearAnswers(context.settings.dataDir);
  });
  jobs.every(reminderJob, '15 minutes');
  privacyMetrics(context.platform);
}

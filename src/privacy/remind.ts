import { createTransport } from 'nodemailer';
import { keptFrom } from './employee.js';
import { daysLeft } from './clock.js';
import { isAnsweredSql, record, referenceOf, type PrivacyContext, type RequestRow } from './request.js';
import { dateIn } from './words.js';

/**
 * Reminders: a week before an answer is due, two days before, and when it is overdue; each once for a due date, on the
 * timeline, in the log, and by mail to every officer who may handle it. While the clock stands still nobody is hurried. A
 * mail names the reference and the date, and nobody.
 */
export const reminderJob = 'privacy.reminders';

const stepsBeforeMs = [7 * 86_400_000, 2 * 86_400_000, 0];
const mostAttempts = 12;

/** Puts reminders on the timelines of requests whose date comes near, and notes whom to mail. @returns how many */
export async function remind({ platform, settings }: Pick<PrivacyContext, 'platform' | 'settings'>): Promise<number> {
  const { clock, database, log } = platform;
  const now = clock.now();
  return await database.inTransaction(async (tx) => {
    const due = await database.query<RequestRow & { step: number }>(
      `UPDATE privacy_requests q SET reminded = d.step
       FROM (SELECT id, (SELECT count(*) FROM unnest($1::timestamptz[]) AS until (at) WHERE due_at < until.at)::int AS step
             FROM privacy_requests q WHERE closed_at IS NULL AND NOT ${isAnsweredSql} AND due_at < $2) d
       WHERE q.id = d.id AND q.reminded < d.step
         AND NOT EXISTS (SELECT FROM privacy_pauses p WHERE p.request_id = q.id AND p.resumed_at IS NULL)
       RETURNING q.*, d.step`,
      [stepsBeforeMs.map((ms) => new Date(now.getTime() + ms)), new Date(now.getTime() + Math.max(...stepsBeforeMs))],
      tx,
    );
    for (const { step, ...request } of due) {
      const isOverdue = step === stepsBeforeMs.length;
      const dueAt = request.due_at.toISOString();
      await record(platform, tx, 'system', request, isOverdue ? 'overdue' : 'reminded', { dueAt });
      log.warn({ requestId: request.id, dueAt }, isOverdue ? 'a privacy request is overdue' : 'a privacy request is due soon');
      if (settings.alarms.mail === undefined) continue;
      await database.query(
        `INSERT INTO privacy_reminders (request_id, step, officer_id, due_at, next_attempt_at)
         SELECT q.id, $2, u.id, q.due_at, $3 FROM privacy_requests q, users u
         WHERE q.id = $1 AND u.role = 'privacy_officer' AND u.disabled_at IS NULL AND NOT ${keptFrom('u.id')}
         ON CONFLICT (request_id, step, officer_id) DO UPDATE
           SET due_at = excluded.due_at, attempts = 0, next_attempt_at = excluded.next_attempt_at, sent_at = NULL`,
        [request.id, step, now],
        tx,
      );
    }
    return due.length;
  });
}

interface Reminder {
  requestId: string;
  step: number;
  officerId: string;
  dueAt: Date;
  attempts: number;
  email: string;
  locale: 'nl' | 'en';
  year: number;
  number: number;
}

/**
 * Mails what waits. A reminder is claimed by moving its next attempt ahead, so that no two processes send it; one whose
 * process died after sending comes twice, with the same message id.
 */
export async function mailReminders({ platform, settings }: Pick<PrivacyContext, 'platform' | 'settings'>): Promise<void> {
  const { clock, database, log } = platform;
  const { mail } = settings.alarms;
  if (mail === undefined) return;
  const transport = createTransport(mail.smtpUrl);
  try {
    for (;;) {
      const [reminder] = await database.query<Reminder>(
        `UPDATE privacy_reminders r SET attempts = r.attempts + 1,
           next_attempt_at = $1::timestamptz + least(2 ^ r.attempts, 60) * interval '1 minute'
         FROM users u, privacy_requests q
         WHERE u.id = r.officer_id AND q.id = r.request_id AND (r.request_id, r.step, r.officer_id) = (
           SELECT request_id, step, officer_id FROM privacy_reminders WHERE sent_at IS NULL AND next_attempt_at <= $1 AND attempts < $2
           ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING r.request_id AS "requestId", r.step, r.officer_id AS "officerId", r.due_at AS "dueAt", r.attempts, u.email, u.locale,
           q.year, q.number`,
        [clock.now(), mostAttempts],
      );
      if (reminder === undefined) return;
      try {
        await transport.sendMail({
          from: mail.from, to: reminder.email,
          messageId: `<${reminder.requestId}-${reminder.step}-${reminder.dueAt.getTime()}-${reminder.officerId}@opname>`,
          ...wording(reminder, clock.now(), settings),
        });
        await database.query(
          'UPDATE privacy_reminders SET sent_at = $4 WHERE request_id = $1 AND step = $2 AND officer_id = $3',
          [reminder.requestId, reminder.step, reminder.officerId, clock.now()],
        );
      } catch (error) {
        log.warn({ requestId: reminder.requestId, attempts: reminder.attempts, error: error instanceof Error ? error.name : 'Error' }, 'reminder not sent yet');
      }
    }
  } finally {
    transport.close();
  }
}

/** What a mail says: which request, until when. */
function wording(
  { locale, dueAt, requestId, ...named }: Reminder,
  now: Date,
  { timeZone, publicUrl }: PrivacyContext['settings'],
): { subject: string; text: string } {
  const reference = referenceOf(named);
  const days = daysLeft(dueAt, now, timeZone);
  const date = dateIn(dueAt, locale, timeZone);
  const link = publicUrl === undefined ? '' : `\n\n${publicUrl}/privacy/${requestId}`;
  if (days < 0)
    return locale === 'nl'
      ? { subject: `${reference} is te laat`, text: `Het antwoord op privacyverzoek ${reference} had op ${date} klaar moeten zijn.${link}\n` }
      : { subject: `${reference} is overdue`, text: `The answer to privacy request ${reference} was due on ${date}.${link}\n` };
  const left = { nl: days === 0 ? 'vandaag' : days === 1 ? 'nog 1 dag' : `nog ${days} dagen`, en: days === 0 ? 'today' : days === 1 ? '1 day left' : `${days} days left` };
  return locale === 'nl'
    ? { subject: `${reference}: ${left.nl}`, text: `Het antwoord op privacyverzoek ${reference} moet uiterlijk op ${date} klaar zijn (${left.nl}).${link}\n` }
    : { subject: `${reference}: ${left.en}`, text: `The answer to privacy request ${reference} is due on ${date} (${left.en}).${link}\n` };
}

import { createTransport } from 'nodemailer';
import type { Transaction } from 'sequelize';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { callWebhook, type Webhook } from '../platform/webhook.js';
import { tellable } from './list-holds.js';

/**
 * Reminders of holds: the day before a second person must have confirmed one and when nobody has; a week before one is
 * reviewed and on the day. Each once for a date. What was noted in one turn is told in one message: by mail to every officer
 * who may know of it, and to the webhook. A message counts, links to the list, and names nobody and nothing.
 *
 * What a request placed is reviewed with the request, which has reminders of its own, and what ends by itself needs no
 * review. A secret hold is told to its owner alone, and is confirmed with the answer of its order.
 */
export const holdReminderJob = 'retention.remind';

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
const mostAttempts = 12;
const toldDays = 30;

export interface ReminderSettings {
  webhook: Webhook | undefined;
  mail: { smtpUrl: string; from: string } | undefined;
  publicUrl: string | undefined;
}

/** How many lines of the list ask for what. */
interface Counts {
  confirm: number;
  confirmLate: number;
  reviewSoon: number;
  review: number;
}

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

/** Notes what somebody must be reminded of, and whom to tell. @returns how many holds there was something new of */
export async function remindOfHolds({ clock, database, log }: Base, settings: ReminderSettings): Promise<number> {
  const now = clock.now();
  return await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, 'retention.remind', 'exclusive');
    const noted = await database.query<{ holdId: string }>(
      `WITH open AS (SELECT * FROM holds WHERE released_at IS NULL AND (ends_at IS NULL OR ends_at > $1)),
       asked AS (
         SELECT id, CASE WHEN confirm_by <= $1 THEN 'confirm_late' ELSE 'confirm' END AS step, confirm_by AS due
         FROM open WHERE confirmed_at IS NULL AND NOT secret AND confirm_by <= $2
         UNION ALL
         SELECT id, CASE WHEN review_at <= $1 THEN 'review' ELSE 'review_soon' END, review_at
         FROM open WHERE review_at <= $3 AND ends_at IS NULL AND (request_id IS NULL OR ground = 'restriction')
           AND (review_at <= $1 OR placed_at <= review_at - interval '8 days'))
       INSERT INTO hold_reminders (hold_id, step, due_at, reminded_at) SELECT id, step, due, $1 FROM asked
       ON CONFLICT DO NOTHING RETURNING hold_id AS "holdId"`,
      [now, new Date(now.getTime() + dayMs), new Date(now.getTime() + weekMs)],
      tx,
    );
    if (noted.length === 0) return 0;
    const ids = [...new Set(noted.map(({ holdId }) => holdId))];
    const everyone = await count(database, tx, ids, null, now);
    log.warn({ ...everyone }, 'holds ask for somebody');
    const tell = (way: 'webhook' | 'mail', officerId: string | null, counts: Counts) =>
      database.query(
        `INSERT INTO hold_notices (id, way, officer_id, counts, made_at, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $5)`,
        [newId(clock), way, officerId, JSON.stringify(counts), now],
        tx,
      );
    if (settings.webhook !== undefined && isAnything(everyone)) await tell('webhook', null, everyone);
    if (settings.mail !== undefined)
      for (const { id } of await database.query<{ id: string }>(
        `SELECT id FROM users WHERE role = 'privacy_officer' AND disabled_at IS NULL ORDER BY id`, [], tx,
      )) {
        const counts = await count(database, tx, ids, id, now);
        if (isAnything(counts)) await tell('mail', id, counts);
      }
    await database.query('DELETE FROM hold_notices WHERE made_at < $1', [new Date(now.getTime() - toldDays * dayMs)], tx);
    return noted.length;
  });
}

const isAnything = (counts: Counts): boolean => Object.values(counts).some((each) => each > 0);

/** What was noted in this turn, as lines of the list, as far as the reader may know of them. */
async function count(database: Base['database'], tx: Transaction, ids: readonly string[], readerId: string | null, now: Date): Promise<Counts> {
  const lines = (step: string) =>
    `count(DISTINCT coalesce(request_id, act_id, id)) FILTER (WHERE EXISTS (SELECT FROM hold_reminders m
       WHERE m.hold_id = holds.id AND m.step = '${step}' AND m.reminded_at = $3))`;
  const [row] = await database.query<Counts>(
    `SELECT ${lines('confirm')} AS confirm, ${lines('confirm_late')} AS "confirmLate", ${lines('review_soon')} AS "reviewSoon",
       ${lines('review')} AS review
     FROM holds WHERE id = ANY($1::uuid[]) AND ${tellable('false', '$2::uuid')}`,
    [ids, readerId, now],
    tx,
  );
  return row ?? { confirm: 0, confirmLate: 0, reviewSoon: 0, review: 0 };
}

interface Notice {
  id: string;
  way: 'webhook' | 'mail';
  counts: Counts;
  attempts: number;
  email: string | null;
  locale: 'nl' | 'en' | null;
}

/**
 * Tells what waits to be told. A notice is claimed by moving its next attempt ahead, so that no two processes tell it; one
 * whose process died after telling comes twice, with the same id.
 */
export async function tellOfHolds({ clock, database, log }: Base, settings: ReminderSettings, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true) {
    const now = clock.now();
    const [notice] = await database.query<Notice>(
      `UPDATE hold_notices n SET attempts = n.attempts + 1, next_attempt_at = $2::timestamptz + least(2 ^ n.attempts, 60) * interval '1 minute'
       WHERE n.id = (SELECT id FROM hold_notices WHERE told_at IS NULL AND next_attempt_at <= $2 AND attempts < $1
         ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING n.id, n.way, n.counts, n.attempts, (SELECT u.email FROM users u WHERE u.id = n.officer_id) AS email,
         (SELECT u.locale FROM users u WHERE u.id = n.officer_id) AS locale`,
      [mostAttempts, now],
    );
    if (notice === undefined) return;
    try {
      if (notice.way === 'mail') await mail(settings, notice);
      else if (settings.webhook !== undefined)
        await callWebhook(settings.webhook, { id: notice.id, type: 'retention.holds.due', data: notice.counts }, now);
      await database.query('UPDATE hold_notices SET told_at = $2 WHERE id = $1', [notice.id, clock.now()]);
    } catch (error) {
      log.warn({ way: notice.way, attempts: notice.attempts, error: error instanceof Error ? error.name : 'Error' }, 'holds not told of yet');
    }
  }
}

async function mail({ mail: by, publicUrl }: ReminderSettings, { id, counts, email, locale }: Notice): Promise<void> {
  if (by === undefined || email === null) return;
  const transport = createTransport(by.smtpUrl);
  try {
    const { subject, lines } = words[locale ?? 'nl'];
    const told = (['confirmLate', 'confirm', 'review', 'reviewSoon'] as const).filter((each) => counts[each] > 0);
    const link = publicUrl === undefined ? '' : `\n\n${publicUrl.replace(/\/$/, '')}/holds`;
    await transport.sendMail({
      from: by.from, to: email, messageId: `<${id}@opname>`, subject,
      text: `${told.map((each) => `${lines[each]}: ${counts[each]}`).join('\n')}${link}\n`,
    });
  } finally {
    transport.close();
  }
}

const words: Record<'nl' | 'en', { subject: string; lines: Record<keyof Counts, string> }> = {
  nl: {
    subject: 'Opname: bewaarblokkeringen vragen aandacht',
    lines: {
      confirm: 'Binnen een dag te bevestigen door een tweede persoon',
      confirmLate: 'Niet op tijd bevestigd door een tweede persoon',
      reviewSoon: 'Binnen een week te herbeoordelen',
      review: 'Nu te herbeoordelen',
    },
  },
  en: {
    subject: 'Opname: holds need attention',
    lines: {
      confirm: 'To be confirmed by a second person within a day',
      confirmLate: 'Not confirmed by a second person in time',
      reviewSoon: 'To be reviewed within a week',
      review: 'To be reviewed now',
    },
  },
};

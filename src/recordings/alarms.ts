import { createTransport } from 'nodemailer';
import { organisationOf } from '../access/organisation.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { callWebhook, type Webhook } from '../platform/webhook.js';
import { expectedSince, isSilent, missingRecordings, refusedLately, rhythms } from './completeness.js';

/**
 * Alarms about what does not come in. One is raised once and cleared once; each is told by every way that is set, and a
 * way that fails is tried again. What is told names the source and a count, and no one who called.
 */

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

export type AlarmKind = 'silent' | 'recordings_missing' | 'refused';

export interface AlarmSettings {
  /** Asked with a signed POST (Standard Webhooks). */
  webhook: Webhook | undefined;
  mail: { smtpUrl: string; from: string; to: string } | undefined;
}

export interface Alarm {
  id: string;
  sourceId: string;
  kind: AlarmKind;
  count: number;
  raisedAt: Date;
}

/** A single call whose recording is late is nobody's alarm. */
const missingEnough = 3;
/** Nor is one file that is none. */
const refusedEnough = 3;
const mostAttempts = 12;

export async function standingAlarms(database: Database): Promise<Alarm[]> {
  return await database.query<Alarm>(
    `SELECT id, source_id AS "sourceId", kind, count, raised_at AS "raisedAt" FROM ingest_alarms
     WHERE cleared_at IS NULL ORDER BY raised_at DESC`,
  );
}

/** What should be standing now. On a holiday of the organisation no silence is strange. */
async function findAlarms({ clock, database }: Base): Promise<{ sourceId: string; kind: AlarmKind; count: number }[]> {
  const now = clock.now();
  const { ownNumbers, holidays } = await organisationOf(database);
  const missing = new Map<string, number>();
  for (const { sourceId } of await missingRecordings(database, now, ownNumbers)) missing.set(sourceId, (missing.get(sourceId) ?? 0) + 1);
  const refused = (await refusedLately(database, now)).filter(({ count }) => count >= refusedEnough);
  const today = now.toISOString().slice(0, 10);
  const silent = holidays.includes(today) ? [] : (await rhythms(database, now)).filter(isSilent);
  return [
    ...silent.map((rhythm) => ({ sourceId: rhythm.sourceId, kind: 'silent' as const, count: Math.round(expectedSince(rhythm) ?? 0) })),
    ...[...missing].filter(([, count]) => count >= missingEnough).map(([sourceId, count]) => ({ sourceId, kind: 'recordings_missing' as const, count })),
    ...refused.map(({ sourceId, count }) => ({ sourceId, kind: 'refused' as const, count })),
  ];
}

/** Raises what is new, clears what is over, and notes what has to be told. Safe to run twice and in several processes. */
export async function watch(platform: Base, settings: AlarmSettings): Promise<void> {
  const { clock, database } = platform;
  const found = await findAlarms(platform);
  const ways = [...(settings.webhook === undefined ? [] : ['webhook']), ...(settings.mail === undefined ? [] : ['mail'])];
  await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, 'recordings.alarms', 'exclusive');
    const now = clock.now();
    const standing = await database.query<Alarm>(
      `SELECT id, source_id AS "sourceId", kind, count FROM ingest_alarms WHERE cleared_at IS NULL`, [], tx,
    );
    const note = (id: string, event: 'raised' | 'cleared') =>
      database.query(
        `INSERT INTO ingest_notices (alarm_id, event, way, next_attempt_at) SELECT $1, $2, way, $3 FROM unnest($4::text[]) AS way`,
        [id, event, now, ways],
        tx,
      );
    for (const alarm of found) {
      const same = standing.find((each) => each.sourceId === alarm.sourceId && each.kind === alarm.kind);
      if (same === undefined) {
        const id = newId(clock);
        await database.query(
          'INSERT INTO ingest_alarms (id, source_id, kind, count, raised_at) VALUES ($1, $2, $3, $4, $5)',
          [id, alarm.sourceId, alarm.kind, alarm.count, now],
          tx,
        );
        await note(id, 'raised');
      } else if (same.count !== alarm.count) {
        await database.query('UPDATE ingest_alarms SET count = $2 WHERE id = $1', [same.id, alarm.count], tx);
      }
    }
    for (const alarm of standing.filter((each) => !found.some(({ sourceId, kind }) => sourceId === each.sourceId && kind === each.kind))) {
      await database.query('UPDATE ingest_alarms SET cleared_at = $2 WHERE id = $1', [alarm.id, now], tx);
      await note(alarm.id, 'cleared');
    }
  });
}

interface Notice {
  id: string;
  event: 'raised' | 'cleared';
  way: 'webhook' | 'mail';
  attempts: number;
  kind: Alarm['kind'];
  count: number;
  raisedAt: Date;
  clearedAt: Date | null;
  sourceId: string;
  source: string;
}

/** Tells what waits to be told. A notice is claimed by moving its next attempt ahead, so that no two processes tell it. */
export async function tellAlarms(platform: Base, settings: AlarmSettings, signal?: AbortSignal): Promise<void> {
  const { clock, database, log } = platform;
  while (signal?.aborted !== true) {
    const now = clock.now();
    const [notice] = await database.query<Notice>(
      `UPDATE ingest_notices n SET attempts = n.attempts + 1, next_attempt_at = $2::timestamptz + least(2 ^ n.attempts, 60) * interval '1 minute'
       FROM ingest_alarms a JOIN sources s ON s.id = a.source_id
       WHERE a.id = n.alarm_id AND (n.alarm_id, n.event, n.way) = (
         SELECT alarm_id, event, way FROM ingest_notices WHERE told_at IS NULL AND next_attempt_at <= $2 AND attempts < $1
         ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING n.alarm_id AS id, n.event, n.way, n.attempts, a.kind, a.count, a.raised_at AS "raisedAt",
         a.cleared_at AS "clearedAt", s.id AS "sourceId", s.name AS source`,
      [mostAttempts, now],
    );
    if (notice === undefined) return;
    try {
      if (notice.way === 'webhook') await tellWebhook(settings.webhook, notice, now);
      else await sendMail(settings.mail, notice);
      await database.query('UPDATE ingest_notices SET told_at = $4 WHERE alarm_id = $1 AND event = $2 AND way = $3', [
        notice.id, notice.event, notice.way, clock.now(),
      ]);
    } catch (error) {
      log.warn({ way: notice.way, attempts: notice.attempts, kind: notice.kind, error: error instanceof Error ? error.name : 'Error' }, 'alarm not told yet');
    }
  }
}

async function tellWebhook(webhook: AlarmSettings['webhook'], notice: Notice, now: Date): Promise<void> {
  if (webhook === undefined) return;
  const { kind, event, count, sourceId, source, raisedAt, clearedAt } = notice;
  const data = { sourceId, source, kind, event, count, raisedAt: raisedAt.toISOString(), clearedAt: clearedAt?.toISOString() ?? null };
  await callWebhook(webhook, { id: `${notice.id}-${event}`, type: `ingest.${kind}.${event}`, data }, now);
}

const words: Record<Alarm['kind'], (notice: Notice) => string> = {
  silent: ({ source }) => `Er komen geen opnamen meer van ${source}, terwijl dat op dit moment van de week wel gebruikelijk is.\nNo recordings come from ${source} any more, although at this time of the week they usually do.`,
  recordings_missing: ({ source, count }) => `Van ${count} beantwoorde gesprekken van ${source} is geen opname ontvangen.\nOf ${count} answered calls of ${source} no recording came.`,
  refused: ({ source, count }) => `${count} opnamen van ${source} zijn geweigerd.\n${count} recordings of ${source} were refused.`,
};

async function sendMail(mail: AlarmSettings['mail'], notice: Notice): Promise<void> {
  if (mail === undefined) return;
  const transport = createTransport(mail.smtpUrl);
  try {
    const isOver = notice.event === 'cleared';
    await transport.sendMail({
      from: mail.from,
      to: mail.to,
      messageId: `<${notice.id}-${notice.event}@opname>`,
      subject: `Opname: ${isOver ? 'voorbij · over: ' : ''}${notice.source}`,
      text: `${isOver ? 'Voorbij · Over:\n\n' : ''}${words[notice.kind](notice)}\n`,
    });
  } finally {
    transport.close();
  }
}

import { offsetMs } from '../platform/date-format.js';
import type { Period } from './category.js';

/**
 * How long things are kept: pure, from facts to an instant. The periods in force are rows (`policies.ts`) that start as
 * the privacy statement has them; the one in force is frozen on an item when it comes in (`retainUntil`), and nothing
 * later lengthens it.
 */

const dayMs = 86_400_000;

/** What has a period of its own. */
export const policyNames = [
  'recording',
  'support',
  'contact_form',
  'call_data',
  'evaluation',
  'package',
  'privacy_request',
  'audit',
  'tombstone',
] as const;
export type PolicyName = (typeof policyNames)[number];

/** What a period is counted from. */
export type CountedFrom = 'end_of_call' | 'supplied' | 'made' | 'sealed' | 'closed' | 'purged';

/** The defaults: what the privacy statement and the accountability rules promise. The same rows seed the database. */
export const promised: Record<PolicyName, Period & { countedFrom: CountedFrom }> = {
  recording: { amount: 90, unit: 'days', countedFrom: 'end_of_call' },
  support: { amount: 3, unit: 'calendar_years', countedFrom: 'supplied' },
  contact_form: { amount: 1, unit: 'calendar_years', countedFrom: 'supplied' },
  call_data: { amount: 7, unit: 'days', countedFrom: 'end_of_call' },
  evaluation: { amount: 1, unit: 'calendar_years', countedFrom: 'made' },
  package: { amount: 30, unit: 'days', countedFrom: 'sealed' },
  privacy_request: { amount: 2, unit: 'calendar_years', countedFrom: 'closed' },
  audit: { amount: 3, unit: 'calendar_years', countedFrom: 'made' },
  tombstone: { amount: 5, unit: 'calendar_years', countedFrom: 'purged' },
};

export const recordingPolicy: Period = promised.recording;

/**
 * When a call ended: a plausible `endedAt`, else its start plus the audio's duration; never later than receipt, so that a
 * PBX whose clock is wrong cannot lengthen the period.
 */
export function endOfCall(facts: {
  startedAt: Date;
  endedAt: Date | null;
  durationMs: number;
  receivedAt: Date;
}): Date {
  const start = facts.startedAt.getTime();
  const plausible = facts.endedAt !== null && facts.endedAt.getTime() >= start && facts.endedAt.getTime() - start <= dayMs;
  const end = plausible && facts.endedAt !== null ? facts.endedAt.getTime() : start + Math.max(0, facts.durationMs);
  return new Date(Math.min(end, facts.receivedAt.getTime()));
}

/** The instant from which a recording is no longer kept: so many times 24 h after the end of the call. */
export function recordingRetainUntil(end: Date, period: Period = recordingPolicy, timeZone = 'Europe/Amsterdam'): Date {
  return endOfPeriod(end, period, timeZone);
}

/**
 * The end of `period` from `start`. A day is 24 h, whatever the clocks do. A calendar year ends on the same date at the
 * same time of day in `timeZone`, or on the last day of that month where the date does not exist (29 February; Reg.
 * 1182/71 art. 3(2)). Of a time that occurs twice the first is taken, so that a doubt never lengthens.
 */
export function endOfPeriod(start: Date, period: Period, timeZone: string): Date {
  if (period.unit === 'days') return new Date(start.getTime() + period.amount * dayMs);
  const wall = new Date(start.getTime() + offsetMs(start.getTime(), timeZone));
  const day = wall.getUTCDate();
  const target = new Date(wall);
  target.setUTCFullYear(wall.getUTCFullYear() + period.amount, wall.getUTCMonth(), 1);
  const lastDay = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0)).getUTCDate();
  target.setUTCDate(Math.min(day, lastDay));
  return new Date(instantOf(target.getTime(), timeZone));
}

/**
 * The date after a call turned out to have ended at another time: earlier when it ended earlier, never later. Holds
 * whatever policy the date was frozen with.
 */
export function broughtForward(retainUntil: Date, endBefore: Date, endNow: Date): Date {
  return new Date(retainUntil.getTime() - Math.max(0, endBefore.getTime() - endNow.getTime()));
}

/** The latest start from which `period` has surely ended at `end`: what is older than this has had its time. */
export function startOfPeriod(end: Date, period: Period): Date {
  return new Date(end.getTime() - lifecycleDays(period) * dayMs);
}

/** The first instant at which clocks in `timeZone` show `wallMs`; the earlier reading of an hour that is skipped. */
export function instantOf(wallMs: number, timeZone: string): number {
  const offsets = [offsetMs(wallMs - dayMs, timeZone), offsetMs(wallMs + dayMs, timeZone)];
  const exact = offsets
    .map((offset) => wallMs - offset)
    .filter((instant) => instant + offsetMs(instant, timeZone) === wallMs);
  return exact.length > 0 ? Math.min(...exact) : wallMs - Math.max(...offsets);
}

/**
 * The latest that a bucket rule counting whole days from upload may wait so as never to come before `period` ends: what
 * `Expiration.Days` is set to. A calendar year may have a leap day in it, three of them one at most, and so on.
 */
export function lifecycleDays(period: Period): number {
  return period.unit === 'days' ? period.amount : period.amount * 365 + Math.ceil(period.amount / 4);
}

/** SQL: the latest end from `startSql` under any period that the policy (SQL for its name) ever had. */
export function latestEndSql(startSql: string, policySql: string, timeZone: string): string {
  const zone = `'${timeZone.replaceAll("'", '')}'`;
  return `(SELECT max(CASE q.unit WHEN 'days' THEN ${startSql} + q.amount * interval '24 hours'
      ELSE (${startSql} AT TIME ZONE ${zone} + q.amount * interval '1 year') AT TIME ZONE ${zone} END)
    FROM retention_policies q WHERE q.category = ${policySql})`;
}

/**
 * `endOfPeriod` as SQL over a timestamptz expression, to the second. An interval of days would follow the session's summer
 * time, and of an hour that comes twice, or never, PostgreSQL would take the later reading: both readings are made, by
 * the clock of the day before and of the day after, and the first that clocks do show is taken, else the earlier one.
 */
export function endOfPeriodSql(startSql: string, period: Period, timeZone: string): string {
  if (period.unit === 'days') return `(${startSql} + ${period.amount} * interval '24 hours')`;
  const zone = `'${timeZone.replaceAll("'", '')}'`;
  return `(SELECT CASE WHEN early AT TIME ZONE ${zone} <> wall AND late AT TIME ZONE ${zone} = wall THEN late ELSE early END
    FROM (SELECT wall, least(before, after) AS early, greatest(before, after) AS late
      FROM (SELECT wall, (wall - interval '1 day') AT TIME ZONE ${zone} + interval '24 hours' AS before,
          (wall + interval '1 day') AT TIME ZONE ${zone} - interval '24 hours' AS after
        FROM (SELECT ${startSql} AT TIME ZONE ${zone} + ${period.amount} * interval '1 year' AS wall) told) read) readings)`;
}

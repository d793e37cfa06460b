import type { Person } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { daysLeft, dueDates } from './clock.js';
import type { PresentedRequest } from './file-schema.js';
import { decisionsOf, itemsOf, undecided } from './items.js';
import { originOf } from './flag.js';
import { revisionOf } from './letters.js';
import { possibleDuplicates } from './intake.js';
import { iso, presentItem, presentProcess } from './present-item.js';
import { calendarOf, findRequest, pausesOf, processesOf, referenceOf, subjectOf, type PrivacyContext } from './request.js';

/** A request as the API shows it: the officer sees all of it, the auditor everything but who it is about. */

/** When the first of what was found for a request goes, holds of five days left aside. SQL over `q`. */
export const nextExpiry = `(SELECT min(coalesce(r.retain_until, t.retain_until)) FROM privacy_items i
  LEFT JOIN recordings r ON i.kind = 'recording' AND r.id = i.item_id
  LEFT JOIN tickets t ON i.kind = 'ticket' AND t.id = i.item_id
  WHERE i.request_id = q.id AND i.confirmed IS NOT FALSE AND q.closed_at IS NULL)`;

export const urgentMs = 7 * 86_400_000;

/** The whole file of a request. @throws Problem `not-found` */
export async function presentRequest(context: PrivacyContext, person: Person, id: string): Promise<PresentedRequest> {
  const { platform, settings } = context;
  const { clock, database } = platform;
  const now = clock.now();
  const named = viewOf(person.role).names;
  const request = await findRequest(database, id);
  const [subject, processes, pauses, calendar, items, decisions, duplicates] = [
    await subjectOf(database, id), await processesOf(database, id), await pausesOf(database, id),
    await calendarOf(database, settings.timeZone), await itemsOf(database, id, now), await decisionsOf(database, id),
    request.closed_at === null ? await possibleDuplicates(context, id) : [],
  ];
  const checks = await database.query<{ method: string; outcome: 'verified' | 'doubt'; doubt: string | null; at: Date; by: string }>(
    `SELECT method, outcome, doubt, checked_at AS at, checked_by AS by FROM privacy_identity_checks
     WHERE request_id = $1 ORDER BY checked_at, id`,
    [id],
  );
  const searches = await database.query<{
    id: string; at: Date; by: string; criteria: Record<string, unknown>; recordings: number; tickets: number;
  }>(
    `SELECT id, searched_at AS at, searched_by AS by, criteria, recordings, tickets FROM privacy_searches
     WHERE request_id = $1 ORDER BY searched_at, id`,
    [id],
  );
  const timeline = await database.query<{
    at: Date; by: string | null; byName: string | null; kind: string; details: Record<string, unknown>; note: string | null;
  }>(
    `SELECT e.at, e.actor_id AS by, u.name AS "byName", e.kind, e.details, e.note FROM privacy_events e
     LEFT JOIN users u ON u.id = e.actor_id WHERE e.request_id = $1 ORDER BY e.at, e.id`,
    [id],
  );
  const facts = { receivedAt: request.received_at, extended: request.extended_at !== null, pauses };
  const dates = dueDates(facts, request.closed_at ?? now, calendar);
  const paused = pauses.some(({ resumedAt }) => resumedAt === null);
  const dueAt = paused ? dates.dueAt : request.due_at;
  const expiries = items.flatMap((item) => (item.confirmed === false || item.retain_until === null ? [] : [item.retain_until.getTime()]));
  const nextExpiryAt = expiries.length === 0 || request.closed_at !== null ? null : new Date(Math.min(...expiries));
  return {
    id,
    revision: await revisionOf(database, request),
    reference: referenceOf(request),
    state: request.state,
    channel: request.channel,
    requesterKind: request.requester_kind,
    secret: request.secret,
    locale: request.locale,
    receivedAt: request.received_at.toISOString(),
    dueAt: dueAt.toISOString(),
    daysLeft: daysLeft(dueAt, now, settings.timeZone),
    overdue: request.closed_at === null && request.handed_out_at === null && dueAt < now,
    paused,
    extended: request.extended_at !== null,
    outcome: request.outcome,
    closedAt: iso(request.closed_at),
    processes: processes.map(presentProcess),
    subjectName: named ? subject.name : null,
    urgent: nextExpiryAt !== null && nextExpiryAt.getTime() - now.getTime() < urgentMs,
    nextExpiryAt: iso(nextExpiryAt),
    createdBy: request.created_by,
    createdAt: request.created_at.toISOString(),
    origin: await originOf(database, request),
    employee: request.employee_id === null ? null : { userId: request.employee_id, keptFrom: request.kept_from },
    authority: request.authority_name === null ? null : { name: request.authority_name, legalBasis: request.authority_basis ?? '' },
    mergedInto: request.merged_into,
    retainUntil: iso(request.retain_until),
    clock: {
      originalDueAt: dates.originalDueAt.toISOString(),
      firstMonthEndsAt: dates.firstMonthEndsAt.toISOString(),
      daysLeft: daysLeft(dueAt, now, settings.timeZone),
      pausedDays: dates.pausedDays,
      extension:
        request.extended_at === null || request.extended_by === null
          ? null
          : {
              at: request.extended_at.toISOString(), by: request.extended_by, reason: request.extension_reason ?? '',
              late: request.extension_late,
            },
      pauses: pauses.map((pause) => ({
        ground: pause.ground, reason: pause.reason, pausedAt: pause.pausedAt.toISOString(), resumedAt: iso(pause.resumedAt),
      })),
      warnings: [
        ...(request.received_at > request.created_at ? (['received_in_future'] as const) : []),
        ...(request.extension_late ? (['extension_late'] as const) : []),
      ],
    },
    subject: named
      ? {
          name: subject.name, address: subject.address, emails: subject.emails, phones: subject.phones,
          organisation: subject.organisation,
        }
      : null,
    representative: named && subject.representative !== null ? { ...subject.representative } : null,
    details: named ? subject.details : null,
    identity: { verifiedAt: iso(request.identified_at), checks: checks.map((check) => ({ ...check, at: check.at.toISOString() })) },
    searches: searches.map((each) => ({ ...each, at: each.at.toISOString() })),
    items: items.map((item) => presentItem(item, processes, decisions.get(item.id) ?? [], named)),
    undecided: undecided(processes, items, decisions),
    possibleDuplicates: duplicates,
    timeline: timeline.map((each) => ({ ...each, at: each.at.toISOString(), note: named ? each.note : null })),
  };
}

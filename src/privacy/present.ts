import type { Person } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import { daysLeft, dueDates } from './clock.js';
import type { PresentedRequest } from './file-schema.js';
import {
  decisionsOf, decisionsOn, itemsNamed, itemsOf, pageOfItems, undecided, type DecisionRow, type ItemFilter,
} from './items.js';
import { originOf } from './flag.js';
import { keptErasures, lettersDueFor } from './held-up.js';
import { revisionOf } from './letters.js';
import { restrictedBy } from './lift.js';
import { possibleDuplicates } from './intake.js';
import { iso, presentItem, presentProcess } from './present-item.js';
import {
  calendarOf, findRequest, isOut, pausesOf, processesOf, referenceOf, subjectOf, type PrivacyContext, type ProcessRow, type RequestRow,
} from './request.js';
import { cellsOf, openAmong, type Cell } from './states.js';

/** A request as the API shows it: the officer sees all of it, the auditor everything but who it is about. */

async function countEvents({ platform: { database } }: PrivacyContext, id: string): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*) AS count FROM privacy_events WHERE request_id = $1', [id]);
  return row?.count ?? 0;
}

/** How many cells somebody still has to decide, in processes that are not approved. */
function openIn(request: RequestRow, processes: readonly ProcessRow[], cells: readonly Cell[]): number {
  const waiting = new Set(processes.filter(({ state }) => state === 'open' || state === 'decided').map(({ right }) => right));
  return openAmong(cells, request).filter(({ right }) => waiting.has(right)).reduce((sum, { count }) => sum + count, 0);
}

/** When the first of what was found for a request goes, holds of five days and what is erased left aside. SQL over `q`. */
export const nextExpiry = `(SELECT min(coalesce(r.retain_until, t.retain_until)) FROM privacy_items i
  LEFT JOIN recordings r ON i.kind = 'recording' AND r.id = i.item_id
  LEFT JOIN tickets t ON i.kind = 'ticket' AND t.id = i.item_id
  WHERE i.request_id = q.id AND i.confirmed IS NOT FALSE AND q.closed_at IS NULL
    AND NOT EXISTS (SELECT FROM privacy_decisions d WHERE d.item_id = i.id AND d."right" = 'erasure' AND d.decision = 'grant'
      AND d.replaced_at IS NULL AND d.carried_out_at IS NOT NULL))`;

export const urgentMs = 7 * 86_400_000;

/** How much of a file is shown: all of it; all but items and timeline; or of those what an act at `since` touched. */
export type View = 'whole' | 'outline' | { items: readonly string[]; since: Date };

interface Event {
  at: Date;
  by: string | null;
  byName: string | null;
  kind: string;
  details: Record<string, unknown>;
  note: string | null;
}

const events = `SELECT e.id, e.at, e.actor_id AS by, u.name AS "byName", e.kind, e.details, e.note FROM privacy_events e
  LEFT JOIN users u ON u.id = e.actor_id WHERE e.request_id = $1`;

/** One page of the timeline, the newest first. */
export async function pageOfTimeline(
  { platform: { database } }: PrivacyContext,
  person: Person,
  id: string,
  page: { limit: number; cursor?: string | undefined },
) {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Event & { id: string }>(
    `${events} AND ($2::timestamptz IS NULL OR (e.at, e.id) < ($2, $3::uuid)) ORDER BY e.at DESC, e.id DESC LIMIT $4`,
    [id, after?.at ?? null, after?.id ?? null, page.limit + 1],
  );
  return toPage(rows, page.limit, ({ id: _, ...row }) => presentEvent(row, person), (row) => ({ at: row.at, id: row.id }));
}

const presentEvent = ({ at, by, byName, kind, details, note }: Event, person: Person) => ({
  at: at.toISOString(), by, byName, kind, details, note: viewOf(person.role).names ? note : null,
});

/** One page of what was found, the newest first. */
export async function presentItems(
  { platform: { clock, database } }: PrivacyContext,
  person: Person,
  id: string,
  filter: Pick<ItemFilter, 'kind' | 'whose'>,
  page: { limit: number; cursor?: string | undefined },
) {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const processes = await processesOf(database, id);
  const rows = await pageOfItems(database, id, clock.now(), { ...filter, after }, page.limit + 1);
  const named = viewOf(person.role).names;
  return toPage(rows, page.limit, ({ item, decisions }) => presentItem(item, processes, decisions, named), ({ item }) => ({ at: item.item_at, id: item.id }));
}

/** The items that a view shows, with the decisions that count on them. */
async function itemsIn({ platform: { clock, database } }: PrivacyContext, id: string, view: View) {
  const now = clock.now();
  if (view === 'outline') return { items: [], decisions: new Map<string, DecisionRow[]>() };
  if (view === 'whole') return { items: await itemsOf(database, id, now), decisions: await decisionsOf(database, id) };
  return { items: await itemsNamed(database, id, view.items, now), decisions: await decisionsOn(database, view.items) };
}

async function timelineIn({ platform: { database } }: PrivacyContext, id: string, view: View): Promise<Event[]> {
  if (view === 'outline') return [];
  const since = view === 'whole' ? null : view.since;
  return await database.query<Event>(`${events} AND ($2::timestamptz IS NULL OR e.at >= $2) ORDER BY e.at, e.id`, [id, since]);
}

/** The file of a request, or the part of it that `view` names. @throws Problem `not-found` */
export async function presentRequest(context: PrivacyContext, person: Person, id: string, view: View = 'whole'): Promise<PresentedRequest> {
  const { platform, settings } = context;
  const { clock, database } = platform;
  const now = clock.now();
  const named = viewOf(person.role).names;
  const request = await findRequest(database, id);
  const [subject, processes, pauses, calendar, { items, decisions }, duplicates, cells, events] = [
    await subjectOf(database, id), await processesOf(database, id), await pausesOf(database, id),
    await calendarOf(database, settings.timeZone), await itemsIn(context, id, view),
    request.closed_at === null ? await possibleDuplicates(context, person, id) : [], await cellsOf(context, id), await countEvents(context, id),
  ];
  const timeline = await timelineIn(context, id, view);
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
  const [expiry] = await database.query<{ at: Date | null }>(`SELECT ${nextExpiry} AS at FROM privacy_requests q WHERE q.id = $1`, [id]);
  const facts = { receivedAt: request.received_at, extended: request.extended_at !== null, pauses };
  const dates = dueDates(facts, request.closed_at ?? now, calendar);
  const paused = pauses.some(({ resumedAt }) => resumedAt === null);
  const dueAt = paused ? dates.dueAt : request.due_at;
  const nextExpiryAt = expiry?.at ?? null;
  const restricted = request.closed_at === null ? { count: 0, liftableAt: null } : await restrictedBy(database, id);
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
    overdue: request.closed_at === null && !isOut(request, processes) && dueAt < now,
    paused,
    extended: request.extended_at !== null,
    outcome: request.outcome,
    closedAt: iso(request.closed_at),
    processes: processes.map(presentProcess),
    subjectName: named ? subject.name : null,
    urgent: nextExpiryAt !== null && nextExpiryAt.getTime() - now.getTime() < urgentMs,
    nextExpiryAt: iso(nextExpiryAt),
    lettersDue: await lettersDueFor(database, id),
    // Asked only where somebody is about to approve it, or has.
    erasuresWaiting: ['approval', 'answer', 'closed'].includes(request.state) && processes.some(({ right }) => right === 'erasure')
      ? (await keptErasures(database, id, now)).size
      : 0,
    restricted: { count: restricted.count, liftableAt: iso(restricted.liftableAt) },
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
        // A refusal has the first month, whatever was extended (art. 12(4)).
        ...(processes.some(({ outcome, approved_at: at }) => (outcome === 'refused' || outcome === 'partly') && (at ?? now) > dates.firstMonthEndsAt)
          ? (['refusal_late'] as const)
          : []),
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
    timeline: timeline.map((each) => presentEvent(each, person)),
    counts: {
      items: cells.filter(({ right }) => right === processes[0]?.right).reduce((sum, { count }) => sum + count, 0),
      undecided: openIn(request, processes, cells), events,
    },
  };
}

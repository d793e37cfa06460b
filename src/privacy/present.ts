import { z } from 'zod';
import type { Person } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { cutsOf, toPlayback } from '../recordings/timeline.js';
import { daysLeft, dueDates } from './clock.js';
import { groundOf } from './decide.js';
import { decisionsOf, itemsOf, undecided, usualFor, type DecisionRow, type ItemRow } from './items.js';
import { originOf } from './flag.js';
import { possibleDuplicates } from './intake.js';
import {
  calendarOf, channels, findRequest, outcomes, pausesOf, processesOf, referenceOf, requesterKinds, requestStates, subjectOf,
  type PrivacyContext, type ProcessRow,
} from './request.js';
import { rights, verdicts } from './rights.js';

/** A request as the API shows it: the officer sees all of it, the auditor everything but who it is about. */

const instant = z.iso.datetime();
const right = z.enum(rights);

export const processSchema = z.object({
  right,
  state: z.enum(['open', 'decided', 'approved', 'done']),
  outcome: z.enum(['granted', 'partly', 'refused', 'nothing_found', 'withdrawn']).nullable(),
  receivedAt: instant,
  approvedBy: z.uuid().nullable(),
  approvedAt: instant.nullable(),
  approvedAlone: z.boolean().meta({ description: 'By who decided it, with a reason: FOUR_EYES=recorded' }),
});

const told = z.object({ nl: z.string(), en: z.string() });

const decisionSchema = z.object({
  id: z.uuid(),
  right,
  decision: z.enum(verdicts),
  usual: z.enum(verdicts).nullable(),
  article: z.string(),
  ground: z.string().nullable(),
  reason: z.string().nullable(),
  reviewAt: instant.nullable(),
  mask: z
    .array(z.object({ startMs: z.number(), endMs: z.number(), channel: z.union([z.int(), z.enum(['caller', 'agent'])]).optional() }))
    .meta({ description: 'In milliseconds of the playback copy, as they were told' }),
  passages: z.array(z.object({ pieceId: z.uuid(), start: z.int().optional(), end: z.int().optional() })),
  decidedBy: z.uuid().nullable(),
  decidedAt: instant,
  carriedOutAt: instant.nullable(),
});

export const itemSchema = z
  .object({
    itemId: z.uuid(),
    kind: z.enum(['recording', 'ticket']),
    recordingId: z.uuid().nullable(),
    ticketId: z.uuid().nullable(),
    basis: z.array(z.string()).meta({ description: 'What the match rests on' }),
    sharedNumber: z.boolean().meta({ description: 'Others use this number too: look before it is given to anybody' }),
    confirmed: z.boolean().nullable(),
    available: z.boolean(),
    held: z.boolean(),
    restricted: z.boolean(),
    retainUntil: instant.nullable(),
    legalGround: z.enum(['6(1)(b)', '6(1)(f)']),
    startedAt: instant.nullable(),
    durationMs: z.int().nullable(),
    channels: z.int().nullable(),
    caller: z.string().nullable(),
    callerName: z.string().nullable(),
    callee: z.string().nullable(),
    agent: z.string().nullable(),
    hasAgreement: z.boolean(),
    number: z.string().nullable().meta({ description: 'Of a ticket' }),
    subject: z.string().nullable(),
    requesterName: z.string().nullable(),
    createdAt: instant.nullable(),
    usual: z
      .array(z.object({ right, decision: z.enum(verdicts).nullable(), article: z.string(), why: told, decides: z.boolean(), offer: right.nullable() }))
      .meta({ description: 'What the law has by default, for each right that was asked for' }),
    decisions: z.array(decisionSchema),
  })
  .meta({ id: 'PrivacyItem' });

export type PresentedItem = z.input<typeof itemSchema>;

const summaryShape = {
  id: z.uuid(),
  reference: z.string(),
  state: z.enum(requestStates),
  channel: z.enum(channels),
  requesterKind: z.enum(requesterKinds),
  secret: z.boolean(),
  locale: z.enum(['nl', 'en']),
  receivedAt: instant,
  dueAt: instant,
  daysLeft: z.int().meta({ description: 'On the calendar: 0 today, negative once it is late' }),
  overdue: z.boolean(),
  paused: z.boolean(),
  extended: z.boolean(),
  outcome: z.enum(outcomes).nullable(),
  closedAt: instant.nullable(),
  processes: z.array(processSchema),
  subjectName: z.string().nullable(),
  urgent: z.boolean().meta({ description: 'Something that was found for it goes within a week' }),
  nextExpiryAt: instant.nullable(),
};

export const summarySchema = z.object(summaryShape).meta({ id: 'PrivacyRequestSummary' });

export const requestSchema = z
  .object({
    ...summaryShape,
    createdBy: z.uuid().nullable().meta({ description: 'Null where somebody sent the public form' }),
    createdAt: instant,
    origin: z
      .object({
        kind: z.enum(['recording', 'ticket']),
        id: z.uuid(),
        atMs: z.int().nullable().meta({ description: 'Where in the call it was asked, in milliseconds of the playback copy' }),
      })
      .nullable(),
    employee: z.object({ userId: z.uuid(), keptFrom: z.array(z.uuid()) }).nullable(),
    authority: z.object({ name: z.string(), legalBasis: z.string() }).nullable(),
    mergedInto: z.uuid().nullable(),
    retainUntil: instant.nullable(),
    clock: z.object({
      originalDueAt: instant,
      firstMonthEndsAt: instant.meta({ description: 'Until when an extension or a refusal must be told' }),
      daysLeft: z.int(),
      pausedDays: z.int(),
      extension: z.object({ at: instant, by: z.uuid(), reason: z.string(), late: z.boolean() }).nullable(),
      pauses: z.array(z.object({ ground: z.string(), reason: z.string(), pausedAt: instant, resumedAt: instant.nullable() })),
      warnings: z.array(z.enum(['received_in_future', 'extension_late'])),
    }),
    subject: z
      .object({
        name: z.string().nullable(), address: z.string().nullable(), emails: z.array(z.string()), phones: z.array(z.string()),
        organisation: z.string().nullable(),
      })
      .nullable(),
    representative: z.record(z.string(), z.unknown()).nullable(),
    details: z.string().nullable(),
    identity: z.object({
      verifiedAt: instant.nullable(),
      checks: z.array(
        z.object({ method: z.string(), outcome: z.enum(['verified', 'doubt']), doubt: z.string().nullable(), at: instant, by: z.uuid() }),
      ),
    }),
    searches: z.array(
      z.object({
        id: z.uuid(), at: instant, by: z.uuid(), criteria: z.record(z.string(), z.unknown()), recordings: z.int(), tickets: z.int(),
      }),
    ),
    items: z.array(itemSchema),
    undecided: z.array(z.object({ itemId: z.uuid(), right })),
    possibleDuplicates: z.array(z.uuid()),
    timeline: z.array(
      z.object({
        at: instant, by: z.uuid().nullable(), byName: z.string().nullable(), kind: z.string(),
        details: z.record(z.string(), z.unknown()), note: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'PrivacyRequest' });

export type PresentedRequest = z.input<typeof requestSchema>;

export const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

export const presentProcess = (row: ProcessRow): z.input<typeof processSchema> => ({
  right: row.right, state: row.state, outcome: row.outcome, receivedAt: row.received_at.toISOString(),
  approvedBy: row.approved_by, approvedAt: iso(row.approved_at), approvedAlone: row.approved_alone_reason !== null,
});

/** Kept on the recording's own timeline, told on the one that people hear. */
function presentMask({ mask }: DecisionRow, { holds, sample_rate_hz: rateHz, duration_ms: durationMs, channel_map: map }: ItemRow) {
  if (mask.length === 0 || holds === null || rateHz === null || durationMs === null) return mask;
  const cuts = cutsOf(holds, rateHz, durationMs);
  return mask.map(({ startMs, endMs, channel }) => ({
    startMs: toPlayback(startMs, cuts),
    endMs: toPlayback(endMs, cuts),
    ...(channel === undefined ? {} : { channel: map?.[channel] ?? channel }),
  }));
}

const presentDecision = (row: DecisionRow, item: ItemRow): z.input<typeof decisionSchema> => ({
  id: row.id, right: row.right, decision: row.decision, usual: row.usual, article: row.article, ground: row.ground,
  reason: row.reason, reviewAt: iso(row.review_at), mask: presentMask(row, item), passages: row.passages, decidedBy: row.decided_by,
  decidedAt: row.decided_at.toISOString(), carriedOutAt: iso(row.carried_out_at),
});

/** An item as an officer sees it; without what tells people apart for who sees no names. */
export function presentItem(
  item: ItemRow,
  processes: readonly ProcessRow[],
  decisions: readonly DecisionRow[],
  named: boolean,
): PresentedItem {
  const shown = <T>(value: T): T | null => (named ? value : null);
  return {
    itemId: item.id,
    kind: item.kind,
    recordingId: item.kind === 'recording' ? item.item_id : null,
    ticketId: item.kind === 'ticket' ? item.item_id : null,
    basis: item.basis,
    sharedNumber: item.shared_number,
    confirmed: item.confirmed,
    available: item.available,
    held: item.held,
    restricted: item.restricted,
    retainUntil: iso(item.retain_until),
    legalGround: groundOf({ kind: item.kind, relation: item.requester_relation }),
    startedAt: iso(item.started_at),
    durationMs: item.duration_ms,
    channels: item.channels,
    caller: shown(item.caller_number),
    callerName: shown(item.caller_name),
    callee: shown(item.callee_number),
    agent: item.agent,
    hasAgreement: item.has_agreement,
    number: item.ticket_number,
    subject: shown(item.subject),
    requesterName: shown(item.requester_name),
    createdAt: iso(item.opened_at),
    usual: processes.map((process) => {
      const usual = usualFor(item, process.right);
      return {
        right: process.right, decision: usual.verdict, article: usual.article, why: usual.why, decides: usual.decides,
        offer: usual.offer ?? null,
      };
    }),
    decisions: decisions.map((decision) => presentDecision(decision, item)),
  };
}

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

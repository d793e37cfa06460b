import { z } from 'zod';
import { lettersDue } from './held-up.js';
import { channels, outcomes, requesterKinds, requestStates } from './request.js';
import { rights, verdicts } from './rights.js';

/** What the API tells of a request, as OpenAPI describes it. */

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

export const decisionSchema = z.object({
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
  lettersDue: z.array(z.enum(lettersDue)).meta({
    description: 'Letters still to be sent about erasures that were granted: `held_up` of what waits for a hold, `erased` once that is erased',
  }),
};

export const summarySchema = z.object(summaryShape).meta({ id: 'PrivacyRequestSummary' });

export const eventSchema = z.object({
  at: instant, by: z.uuid().nullable(), byName: z.string().nullable(), kind: z.string(),
  details: z.record(z.string(), z.unknown()), note: z.string().nullable(),
});

export const requestSchema = z
  .object({
    ...summaryShape,
    revision: z.string().meta({ description: 'Changes with whatever changes the answer: sent along with an approval, it approves what was seen' }),
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
      warnings: z.array(z.enum(['received_in_future', 'extension_late', 'refusal_late'])),
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
    erasuresWaiting: z.int().meta({ description: 'Granted, not carried out, and kept by holds from outside the request' }),
    restricted: z
      .object({ count: z.int(), liftableAt: instant.nullable() })
      .meta({ description: 'What a closed request restricts still, and from when on that may be lifted; null while the person was not told' }),
    undecided: z.array(z.object({ itemId: z.uuid(), right })),
    possibleDuplicates: z.array(z.object({ id: z.uuid(), reference: z.string(), receivedAt: instant })),
    timeline: z.array(eventSchema),
    counts: z
      .object({ items: z.int(), undecided: z.int(), events: z.int() })
      .meta({ description: 'Of the whole file, whatever part of it is shown' }),
  })
  .meta({ id: 'PrivacyRequest' });

export type PresentedRequest = z.input<typeof requestSchema>;

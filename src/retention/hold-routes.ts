import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import type { Caller, Person } from '../access/caller.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, SubjectKind } from './category.js';
import { listHolds } from './list-holds.js';
import { confirmHold, holdGrounds, placeHold, releaseHold, type Hold } from './place-hold.js';
import { readWhen, whenSchema } from './when.js';

const instant = z.iso.datetime();

export const holdSchema = z
  .object({
    id: z.string(),
    recordingId: z.string().nullable(),
    ticketId: z.string().nullable(),
    state: z.enum(['unconfirmed', 'confirmed', 'released', 'ended']),
    ground: z.enum(holdGrounds),
    reason: z.string(),
    ownerId: z.string(),
    requestId: z.string().nullable(),
    placedBy: z.string(),
    placedAt: instant,
    confirmBy: instant.meta({ description: 'The end of the third working day' }),
    confirmationLate: z.boolean(),
    confirmedBy: z.string().nullable(),
    confirmedAt: instant.nullable(),
    confirmReason: z.string().nullable(),
    reviewAt: instant,
    reviewDue: z.boolean(),
    releasedBy: z.string().nullable(),
    releasedAt: instant.nullable(),
    releaseReason: z.string().nullable(),
    endsAt: instant.nullable().meta({ description: 'When it stops to hold: a day after its release' }),
    secret: z.boolean().meta({ description: 'Of an order that may not be told: shown to its owner and the auditor alone' }),
  })
  .meta({ id: 'Hold' });

const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A hold as the API shows it at `now`. */
export function presentHold(hold: Hold, now: Date): z.input<typeof holdSchema> {
  const ended = hold.endsAt !== null && hold.endsAt <= now;
  const open = hold.releasedAt === null && !ended;
  return {
    id: hold.id,
    recordingId: hold.kind === 'recording' ? hold.itemId : null,
    ticketId: hold.kind === 'ticket' ? hold.itemId : null,
    state: ended ? 'ended' : hold.releasedAt !== null ? 'released' : hold.confirmedAt !== null ? 'confirmed' : 'unconfirmed',
    ground: hold.ground,
    reason: hold.reason,
    ownerId: hold.ownerId,
    requestId: hold.requestId,
    placedBy: hold.placedBy,
    placedAt: hold.placedAt.toISOString(),
    confirmBy: hold.confirmBy.toISOString(),
    confirmationLate: open && hold.confirmedAt === null && hold.confirmBy <= now,
    confirmedBy: hold.confirmedBy,
    confirmedAt: isoOrNull(hold.confirmedAt),
    confirmReason: hold.confirmReason,
    reviewAt: hold.reviewAt.toISOString(),
    reviewDue: open && hold.reviewAt <= now,
    releasedBy: hold.releasedBy,
    releasedAt: isoOrNull(hold.releasedAt),
    releaseReason: hold.releaseReason,
    endsAt: isoOrNull(hold.endsAt),
    secret: hold.secret,
  };
}

/** What a hold or a tombstone is asked about by. @throws Problem `invalid-input` when both are given */
export function subjectOf(told: {
  recordingId?: string | undefined;
  ticketId?: string | undefined;
}): { kind: SubjectKind; id: string } | undefined {
  if (told.recordingId !== undefined && told.ticketId !== undefined)
    throw new Problem('invalid-input', { errors: [{ path: 'ticketId', message: 'goes without recordingId' }] });
  if (told.recordingId !== undefined) return { kind: 'recording', id: told.recordingId };
  return told.ticketId === undefined ? undefined : { kind: 'ticket', id: told.ticketId };
}

export const subjectQuery = { recordingId: idSchema.optional(), ticketId: idSchema.optional() };

function personOf(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Problem('forbidden');
  return caller;
}

const reasonSchema = z.string().trim().min(1).max(2000);
const idParams = z.object({ id: idSchema });

export interface HoldSettings {
  timeZone: string;
  fourEyes: 'required' | 'recorded';
}

/** Placing, confirming, releasing and listing holds. */
export function holdOperations(
  platform: Platform,
  categories: readonly Category[],
  { timeZone, fourEyes }: HoldSettings,
): Operation<Caller>[] {
  const now = () => platform.clock.now();
  return [
    operation({
      method: 'get',
      path: '/holds',
      id: 'listHolds',
      tag: 'retention',
      summary: 'Holds, newest first',
      action: 'retention.read',
      query: z.object({
        ...subjectQuery,
        inForce: z.enum(['true', 'false']).transform((value) => value === 'true').optional(),
        ...pageQuery,
      }),
      replies: { 200: { description: 'Holds', schema: pageOf(holdSchema) } },
      async handle({ caller, query }) {
        const subject = subjectOf(query);
        const filter = { kind: subject?.kind, itemId: subject?.id, inForce: query.inForce, reader: personOf(caller) };
        const { items, nextCursor } = await listHolds(platform.database, now(), filter, query);
        return { status: 200, body: { items: items.map((hold) => presentHold(hold, now())), nextCursor } };
      },
    }),
    operation({
      method: 'post',
      path: '/holds',
      id: 'placeHold',
      tag: 'retention',
      summary: 'Keep a recording or a ticket past its period; in force at once',
      description:
        'A second officer confirms it within three working days. Refused with 410 when the period is over and nothing held ' +
        'the item, or when its deletion has begun.',
      action: 'hold.place',
      body: z
        .object({
          recordingId: idSchema.optional(),
          ticketId: idSchema.optional(),
          ground: z.enum(holdGrounds),
          reason: reasonSchema,
          reviewAt: whenSchema,
        })
        .refine((told) => (told.recordingId === undefined) !== (told.ticketId === undefined), {
          path: ['recordingId'],
          message: 'one of recordingId and ticketId is needed',
        }),
      replies: { 201: { description: 'In force', schema: holdSchema } },
      problems: ['not-found', 'retention-ended'],
      async handle({ caller, body }) {
        const subject = subjectOf(body);
        if (subject === undefined) throw new Problem('not-found');
        const hold = await placeHold(platform, categories, personOf(caller), {
          kind: subject.kind, itemId: subject.id, ground: body.ground, reason: body.reason,
          reviewAt: readWhen(body.reviewAt, timeZone, 'reviewAt'),
        }, timeZone);
        return { status: 201, body: presentHold(hold, now()), headers: { Location: '/api/v1/holds' } };
      },
    }),
    operation({
      method: 'post',
      path: '/holds/{id}/confirm',
      id: 'confirmHold',
      tag: 'retention',
      summary: 'A second person stands behind a hold',
      description: 'Where four eyes are only recorded (`FOUR_EYES`), the one who placed it may confirm it too, with a reason.',
      action: 'hold.confirm',
      params: idParams,
      body: z.object({ reason: reasonSchema.nullish() }).optional(),
      replies: { 200: { description: 'Confirmed', schema: holdSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const hold = await confirmHold(platform, personOf(caller), params.id, fourEyes, body?.reason ?? null);
        return { status: 200, body: presentHold(hold, now()) };
      },
    }),
    operation({
      method: 'post',
      path: '/holds/{id}/release',
      id: 'releaseHold',
      tag: 'retention',
      summary: 'End a hold; it still holds for a day',
      action: 'hold.release',
      params: idParams,
      body: z.object({ reason: reasonSchema }),
      replies: { 200: { description: 'Released', schema: holdSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const hold = await releaseHold(platform, personOf(caller), params.id, body.reason);
        return { status: 200, body: presentHold(hold, now()) };
      },
    }),
  ];
}

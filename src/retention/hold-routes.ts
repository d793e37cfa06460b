import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import type { Caller, Person } from '../access/caller.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, SubjectKind } from './category.js';
import { confirmGroup, confirmHold, releaseAct, releaseHold, type FourEyes } from './decide-hold.js';
import { holdsById, listHoldGroups, listHolds } from './list-holds.js';
import { hasEnd, holdTerms, readTerms, reasonSchema } from './hold-terms.js';
import { placeHold } from './place-hold.js';
import { groupSchema, holdSchema, presentGroup, presentHold } from './present-hold.js';

const instant = z.iso.datetime();

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

const idParams = z.object({ id: idSchema });
const inForce = z.enum(['true', 'false']).transform((value) => value === 'true').optional();

export interface HoldSettings {
  timeZone: string;
  fourEyes: FourEyes;
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
        groupId: idSchema.optional().meta({ description: 'Of a request, of an act, or of one hold by itself' }),
        inForce,
        ...pageQuery,
      }),
      replies: { 200: { description: 'Holds', schema: pageOf(holdSchema) } },
      async handle({ caller, query }) {
        const subject = subjectOf(query);
        const { groupId, inForce: only } = query;
        const filter = { kind: subject?.kind, itemId: subject?.id, groupId, inForce: only, reader: personOf(caller) };
        const { items, nextCursor } = await listHolds(platform.database, now(), filter, query);
        return { status: 200, body: { items: items.map((hold) => presentHold(hold, now())), nextCursor } };
      },
    }),
    operation({
      method: 'get',
      path: '/holds/groups',
      id: 'listHoldGroups',
      tag: 'retention',
      summary: 'Holds that stand and fall together as one line each: of a request, of one act, or one by itself; newest first',
      action: 'retention.read',
      query: z.object({ inForce, ...pageQuery }),
      replies: { 200: { description: 'Groups', schema: pageOf(groupSchema) } },
      async handle({ caller, query }) {
        const reader = personOf(caller);
        const { items, nextCursor } = await listHoldGroups(platform.database, now(), { inForce: query.inForce, reader }, query);
        const alone = await holdsById(platform.database, items.filter(({ holds, requestId }) => holds === 1 && requestId === null).map(({ id }) => id));
        return { status: 200, body: { items: items.map((group) => presentGroup(group, alone.get(group.id), now())), nextCursor } };
      },
    }),
    operation({
      method: 'post',
      path: '/holds/groups/{id}/confirm',
      id: 'confirmHoldGroup',
      tag: 'retention',
      summary: 'A second person stands behind the holds of a request or of one act, as they were shown',
      description:
        'Confirms what others placed up to `asOf` (`unconfirmedUntil` of the group); what came later waits. Where four eyes are ' +
        'only recorded, a reason confirms their own as well.',
      action: 'hold.confirm',
      params: idParams,
      body: z.object({ asOf: instant, reason: reasonSchema.nullish() }),
      replies: { 200: { description: 'Confirmed', schema: z.object({ confirmed: z.int(), left: z.int() }) } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const told = { asOf: new Date(body.asOf), reason: body.reason ?? null };
        return { status: 200, body: await confirmGroup(platform, personOf(caller), params.id, told, fourEyes) };
      },
    }),
    operation({
      method: 'post',
      path: '/holds/groups/{id}/release',
      id: 'releaseHoldGroup',
      tag: 'retention',
      summary: 'End what one act placed; it still holds for a day. Holds of a request go with the request',
      action: 'hold.release',
      params: idParams,
      body: z.object({ reason: reasonSchema }),
      replies: { 200: { description: 'Released', schema: z.object({ released: z.int() }) } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        return { status: 200, body: await releaseAct(platform, personOf(caller), params.id, body.reason) };
      },
    }),
    operation({
      method: 'post',
      path: '/holds',
      id: 'placeHold',
      tag: 'retention',
      summary: 'Keep a recording or a ticket past its period; in force at once',
      description:
        'A second officer confirms it within three working days. It has a date on which it is reviewed, or an end, or both: ' +
        'with an end it ends by itself. Refused with 410 when the period is over and nothing held the item, or when its ' +
        'deletion has begun.',
      action: 'hold.place',
      body: z
        .object({
          recordingId: idSchema.optional(),
          ticketId: idSchema.optional(),
          ...holdTerms,
        })
        .refine((told) => (told.recordingId === undefined) !== (told.ticketId === undefined), {
          path: ['recordingId'],
          message: 'one of recordingId and ticketId is needed',
        })
        .refine(...hasEnd),
      replies: { 201: { description: 'In force', schema: holdSchema } },
      problems: ['not-found', 'retention-ended'],
      async handle({ caller, body }) {
        const subject = subjectOf(body);
        if (subject === undefined) throw new Problem('not-found');
        const hold = await placeHold(platform, categories, personOf(caller), {
          kind: subject.kind, itemId: subject.id, ...readTerms(body, timeZone),
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

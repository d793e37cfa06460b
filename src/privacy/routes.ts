import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import { Problem } from '../platform/problem.js';
import { readWhen, whenSchema } from '../retention/when.js';
import { answerOperations } from './answer-routes.js';
import { deliveryOperations } from './delivery-routes.js';
import { refuseKeptFrom } from './employee.js';
import { refuseOver } from './retention.js';
import { flagOperations } from './flag-routes.js';
import { complete, merge, takeIn } from './intake.js';
import { noticeOperations } from './notice-routes.js';
import { portalOperations } from './portal.js';
import { eventSchema, itemSchema, requestSchema, summarySchema } from './file-schema.js';
import { pageOfTimeline, presentItems, presentRequest } from './present.js';
import { listRequests, statisticsOf } from './queue.js';
import {
  channels, lockOpenRequest, record, requesterKinds, requestStates,
  type PrivacyContext, type Representative,
} from './request.js';
import { remedyOperations } from './remedy-routes.js';
import { rights } from './rights.js';
import { stepOperations } from './step-routes.js';

/** Taking requests in, and reading them. The steps that follow: `step-routes.ts`; what goes out: `answer-routes.ts`. */

const text = (most: number) => z.string().trim().max(most);
const some = (most: number) => text(most).min(1);
/** What may be left out, empty or null, which is all the same. */
const maybe = (most: number) => text(most).nullish().transform((told) => (told === undefined ? undefined : told || null));
const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(50).nullish().transform((told) => told ?? undefined);

const subjectSchema = z.object({
  name: maybe(200),
  address: maybe(1000),
  emails: list(z.email().max(320)),
  phones: list(some(40)),
  organisation: maybe(200),
});

const nothing: Representative = { name: null, address: null, email: null, phone: null, mandate: null };
const representativeSchema = z
  .union([
    some(200).transform((name): Representative => ({ ...nothing, name })),
    z
      .object({ name: maybe(200), address: maybe(1000), email: maybe(320), phone: maybe(40), mandate: maybe(2000) })
      .transform((told): Representative => ({
        name: told.name ?? null, address: told.address ?? null, email: told.email ?? null, phone: told.phone ?? null,
        mandate: told.mandate ?? null,
      })),
  ])
  .nullish()
  .meta({ description: 'Who acts for the person; answers go to this address. `mandate`: what it covers and who looked at it' });

const rightsSchema = z.array(z.enum(rights)).max(6);

const employeeSchema = z
  .object({
    userId: idSchema.meta({ description: 'Their account here' }),
    keptFrom: z.array(idSchema).max(20).default([]).meta({ description: 'Officers who lead them: they neither see nor handle it' }),
  })
  .meta({ description: 'Of an employee who asks about themselves. Those who evaluated them are kept from it anyway' });

const intakeSchema = z.object({
  receivedAt: whenSchema,
  channel: z.enum(channels),
  rights: rightsSchema.min(1),
  subject: subjectSchema,
  representative: representativeSchema,
  requesterKind: z.enum(requesterKinds).optional().meta({ description: 'Who asks; a person unless told, or who represents one' }),
  authority: z
    .object({ name: some(200), legalBasis: some(500), secret: z.boolean().default(false) })
    .optional()
    .meta({ description: 'An order of an authority; a secret one shows in the audit trail to the auditor alone' }),
  employee: employeeSchema.optional(),
  locale: z.enum(['nl', 'en']).default('nl'),
  details: text(20_000).nullish(),
});

const idParams = z.object({ id: idSchema });

/** Every operation of this feature. */
export function privacyOperations(context: PrivacyContext): Operation<Caller>[] {
  const { platform, settings } = context;
  const { clock, database } = platform;

  const operations: Operation<Caller>[] = [
    operation({
      method: 'get',
      path: '/privacy-requests',
      id: 'listPrivacyRequests',
      tag: 'privacy',
      summary: 'Requests, the first due first',
      action: 'privacy_request.read',
      query: z.object({
        state: z.enum([...requestStates, 'open']).optional(),
        urgent: z.enum(['true', 'false']).transform((value) => value === 'true').optional()
          .meta({ description: 'Only those of which something that was found goes within a week' }),
        letterDue: z.enum(['true', 'false']).transform((value) => value === 'true').optional()
          .meta({ description: 'Only those that are owed a letter about an erasure that a hold keeps back' }),
        ...pageQuery,
      }),
      replies: { 200: { description: 'A page', schema: pageOf(summarySchema) } },
      async handle({ caller, query }) {
        return { status: 200, body: await listRequests(context, requirePerson(caller), query, query) };
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/statistics',
      id: 'privacyStatistics',
      tag: 'privacy',
      summary: 'Counts by right and outcome, and the time to an answer; no personal data',
      action: 'privacy_request.read',
      query: z.object({ from: whenSchema.optional(), to: whenSchema.optional() }),
      replies: {
        200: {
          description: 'Of requests received in the period; a year back unless told',
          schema: z.object({
            received: z.int(), open: z.int(), overdue: z.int(),
            byRight: z.array(z.object({ right: z.string(), outcome: z.string(), count: z.int(), medianDays: z.number().nullable() })),
          }),
        },
      },
      async handle({ query }) {
        const until = query.to === undefined ? clock.now() : readWhen(query.to, settings.timeZone, 'to');
        const yearBack = new Date(until.getTime() - 365 * 86_400_000);
        const from = query.from === undefined ? yearBack : readWhen(query.from, settings.timeZone, 'from');
        return { status: 200, body: await statisticsOf(context, from, until) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests',
      id: 'takeInPrivacyRequest',
      tag: 'privacy',
      summary: 'Take a request in; its clock starts at receipt',
      description: 'An objection closes what carries a number or e-mail address of the person to training at once.',
      action: 'privacy_request.handle',
      body: intakeSchema,
      replies: { 201: { description: 'Taken in', schema: requestSchema } },
      async handle({ caller, body }) {
        const person = requirePerson(caller);
        const { subject, authority, representative } = body;
        if (authority === undefined && !subject.name && !subject.emails?.length && !subject.phones?.length)
          throw new Problem('invalid-input', { errors: [{ path: 'subject.name', message: 'is needed, or an e-mail address or number' }] });
        const kind = body.requesterKind ?? (authority !== undefined ? 'authority' : body.employee ? 'employee' : representative ? 'representative' : 'person');
        if ((kind === 'authority') !== (authority !== undefined))
          throw new Problem('invalid-input', { errors: [{ path: 'authority', message: 'goes with requesterKind authority' }] });
        if (body.employee !== undefined && kind !== 'employee')
          throw new Problem('invalid-input', { errors: [{ path: 'employee', message: 'goes with requesterKind employee' }] });
        const id = await takeIn(context, person, {
          receivedAt: readWhen(body.receivedAt, settings.timeZone, 'receivedAt'),
          channel: body.channel, rights: body.rights, subject, representative: representative ?? null, requesterKind: kind,
          locale: body.locale, details: body.details ?? '', secret: authority?.secret === true, authority, employee: body.employee,
        });
        const shown = await presentRequest(context, person, id);
        return { status: 201, body: shown, headers: { Location: `/api/v1/privacy-requests/${id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}',
      id: 'readPrivacyRequest',
      tag: 'privacy',
      summary: 'The whole file of a request; without who it is about for the auditor',
      action: 'privacy_request.read',
      params: idParams,
      query: z.object({
        view: z.enum(['whole', 'outline']).default('whole')
          .meta({ description: '`outline`: without items, what is undecided and the timeline, which `counts` tells the number of' }),
      }),
      replies: { 200: { description: 'The file', schema: requestSchema } },
      async handle({ caller, params, query }) {
        return { status: 200, body: await presentRequest(context, requirePerson(caller), params.id, query.view) };
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/items',
      id: 'listPrivacyItems',
      tag: 'privacy',
      summary: 'What was found for a request, the newest first, page by page',
      action: 'privacy_request.read',
      params: idParams,
      query: z.object({
        kind: z.enum(['recording', 'ticket']).optional(),
        whose: z.enum(['theirs', 'others', 'open']).optional().meta({ description: '`open`: nobody has said whose it is' }),
        ...pageQuery,
      }),
      replies: { 200: { description: 'A page', schema: pageOf(itemSchema) } },
      async handle({ caller, params, query: { kind, whose, ...page } }) {
        return { status: 200, body: await presentItems(context, requirePerson(caller), params.id, { kind, whose }, page) };
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/timeline',
      id: 'listPrivacyEvents',
      tag: 'privacy',
      summary: 'What happened with a request, the newest first, page by page',
      action: 'privacy_request.read',
      params: idParams,
      query: z.object(pageQuery),
      replies: { 200: { description: 'A page', schema: pageOf(eventSchema) } },
      async handle({ caller, params, query }) {
        return { status: 200, body: await pageOfTimeline(context, requirePerson(caller), params.id, query) };
      },
    }),
    operation({
      method: 'patch',
      path: '/privacy-requests/{id}',
      id: 'completePrivacyRequest',
      tag: 'privacy',
      summary: 'Complete or correct what was taken in; rights can be added',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({
        subject: subjectSchema.optional(), rights: rightsSchema.optional(), representative: representativeSchema,
        requesterKind: z.enum(requesterKinds).exclude(['authority']).optional(), employee: employeeSchema.optional(), locale: z.enum(['nl', 'en']).optional(),
        details: text(20_000).optional(),
      }),
      replies: { 200: { description: 'Completed', schema: requestSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await complete(context, person, params.id, body);
        return { status: 200, body: await presentRequest(context, person, params.id) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/merge',
      id: 'mergePrivacyRequest',
      tag: 'privacy',
      summary: 'Merge a duplicate into another request; the earlier receipt counts',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({ into: idSchema }),
      replies: { 200: { description: 'The request that goes on', schema: requestSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await refuseKeptFrom(database, person, body.into);
        await refuseOver(context, body.into);
        await merge(context, person, params.id, body.into);
        return { status: 200, body: await presentRequest(context, person, body.into) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/notes',
      id: 'notePrivacyRequest',
      tag: 'privacy',
      summary: 'Put correspondence or a note on the timeline',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({
        direction: z.enum(['received', 'sent', 'internal']), channel: z.enum(channels).optional(), note: some(20_000),
      }),
      replies: { 200: { description: 'Noted', schema: requestSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await database.inTransaction(async (tx) => {
          const request = await lockOpenRequest(database, tx, params.id);
          const how = { direction: body.direction, ...(body.channel === undefined ? {} : { channel: body.channel }) };
          await record(platform, tx, person, request, 'noted', how, body.note);
        });
        return { status: 200, body: await presentRequest(context, person, params.id) };
      },
    }),
    ...flagOperations(context),
    ...stepOperations(context),
    ...answerOperations(context),
    ...remedyOperations(context),
    ...deliveryOperations(context),
    ...noticeOperations(context),
    ...portalOperations(context),
  ];
  return operations.map((each) => (each.path.startsWith('/privacy-requests/{id}') ? kept(context, each) : each));
}

/** The same operation, to which a request is not there for whoever may not handle it, and for nobody from its date on. */
function kept(context: PrivacyContext, each: Operation<Caller>): Operation<Caller> {
  return {
    ...each,
    problems: [...new Set([...(each.problems ?? []), 'not-found', 'retention-ended'] as const)],
    async handle(call) {
      const { id } = z.object({ id: idSchema }).parse(call.params);
      await refuseKeptFrom(context.platform.database, requirePerson(call.caller), id);
      await refuseOver(context, id);
      return await each.handle(call);
    },
  };
}

import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { readWhen, whenSchema } from '../retention/when.js';
import { approve, sendBack } from './approve.js';
import { close } from './close.js';
import { refusalGrounds } from './refusal-grounds.js';
import { decideItems } from './decide-items.js';
import { search } from './find.js';
import { checkIdentity, extend, identityMethods, pause, resume } from './identity.js';
import { itemSchema, requestSchema } from './file-schema.js';
import { presentRequest } from './present.js';
import { type PrivacyContext } from './request.js';
import { rights } from './rights.js';

/** The steps of a request: identity, clock, search, decisions, approval, closing. Each answers with the file as it then is. */

const some = (most: number) => z.string().trim().min(1).max(most);
const idParams = z.object({ id: idSchema });
const file = { 200: { description: 'The file as it is now', schema: requestSchema } };

const channelSchema = z.union([z.int().min(0).max(7), z.enum(['caller', 'agent'])]);
const maskSchema = z.array(
  z.object({
    startMs: z.number().min(0).max(86_400_000), endMs: z.number().min(0).max(86_400_000), channel: channelSchema.optional(),
  }),
).max(500);

const decisionSchema = z.object({
  itemId: idSchema,
  right: z.enum(rights).default('access'),
  decision: z.enum(['grant', 'partly', 'refuse', 'not_theirs']),
  reason: z.string().trim().max(4000).nullish().transform((told) => told || undefined),
  ground: z.enum(refusalGrounds).optional().meta({
    description: 'On what is refused, wholly or in part: one that carries a refusal of this right. `other` wants the article in the reason. ' +
      'Unless told, the article that the reason names, or the first ground of the right',
  }),
  reviewAt: whenSchema.optional().meta({ description: 'When a refusal to erase is looked at again' }),
  mask: maskSchema.optional().meta({
    description: 'Where somebody who is not involved is heard, in milliseconds of the playback copy; a channel, or all',
  }),
  passages: z.array(z.object({ pieceId: idSchema, start: z.int().min(0).optional(), end: z.int().min(1).optional() })).max(500).optional().meta({
    description: 'Of a ticket: what is made unreadable, by the characters of a message’s `bodyText`; a whole message or attachment without them',
  }),
  confirmed: z.boolean().optional().meta({
    description: 'This very item was looked at and is theirs: needed for several at once on a number that others use too',
  }),
});

/** Operations that take a request forward. */
export function stepOperations(context: PrivacyContext): Operation<Caller>[] {
  const { settings, platform: { clock } } = context;
  const answer = async (person: Person, id: string) => ({ status: 200, body: await presentRequest(context, person, id) });

  return [
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/identity',
      id: 'checkPrivacyIdentity',
      tag: 'privacy',
      summary: 'Record a check of who they are: method and outcome, never a document',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({
        method: z.enum(identityMethods), outcome: z.enum(['verified', 'doubt']),
        doubt: some(2000).optional().meta({ description: 'What gives rise to doubt; for a copy, why nothing lighter worked' }),
      }),
      replies: file,
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await checkIdentity(context, person, params.id, body);
        return await answer(person, params.id);
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/extend',
      id: 'extendPrivacyRequest',
      tag: 'privacy',
      summary: 'Extend to three months from receipt, once',
      description: 'The person is told, with the reasons, within the first month; told later, it is recorded as late.',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({ reason: some(2000) }),
      replies: file,
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await extend(context, person, params.id, body.reason);
        return await answer(person, params.id);
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/pause',
      id: 'pausePrivacyRequest',
      tag: 'privacy',
      summary: 'Stop the clock, for doubt about identity or for a clarification',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({ reason: some(2000), ground: z.enum(['identity', 'clarification']).optional() }),
      replies: file,
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await pause(context, person, params.id, body);
        return await answer(person, params.id);
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/resume',
      id: 'resumePrivacyRequest',
      tag: 'privacy',
      summary: 'Let the clock run on',
      action: 'privacy_request.handle',
      params: idParams,
      replies: file,
      problems: ['conflict'],
      async handle({ caller, params }) {
        const person = requirePerson(caller);
        await resume(context, person, params.id);
        return await answer(person, params.id);
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/search',
      id: 'searchPrivacyRequest',
      tag: 'privacy',
      summary: 'Look for the person; what is found is frozen for five days',
      description:
        'With what the request tells, and what is added here: other numbers and names, ticket numbers, or calls by extension and ' +
        'time where the number was withheld. Every search is recorded, also one that finds nothing.',
      action: 'privacy_request.handle',
      params: idParams,
      body: z
        .object({
          phones: z.array(some(40)).max(50).optional(),
          emails: z.array(some(320)).max(50).optional(),
          names: z.array(some(200)).max(20).optional(),
          organisation: some(200).optional(),
          tickets: z.array(some(80)).max(50).optional(),
          calls: z.array(z.object({ agent: some(80), from: whenSchema, to: whenSchema })).max(50).optional(),
        })
        .optional(),
      replies: {
        200: {
          description: 'Everything found for this request so far',
          schema: z.object({
            searchId: z.uuid(),
            recordings: z.array(itemSchema),
            tickets: z.array(itemSchema),
            found: z.object({ recordings: z.int(), tickets: z.int() }).meta({ description: 'By this search' }),
            sharedNumbers: z.array(z.string()).meta({ description: 'Several people or organisations are seen on them' }),
            more: z.boolean().meta({ description: 'There is more than one search takes: narrow it, or ask the person' }),
            frozenUntil: z.iso.datetime(),
          }),
        },
      },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const calls = body?.calls?.map((call, index) => ({
          agent: call.agent,
          from: readWhen(call.from, settings.timeZone, `calls.${index}.from`),
          until: readWhen(call.to, settings.timeZone, `calls.${index}.to`),
        }));
        const result = await search(context, person, params.id, { ...body, calls });
        const { items } = await presentRequest(context, person, params.id);
        return {
          status: 200,
          body: {
            searchId: result.searchId,
            recordings: items.filter(({ kind }) => kind === 'recording'),
            tickets: items.filter(({ kind }) => kind === 'ticket'),
            found: { recordings: result.recordings, tickets: result.tickets },
            sharedNumbers: result.sharedNumbers,
            more: result.more,
            frozenUntil: result.frozenUntil.toISOString(),
          },
        };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/items',
      id: 'decidePrivacyItems',
      tag: 'privacy',
      summary: 'Decide item by item and right by right; all of the decisions are taken, or none',
      description:
        'A decision confirms that the item is theirs: it is kept while the request is open. A restriction works from here on. ' +
        'Refusing, granting in part and deciding otherwise than the law has by default need a reason.',
      action: 'privacy_request.handle',
      params: idParams,
      query: z.object({
        view: z.enum(['whole', 'changed']).default('whole')
          .meta({ description: '`changed`: of items, what is undecided and the timeline only what these decisions touched' }),
      }),
      body: z.object({ decisions: z.array(decisionSchema).min(1).max(5000) }),
      bodyLimitBytes: 8 * 1024 * 1024,
      replies: file,
      problems: ['conflict', 'retention-ended'],
      async handle({ caller, params, query, body }) {
        const person = requirePerson(caller);
        const since = clock.now();
        await decideItems(context, person, params.id, body.decisions.map((told, index) => ({
          ...told,
          reviewAt: told.reviewAt === undefined ? undefined : readWhen(told.reviewAt, settings.timeZone, `decisions.${index}.reviewAt`),
        })));
        const items = [...new Set(body.decisions.map(({ itemId }) => itemId))];
        return { status: 200, body: await presentRequest(context, person, params.id, query.view === 'whole' ? 'whole' : { items, since }) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/approve',
      id: 'approvePrivacyRequest',
      tag: 'privacy',
      summary: 'Another officer approves; erasure is carried out',
      description:
        'With `revision` only what was seen is approved: `changed-meanwhile` when the file was changed since. ' +
        'With FOUR_EYES=recorded whoever decided may approve, with a reason, which is marked in the file.',
      action: 'privacy_request.approve',
      params: idParams,
      body: z
        .object({
          reason: some(2000).optional(),
          revision: z.string().max(40).optional().meta({ description: 'As the file had it when it was looked at' }),
        })
        .optional(),
      replies: file,
      problems: ['conflict', 'changed-meanwhile'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await approve(context, person, params.id, body ?? {});
        return await answer(person, params.id);
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/send-back',
      id: 'sendBackPrivacyRequest',
      tag: 'privacy',
      summary: 'Take an approval back, so that it is decided anew; until the answer is out',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({ reason: some(2000) }),
      replies: file,
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await sendBack(context, person, params.id, body.reason);
        return await answer(person, params.id);
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/close',
      id: 'closePrivacyRequest',
      tag: 'privacy',
      summary: 'Close the request: answered, or without an answer for a reason',
      action: 'privacy_request.handle',
      params: idParams,
      body: z
        .object({
          outcome: z.enum(['answered', 'forwarded', 'withdrawn', 'no_answer']).default('answered'),
          reason: some(4000).optional(),
          forwardedTo: some(500).optional().meta({ description: 'The company that decides about the data' }),
        })
        .optional(),
      replies: file,
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await close(context, person, params.id, body ?? { outcome: 'answered' });
        return await answer(person, params.id);
      },
    }),
  ];
}

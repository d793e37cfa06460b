import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { requestSchema } from './file-schema.js';
import { liftRestrictions } from './lift.js';
import { markTold, notificationsOf } from './notify.js';
import { presentRequest } from './present.js';
import { rectifiable, rectificationsOf, rectify } from './rectify.js';
import { findRequest, type PrivacyContext } from './request.js';

/** What follows from a decision: corrections and statements, and telling earlier recipients. */

const some = (most: number) => z.string().trim().min(1).max(most);
const instant = z.iso.datetime();

const rectificationSchema = z.object({
  id: z.uuid(), recordingId: z.uuid().nullable(), ticketId: z.uuid().nullable(), field: z.string().nullable(),
  oldValue: z.string().nullable(), newValue: z.string().nullable(), statement: z.string().nullable(), by: z.uuid(), at: instant,
});
const notificationSchema = z.object({
  id: z.uuid(), right: z.string(), packageId: z.uuid(), recipient: z.string(),
  reference: z.string().nullable().meta({ description: 'Of what they were given' }), disclosedAt: instant.nullable(), toldAt: instant.nullable(),
  toldBy: z.uuid().nullable(), impossibleReason: z.string().nullable(),
});
const rectifications = z.object({ items: z.array(rectificationSchema) });
const notifications = z.object({ items: z.array(notificationSchema) });

/** Rectifications and notifications. */
export function remedyOperations(context: PrivacyContext): Operation<Caller>[] {
  const { database } = context.platform;
  const listedRectifications = async (id: string) => ({
    items: (await rectificationsOf(database, id)).map((row) => ({ ...row, at: row.at.toISOString() })),
  });
  const listedNotifications = async (id: string) => ({
    items: (await notificationsOf(database, id)).map((row) => ({
      ...row, toldAt: row.toldAt?.toISOString() ?? null, disclosedAt: row.disclosedAt?.toISOString() ?? null,
    })),
  });
  const idParams = z.object({ id: idSchema });
  return [
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/rectifications',
      id: 'listRectifications',
      tag: 'privacy',
      summary: 'What was corrected for a request, with what stood there before',
      action: 'privacy_request.handle',
      params: idParams,
      replies: { 200: { description: 'Oldest first', schema: rectifications } },
      async handle({ params }) {
        await findRequest(database, params.id);
        return { status: 200, body: await listedRectifications(params.id) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/items/{itemId}/rectifications',
      id: 'rectifyItem',
      tag: 'privacy',
      summary: 'Attach the person’s statement, or correct a field; audio is never altered',
      action: 'privacy_request.handle',
      params: z.object({ id: idSchema, itemId: idSchema }),
      body: z.union([z.strictObject({ statement: some(10_000) }), z.strictObject({ field: z.enum(rectifiable), value: some(1000) })]),
      replies: { 201: { description: 'All of them', schema: rectifications } },
      problems: ['conflict', 'retention-ended'],
      async handle({ caller, params, body }) {
        await rectify(context, requirePerson(caller), params, body);
        return { status: 201, body: await listedRectifications(params.id) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/lift',
      id: 'liftPrivacyRestrictions',
      tag: 'privacy',
      summary: 'Lift what a closed request restricted (art. 18(3)): two weeks after the letter `lifting`, or where the person agrees',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({
        reason: some(2000),
        agreed: z.boolean().default(false).meta({ description: 'The person asked for it, or agrees' }),
      }),
      replies: { 200: { description: 'The request', schema: requestSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await liftRestrictions(context, person, params.id, body);
        return { status: 200, body: await presentRequest(context, person, params.id) };
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/notifications',
      id: 'listPrivacyNotifications',
      tag: 'privacy',
      summary: 'Earlier recipients of what is corrected, erased or restricted (art. 19)',
      action: 'privacy_request.handle',
      params: idParams,
      replies: { 200: { description: 'The list', schema: notifications } },
      async handle({ params }) {
        await findRequest(database, params.id);
        return { status: 200, body: await listedNotifications(params.id) };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/notifications/{notificationId}',
      id: 'markRecipientTold',
      tag: 'privacy',
      summary: 'This recipient was told, or could not be',
      action: 'privacy_request.handle',
      params: z.object({ id: idSchema, notificationId: idSchema }),
      body: z.object({ impossibleReason: some(2000).optional() }).optional(),
      replies: { 200: { description: 'The list', schema: notifications } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        await markTold(context, requirePerson(caller), params, body?.impossibleReason);
        return { status: 200, body: await listedNotifications(params.id) };
      },
    }),
  ];
}

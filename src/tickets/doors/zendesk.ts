import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { operation, type Operation } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import { readRequester, speaksOf, type DeliveredMessage, type Delivery, type DeliveryContext, type NamedAttachment } from '../delivery.js';
import type { TicketFields } from '../merge.js';
import { categories, type Requester, type TicketCategory } from '../ticket.js';
import { machineOf, type TicketDoor } from './door.js';
import { instantOf, type Loose, objectOf, storable, textOf, told } from './loose.js';
import {
  hmac, parseJsonObject, readRawBody, receiveOnce, requireRecent, sameBytes, signingSecretOf, wrongSignature,
} from './webhook.js';
import { webhookReply } from './zammad.js';

/**
 * Zendesk's webhook: `X-Zendesk-Webhook-Signature` is the HMAC-SHA256, in base64, of the timestamp header and the body.
 * Zendesk makes the secret, so it is set here (`PUT /tickets/webhook-secret`). Two kinds of body are read: its own ticket
 * events, which name people by id only, and what a trigger sends after the template in docs/helpdesk/zendesk.md.
 *
 * https://developer.zendesk.com/documentation/webhooks/verifying/
 * https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events
 */

/** @throws Problem `unauthenticated` */
export function checkZendeskSignature(
  body: Buffer,
  headers: { signature: string | undefined; timestamp: string | undefined },
  secret: string,
  now: Date,
): void {
  const { signature, timestamp } = headers;
  if (signature === undefined || timestamp === undefined)
    throw wrongSignature('X-Zendesk-Webhook-Signature or its timestamp is missing.');
  if (!sameBytes(Buffer.from(signature, 'base64'), hmac('sha256', secret, timestamp, body)))
    throw wrongSignature('X-Zendesk-Webhook-Signature does not fit the body.');
  requireRecent(new Date(timestamp), now);
}

function requesterOf(person: Loose, ticket: Loose, country: string): Requester | undefined {
  if (Object.keys(person).length === 0) return undefined;
  return readRequester(
    {
      name: textOf(person['name'], 300),
      email: textOf(person['email'], 320),
      phone: textOf(person['phone'], 200),
      organisation: textOf(person['organization'], 300) ?? textOf(ticket['organization'], 300),
      relation: null,
    },
    country,
  );
}

function messageOf(comment: Loose, fallback: Date, context: DeliveryContext): DeliveredMessage | undefined {
  const externalId = textOf(comment['id'], 200);
  const html = comment['html_body'];
  const body = typeof html === 'string' ? html : comment['body'];
  if (externalId === undefined || typeof body !== 'string') return undefined;
  const staff = objectOf(comment['author'])['is_staff'];
  const isPublic = comment['is_public'] ?? comment['public'];
  return {
    externalId,
    at: instantOf(comment['created_at'], context) ?? fallback,
    from: staff === true || staff === 'true' ? 'agent' : 'customer',
    internal: isPublic === false || isPublic === 'false',
    body: storable(body),
    contentType: typeof html === 'string' ? 'text/html' : 'text/plain',
  };
}

function attachmentOf(attachment: Loose, comment: Loose, suppliedAt: Date): NamedAttachment[] {
  const externalId = textOf(attachment['id'], 200);
  const url = textOf(attachment['content_url'], 2_000);
  if (externalId === undefined || url === undefined || !URL.canParse(url)) return [];
  return [
    {
      externalId,
      messageExternalId: textOf(comment['id'], 200) ?? null,
      fileName: textOf(attachment['filename'], 300) ?? externalId,
      contentType: textOf(attachment['content_type'], 100) ?? 'application/octet-stream',
      suppliedAt,
      url,
    },
  ];
}

/**
 * Reads an event or the body of a trigger.
 * @returns undefined for events that are about something else than a ticket
 * @throws Problem `invalid-input` when it does not name its ticket
 */
export function readZendesk(
  payload: Loose,
  category: TicketCategory | undefined,
  context: DeliveryContext,
): { externalId: string; delivery: Delivery } | undefined {
  const type = textOf(payload['type'], 200);
  if (type !== undefined && !type.startsWith('zen:event-type:ticket.')) return undefined;
  const event = objectOf(payload['event']);
  const ticket = objectOf(type === undefined ? payload['ticket'] : payload['detail']);
  const comment = objectOf(type === undefined ? payload['comment'] : event['comment']);
  const externalId = textOf(ticket['id'], 200);
  if (externalId === undefined) throw new Problem('invalid-input', { errors: [{ path: 'ticket.id', message: 'is required' }] });
  const eventAt = instantOf(payload['time'], context);
  const updatedAt = instantOf(ticket['updated_at'], context) ?? eventAt ?? null;
  const createdAt = instantOf(ticket['created_at'], context);
  const message = messageOf(comment, eventAt ?? updatedAt ?? context.now, context);
  const messages = message === undefined ? [] : [message];
  const status = textOf(ticket['status'], 80)?.toLowerCase();
  const fields = told<TicketFields>({
    number: externalId,
    subject: textOf(ticket['subject'] ?? ticket['title'], 1_000),
    category,
    status,
    requester: requesterOf(objectOf(ticket['requester']), ticket, context.country),
    agent: textOf(objectOf(ticket['assignee'])['email'], 320)?.toLowerCase(),
    createdAt,
    closedAt: status === undefined ? undefined : status === 'closed' || status === 'solved' ? (updatedAt ?? undefined) : null,
  });
  const spoken = speaksOf(updatedAt, [createdAt ?? null, ...messages.map(({ at }) => at)], context.now);
  const attachments = attachmentOf(objectOf(event['attachment']), comment, eventAt ?? updatedAt ?? context.now);
  return { externalId, delivery: { ...spoken, fields, messages, attachments } };
}

/** The door for Zendesk. */
export function zendeskDoor(door: TicketDoor): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/push/{key}/zendesk',
      id: 'pushZendesk',
      tag: 'tickets',
      summary: "Zendesk's webhook: ticket events, or a trigger with the documented template",
      description: 'Signed with the secret that Zendesk shows, set before with `PUT /tickets/webhook-secret`.',
      action: 'ticket.push',
      params: z.object({ key: z.string() }),
      query: z.object({ category: z.enum(categories).optional() }),
      upload: { 'application/json': { schema: z.looseObject({}) } },
      replies: {
        200: { description: 'Taken, taken before, or about something else', schema: webhookReply },
        201: { description: 'A new ticket', schema: webhookReply },
      },
      problems: ['invalid-request', 'invalid-input', 'retention-over', 'too-large', 'storage-unavailable'],
      async handle({ caller, params, query, request }) {
        const machine = machineOf(caller);
        const body = await readRawBody(request);
        checkZendeskSignature(
          body,
          { signature: request.get('X-Zendesk-Webhook-Signature'), timestamp: request.get('X-Zendesk-Webhook-Signature-Timestamp') },
          (await signingSecretOf(door, machine)) ?? params.key,
          door.platform.clock.now(),
        );
        const payload = parseJsonObject(body);
        // An event has an id of its own; a trigger's request has that of its invocation, the same at each repetition.
        const id = textOf(payload['type']) === undefined ? undefined : textOf(payload['id'], 200);
        return await receiveOnce(door, machine, id ?? textOf(request.get('X-Zendesk-Webhook-Invocation-Id'), 200), body, () =>
          readZendesk(payload, query.category, door.deliveryContext(machine)),
        );
      },
    }),
  ];
}

import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { operation, type Operation } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import { readRequester, speaksOf, type DeliveredMessage, type Delivery, type DeliveryContext, type NamedAttachment } from '../delivery.js';
import type { TicketFields } from '../merge.js';
import { categories, type Requester, type TicketCategory } from '../ticket.js';
import { machineOf, type TicketDoor } from './door.js';
import { instantOf, listOf, type Loose, nameOf, objectOf, storable, textOf, told } from './loose.js';
import { hmac, parseJsonObject, readRawBody, receiveOnce, sameBytes, signingSecretOf, wrongSignature } from './webhook.js';

/**
 * Zammad's webhook as it is sent: `X-Hub-Signature: sha1=…` is the HMAC-SHA1 of the body, `X-Zammad-Delivery` its id; the
 * body tells of a ticket and the article that caused it. Attachments are only linked to.
 *
 * https://admin-docs.zammad.org/en/latest/manage/webhook/payload.html
 */

/** @throws Problem `unauthenticated` when the signature is missing or wrong */
export function checkZammadSignature(body: Buffer, header: string | undefined, secret: string): void {
  const given = /^sha1=([0-9a-f]{40})$/i.exec(header?.trim() ?? '')?.[1];
  if (given === undefined)
    throw wrongSignature('X-Hub-Signature is missing: enter the key as HMAC SHA1 signature token of the webhook.');
  if (!sameBytes(Buffer.from(given, 'hex'), hmac('sha1', secret, body)))
    throw wrongSignature('X-Hub-Signature does not fit the body.');
}

function requesterOf(ticket: Loose, country: string): Requester | undefined {
  const customer = ticket['customer'];
  // A customised payload may hold the login alone, which is mostly the e-mail address.
  if (typeof customer === 'string') return customer.includes('@') ? readRequester({ email: textOf(customer, 320) }, country) : undefined;
  const person = objectOf(customer);
  if (Object.keys(person).length === 0) return undefined;
  const name = [textOf(person['firstname'], 150), textOf(person['lastname'], 150)].filter(Boolean).join(' ');
  return readRequester(
    {
      name: name === '' ? nameOf(person['fullname']) : name,
      email: textOf(person['email'], 320) ?? emailOf(person['login']),
      phone: textOf(person['phone'], 200) ?? textOf(person['mobile'], 200),
      organisation: nameOf(person['organization']) ?? nameOf(ticket['organization']),
      relation: textOf(person['relation']) ?? null,
    },
    country,
  );
}

const emailOf = (value: unknown) => {
  const text = textOf(value, 320);
  return text?.includes('@') === true ? text : undefined;
};

function messageOf(article: Loose, fallback: Date, context: DeliveryContext): DeliveredMessage | undefined {
  const externalId = textOf(article['id'], 200);
  const body = article['body'];
  if (externalId === undefined || typeof body !== 'string') return undefined;
  return {
    externalId,
    at: instantOf(article['created_at'], context) ?? fallback,
    from: nameOf(article['sender'])?.toLowerCase() === 'customer' ? 'customer' : 'agent',
    internal: article['internal'] === true || article['internal'] === 'true',
    body: storable(body),
    contentType: /html/i.test(textOf(article['content_type']) ?? '') ? 'text/html' : 'text/plain',
  };
}

function attachmentsOf(article: Loose, message: DeliveredMessage | undefined, fallback: Date): NamedAttachment[] {
  return listOf(article['attachments']).flatMap((item) => {
    const attachment = objectOf(item);
    const externalId = textOf(attachment['id'], 200);
    const url = textOf(attachment['url'], 2_000);
    if (externalId === undefined || url === undefined || !URL.canParse(url)) return [];
    const preferences = objectOf(attachment['preferences']);
    return [
      {
        externalId,
        messageExternalId: message?.externalId ?? null,
        fileName: textOf(attachment['filename'], 300) ?? textOf(attachment['name'], 300) ?? externalId,
        contentType: textOf(preferences['Mime-Type'], 100) ?? textOf(preferences['Content-Type'], 100) ?? 'application/octet-stream',
        suppliedAt: message?.at ?? fallback,
        url,
      },
    ];
  });
}

/**
 * Reads a payload, the default one or a customised one.
 * @throws Problem `invalid-input` when it does not name its ticket
 */
export function readZammad(
  payload: Loose,
  category: TicketCategory | undefined,
  context: DeliveryContext,
): { externalId: string; delivery: Delivery } {
  const ticket = objectOf(payload['ticket']);
  const externalId = textOf(ticket['id'], 200) ?? textOf(payload['ticket_id'], 200);
  if (externalId === undefined) throw new Problem('invalid-input', { errors: [{ path: 'ticket.id', message: 'is required' }] });
  const createdAt = instantOf(ticket['created_at'], context);
  const updatedAt = instantOf(ticket['updated_at'], context) ?? null;
  const closedAt = instantOf(ticket['close_at'], context);
  const fallback = updatedAt ?? context.now;
  const articles = [payload['article'], ...listOf(payload['articles'])].map(objectOf);
  const messages: DeliveredMessage[] = [];
  const attachments: NamedAttachment[] = [];
  for (const article of articles) {
    const message = messageOf(article, fallback, context);
    if (message !== undefined && messages.some((each) => each.externalId === message.externalId)) continue;
    if (message !== undefined) messages.push(message);
    attachments.push(...attachmentsOf(article, message, fallback));
  }
  const fields = told<TicketFields>({
    number: textOf(ticket['number'], 80),
    subject: textOf(ticket['title'], 1_000),
    category,
    status: nameOf(ticket['state'], 80),
    requester: requesterOf(ticket, context.country),
    agent: emailOf(objectOf(ticket['owner'])['email'])?.toLowerCase(),
    createdAt,
    closedAt: Object.hasOwn(ticket, 'close_at') ? (closedAt ?? null) : undefined,
  });
  const spoken = speaksOf(updatedAt, [createdAt ?? null, closedAt ?? null, ...messages.map(({ at }) => at)], context.now);
  return { externalId, delivery: { ...spoken, fields, messages, attachments } };
}

export const webhookReply = z.object({
  id: z.uuid().nullable(),
  outcome: z.enum(['created', 'taken', 'repeated', 'ignored']),
});

/** The door for Zammad. */
export function zammadDoor(door: TicketDoor): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/push/{key}/zammad',
      id: 'pushZammad',
      tag: 'tickets',
      summary: "Zammad's webhook, as it is sent",
      description:
        'The key is also the HMAC SHA1 signature token, unless another was set with `PUT /tickets/webhook-secret`. A delivery without the right signature is refused.',
      action: 'ticket.push',
      params: z.object({ key: z.string() }),
      query: z.object({ category: z.enum(categories).optional().meta({ description: 'Of every ticket this trigger sends' }) }),
      upload: { 'application/json': { schema: z.looseObject({}).meta({ description: 'The payload, default or customised' }) } },
      replies: {
        200: { description: 'Taken, or taken before', schema: webhookReply },
        201: { description: 'A new ticket', schema: webhookReply },
      },
      problems: ['invalid-request', 'invalid-input', 'retention-over', 'too-large', 'storage-unavailable'],
      async handle({ caller, params, query, request }) {
        const machine = machineOf(caller);
        const body = await readRawBody(request);
        checkZammadSignature(body, request.get('X-Hub-Signature'), (await signingSecretOf(door, machine)) ?? params.key);
        return await receiveOnce(door, machine, textOf(request.get('X-Zammad-Delivery'), 200), body, () =>
          readZammad(parseJsonObject(body), query.category, door.deliveryContext(machine)),
        );
      },
    }),
  ];
}

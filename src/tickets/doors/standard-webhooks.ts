import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { operation, parse, type Operation } from '../../platform/http.js';
import { deliverySchema, readDelivery } from '../delivery.js';
import { machineOf, type TicketDoor } from './door.js';
import { textOf } from './loose.js';
import {
  hmac, parseJsonObject, readRawBody, receiveOnce, requireRecent, sameBytes, signingSecretOf, wrongSignature,
} from './webhook.js';
import { webhookReply } from './zammad.js';

/**
 * Any sender that signs as Standard Webhooks says: `webhook-id`, `webhook-timestamp` and `webhook-signature` over
 * `id.timestamp.body`. `data` is a ticket in the form of this API, with its `externalId`.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

export interface StandardHeaders {
  id: string | undefined;
  /** Seconds since 1970. */
  timestamp: string | undefined;
  signature: string | undefined;
}

/** `whsec_` and base64 as the specification writes secrets; anything else is taken for the bytes themselves. */
export const secretBytes = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret, 'utf8');

/** @throws Problem `unauthenticated` */
export function checkStandardSignature(body: Buffer, headers: StandardHeaders, secret: string, now: Date): void {
  const { id, timestamp, signature } = headers;
  if (id === undefined || timestamp === undefined || signature === undefined)
    throw wrongSignature('webhook-id, webhook-timestamp or webhook-signature is missing.');
  const expected = hmac('sha256', secretBytes(secret), `${id}.${timestamp}.`, body);
  // Several while a secret is being replaced.
  const given = signature.split(' ').flatMap((each) => (each.startsWith('v1,') ? [Buffer.from(each.slice(3), 'base64')] : []));
  if (!given.some((each) => sameBytes(each, expected))) throw wrongSignature('webhook-signature does not fit the body.');
  requireRecent(/^\d{1,12}$/.test(timestamp) ? new Date(Number(timestamp) * 1000) : undefined, now);
}

const envelope = z.object({
  type: z.string().max(200),
  timestamp: z.string().max(40).optional(),
  data: z.looseObject({ externalId: z.string().trim().min(1).max(200) }),
});

/** The door for Standard Webhooks. */
export function standardWebhooksDoor(door: TicketDoor): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/push/{key}/webhook',
      id: 'pushStandardWebhook',
      tag: 'tickets',
      summary: 'A ticket from any sender that signs as Standard Webhooks says',
      description: 'Signed with the key itself, unless another secret was set with `PUT /tickets/webhook-secret`.',
      action: 'ticket.push',
      params: z.object({ key: z.string() }),
      upload: {
        'application/json': {
          schema: envelope.extend({ data: deliverySchema.extend({ externalId: z.string() }).meta({ id: 'TicketEvent' }) }),
        },
      },
      replies: {
        200: { description: 'Taken, taken before, or about something else', schema: webhookReply },
        201: { description: 'A new ticket', schema: webhookReply },
      },
      problems: ['invalid-request', 'invalid-input', 'retention-over', 'too-large', 'storage-unavailable'],
      async handle({ caller, params, request }) {
        const machine = machineOf(caller);
        const body = await readRawBody(request);
        const headers = {
          id: request.get('webhook-id'),
          timestamp: request.get('webhook-timestamp'),
          signature: request.get('webhook-signature'),
        };
        checkStandardSignature(body, headers, (await signingSecretOf(door, machine)) ?? params.key, door.platform.clock.now());
        return await receiveOnce(door, machine, textOf(headers.id, 200), body, () => {
          const told = parseJsonObject(body);
          if (!String(told['type']).startsWith('ticket.')) return undefined;
          const { data, timestamp } = parse(envelope, told);
          const { externalId, ...ticket } = data;
          const context = door.deliveryContext(machine);
          // Without an instant of the ticket's own, that of the event says which of two is newer.
          return { externalId, delivery: readDelivery({ updatedAt: timestamp, ...ticket }, context) };
        });
      },
    }),
  ];
}

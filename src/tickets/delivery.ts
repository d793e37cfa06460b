import { z } from 'zod';
import { parse } from '../platform/http.js';
import { Problem, type FieldFault } from '../platform/problem.js';
import { normaliseNumber } from '../recordings/numbers.js';
import { readInstant } from '../recordings/times.js';
import type { TicketFields } from './merge.js';
import { categories, relations, type Requester, type Sender } from './ticket.js';

/** What a helpdesk tells of a ticket, whichever way it tells it: every door makes one of these. */

export interface DeliveredMessage {
  externalId: string;
  at: Date;
  from: Sender;
  internal: boolean;
  /** As received: plain text, or HTML that is shown only sanitised. */
  body: string;
  contentType: 'text/plain' | 'text/html';
}

/** An attachment that is only named: its bytes are fetched from the helpdesk. */
export interface NamedAttachment {
  externalId: string;
  messageExternalId: string | null;
  fileName: string;
  contentType: string;
  suppliedAt: Date;
  url: string;
}

export interface Delivery {
  /** The instant of which it speaks: what decides between two that tell of the same field. */
  at: Date;
  /** Whether the helpdesk said so itself (`updatedAt`). */
  exact: boolean;
  fields: Partial<TicketFields>;
  messages: DeliveredMessage[];
  attachments: NamedAttachment[];
}

/** What a delivery is read against. */
export interface DeliveryContext {
  timeZone: string;
  country: string;
  now: Date;
}

const line = (max: number) => z.string().trim().max(max);
const instantText = line(40);
const longestBody = 4 * 1024 * 1024;
const mostMessages = 2_000;

const messageSchema = z.object({
  externalId: line(200).min(1, 'is required'),
  at: instantText.min(1, 'is required'),
  from: z.enum(['customer', 'agent']),
  internal: z.boolean().default(false),
  body: z.string().max(longestBody),
  contentType: line(100).default('text/plain').meta({ description: '`text/plain` or `text/html`' }),
});

/** The body of `PUT /tickets/by-external/{externalId}`. A field that is left out keeps what was told of it before. */
export const deliverySchema = z
  .object({
    number: line(80).min(1).optional().meta({ description: 'As people know it; the external id when never told' }),
    subject: line(1_000).optional(),
    category: z.enum(categories).optional(),
    requester: z
      .object({
        name: line(300).nullish(),
        email: line(320).nullish(),
        phone: line(200).nullish(),
        organisation: line(300).nullish(),
        relation: z.enum(relations).nullish(),
      })
      .nullish(),
    status: line(80).min(1).optional(),
    agent: line(320).nullish().meta({ description: 'Extension or e-mail address of the agent who handles it' }),
    createdAt: instantText.nullish(),
    closedAt: instantText.nullish(),
    updatedAt: instantText.nullish().meta({
      description: 'When the helpdesk last changed the ticket. With it, deliveries may arrive in any order.',
    }),
    messages: z.array(messageSchema).max(mostMessages).default([]),
  })
  .meta({ id: 'TicketDelivery' });

export type DeliveryInput = z.input<typeof deliverySchema>;

const dayMs = 86_400_000;

class Reader {
  readonly faults: FieldFault[] = [];

  constructor(readonly context: DeliveryContext) {}

  /** An instant, or null where none was told. */
  instant(told: string | null | undefined, path: string): Date | null {
    if (told === undefined || told === null || told === '') return null;
    const read = readInstant(told, this.context.timeZone);
    if (read === undefined) this.faults.push({ path, message: 'is not an instant such as 2026-03-01T09:15:00+01:00' });
    else if (read.getTime() > this.context.now.getTime() + dayMs) this.faults.push({ path, message: 'lies more than a day ahead' });
    else return read;
    return null;
  }

  /** For what must be there: faults were noted when it is not. */
  required(told: string, path: string): Date {
    return this.instant(told, path) ?? new Date(0);
  }
}

const orNull = (told: string | null | undefined) => (told === undefined || told === null || told === '' ? null : told);

/** The requester with number and address in their one form. */
export function readRequester(
  told: Partial<Record<keyof Requester, string | null | undefined>>,
  country: string,
): Requester {
  return {
    name: orNull(told.name),
    email: orNull(told.email)?.toLowerCase() ?? null,
    phone: normaliseNumber(told.phone, country),
    organisation: orNull(told.organisation),
    relation: relations.find((relation) => relation === told.relation) ?? null,
  };
}

const contentTypeOf = (told: string) => (/^\s*text\/html\b/i.test(told) ? 'text/html' : 'text/plain') as 'text/html' | 'text/plain';

/**
 * Reads a delivery in the form of this service.
 * @throws Problem `invalid-input` with every fault at once.
 */
export function readDelivery(input: unknown, context: DeliveryContext): Delivery {
  const told = parse(deliverySchema, input);
  const reader = new Reader(context);
  const createdAt = reader.instant(told.createdAt, 'createdAt');
  const closedAt = reader.instant(told.closedAt, 'closedAt');
  const updatedAt = reader.instant(told.updatedAt, 'updatedAt');
  const messages = told.messages.map((message, index) => ({
    externalId: message.externalId,
    at: reader.required(message.at, `messages.${index}.at`),
    from: message.from,
    internal: message.internal,
    body: message.body,
    contentType: contentTypeOf(message.contentType),
  }));
  const ids = messages.map((message) => message.externalId);
  ids.forEach((id, index) => {
    if (ids.indexOf(id) !== index) reader.faults.push({ path: `messages.${index}.externalId`, message: 'is given twice' });
  });
  if (reader.faults.length > 0) throw new Problem('invalid-input', { errors: reader.faults });

  const fields: Partial<TicketFields> = {
    ...(told.number === undefined ? {} : { number: told.number }),
    ...(told.subject === undefined ? {} : { subject: told.subject }),
    ...(told.category === undefined ? {} : { category: told.category }),
    ...(told.status === undefined ? {} : { status: told.status }),
    ...(told.agent === undefined ? {} : { agent: orNull(told.agent)?.toLowerCase() ?? null }),
    ...(told.requester === undefined ? {} : { requester: readRequester(told.requester ?? {}, context.country) }),
    ...(createdAt === null ? {} : { createdAt }),
    ...(told.closedAt === undefined ? {} : { closedAt }),
  };
  return { ...speaksOf(updatedAt, [createdAt, closedAt, ...messages.map(({ at }) => at)], context.now), fields, messages, attachments: [] };
}

/** The instant of a delivery: the helpdesk's own, else the latest one it holds, else that of its receipt. */
export function speaksOf(updatedAt: Date | null, others: readonly (Date | null)[], now: Date): { at: Date; exact: boolean } {
  if (updatedAt !== null) return { at: updatedAt, exact: true };
  const known = others.flatMap((instant) => (instant === null ? [] : [instant.getTime()]));
  return { at: known.length === 0 ? now : new Date(Math.max(...known)), exact: false };
}

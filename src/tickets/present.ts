import { z } from 'zod';
import type { Role } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { maskNumber } from '../recordings/present.js';
import type { FoundTicket } from './find-tickets.js';
import { countImages, safeHtml } from './html.js';
import { bases } from './link.js';
import type { LinkedRecording, ShownPiece } from './read-ticket.js';
import { categories, relations } from './ticket.js';

/**
 * A ticket as the API shows it. Officers see all of it; trainers its number, state and dates and the calls beside it, to
 * know what a call was about without reading what a customer wrote.
 */

const requester = z.object({
  name: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  organisation: z.string().nullable(),
  relation: z.enum(relations).nullable(),
});

const summary = {
  id: z.uuid(),
  source: z.string().meta({ description: 'Name of the helpdesk it came from' }),
  sourceId: z.uuid(),
  externalId: z.string(),
  number: z.string(),
  subject: z.string().nullable(),
  category: z.enum(categories),
  status: z.string(),
  requester: requester.nullable(),
  agent: z.string().nullable(),
  createdAt: z.iso.datetime(),
  closedAt: z.iso.datetime().nullable(),
  receivedAt: z.iso.datetime(),
  retainUntil: z.iso.datetime().meta({ description: 'Of its last piece; each piece has a date of its own' }),
  held: z.boolean(),
  restricted: z.boolean(),
};

export const ticketSummarySchema = z.object(summary).meta({ id: 'TicketSummary' });

const messageSchema = z.object({
  id: z.uuid(),
  externalId: z.string(),
  at: z.iso.datetime(),
  from: z.enum(['customer', 'agent']),
  internal: z.boolean(),
  contentType: z.string(),
  body: z.string().meta({ description: 'What may be shown: sanitised where it is HTML' }),
  bodyText: z.string().meta({ description: 'The words alone' }),
  bodyHtml: z.string().nullable().meta({ description: 'Sanitised mark-up without images; null where it is plain text' }),
  imagesLeftOut: z.int().meta({ description: 'Of `bodyHtml`: images are never shown, for loading one tells its sender of it' }),
  versions: z.int().meta({ description: 'How many were delivered; the one told last is shown' }),
  sha256: z.string(),
  suppliedAt: z.iso.datetime().meta({ description: 'What its period is counted from' }),
  retainUntil: z.iso.datetime(),
});

export const attachmentSchema = z
  .object({
    id: z.uuid(),
    externalId: z.string(),
    messageExternalId: z.string().nullable(),
    fileName: z.string(),
    contentType: z.string(),
    bytes: z.int(),
    sha256: z.string(),
    scan: z.enum(['none', 'pending', 'clean', 'infected']).meta({ description: '`none` where no malware scanner is configured' }),
    suppliedAt: z.iso.datetime(),
    retainUntil: z.iso.datetime(),
  })
  .meta({ id: 'TicketAttachment' });

export const linkedRecordingSchema = z.object({
  id: z.uuid(),
  startedAt: z.iso.datetime(),
  durationMs: z.int(),
  state: z.enum(['received', 'ready', 'failed']),
  direction: z.enum(['inbound', 'outbound', 'internal']),
  caller: z.object({ number: z.string().nullable(), name: z.string().nullable() }),
  callee: z.object({ number: z.string().nullable(), name: z.string().nullable() }),
  agent: z.string().nullable(),
  retainUntil: z.iso.datetime(),
  basis: z.array(z.enum(bases)),
  reason: z.string().nullable().meta({ description: 'As somebody wrote it; for who may read names' }),
  linkedBy: z.uuid().nullable(),
  linkedAt: z.iso.datetime().nullable(),
});

const activitySchema = z.object({
  messages: z.int(),
  fromCustomer: z.int(),
  attachments: z.int(),
  lastAt: z.iso.datetime().nullable().meta({ description: 'Of the last message' }),
});

export const ticketSchema = z
  .object({
    ...summary,
    activity: activitySchema.meta({ description: 'What there is, also for who may not read it' }),
    messages: z.array(messageSchema),
    attachments: z.array(attachmentSchema),
    recordings: z.array(linkedRecordingSchema),
  })
  .meta({ id: 'Ticket' });

export type PresentedSummary = z.input<typeof ticketSummarySchema>;
export type PresentedTicket = z.input<typeof ticketSchema>;

/** The row of a ticket as `role` may see it. */
export function presentSummary(ticket: FoundTicket, role: Role): PresentedSummary {
  const view = viewOf(role);
  const phone = maskNumber(ticket.requester_phone, role, []);
  return {
    id: ticket.id,
    source: ticket.source_name,
    sourceId: ticket.source_id,
    externalId: ticket.external_id,
    number: ticket.number,
    subject: view.ticketText ? ticket.subject : null,
    category: ticket.category,
    status: ticket.status,
    requester: view.names
      ? {
          name: ticket.requester_name,
          email: ticket.requester_email,
          phone,
          organisation: ticket.organisation,
          relation: ticket.requester_relation,
        }
      : phone === null
        ? null
        : { name: null, email: null, phone, organisation: null, relation: null },
    agent: ticket.agent === null || view.names || !ticket.agent.includes('@') ? ticket.agent : null,
    createdAt: ticket.opened_at.toISOString(),
    closedAt: ticket.closed_at?.toISOString() ?? null,
    receivedAt: ticket.received_at.toISOString(),
    retainUntil: ticket.retain_until.toISOString(),
    held: ticket.held,
    restricted: ticket.restricted,
  };
}

function presentMessage(piece: ShownPiece): PresentedTicket['messages'][number] {
  const text = piece.body_text ?? '';
  const html = piece.content_type === 'text/html' ? safeHtml(piece.body ?? '') : null;
  return {
    id: piece.id,
    externalId: piece.external_id,
    at: (piece.said_at ?? piece.supplied_at).toISOString(),
    from: piece.sender ?? 'customer',
    internal: piece.internal === true,
    contentType: piece.content_type,
    body: html ?? text,
    bodyText: text,
    bodyHtml: html,
    imagesLeftOut: html === null ? 0 : countImages(piece.body ?? ''),
    versions: piece.versions,
    sha256: piece.sha256,
    suppliedAt: piece.supplied_at.toISOString(),
    retainUntil: piece.retain_until.toISOString(),
  };
}

/** An attachment without its bytes. */
export function presentAttachment(piece: ShownPiece): z.input<typeof attachmentSchema> {
  return {
    id: piece.id,
    externalId: piece.external_id,
    messageExternalId: piece.message_external_id,
    fileName: piece.file_name ?? '',
    contentType: piece.content_type,
    bytes: piece.bytes,
    sha256: piece.sha256,
    scan: piece.scan ?? 'none',
    suppliedAt: piece.supplied_at.toISOString(),
    retainUntil: piece.retain_until.toISOString(),
  };
}

/** A recording beside its ticket. */
export function presentLinked(row: LinkedRecording, role: Role, ownNumbers: readonly string[]): PresentedTicket['recordings'][number] {
  const name = (told: string | null) => (viewOf(role).names ? told : null);
  return {
    id: row.id,
    startedAt: row.started_at.toISOString(),
    durationMs: row.duration_ms,
    state: row.state === 'receiving' ? 'received' : row.state,
    direction: row.direction,
    caller: { number: maskNumber(row.caller_number, role, ownNumbers), name: name(row.caller_name) },
    callee: { number: maskNumber(row.callee_number, role, ownNumbers), name: name(row.callee_name) },
    agent: row.agent,
    retainUntil: row.retain_until.toISOString(),
    basis: row.basis,
    // Free text may name people.
    reason: name(row.reason),
    linkedBy: row.decided_by,
    linkedAt: row.decided_at?.toISOString() ?? null,
  };
}

/** The whole ticket as `role` may see it: without its pieces for who may not read them. */
export function presentTicket(
  ticket: FoundTicket,
  pieces: readonly ShownPiece[],
  recordings: readonly LinkedRecording[],
  role: Role,
  ownNumbers: readonly string[],
): PresentedTicket {
  const messages = pieces.filter((piece) => piece.kind === 'message');
  const attachments = pieces.filter((piece) => piece.kind === 'attachment');
  const readable = viewOf(role).ticketText;
  const said = messages.map((piece) => (piece.said_at ?? piece.supplied_at).getTime());
  return {
    ...presentSummary(ticket, role),
    activity: {
      messages: messages.length,
      fromCustomer: messages.filter((piece) => piece.sender === 'customer').length,
      attachments: attachments.length,
      lastAt: said.length === 0 ? null : new Date(Math.max(...said)).toISOString(),
    },
    messages: readable ? messages.map(presentMessage) : [],
    attachments: readable ? attachments.map(presentAttachment) : [],
    recordings: recordings.map((recording) => presentLinked(recording, role, ownNumbers)),
  };
}

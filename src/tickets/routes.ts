import path from 'node:path';
import { z } from 'zod';
import { actorOf, type Caller, type Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { keyedDigest } from '../access/token.js';
import { viewOf } from '../access/policy.js';
import { append, type AuditEntry } from '../audit/log.js';
import { operation, parse, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import { findAttachment, serveAttachment } from './attachment.js';
import { apiDoor } from './doors/api.js';
import type { TicketDoor } from './doors/door.js';
import { standardWebhooksDoor } from './doors/standard-webhooks.js';
import { parseJsonObject, readRawBody } from './doors/webhook.js';
import { zammadDoor } from './doors/zammad.js';
import { zendeskDoor } from './doors/zendesk.js';
import { findTickets } from './find-tickets.js';
import { bases, decideLink } from './link.js';
import { linkedRecordingSchema, presentLinked, presentSummary, ticketSchema, ticketSummarySchema } from './present.js';
import { readTicket, requireRecording, requireTicket } from './read-ticket.js';
import { receiveDelivery } from './receive.js';
import type { TicketSettings } from './settings.js';
import { scoreSchema, suggestRecordings, suggestTickets } from './suggest.js';

export const ticketFolder = (dataDir: string) => path.join(dataDir, 'tickets');

function createDoor(platform: Platform, settings: TicketSettings): TicketDoor {
  return {
    platform,
    rules: { timeZone: settings.timeZone, scanned: settings.scanner !== undefined },
    limits: { folder: ticketFolder(settings.dataDir), maxBytes: settings.maxAttachmentBytes },
    deliveryContext: (machine) => ({
      timeZone: machine.timeZone,
      country: settings.defaultCountry,
      now: platform.clock.now(),
    }),
    async receive(machine, externalId, delivery) {
      const received = await receiveDelivery(platform, { timeZone: settings.timeZone }, machine, externalId, delivery);
      return {
        status: received.outcome === 'created' ? 201 : 200,
        ticketId: received.ticketId,
        body: await readTicket(platform, machine, received.ticketId),
      };
    },
  };
}

function personOf(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Problem('forbidden');
  return caller;
}

const filled = (max: number) => z.string().trim().max(max).transform((told) => (told === '' ? undefined : told)).optional();
const idParams = z.object({ id: idSchema });
const linkParams = z.object({ id: idSchema, recordingId: idSchema });

const linkBody = z.object({
  basis: z.array(z.enum(bases)).min(1).max(bases.length).optional().meta({ description: 'What it rests on; of a confirmed suggestion, what that rested on' }),
  reason: z.string().trim().max(1_000).nullish(),
});

/** Linking needs no body; who sends one says why. */
async function readLinkBody(request: Parameters<typeof readRawBody>[0]): Promise<z.output<typeof linkBody>> {
  const body = await readRawBody(request, 64 * 1024);
  return body.length === 0 ? {} : parse(linkBody, parseJsonObject(body));
}

const linkUpload = { 'application/json': { schema: linkBody } };

/** Linking a recording and a ticket, and taking them apart, are one decision with two outcomes. */
function linkOperation(platform: Platform, linked: boolean): Operation<Caller> {
  return operation({
    ...(linked
      ? {
          method: 'put' as const,
          id: 'linkTicket',
          summary: 'Link a recording to a ticket by hand, or confirm a suggestion',
          description: 'A link never lengthens a period. The body may be left out.',
          replies: { 204: { description: 'Linked' } },
        }
      : {
          method: 'delete' as const,
          id: 'unlinkTicket',
          summary: 'Take a recording and a ticket apart, or turn a suggestion down',
          description: 'What a person decided goes before the ticket number. The body may be left out.',
          replies: { 204: { description: 'Apart' } },
        }),
    path: '/tickets/{id}/recordings/{recordingId}',
    tag: 'tickets',
    action: 'ticket.link',
    params: linkParams,
    upload: linkUpload,
    problems: ['invalid-input', 'retention-ended'],
    async handle({ caller, params, request }) {
      const person = personOf(caller);
      const { basis = ['by_hand'], reason = null } = await readLinkBody(request);
      await requireTicket(platform, person, params.id);
      await requireRecording(platform, person, params.recordingId);
      await decideLink(platform, person, { ticketId: params.id, recordingId: params.recordingId, linked, basis, reason });
      return { status: 204 };
    },
  });
}

const listQuery = z.object({
  number: filled(80),
  email: filled(320).meta({ description: 'Officers only, as are `phone` and `q`' }),
  phone: filled(40).meta({ description: 'Any spelling, or its last digits' }),
  q: filled(200).meta({ description: 'Words in subject, messages, names and organisation; `"…"` in a row, `-` not, `or`' }),
  from: z.string().max(40).optional().meta({ description: 'An instant, or a day in the time zone of the service' }),
  to: z.string().max(40).optional().meta({ description: 'An instant, or the last day that counts' }),
  ...pageQuery,
});

/** Telling of tickets, reading them, and what belongs together. */
export function ticketOperations(platform: Platform, settings: TicketSettings): Operation<Caller>[] {
  const { clock, database } = platform;
  const door = createDoor(platform, settings);
  const record = (entry: AuditEntry) => database.inTransaction((tx) => append(database, clock, tx, entry));

  /** That somebody looked for a person can be shown, not for whom. */
  async function recordSearch(person: Person, filter: { email?: string | undefined; phone?: string | undefined; q?: string | undefined }, found: number) {
    const asked = [filter.email, filter.phone, filter.q];
    if (asked.every((each) => each === undefined)) return;
    const digest = keyedDigest(settings.searchKey, JSON.stringify(asked.map((each) => each?.toLowerCase() ?? null))).toString('hex');
    await record({ actor: actorOf(person), action: 'ticket.searched', details: { queryDigest: digest, found } });
  }

  return [
    ...apiDoor(door),
    ...zammadDoor(door),
    ...zendeskDoor(door),
    ...standardWebhooksDoor(door),
    operation({
      method: 'get',
      path: '/tickets',
      id: 'listTickets',
      tag: 'tickets',
      summary: 'Tickets, newest first',
      action: 'ticket.list',
      query: listQuery,
      replies: { 200: { description: 'A page', schema: pageOf(ticketSummarySchema) } },
      async handle({ caller, query }) {
        const person = personOf(caller);
        const { number, email, phone, q } = query;
        const rows = await findTickets(
          database,
          person,
          {
            number, email, phone, q,
            from: readPeriodStart(query.from, 'from', settings.timeZone),
            until: readPeriodEnd(query.to, 'to', settings.timeZone),
          },
          { limit: query.limit, after: query.cursor === undefined ? undefined : decodeCursor(query.cursor) },
          { now: clock.now(), country: settings.defaultCountry },
        );
        if (query.cursor === undefined) await recordSearch(person, { email, phone, q }, rows.length);
        const present = (row: (typeof rows)[number]) => presentSummary(row, person.role);
        return { status: 200, body: toPage(rows, query.limit, present, (row) => ({ at: row.opened_at, id: row.id })) };
      },
    }),
    operation({
      method: 'get',
      path: '/tickets/{id}',
      id: 'readTicket',
      tag: 'tickets',
      summary: 'A ticket with its thread and the calls beside it; trainers read a summary',
      action: 'ticket.read',
      params: idParams,
      replies: { 200: { description: 'As this role sees it', schema: ticketSchema } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = personOf(caller);
        const body = await readTicket(platform, person, params.id);
        await record({ actor: actorOf(person), action: 'ticket.viewed', object: { type: 'ticket', id: params.id } });
        return { status: 200, body };
      },
    }),
    operation({
      method: 'get',
      path: '/tickets/{id}/attachments/{attachmentId}',
      id: 'downloadTicketAttachment',
      tag: 'tickets',
      summary: 'The bytes of an attachment, as a download',
      action: 'ticket.read_attachment',
      params: z.object({ id: idSchema, attachmentId: idSchema }),
      replies: { 200: { description: 'The file', mediaType: 'application/octet-stream', schema: z.string().meta({ format: 'binary' }) } },
      problems: ['retention-ended', 'quarantined', 'storage-unavailable'],
      async handle({ caller, params, response, signal }) {
        const person = personOf(caller);
        const piece = await findAttachment(platform, person, params.id, params.attachmentId);
        await serveAttachment(platform, person, piece, { response, signal });
        return undefined;
      },
    }),
    linkOperation(platform, true),
    linkOperation(platform, false),
    operation({
      method: 'get',
      path: '/tickets/{id}/suggestions',
      id: 'suggestRecordings',
      tag: 'tickets',
      summary: 'Recordings that may belong to a ticket, the likeliest first, and why',
      action: 'ticket.link',
      params: idParams,
      replies: {
        200: { description: 'At most twenty', schema: z.object({ items: z.array(linkedRecordingSchema.extend({ score: scoreSchema })) }) },
      },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const { role } = personOf(caller);
        await requireTicket(platform, caller, params.id);
        const { ownNumbers } = await organisationOf(database);
        const rows = await suggestRecordings(database, caller, params.id, clock.now());
        return { status: 200, body: { items: rows.map((row) => ({ ...presentLinked(row, role, ownNumbers), score: row.score })) } };
      },
    }),
    operation({
      method: 'get',
      path: '/recordings/{id}/ticket-suggestions',
      id: 'suggestTickets',
      tag: 'tickets',
      summary: 'Tickets that may belong to a recording, the likeliest first, and why',
      action: 'ticket.link',
      params: idParams,
      replies: {
        200: {
          description: 'At most twenty',
          schema: z.object({
            items: z.array(
              z.object({
                id: z.uuid(),
                number: z.string(),
                subject: z.string().nullable(),
                createdAt: z.iso.datetime(),
                closedAt: z.iso.datetime().nullable(),
                basis: z.array(z.enum(bases)),
                score: scoreSchema,
              }),
            ),
          }),
        },
      },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const { role } = personOf(caller);
        await requireRecording(platform, caller, params.id);
        const rows = await suggestTickets(database, caller, params.id, clock.now());
        const items = rows.map((row) => ({
          id: row.id,
          number: row.number,
          subject: viewOf(role).ticketText ? row.subject : null,
          createdAt: row.opened_at.toISOString(),
          closedAt: row.closed_at?.toISOString() ?? null,
          basis: row.basis,
          score: row.score,
        }));
        return { status: 200, body: { items } };
      },
    }),
  ];
}

import path from 'node:path';
import type { Bag } from '../packages/bag.js';
import type { SealWork } from '../packages/seal.js';
import { findEachTicket, type FoundTicket } from '../tickets/find-tickets.js';
import type { ShownPiece } from '../tickets/read-ticket.js';
import { disclosed, type Answer } from './answer.js';
import type { DecisionRow } from './items.js';
import { isTakenOut, withoutPassages } from './passages.js';
import type { PrivacyContext } from './request.js';
import { createSpool } from './spool.js';
import { threads, type Thread } from './threads.js';

/**
 * What a person supplied themselves, to take elsewhere (art. 20 GDPR): JSON and CSV with a schema. Without replies, internal
 * notes and what was concluded: those are not theirs to carry.
 */

/** JSON Schema (2020-12) of `tickets.json`. */
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Support questions as supplied by the person who asked them',
  type: 'array',
  items: {
    type: 'object',
    required: ['number', 'subject', 'createdAt', 'requester', 'messages', 'attachments'],
    properties: {
      number: { type: 'string', description: 'Number of the ticket' },
      subject: { type: 'string' },
      createdAt: { type: 'string', format: 'date-time' },
      requester: {
        type: 'object',
        properties: {
          name: { type: ['string', 'null'] }, email: { type: ['string', 'null'] }, phone: { type: ['string', 'null'] },
          organisation: { type: ['string', 'null'] },
        },
      },
      messages: {
        type: 'array',
        items: {
          type: 'object',
          required: ['at', 'contentType', 'body', 'text'],
          properties: {
            at: { type: 'string', format: 'date-time' }, contentType: { type: 'string' },
            body: { type: 'string', description: 'As it was supplied' }, text: { type: 'string', description: 'The words alone' },
          },
        },
      },
      attachments: {
        type: 'array',
        items: {
          type: 'object',
          properties: { fileName: { type: 'string' }, contentType: { type: 'string' }, bytes: { type: 'integer' }, sha256: { type: 'string' } },
        },
      },
    },
  },
};

const columns = ['number', 'subject', 'createdAt', 'name', 'email', 'phone', 'organisation', 'at', 'text'] as const;

/** RFC 4180; a spreadsheet runs a cell that begins like a formula, so a quotation mark before it keeps it text. */
function csvCell(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What a message says. Of one with passages that are made unreadable only the words leave: its mark-up would still hold them. */
function wordsOf(piece: ShownPiece, { passages }: DecisionRow, locale: 'nl' | 'en'): { contentType: string; body: string; text: string } {
  if (!passages.some(({ pieceId }) => pieceId === piece.id))
    return { contentType: piece.content_type, body: piece.body ?? '', text: piece.body_text ?? '' };
  const text = withoutPassages(piece.id, piece.body_text ?? '', passages, locale) ?? '';
  return { contentType: 'text/plain', body: text, text };
}

/** Writes the part to take elsewhere under `data/portability/`, a ticket at a time. @returns how many tickets are in it */
export async function writePortability(context: PrivacyContext, answer: Answer, bag: Bag, work: SealWork): Promise<number> {
  const json = createSpool(path.join(work.folder, 'portability.json'), work.signal);
  const csv = createSpool(path.join(work.folder, 'portability.csv'), work.signal);
  await csv.write(`${columns.join(',')}\r\n`);
  let count = 0;
  for await (const some of threads(context, disclosed(answer, 'portability', 'ticket'), work.signal)) {
    const { clock, database } = context.platform;
    const tickets = await findEachTicket(database, 'privacy_officer', some.map(({ item }) => item.item_id), clock.now(), 'all');
    for (const each of some) {
      const ticket = tickets.get(each.item.item_id);
      if (ticket === undefined) continue;
      const supplied = suppliedIn(ticket, answer, each);
      await json.write(`${count === 0 ? '[' : ','}\n${JSON.stringify(supplied.json)}`);
      await csv.write(supplied.csv);
      count += 1;
    }
  }
  await json.write('\n]\n');
  await json.end();
  await csv.end();
  if (count === 0) return 0;
  await json.addTo(bag, 'data/portability/tickets.json');
  await csv.addTo(bag, 'data/portability/tickets.csv');
  await bag.addJson('data/portability/schema.json', schema);
  return count;
}

/** What the person supplied in a ticket: as JSON, and as lines of CSV. */
function suppliedIn(ticket: FoundTicket, answer: Answer, { decision, pieces }: Thread): { json: object; csv: string } {
  const theirs = pieces.filter(
    (piece) => piece.kind === 'message' && piece.sender === 'customer' && piece.internal !== true && !isTakenOut(piece.id, decision),
  );
  const messageIds = new Set(theirs.map((piece) => piece.external_id));
  const attachments = pieces.filter(
    (piece) => piece.kind === 'attachment' && !isTakenOut(piece.id, decision) && (piece.message_external_id === null || messageIds.has(piece.message_external_id)),
  );
  const requester = {
    name: ticket.requester_name, email: ticket.requester_email, phone: ticket.requester_phone, organisation: ticket.organisation,
  };
  const shell = { number: ticket.number, subject: ticket.subject, createdAt: ticket.opened_at.toISOString() };
  const messages = theirs.map((piece) => ({
    at: (piece.said_at ?? piece.supplied_at).toISOString(), ...wordsOf(piece, decision, answer.request.locale),
  }));
  const files = attachments.map((piece) => ({
    fileName: piece.file_name ?? '', contentType: piece.content_type, bytes: piece.bytes, sha256: piece.sha256,
  }));
  const lines = (messages.length > 0 ? messages : [{ at: '', text: '' }]).map(({ at, text }) =>
    [shell.number, shell.subject, shell.createdAt, ...Object.values(requester).map((value) => value ?? ''), at, text].map(csvCell).join(','),
  );
  return { json: { ...shell, requester, messages, attachments: files }, csv: lines.map((line) => `${line}\r\n`).join('') };
}

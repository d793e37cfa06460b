import type { Transaction } from 'sequelize';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Told } from './merge.js';

/** The rows of tickets, their pieces and the versions of those, and how they are read. */

export const categories = ['support', 'contact_form'] as const;
/** What a ticket is, and the name of the retention policy its pieces follow. */
export type TicketCategory = (typeof categories)[number];

export const relations = ['contracting_party', 'contact_person'] as const;
export type Relation = (typeof relations)[number];

/** Who asked. The telephone number is E.164 where it is a public one, the e-mail address in lower case. */
export interface Requester {
  name: string | null;
  email: string | null;
  phone: string | null;
  organisation: string | null;
  relation: Relation | null;
}

export interface TicketRow {
  id: string;
  source_id: string;
  external_id: string;
  number: string;
  subject: string;
  category: TicketCategory;
  status: string;
  requester_name: string | null;
  requester_email: string | null;
  requester_phone: string | null;
  organisation: string | null;
  requester_relation: Relation | null;
  /** Extension or e-mail address of the agent who handles it. */
  agent: string | null;
  opened_at: Date;
  closed_at: Date | null;
  told: Told;
  received_at: Date;
  /** The earliest instant it was ever told with, at the latest its receipt: what a shell without pieces is kept by. */
  earliest_at: Date;
  ever_contact_form: boolean;
  /** The latest date of its pieces; its own while it never had any. */
  retain_until: Date;
  purge_intent: object | null;
}

export type PieceKind = 'message' | 'attachment';
export type Sender = 'customer' | 'agent';
/** Whether an attachment was looked at for malware: `none` where no scanner is configured. */
export type Scan = 'none' | 'pending' | 'clean' | 'infected';

export interface PieceRow {
  id: string;
  ticket_id: string;
  kind: PieceKind;
  external_id: string;
  /** Of an attachment: the message it came with, as the helpdesk calls that. */
  message_external_id: string | null;
  root: string;
  policy: TicketCategory;
  /** It was ever delivered without a category: it then follows a ticket that turns out to be a contact form. */
  category_untold: boolean;
  supplied_at: Date;
  stored_at: Date;
  retain_until: Date;
  purge_intent: object | null;
  current_version_id: string | null;
}

/** `receiving`: its object is not proved yet, nothing shows it. `kept`: it is. */
export interface PieceVersionRow {
  id: string;
  piece_id: string;
  state: 'receiving' | 'kept';
  object_key: string;
  bytes: number;
  sha256: string;
  md5: string;
  content_type: string;
  told_at: Date;
  told_exactly: boolean;
  received_at: Date;
  last_received_at: Date;
  /** When the helpdesk says that a message was written. */
  said_at: Date | null;
  sender: Sender | null;
  internal: boolean | null;
  body: string | null;
  body_text: string | null;
  file_name: string | null;
  scan: Scan | null;
}

/** The earlier of two instants, of which the second may be unknown. */
export const earlier = (a: Date, b: Date | null | undefined): Date => (b !== null && b !== undefined && b < a ? b : a);

/** Columns of a ticket's row. `document` stays in the database: it is only searched. */
export const ticketColumns = `t.id, t.source_id, t.external_id, t.number, t.subject, t.category, t.status, t.requester_name,
  t.requester_email, t.requester_phone, t.organisation, t.requester_relation, t.agent, t.opened_at, t.closed_at, t.told,
  t.received_at, t.earliest_at, t.ever_contact_form, t.retain_until, t.purge_intent`;

/** Each category's pieces lie under a prefix of their own, for the bucket's lifecycle rules. */
export const rootOf: Record<TicketCategory, 'tickets/' | 'contact-forms/'> = {
  support: 'tickets/',
  contact_form: 'contact-forms/',
};

/** Where the object of a version lives. Everything of a piece lies under one prefix, so that purge finds it all. */
export const objectKey = (root: string, pieceId: string, versionId: string) => `${root}${pieceId}/${versionId}`;

/** The ticket as its source names it, locked until `tx` ends. */
export async function lockTicket(
  database: Database,
  tx: Transaction,
  named: { sourceId: string; externalId: string },
): Promise<TicketRow | undefined> {
  const [row] = await database.query<TicketRow>(
    `SELECT ${ticketColumns} FROM tickets t WHERE source_id = $1 AND external_id = $2 FOR UPDATE`,
    [named.sourceId, named.externalId],
    tx,
  );
  return row;
}

/** An empty shell, locked: what is told of it is merged into it next. One made meanwhile by another is taken instead. */
export async function openTicket(
  database: Database,
  clock: Clock,
  tx: Transaction,
  named: { sourceId: string; externalId: string },
): Promise<TicketRow> {
  const now = clock.now();
  await database.query(
    `INSERT INTO tickets (id, source_id, external_id, number, subject, category, status, opened_at, told, received_at,
       earliest_at, retain_until, document)
     VALUES ($1, $2, $3, $3, '', 'support', 'open', $4, '{}', $4, $4, $4, '')
     ON CONFLICT (source_id, external_id) DO NOTHING`,
    [newId(clock), named.sourceId, named.externalId, now],
    tx,
  );
  const row = await lockTicket(database, tx, named);
  if (row === undefined) throw new Error('a ticket that was just inserted is gone');
  return row;
}

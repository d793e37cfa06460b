/** What the service answers, as far as the screens read it. */

export type Role = 'trainer' | 'agent' | 'privacy_officer' | 'auditor' | 'administrator';

export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  locale: string;
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export interface Party {
  /** E.164, or masked such as "•••123"; null where it is hidden or was withheld. */
  number: string | null;
  name: string | null;
}

export interface TicketLink {
  id: string;
  number: string;
  subject?: string | null;
  basis: Basis[];
  /** The ticket has a clock of its own. */
  retainUntil: string;
}

export interface Agreement {
  id: string;
  startMs: number;
  endMs: number;
  summary: string | null;
}

export interface Recording {
  id: string;
  source: string;
  callId: string;
  part: string;
  version: number;
  state: 'received' | 'ready' | 'failed';
  direction: 'inbound' | 'outbound' | 'internal';
  caller: Party;
  callee: Party;
  agent: string | null;
  agentName?: string | null;
  queue: string | null;
  startedAt: string;
  endedAt: string | null;
  durationMs: number | null;
  channels: number;
  /** Who is heard on each channel, left first. */
  channelMap: ('caller' | 'agent')[];
  codec: string | null;
  bytes: number;
  sha256: string | null;
  /** It ended before its header said it would. */
  truncated?: boolean;
  /** How the call ended, once its call data came. */
  disposition: string | null;
  answeredAt: string | null;
  billedMs: number | null;
  transfers: { at: string; to: string | null }[];
  receivedAt: string;
  retainUntil: string;
  held: boolean;
  restricted: boolean;
  tickets: TicketLink[];
  agreements: Agreement[];
}

export interface Waveform {
  durationMs: number;
  /** Per leg, lowest and highest sample alternating, −1 to 1. */
  channels: number[][];
  /** The loudest value over all legs, so that a quiet leg looks quiet. */
  maxPeak: number;
  gaps: [startMs: number, endMs: number][];
}

export interface Message {
  id: string;
  externalId: string;
  at: string;
  from: 'customer' | 'agent';
  internal: boolean;
  /** The words alone, without mark-up. */
  bodyText: string;
  /** Sanitised; null where it is plain text. */
  bodyHtml: string | null;
  /** Images are never loaded. */
  imagesLeftOut: number;
  /** How many were delivered; the one told last is shown. */
  versions: number;
  retainUntil: string;
}

export interface Attachment {
  id: string;
  messageExternalId: string | null;
  fileName: string;
  bytes: number;
  scan: 'none' | 'pending' | 'clean' | 'infected';
  retainUntil: string;
}

export interface TicketSummary {
  id: string;
  number: string;
  subject: string | null;
  category: 'support' | 'contact_form';
  requester: { name: string | null; email: string | null; phone: string | null; organisation: string | null } | null;
  status: string;
  createdAt: string;
  closedAt: string | null;
  /** Of its last piece. */
  retainUntil: string;
  held: boolean;
  restricted: boolean;
}

export interface Ticket extends TicketSummary {
  activity: { messages: number; fromCustomer: number; attachments: number; lastAt: string | null };
  /** Empty for who may not read them. */
  messages: Message[];
  attachments: Attachment[];
  recordings: TicketRecording[];
}

/** What a link between a call and a ticket rests on. */
export type Basis = 'ticket_number' | 'same_number' | 'same_organisation' | 'near_in_time' | 'same_agent' | 'by_hand';

export interface TicketRecording {
  id: string;
  state: Recording['state'];
  startedAt: string;
  durationMs: number;
  caller: Party;
  agent: string | null;
  retainUntil: string;
  basis: Basis[];
  reason: string | null;
  linkedBy: string | null;
}

export interface Account {
  id: string;
  email: string;
  name: string;
  role: Role;
  locale: string;
  extensions: string[];
  disabled: boolean;
  /** Set while the password is one that an administrator handed out. */
  passwordExpiresAt: string | null;
  secondFactor: boolean;
  /** Bound to somebody at the identity provider. */
  singleSignOn: boolean;
}

export interface MachineKey {
  id: string;
  name: string;
  role: 'pbx' | 'helpdesk';
  prefix: string;
  state: 'active' | 'overlapping' | 'expired' | 'revoked';
  sourceName: string;
  createdAt: string;
  lastSeenAt: string | null;
  /** When it stops working, after a rotation. */
  expiresAt: string | null;
}

export interface MadeKey {
  id: string;
  /** Shown once, never again. */
  key: string;
  name?: string;
}

export interface Organisation {
  controller: string;
  address: string;
  privacyEmail: string;
  ownNumbers: string[];
  holidays: string[];
  /** Counts the changes: one that somebody else made meanwhile is a conflict. */
  version: number;
}

export interface AuditEntry {
  id: string | number;
  at: string;
  actor: { id?: string | null; name?: string | null; kind?: string | null; role?: string | null } | string | null;
  action: string;
  object?: { kind?: string | null; type?: string | null; id?: string | null } | string | null;
  details?: Record<string, unknown> | null;
}

export interface AuditVerification {
  ok: boolean;
  count: number;
  head: string | null;
  signedAt: string | null;
}

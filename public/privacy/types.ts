/** Requests of data subjects, as the service tells them. */

import type { Stretch } from '../parts/mask.js';
import type { Passage } from './passages.js';

export const rights = ['access', 'rectification', 'erasure', 'restriction', 'portability', 'objection'] as const;
export type Right = (typeof rights)[number];
export const channels = ['letter', 'email', 'phone', 'portal', 'call', 'ticket'] as const;
export const requesterKinds = ['person', 'representative', 'parent', 'employee', 'company', 'authority'] as const;
export type RequesterKind = (typeof requesterKinds)[number];
export const identityMethods = ['known_email', 'call_back', 'questions', 'letter', 'masked_copy'] as const;
export type RequestState = 'draft' | 'identity' | 'search' | 'decide' | 'approval' | 'answer' | 'closed';
export type Verdict = 'grant' | 'partly' | 'refuse';

export interface Process {
  right: Right;
  state: 'open' | 'decided' | 'approved' | 'done';
  outcome: 'granted' | 'partly' | 'refused' | 'nothing_found' | 'withdrawn' | null;
  approvedBy: string | null;
  approvedAt: string | null;
  /** By who decided it, with a reason. */
  approvedAlone: boolean;
}

/** Rights in the order of the law. */
export const inOrder = <Each extends { right: Right }>(each: readonly Each[]): Each[] =>
  each.toSorted((one, other) => rights.indexOf(one.right) - rights.indexOf(other.right));

export interface RequestSummary {
  id: string;
  reference: string;
  state: RequestState;
  channel: (typeof channels)[number];
  requesterKind: RequesterKind;
  secret: boolean;
  locale: 'nl' | 'en';
  receivedAt: string;
  dueAt: string;
  /** On the calendar: 0 today, negative once it is late. */
  daysLeft: number;
  overdue: boolean;
  paused: boolean;
  extended: boolean;
  outcome: 'answered' | 'forwarded' | 'withdrawn' | 'merged' | 'no_answer' | null;
  closedAt: string | null;
  processes: Process[];
  /** Null for who may not read it. */
  subjectName: string | null;
  /** Something that was found for it goes within a week. */
  urgent: boolean;
  nextExpiryAt: string | null;
  /** Letters still to be sent about erasures that had to wait. */
  lettersDue: ('held_up' | 'erased')[];
}

export interface Subject {
  name: string | null;
  address: string | null;
  emails: string[];
  phones: string[];
  organisation: string | null;
}

export interface Representative {
  name: string | null;
  address: string | null;
  email: string | null;
  phone: string | null;
  mandate: string | null;
}

/** What the law has by default for an item and a right. */
export interface Usual {
  right: Right;
  decision: Verdict | null;
  article: string;
  why: { nl: string; en: string };
  /** False where the law leaves nothing to decide. */
  decides: boolean;
  offer: Right | null;
}

export interface Decision {
  id: string;
  right: Right;
  decision: Verdict;
  article: string;
  ground: string | null;
  reason: string | null;
  reviewAt: string | null;
  mask: Stretch[];
  passages: Passage[];
  decidedBy: string | null;
  decidedAt: string;
  carriedOutAt: string | null;
}

export interface Item {
  itemId: string;
  kind: 'recording' | 'ticket';
  recordingId: string | null;
  ticketId: string | null;
  basis: string[];
  sharedNumber: boolean;
  confirmed: boolean | null;
  available: boolean;
  held: boolean;
  restricted: boolean;
  retainUntil: string | null;
  legalGround: '6(1)(b)' | '6(1)(f)';
  startedAt: string | null;
  durationMs: number | null;
  channels: number | null;
  caller: string | null;
  callerName: string | null;
  agent: string | null;
  hasAgreement: boolean;
  /** Of a ticket. */
  number: string | null;
  subject: string | null;
  requesterName: string | null;
  createdAt: string | null;
  usual: Usual[];
  decisions: Decision[];
}

export interface TimelineEntry {
  at: string;
  by: string | null;
  byName: string | null;
  kind: string;
  details: Record<string, unknown>;
  note: string | null;
}

/** The whole file of a request. */
export interface RequestFile extends RequestSummary {
  /** Of the answer as it stands: approving takes what was seen. */
  revision: string;
  createdBy: string;
  employee: { userId: string; keptFrom: string[] } | null;
  authority: { name: string; legalBasis: string } | null;
  origin: { kind: 'recording' | 'ticket'; id: string; /** Where in the call. */ atMs: number | null } | null;
  mergedInto: string | null;
  retainUntil: string | null;
  clock: {
    originalDueAt: string;
    /** Until when an extension must be told. */
    firstMonthEndsAt: string;
    pausedDays: number;
    extension: { at: string; by: string; reason: string; late: boolean } | null;
    pauses: { ground: string; reason: string; pausedAt: string; resumedAt: string | null }[];
    warnings: ('received_in_future' | 'extension_late' | 'refusal_late')[];
  };
  subject: Subject | null;
  representative: Representative | null;
  details: string | null;
  identity: {
    verifiedAt: string | null;
    checks: { method: string; outcome: 'verified' | 'doubt'; doubt: string | null; at: string; by: string }[];
  };
  searches: { id: string; at: string; by: string; recordings: number; tickets: number }[];
  items: Item[];
  /** What it restricts still once it is closed, and from when on that may be lifted. */
  restricted: { count: number; liftableAt: string | null };
  undecided: { itemId: string; right: Right }[];
  /** Erasures that were granted and that holds of others keep back. */
  erasuresWaiting: number;
  possibleDuplicates: { id: string; reference: string; receivedAt: string }[];
  timeline: TimelineEntry[];
}

/** The file with what an act on some of its items changed: of thousands, the rest is not sent again. */
export function withChanges(file: RequestFile, changed: RequestFile): RequestFile {
  const touched = new Map(changed.items.map((item) => [item.itemId, item]));
  return {
    ...changed,
    items: file.items.map((item) => touched.get(item.itemId) ?? item),
    undecided: [...file.undecided.filter(({ itemId }) => !touched.has(itemId)), ...changed.undecided],
    timeline: [...file.timeline, ...changed.timeline],
  };
}

/** What every part of the file gets: the file, whether one may act, and where what came of an act goes. */
export interface PartProps {
  file: RequestFile;
  officer: boolean;
  nameOf: (id: string | null) => string;
  /** The file as it is after an act, and words for it. */
  changed: (file: RequestFile, said: string) => void;
}

/** A correction, or a statement of the person's, with who entered it. */
export interface Rectification {
  id: string;
  recordingId: string | null;
  ticketId: string | null;
  field: Rectifiable | null;
  oldValue: string | null;
  newValue: string | null;
  statement: string | null;
  by: string;
  at: string;
}

/** What may be corrected on each kind of item; audio never is. */
export const fieldsOf = {
  recording: ['callerName', 'calleeName'],
  ticket: ['subject', 'requesterName', 'requesterEmail', 'requesterPhone', 'organisation'],
} as const;
export type Rectifiable = (typeof fieldsOf)[keyof typeof fieldsOf][number];

/** Somebody who was handed a package before, and is to be told what became of it. */
export interface ToldRecipient {
  id: string;
  right: Right;
  recipient: string;
  toldAt: string | null;
  toldBy: string | null;
  impossibleReason: string | null;
}

export interface Statistics {
  received: number;
  open: number;
  overdue: number;
  byRight: { right: Right; outcome: string; count: number; medianDays: number | null }[];
}

/** Rights on which may still be decided: an objection may wait while the rest is answered. */
export const stillOpen = ({ processes }: Pick<RequestFile, 'processes'>): Right[] =>
  inOrder(processes).filter(({ state }) => state === 'open' || state === 'decided').map(({ right }) => right);

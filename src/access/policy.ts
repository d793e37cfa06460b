import type { Caller, MachineRole, PersonRole, Role } from './caller.js';

/**
 * Who may do what: one table, a row an action, a cell a role. A role that is not in a row may never do it (403). A
 * cell's rule looks at plain facts about the thing; a fact that was not told counts against the caller.
 *
 * A feature adds its rows here; `test/permissions.test.ts` holds its own copy of what is meant.
 */

/** What a rule may want to know. Features load these; the table knows no tables. */
export interface Facts {
  /** What a recording is listened to for. A trainer's is always training. */
  purpose?: 'training' | 'evidence' | 'access_request';
  /** Restricted by a privacy request (art. 18 GDPR): kept, not used. */
  restricted?: boolean;
  /** The caller on it objected to training with it (art. 21 GDPR). */
  objected?: boolean;
  /** A hold keeps it past its retention period. */
  held?: boolean;
  /** It was shared with this very person, or is about this very person. */
  shared?: boolean;
  /** Whose it is: the person an account or an evaluation belongs to. */
  ownerId?: string;
  /** Who did the step before this one, where a second person must do the next. */
  firstPersonId?: string;
  /** `recorded` lets an organisation with one officer go on alone, the reason on file. */
  fourEyes?: 'required' | 'recorded';
}

type Rule = (caller: Caller, facts: Facts) => boolean;

const isOwner: Rule = (caller, { ownerId }) => caller.kind === 'person' && caller.userId === ownerId;

const always: Rule = () => true;
const ifShared: Rule = (_caller, { shared }) => shared === true;
const ifHeld: Rule = (_caller, { held }) => held === true;
const ifOwn: Rule = isOwner;
/** A person does not raise, lower or lock out themselves. */
const ifAnothers: Rule = (caller, facts) => facts.ownerId !== undefined && !isOwner(caller, facts);
const forTraining: Rule = (_caller, { purpose, restricted, objected }) =>
  purpose === 'training' && restricted === false && objected === false;
/** An officer may listen to anything, to decide about it; the purpose must be said. */
const withPurpose: Rule = (_caller, { purpose }) => purpose === 'evidence' || purpose === 'access_request';
const bySecondPerson: Rule = (caller, { firstPersonId, fourEyes }) =>
  caller.kind === 'person' &&
  (fourEyes === 'recorded' || (firstPersonId !== undefined && firstPersonId !== caller.userId));
/** Both: shared with this agent, and neither restricted nor objected to. */
const ifSharedForTraining: Rule = (caller, facts) => ifShared(caller, facts) && forTraining(caller, facts);

const anyone = { trainer: always, agent: always, privacy_officer: always, auditor: always, administrator: always };

const table = {
  // One's own session, password and second factor.
  'session.use': anyone,

  // People, machines, the organisation.
  'person.list': { trainer: always, privacy_officer: always, auditor: always, administrator: always },
  'user.read': { administrator: always },
  'user.create': { administrator: always },
  'user.change': { administrator: always },
  'user.change_access': { administrator: ifAnothers },
  'key.read': { administrator: always },
  'key.manage': { administrator: always },
  'source.read': { administrator: always },
  'source.change': { administrator: always },
  'organisation.read': { privacy_officer: always, auditor: always, administrator: always },
  'organisation.change': { administrator: always },
  'exclusion.read': { privacy_officer: always, auditor: always, administrator: always },
  'exclusion.change': { administrator: always },
  'ingest.read': { administrator: always },
  'ingest.test': { administrator: always },

  // Recordings. What is shown of numbers and names: `viewOf` below.
  'recording.push': { pbx: always },
  'cdr.push': { pbx: always },
  'recording.list': { trainer: always, agent: always, privacy_officer: always, administrator: always },
  'recording.read': { trainer: always, agent: ifShared, privacy_officer: always, administrator: always },
  'recording.read_held': { privacy_officer: ifHeld },
  'recording.listen': { trainer: forTraining, agent: ifSharedForTraining, privacy_officer: withPurpose },
  'recording.share': { trainer: always },
  'share.read_own': { agent: always },
  // Who listened is told to who answers for it.
  'listen.read': { privacy_officer: always, auditor: always },

  // Who may hear a recording may read what was said in it.
  'transcript.read': { trainer: always, agent: ifShared, privacy_officer: always },
  'transcript.write': { trainer: always, privacy_officer: always },
  'transcript.search': { trainer: always, privacy_officer: always },

  // Training: comments, collections, evaluations.
  'comment.read': { trainer: always, agent: ifShared },
  'comment.write': { trainer: always, agent: ifShared },
  // Agents are shown calls one by one; what trainers gather beside them is not theirs.
  'collection.read': { trainer: always },
  'collection.change': { trainer: always },
  'evaluation.read': { trainer: always, agent: ifOwn },
  'evaluation.write': { trainer: always },
  'evaluation.answer': { agent: ifOwn },

  // Uses beyond the two of the privacy statement: everyone may know which are on, and by which act.
  'further_use.read': anyone,
  'further_use.change': { administrator: always },

  // Tickets. A trainer reads the summary; the text, its requester and attachments are the officer's.
  'ticket.push': { helpdesk: always },
  'ticket.list': { trainer: always, privacy_officer: always },
  'ticket.read': { trainer: always, privacy_officer: always },
  'ticket.read_attachment': { privacy_officer: always },
  // Who sees both sides side by side may correct what hangs together; each link keeps its basis and its author.
  'ticket.link': { trainer: always, privacy_officer: always },

  // Retention.
  'retention.read': { privacy_officer: always, auditor: always, administrator: always },
  'retention.sweep': { administrator: always },
  'retention.configure': { administrator: always },
  'hold.place': { privacy_officer: always },
  'hold.confirm': { privacy_officer: bySecondPerson },
  'hold.release': { privacy_officer: always },

  // Evidence.
  'agreement.read': { trainer: always, privacy_officer: always },
  'agreement.mark': { trainer: always, privacy_officer: always },
  'evidence.read': { privacy_officer: always },
  'evidence.seal': { privacy_officer: always },

  // Privacy requests. The auditor reads the file; what is handed out leaves by the officer alone.
  'privacy_request.read': { privacy_officer: always, auditor: always },
  'privacy_request.handle': { privacy_officer: always },
  'privacy_request.approve': { privacy_officer: bySecondPerson },
  'privacy_request.hand_out': { privacy_officer: always },
  // Whoever hears or reads that somebody asks for a right says so: that moment is its receipt.
  'privacy_request.flag': { trainer: always, agent: always, privacy_officer: always },
  'privacy_request.flag_ticket': { trainer: always, privacy_officer: always },

  // Accountability.
  'audit.read': { privacy_officer: always, auditor: always },
  'audit.verify': { privacy_officer: always, auditor: always },
} as const satisfies Record<string, Partial<Record<Role, Rule>>>;

/** A row of the table. */
export type Action = keyof typeof table;

const rowOf = (action: string): Partial<Record<Role, Rule>> | undefined =>
  Object.hasOwn(table, action) ? table[action as Action] : undefined;

/** Is there such a row? A route with another action would be closed to everyone. */
export const isAction = (action: string): action is Action => rowOf(action) !== undefined;

/** May this role do this to anything at all? If not, the answer is 403 before anything is read. */
export function mayEver(role: Role, action: string): boolean {
  return rowOf(action)?.[role] !== undefined;
}

/** May this caller do this, given the facts? If not, answer as if it were not there, unless they see it anyway. */
export function may(caller: Caller, action: Action, facts: Facts = {}): boolean {
  return rowOf(action)?.[caller.role]?.(caller, facts) ?? false;
}

/** How much a role sees of what it may see at all. */
export interface View {
  /** Telephone numbers of callers. */
  number: 'full' | 'last_three' | 'hidden';
  /** Names of callers and requesters, e-mail addresses. */
  names: boolean;
  /** Subjects, messages and notes of tickets. */
  ticketText: boolean;
}

const hidden: View = { number: 'hidden', names: false, ticketText: false };
const masked: View = { number: 'last_three', names: false, ticketText: false };
const full: View = { number: 'full', names: true, ticketText: true };

const views: Record<PersonRole | MachineRole, View> = {
  trainer: masked,
  agent: masked,
  privacy_officer: full,
  auditor: hidden,
  administrator: hidden,
  // A machine is answered with what it pushed itself.
  pbx: full,
  helpdesk: full,
};

/** What `role` sees of numbers, names and ticket texts. Decided here, never in the browser. */
export const viewOf = (role: Role): View => views[role];

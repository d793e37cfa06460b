import type { Actor } from '../audit/log.js';
import { Problem } from '../platform/problem.js';

/** What a person may be (contract): a person has one role, and no role includes another. */
export const personRoles = ['trainer', 'agent', 'privacy_officer', 'auditor', 'administrator'] as const;
export type PersonRole = (typeof personRoles)[number];

/** What a machine key may be. */
export const machineRoles = ['pbx', 'helpdesk'] as const;
export type MachineRole = (typeof machineRoles)[number];

export type Role = PersonRole | MachineRole;

/** Someone signed in. */
export interface Person {
  kind: 'person';
  userId: string;
  role: PersonRole;
  email: string;
  name: string;
  locale: 'nl' | 'en';
  /** The extensions on which this person answers: an agent's own calls. */
  extensions: readonly string[];
}

/** What stands on each leg of a stereo recording, left first. */
export type ChannelMap = readonly ('caller' | 'agent')[];

/** A PBX or a helpdesk, known by one of its source's keys. */
export interface Machine {
  kind: 'machine';
  role: MachineRole;
  keyId: string;
  sourceId: string;
  /** As people know it: shown beside what it pushed. */
  sourceName: string;
  /** IANA name; instants without an offset are read in it. */
  timeZone: string;
  channelMap: ChannelMap;
  /** The source's own numbers and the organisation's, E.164; empty when none were told. */
  ownNumbers: readonly string[];
}

export type Caller = Person | Machine;

/** The caller as the audit trail knows it. A machine stands for its source, which outlives its keys. */
export function actorOf(caller: Caller): Actor {
  return caller.kind === 'person' ? { kind: 'person', id: caller.userId } : { kind: 'machine', id: caller.sourceId };
}

/** For what only a person can do. The policy table has refused machines before; this says so to the types. */
export function requirePerson(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Problem('forbidden');
  return caller;
}

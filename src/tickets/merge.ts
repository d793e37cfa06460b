import { createHash } from 'node:crypto';
import type { Relation, Requester, TicketCategory } from './ticket.js';

/**
 * How deliveries become one ticket, whatever the order they come in and however often. Each field is a register that
 * keeps what was told of it last: by the instant of which the delivery speaks, not by when it arrived. Fields that a
 * delivery leaves out keep what others told.
 *
 * The instant is `updatedAt` where the helpdesk tells it ("exact"). Without it, the latest instant that the delivery
 * itself speaks of stands in for it (created, closed, its messages): a delivery with a newer message is newer. Two of the
 * same instant: exact ones are settled by their content, so that every order ends alike; otherwise the one that arrives
 * last counts, so that a correction without any date still takes.
 */

/** What a delivery may tell of the ticket itself. */
export interface TicketFields {
  number: string;
  subject: string;
  category: TicketCategory;
  status: string;
  requester: Requester;
  agent: string | null;
  createdAt: Date | null;
  closedAt: Date | null;
}

export type Field = keyof TicketFields;
export const fieldNames: readonly Field[] = [
  'number', 'subject', 'category', 'status', 'requester', 'agent', 'createdAt', 'closedAt',
];

/** When a field was told, and a digest of what. */
export interface Telling {
  at: string;
  exact: boolean;
  digest: string;
}

export type Told = Partial<Record<Field, Telling>>;

/** JSON with its names in order, so that equal things have equal digests. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item) && !(item instanceof Date)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

export const digestOf = (value: unknown): string => createHash('sha256').update(canonical(value)).digest('hex');

/** Does what is told now take the place of what was told before? */
export function supersedes(now: Telling, before: Telling | undefined): boolean {
  if (before === undefined) return true;
  if (now.at !== before.at) return now.at > before.at;
  if (now.digest === before.digest) return now.exact && !before.exact;
  if (now.exact !== before.exact) return now.exact;
  return now.exact ? now.digest > before.digest : true;
}

/**
 * Merges what a delivery tells into what was told before.
 * @returns the fields that change, with their new values, and the registers as they are afterwards
 */
export function merge(
  told: Told,
  delivery: { at: Date; exact: boolean; fields: Partial<TicketFields> },
): { changes: Partial<TicketFields>; told: Told } {
  const changes: Partial<Record<Field, unknown>> = {};
  const after: Told = { ...told };
  for (const field of fieldNames) {
    const value = delivery.fields[field];
    if (value === undefined) continue;
    const telling: Telling = { at: delivery.at.toISOString(), exact: delivery.exact, digest: digestOf(value) };
    if (!supersedes(telling, told[field])) continue;
    after[field] = telling;
    if (telling.digest !== told[field]?.digest) changes[field] = value;
  }
  return { changes: changes as Partial<TicketFields>, told: after };
}

/** A requester of whom nothing is known. */
export const nobody: Requester = { name: null, email: null, phone: null, organisation: null, relation: null as Relation | null };

import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { Period } from '../retention/category.js';
import { periodInForce } from '../retention/policies.js';
import { endOfPeriod } from '../retention/policy.js';
import type { TicketCategory } from './ticket.js';

/** The periods in force now for what comes in; what is there already keeps the date it was given. */
export type Periods = Record<TicketCategory, Period>;

/** Reads both periods inside `tx`, so that one delivery follows one policy. */
export async function periodsInForce(database: Database, tx?: Transaction): Promise<Periods> {
  return {
    support: await periodInForce(database, 'support', tx),
    contact_form: await periodInForce(database, 'contact_form', tx),
  };
}

/**
 * From when a piece is not kept. Counted from when it was supplied, and never from later than when it was received: a
 * helpdesk whose clock is ahead cannot lengthen.
 */
export function pieceRetainUntil(
  supplied: { at: Date; receivedAt: Date },
  period: Period,
  timeZone: string,
): { suppliedAt: Date; retainUntil: Date } {
  const suppliedAt = supplied.at < supplied.receivedAt ? supplied.at : supplied.receivedAt;
  return { suppliedAt, retainUntil: endOfPeriod(suppliedAt, period, timeZone) };
}

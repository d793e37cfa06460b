import type { Person } from '../access/caller.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { calendarOf, lockOpenRequest, pausesOf, record, settleDueDate, type PrivacyContext } from './request.js';
import { dueDates } from './clock.js';
import { settleState } from './states.js';

/** Who somebody is, and the clock meanwhile: checks of identity, extension, pauses. */

/**
 * From light to heavy: an address or number that is on record, questions only they can answer, a letter to the address on
 * record, and only then a copy of a document with photo and number covered. No voice matching (art. 9 GDPR).
 */
export const identityMethods = ['known_email', 'call_back', 'questions', 'letter', 'masked_copy'] as const;
export type IdentityMethod = (typeof identityMethods)[number];

export interface IdentityCheck {
  method: IdentityMethod;
  outcome: 'verified' | 'doubt';
  /** Why there was doubt (art. 12(6)); for a copy: why nothing lighter worked. */
  doubt?: string | undefined;
}

const wrong = (path: string, message: string) => new Problem('invalid-input', { errors: [{ path, message }] });

/**
 * Records a check. Nothing of a document is kept: only method, date and officer.
 * @throws Problem `not-found`, `conflict` once it is verified, `invalid-input` for doubt that is not told, or a copy
 * without recorded doubt
 */
export async function checkIdentity(context: PrivacyContext, person: Person, id: string, check: IdentityCheck): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  if (check.outcome === 'doubt' && check.doubt === undefined) throw wrong('doubt', 'is needed: what gives rise to doubt');
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    if (request.state === 'draft') throw new Problem('conflict', { detail: 'Complete the request first.' });
    if (request.identified_at !== null) throw new Problem('conflict', { detail: 'The identity is verified already.' });
    if (check.method === 'masked_copy' && check.doubt === undefined) {
      const doubted = await database.query(
        `SELECT 1 FROM privacy_identity_checks WHERE request_id = $1 AND outcome = 'doubt' AND method <> 'masked_copy' LIMIT 1`,
        [id],
        tx,
      );
      if (doubted.length === 0) throw wrong('doubt', 'is needed: a copy is only asked for where nothing lighter works');
    }
    const now = clock.now();
    await database.query(
      `INSERT INTO privacy_identity_checks (id, request_id, method, outcome, doubt, checked_at, checked_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [newId(clock), id, check.method, check.outcome, check.doubt ?? null, now, person.userId],
      tx,
    );
    if (check.outcome === 'verified') {
      await database.query('UPDATE privacy_requests SET identified_at = $2 WHERE id = $1', [id, now], tx);
      if (check.method === 'masked_copy') await record(platform, tx, person, request, 'copy_destroyed');
    }
    await record(platform, tx, person, request, 'identity_checked', { method: check.method, outcome: check.outcome }, check.doubt);
    await settleState(context, tx, id);
  });
}

/**
 * Extends to three months from receipt. The person has to be told within the first month; later it is recorded all the
 * same, as late: an extension told too late does not undo that the month has passed.
 * @throws Problem `not-found`, `conflict` the second time, or once the answer is out
 */
export async function extend(context: PrivacyContext, person: Person, id: string, reason: string): Promise<void> {
  const { platform, settings } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    if (request.extended_at !== null) throw new Problem('conflict', { detail: 'A request can be extended once.' });
    if (request.handed_out_at !== null) throw new Problem('conflict', { detail: 'The answer is out.' });
    const now = clock.now();
    const facts = { receivedAt: request.received_at, extended: false, pauses: await pausesOf(database, id, tx) };
    const { firstMonthEndsAt } = dueDates(facts, now, await calendarOf(database, settings.timeZone, tx));
    const late = now > firstMonthEndsAt;
    await database.query(
      'UPDATE privacy_requests SET extended_at = $2, extended_by = $3, extension_reason = $4, extension_late = $5 WHERE id = $1',
      [id, now, person.userId, reason, late],
      tx,
    );
    const { dueAt } = await settleDueDate(context, tx, id);
    await record(platform, tx, person, request, 'extended', { dueAt: dueAt.toISOString(), late }, reason);
  });
}

/**
 * Stops the clock: for reasonable doubt about identity, or for a clarification where a great deal is held (recital 63).
 * @throws Problem `not-found`, `conflict` while it is paused, for doubt about a person who is known, or once it is approved
 */
export async function pause(
  context: PrivacyContext,
  person: Person,
  id: string,
  told: { ground?: 'identity' | 'clarification' | undefined; reason: string },
): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    const ground = told.ground ?? (request.identified_at === null ? 'identity' : 'clarification');
    if (request.approved_at !== null) throw new Problem('conflict', { detail: 'The answer is approved already.' });
    if (ground === 'identity' && request.identified_at !== null)
      throw new Problem('conflict', { detail: 'The identity is verified: there is no doubt to wait for.' });
    if ((await pausesOf(database, id, tx)).some(({ resumedAt }) => resumedAt === null))
      throw new Problem('conflict', { detail: 'The clock stands still already.' });
    await database.query(
      'INSERT INTO privacy_pauses (id, request_id, ground, reason, paused_at, paused_by) VALUES ($1, $2, $3, $4, $5, $6)',
      [newId(clock), id, ground, told.reason, clock.now(), person.userId],
      tx,
    );
    await record(platform, tx, person, request, 'paused', { ground }, told.reason);
  });
}

/** Lets the clock run on. @throws Problem `not-found`, `conflict` when it runs already */
export async function resume(context: PrivacyContext, person: Person, id: string): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    const ended = await database.query(
      `UPDATE privacy_pauses SET resumed_at = $2, resumed_by = $3 WHERE request_id = $1 AND resumed_at IS NULL RETURNING id`,
      [id, clock.now(), person.userId],
      tx,
    );
    if (ended.length === 0) throw new Problem('conflict', { detail: 'The clock is running.' });
    const { dueAt, pausedDays } = await settleDueDate(context, tx, id);
    await record(platform, tx, person, request, 'resumed', { dueAt: dueAt.toISOString(), pausedDays });
  });
}

import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { may } from '../access/policy.js';
import { append, type Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { tellable, waiting } from './list-holds.js';
import { detailsOf, holdColumns, type Hold, type HoldPlatform } from './place-hold.js';
import { requestRetags, retagJob } from './retag.js';

/**
 * Holds confirmed by a second person, and released. A release ends one a day later, so that a mistaken one can be made good.
 *
 * What a request placed is confirmed in one act, for the request: its second person stands behind keeping what was found for
 * it, and who approves its answer does so as well (docs/decisions/0016). So are holds that one act placed on many things.
 */

export type FourEyes = 'required' | 'recorded';

/** After a release the item stays held for this long. */
const graceMs = 24 * 3_600_000;

const anothers = 'A hold is confirmed by somebody other than the one who placed it.';
const ownReason = { errors: [{ path: 'reason', message: 'is required of who confirms their own hold' }] };

/** Locks a hold that `person` may know of: one that may not be told is not there for the others. @throws Problem `not-found` */
async function lockHold(database: Database, tx: Transaction, id: string, person: Person): Promise<Hold> {
  const [hold] = await database.query<Hold>(
    `SELECT ${holdColumns} FROM holds WHERE id = $1 AND ${tellable('$2::boolean', '$3::uuid')} FOR UPDATE`,
    [id, person.role === 'auditor', person.userId],
    tx,
  );
  if (hold === undefined) throw new Problem('not-found');
  return hold;
}

/** Writes down that `person` stands behind holds whose rows are locked; `reason` goes with those that are their own. */
async function confirmIn(platform: HoldPlatform, tx: Transaction, person: Person, ids: readonly string[], reason: string | null): Promise<Hold[]> {
  const { clock, database } = platform;
  if (ids.length === 0) return [];
  const confirmed = await database.query<Hold>(
    `UPDATE holds SET confirmed_by = $2, confirmed_at = $3, confirm_reason = CASE WHEN placed_by = $2 THEN $4 END
     WHERE id = ANY($1::uuid[]) RETURNING ${holdColumns}`,
    [ids, person.userId, clock.now(), reason],
    tx,
  );
  await append(database, clock, tx, ...confirmed.map((hold) => ({
    actor: actorOf(person),
    action: 'hold.confirmed',
    object: { type: hold.kind, id: hold.itemId },
    details: { ...detailsOf(hold), secondPerson: hold.placedBy !== person.userId },
  })));
  return confirmed;
}

/**
 * A second person stands behind a hold; where four eyes are only recorded, the first one may, and says why.
 * @throws Problem `not-found`, `forbidden` for the one who placed it, `invalid-input` when they may but give no reason,
 * `conflict` when it is confirmed or released already
 */
export async function confirmHold(
  platform: HoldPlatform,
  person: Person,
  id: string,
  fourEyes: FourEyes,
  reason: string | null = null,
): Promise<Hold> {
  return await platform.database.inTransaction(async (tx) => {
    const hold = await lockHold(platform.database, tx, id, person);
    if (!may(person, 'hold.confirm', { firstPersonId: hold.placedBy, fourEyes })) throw new Problem('forbidden', { detail: anothers });
    if (hold.confirmedAt !== null || hold.releasedAt !== null) throw new Problem('conflict');
    if (hold.placedBy === person.userId && reason === null) throw new Problem('invalid-input', ownReason);
    const [confirmed] = await confirmIn(platform, tx, person, [id], reason);
    if (confirmed === undefined) throw new Error('a locked hold is gone');
    return confirmed;
  });
}

/** SQL over `holds`: those of one group, by its id: of a request, of one act, or one by itself. Each branch has its index. */
const ofGroup = (id: string) => `(request_id = ${id} OR act_id = ${id} OR (id = ${id} AND request_id IS NULL AND act_id IS NULL))`;

/**
 * A second person stands behind the holds of one group, in one act: those that were there at `asOf`, as they were shown.
 * What was placed later waits for its own. Who placed some of them confirms those of others, and their own where four eyes
 * are only recorded, with a reason.
 * @returns how many were confirmed, and how many still wait
 * @throws Problem `not-found`, `conflict` when nothing waits, `forbidden` when all of it is their own, `invalid-input`
 */
export async function confirmGroup(
  platform: HoldPlatform,
  person: Person,
  id: string,
  told: { asOf: Date; reason: string | null },
  fourEyes: FourEyes,
): Promise<{ confirmed: number; left: number }> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const known = await database.query<Pick<Hold, 'id' | 'placedBy' | 'placedAt'> & { waits: boolean }>(
      `SELECT id, placed_by AS "placedBy", placed_at AS "placedAt", ${waiting('$4')} AS waits FROM holds
       WHERE ${ofGroup('$1::uuid')} AND ${tellable('$2::boolean', '$3::uuid')} ORDER BY id FOR UPDATE`,
      [id, person.role === 'auditor', person.userId, clock.now()],
      tx,
    );
    if (known.length === 0) throw new Problem('not-found');
    const all = known.filter(({ waits }) => waits);
    const shown = all.filter(({ placedAt }) => placedAt <= told.asOf);
    if (shown.length === 0) throw new Problem('conflict', { detail: 'Nothing of this waits to be confirmed.' });
    const mine = (hold: { placedBy: string }) => !may(person, 'hold.confirm', { firstPersonId: hold.placedBy, fourEyes: 'required' });
    const alone = fourEyes === 'recorded' && told.reason !== null;
    const chosen = shown.filter((hold) => alone || !mine(hold));
    if (chosen.length === 0 && fourEyes === 'required') throw new Problem('forbidden', { detail: anothers });
    if (chosen.length === 0) throw new Problem('invalid-input', ownReason);
    const confirmed = await confirmIn(platform, tx, person, chosen.map((hold) => hold.id), told.reason);
    return { confirmed: confirmed.length, left: all.length - confirmed.length };
  });
}

/**
 * Who approves the answer of a request stands behind what is kept for it, inside `tx`: all that others placed, and their own
 * where they approve alone, with that reason.
 */
export async function confirmServingIn(
  platform: HoldPlatform,
  tx: Transaction,
  person: Person,
  requestId: string,
  aloneBecause: string | null,
): Promise<void> {
  const rows = await platform.database.query<{ id: string }>(
    `SELECT id FROM holds WHERE request_id = $1 AND ${waiting('$2')} AND (placed_by <> $3 OR $4) ORDER BY id FOR UPDATE`,
    [requestId, platform.clock.now(), person.userId, aloneBecause !== null],
    tx,
  );
  await confirmIn(platform, tx, person, rows.map(({ id }) => id), aloneBecause);
}

/**
 * Releases many holds inside `tx`; each ends when the grace period is over. Those that were released before are left as
 * they are, and out of what is returned. Nudge `retagJob` after the commit.
 */
export async function releaseHoldsIn(
  platform: HoldPlatform,
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  ids: readonly string[],
  reason: string,
): Promise<Hold[]> {
  const { database, clock } = platform;
  const now = clock.now();
  const released = await database.query<Hold>(
    `WITH open AS (SELECT id FROM holds WHERE id = ANY($1::uuid[]) AND released_at IS NULL ORDER BY id FOR UPDATE)
     UPDATE holds SET released_by = $2, released_at = $3, release_reason = $4, ends_at = LEAST(ends_at, $5)
     WHERE id IN (SELECT id FROM open) RETURNING ${holdColumns}`,
    [ids, actor.id, now, reason, new Date(now.getTime() + graceMs)],
    tx,
  );
  if (released.length === 0) return [];
  await requestRetags(database, tx, released, now);
  await append(database, clock, tx, ...released.map((hold) => ({
    actor,
    action: 'hold.released',
    object: { type: hold.kind, id: hold.itemId },
    details: { ...detailsOf(hold), endsAt: hold.endsAt?.toISOString() ?? null },
  })));
  return released;
}

/** Ends, inside `tx`, holds on what is being erased: they keep nothing any longer, and no mistake can be made good. */
export async function endHoldsIn(
  platform: HoldPlatform,
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  ids: readonly string[],
  reason: string,
): Promise<void> {
  await releaseHoldsIn(platform, tx, actor, ids, reason);
  const now = platform.clock.now();
  await platform.database.query('UPDATE holds SET ends_at = $2 WHERE id = ANY($1::uuid[]) AND (ends_at IS NULL OR ends_at > $2)', [ids, now], tx);
}

/** Releases a hold. @throws Problem `not-found`, `conflict` */
export async function releaseHold(platform: HoldPlatform, person: Person, id: string, reason: string): Promise<Hold> {
  const hold = await platform.database.inTransaction(async (tx) => {
    await lockHold(platform.database, tx, id, person);
    const [released] = await releaseHoldsIn(platform, tx, { kind: 'person', id: person.userId }, [id], reason);
    if (released === undefined) throw new Problem('conflict', { detail: 'This hold was released already.' });
    return released;
  });
  platform.jobs.nudge(retagJob);
  return hold;
}

/**
 * Releases what one act placed. What a request placed goes with the request.
 * @throws Problem `not-found`, `conflict` when all of it was released before
 */
export async function releaseAct(platform: HoldPlatform, person: Person, actId: string, reason: string): Promise<{ released: number }> {
  const released = await platform.database.inTransaction(async (tx) => {
    const known = await platform.database.query<{ id: string }>(
      `SELECT id FROM holds WHERE act_id = $1 AND ${tellable('$2::boolean', '$3::uuid')} ORDER BY id FOR UPDATE`,
      [actId, person.role === 'auditor', person.userId],
      tx,
    );
    if (known.length === 0) throw new Problem('not-found');
    const ended = await releaseHoldsIn(platform, tx, { kind: 'person', id: person.userId }, known.map(({ id }) => id), reason);
    if (ended.length === 0) throw new Problem('conflict', { detail: 'These holds were released already.' });
    return ended.length;
  });
  platform.jobs.nudge(retagJob);
  return { released };
}

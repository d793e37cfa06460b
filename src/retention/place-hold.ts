import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { actorOf } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { may } from '../access/policy.js';
import { append, type Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, SubjectKind } from './category.js';
import { heldAmong } from './hold.js';
import { intend } from './purge.js';
import { requestRetags, retagJob } from './retag.js';
import { refuseDeleted } from './tombstone.js';
import { endOfWorkingDay } from './working-days.js';

/**
 * Holds: placed, confirmed by a second person, released. In force from the moment the row is there; a release ends it a
 * day later, so that a mistaken one can be made good.
 *
 * Hold against purge: both lock the rows of the item. Whoever commits first wins: once a purge's intent stands, the hold
 * is refused (410); once the hold stands, the purge passes the item over.
 */

export const holdGrounds = ['legal_claim', 'restriction', 'open_request', 'authority_order'] as const;
export type HoldGround = (typeof holdGrounds)[number];

export interface Hold {
  id: string;
  kind: SubjectKind;
  itemId: string;
  ground: HoldGround;
  reason: string;
  ownerId: string;
  requestId: string | null;
  placedBy: string;
  placedAt: Date;
  confirmBy: Date;
  reviewAt: Date;
  confirmedBy: string | null;
  confirmedAt: Date | null;
  /** Why one person stood behind it alone; null where a second one did without a word. */
  confirmReason: string | null;
  releasedBy: string | null;
  releasedAt: Date | null;
  releaseReason: string | null;
  endsAt: Date | null;
  /** Of an order that may not be told: known to its owner and the auditor alone. */
  secret: boolean;
}

export interface HoldOrder {
  kind: SubjectKind;
  itemId: string;
  ground: HoldGround;
  reason: string;
  reviewAt: Date;
  /** An end set beforehand, such as five days for what a search found. Without one it stands until it is released. */
  endsAt?: Date;
  /** The privacy request it serves. */
  requestId?: string;
  /** It serves an order that may not be told. */
  secret?: boolean;
}

export type HoldPlatform = Pick<Platform, 'clock' | 'database' | 'jobs'>;

/** After a release the item stays held for this long. */
const graceMs = 24 * 3_600_000;
const workingDaysToConfirm = 3;

/** What is selected of the table to make a `Hold`. */
export const holdColumns = `id, category AS kind, item_id AS "itemId", ground, reason, owner_id AS "ownerId", request_id AS "requestId",
  placed_by AS "placedBy", placed_at AS "placedAt", confirm_by AS "confirmBy", review_at AS "reviewAt",
  confirmed_by AS "confirmedBy", confirmed_at AS "confirmedAt", confirm_reason AS "confirmReason", released_by AS "releasedBy",
  released_at AS "releasedAt", release_reason AS "releaseReason", ends_at AS "endsAt", secret`;

/** What the audit entries of a hold have in common; one that may not be told shows in the auditor's view alone. */
const detailsOf = ({ id, secret }: Hold) => ({ holdId: id, ...(secret ? { secret } : {}) });

/** An order that came to nothing: there is no such thing, or nothing of it is left that may be kept. */
export interface RefusedHold {
  order: HoldOrder;
  code: 'not-found' | 'retention-ended';
}

/**
 * Places many holds inside `tx`, with a handful of statements however many there are; nudge `retagJob` after the commit.
 * What of an item is past its date already and was not held goes all the same: a hold keeps what may still be kept.
 * @returns the holds in the order in which they were asked for, and the orders that came to nothing
 * @throws Problem `invalid-input` when a review does not lie ahead
 */
export async function placeHoldsIn(
  platform: HoldPlatform,
  categories: readonly Category[],
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  orders: readonly HoldOrder[],
  timeZone: string,
): Promise<{ placed: Hold[]; refused: RefusedHold[] }> {
  const { database, clock } = platform;
  const now = clock.now();
  if (orders.some(({ reviewAt }) => reviewAt <= now))
    throw new Problem('invalid-input', { errors: [{ path: 'reviewAt', message: 'must lie in the future' }] });
  const refused: RefusedHold[] = [];
  const accepted: HoldOrder[] = [];
  for (const kind of new Set(orders.map((order) => order.kind))) {
    const ofKind = orders.filter((order) => order.kind === kind);
    const { known, keepable } = await lockForHold(platform, categories, tx, kind, [...new Set(ofKind.map(({ itemId }) => itemId))]);
    for (const order of ofKind)
      if (keepable.has(order.itemId)) accepted.push(order);
      else refused.push({ order, code: known.has(order.itemId) ? 'retention-ended' : 'not-found' });
  }
  if (accepted.length === 0) return { placed: [], refused };

  const holidays = new Set((await organisationOf(database, undefined, tx)).holidays);
  const confirmBy = endOfWorkingDay(now, workingDaysToConfirm, holidays, timeZone);
  const rows = accepted.map((order) => ({
    id: newId(clock), kind: order.kind, item: order.itemId, ground: order.ground, reason: order.reason,
    request: order.requestId ?? null, review: order.reviewAt, ends: order.endsAt ?? null, secret: order.secret ?? false,
  }));
  const inserted = await database.query<Hold>(
    `INSERT INTO holds (id, category, item_id, ground, reason, owner_id, request_id, placed_by, placed_at, confirm_by, review_at,
       ends_at, secret)
     SELECT id, kind, item, ground, reason, $2::uuid, request, $2::uuid, $3, $4, review, ends, secret
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, kind text, item uuid, ground text, reason text, request uuid,
       review timestamptz, ends timestamptz, secret boolean)
     RETURNING ${holdColumns}`,
    [JSON.stringify(rows), actor.id, now, confirmBy],
    tx,
  );
  const byId = new Map(inserted.map((hold) => [hold.id, hold]));
  const placed = rows.flatMap(({ id }) => byId.get(id) ?? []);
  await requestRetags(database, tx, placed, now);
  await append(database, clock, tx, ...placed.map((hold) => ({
    actor,
    action: 'hold.placed',
    object: { type: hold.kind, id: hold.itemId },
    details: { ...detailsOf(hold), ground: hold.ground, reviewAt: hold.reviewAt.toISOString() },
  })));
  return { placed, refused };
}

/**
 * Locks what is to be held. `known`: it exists; `keepable`: something of it may still be kept. What a hold would reach and
 * is past its date goes from here on: it had ended before the hold was there.
 */
async function lockForHold(
  platform: HoldPlatform,
  categories: readonly Category[],
  tx: Transaction,
  kind: SubjectKind,
  ids: readonly string[],
): Promise<{ known: Set<string>; keepable: Set<string> }> {
  const { database, clock } = platform;
  const now = clock.now();
  const known = new Set<string>();
  const keepable = new Set<string>();
  for (const category of categories.filter((each) => each.subject === kind)) {
    const rows = await category.lockSubjects(tx, ids);
    if (rows.length === 0) continue;
    const heldAlready = await heldAmong(database, tx, kind, rows.map((row) => row.subjectId), now);
    const over: string[] = [];
    for (const row of rows) {
      known.add(row.subjectId);
      if (row.purging) continue;
      if (row.retainUntil <= now && !heldAlready.has(row.subjectId)) over.push(row.id);
      else keepable.add(row.subjectId);
    }
    if (over.length > 0) await intend(platform, categories, category, tx, over);
  }
  return { known, keepable };
}

/**
 * Places a hold inside `tx`; nudge `retagJob` after the commit.
 * @throws Problem `not-found`, `retention-ended` when nothing is left that may be kept, `invalid-input`
 */
export async function placeHoldIn(
  platform: HoldPlatform,
  categories: readonly Category[],
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  order: HoldOrder,
  timeZone: string,
): Promise<Hold> {
  const { placed: [hold], refused: [refusal] } = await placeHoldsIn(platform, categories, tx, actor, [order], timeZone);
  if (hold !== undefined) return hold;
  if (refusal?.code === 'retention-ended') throw new Problem('retention-ended');
  await refuseDeleted(platform.database, order.kind, order.itemId);
  throw new Problem('not-found');
}

/** Places a hold. @throws Problem as `placeHoldIn` */
export async function placeHold(
  platform: HoldPlatform,
  categories: readonly Category[],
  person: Person,
  order: HoldOrder,
  timeZone: string,
): Promise<Hold> {
  const actor = { kind: 'person' as const, id: person.userId };
  const hold = await platform.database.inTransaction((tx) =>
    placeHoldIn(platform, categories, tx, actor, order, timeZone),
  );
  platform.jobs.nudge(retagJob);
  return hold;
}

async function lockHold(database: Database, tx: Transaction, id: string): Promise<Hold> {
  const [hold] = await database.query<Hold>(`SELECT ${holdColumns} FROM holds WHERE id = $1 FOR UPDATE`, [id], tx);
  if (hold === undefined) throw new Problem('not-found');
  return hold;
}

/** One that may not be told is not there for those who may not know of it. */
function refuseUntold({ secret, ownerId }: Hold, { role, userId }: Person): void {
  if (secret && role !== 'auditor' && ownerId !== userId) throw new Problem('not-found');
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
  fourEyes: 'required' | 'recorded',
  reason: string | null = null,
): Promise<Hold> {
  const { database, clock } = platform;
  return await database.inTransaction(async (tx) => {
    const hold = await lockHold(database, tx, id);
    refuseUntold(hold, person);
    if (!may(person, 'hold.confirm', { firstPersonId: hold.placedBy, fourEyes }))
      throw new Problem('forbidden', { detail: 'A hold is confirmed by somebody other than the one who placed it.' });
    if (hold.confirmedAt !== null || hold.releasedAt !== null) throw new Problem('conflict');
    if (hold.placedBy === person.userId && reason === null)
      throw new Problem('invalid-input', { errors: [{ path: 'reason', message: 'is required of who confirms their own hold' }] });
    const [confirmed] = await database.query<Hold>(
      `UPDATE holds SET confirmed_by = $2, confirmed_at = $3, confirm_reason = $4 WHERE id = $1 RETURNING ${holdColumns}`,
      [id, person.userId, clock.now(), reason],
      tx,
    );
    if (confirmed === undefined) throw new Error('a locked hold is gone');
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'hold.confirmed',
      object: { type: hold.kind, id: hold.itemId },
      details: { ...detailsOf(hold), secondPerson: hold.placedBy !== person.userId },
    });
    return confirmed;
  });
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

/** Releases a hold inside `tx`; it ends when the grace period is over. @throws Problem `not-found`, `conflict` */
export async function releaseHoldIn(
  platform: HoldPlatform,
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  id: string,
  reason: string,
): Promise<Hold> {
  await lockHold(platform.database, tx, id);
  const [released] = await releaseHoldsIn(platform, tx, actor, [id], reason);
  if (released === undefined) throw new Problem('conflict', { detail: 'This hold was released already.' });
  return released;
}

/** Releases a hold. @throws Problem as `releaseHoldIn` */
export async function releaseHold(platform: HoldPlatform, person: Person, id: string, reason: string): Promise<Hold> {
  const actor = { kind: 'person' as const, id: person.userId };
  const hold = await platform.database.inTransaction(async (tx) => {
    refuseUntold(await lockHold(platform.database, tx, id), person);
    return await releaseHoldIn(platform, tx, actor, id, reason);
  });
  platform.jobs.nudge(retagJob);
  return hold;
}

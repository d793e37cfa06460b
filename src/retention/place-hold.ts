import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { append, type Actor } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, SubjectKind } from './category.js';
import { heldAmong, heldToTellAmong, type Knower } from './hold.js';
import { intend } from './purge.js';
import { requestRetags, retagJob } from './retag.js';
import { refuseDeleted } from './tombstone.js';
import { endOfWorkingDay } from './working-days.js';

/**
 * Holds are placed here, and confirmed and released in `decide-hold.ts`. One is in force from the moment its row is there.
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
  /** The privacy request that placed it. */
  requestId: string | null;
  /** What was placed in one act, such as on all calls of a number, has this in common. */
  actId: string | null;
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
  /** Of holds that one act places on many things. */
  actId?: string;
  /** It serves an order that may not be told. */
  secret?: boolean;
}

export type HoldPlatform = Pick<Platform, 'clock' | 'database' | 'jobs'>;

const workingDaysToConfirm = 3;

/** What is selected of the table to make a `Hold`. */
export const holdColumns = `id, category AS kind, item_id AS "itemId", ground, reason, owner_id AS "ownerId", request_id AS "requestId",
  act_id AS "actId", placed_by AS "placedBy", placed_at AS "placedAt", confirm_by AS "confirmBy", review_at AS "reviewAt",
  confirmed_by AS "confirmedBy", confirmed_at AS "confirmedAt", confirm_reason AS "confirmReason", released_by AS "releasedBy",
  released_at AS "releasedAt", release_reason AS "releaseReason", ends_at AS "endsAt", secret`;

/** What the audit entries of a hold have in common; one that may not be told shows in the auditor's view alone. */
export const detailsOf = ({ id, secret }: Hold) => ({ holdId: id, ...(secret ? { secret } : {}) });

/** An order that came to nothing: there is no such thing, or nothing of it is left that may be kept. */
export interface RefusedHold {
  order: HoldOrder;
  code: 'not-found' | 'retention-ended';
}

/**
 * Places many holds inside `tx`, with a handful of statements however many there are; nudge `retagJob` after the commit.
 * What of an item is past its date already and was not held goes all the same: a hold keeps what may still be kept.
 * @returns the holds in the order in which they were asked for, and the orders that came to nothing
 * @throws Problem `invalid-input` when a review or an end does not lie ahead
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
  for (const path of ['endsAt', 'reviewAt'] as const)
    if (orders.some(({ [path]: at }) => at !== undefined && at <= now))
      throw new Problem('invalid-input', { errors: [{ path, message: 'must lie in the future' }] });
  const refused: RefusedHold[] = [];
  const accepted: HoldOrder[] = [];
  // Within the file of the order that may not be told, its holds are known to whoever works on it.
  const reader = orders.some(({ secret }) => secret === true) ? 'all' : { userId: actor.id };
  for (const kind of new Set(orders.map((order) => order.kind))) {
    const ofKind = orders.filter((order) => order.kind === kind);
    const { known, keepable } = await lockForHold(platform, categories, tx, kind, [...new Set(ofKind.map(({ itemId }) => itemId))], reader);
    for (const order of ofKind)
      if (keepable.has(order.itemId)) accepted.push(order);
      else refused.push({ order, code: known.has(order.itemId) ? 'retention-ended' : 'not-found' });
  }
  if (accepted.length === 0) return { placed: [], refused };

  const holidays = new Set((await organisationOf(database, undefined, tx)).holidays);
  const confirmBy = endOfWorkingDay(now, workingDaysToConfirm, holidays, timeZone);
  const rows = accepted.map((order) => ({
    id: newId(clock), kind: order.kind, item: order.itemId, ground: order.ground, reason: order.reason,
    request: order.requestId ?? null, act: order.actId ?? null, review: order.reviewAt, ends: order.endsAt ?? null,
    secret: order.secret ?? false,
  }));
  // A second person who stood behind keeping a thing for a request does so for the hold that takes the place of that one.
  const inserted = await database.query<Hold>(
    `INSERT INTO holds (id, category, item_id, ground, reason, owner_id, request_id, act_id, placed_by, placed_at, confirm_by,
       review_at, ends_at, secret, confirmed_by, confirmed_at, confirm_reason)
     SELECT given.id, kind, item, given.ground, given.reason, $2::uuid, request, act, $2::uuid, $3, $4, review, ends, given.secret,
       before.confirmed_by, before.confirmed_at, before.confirm_reason
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, kind text, item uuid, ground text, reason text, request uuid, act uuid,
       review timestamptz, ends timestamptz, secret boolean)
     LEFT JOIN LATERAL (SELECT h.confirmed_by, h.confirmed_at, h.confirm_reason FROM holds h
       WHERE h.request_id = request AND h.category = kind AND h.item_id = item AND h.ground = given.ground
         AND h.released_at IS NULL AND (h.ends_at IS NULL OR h.ends_at > $3)
         AND (h.confirmed_by <> $2::uuid OR h.confirm_reason IS NOT NULL) LIMIT 1) before ON true
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
    details: {
      ...detailsOf(hold), ground: hold.ground, reviewAt: hold.reviewAt.toISOString(),
      ...(hold.confirmedBy === null ? {} : { confirmedBefore: true }),
    },
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
  reader: Knower,
): Promise<{ known: Set<string>; keepable: Set<string> }> {
  const { database, clock } = platform;
  const now = clock.now();
  const known = new Set<string>();
  const keepable = new Set<string>();
  for (const category of categories.filter((each) => each.subject === kind)) {
    const rows = await category.lockSubjects(tx, ids);
    if (rows.length === 0) continue;
    const subjects = rows.map((row) => row.subjectId);
    const heldAlready = await heldAmong(database, tx, kind, subjects, now);
    // What only a hold keeps that this person may not know of is over for them, and stays where it is.
    const knownHeld = await heldToTellAmong(database, tx, kind, subjects, now, reader);
    const over: string[] = [];
    for (const row of rows) {
      known.add(row.subjectId);
      if (row.purging) continue;
      const ended = row.retainUntil <= now;
      if (ended && !heldAlready.has(row.subjectId)) over.push(row.id);
      else if (!ended || knownHeld.has(row.subjectId)) keepable.add(row.subjectId);
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

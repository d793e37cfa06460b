import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { actorOf } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { may } from '../access/policy.js';
import { append, type Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category, SubjectKind } from './category.js';
import { isHeld } from './hold.js';
import { intend } from './purge.js';
import { requestRetag, retagJob } from './retag.js';
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
}

export type HoldPlatform = Pick<Platform, 'clock' | 'database' | 'jobs'>;

/** After a release the item stays held for this long. */
const graceMs = 24 * 3_600_000;
const workingDaysToConfirm = 3;

const columns = `id, category AS kind, item_id AS "itemId", ground, reason, owner_id AS "ownerId", request_id AS "requestId",
  placed_by AS "placedBy", placed_at AS "placedAt", confirm_by AS "confirmBy", review_at AS "reviewAt",
  confirmed_by AS "confirmedBy", confirmed_at AS "confirmedAt", confirm_reason AS "confirmReason", released_by AS "releasedBy", released_at AS "releasedAt",
  release_reason AS "releaseReason", ends_at AS "endsAt"`;

/**
 * Places a hold inside `tx`; nudge `retagJob` after the commit. What of the item is past its date already and was not held
 * goes all the same: a hold keeps what may still be kept.
 * @throws Problem `not-found`, `retention-ended` when nothing is left that may be kept
 */
export async function placeHoldIn(
  platform: HoldPlatform,
  categories: readonly Category[],
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  order: HoldOrder,
  timeZone: string,
): Promise<Hold> {
  const { database, clock } = platform;
  const now = clock.now();
  if (order.reviewAt <= now)
    throw new Problem('invalid-input', { errors: [{ path: 'reviewAt', message: 'must lie in the future' }] });
  let known = false;
  let kept = false;
  for (const category of categories.filter((each) => each.subject === order.kind)) {
    const rows = await category.lockSubject(tx, order.itemId);
    const heldAlready = await isHeld(database, tx, order.kind, order.itemId, now);
    const over = rows.filter((row) => !row.purging && row.retainUntil <= now && !heldAlready);
    known ||= rows.length > 0;
    kept ||= rows.some((row) => !row.purging && !over.includes(row));
    if (over.length > 0 && order.kind === 'ticket') await intend(platform, category, tx, over.map((row) => row.id));
  }
  if (!known) {
    await refuseDeleted(database, order.kind, order.itemId);
    throw new Problem('not-found');
  }
  if (!kept) throw new Problem('retention-ended');

  const holidays = new Set((await organisationOf(database, undefined, tx)).holidays);
  const [hold] = await database.query<Hold>(
    `INSERT INTO holds (id, category, item_id, ground, reason, owner_id, request_id, placed_by, placed_at, confirm_by, review_at, ends_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8, $9, $10, $11) RETURNING ${columns}`,
    [
      newId(clock), order.kind, order.itemId, order.ground, order.reason, actor.id, order.requestId ?? null, now,
      endOfWorkingDay(now, workingDaysToConfirm, holidays, timeZone), order.reviewAt,
      order.endsAt ?? null,
    ],
    tx,
  );
  if (hold === undefined) throw new Error('a hold that was just inserted is gone');
  await requestRetag(database, tx, order.kind, order.itemId, now);
  await append(database, clock, tx, {
    actor,
    action: 'hold.placed',
    object: { type: order.kind, id: order.itemId },
    details: { holdId: hold.id, ground: hold.ground, reviewAt: hold.reviewAt.toISOString() },
  });
  return hold;
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
  const [hold] = await database.query<Hold>(`SELECT ${columns} FROM holds WHERE id = $1 FOR UPDATE`, [id], tx);
  if (hold === undefined) throw new Problem('not-found');
  return hold;
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
    if (!may(person, 'hold.confirm', { firstPersonId: hold.placedBy, fourEyes }))
      throw new Problem('forbidden', { detail: 'A hold is confirmed by somebody other than the one who placed it.' });
    if (hold.confirmedAt !== null || hold.releasedAt !== null) throw new Problem('conflict');
    if (hold.placedBy === person.userId && reason === null)
      throw new Problem('invalid-input', { errors: [{ path: 'reason', message: 'is required of who confirms their own hold' }] });
    const [confirmed] = await database.query<Hold>(
      `UPDATE holds SET confirmed_by = $2, confirmed_at = $3, confirm_reason = $4 WHERE id = $1 RETURNING ${columns}`,
      [id, person.userId, clock.now(), reason],
      tx,
    );
    if (confirmed === undefined) throw new Error('a locked hold is gone');
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'hold.confirmed',
      object: { type: hold.kind, id: hold.itemId },
      details: { holdId: id, secondPerson: hold.placedBy !== person.userId },
    });
    return confirmed;
  });
}

/** Releases a hold inside `tx`; it ends when the grace period is over. @throws Problem `not-found`, `conflict` */
export async function releaseHoldIn(
  platform: HoldPlatform,
  tx: Transaction,
  actor: Actor & { kind: 'person' },
  id: string,
  reason: string,
): Promise<Hold> {
  const { database, clock } = platform;
  const hold = await lockHold(database, tx, id);
  if (hold.releasedAt !== null) throw new Problem('conflict', { detail: 'This hold was released already.' });
  const now = clock.now();
  const [released] = await database.query<Hold>(
    `UPDATE holds SET released_by = $2, released_at = $3, release_reason = $4, ends_at = LEAST(ends_at, $5)
     WHERE id = $1 RETURNING ${columns}`,
    [id, actor.id, now, reason, new Date(now.getTime() + graceMs)],
    tx,
  );
  if (released === undefined) throw new Error('a locked hold is gone');
  await requestRetag(database, tx, hold.kind, hold.itemId, now);
  await append(database, clock, tx, {
    actor,
    action: 'hold.released',
    object: { type: hold.kind, id: hold.itemId },
    details: { holdId: id, endsAt: released.endsAt?.toISOString() ?? null },
  });
  return released;
}

/** Releases a hold. @throws Problem as `releaseHoldIn` */
export async function releaseHold(platform: HoldPlatform, person: Person, id: string, reason: string): Promise<Hold> {
  const actor = { kind: 'person' as const, id: person.userId };
  const hold = await platform.database.inTransaction((tx) => releaseHoldIn(platform, tx, actor, id, reason));
  platform.jobs.nudge(retagJob);
  return hold;
}

export interface HoldFilter {
  kind?: SubjectKind | undefined;
  itemId?: string | undefined;
  /** Only those in force, or only those that are over. */
  inForce?: boolean | undefined;
}

/** Holds, newest first. */
export async function listHolds(
  database: Database,
  now: Date,
  filter: HoldFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: Hold[]; nextCursor: string | null }> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Hold>(
    `SELECT ${columns} FROM holds
     WHERE ($1::text IS NULL OR category = $1) AND ($2::uuid IS NULL OR item_id = $2)
       AND ($3::boolean IS NULL OR (ends_at IS NULL OR ends_at > $4) = $3)
       AND ($5::timestamptz IS NULL OR (placed_at, id) < ($5, $6::uuid))
     ORDER BY placed_at DESC, id DESC LIMIT $7`,
    [
      filter.kind ?? null, filter.itemId ?? null, filter.inForce ?? null, now, after?.at ?? null, after?.id ?? null,
      page.limit + 1,
    ],
  );
  return toPage(rows, page.limit, (row) => row, (row) => ({ at: row.placedAt, id: row.id }));
}

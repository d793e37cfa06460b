import type { Transaction } from 'sequelize';
import { append, type Actor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { RestrictedPurpose } from './hold.js';
import type { SubjectKind } from './category.js';

/**
 * Restrictions and objections: uses that are closed, from the moment the row is there. They keep nothing longer; what must
 * be kept while it is restricted is held as well.
 */

export interface Restriction {
  id: string;
  kind: SubjectKind;
  itemId: string;
  purpose: RestrictedPurpose;
  ground: 'restriction' | 'objection';
  requestId: string | null;
  /** Null where a form was sent: nobody who is known here placed it. */
  placedBy: string | null;
  placedAt: Date;
  liftedBy: string | null;
  liftedAt: Date | null;
  /** Of an authority's order that may not be told: it stays out of the ordinary view of the trail. */
  secret: boolean;
}

const columns = `id, category AS kind, item_id AS "itemId", purpose, ground, request_id AS "requestId", placed_by AS "placedBy",
  placed_at AS "placedAt", lifted_by AS "liftedBy", lifted_at AS "liftedAt",
  EXISTS (SELECT FROM privacy_requests q WHERE q.id = restrictions.request_id AND q.secret) AS secret`;

const detailsOf = ({ id, purpose, secret }: Restriction) => ({ restrictionId: id, purpose, ...(secret ? { secret } : {}) });

type RestrictPlatform = Pick<Platform, 'clock' | 'database'>;
type Somebody = Actor & { kind: 'person' };

/** What is closed, to which use, on which ground. */
export type RestrictionOrder = Pick<Restriction, 'kind' | 'itemId' | 'purpose' | 'ground' | 'requestId'>;

/**
 * Closes uses of many things inside `tx`, with two statements however many there are. The same restriction of the same
 * request is placed once.
 * @returns those that were not there before
 */
export async function restrictAllIn(
  platform: RestrictPlatform,
  tx: Transaction,
  actor: Somebody | (Actor & { kind: 'system' }),
  orders: readonly RestrictionOrder[],
): Promise<Restriction[]> {
  const { clock, database } = platform;
  if (orders.length === 0) return [];
  const rows = orders.map((order) => ({
    id: newId(clock), kind: order.kind, item: order.itemId, purpose: order.purpose, ground: order.ground, request: order.requestId,
  }));
  const placed = await database.query<Restriction>(
    `INSERT INTO restrictions (id, category, item_id, purpose, ground, request_id, placed_by, placed_at)
     SELECT DISTINCT ON (kind, item, purpose, ground, request) id, kind, item, purpose, ground, request, $2::uuid, $3::timestamptz
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, kind text, item uuid, purpose text, ground text, request uuid)
     WHERE NOT EXISTS (SELECT FROM restrictions x WHERE x.category = kind AND x.item_id = item AND x.purpose = given.purpose
       AND x.ground = given.ground AND x.request_id IS NOT DISTINCT FROM request AND x.lifted_at IS NULL)
     RETURNING ${columns}`,
    [JSON.stringify(rows), actor.kind === 'person' ? actor.id : null, clock.now()],
    tx,
  );
  await append(database, clock, tx, ...placed.map((each) => ({
    actor,
    action: 'restriction.placed',
    object: { type: each.kind, id: each.itemId },
    details: { ...detailsOf(each), ground: each.ground },
  })));
  return placed;
}

/** Closes uses of something inside `tx`. The same restriction of the same request is placed once. */
export async function restrictIn(
  platform: RestrictPlatform,
  tx: Transaction,
  actor: Somebody | (Actor & { kind: 'system' }),
  order: RestrictionOrder,
): Promise<Restriction> {
  const [placed] = await restrictAllIn(platform, tx, actor, [order]);
  if (placed !== undefined) return placed;
  const same = (await restrictionsOf(platform.database, tx, order.kind, order.itemId)).find(
    ({ purpose, ground, requestId, liftedAt }) =>
      liftedAt === null && purpose === order.purpose && ground === order.ground && requestId === order.requestId,
  );
  if (same === undefined) throw new Error('a restriction that stood in the way is gone');
  return same;
}

/** Opens uses again inside `tx`. Restrictions that were lifted before stay as they are. @returns those that were lifted now */
export async function liftRestrictionsIn(
  platform: RestrictPlatform,
  tx: Transaction,
  actor: Somebody,
  ids: readonly string[],
): Promise<Restriction[]> {
  const { clock, database } = platform;
  const lifted = await database.query<Restriction>(
    `WITH open AS (SELECT id FROM restrictions WHERE id = ANY ($1::uuid[]) AND lifted_at IS NULL ORDER BY id FOR UPDATE)
     UPDATE restrictions SET lifted_by = $2, lifted_at = $3 WHERE id IN (SELECT id FROM open) RETURNING ${columns}`,
    [ids, actor.id, clock.now()],
    tx,
  );
  await append(database, clock, tx, ...lifted.map((each) => ({
    actor,
    action: 'restriction.lifted',
    object: { type: each.kind, id: each.itemId },
    details: detailsOf(each),
  })));
  return lifted;
}

/** Opens the uses again inside `tx`. @throws Problem `conflict` when it was lifted already, or never placed */
export async function liftRestrictionIn(
  platform: RestrictPlatform,
  tx: Transaction,
  actor: Somebody,
  id: string,
): Promise<Restriction> {
  const [lifted] = await liftRestrictionsIn(platform, tx, actor, [id]);
  if (lifted === undefined) throw new Problem('conflict');
  return lifted;
}

/** Restrictions of one thing, those lifted included, newest first. */
export async function restrictionsOf(
  database: Database,
  tx: Transaction | undefined,
  kind: SubjectKind,
  itemId: string,
): Promise<Restriction[]> {
  return await database.query<Restriction>(
    `SELECT ${columns} FROM restrictions WHERE category = $1 AND item_id = $2 ORDER BY placed_at DESC, id DESC`,
    [kind, itemId],
    tx,
  );
}

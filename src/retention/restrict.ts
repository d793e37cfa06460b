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
}

const columns = `id, category AS kind, item_id AS "itemId", purpose, ground, request_id AS "requestId", placed_by AS "placedBy",
  placed_at AS "placedAt", lifted_by AS "liftedBy", lifted_at AS "liftedAt"`;

type RestrictPlatform = Pick<Platform, 'clock' | 'database'>;
type Somebody = Actor & { kind: 'person' };

/** Closes uses of something inside `tx`. The same restriction of the same request is placed once. */
export async function restrictIn(
  platform: RestrictPlatform,
  tx: Transaction,
  actor: Somebody | (Actor & { kind: 'system' }),
  order: Pick<Restriction, 'kind' | 'itemId' | 'purpose' | 'ground' | 'requestId'>,
): Promise<Restriction> {
  const { clock, database } = platform;
  const [same] = await database.query<Restriction>(
    `SELECT ${columns} FROM restrictions WHERE category = $1 AND item_id = $2 AND purpose = $3 AND ground = $4
       AND request_id IS NOT DISTINCT FROM $5::uuid AND lifted_at IS NULL`,
    [order.kind, order.itemId, order.purpose, order.ground, order.requestId],
    tx,
  );
  if (same !== undefined) return same;
  const [placed] = await database.query<Restriction>(
    `INSERT INTO restrictions (id, category, item_id, purpose, ground, request_id, placed_by, placed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns}`,
    [newId(clock), order.kind, order.itemId, order.purpose, order.ground, order.requestId, actor.kind === 'person' ? actor.id : null, clock.now()],
    tx,
  );
  if (placed === undefined) throw new Error('a restriction that was just inserted is gone');
  await append(database, clock, tx, {
    actor,
    action: 'restriction.placed',
    object: { type: order.kind, id: order.itemId },
    details: { restrictionId: placed.id, purpose: order.purpose, ground: order.ground },
  });
  return placed;
}

/** Opens the uses again inside `tx`. @throws Problem `not-found`, `conflict` when it was lifted already */
export async function liftRestrictionIn(
  platform: RestrictPlatform,
  tx: Transaction,
  actor: Somebody,
  id: string,
): Promise<Restriction> {
  const { clock, database } = platform;
  const [known] = await database.query<Restriction>(`SELECT ${columns} FROM restrictions WHERE id = $1 FOR UPDATE`, [id], tx);
  if (known === undefined) throw new Problem('not-found');
  if (known.liftedAt !== null) throw new Problem('conflict');
  const [lifted] = await database.query<Restriction>(
    `UPDATE restrictions SET lifted_by = $2, lifted_at = $3 WHERE id = $1 RETURNING ${columns}`,
    [id, actor.id, clock.now()],
    tx,
  );
  if (lifted === undefined) throw new Error('a locked restriction is gone');
  await append(database, clock, tx, {
    actor,
    action: 'restriction.lifted',
    object: { type: lifted.kind, id: lifted.itemId },
    details: { restrictionId: id, purpose: lifted.purpose },
  });
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

import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { Problem } from '../platform/problem.js';
import { releaseHoldsIn } from '../retention/decide-hold.js';
import { placeHoldsIn, type HoldOrder } from '../retention/place-hold.js';
import { liftRestrictionsIn, restrictAllIn, type RestrictionOrder } from '../retention/restrict.js';
import { linkHolds, servingHold } from './find.js';
import type { ItemRow } from './items.js';
import { recordAll, type PrivacyContext, type RequestRow } from './request.js';

/** What follows at once from saying whose something is: it is kept, closed or let go, a handful of statements for any number. */

const dayMs = 86_400_000;
const actorOf = (person: Person) => ({ kind: 'person' as const, id: person.userId });

/** Holds on items, all of them. @throws Problem `retention-ended` when one of them went meanwhile */
async function holdAll(context: PrivacyContext, tx: Transaction, person: Person, orders: readonly HoldOrder[]) {
  const { platform, settings, categories } = context;
  const { placed, refused } = await placeHoldsIn(platform, categories, tx, actorOf(person), orders, settings.timeZone);
  if (refused.length > 0) throw new Problem('retention-ended');
  return placed;
}

/** Items that are theirs are kept while the request is open, and what they objected to is closed to evidence until decided. */
export async function confirmItems(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  items: readonly ItemRow[],
  objected: boolean,
): Promise<void> {
  if (items.length === 0) return;
  const { platform } = context;
  const { clock, database } = platform;
  const now = clock.now();
  const placed = await holdAll(context, tx, person, items.map((item) => ({
    kind: item.kind, itemId: item.item_id, ...servingHold(request), reason: 'confirmed for an open request',
    reviewAt: new Date(Math.max(request.due_at.getTime(), now.getTime() + dayMs)),
  })));
  await linkHolds(database, tx, request.id, placed);
  await markWhose(context, tx, person, items, true);
  if (!objected) return;
  const closed = items.flatMap((item) =>
    (['training', 'evidence'] as const).map((purpose): RestrictionOrder => ({
      kind: item.kind, itemId: item.item_id, purpose, ground: 'objection', requestId: request.id,
    })),
  );
  await restrictAllIn(platform, tx, actorOf(person), closed);
}

async function markWhose(
  { platform: { clock, database } }: PrivacyContext,
  tx: Transaction,
  person: Person,
  items: readonly ItemRow[],
  theirs: boolean,
): Promise<void> {
  await database.query(
    'UPDATE privacy_items SET confirmed = $4, confirmed_by = $2, confirmed_at = $3 WHERE id = ANY ($1::uuid[])',
    [items.map(({ id }) => id), person.userId, clock.now(), theirs],
    tx,
  );
}

/** Somebody else's after all: nothing of this request keeps or closes them any longer. */
export async function letItemsGo(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  items: readonly ItemRow[],
): Promise<void> {
  if (items.length === 0) return;
  const { platform } = context;
  const { clock, database } = platform;
  await markWhose(context, tx, person, items, false);
  await database.query(
    'UPDATE privacy_decisions SET replaced_at = $2 WHERE item_id = ANY ($1::uuid[]) AND replaced_at IS NULL',
    [items.map(({ id }) => id), clock.now()],
    tx,
  );
  const named = [request.id, items.map((item) => item.kind), items.map((item) => item.item_id)];
  const ofThese = `request_id = $1 AND (category, item_id) IN (SELECT * FROM unnest($2::text[], $3::uuid[]))`;
  const holds = await database.query<{ id: string }>(`SELECT id FROM holds WHERE ${ofThese} AND released_at IS NULL`, named, tx);
  await releaseHoldsIn(platform, tx, actorOf(person), holds.map(({ id }) => id), 'not of the person who asked');
  const closed = await database.query<{ id: string }>(`SELECT id FROM restrictions WHERE ${ofThese} AND lifted_at IS NULL`, named, tx);
  await liftRestrictionsIn(platform, tx, actorOf(person), closed.map(({ id }) => id));
  await recordAll(platform, tx, person, request, items.map(({ id }) => ({ kind: 'item_not_theirs', details: { itemId: id } })));
}

/**
 * Restrictions that were granted, wholly or in part: they work from the decision on, nobody has to approve them first. At the
 * end of its period the person is asked whether a thing is to be kept: until then the sweep passes it over.
 */
export async function protectItems(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  granted: readonly { item: ItemRow; ground: 'restriction' | 'objection' }[],
): Promise<void> {
  if (granted.length === 0) return;
  const { platform } = context;
  const { clock, database } = platform;
  const now = clock.now();
  await restrictAllIn(platform, tx, actorOf(person), granted.map(({ item, ground }) => ({
    kind: item.kind, itemId: item.item_id, purpose: 'all', ground, requestId: request.id,
  })));
  const held = await database.query<{ id: string }>(
    `SELECT item_id AS id FROM holds WHERE request_id = $1 AND item_id = ANY ($2::uuid[]) AND ground = 'restriction'
       AND released_at IS NULL`,
    [request.id, granted.map(({ item }) => item.item_id)],
    tx,
  );
  const already = new Set(held.map(({ id }) => id));
  const toHold = [...new Map(granted.map(({ item }) => [item.id, item])).values()].filter((item) => !already.has(item.item_id));
  await holdAll(context, tx, person, toHold.map((item) => ({
    kind: item.kind, itemId: item.item_id, ground: 'restriction', reason: 'restricted on request: ask before it goes',
    reviewAt: new Date(Math.max(item.retain_until?.getTime() ?? 0, now.getTime() + dayMs)), requestId: request.id,
    secret: request.secret,
  })));
}

import type { Transaction } from 'sequelize';
import type { Caller, Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';

/**
 * Whether things are held or restricted, as SQL that lists join and as questions about one thing. A hold is in force from
 * the moment its row is there until `ends_at`: null while nobody released it, and a day after the release.
 *
 * The views that are asked tell what a hold or a restriction reaches beyond the thing it names: see
 * `20261123-31-reach-the-sides-of-a-call`.
 */

/** What holds and restrictions name. */
export type Held = 'recording' | 'ticket' | 'package' | 'privacy_request';

/** SQL: is the thing whose id is `idSql` held at the instant `nowSql`? `heldAt('recording', 'r.id', '$3')` */
export function heldAt(kind: Held, idSql: string, nowSql: string): string {
  return `EXISTS (SELECT FROM holds_in_reach h WHERE h.category = '${kind}' AND h.item_id = ${idSql}
    AND (h.ends_at IS NULL OR h.ends_at > ${nowSql}))`;
}

/**
 * Who is told whether a thing is held. A hold of an order that may not be told is its owner's and the auditor's to know, and
 * nobody else's: for them the thing is as if it were not there, and past its date like any other. `everyone` is told what
 * all may know; `all` is within the file of the order itself.
 */
export type Knower = Pick<Person, 'role' | 'userId'> | { userId: string } | 'everyone' | 'all';

/** The caller as one who is told: machines are told what everyone may know. */
export const knowerOf = (caller: Caller): Knower => (caller.kind === 'person' ? caller : 'everyone');

/** SQL over a hold `h`. */
function mayKnow(knower: Knower): string {
  if (knower === 'all' || (typeof knower === 'object' && 'role' in knower && knower.role === 'auditor')) return 'true';
  if (knower === 'everyone') return 'NOT h.secret';
  if (!/^[\da-f-]{36}$/i.test(knower.userId)) throw new Error('a person without an id');
  return `(NOT h.secret OR h.owner_id = '${knower.userId}'::uuid)`;
}

/** SQL: `heldAt`, as far as `knower` may know: what reads and lists of people go by. Sweep, purge and tags go by `heldAt`. */
export function heldToTell(kind: Held, idSql: string, nowSql: string, knower: Knower): string {
  return `EXISTS (SELECT FROM holds_in_reach h WHERE h.category = '${kind}' AND h.item_id = ${idSql}
    AND (h.ends_at IS NULL OR h.ends_at > ${nowSql}) AND ${mayKnow(knower)})`;
}

/**
 * SQL: is any use of the thing restricted, by a request (art. 18) or by an objection (art. 21)? What an order that may not be
 * told restricts is closed all the same, and shows as restricted to nobody but in the order's own file (`all`).
 */
export function restrictedNow(kind: Held, idSql: string, knower: 'everyone' | 'all' = 'everyone'): string {
  const told = knower === 'all' ? '' : ' AND NOT x.secret';
  return `EXISTS (SELECT FROM restrictions_in_reach x WHERE x.category = '${kind}' AND x.item_id = ${idSql}${told})`;
}

/** SQL: is training with the thing out of the question? What a trainer's lists leave out. */
export function closedToTraining(kind: Held, idSql: string): string {
  return `EXISTS (SELECT FROM restrictions_in_reach x WHERE x.category = '${kind}' AND x.item_id = ${idSql}
    AND x.purpose IN ('training', 'all'))`;
}

/** Is it held at `now`? */
export async function isHeld(
  database: Database,
  tx: Transaction | undefined,
  kind: Held,
  itemId: string,
  now: Date,
): Promise<boolean> {
  const [row] = await database.query<{ held: boolean }>(
    `SELECT ${heldAt(kind, '$1::uuid', '$2')} AS held`,
    [itemId, now],
    tx,
  );
  return row?.held === true;
}

/** Is it held at `now`, as far as `knower` may know? */
export async function isHeldToTell(
  database: Database,
  tx: Transaction | undefined,
  kind: Held,
  itemId: string,
  now: Date,
  knower: Knower,
): Promise<boolean> {
  return (await heldToTellAmong(database, tx, kind, [itemId], now, knower)).size > 0;
}

/** Which of `ids` are held at `now`. */
export async function heldAmong(
  database: Database,
  tx: Transaction | undefined,
  kind: Held,
  ids: readonly string[],
  now: Date,
): Promise<Set<string>> {
  return await heldToTellAmong(database, tx, kind, ids, now, 'all');
}

/** Which of `ids` are held at `now`, as far as `knower` may know. */
export async function heldToTellAmong(
  database: Database,
  tx: Transaction | undefined,
  kind: Held,
  ids: readonly string[],
  now: Date,
  knower: Knower,
): Promise<Set<string>> {
  const rows = await database.query<{ id: string }>(
    `SELECT DISTINCT h.item_id AS id FROM holds_in_reach h
     WHERE h.category = $1 AND h.item_id = ANY($2::uuid[]) AND (h.ends_at IS NULL OR h.ends_at > $3) AND ${mayKnow(knower)}`,
    [kind, ids, now],
    tx,
  );
  return new Set(rows.map((row) => row.id));
}

/** Uses that a restriction can close. `all` closes both. */
export const restrictedPurposes = ['training', 'evidence', 'all'] as const;
export type RestrictedPurpose = (typeof restrictedPurposes)[number];

/** Is it closed to `purpose` now? */
export async function isRestricted(
  database: Database,
  tx: Transaction | undefined,
  kind: Held,
  itemId: string,
  purpose: 'training' | 'evidence',
): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 FROM restrictions_in_reach WHERE category = $1 AND item_id = $2 AND purpose IN ($3, 'all') LIMIT 1`,
    [kind, itemId, purpose],
    tx,
  );
  return rows.length > 0;
}

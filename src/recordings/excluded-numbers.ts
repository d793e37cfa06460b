import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import { sqlState, type Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';

/**
 * The numbers and extensions whose calls are not kept (the works council's line, the company doctor's): a list that
 * administrators keep. What comes in from the moment a number stands on it is refused; what was in before stays, so that
 * nobody can make recordings disappear by adding a number.
 */

export interface ExcludedNumber {
  id: string;
  /** E.164, or the bare digits of an extension. */
  number: string;
  /** Why, in the administrator's words. */
  note: string;
  addedAt: Date;
  addedBy: { id: string; name: string };
}

type Base = Pick<Platform, 'clock' | 'database'>;

const columns = `e.id, e.number, e.note, e.added_at AS "addedAt", json_build_object('id', u.id, 'name', u.name) AS "addedBy"`;

/** What is excluded now, by number. */
export async function listExcludedNumbers(database: Database, tx?: Transaction): Promise<ExcludedNumber[]> {
  return await database.query<ExcludedNumber>(
    `SELECT ${columns} FROM excluded_numbers e JOIN users u ON u.id = e.added_by WHERE e.removed_at IS NULL ORDER BY e.number`,
    [],
    tx,
  );
}

/**
 * Puts a number on the list. It counts for whatever comes in from now on.
 * @throws Problem `conflict` when it stands there already
 */
export async function excludeNumber({ clock, database }: Base, person: Person, number: string, note: string): Promise<ExcludedNumber> {
  try {
    return await database.inTransaction(async (tx) => {
      const [added] = await database.query<ExcludedNumber>(
        `WITH e AS (INSERT INTO excluded_numbers (id, number, note, added_at, added_by) VALUES ($1, $2, $3, $4, $5) RETURNING *)
         SELECT ${columns} FROM e JOIN users u ON u.id = e.added_by`,
        [newId(clock), number, note, clock.now(), person.userId],
        tx,
      );
      if (added === undefined) throw new Error('the number was not written');
      await append(database, clock, tx, {
        actor: actorOf(person),
        action: 'excluded_number.added',
        object: { type: 'excluded_number', id: added.id },
      });
      return added;
    });
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new Problem('conflict', { detail: 'This number is on the list already.', cause: error });
  }
}

/** Takes a number off the list: calls with it are taken in again from now on. @throws Problem `not-found` */
export async function includeNumber({ clock, database }: Base, person: Person, id: string): Promise<void> {
  await database.inTransaction(async (tx) => {
    const removed = await database.query(
      'UPDATE excluded_numbers SET removed_at = $2, removed_by = $3 WHERE id = $1 AND removed_at IS NULL RETURNING id',
      [id, clock.now(), person.userId],
      tx,
    );
    if (removed.length === 0) throw new Problem('not-found');
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'excluded_number.removed',
      object: { type: 'excluded_number', id },
    });
  });
}

/** `201`, `PJSIP/201`, `201@office`: the number in it, or nothing. */
function bare(party: string): string {
  return party.replace(/^[A-Za-z0-9]+\//, '').replace(/@.*$/, '').trim();
}

/** Whether `party`, as a PBX has it, is `number`, which is written in full: a national spelling of it counts too. */
function isSame(number: string, party: string): boolean {
  if (party === number) return true;
  const national = /^0*(\d{8,})$/.exec(party)?.[1];
  return number.startsWith('+') && national !== undefined && number.endsWith(national);
}

/** A number on the list, and since when. */
export type Exclusion = Pick<ExcludedNumber, 'number' | 'addedAt'>;

/** Since when any of `parties` is excluded; undefined when none is. */
export function excludedSince(exclusions: readonly Exclusion[], parties: readonly (string | null)[]): Date | undefined {
  if (exclusions.length === 0) return undefined;
  const told = parties.flatMap((party) => (party === null ? [] : [bare(party)]));
  const added = exclusions.filter(({ number }) => told.some((party) => isSame(number, party))).map(({ addedAt }) => addedAt.getTime());
  return added.length === 0 ? undefined : new Date(Math.min(...added));
}

/** As long as anything that is pushed could still be within its retention period. */
const rememberedMs = 92 * 86_400_000;

/** Forgets numbers that were taken off the list and calls that were kept out, once nothing of theirs can come any more. */
export async function forgetExclusions({ clock, database }: Base): Promise<void> {
  const before = new Date(clock.now().getTime() - rememberedMs);
  await database.query('DELETE FROM excluded_numbers WHERE removed_at < $1', [before]);
  await database.query('DELETE FROM excluded_calls WHERE excluded_at < $1', [before]);
}

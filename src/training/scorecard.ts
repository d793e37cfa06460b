import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { ScorecardContent } from './score.js';

/** Templates of evaluations, shared among trainers. A change is a new version beside the old ones. */

type Base = Pick<Platform, 'clock' | 'database'>;

export interface ScorecardRow {
  id: string;
  version: number;
  name: string;
  sections: ScorecardContent;
  changedBy: { id: string; name: string };
  createdAt: Date;
  changedAt: Date;
  archivedAt: Date | null;
}

const select = `SELECT s.id, v.version, v.name, v.content AS sections, json_build_object('id', u.id, 'name', u.name) AS "changedBy",
  s.created_at AS "createdAt", v.changed_at AS "changedAt", s.archived_at AS "archivedAt"
  FROM scorecards s JOIN scorecard_versions v ON v.scorecard_id = s.id JOIN users u ON u.id = v.changed_by`;

/** The newest version of each, archived ones too; a handful. */
export async function listScorecards(database: Database): Promise<ScorecardRow[]> {
  return await database.query<ScorecardRow>(`${select} WHERE v.version = s.version ORDER BY v.name, s.id LIMIT 200`);
}

/** One version, or the newest. @throws Problem `not-found` */
export async function scorecardOf(
  database: Database,
  id: string,
  version?: number,
  tx?: Transaction,
): Promise<ScorecardRow> {
  const [row] = await database.query<ScorecardRow>(
    `${select} WHERE s.id = $1 AND v.version = coalesce($2::integer, s.version)`,
    [id, version ?? null],
    tx,
  );
  if (row === undefined) throw new Problem('not-found');
  return row;
}

async function writeVersion(
  { clock, database }: Base,
  tx: Transaction,
  person: Person,
  id: string,
  version: number,
  told: { name: string; sections: ScorecardContent },
): Promise<void> {
  await database.query(
    `INSERT INTO scorecard_versions (scorecard_id, version, name, content, changed_by, changed_at) VALUES ($1, $2, $3, $4::jsonb, $5, $6)`,
    [id, version, told.name, JSON.stringify(told.sections), person.userId, clock.now()],
    tx,
  );
  await append(database, clock, tx, {
    actor: actorOf(person),
    action: 'scorecard.written',
    object: { type: 'scorecard', id },
    details: { version },
  });
}

export async function createScorecard(
  base: Base,
  person: Person,
  told: { name: string; sections: ScorecardContent },
): Promise<ScorecardRow> {
  const { clock, database } = base;
  const id = newId(clock);
  return await database.inTransaction(async (tx) => {
    await database.query(
      'INSERT INTO scorecards (id, version, created_by, created_at) VALUES ($1, 1, $2, $3)',
      [id, person.userId, clock.now()],
      tx,
    );
    await writeVersion(base, tx, person, id, 1, told);
    return await scorecardOf(database, id, undefined, tx);
  });
}

/**
 * Writes the next version. `seen` is the version that was changed.
 * @throws Problem `not-found`, `conflict` when somebody else changed it meanwhile
 */
export async function changeScorecard(
  base: Base,
  person: Person,
  id: string,
  told: { name: string; sections: ScorecardContent; archived: boolean },
  seen: number,
): Promise<ScorecardRow> {
  const { clock, database } = base;
  return await database.inTransaction(async (tx) => {
    await database.query('SELECT 1 FROM scorecards WHERE id = $1 FOR UPDATE', [id], tx);
    const before = await scorecardOf(database, id, undefined, tx);
    const same = before.name === told.name && JSON.stringify(before.sections) === JSON.stringify(told.sections);
    if (!same) {
      if (before.version !== seen)
        throw new Problem('conflict', {
          detail: 'Somebody else changed this scorecard meanwhile.',
          members: { version: before.version },
        });
      await writeVersion(base, tx, person, id, before.version + 1, told);
    }
    await database.query(
      `UPDATE scorecards SET version = $2, archived_at = CASE WHEN $3 THEN coalesce(archived_at, $4) END WHERE id = $1`,
      [id, same ? before.version : before.version + 1, told.archived, clock.now()],
      tx,
    );
    return await scorecardOf(database, id, undefined, tx);
  });
}

import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';

/**
 * Uses beyond the two that the privacy statement names (training, evidence): off until an administrator puts the act on
 * record that allows them, with its ground, and for evaluating employees the works council's consent (WOR art. 27).
 */

type Base = Pick<Platform, 'clock' | 'database'>;

export const furtherUses = ['evaluation', 'transcription', 'speech_search'] as const;
export type FurtherUse = (typeof furtherUses)[number];

export const useGrounds = ['legitimate_interest', 'contract', 'legal_obligation', 'consent'] as const;
export const usePurposes = ['training', 'evidence', 'access_request'] as const;
export type UsePurpose = (typeof usePurposes)[number];

/** What an act says. */
export interface UseTold {
  ground: (typeof useGrounds)[number];
  explanation: string;
  /** The works council's: `2026-11-22` and how it is filed. */
  consent: { date: string; reference: string } | null;
  /** Of transcription: for which purposes speech may be sent away. */
  purposes: UsePurpose[];
  /** Of transcription: who turns speech into text, and where. */
  processor: { name: string; region: string } | null;
}

export interface UseAct extends UseTold {
  id: string;
  use: FurtherUse;
  switchedOnBy: { id: string; name: string };
  switchedOnAt: Date;
  endedBy: { id: string; name: string } | null;
  endedAt: Date | null;
  endReason: string | null;
}

const columns = `f.id, f.use, f.ground, f.explanation,
  CASE WHEN f.consent_date IS NOT NULL
    THEN json_build_object('date', f.consent_date::text, 'reference', f.consent_reference) END AS consent,
  f.purposes, CASE WHEN f.processor IS NOT NULL THEN json_build_object('name', f.processor, 'region', f.region) END AS processor,
  json_build_object('id', u.id, 'name', u.name) AS "switchedOnBy", f.switched_on_at AS "switchedOnAt",
  CASE WHEN e.id IS NOT NULL THEN json_build_object('id', e.id, 'name', e.name) END AS "endedBy",
  f.ended_at AS "endedAt", f.end_reason AS "endReason"`;
const joined = 'further_uses f JOIN users u ON u.id = f.switched_on_by LEFT JOIN users e ON e.id = f.ended_by';

/** Every act, newest first. */
export async function useActs(database: Database): Promise<UseAct[]> {
  return await database.query<UseAct>(
    `SELECT ${columns} FROM ${joined} ORDER BY f.switched_on_at DESC, f.id DESC`,
  );
}

/** The act in force; undefined while the use is off. */
export async function useInForce(database: Database, use: FurtherUse, tx?: Transaction): Promise<UseAct | undefined> {
  const [act] = await database.query<UseAct>(
    `SELECT ${columns} FROM ${joined} WHERE f.use = $1 AND f.ended_at IS NULL`,
    [use],
    tx,
  );
  return act;
}

/** @throws Problem `not-switched-on`, also for a purpose that the act does not name */
export async function requireUse(
  database: Database,
  use: FurtherUse,
  purpose?: UsePurpose,
  tx?: Transaction,
): Promise<UseAct> {
  const act = await useInForce(database, use, tx);
  if (act === undefined || (purpose !== undefined && !act.purposes.includes(purpose)))
    throw new Problem('not-switched-on', { members: { use } });
  return act;
}

async function endIn(
  { clock, database }: Base,
  tx: Transaction,
  person: Person,
  use: FurtherUse,
  reason: string,
): Promise<string | undefined> {
  const [ended] = await database.query<{ id: string }>(
    `UPDATE further_uses SET ended_by = $2, ended_at = $3, end_reason = $4 WHERE use = $1 AND ended_at IS NULL RETURNING id`,
    [use, person.userId, clock.now(), reason],
    tx,
  );
  return ended?.id;
}

/** Puts an act on record; the one that was in force ends with it. */
export async function switchOn(base: Base, person: Person, use: FurtherUse, told: UseTold): Promise<UseAct> {
  const { clock, database } = base;
  const id = newId(clock);
  return await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, `retention.further-use.${use}`, 'exclusive');
    const replaced = await endIn(base, tx, person, use, 'replaced by a newer act');
    await database.query(
      `INSERT INTO further_uses (id, use, ground, explanation, consent_date, consent_reference, purposes, processor, region,
         switched_on_by, switched_on_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7::text[], $8, $9, $10, $11)`,
      [
        id,
        use,
        told.ground,
        told.explanation,
        told.consent?.date ?? null,
        told.consent?.reference ?? null,
        told.purposes,
        told.processor?.name ?? null,
        told.processor?.region ?? null,
        person.userId,
        clock.now(),
      ],
      tx,
    );
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'further_use.switched_on',
      object: { type: 'further_use', id: use },
      details: {
        actId: id,
        ground: told.ground,
        purposes: told.purposes,
        consentDate: told.consent?.date ?? null,
        replaced: replaced ?? null,
      },
    });
    const act = await useInForce(database, use, tx);
    if (act === undefined) throw new Error('an act that was just recorded is gone');
    return act;
  });
}

/** Switches a use off, at once. What it made stays until its own period ends, out of reach. @throws Problem `not-switched-on` */
export async function switchOff(base: Base, person: Person, use: FurtherUse, reason: string): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const actId = await endIn(base, tx, person, use, reason);
    if (actId === undefined) throw new Problem('not-switched-on', { members: { use } });
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'further_use.switched_off',
      object: { type: 'further_use', id: use },
      details: { actId },
    });
  });
}

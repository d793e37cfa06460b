import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { closedToTraining } from '../retention/hold.js';
import { lockKept } from './kept.js';
import type { Interval, RecordingRow } from './recording.js';

/**
 * Showing an agent one of their own calls. What is shared can be heard, read about and answered by that agent alone, until
 * it is taken back, restricted, objected to, or gone.
 *
 * A clip tells the agent where to listen; it closes nothing: it is a call that the agent took part in.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

/** SQL: is the recording `idSql` shared with the person `personSql`? */
export function sharedWith(idSql: string, personSql: string): string {
  return `EXISTS (SELECT FROM recording_shares s WHERE s.recording_id = ${idSql} AND s.agent_id = ${personSql}
    AND s.revoked_at IS NULL)`;
}

/** SQL over recordings `r`: is it there at `nowSql`, and may training be done with it? Agents need it shared besides. */
export function openForTraining(nowSql: string): string {
  return `r.version > 0 AND r.purge_intent IS NULL AND r.retain_until > ${nowSql} AND NOT ${closedToTraining('recording', 'r.id')}`;
}

/** Is it shared with this person now? */
export async function isShared(database: Database, recordingId: string, personId: string): Promise<boolean> {
  const [row] = await database.query<{ shared: boolean }>(`SELECT ${sharedWith('$1::uuid', '$2::uuid')} AS shared`, [
    recordingId,
    personId,
  ]);
  return row?.shared === true;
}

/** A share in force. */
export interface Share {
  id: string;
  agent: { id: string; name: string };
  /** On the recording's own timeline; null: all of it. */
  clip: Interval | null;
  note: string | null;
  sharedBy: { id: string; name: string };
  sharedAt: Date;
}

const columns = `s.id, json_build_object('id', a.id, 'name', a.name) AS agent,
  CASE WHEN s.start_ms IS NOT NULL THEN json_build_object('startMs', s.start_ms, 'endMs', s.end_ms) END AS clip,
  s.note, json_build_object('id', b.id, 'name', b.name) AS "sharedBy", s.shared_at AS "sharedAt"`;
const joined = 'recording_shares s JOIN users a ON a.id = s.agent_id JOIN users b ON b.id = s.shared_by';

/** With whom a recording is shared, oldest first. */
export async function sharesOf(database: Database, recordingId: string): Promise<Share[]> {
  return await database.query<Share>(
    `SELECT ${columns} FROM ${joined} WHERE s.recording_id = $1 AND s.revoked_at IS NULL ORDER BY s.shared_at, s.id`,
    [recordingId],
  );
}

/** The agents whose call it is: those who answer on the extension that took it. */
export async function agentsOf(
  database: Database,
  recording: Pick<RecordingRow, 'agent'>,
): Promise<{ id: string; name: string }[]> {
  return await database.query(
    `SELECT id, name FROM users WHERE role = 'agent' AND disabled_at IS NULL AND $1::text = ANY (extensions) ORDER BY name, id`,
    [recording.agent],
  );
}

/**
 * Shares a recording with the agent whose call it is. Told again, it changes the clip and the note.
 * @param clip on the recording's own timeline
 * @throws Problem `not-found` when there is no such agent, or when it is not their call; `retention-ended`
 */
export async function shareRecording(
  platform: Base,
  person: Person,
  recording: Pick<RecordingRow, 'id' | 'agent'>,
  agentId: string,
  told: { clip: Interval | null; note: string | null },
): Promise<Share> {
  const { database } = platform;
  if (!(await agentsOf(database, recording)).some((agent) => agent.id === agentId))
    throw new Problem('not-found', { detail: 'A recording is shared with the agent who took the call.' });
  return await database.inTransaction(async (tx) => {
    await lockKept(platform, tx, recording.id);
    await shareIn(platform, tx, person, recording.id, agentId, told);
    const [share] = await database.query<Share>(
      `SELECT ${columns} FROM ${joined} WHERE s.recording_id = $1 AND s.agent_id = $2 AND s.revoked_at IS NULL`,
      [recording.id, agentId],
      tx,
    );
    if (share === undefined) throw new Error('a share that was just written is gone');
    return share;
  });
}

/**
 * Shares inside `tx` with an agent who is known to have taken the call, on a recording that is locked.
 * @param told undefined: the whole call, unless it is shared already, however that was done
 */
export async function shareIn(
  { clock, database }: Base,
  tx: Transaction,
  person: Person,
  recordingId: string,
  agentId: string,
  told: { clip: Interval | null; note: string | null } | undefined,
): Promise<void> {
  const [known] = await database.query<{ id: string; inserted: boolean }>(
    `INSERT INTO recording_shares AS s (id, recording_id, agent_id, start_ms, end_ms, note, shared_by, shared_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (recording_id, agent_id) WHERE revoked_at IS NULL
     ${told === undefined ? 'DO NOTHING' : 'DO UPDATE SET start_ms = excluded.start_ms, end_ms = excluded.end_ms, note = excluded.note'}
     RETURNING s.id, s.id = $1 AS inserted`,
    [
      newId(clock),
      recordingId,
      agentId,
      told?.clip?.startMs ?? null,
      told?.clip?.endMs ?? null,
      told?.note ?? null,
      person.userId,
      clock.now(),
    ],
    tx,
  );
  if (known === undefined) return;
  await append(database, clock, tx, {
    actor: actorOf(person),
    action: known.inserted ? 'recording.shared' : 'recording.share_changed',
    object: { type: 'recording', id: recordingId },
    details: { shareId: known.id, agentId, clip: (told?.clip ?? null) !== null },
  });
}

/** Takes a share back, in force with the next range. @throws Problem `not-found` when it is not shared with this agent */
export async function revokeShare(
  { clock, database }: Base,
  person: Person,
  recordingId: string,
  agentId: string,
): Promise<void> {
  await database.inTransaction(async (tx) => {
    const [revoked] = await database.query<{ id: string }>(
      `UPDATE recording_shares SET revoked_by = $3, revoked_at = $4
       WHERE recording_id = $1 AND agent_id = $2 AND revoked_at IS NULL RETURNING id`,
      [recordingId, agentId, person.userId, clock.now()],
      tx,
    );
    if (revoked === undefined) throw new Problem('not-found');
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'recording.share_revoked',
      object: { type: 'recording', id: recordingId },
      details: { shareId: revoked.id, agentId },
    });
  });
}

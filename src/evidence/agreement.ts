import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { canonicalBytes } from '../audit/canonical.js';
import { append, type AuditEntry } from '../audit/log.js';
import { sha256 } from '../audit/merkle.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { newSalt } from '../recordings/history.js';
import type { Interval, RecordingRow, VersionRow } from '../recordings/recording.js';
import { isHeld } from '../retention/hold.js';
import { cutsOf, playbackDurationMs, toRecording } from '../recordings/timeline.js';

/**
 * What was agreed in a call: a passage, a summary, the parties, by whom it was marked. A correction is a new wording beside
 * the old ones; what was marked by mistake is withdrawn. None of it keeps the recording a day longer.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

/** What is said of an agreement; times in milliseconds of the playback copy, as the player shows them. */
export interface Wording {
  startMs: number;
  endMs: number;
  summary: string;
  parties: string[];
  ticket: string | null;
}

export interface AgreementRow {
  id: string;
  recordingId: string;
  versionId: string;
  revision: number;
  /** On the recording's own timeline, hold music included. */
  startMs: number;
  endMs: number;
  summary: string;
  parties: string[];
  ticket: string | null;
  markedBy: string;
  markedByName: string;
  markedAt: Date;
  withdrawnAt: Date | null;
  withdrawnReason: string | null;
}

/** Over `a` (agreements) and `u` (users). */
export const agreementColumns = `a.id, a.recording_id AS "recordingId", a.version_id AS "versionId", a.revision,
  a.start_ms AS "startMs", a.end_ms AS "endMs", a.summary, a.parties, a.ticket, a.marked_by AS "markedBy",
  u.name AS "markedByName", a.marked_at AS "markedAt", a.withdrawn_at AS "withdrawnAt",
  a.withdrawn_reason AS "withdrawnReason"`;

/** An agreement as it stands, whatever became of its recording's period. */
export async function findAgreement(database: Database, id: string, tx?: Transaction): Promise<AgreementRow | undefined> {
  const [row] = await database.query<AgreementRow>(
    `SELECT ${agreementColumns} FROM agreements a JOIN users u ON u.id = a.marked_by WHERE a.id = $1`, [id], tx,
  );
  return row;
}

/** The agreements of these recordings that stand, in the order of the call; withdrawn ones too when `all`. */
export async function agreementsOf(
  database: Database,
  recordingIds: readonly string[],
  { all = false }: { all?: boolean } = {},
): Promise<Map<string, AgreementRow[]>> {
  const found = new Map<string, AgreementRow[]>();
  if (recordingIds.length === 0) return found;
  const rows = await database.query<AgreementRow>(
    `SELECT ${agreementColumns} FROM agreements a JOIN users u ON u.id = a.marked_by
     WHERE a.recording_id = ANY ($1::uuid[]) AND ($2::boolean OR a.withdrawn_at IS NULL) ORDER BY a.start_ms, a.id`,
    [recordingIds, all],
  );
  for (const row of rows) found.set(row.recordingId, [...(found.get(row.recordingId) ?? []), row]);
  return found;
}

/** A wording as it once stood. */
export interface Revision extends Wording {
  revision: number;
  changedBy: string;
  changedByName: string;
  changedAt: Date;
  reason: string | null;
  /** Of its digest; null for what was marked before digests were salted. */
  salt: string | null;
}

/** Every wording, oldest first, the present one included; times on the recording's own timeline. */
export async function revisionsOf(database: Database, agreementId: string): Promise<Revision[]> {
  return await database.query<Revision>(
    `SELECT v.revision, v.start_ms AS "startMs", v.end_ms AS "endMs", v.summary, v.parties, v.ticket,
       v.changed_by AS "changedBy", u.name AS "changedByName", v.changed_at AS "changedAt", v.reason, v.salt
     FROM agreement_revisions v JOIN users u ON u.id = v.changed_by WHERE v.agreement_id = $1 ORDER BY v.revision`,
    [agreementId],
  );
}

/** Ties the wording to the audit chain without repeating it there. The salt goes with the recording. */
function wordingDigest(recordingId: string, { startMs, endMs, summary, parties, ticket }: Wording, salt: string): string {
  return sha256(canonicalBytes({ recordingId, startMs, endMs, summary, parties, ticket, salt })).toString('hex');
}

const outside = (path: string) =>
  new Problem('invalid-input', { errors: [{ path, message: 'lies outside the recording' }] });

/** The measured length may still be an estimate by its header: a second is not worth a refusal. */
const slackMs = 1000;

/** The passage on the recording's own timeline. @throws Problem `invalid-input` */
function placed(heard: Interval, recording: RecordingRow, version: VersionRow): Interval {
  const cuts = cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);
  const audibleMs = playbackDurationMs(version.duration_ms, cuts);
  if (heard.startMs >= audibleMs) throw outside('startMs');
  if (heard.endMs > version.duration_ms + slackMs) throw outside('endMs');
  return toRecording({ startMs: heard.startMs, endMs: Math.max(heard.startMs + 1, Math.min(heard.endMs, audibleMs)) }, cuts);
}

/** Nothing is written about what is being deleted. @throws Problem `retention-ended` */
async function lockKept({ clock, database }: Base, tx: Transaction, recordingId: string): Promise<RecordingRow> {
  const [recording] = await database.query<RecordingRow>(
    'SELECT * FROM recordings WHERE id = $1 AND version > 0 FOR SHARE', [recordingId], tx,
  );
  if (recording === undefined) throw new Problem('not-found');
  const now = clock.now();
  const over = recording.retain_until <= now && !(await isHeld(database, tx, 'recording', recordingId, now));
  if (over || recording.purge_intent !== null) throw new Problem('retention-ended');
  return recording;
}

/** @returns what the audit entry says of it */
async function writeRevision(
  { clock, database }: Base,
  tx: Transaction,
  person: Person,
  agreement: { id: string; recordingId: string; revision: number; reason: string | null },
  wording: Wording,
): Promise<{ agreementId: string; revision: number; digest: string }> {
  const salt = newSalt();
  await database.query(
    `INSERT INTO agreement_revisions
       (agreement_id, revision, start_ms, end_ms, summary, parties, ticket, changed_by, changed_at, reason, salt)
     VALUES ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9, $10, $11)`,
    [
      agreement.id, agreement.revision, wording.startMs, wording.endMs, wording.summary, wording.parties, wording.ticket,
      person.userId, clock.now(), agreement.reason, salt,
    ],
    tx,
  );
  const { id, recordingId, revision } = agreement;
  return { agreementId: id, revision, digest: wordingDigest(recordingId, wording, salt) };
}

const entryOf = (
  person: Person, action: string, recordingId: string, details: NonNullable<AuditEntry['details']>,
): AuditEntry => ({ actor: actorOf(person), action, object: { type: 'recording', id: recordingId }, details });

/**
 * Marks an agreement on the version of a recording that this person hears.
 * @throws Problem `invalid-input` for a passage that lies outside, `retention-ended`
 */
export async function markAgreement(
  platform: Base,
  person: Person,
  found: { recording: RecordingRow; version: VersionRow },
  heard: Wording,
): Promise<AgreementRow> {
  const { clock, database } = platform;
  const id = newId(clock);
  return await database.inTransaction(async (tx) => {
    const recording = await lockKept(platform, tx, found.recording.id);
    const wording = { ...heard, ...placed(heard, recording, found.version) };
    await database.query(
      `INSERT INTO agreements (id, recording_id, version_id, marked_by, marked_at, start_ms, end_ms, summary, parties, ticket)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10)`,
      [
        id, recording.id, found.version.id, person.userId, clock.now(), wording.startMs, wording.endMs, wording.summary,
        wording.parties, wording.ticket,
      ],
      tx,
    );
    const first = { id, recordingId: recording.id, revision: 1, reason: null };
    const told = await writeRevision(platform, tx, person, first, wording);
    await append(database, clock, tx, entryOf(person, 'agreement.marked', recording.id, told));
    const marked = await findAgreement(database, id, tx);
    if (marked === undefined) throw new Error('an agreement that was just inserted is gone');
    return marked;
  });
}

async function lockStanding({ database }: Base, tx: Transaction, person: Person, id: string): Promise<AgreementRow> {
  await database.query('SELECT 1 FROM agreements WHERE id = $1 FOR UPDATE', [id], tx);
  const agreement = await findAgreement(database, id, tx);
  if (agreement === undefined) throw new Problem('not-found');
  if (person.role !== 'privacy_officer' && agreement.markedBy !== person.userId)
    throw new Problem('forbidden', { detail: 'An agreement is changed by whoever marked it, or by a privacy officer.' });
  if (agreement.withdrawnAt !== null) throw new Problem('conflict', { detail: 'This agreement was withdrawn.' });
  return agreement;
}

export type WordingChange = { [field in keyof Wording]?: Wording[field] | undefined };

/**
 * Corrects an agreement; the old wording stays beside it. `seen` is the revision that was corrected.
 * @throws Problem `not-found`, `forbidden`, `conflict` when it was withdrawn or changed meanwhile, `invalid-input`
 */
export async function correctAgreement(
  platform: Base,
  person: Person,
  found: { recording: RecordingRow; version: VersionRow },
  id: string,
  change: WordingChange,
  { reason, seen }: { reason: string; seen?: number | undefined },
): Promise<AgreementRow> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const recording = await lockKept(platform, tx, found.recording.id);
    const before = await lockStanding(platform, tx, person, id);
    if (seen !== undefined && seen !== before.revision)
      throw new Problem('conflict', { detail: 'Somebody else corrected this agreement meanwhile.' });
    const { startMs, endMs } = change;
    const moved = startMs !== undefined && endMs !== undefined ? placed({ startMs, endMs }, recording, found.version) : before;
    const wording: Wording = {
      startMs: moved.startMs,
      endMs: moved.endMs,
      summary: change.summary ?? before.summary,
      parties: change.parties ?? before.parties,
      ticket: change.ticket === undefined ? before.ticket : change.ticket,
    };
    const revision = before.revision + 1;
    await database.query(
      `UPDATE agreements SET revision = $2, version_id = $3, start_ms = $4, end_ms = $5, summary = $6, parties = $7::text[],
         ticket = $8 WHERE id = $1`,
      [
        id, revision, moved === before ? before.versionId : found.version.id, wording.startMs, wording.endMs,
        wording.summary, wording.parties, wording.ticket,
      ],
      tx,
    );
    const told = await writeRevision(platform, tx, person, { id, recordingId: recording.id, revision, reason }, wording);
    await append(database, clock, tx, entryOf(person, 'agreement.corrected', recording.id, told));
    const corrected = await findAgreement(database, id, tx);
    if (corrected === undefined) throw new Error('a locked agreement is gone');
    return corrected;
  });
}

/** Withdraws what was marked by mistake; it stays on record, out of lists and packages. @throws Problem as `correctAgreement` */
export async function withdrawAgreement(platform: Base, person: Person, id: string, reason: string): Promise<AgreementRow> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const { recordingId, revision } = await lockStanding(platform, tx, person, id);
    await database.query(
      'UPDATE agreements SET withdrawn_by = $2, withdrawn_at = $3, withdrawn_reason = $4 WHERE id = $1',
      [id, person.userId, clock.now(), reason],
      tx,
    );
    await append(database, clock, tx, entryOf(person, 'agreement.withdrawn', recordingId, { agreementId: id, revision }));
    const withdrawn = await findAgreement(database, id, tx);
    if (withdrawn === undefined) throw new Error('a locked agreement is gone');
    return withdrawn;
  });
}

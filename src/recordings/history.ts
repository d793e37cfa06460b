import { randomBytes } from 'node:crypto';
import type { Transaction } from 'sequelize';
import { canonicalBytes } from '../audit/canonical.js';
import { append, type Actor } from '../audit/log.js';
import { sha256 } from '../audit/merkle.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import type { RecordingRow } from './recording.js';

/**
 * What was known of a call before it was corrected or added to, kept beside it for as long as the recording itself. The
 * audit trail says who and when, and carries a salted digest of the values; never the values.
 */

/** A field of the recording with its values as JSON writes them. */
export interface FieldChange {
  field: string;
  old: unknown;
  new: unknown;
}

/** One change: fields that got another value, or a statement that was attached (art. 16 GDPR). */
export interface RecordingChange {
  id: string;
  at: Date;
  fields: FieldChange[];
  statement: string | null;
  /** Random, so that the digest cannot be guessed at once the recording is gone. */
  salt: string;
}

/** A salt for what is digested into the audit trail: 128 random bits, hex. */
export const newSalt = (): string => randomBytes(16).toString('hex');

/** Those fields of `after` that differ from what stands in `before`. */
export function fieldChanges(before: RecordingRow, after: Partial<RecordingRow>): FieldChange[] {
  const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null)) as unknown;
  return (Object.keys(after) as (keyof RecordingRow)[])
    .map((field) => ({ field, old: written(before[field]), new: written(after[field]) }))
    .filter((change) => JSON.stringify(change.old) !== JSON.stringify(change.new));
}

/** Ties a change to the audit trail without repeating it there. */
export function changeDigest(recordingId: string, { id, fields, statement, salt }: Omit<RecordingChange, 'at'>): string {
  return sha256(canonicalBytes({ recordingId, id, fields, statement, salt })).toString('hex');
}

const callerFields: ReadonlySet<string> = new Set(['caller_number', 'caller_name']);
const hidden = (value: unknown) => (value === null ? null : 'withheld');
/** The same change, without what would tell a caller who hides. */
const withoutCaller = (fields: readonly FieldChange[]): FieldChange[] =>
  fields.map((change) => (callerFields.has(change.field) ? { ...change, old: hidden(change.old), new: hidden(change.new) } : change));

/**
 * Keeps a change. One that says that the caller withheld their number is the end of that number here, too: neither it nor
 * an earlier change tells it any more.
 * @returns what the audit entry that is written with it says of it
 */
export async function keepChange(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  recordingId: string,
  { fields, statement = null }: { fields: readonly FieldChange[]; statement?: string | null },
  actor: Actor,
): Promise<{ changeId: string; digest: string }> {
  const hides = fields.some(({ field, new: value }) => field === 'caller_withheld' && value === true);
  if (hides) await forgetCaller({ clock, database }, tx, recordingId, actor);
  const change = { id: newId(clock), fields: hides ? withoutCaller(fields) : [...fields], statement, salt: newSalt() };
  await database.query(
    'INSERT INTO recording_changes (id, recording_id, at, fields, statement, salt) VALUES ($1, $2, $3, $4::jsonb, $5, $6)',
    [change.id, recordingId, clock.now(), JSON.stringify(change.fields), statement, change.salt],
    tx,
  );
  return { changeId: change.id, digest: changeDigest(recordingId, change) };
}

/**
 * Takes the caller out of the changes before. The trail gets the digest of what stands there now, which is the one that
 * counts from here on; the old one tells nobody anything without its salt.
 */
async function forgetCaller({ clock, database }: Pick<Platform, 'clock' | 'database'>, tx: Transaction, recordingId: string, actor: Actor): Promise<void> {
  const changes = await database.query<RecordingChange>(
    'SELECT id, at, fields, statement, salt FROM recording_changes WHERE recording_id = $1 ORDER BY at, id', [recordingId], tx,
  );
  for (const before of changes.filter(({ fields }) => JSON.stringify(withoutCaller(fields)) !== JSON.stringify(fields))) {
    const change = { ...before, fields: withoutCaller(before.fields), salt: newSalt() };
    await database.query(
      'UPDATE recording_changes SET fields = $2::jsonb, salt = $3 WHERE id = $1', [change.id, JSON.stringify(change.fields), change.salt], tx,
    );
    await append(database, clock, tx, {
      actor,
      action: 'recording.caller_withheld',
      object: { type: 'recording', id: recordingId },
      details: { changeId: change.id, digest: changeDigest(recordingId, change) },
    });
  }
}

/** Every change of a recording, oldest first. */
export async function changesOf(database: Database, recordingId: string): Promise<RecordingChange[]> {
  return await database.query<RecordingChange>(
    'SELECT id, at, fields, statement, salt FROM recording_changes WHERE recording_id = $1 ORDER BY at, id',
    [recordingId],
  );
}

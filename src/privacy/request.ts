import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { append, systemActor, type AuditDetail } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import type { Ffmpeg } from '../platform/ffmpeg.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { SigningKey } from '../platform/signing.js';
import type { Category } from '../retention/category.js';
import type { Processor } from '../retention/register.js';
import { dueDates, type Calendar, type Pause } from './clock.js';
import type { Right } from './rights.js';

/** The rows of a request, how they are locked, and how each act is put on its timeline and in the audit trail. */

export const channels = ['letter', 'email', 'phone', 'portal', 'call', 'ticket'] as const;
export const requesterKinds = ['person', 'representative', 'parent', 'employee', 'company', 'authority'] as const;
export const requestStates = ['draft', 'identity', 'search', 'decide', 'approval', 'answer', 'closed'] as const;
export const outcomes = ['answered', 'forwarded', 'withdrawn', 'merged', 'no_answer'] as const;
export type RequestState = (typeof requestStates)[number];
export type Outcome = (typeof outcomes)[number];

export interface PrivacySettings {
  dataDir: string;
  timeZone: string;
  defaultCountry: string;
  fourEyes: 'required' | 'recorded';
  /** Where people reach the service; undefined where it was not told. */
  publicUrl: string | undefined;
  /** How officers are reminded by mail; undefined where mail was not set up. */
  alarms: { mail: { smtpUrl: string; from: string } | undefined };
  /** Whether anybody may ask by the public form. */
  privacyPortal: boolean;
}

/** What the verbs of this feature stand on. */
export interface PrivacyContext {
  platform: Platform;
  settings: PrivacySettings;
  categories: readonly Category[];
  /** Signs packages. */
  signingKey: SigningKey;
  /** Who handles data for the organisation, as the configuration tells. */
  processors: readonly Processor[];
  /** Masks what others said. @throws a plain error where there is none on this machine */
  ffmpeg: () => Promise<Ffmpeg>;
}

export interface RequestRow {
  id: string;
  year: number;
  number: number;
  state: RequestState;
  channel: (typeof channels)[number];
  requester_kind: (typeof requesterKinds)[number];
  secret: boolean;
  /** The account of an employee who asks about themselves. */
  employee_id: string | null;
  /** Officers who may not handle it, besides the employee. */
  kept_from: string[];
  authority_name: string | null;
  authority_basis: string | null;
  locale: 'nl' | 'en';
  received_at: Date;
  due_at: Date;
  extended_at: Date | null;
  extended_by: string | null;
  extension_reason: string | null;
  extension_late: boolean;
  origin_kind: 'recording' | 'ticket' | null;
  origin_id: string | null;
  /** Where in the call it was asked, in milliseconds of the recording's own timeline. */
  origin_at_ms: number | null;
  created_at: Date;
  /** Null where somebody sent a form. */
  created_by: string | null;
  identified_at: Date | null;
  searched_at: Date | null;
  approved_at: Date | null;
  handed_out_at: Date | null;
  closed_at: Date | null;
  closed_by: string | null;
  outcome: Outcome | null;
  merged_into: string | null;
  retain_until: Date | null;
  /** Counts up with every act that changes the answer. */
  revision: number;
}

/** Who acts for the person, and what they may. */
export interface Representative {
  name: string | null;
  address: string | null;
  email: string | null;
  phone: string | null;
  /** What the mandate covers, and who looked at it. */
  mandate: string | null;
}

export interface SubjectRow {
  request_id: string;
  name: string | null;
  address: string | null;
  emails: string[];
  phones: string[];
  organisation: string | null;
  representative: Representative | null;
  details: string;
  erased_at: Date | null;
}

export interface ProcessRow {
  id: string;
  request_id: string;
  right: Right;
  received_at: Date;
  state: 'open' | 'decided' | 'approved' | 'done';
  outcome: 'granted' | 'partly' | 'refused' | 'nothing_found' | 'withdrawn' | null;
  approved_by: string | null;
  approved_at: Date | null;
  approved_alone_reason: string | null;
}

export interface PauseRow extends Pause {
  id: string;
  ground: 'identity' | 'clarification';
  reason: string;
}

/** SQL over `q`: has everything that was asked for been answered? What was left for later, or approved since, has not. */
export const isAnsweredSql = `(q.handed_out_at IS NOT NULL AND q.handed_out_at >= q.approved_at AND NOT EXISTS (
  SELECT FROM privacy_processes w WHERE w.request_id = q.id AND w.state IN ('open', 'decided')))`;

/** The same of a row with its processes. */
export const isOut = (
  { handed_out_at: out, approved_at: approved }: Pick<RequestRow, 'handed_out_at' | 'approved_at'>,
  processes: readonly Pick<ProcessRow, 'state'>[],
): boolean => out !== null && approved !== null && out >= approved && processes.every(({ state }) => state === 'approved' || state === 'done');

/** As people quote it: `PV-2026-0007`. */
export const referenceOf = ({ year, number }: Pick<RequestRow, 'year' | 'number'>) =>
  `PV-${year}-${String(number).padStart(4, '0')}`;

/** @throws Problem `not-found` */
export async function findRequest(database: Database, id: string, tx?: Transaction): Promise<RequestRow> {
  const [row] = await database.query<RequestRow>('SELECT * FROM privacy_requests WHERE id = $1', [id], tx);
  if (row === undefined) throw new Problem('not-found');
  return row;
}

/**
 * The request, locked until `tx` ends: acts on one request follow one another.
 * @throws Problem `not-found`, `conflict` when it is closed
 */
export async function lockOpenRequest(database: Database, tx: Transaction, id: string): Promise<RequestRow> {
  const [row] = await database.query<RequestRow>('SELECT * FROM privacy_requests WHERE id = $1 FOR UPDATE', [id], tx);
  if (row === undefined) throw new Problem('not-found');
  if (row.closed_at !== null) throw new Problem('conflict', { detail: 'This request is closed.' });
  return row;
}

export async function subjectOf(database: Database, id: string, tx?: Transaction): Promise<SubjectRow> {
  const [row] = await database.query<SubjectRow>('SELECT * FROM privacy_subjects WHERE request_id = $1', [id], tx);
  if (row === undefined) throw new Problem('not-found');
  return row;
}

export async function processesOf(database: Database, id: string, tx?: Transaction): Promise<ProcessRow[]> {
  return await database.query<ProcessRow>(
    `SELECT * FROM privacy_processes WHERE request_id = $1
     ORDER BY array_position('{access,rectification,erasure,restriction,portability,objection}'::text[], "right")`,
    [id],
    tx,
  );
}

export async function pausesOf(database: Database, id: string, tx?: Transaction): Promise<PauseRow[]> {
  return await database.query<PauseRow>(
    `SELECT id, ground, reason, paused_at AS "pausedAt", resumed_at AS "resumedAt"
     FROM privacy_pauses WHERE request_id = $1 ORDER BY paused_at, id`,
    [id],
    tx,
  );
}

/** The calendar by which this organisation counts. */
export async function calendarOf(database: Database, timeZone: string, tx?: Transaction): Promise<Calendar> {
  return { timeZone, holidays: (await organisationOf(database, undefined, tx)).holidays };
}

/** Counts the due date anew and writes it: after receipt, extension or a pause changed. @returns the dates */
export async function settleDueDate(context: PrivacyContext, tx: Transaction, id: string) {
  const { clock, database } = context.platform;
  const [request, pauses, calendar] = [
    await findRequest(database, id, tx),
    await pausesOf(database, id, tx),
    await calendarOf(database, context.settings.timeZone, tx),
  ];
  const facts = { receivedAt: request.received_at, extended: request.extended_at !== null, pauses };
  const dates = dueDates(facts, clock.now(), calendar);
  await database.query(
    // Another date is another thing to be reminded of.
    'UPDATE privacy_requests SET due_at = $2, reminded = CASE WHEN due_at = $2 THEN reminded ELSE 0 END WHERE id = $1',
    [id, dates.dueAt],
    tx,
  );
  return dates;
}

/** An act: `details` hold ids, dates, codes and counts; what somebody wrote goes in `note`, which stays in the file. */
export interface Act {
  kind: string;
  details?: { [name: string]: AuditDetail };
  note?: string | undefined;
}

/** Acts that leave the answer as it is: whoever read it before one of these has read what still stands. */
const leavesTheAnswer = new Set([
  'noted', 'reminded', 'overdue', 'previewed', 'notice_sent', 'delivery_made', 'letter_handed_out', 'package_handed_out',
  'recipient_told', 'recipient_not_told', 'erasure_begun', 'erasure_held_up', 'restriction_lifted', 'paused', 'resumed',
]);

/**
 * Puts acts on the request's timeline and in the audit trail, inside their transaction: a few statements for any number. What
 * changes the answer makes it another revision.
 */
export async function recordAll(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  person: Pick<Person, 'userId'> | 'system',
  request: Pick<RequestRow, 'id' | 'secret'>,
  acts: readonly Act[],
): Promise<void> {
  if (acts.length === 0) return;
  const rows = acts.map(({ kind, details, note }) => ({ id: newId(clock), kind, details: details ?? {}, note: note ?? null }));
  await database.query(
    `INSERT INTO privacy_events (id, request_id, at, actor_id, kind, details, note)
     SELECT id, $2::uuid, $3, $4::uuid, kind, details, note
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, kind text, details jsonb, note text)`,
    [JSON.stringify(rows), request.id, clock.now(), person === 'system' ? null : person.userId],
    tx,
  );
  if (acts.some(({ kind }) => !leavesTheAnswer.has(kind)))
    await database.query('UPDATE privacy_requests SET revision = revision + 1 WHERE id = $1', [request.id], tx);
  await append(database, clock, tx, ...rows.map(({ kind, details }) => ({
    actor: person === 'system' ? systemActor('privacy') : { kind: 'person' as const, id: person.userId },
    action: `privacy_request.${kind}`,
    object: { type: 'privacy_request', id: request.id },
    // An authority's order that may not be told stays out of the ordinary view of the trail.
    details: request.secret ? { ...details, secret: true } : details,
  })));
}

/** Puts one act on the request's timeline and in the audit trail, inside its transaction. See `Act`. */
export async function record(
  platform: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  person: Pick<Person, 'userId'> | 'system',
  request: Pick<RequestRow, 'id' | 'secret'>,
  kind: string,
  details: { [name: string]: AuditDetail } = {},
  note?: string,
): Promise<void> {
  await recordAll(platform, tx, person, request, [{ kind, details, note }]);
}

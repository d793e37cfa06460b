import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { normaliseNumber } from '../recordings/numbers.js';
import { localDate } from '../retention/working-days.js';
import { keptFrom } from './employee.js';
import { applyObjections } from './objections.js';
import { closeRow } from './retention.js';
import {
  lockOpenRequest, processesOf, record, referenceOf, settleDueDate, subjectOf,
  type PrivacyContext, type Representative, type RequestRow,
} from './request.js';
import type { Right } from './rights.js';
import { settleState } from './states.js';

/** Taking requests in: from whom, on whose behalf, for which rights, and when. */

export interface ToldSubject {
  name?: string | null | undefined;
  address?: string | null | undefined;
  emails?: readonly string[] | undefined;
  phones?: readonly string[] | undefined;
  organisation?: string | null | undefined;
}

/** An employee who asks about themselves, and officers who lead them. */
export interface ToldEmployee {
  userId: string;
  keptFrom: readonly string[];
}

export interface Intake {
  receivedAt: Date;
  channel: RequestRow['channel'];
  rights: readonly Right[];
  requesterKind: RequestRow['requester_kind'];
  subject: ToldSubject;
  representative: Representative | null;
  locale: 'nl' | 'en';
  details: string;
  /** An authority's order that may not be told. */
  secret: boolean;
  /** Who orders, and on which legal basis. */
  authority?: { name: string; legalBasis: string } | undefined;
  employee?: ToldEmployee | undefined;
  /** The code that somebody was given for a form they sent. */
  receipt?: string;
  /** Where somebody heard or read it. A request that began so is a draft until an officer has completed it. */
  origin?: { kind: 'recording' | 'ticket'; id: string; /** Milliseconds of the recording's own timeline. */ atMs: number | null };
}

/** Numbers as recordings and tickets have them. @throws Problem `invalid-input` for what holds no number */
function numbersOf(phones: readonly string[], country: string): string[] {
  const numbers = phones.map((phone, index) => {
    const number = normaliseNumber(phone, country);
    if (number === null)
      throw new Problem('invalid-input', { errors: [{ path: `subject.phones.${index}`, message: 'is no telephone number' }] });
    return number;
  });
  return [...new Set(numbers)];
}

const lowered = (emails: readonly string[]) => [...new Set(emails.map((email) => email.trim().toLowerCase()))];

/**
 * Takes a request in: its clock starts at receipt, an objection works from this moment on. `system` took it in when a form
 * was sent.
 * @returns its id
 */
export async function takeIn(context: PrivacyContext, person: Person | 'system', told: Intake): Promise<string> {
  return await context.platform.database.inTransaction((tx) => takeInWithin(context, tx, person, told));
}

/** `takeIn` inside `tx`. */
export async function takeInWithin(context: PrivacyContext, tx: Transaction, person: Person | 'system', told: Intake): Promise<string> {
  const { platform, settings } = context;
  const { clock, database } = platform;
  const phones = numbersOf(told.subject.phones ?? [], settings.defaultCountry);
  const now = clock.now();
  const id = newId(clock);
  await database.advisoryLock(tx, 'privacy.reference', 'exclusive');
  const year = Number(localDate(now, settings.timeZone).slice(0, 4));
  await database.query(
    `INSERT INTO privacy_requests (id, year, number, state, channel, requester_kind, secret, locale, received_at, due_at,
       origin_kind, origin_id, created_at, created_by, origin_at_ms, authority_name, authority_basis)
     SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6, $7, $8, $8, $9, $10::uuid, $11, $12, $13::int, $14, $15
     FROM privacy_requests WHERE year = $2`,
    [
      id, year, told.origin === undefined ? 'identity' : 'draft', told.channel, told.requesterKind, told.secret, told.locale,
      told.receivedAt, told.origin?.kind ?? null, told.origin?.id ?? null, now, person === 'system' ? null : person.userId,
      told.origin?.atMs ?? null, told.authority?.name ?? null, told.authority?.legalBasis ?? null,
    ],
    tx,
  );
  await database.query(
    `INSERT INTO privacy_subjects (request_id, name, address, emails, phones, organisation, representative, details)
     VALUES ($1, $2, $3, $4::text[], $5::text[], $6, $7::jsonb, $8)`,
    [
      id, told.subject.name ?? null, told.subject.address ?? null, lowered(told.subject.emails ?? []), phones,
      told.subject.organisation ?? null, told.representative === null ? null : JSON.stringify(told.representative), told.details,
    ],
    tx,
  );
  if (told.employee !== undefined) await nameEmployee(context, tx, id, told.employee);
  await addProcesses(context, tx, id, told.rights, told.receivedAt);
  const dates = await settleDueDate(context, tx, id);
  const restricted = await applyObjections(platform, tx, id);
  await record(platform, tx, person, { id, secret: told.secret }, told.origin === undefined ? 'received' : 'flagged', {
    channel: told.channel, rights: [...told.rights], dueAt: dates.dueAt.toISOString(), closedToTraining: restricted,
    ...(told.receipt === undefined ? {} : { receipt: told.receipt }),
    ...(told.origin === undefined ? {} : { atMs: told.origin.atMs }),
  });
  return id;
}

/** @throws Problem `invalid-input` for people who are not known here */
async function nameEmployee({ platform: { database } }: PrivacyContext, tx: Transaction, id: string, told: ToldEmployee): Promise<void> {
  const known = await database.query<{ id: string }>('SELECT id FROM users WHERE id = ANY ($1::uuid[])', [[told.userId, ...told.keptFrom]], tx);
  const isKnown = (userId: string) => known.some((row) => row.id === userId);
  const errors = [
    ...(isKnown(told.userId) ? [] : [{ path: 'employee.userId', message: 'is nobody known here' }]),
    ...told.keptFrom.flatMap((each, index) => (isKnown(each) ? [] : [{ path: `employee.keptFrom.${index}`, message: 'is nobody known here' }])),
  ];
  if (errors.length > 0) throw new Problem('invalid-input', { errors });
  await database.query(
    'UPDATE privacy_requests SET employee_id = $2, kept_from = $3::uuid[] WHERE id = $1',
    [id, told.userId, [...told.keptFrom]],
    tx,
  );
}

/** Rights that are asked for; one that was asked for before keeps the earlier receipt. */
export async function addProcesses(
  { platform: { clock, database } }: PrivacyContext,
  tx: Transaction,
  id: string,
  wanted: readonly Right[],
  receivedAt: Date,
): Promise<void> {
  for (const right of new Set(wanted))
    await database.query(
      `INSERT INTO privacy_processes (id, request_id, "right", received_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (request_id, "right") DO UPDATE SET received_at = LEAST(privacy_processes.received_at, excluded.received_at)`,
      [newId(clock), id, right, receivedAt],
      tx,
    );
}

export interface Completion {
  subject?: ToldSubject | undefined;
  rights?: readonly Right[] | undefined;
  representative?: Representative | null | undefined;
  requesterKind?: RequestRow['requester_kind'] | undefined;
  employee?: ToldEmployee | undefined;
  locale?: 'nl' | 'en' | undefined;
  details?: string | undefined;
}

/**
 * Completes or corrects what was taken in, until something of it is approved. Rights can be added, not taken away: one that
 * is withdrawn is closed as such.
 * @throws Problem `not-found`, `conflict` when it is approved or closed
 */
export async function complete(context: PrivacyContext, person: Person, id: string, change: Completion): Promise<void> {
  const { platform, settings } = context;
  const { database } = platform;
  const phones = change.subject?.phones === undefined ? undefined : numbersOf(change.subject.phones, settings.defaultCountry);
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    if (request.approved_at !== null) throw new Problem('conflict', { detail: 'The answer is approved already.' });
    const before = await subjectOf(database, id, tx);
    const { subject = {} } = change;
    await database.query(
      `UPDATE privacy_subjects SET name = $2, address = $3, emails = $4::text[], phones = $5::text[], organisation = $6,
         representative = $7::jsonb, details = $8 WHERE request_id = $1`,
      [
        id,
        subject.name === undefined ? before.name : subject.name,
        subject.address === undefined ? before.address : subject.address,
        subject.emails === undefined ? before.emails : lowered(subject.emails),
        phones ?? before.phones,
        subject.organisation === undefined ? before.organisation : subject.organisation,
        JSON.stringify(change.representative === undefined ? before.representative : change.representative),
        change.details ?? before.details,
      ],
      tx,
    );
    await addProcesses(context, tx, id, change.rights ?? [], request.received_at);
    const kind = change.requesterKind ?? (change.employee === undefined ? request.requester_kind : 'employee');
    if (request.requester_kind === 'authority' && kind !== 'authority')
      throw new Problem('conflict', { detail: 'An order stays an order.' });
    if (change.employee !== undefined && kind !== 'employee')
      throw new Problem('invalid-input', { errors: [{ path: 'employee', message: 'goes with requesterKind employee' }] });
    if (kind !== 'employee') await database.query('UPDATE privacy_requests SET employee_id = NULL WHERE id = $1', [id], tx);
    await database.query(
      `UPDATE privacy_requests SET locale = $2, requester_kind = $3, state = CASE state WHEN 'draft' THEN 'identity' ELSE state END
       WHERE id = $1`,
      [id, change.locale ?? request.locale, kind],
      tx,
    );
    if (change.employee !== undefined) await nameEmployee(context, tx, id, change.employee);
    const restricted = await applyObjections(platform, tx, id);
    const fields = Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    await record(platform, tx, person, request, 'completed', { fields, closedToTraining: restricted });
  });
}

/** Other open requests that may be of the same person, by e-mail address or number, as far as `person` may know of them. */
export async function possibleDuplicates(
  { platform: { database } }: PrivacyContext,
  person: Person,
  id: string,
): Promise<{ id: string; reference: string; receivedAt: string }[]> {
  const rows = await database.query<Pick<RequestRow, 'id' | 'year' | 'number' | 'received_at'>>(
    `SELECT q.id, q.year, q.number, q.received_at FROM privacy_subjects mine JOIN privacy_subjects s ON s.request_id <> mine.request_id
       AND (s.emails && mine.emails OR s.phones && mine.phones)
     JOIN privacy_requests q ON q.id = s.request_id AND q.closed_at IS NULL
     JOIN privacy_requests asked ON asked.id = mine.request_id AND asked.requester_kind <> 'authority'
       AND (asked.requester_kind = 'company') = (q.requester_kind = 'company')
     WHERE mine.request_id = $1 AND q.requester_kind <> 'authority' AND NOT ${keptFrom('$2')} ORDER BY q.received_at, q.id LIMIT 20`,
    [id, person.userId],
  );
  return rows.map((row) => ({ id: row.id, reference: referenceOf(row), receivedAt: row.received_at.toISOString() }));
}

/**
 * Merges a request into another one of the same person. The clock is not set anew: the earlier receipt counts for both. An
 * address or number that nobody verified makes who they are a question again.
 * @throws Problem `not-found`, `conflict` when one of them is approved or closed, they are the same, or one is an order or of
 * another employee: their files are not for the same eyes
 */
export async function merge(context: PrivacyContext, person: Person, id: string, into: string): Promise<void> {
  const { platform } = context;
  const { database } = platform;
  if (id === into) throw new Problem('conflict', { detail: 'A request cannot be merged into itself.' });
  await database.inTransaction(async (tx) => {
    // In one order, so that two merges the other way round wait for each other instead of for ever.
    for (const each of [id, into].sort()) await lockOpenRequest(database, tx, each);
    const [from, to] = [await lockOpenRequest(database, tx, id), await lockOpenRequest(database, tx, into)];
    if (from.approved_at !== null || to.approved_at !== null)
      throw new Problem('conflict', { detail: 'One of them is approved already.' });
    if ([from, to].some((each) => each.requester_kind === 'authority') || from.employee_id !== to.employee_id)
      throw new Problem('conflict', { detail: 'These two are not for the same eyes and cannot be one request.' });
    for (const { right, received_at } of await processesOf(database, id, tx)) await addProcesses(context, tx, into, [right], received_at);
    const [mine, theirs] = [await subjectOf(database, id, tx), await subjectOf(database, into, tx)];
    await database.query(
      `UPDATE privacy_subjects SET emails = $2::text[], phones = $3::text[], details = $4 WHERE request_id = $1`,
      [
        into, [...new Set([...theirs.emails, ...mine.emails])], [...new Set([...theirs.phones, ...mine.phones])],
        [theirs.details, mine.details].filter((text) => text !== '').join('\n\n'),
      ],
      tx,
    );
    const brings = mine.emails.some((email) => !theirs.emails.includes(email)) || mine.phones.some((phone) => !theirs.phones.includes(phone));
    if (from.identified_at === null && brings) await database.query('UPDATE privacy_requests SET identified_at = NULL WHERE id = $1', [into], tx);
    const earliest = from.received_at < to.received_at ? from.received_at : to.received_at;
    await database.query('UPDATE privacy_requests SET received_at = $2 WHERE id = $1', [into, earliest], tx);
    await settleDueDate(context, tx, into);
    await database.query('UPDATE holds SET request_id = $2 WHERE request_id = $1', [id, into], tx);
    await database.query('UPDATE restrictions SET request_id = $2 WHERE request_id = $1', [id, into], tx);
    await database.query(
      `UPDATE privacy_items i SET request_id = $2 WHERE request_id = $1 AND NOT EXISTS (
         SELECT FROM privacy_items o WHERE o.request_id = $2 AND o.kind = i.kind AND o.item_id = i.item_id)`,
      [id, into],
      tx,
    );
    await closeRow(context, tx, person, from, 'merged', into);
    await record(platform, tx, person, from, 'merged', { into });
    await record(platform, tx, person, to, 'took_over', { from: id, receivedAt: earliest.toISOString() });
    await settleState(context, tx, into);
  });
}

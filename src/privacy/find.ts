import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { allOwnNumbers } from '../access/organisation.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { normaliseNumber } from '../recordings/numbers.js';
import { heldToTell } from '../retention/hold.js';
import { placeHoldsIn, type Hold } from '../retention/place-hold.js';
import { retagJob } from '../retention/retag.js';
import { restrictAllIn } from '../retention/restrict.js';
import { lockOpenRequest, processesOf, record, subjectOf, type PrivacyContext, type RequestRow } from './request.js';
import { settleState } from './states.js';

/**
 * Finding a person: over every spelling of their numbers, their e-mail addresses, name and organisation, what was said and
 * written, what is linked to that, and calls by agent and time where the number was withheld; for an employee, the calls
 * they answered and those that were shared with them or evaluated. Each match keeps what it rests on. What is found is
 * frozen for five days; who looked for what is recorded, also when nothing was found.
 */

export interface ToldCriteria {
  phones?: readonly string[] | undefined;
  emails?: readonly string[] | undefined;
  names?: readonly string[] | undefined;
  organisation?: string | undefined;
  tickets?: readonly string[] | undefined;
  /** Calls by extension and time: the way to those whose number was withheld. */
  calls?: readonly { agent: string; from: Date; until: Date }[] | undefined;
}

export interface SearchResult {
  searchId: string;
  recordings: number;
  tickets: number;
  /** Numbers on which several people or organisations are seen. */
  sharedNumbers: string[];
  /** There is more than one search takes: it has to be narrowed, or asked of the person. */
  more: boolean;
  frozenUntil: Date;
}

interface Match {
  kind: 'recording' | 'ticket';
  id: string;
  basis: string[];
  number: string | null;
}

export const freezeMs = 5 * 86_400_000;
/** So many items are frozen in one transaction: others wait for their rows that long. */
const chunk = 500;
const most = 5000;

/** Every form in which a number may have been stored: as it should be, and as it was told when it could not be read. */
function spellings(number: string): string[] {
  const digits = number.replace(/\D/g, '');
  const national = parsePhoneNumberFromString(number)?.nationalNumber;
  return [...new Set([number, digits, `00${digits}`, ...(national === undefined ? [] : [`0${national}`])])];
}

/** What only a secret hold keeps past its date is found for no request: its answer would give the order away. */
const kept = (alias: string, kind: 'recording' | 'ticket') =>
  `${alias}.purge_intent IS NULL AND (${alias}.retain_until > $1 OR ${heldToTell(kind, `${alias}.id`, '$1', 'everyone')})`;

const recording = (basis: string, condition: string, number = 'NULL::text') =>
  `SELECT 'recording' AS kind, r.id, '${basis}' AS basis, ${number} AS number FROM recordings r
   WHERE r.version > 0 AND ${condition} AND ${kept('r', 'recording')}`;
const ticket = (basis: string, condition: string, number = 'NULL::text') =>
  `SELECT 'ticket' AS kind, t.id, '${basis}' AS basis, ${number} AS number FROM tickets t
   WHERE ${condition} AND ${kept('t', 'ticket')}`;

/** One statement; each walk goes by an index of its own. */
const statement = `WITH direct AS MATERIALIZED (
    ${recording('number', 'r.caller_number = ANY ($2::text[])', 'r.caller_number')}
    UNION ALL ${recording('number', 'r.callee_number = ANY ($2::text[])', 'r.callee_number')}
    UNION ALL ${recording('name', 'lower(r.caller_name) = ANY ($4::text[])')}
    UNION ALL ${recording('name', 'lower(r.callee_name) = ANY ($4::text[])')}
    UNION ALL ${ticket('number', 't.requester_phone = ANY ($2::text[])', 't.requester_phone')}
    UNION ALL ${ticket('email', 't.requester_email = ANY ($3::text[])')}
    UNION ALL ${ticket('name', 'lower(t.requester_name) = ANY ($4::text[])')}
    UNION ALL ${ticket('ticket_number', 't.number = ANY ($6::text[])')}
    UNION ALL ${recording('ticket_number', 'r.ticket_number = ANY ($6::text[])')}),
  by_call AS (SELECT 'recording' AS kind, r.id, 'agent_and_time' AS basis, NULL::text AS number
    FROM jsonb_to_recordset($7::jsonb) AS c (agent text, "from" timestamptz, until timestamptz)
    JOIN recordings r ON r.agent = c.agent AND r.started_at >= c."from" AND r.started_at < c.until
    WHERE r.version > 0 AND ${kept('r', 'recording')}),
  weak AS (
    ${ticket('organisation', 'lower(t.organisation) = $5::text')}
    UNION ALL SELECT 'ticket', t.id, 'mentioned', NULL FROM unnest($4::text[] || $3::text[]) AS m (words)
      JOIN tickets t ON t.document @@ phraseto_tsquery('dutch', regexp_replace(normalize(m.words, NFKD), '[\\u0300-\\u036f]', '', 'g'))
      WHERE numnode(phraseto_tsquery('dutch', m.words)) > 0 AND ${kept('t', 'ticket')}),
  spoken AS (SELECT DISTINCT 'recording' AS kind, r.id, 'transcript' AS basis, NULL::text AS number
    FROM unnest($4::text[] || $3::text[]) AS m (words)
      JOIN transcript_segments s ON s.words @@ phraseto_tsquery('dutch', m.words)
      JOIN recordings r ON r.id = s.recording_id
    WHERE numnode(phraseto_tsquery('dutch', m.words)) > 0 AND r.version > 0 AND ${kept('r', 'recording')}),
  worked AS (
    ${recording('own_call', 'r.agent = ANY ($8::text[])')}
    UNION ALL ${recording('evaluated', 'r.id IN (SELECT recording_id FROM evaluations WHERE agent_id = $9::uuid)')}
    UNION ALL ${recording('shared', 'r.id IN (SELECT recording_id FROM recording_shares WHERE agent_id = $9::uuid)')}),
  linked AS (
    SELECT 'recording' AS kind, r.id, 'linked_ticket' AS basis, NULL::text AS number
    FROM (SELECT DISTINCT id FROM direct WHERE kind = 'ticket') d
    JOIN ticket_recordings l ON l.ticket_id = d.id JOIN recordings r ON r.id = l.recording_id WHERE ${kept('r', 'recording')}
    UNION ALL SELECT 'ticket', t.id, 'linked_recording', NULL
    FROM (SELECT DISTINCT id FROM direct WHERE kind = 'recording') d
    JOIN ticket_recordings l ON l.recording_id = d.id JOIN tickets t ON t.id = l.ticket_id WHERE ${kept('t', 'ticket')}),
  sides AS (SELECT 'recording' AS kind, r.id, 'same_call' AS basis, NULL::text AS number
    FROM (SELECT DISTINCT id FROM direct WHERE kind = 'recording') d JOIN recordings r ON r.leg_of = d.id
    WHERE r.version > 0 AND ${kept('r', 'recording')})
  SELECT kind, id, array_agg(DISTINCT basis ORDER BY basis) AS basis, max(number) AS number
  FROM (SELECT * FROM direct UNION ALL SELECT * FROM by_call UNION ALL SELECT * FROM weak UNION ALL SELECT * FROM linked
        UNION ALL SELECT * FROM sides UNION ALL SELECT * FROM spoken UNION ALL SELECT * FROM worked) found
  GROUP BY kind, id ORDER BY kind, id LIMIT ${most + 1}`;

/** Which of these numbers are a switchboard's: several people or organisations are seen on them. */
async function sharedAmong(database: Database, numbers: readonly string[]): Promise<string[]> {
  const rows = await database.query<{ number: string }>(
    `SELECT n.number FROM unnest($1::text[]) AS n (number)
     WHERE (SELECT count(DISTINCT coalesce(t.requester_email, lower(t.requester_name))) > 1
              OR count(DISTINCT lower(t.organisation)) > 1 FROM tickets t WHERE t.requester_phone = n.number)
        OR (SELECT count(DISTINCT lower(r.caller_name)) > 1 FROM recordings r
            WHERE r.caller_number = n.number AND r.version > 0)`,
    [numbers],
  );
  return rows.map((row) => row.number);
}

/** The organisation's own numbers and those of its PBXs. */
async function ownNumbers(database: Database): Promise<Set<string>> {
  const rows = await database.query<{ number: string }>(allOwnNumbers);
  return new Set(rows.map((row) => row.number));
}

/** The extensions on which an employee answers. Somebody else may have had one before: each call is confirmed by itself. */
async function extensionsOf(database: Database, employeeId: string): Promise<string[]> {
  const [row] = await database.query<{ extensions: string[] }>('SELECT extensions FROM users WHERE id = $1', [employeeId]);
  return row?.extensions ?? [];
}

/** The request, locked, as long as its answer is not approved: what was found after that would be in no answer. @throws Problem */
async function lockSearchable(database: Database, tx: Transaction, id: string): Promise<RequestRow> {
  const request = await lockOpenRequest(database, tx, id);
  if (request.approved_at !== null) throw new Problem('conflict', { detail: 'The answer is approved already.' });
  return request;
}

/**
 * Looks for the person with what the request tells of them and what the officer adds, and freezes what is found.
 * @throws Problem `not-found`, `conflict` when the request is closed or wholly approved
 */
export async function search(
  context: PrivacyContext,
  person: Person,
  id: string,
  told: ToldCriteria = {},
): Promise<SearchResult> {
  const { platform, settings } = context;
  const { clock, database } = platform;
  const request = await database.inTransaction((tx) => lockSearchable(database, tx, id));
  const subject = await subjectOf(database, id);
  const added = (told.phones ?? []).flatMap((phone) => normaliseNumber(phone, settings.defaultCountry) ?? []);
  // Everybody is seen on the organisation's own numbers: they find nobody.
  const own = await ownNumbers(database);
  const numbers = [...new Set([...subject.phones, ...added])].filter((number) => !own.has(number)).flatMap(spellings);
  const extensions = request.employee_id === null ? [] : await extensionsOf(database, request.employee_id);
  const emails = [...new Set([...subject.emails, ...(told.emails ?? []).map((email) => email.trim().toLowerCase())])];
  const names = [subject.name ?? '', ...(told.names ?? [])].map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  const organisation = (told.organisation ?? subject.organisation ?? '').trim().toLowerCase();
  const tickets = (told.tickets ?? []).flatMap((number) => [number.replace(/^#/, ''), `#${number.replace(/^#/, '')}`]);
  const now = clock.now();
  const all = await database.query<Match>(statement, [
    now, numbers, emails, names, organisation === '' ? null : organisation, tickets, JSON.stringify(told.calls ?? []),
    extensions, request.employee_id,
  ]);
  const matches = all.slice(0, most);
  const more = all.length > most;
  const shared = await sharedAmong(database, numbers);
  const frozenUntil = new Date(now.getTime() + freezeMs);
  const objected = (await processesOf(database, id)).some(({ right, outcome }) => right === 'objection' && outcome !== 'refused');
  const count = (kind: Match['kind']) => matches.filter((match) => match.kind === kind).length;
  const found = { recordings: count('recording'), tickets: count('ticket') };
  const searchId = newId(clock);
  // How many of each kind were looked for, not what they were: those stand with the person, or were typed and are gone.
  const criteria = {
    numbers: subject.phones.length + added.length, emails: emails.length, names: names.length,
    organisation: organisation !== '', tickets: told.tickets?.length ?? 0, calls: told.calls?.length ?? 0,
  };
  // On record before anything of it is shown or frozen: a process that dies leaves no search that nobody knows of.
  await database.inTransaction(async (tx) => {
    const locked = await lockSearchable(database, tx, id);
    await database.query(
      `INSERT INTO privacy_searches (id, request_id, searched_at, searched_by, criteria, recordings, tickets)
       VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)`,
      [searchId, id, now, person.userId, JSON.stringify(criteria), found.recordings, found.tickets],
      tx,
    );
    await record(platform, tx, person, locked, 'searched', { searchId, ...criteria, ...found, more });
  });
  for (let from = 0; from < matches.length; from += chunk)
    await database.inTransaction(async (tx) => {
      const locked = await lockSearchable(database, tx, id);
      await take(context, tx, person, locked, matches.slice(from, from + chunk), { shared, frozenUntil, objected });
    });
  platform.jobs.nudge(retagJob);
  // Only now is there something to decide: nobody can say that nothing was found while it is being put on the list.
  await database.inTransaction(async (tx) => {
    await lockSearchable(database, tx, id);
    await database.query('UPDATE privacy_requests SET searched_at = $2, revision = revision + 1 WHERE id = $1', [id, now], tx);
    await settleState(context, tx, id);
  });
  return { searchId, ...found, sharedNumbers: shared, more, frozenUntil };
}

/**
 * Puts matches on the request's list, and freezes those that are new there. One whose period ended, or whose deletion began,
 * between the search and this moment is no candidate any more.
 */
async function take(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  matches: readonly Match[],
  { shared, frozenUntil, objected }: { shared: readonly string[]; frozenUntil: Date; objected: boolean },
): Promise<void> {
  const { platform, settings, categories } = context;
  const { clock, database } = platform;
  const rows = matches.map(({ kind, id, basis, number }) => ({
    id: newId(clock), kind, item: id, basis, shared: number !== null && shared.includes(number),
  }));
  const added = await database.query<{ kind: Match['kind']; itemId: string }>(
    `INSERT INTO privacy_items AS i (id, request_id, kind, item_id, basis, shared_number, found_at, item_at)
     SELECT id, $2::uuid, kind, item, basis, shared, $3, coalesce(
       (SELECT r.started_at FROM recordings r WHERE kind = 'recording' AND r.id = item),
       (SELECT t.opened_at FROM tickets t WHERE kind = 'ticket' AND t.id = item), $3)
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, kind text, item uuid, basis text[], shared boolean)
     ON CONFLICT (request_id, kind, item_id) DO NOTHING RETURNING kind, item_id AS "itemId"`,
    [JSON.stringify(rows), request.id, clock.now()],
    tx,
  );
  await database.query(
    `UPDATE privacy_items i SET shared_number = i.shared_number OR given.shared,
       basis = ARRAY(SELECT DISTINCT unnest(i.basis || given.basis) ORDER BY 1)
     FROM jsonb_to_recordset($1::jsonb) AS given (kind text, item uuid, basis text[], shared boolean)
     WHERE i.request_id = $2 AND i.kind = given.kind AND i.item_id = given.item
       AND (NOT i.basis @> given.basis OR given.shared AND NOT i.shared_number)`,
    [JSON.stringify(rows), request.id],
    tx,
  );
  if (added.length === 0) return;
  const actor = { kind: 'person' as const, id: person.userId };
  const { placed, refused } = await placeHoldsIn(platform, categories, tx, actor, added.map(({ kind, itemId }) => ({
    kind, itemId, ...servingHold(request), reason: 'found for an open request', reviewAt: frozenUntil, endsAt: frozenUntil,
  })), settings.timeZone);
  await linkHolds(database, tx, request.id, placed);
  await database.query(
    'DELETE FROM privacy_items WHERE request_id = $1 AND item_id = ANY ($2::uuid[]) AND confirmed IS NULL',
    [request.id, refused.map(({ order }) => order.itemId)],
    tx,
  );
  if (objected)
    await restrictAllIn(platform, tx, actor, placed.map(({ kind, itemId }) => ({
      kind, itemId, purpose: 'training', ground: 'objection', requestId: request.id,
    })));
}

/** What every hold has that serves a request: one of an order that may not be told is as secret as the order. */
export const servingHold = ({ id, requester_kind: kind, secret }: Pick<RequestRow, 'id' | 'requester_kind' | 'secret'>) => ({
  ground: kind === 'authority' ? ('authority_order' as const) : ('open_request' as const), requestId: id, secret,
});

/** Notes in the request's items which holds keep them. */
export async function linkHolds(database: Database, tx: Transaction, requestId: string, holds: readonly Hold[]): Promise<void> {
  await database.query(
    `UPDATE privacy_items i SET hold_id = held.hold FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS held (hold, item, kind)
     WHERE i.request_id = $1 AND i.item_id = held.item AND i.kind = held.kind`,
    [requestId, holds.map(({ id }) => id), holds.map(({ itemId }) => itemId), holds.map(({ kind }) => kind)],
    tx,
  );
}

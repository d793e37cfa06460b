import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { normaliseNumber } from '../recordings/numbers.js';
import { heldAt } from '../retention/hold.js';
import { placeHoldIn } from '../retention/place-hold.js';
import { retagJob } from '../retention/retag.js';
import { restrictIn } from '../retention/restrict.js';
import { lockOpenRequest, processesOf, record, subjectOf, type PrivacyContext, type RequestRow } from './request.js';
import { settleState } from './states.js';

/**
 * Finding a person: over every spelling of their numbers, their e-mail addresses, name and organisation, what is linked to
 * that, and calls by agent and time where the number was withheld. Each match keeps what it rests on. What is found is
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
const chunk = 50;
const most = 5000;

/** Every form in which a number may have been stored: as it should be, and as it was told when it could not be read. */
function spellings(number: string): string[] {
  const digits = number.replace(/\D/g, '');
  const national = parsePhoneNumberFromString(number)?.nationalNumber;
  return [...new Set([number, digits, `00${digits}`, ...(national === undefined ? [] : [`0${national}`])])];
}

const kept = (alias: string, kind: 'recording' | 'ticket') =>
  `${alias}.purge_intent IS NULL AND (${alias}.retain_until > $1 OR ${heldAt(kind, `${alias}.id`, '$1')})`;

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
        UNION ALL SELECT * FROM sides) found
  GROUP BY kind, id LIMIT ${most}`;

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
  const request = await database.inTransaction((tx) => lockOpenRequest(database, tx, id));
  if (request.approved_at !== null) throw new Problem('conflict', { detail: 'The answer is approved already.' });
  const subject = await subjectOf(database, id);
  const added = (told.phones ?? []).flatMap((phone) => normaliseNumber(phone, settings.defaultCountry) ?? []);
  const numbers = [...new Set([...subject.phones, ...added])].flatMap(spellings);
  const emails = [...new Set([...subject.emails, ...(told.emails ?? []).map((email) => email.trim().toLowerCase())])];
  const names = [subject.name ?? '', ...(told.names ?? [])].map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  const organisation = (told.organisation ?? subject.organisation ?? '').trim().toLowerCase();
  const tickets = (told.tickets ?? []).flatMap((number) => [number.replace(/^#/, ''), `#${number.replace(/^#/, '')}`]);
  const now = clock.now();
  const matches = await database.query<Match>(statement, [
    now, numbers, emails, names, organisation === '' ? null : organisation, tickets, JSON.stringify(told.calls ?? []),
  ]);
  const shared = await sharedAmong(database, numbers);
  const frozenUntil = new Date(now.getTime() + freezeMs);
  const objected = (await processesOf(database, id)).some(({ right, outcome }) => right === 'objection' && outcome !== 'refused');
  for (let from = 0; from < matches.length; from += chunk)
    await database.inTransaction(async (tx) => {
      const locked = await lockOpenRequest(database, tx, id);
      for (const match of matches.slice(from, from + chunk))
        await take(context, tx, person, locked, match, {
          shared: match.number !== null && shared.includes(match.number), frozenUntil, objected,
        });
    });
  platform.jobs.nudge(retagJob);
  const count = (kind: Match['kind']) => matches.filter((match) => match.kind === kind).length;
  const found = { recordings: count('recording'), tickets: count('ticket') };
  const searchId = newId(clock);
  // How many of each kind were looked for, not what they were: those stand with the person, or were typed and are gone.
  const criteria = {
    numbers: subject.phones.length + added.length, emails: emails.length, names: names.length,
    organisation: organisation !== '', tickets: told.tickets?.length ?? 0, calls: told.calls?.length ?? 0,
  };
  await database.inTransaction(async (tx) => {
    const locked = await lockOpenRequest(database, tx, id);
    await database.query(
      `INSERT INTO privacy_searches (id, request_id, searched_at, searched_by, criteria, recordings, tickets)
       VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)`,
      [searchId, id, now, person.userId, JSON.stringify(criteria), found.recordings, found.tickets],
      tx,
    );
    await database.query('UPDATE privacy_requests SET searched_at = $2 WHERE id = $1', [id, now], tx);
    await record(platform, tx, person, locked, 'searched', { searchId, ...criteria, ...found });
    await settleState(context, tx, id);
  });
  return { searchId, ...found, sharedNumbers: shared, frozenUntil };
}

/** Puts a match on the request's list, and freezes one that is new there. */
async function take(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  match: Match,
  { shared, frozenUntil, objected }: { shared: boolean; frozenUntil: Date; objected: boolean },
): Promise<void> {
  const { platform, settings, categories } = context;
  const { clock, database } = platform;
  const [item] = await database.query<{ id: string; isNew: boolean }>(
    `INSERT INTO privacy_items AS i (id, request_id, kind, item_id, basis, shared_number, found_at)
     VALUES ($1, $2, $3, $4, $5::text[], $6, $7)
     ON CONFLICT (request_id, kind, item_id) DO UPDATE SET shared_number = i.shared_number OR excluded.shared_number,
       basis = ARRAY(SELECT DISTINCT unnest(i.basis || excluded.basis) ORDER BY 1)
     RETURNING id, xmax = 0 AS "isNew"`,
    [newId(clock), request.id, match.kind, match.id, match.basis, shared, clock.now()],
    tx,
  );
  if (item === undefined || !item.isNew) return;
  const actor = { kind: 'person' as const, id: person.userId };
  try {
    const hold = await placeHoldIn(platform, categories, tx, actor, {
      kind: match.kind, itemId: match.id, ground: request.requester_kind === 'authority' ? 'authority_order' : 'open_request',
      reason: 'found for an open request', reviewAt: frozenUntil, endsAt: frozenUntil, requestId: request.id,
    }, settings.timeZone);
    await database.query('UPDATE privacy_items SET hold_id = $2 WHERE id = $1', [item.id, hold.id], tx);
  } catch (error) {
    // Its period ended, or its deletion began, between the search and this moment: it is no candidate any more.
    if (!(error instanceof Problem) || (error.code !== 'retention-ended' && error.code !== 'not-found')) throw error;
    await database.query('DELETE FROM privacy_items WHERE id = $1', [item.id], tx);
    return;
  }
  if (objected)
    await restrictIn(platform, tx, actor, {
      kind: match.kind, itemId: match.id, purpose: 'training', ground: 'objection', requestId: request.id,
    });
}

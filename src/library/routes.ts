import { z } from 'zod';
import { actorOf, type Caller, type Person, type Role } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { may, mayEver, viewOf } from '../access/policy.js';
import { keyedDigest } from '../access/token.js';
import { append } from '../audit/log.js';
import { agreementsOf, type AgreementRow } from '../evidence/agreement.js';
import { cutsOf, toPlayback } from '../recordings/timeline.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { readNumberSearch, type NumberSearch } from '../recordings/numbers.js';
import { presentRecording, recordingSchema, type PresentedRecording } from '../recordings/present.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import { requireUse } from '../retention/further-use.js';
import { refuseDeleted } from '../retention/tombstone.js';
import { ticketsOfRecordings, type LinkedTicket } from '../tickets/link.js';
import { findOneRecording, findRecordings, type FoundRecording } from './find-recordings.js';

/** Finding and opening: lists, search, and the detail that joins what the features know. */

export interface LibrarySettings {
  defaultCountry: string;
  timeZone: string;
  /** Key of the digests under which number searches are logged. */
  searchKey: Buffer;
}

const flag = z.enum(['true', 'false']).transform((told) => told === 'true');
const text = z.string().trim().max(80).transform((told) => (told === '' ? undefined : told)).optional();

const listQuery = z.object({
  number: z.string().trim().max(40).optional().meta({ description: 'Any spelling, caller or callee; trainers: its last three digits' }),
  from: z.string().max(40).optional().meta({ description: 'An instant, or a day in the time zone of the service' }),
  to: z.string().max(40).optional().meta({ description: 'An instant, or the last day that counts' }),
  agent: text.meta({ description: 'An extension, or a part of the name of who answers on it' }),
  direction: z.enum(['inbound', 'outbound', 'internal']).optional(),
  ticket: text,
  queue: text,
  held: flag.optional(),
  marked: flag.optional().meta({ description: 'Whether an agreement is marked on it' }),
  evaluated: flag.optional().meta({ description: 'Trainers, once evaluations are on: whether one was submitted' }),
  minDurationMs: z.coerce.number().int().min(0).optional(),
  maxDurationMs: z.coerce.number().int().min(0).optional(),
  ...pageQuery,
});

function personOf(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Problem('forbidden');
  return caller;
}

/** What a role may search numbers by: officers all of it, trainers what they see of it, others nothing. */
function numberSearch(typed: string | undefined, role: Role, country: string): NumberSearch | undefined {
  if (typed === undefined || typed === '') return undefined;
  const { number } = viewOf(role);
  const wrong = (message: string) => new Problem('invalid-input', { errors: [{ path: 'number', message }] });
  if (number === 'hidden') throw wrong('cannot be searched in this role');
  if (number === 'last_three') {
    if (!/^\d{3}$/.test(typed)) throw wrong('must be the last three digits');
    return { ending: typed };
  }
  const search = readNumberSearch(typed, country);
  if (search === undefined) throw wrong('must have at least three digits');
  return search;
}

/** Where agreements are marked, on the timeline that the player shows; what they say to those who may read that. */
function presentAgreements(
  row: FoundRecording,
  agreements: readonly AgreementRow[],
  role: Role,
): PresentedRecording['agreements'] {
  const cuts = cutsOf(row.holds, row.sample_rate_hz, row.duration_ms);
  return agreements.map(({ id, startMs, endMs, summary }) => ({
    id,
    startMs: toPlayback(startMs, cuts),
    endMs: toPlayback(endMs, cuts),
    summary: mayEver(role, 'agreement.read') ? summary : null,
  }));
}

function presentFound(
  row: FoundRecording,
  tickets: readonly LinkedTicket[],
  agreements: readonly AgreementRow[],
  role: Role,
  ownNumbers: readonly string[],
): PresentedRecording {
  return presentRecording(
    row,
    { ...row, state: row.version_state },
    {
      sourceName: row.source_name,
      agentName: row.agent_name,
      held: row.held,
      restricted: row.restricted,
      tickets: tickets.map(({ id, number, subject, basis, retainUntil }) => ({
        id,
        number,
        subject: viewOf(role).ticketText ? subject : null,
        basis,
        retainUntil: retainUntil.toISOString(),
      })),
      agreements: presentAgreements(row, agreements, role),
    },
    role,
    ownNumbers,
  );
}

/** The lists and details of the library. */
export function libraryOperations(platform: Platform, settings: LibrarySettings): Operation<Caller>[] {
  const { clock, database } = platform;

  /** Number searches are recorded by a keyed digest: that someone looked for a number can be shown, not the number. */
  async function recordSearch(person: Person, typed: string | undefined, found: number): Promise<void> {
    if (typed === undefined || typed === '') return;
    const digest = keyedDigest(settings.searchKey, typed.replace(/\D/g, '')).toString('hex');
    await database.inTransaction((tx) =>
      append(database, clock, tx, {
        actor: actorOf(person),
        action: 'recording.searched',
        details: { numberDigest: digest, found },
      }),
    );
  }

  return [
    operation({
      method: 'get',
      path: '/recordings',
      id: 'listRecordings',
      tag: 'recordings',
      summary: 'Recordings, newest first',
      action: 'recording.list',
      query: listQuery,
      replies: { 200: { description: 'A page', schema: pageOf(recordingSchema) } },
      problems: ['not-switched-on'],
      async handle({ caller, query }) {
        const person = personOf(caller);
        if (query.evaluated !== undefined) {
          if (person.role !== 'trainer')
            throw new Problem('invalid-input', { errors: [{ path: 'evaluated', message: 'cannot be asked in this role' }] });
          await requireUse(database, 'evaluation');
        }
        const rows = await findRecordings(
          database,
          person,
          {
            number: numberSearch(query.number, person.role, settings.defaultCountry),
            from: readPeriodStart(query.from, 'from', settings.timeZone),
            until: readPeriodEnd(query.to, 'to', settings.timeZone),
            agent: query.agent,
            queue: query.queue,
            ticket: query.ticket,
            direction: query.direction,
            held: query.held,
            marked: query.marked,
            evaluated: query.evaluated,
            minDurationMs: query.minDurationMs,
            maxDurationMs: query.maxDurationMs,
          },
          { limit: query.limit, after: query.cursor === undefined ? undefined : decodeCursor(query.cursor) },
          clock.now(),
        );
        if (query.cursor === undefined) await recordSearch(person, query.number, rows.length);
        const ids = rows.map((row) => row.id);
        const [tickets, agreements, { ownNumbers }] = await Promise.all([
          ticketsOfRecordings(database, person.role, ids, clock.now()),
          agreementsOf(database, ids),
          organisationOf(database),
        ]);
        const present = (row: FoundRecording) =>
          presentFound(row, tickets.get(row.id) ?? [], agreements.get(row.id) ?? [], person.role, ownNumbers);
        return { status: 200, body: toPage(rows, query.limit, present, (row) => ({ at: row.started_at, id: row.id })) };
      },
    }),
    operation({
      method: 'get',
      path: '/recordings/{id}',
      id: 'readRecording',
      tag: 'recordings',
      summary: 'A recording',
      action: 'recording.read',
      params: z.object({ id: idSchema }),
      replies: { 200: { description: 'As this role sees it', schema: recordingSchema } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = personOf(caller);
        const now = clock.now();
        const row = await findOneRecording(database, person, params.id, now);
        if (row === undefined || row.version === 0) {
          await refuseDeleted(database, 'recording', params.id);
          throw new Problem('not-found');
        }
        // Its deletion has begun, whatever its date: from here on nothing reads it.
        if (row.purge_intent !== null) throw new Problem('retention-ended', { members: { deletedAt: now.toISOString() } });
        if (row.retain_until <= now && !may(person, 'recording.read_held', { held: row.held }))
          throw new Problem('retention-ended', { members: { deletedAt: row.retain_until.toISOString() } });
        await database.inTransaction((tx) =>
          append(database, clock, tx, {
            actor: actorOf(person),
            action: 'recording.viewed',
            object: { type: 'recording', id: row.id },
          }),
        );
        const [tickets, agreements, { ownNumbers }] = await Promise.all([
          ticketsOfRecordings(database, person.role, [row.id], now),
          agreementsOf(database, [row.id]),
          organisationOf(database),
        ]);
        const shown = presentFound(row, tickets.get(row.id) ?? [], agreements.get(row.id) ?? [], person.role, ownNumbers);
        return { status: 200, body: shown };
      },
    }),
  ];
}

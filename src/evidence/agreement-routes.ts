import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { viewOf } from '../access/policy.js';
import { append } from '../audit/log.js';
import { actorOf } from '../access/caller.js';
import { keyedDigest } from '../access/token.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { readNumberSearch, type NumberSearch } from '../recordings/numbers.js';
import { findListenable } from '../recordings/playback.js';
import { maskNumber } from '../recordings/present.js';
import type { Interval, RecordingRow, VersionRow } from '../recordings/recording.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import {
  correctAgreement, findAgreement, markAgreement, revisionsOf, withdrawAgreement, type AgreementRow,
} from './agreement.js';
import { findAgreements, type FoundAgreement } from './find-agreements.js';
import { cutsOf, toPlayback } from '../recordings/timeline.js';

export interface AgreementSettings {
  defaultCountry: string;
  timeZone: string;
  /** Key of the digests under which number searches are logged. */
  searchKey: Buffer;
}

const summary = z.string().trim().min(1).max(2000);
const party = z.string().trim().min(1).max(200);
/** One name or several; `{name, role}` is written as `name (role)`. */
const parties = z
  .union([party, z.array(z.union([party, z.object({ name: party, role: party.optional() })])).min(1).max(20)])
  .transform((told) =>
    [told].flat().map((one) => (typeof one === 'string' ? one : one.role === undefined ? one.name : `${one.name} (${one.role})`)),
  );
const ticket = z.string().trim().max(80).nullable().transform((told) => (told === '' ? null : told));
const momentMs = z.int().min(0).max(86_400_000).meta({ description: 'Milliseconds of the playback copy, as the player shows them' });
const reason = z.string().trim().min(1).max(2000);

const isForward = ({ startMs, endMs }: { startMs: number; endMs: number }) => endMs > startMs;
const backward = { path: ['endMs'], error: 'must lie after startMs' };

const markSchema = z
  .object({ startMs: momentMs, endMs: momentMs, summary, parties, ticket: ticket.optional() })
  .refine(isForward, backward);

const correctSchema = z
  .object({
    startMs: momentMs.optional(), endMs: momentMs.optional(), summary: summary.optional(), parties: parties.optional(),
    ticket: ticket.optional(), reason,
    revision: z.int().optional().meta({ description: 'The revision that was corrected; another one meanwhile is a conflict' }),
  })
  .refine(({ startMs, endMs }) => (startMs === undefined) === (endMs === undefined), {
    path: ['endMs'], error: 'goes together with startMs',
  })
  .refine(({ startMs = 0, endMs = 1 }) => isForward({ startMs, endMs }), backward);

const wordingShape = {
  startMs: z.int(),
  endMs: z.int(),
  summary: z.string(),
  parties: z.array(z.string()).nullable().meta({ description: 'Null where names are not shown' }),
  ticket: z.string().nullable(),
};

const agreementSchema = z
  .object({
    id: z.uuid(),
    recordingId: z.uuid(),
    revision: z.int(),
    ...wordingShape,
    markedBy: z.object({ id: z.uuid(), name: z.string() }),
    markedAt: z.iso.datetime(),
    withdrawnAt: z.iso.datetime().nullable(),
    withdrawnReason: z.string().nullable(),
  })
  .meta({ id: 'Agreement' });

const foundSchema = agreementSchema
  .extend({
    startedAt: z.iso.datetime(),
    caller: z.string().nullable(),
    callee: z.string().nullable(),
    agent: z.string().nullable(),
    channels: z.int(),
    retainUntil: z.iso.datetime().meta({ description: 'Marking does not move it: only a hold keeps the recording longer' }),
    held: z.boolean(),
  })
  .meta({ id: 'FoundAgreement' });

const historySchema = agreementSchema
  .extend({
    history: z.array(
      z.object({
        revision: z.int(),
        ...wordingShape,
        changedBy: z.object({ id: z.uuid(), name: z.string() }),
        changedAt: z.iso.datetime(),
        reason: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'AgreementHistory' });

type Timed = Pick<AgreementRow, 'startMs' | 'endMs' | 'summary' | 'parties' | 'ticket'>;

const heardWording = (row: Timed, cuts: readonly Interval[], showNames: boolean) => ({
  startMs: toPlayback(row.startMs, cuts),
  endMs: toPlayback(row.endMs, cuts),
  summary: row.summary,
  parties: showNames ? row.parties : null,
  ticket: row.ticket,
});

/** Names of parties are shown to who sees names, and to who wrote them. */
const mayReadNames = (person: Person, row: AgreementRow) => viewOf(person.role).names || row.markedBy === person.userId;

const present = (row: AgreementRow, cuts: readonly Interval[], person: Person): z.input<typeof agreementSchema> => ({
  id: row.id,
  recordingId: row.recordingId,
  revision: row.revision,
  ...heardWording(row, cuts, mayReadNames(person, row)),
  markedBy: { id: row.markedBy, name: row.markedByName },
  markedAt: row.markedAt.toISOString(),
  withdrawnAt: row.withdrawnAt?.toISOString() ?? null,
  withdrawnReason: row.withdrawnReason,
});

const cutsIn = ({ recording, version }: { recording: RecordingRow; version: VersionRow }): Interval[] =>
  cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);

function presentFound(row: FoundAgreement, person: Person, ownNumbers: readonly string[]): z.input<typeof foundSchema> {
  return {
    ...present(row, cutsOf(row.holds, row.sampleRateHz, row.durationMs), person),
    startedAt: row.startedAt.toISOString(),
    caller: maskNumber(row.callerNumber, person.role, ownNumbers),
    callee: maskNumber(row.calleeNumber, person.role, ownNumbers),
    agent: row.agent,
    channels: row.channels,
    retainUntil: row.retainUntil.toISOString(),
    held: row.held,
  };
}

const wrong = (path: string, message: string) => new Problem('invalid-input', { errors: [{ path, message }] });

function numberSearch(typed: string | undefined, person: Person, country: string): NumberSearch | undefined {
  if (typed === undefined || typed === '') return undefined;
  if (viewOf(person.role).number === 'last_three') {
    if (!/^\d{3}$/.test(typed)) throw wrong('number', 'must be the last three digits');
    return { ending: typed };
  }
  const search = readNumberSearch(typed, country);
  if (search === undefined) throw wrong('number', 'must have at least three digits');
  return search;
}

const text = z.string().trim().max(200).transform((told) => (told === '' ? undefined : told)).optional();
const idParams = z.object({ id: idSchema });

/** Marking, finding, correcting and withdrawing agreements. */
export function agreementOperations(
  platform: Pick<Platform, 'clock' | 'database' | 'objects'>,
  settings: AgreementSettings,
): Operation<Caller>[] {
  const { clock, database } = platform;

  /** The recording, if this person may hear it now; what one may not hear one cannot mark or read about. */
  const heardBy = (person: Person, recordingId: string) =>
    findListenable(platform, person, recordingId, person.role === 'trainer' ? 'training' : 'evidence');

  async function openAgreement(person: Person, id: string) {
    const agreement = await findAgreement(database, id);
    if (agreement === undefined) throw new Problem('not-found');
    return { agreement, found: await heardBy(person, agreement.recordingId) };
  }

  return [
    operation({
      method: 'post',
      path: '/recordings/{id}/agreements',
      id: 'markAgreement',
      tag: 'evidence',
      summary: 'Mark an agreement: a passage, what was agreed, between whom',
      description: 'Does not keep the recording longer; where there is a dispute, place a hold.',
      action: 'agreement.mark',
      params: idParams,
      body: markSchema,
      replies: { 201: { description: 'Marked', schema: agreementSchema } },
      problems: ['retention-ended'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const found = await heardBy(person, params.id);
        const agreement = await markAgreement(platform, person, found, { ...body, ticket: body.ticket ?? null });
        return {
          status: 201,
          body: present(agreement, cutsIn(found), person),
          headers: { Location: `/api/v1/agreements/${agreement.id}` },
        };
      },
    }),
    operation({
      method: 'get',
      path: '/agreements',
      id: 'listAgreements',
      tag: 'evidence',
      summary: 'Agreements, newest call first',
      action: 'agreement.read',
      query: z.object({
        number: z.string().trim().max(40).optional().meta({ description: 'Caller or callee; trainers: the last three digits' }),
        from: z.string().max(40).optional().meta({ description: 'Of the call: an instant, or a day in the time zone of the service' }),
        to: z.string().max(40).optional().meta({ description: 'An instant, or the last day that counts' }),
        organisation: text.meta({ description: 'Among the parties, or the requester of a linked ticket; not for trainers' }),
        ticket: text,
        q: text.meta({ description: 'Words of the summary, and of the parties for who sees names' }),
        recordingId: idSchema.optional(),
        ...pageQuery,
      }),
      replies: { 200: { description: 'A page', schema: pageOf(foundSchema) } },
      async handle({ caller, query }) {
        const person = requirePerson(caller);
        if (query.organisation !== undefined && !viewOf(person.role).names)
          throw wrong('organisation', 'cannot be searched in this role');
        const rows = await findAgreements(
          database,
          person.role,
          {
            number: numberSearch(query.number, person, settings.defaultCountry),
            from: readPeriodStart(query.from, 'from', settings.timeZone),
            until: readPeriodEnd(query.to, 'to', settings.timeZone),
            organisation: query.organisation,
            ticket: query.ticket,
            words: query.q?.split(/\s+/).slice(0, 10) ?? [],
            recordingId: query.recordingId,
          },
          { limit: query.limit, after: query.cursor === undefined ? undefined : decodeCursor(query.cursor) },
          clock.now(),
        );
        if (query.cursor === undefined && query.number !== undefined && query.number !== '') {
          const numberDigest = keyedDigest(settings.searchKey, query.number.replace(/\D/g, '')).toString('hex');
          await database.inTransaction((tx) =>
            append(database, clock, tx, {
              actor: actorOf(person), action: 'agreement.searched', details: { numberDigest, found: rows.length },
            }),
          );
        }
        const { ownNumbers } = await organisationOf(database);
        const shown = (row: FoundAgreement) => presentFound(row, person, ownNumbers);
        return { status: 200, body: toPage(rows, query.limit, shown, (row) => ({ at: row.startedAt, id: row.id })) };
      },
    }),
    operation({
      method: 'get',
      path: '/agreements/{id}',
      id: 'readAgreement',
      tag: 'evidence',
      summary: 'An agreement with every wording it had',
      action: 'agreement.read',
      params: idParams,
      replies: { 200: { description: 'The agreement', schema: historySchema } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = requirePerson(caller);
        const { agreement, found } = await openAgreement(person, params.id);
        const cuts = cutsIn(found);
        const showNames = mayReadNames(person, agreement);
        const history = (await revisionsOf(database, agreement.id)).map((row) => ({
          revision: row.revision,
          ...heardWording(row, cuts, showNames),
          changedBy: { id: row.changedBy, name: row.changedByName },
          changedAt: row.changedAt.toISOString(),
          reason: row.reason,
        }));
        return { status: 200, body: { ...present(agreement, cuts, person), history } };
      },
    }),
    operation({
      method: 'patch',
      path: '/agreements/{id}',
      id: 'correctAgreement',
      tag: 'evidence',
      summary: 'Correct an agreement: by whoever marked it, or by an officer; the old wording stays on record',
      action: 'agreement.mark',
      params: idParams,
      body: correctSchema,
      replies: { 200: { description: 'Corrected', schema: agreementSchema } },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const { found } = await openAgreement(person, params.id);
        const { reason: why, revision, ...change } = body;
        const corrected = await correctAgreement(platform, person, found, params.id, change, { reason: why, seen: revision });
        return { status: 200, body: present(corrected, cutsIn(found), person) };
      },
    }),
    operation({
      method: 'post',
      path: '/agreements/{id}/withdraw',
      id: 'withdrawAgreement',
      tag: 'evidence',
      summary: 'Withdraw an agreement that was marked by mistake; it stays on record until the recording goes',
      action: 'agreement.mark',
      params: idParams,
      body: z.object({ reason }),
      replies: { 200: { description: 'Withdrawn', schema: agreementSchema } },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const { found } = await openAgreement(person, params.id);
        const withdrawn = await withdrawAgreement(platform, person, params.id, body.reason);
        return { status: 200, body: present(withdrawn, cutsIn(found), person) };
      },
    }),
  ];
}

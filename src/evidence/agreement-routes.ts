import { z } from 'zod';
import { actorOf, requirePerson, type Caller, type Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { viewOf } from '../access/policy.js';
import { keyedDigest } from '../access/token.js';
import { append } from '../audit/log.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { readNumberSearch, type NumberSearch } from '../recordings/numbers.js';
import { findListenable } from '../recordings/playback.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import { correctAgreement, findAgreement, markAgreement, revisionsOf, withdrawAgreement } from './agreement.js';
import {
  agreementSchema, correctSchema, cutsIn, foundSchema, historySchema, markSchema, presentAgreement, presentFound, presentHistory,
  reason,
} from './agreement-schema.js';
import { findAgreements, type FoundAgreement } from './find-agreements.js';

export interface AgreementSettings {
  defaultCountry: string;
  timeZone: string;
  /** Key of the digests under which number searches are logged. */
  searchKey: Buffer;
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
          body: presentAgreement(agreement, cutsIn(found), person),
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
          person,
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
        const revisions = await revisionsOf(database, agreement.id);
        return { status: 200, body: presentHistory(agreement, revisions, cutsIn(found), person) };
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
        return { status: 200, body: presentAgreement(corrected, cutsIn(found), person) };
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
        return { status: 200, body: presentAgreement(withdrawn, cutsIn(found), person) };
      },
    }),
  ];
}

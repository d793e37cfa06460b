import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { findListenable } from '../recordings/playback.js';
import { agentsOf, isShared } from '../recordings/share.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import { requireUse } from '../retention/further-use.js';
import {
  answerEvaluation,
  beginEvaluation,
  discardDraft,
  reviseEvaluation,
  saveDraft,
  submitEvaluation,
} from './evaluation.js';
import {
  contentBody,
  keptContent,
  presentEvaluation,
  presentOpen,
  evaluationSchema,
  openEvaluationSchema,
  outcomeSchema,
} from './evaluation-present.js';
import { findEvaluations, outcomesOf, readEvaluation, versionsOf, type Outcome } from './find-evaluations.js';
import { heardOf } from './recording-facts.js';
import { scorecardOf } from './scorecard.js';

const idParams = z.object({ id: idSchema });
const opened = { description: 'The evaluation', schema: openEvaluationSchema };
const revision = z
  .int()
  .meta({ description: 'Of the draft that was read; another one meanwhile is a conflict that tells it' });
const words = z.string().trim().min(1).max(5000);
const problems = ['not-switched-on', 'conflict', 'retention-ended'] as const;

const presentOutcome = (row: Outcome): z.input<typeof outcomeSchema> => ({
  ...row,
  evaluatedAt: row.evaluatedAt.toISOString(),
  retainUntil: row.retainUntil.toISOString(),
});

/** Evaluations: drafts, submission, the agent's answer. All of it is off until the works council's consent is on record. */
export function evaluationOperations(
  platform: Pick<Platform, 'clock' | 'database' | 'objects'>,
  settings: { timeZone: string },
): Operation<Caller>[] {
  const { clock, database } = platform;

  async function open(person: Person, id: string): Promise<z.input<typeof openEvaluationSchema>> {
    const now = clock.now();
    const row = await readEvaluation(database, person, id, now);
    const [versions, scorecard, { ownNumbers }, audible] = await Promise.all([
      versionsOf(database, id),
      scorecardOf(database, row.scorecard.id, row.scorecard.version),
      organisationOf(database),
      person.role === 'agent' ? isShared(database, row.recording.id, person.userId) : true,
    ]);
    return presentOpen(row, versions, scorecard.sections, { person, ownNumbers, now, audible });
  }

  return [
    operation({
      method: 'post',
      path: '/recordings/{id}/evaluations',
      id: 'beginEvaluation',
      tag: 'training',
      summary: 'Begin to evaluate an agent’s call; begun twice, it is the same draft (200)',
      action: 'evaluation.write',
      params: idParams,
      body: z.object({
        scorecardId: idSchema,
        agentId: idSchema.optional().meta({ description: 'Needed only where several agents answer on the extension' }),
      }),
      replies: { 200: opened, 201: opened },
      problems,
      async handle({ caller, params, body }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        const { recording } = await findListenable(platform, person, params.id, 'training');
        const agents = (await agentsOf(database, recording)).filter(
          ({ id }) => body.agentId === undefined || id === body.agentId,
        );
        const [agent] = agents;
        if (agent === undefined || agents.length > 1)
          throw new Problem('invalid-input', {
            errors: [
              {
                path: 'agentId',
                message: agent === undefined ? 'is not an agent who took this call' : 'must say which agent it is',
              },
            ],
          });
        const { id, begun } = await beginEvaluation(platform, person, {
          recordingId: recording.id,
          recordingVersion: recording.version,
          agentId: agent.id,
          scorecardId: body.scorecardId,
        });
        return {
          status: begun ? 201 : 200,
          body: await open(person, id),
          headers: { Location: `/api/v1/evaluations/${id}` },
        };
      },
    }),
    operation({
      method: 'get',
      path: '/evaluations',
      id: 'listEvaluations',
      tag: 'training',
      summary:
        'Evaluations whose recording is still there, newest first: a trainer’s own drafts and what was submitted; an agent’s own',
      action: 'evaluation.read',
      query: z.object({
        agentId: idSchema.optional(),
        recordingId: idSchema.optional(),
        state: z
          .enum(['draft', 'submitted', 'acknowledged'])
          .optional()
          .meta({ description: '`submitted`: and not acknowledged' }),
        ...pageQuery,
      }),
      replies: { 200: { description: 'A page', schema: pageOf(evaluationSchema) } },
      problems: ['not-switched-on'],
      async handle({ caller, query }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        const now = clock.now();
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        const { agentId, recordingId, state } = query;
        const rows = await findEvaluations(
          database,
          person,
          { agentId, recordingId, state },
          { limit: query.limit, after },
          now,
        );
        const { ownNumbers } = await organisationOf(database);
        // Scores of several people are never set side by side.
        const ofOne = person.role === 'agent' || agentId !== undefined || recordingId !== undefined;
        const shown = (row: (typeof rows)[number]) => {
          const evaluation = presentEvaluation(row, { person, ownNumbers, now });
          return ofOne ? evaluation : { ...evaluation, score: null };
        };
        return { status: 200, body: toPage(rows, query.limit, shown, (row) => ({ at: row.createdAt, id: row.id })) };
      },
    }),
    operation({
      method: 'get',
      path: '/evaluations/{id}',
      id: 'readEvaluation',
      tag: 'training',
      summary: 'An evaluation with its scorecard, the reader’s own draft, and every version that was submitted',
      action: 'evaluation.read',
      params: idParams,
      replies: { 200: opened },
      problems: ['not-switched-on'],
      async handle({ caller, params }) {
        await requireUse(database, 'evaluation');
        return { status: 200, body: await open(requirePerson(caller), params.id) };
      },
    }),
    operation({
      method: 'put',
      path: '/evaluations/{id}/draft',
      id: 'saveEvaluationDraft',
      tag: 'training',
      summary: 'Save the draft, as often as wanted; the same content again changes nothing',
      action: 'evaluation.write',
      params: idParams,
      body: contentBody.extend({ revision }),
      replies: { 200: opened },
      problems,
      async handle({ caller, params, body: { revision: seen, ...told } }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        const { recording } = await readEvaluation(database, person, params.id, clock.now());
        await saveDraft(platform, person, params.id, seen, keptContent(told, heardOf(recording)));
        return { status: 200, body: await open(person, params.id) };
      },
    }),
    operation({
      method: 'delete',
      path: '/evaluations/{id}/draft',
      id: 'discardEvaluationDraft',
      tag: 'training',
      summary: 'Throw the draft away; what was submitted stays',
      action: 'evaluation.write',
      params: idParams,
      replies: { 204: { description: 'Thrown away' } },
      problems,
      async handle({ caller, params }) {
        await requireUse(database, 'evaluation');
        await discardDraft(platform, requirePerson(caller), params.id);
        return { status: 204 };
      },
    }),
    operation({
      method: 'post',
      path: '/evaluations/{id}/submit',
      id: 'submitEvaluation',
      tag: 'training',
      summary: 'Submit the draft: the agent can read it, and hear the call unless `share` is false',
      action: 'evaluation.write',
      params: idParams,
      body: z.object({ revision, share: z.boolean().default(true) }),
      replies: { 200: opened },
      problems,
      async handle({ caller, params, body }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        await readEvaluation(database, person, params.id, clock.now());
        await submitEvaluation(platform, person, params.id, { ...body, timeZone: settings.timeZone });
        return { status: 200, body: await open(person, params.id) };
      },
    }),
    operation({
      method: 'post',
      path: '/evaluations/{id}/revise',
      id: 'reviseEvaluation',
      tag: 'training',
      summary: 'Open one’s submitted evaluation for a next version, with a reason',
      action: 'evaluation.write',
      params: idParams,
      body: z.object({ reason: words }),
      replies: { 200: opened },
      problems,
      async handle({ caller, params, body }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        await readEvaluation(database, person, params.id, clock.now());
        await reviseEvaluation(platform, person, params.id, body.reason);
        return { status: 200, body: await open(person, params.id) };
      },
    }),
    operation({
      method: 'put',
      path: '/evaluations/{id}/answer',
      id: 'answerEvaluation',
      tag: 'training',
      summary: 'For the agent: acknowledge the newest version, and respond to it',
      action: 'evaluation.answer',
      params: idParams,
      body: z.object({ version: z.int().min(1), response: words.optional() }),
      replies: { 200: opened },
      problems,
      async handle({ caller, params, body }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        await readEvaluation(database, person, params.id, clock.now());
        await answerEvaluation(platform, person, params.id, { version: body.version, response: body.response });
        return { status: 200, body: await open(person, params.id) };
      },
    }),
    operation({
      method: 'get',
      path: '/evaluation-outcomes',
      id: 'listEvaluationOutcomes',
      tag: 'training',
      summary: 'Scores of one agent, newest first, for a year: what outlives the recordings',
      action: 'evaluation.read',
      query: z.object({
        agentId: idSchema.optional().meta({ description: 'Trainers name one; an agent’s are their own' }),
        from: z.string().max(40).optional().meta({ description: 'Evaluated from this instant or day on' }),
        to: z.string().max(40).optional().meta({ description: 'An instant, or the last day that counts' }),
        ...pageQuery,
      }),
      replies: { 200: { description: 'A page', schema: pageOf(outcomeSchema) } },
      problems: ['not-switched-on'],
      async handle({ caller, query }) {
        await requireUse(database, 'evaluation');
        const person = requirePerson(caller);
        const agentId = person.role === 'agent' ? person.userId : query.agentId;
        if (agentId === undefined)
          throw new Problem('invalid-input', { errors: [{ path: 'agentId', message: 'is needed' }] });
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        const period = {
          from: readPeriodStart(query.from, 'from', settings.timeZone),
          until: readPeriodEnd(query.to, 'to', settings.timeZone),
        };
        const rows = await outcomesOf(database, agentId, period, { limit: query.limit, after }, clock.now());
        return {
          status: 200,
          body: toPage(rows, query.limit, presentOutcome, (row) => ({ at: row.evaluatedAt, id: row.evaluationId })),
        };
      },
    }),
  ];
}

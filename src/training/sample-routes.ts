import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import { requireUse } from '../retention/further-use.js';
import { coverage } from './find-evaluations.js';
import { presentFacts, recordingFactsSchema } from './recording-facts.js';
import { drawSample, listSamples, sampleOf, type SampleRow } from './sample.js';

const named = z.object({ id: z.uuid(), name: z.string() });
const periodEnd = z.string().max(40).meta({ description: 'An instant, or the last day that counts' });
const periodStart = z
  .string()
  .max(40)
  .meta({ description: 'Of the calls: an instant, or a day in the time zone of the service' });

const sampleSchema = z
  .object({
    id: z.uuid(),
    agent: named,
    extensions: z.array(z.string()).meta({ description: 'On which the agent answered when it was drawn' }),
    from: z.iso.datetime(),
    until: z.iso.datetime().meta({ description: 'Exclusive' }),
    size: z.int().meta({ description: 'As asked for' }),
    seed: z.string(),
    population: z.int().meta({ description: 'How many calls could be drawn' }),
    populationSha256: z.string().meta({ description: 'SHA-256 of their ids, sorted, joined by line feeds' }),
    drawnBy: named,
    drawnAt: z.iso.datetime(),
  })
  .meta({ id: 'Sample' });

const openedSchema = sampleSchema
  .extend({
    calls: z.array(
      z.object({
        place: z.int(),
        recording: recordingFactsSchema,
        evaluated: z.boolean().meta({ description: 'Submitted, by anyone' }),
        begun: z.boolean().meta({ description: 'The reader has a draft' }),
      }),
    ),
    redrawn: z
      .object({ outcome: z.enum(['same', 'different', 'other_calls']), population: z.int() })
      .meta({
        description: 'What the same seed draws today; `other_calls`: calls came or went, there is nothing to compare with',
      }),
  })
  .meta({ id: 'OpenSample' });

const coverageSchema = z
  .object({
    agent: named,
    extensions: z.array(z.string()).meta({ description: 'On which the agent answers' }),
    calls: z.int(),
    listened: z.int(),
    lastListenedAt: z.iso.datetime().nullable(),
    shared: z.int(),
    evaluated: z.int(),
  })
  .meta({ id: 'Coverage' });

const present = (row: SampleRow): z.input<typeof sampleSchema> => ({
  ...row,
  from: row.from.toISOString(),
  until: row.until.toISOString(),
  drawnAt: row.drawnAt.toISOString(),
});

const idParams = z.object({ id: idSchema });

/** Random samples, and who has been listened to. */
export function sampleOperations(
  platform: Pick<Platform, 'clock' | 'database'>,
  settings: { timeZone: string },
): Operation<Caller>[] {
  const { clock, database } = platform;

  function periodOf(told: { from: string; to: string }): { from: Date; until: Date } {
    const from = readPeriodStart(told.from, 'from', settings.timeZone);
    const until = readPeriodEnd(told.to, 'to', settings.timeZone);
    if (from === undefined || until === undefined || until <= from)
      throw new Problem('invalid-input', { errors: [{ path: 'to', message: 'must lie after from' }] });
    return { from, until };
  }

  async function open(caller: Caller, id: string): Promise<z.input<typeof openedSchema>> {
    const now = clock.now();
    const [{ sample, calls, redrawn }, { ownNumbers }] = await Promise.all([
      sampleOf(database, id, requirePerson(caller), now),
      organisationOf(database),
    ]);
    return {
      ...present(sample),
      redrawn,
      calls: calls.map((call) => ({ ...call, recording: presentFacts(call.recording, caller.role, ownNumbers, now) })),
    };
  }

  return [
    operation({
      method: 'post',
      path: '/samples',
      id: 'drawSample',
      tag: 'training',
      summary: 'Draw a random sample of an agent’s calls in a period, on record',
      description:
        'The service chooses the seed. The rule: order the calls by the hexadecimal SHA-256 of `<seed>:<recording id>`, take the first.',
      action: 'evaluation.write',
      body: z.object({ agentId: idSchema, from: periodStart, to: periodEnd, size: z.int().min(1).max(50) }),
      replies: { 201: { description: 'Drawn', schema: openedSchema } },
      problems: ['not-switched-on', 'conflict'],
      async handle({ caller, body }) {
        await requireUse(database, 'evaluation');
        const { agentId, size } = body;
        const id = await drawSample(
          platform,
          requirePerson(caller),
          { agentId, size, ...periodOf(body) },
          settings.timeZone,
        );
        return { status: 201, body: await open(caller, id), headers: { Location: `/api/v1/samples/${id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/samples',
      id: 'listSamples',
      tag: 'training',
      summary: 'Every draw, newest first',
      action: 'evaluation.write',
      query: z.object({ agentId: idSchema.optional(), ...pageQuery }),
      replies: { 200: { description: 'A page', schema: pageOf(sampleSchema) } },
      problems: ['not-switched-on'],
      async handle({ query }) {
        await requireUse(database, 'evaluation');
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        const rows = await listSamples(database, query.agentId, { limit: query.limit, after }, clock.now());
        return { status: 200, body: toPage(rows, query.limit, present, (row) => ({ at: row.drawnAt, id: row.id })) };
      },
    }),
    operation({
      method: 'get',
      path: '/samples/{id}',
      id: 'readSample',
      tag: 'training',
      summary: 'A draw with those of its calls that can be heard now',
      action: 'evaluation.write',
      params: idParams,
      replies: { 200: { description: 'The sample', schema: openedSchema } },
      problems: ['not-switched-on'],
      async handle({ caller, params }) {
        await requireUse(database, 'evaluation');
        return { status: 200, body: await open(caller, params.id) };
      },
    }),
    operation({
      method: 'get',
      path: '/training-overview',
      id: 'readTrainingOverview',
      tag: 'training',
      summary:
        'Who has been listened to, by name: of the calls in a period, how many were heard, shared, evaluated; no scores',
      action: 'evaluation.write',
      query: z.object({ from: periodStart, to: periodEnd }),
      replies: {
        200: { description: 'All agents', schema: z.object({ items: z.array(coverageSchema), nextCursor: z.null() }) },
      },
      problems: ['not-switched-on'],
      async handle({ query }) {
        await requireUse(database, 'evaluation');
        const rows = await coverage(database, periodOf(query), clock.now());
        const items = rows.map((row) => ({ ...row, lastListenedAt: row.lastListenedAt?.toISOString() ?? null }));
        return { status: 200, body: { items, nextCursor: null } };
      },
    }),
  ];
}

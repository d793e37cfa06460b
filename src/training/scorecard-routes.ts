import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { requireUse } from '../retention/further-use.js';
import { scorecardContentSchema } from './score.js';
import { changeScorecard, createScorecard, listScorecards, scorecardOf, type ScorecardRow } from './scorecard.js';

const name = z.string().trim().min(1).max(200);

const scorecardSchema = z
  .object({
    id: z.uuid(),
    version: z.int(),
    name: z.string(),
    sections: scorecardContentSchema,
    changedBy: z.object({ id: z.uuid(), name: z.string() }),
    createdAt: z.iso.datetime(),
    changedAt: z.iso.datetime(),
    archivedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Scorecard' });

const present = (row: ScorecardRow): z.input<typeof scorecardSchema> => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  changedAt: row.changedAt.toISOString(),
  archivedAt: row.archivedAt?.toISOString() ?? null,
});

const idParams = z.object({ id: idSchema });

/** Templates of evaluations. */
export function scorecardOperations(platform: Pick<Platform, 'clock' | 'database'>): Operation<Caller>[] {
  const { database } = platform;
  return [
    operation({
      method: 'get',
      path: '/scorecards',
      id: 'listScorecards',
      tag: 'training',
      summary: 'Scorecards, by name, each in its newest version; all at once',
      action: 'evaluation.write',
      replies: {
        200: {
          description: 'All of them',
          schema: z.object({ items: z.array(scorecardSchema), nextCursor: z.null() }),
        },
      },
      problems: ['not-switched-on'],
      async handle() {
        await requireUse(database, 'evaluation');
        return { status: 200, body: { items: (await listScorecards(database)).map(present), nextCursor: null } };
      },
    }),
    operation({
      method: 'post',
      path: '/scorecards',
      id: 'createScorecard',
      tag: 'training',
      summary: 'Make a scorecard: sections and questions with weights',
      action: 'evaluation.write',
      body: z.object({ name, sections: scorecardContentSchema }),
      replies: { 201: { description: 'Made', schema: scorecardSchema } },
      problems: ['not-switched-on'],
      async handle({ caller, body }) {
        await requireUse(database, 'evaluation');
        const row = await createScorecard(platform, requirePerson(caller), body);
        return { status: 201, body: present(row), headers: { Location: `/api/v1/scorecards/${row.id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/scorecards/{id}',
      id: 'readScorecard',
      tag: 'training',
      summary: 'A scorecard, in its newest version or in one that was',
      action: 'evaluation.write',
      params: idParams,
      query: z.object({ version: z.coerce.number().int().min(1).optional() }),
      replies: { 200: { description: 'The scorecard', schema: scorecardSchema } },
      problems: ['not-switched-on'],
      async handle({ params, query }) {
        await requireUse(database, 'evaluation');
        return { status: 200, body: present(await scorecardOf(database, params.id, query.version)) };
      },
    }),
    operation({
      method: 'put',
      path: '/scorecards/{id}',
      id: 'changeScorecard',
      tag: 'training',
      summary: 'Write the next version, or archive; evaluations keep the version that they were begun with',
      action: 'evaluation.write',
      params: idParams,
      body: z.object({
        version: z.int().meta({ description: 'The version that was changed; another one meanwhile is a conflict' }),
        name,
        sections: scorecardContentSchema,
        archived: z.boolean().default(false),
      }),
      replies: { 200: { description: 'Written', schema: scorecardSchema } },
      problems: ['not-switched-on', 'conflict'],
      async handle({ caller, params, body: { version, ...told } }) {
        await requireUse(database, 'evaluation');
        return {
          status: 200,
          body: present(await changeScorecard(platform, requirePerson(caller), params.id, told, version)),
        };
      },
    }),
  ];
}

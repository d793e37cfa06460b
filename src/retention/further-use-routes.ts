import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import {
  furtherUses,
  switchOff,
  switchOn,
  useActs,
  useGrounds,
  usePurposes,
  type FurtherUse,
  type UseAct,
} from './further-use.js';
import { localDate } from './working-days.js';

const words = z.string().trim().min(1).max(2000);
const short = z.string().trim().min(1).max(200);

const actSchema = z
  .object({
    id: z.uuid(),
    ground: z.enum(useGrounds),
    explanation: z.string(),
    consent: z
      .object({ date: z.iso.date(), reference: z.string() })
      .nullable()
      .meta({ description: 'Of the works council' }),
    purposes: z.array(z.enum(usePurposes)),
    processor: z.object({ name: z.string(), region: z.string() }).nullable(),
    switchedOnBy: z.object({ id: z.uuid(), name: z.string() }),
    switchedOnAt: z.iso.datetime(),
    endedBy: z.object({ id: z.uuid(), name: z.string() }).nullable(),
    endedAt: z.iso.datetime().nullable(),
    endReason: z.string().nullable(),
  })
  .meta({ id: 'FurtherUseAct' });

const useSchema = z
  .object({
    use: z.enum(furtherUses),
    on: z.boolean(),
    act: actSchema.nullable().meta({ description: 'The act in force' }),
    history: z.array(actSchema).meta({ description: 'Acts that ended, newest first' }),
  })
  .meta({ id: 'FurtherUse' });

const presentAct = ({ use: _, ...act }: UseAct): z.input<typeof actSchema> => ({
  ...act,
  switchedOnAt: act.switchedOnAt.toISOString(),
  endedAt: act.endedAt?.toISOString() ?? null,
});

function presentUse(use: FurtherUse, acts: readonly UseAct[]): z.input<typeof useSchema> {
  const own = acts.filter((act) => act.use === use);
  const inForce = own.find((act) => act.endedAt === null);
  return {
    use,
    on: inForce !== undefined,
    act: inForce === undefined ? null : presentAct(inForce),
    history: own.filter((act) => act.endedAt !== null).map(presentAct),
  };
}

const params = z.object({ use: z.enum(furtherUses) });
const missing = (path: string, message: string) => new Problem('invalid-input', { errors: [{ path, message }] });

/** Switching further uses on and off, on record. */
export function furtherUseOperations(
  platform: Pick<Platform, 'clock' | 'database'>,
  settings: { timeZone: string },
): Operation<Caller>[] {
  const { clock, database } = platform;
  return [
    operation({
      method: 'get',
      path: '/further-uses',
      id: 'listFurtherUses',
      tag: 'retention',
      summary: 'Uses beyond training and evidence: which are on, by which act',
      action: 'further_use.read',
      replies: {
        200: { description: 'All of them', schema: z.object({ items: z.array(useSchema), nextCursor: z.null() }) },
      },
      async handle() {
        const acts = await useActs(database);
        return { status: 200, body: { items: furtherUses.map((use) => presentUse(use, acts)), nextCursor: null } };
      },
    }),
    operation({
      method: 'put',
      path: '/further-uses/{use}',
      id: 'switchOnFurtherUse',
      tag: 'retention',
      summary: 'Put on record the act that allows a use; it is on from then',
      description:
        'Evaluations need the works council’s consent: date and reference. Transcription needs its purposes and who does it where.',
      action: 'further_use.change',
      params,
      body: z.object({
        ground: z.enum(useGrounds).default('legitimate_interest'),
        explanation: words,
        consent: z.object({ date: z.iso.date(), reference: short }).nullable().default(null),
        purposes: z.array(z.enum(usePurposes)).max(3).default([]),
        processor: z.object({ name: short, region: short }).nullable().default(null),
      }),
      replies: { 200: { description: 'On', schema: useSchema } },
      async handle({ caller, params: { use }, body }) {
        if (use === 'evaluation' && body.consent === null)
          throw missing('consent', 'is needed: the works council’s consent, its date and reference');
        if (body.consent !== null && body.consent.date > localDate(clock.now(), settings.timeZone))
          throw missing('consent.date', 'lies in the future');
        if (use === 'transcription' && body.purposes.length === 0) throw missing('purposes', 'are needed');
        if (use === 'transcription' && body.processor === null) throw missing('processor', 'is needed');
        await switchOn(platform, requirePerson(caller), use, { ...body, purposes: [...new Set(body.purposes)] });
        return { status: 200, body: presentUse(use, await useActs(database)) };
      },
    }),
    operation({
      method: 'post',
      path: '/further-uses/{use}/end',
      id: 'switchOffFurtherUse',
      tag: 'retention',
      summary: 'Switch a use off, at once',
      action: 'further_use.change',
      params,
      body: z.object({ reason: words }),
      replies: { 200: { description: 'Off', schema: useSchema } },
      problems: ['not-switched-on'],
      async handle({ caller, params: { use }, body }) {
        await switchOff(platform, requirePerson(caller), use, body.reason);
        return { status: 200, body: presentUse(use, await useActs(database)) };
      },
    }),
  ];
}

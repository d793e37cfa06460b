import { z } from 'zod';
import type { Caller, Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { SigningKey } from '../platform/signing.js';
import type { Category } from './category.js';
import { purgeReasons, subjectKinds } from './category.js';
import { holdOperations, subjectOf, subjectQuery } from './hold-routes.js';
import { lastLifecycleCheck } from './lifecycle.js';
import { overviewOf } from './overview.js';
import { policyOperations, policySchema } from './policy-routes.js';
import { useInForce } from './further-use.js';
import { grounds, register, type Processor } from './register.js';
import { deletionReport } from './report.js';
import { findSweep, purgeJob, requestSweep, type Sweep } from './sweep.js';
import { listTombstones, type Tombstone } from './tombstone.js';
import { readWhen, whenSchema } from './when.js';
import { localDate, startOfDay } from './working-days.js';

export interface RetentionSettings {
  timeZone: string;
  fourEyes: 'required' | 'recorded';
  signingKey: SigningKey;
  /** Who handles the data for the organisation, as the configuration tells. */
  processors?: readonly Processor[];
}

const instant = z.iso.datetime();

const sweepSchema = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'done']),
    trigger: z.enum(['schedule', 'request']),
    requestedAt: instant,
    finishedAt: instant.nullable(),
    purged: z.int().meta({ description: 'Items deleted while it ran' }),
    failed: z.int(),
  })
  .meta({ id: 'Sweep' });

const presentSweep = (sweep: Sweep) => ({
  ...sweep,
  requestedAt: sweep.requestedAt.toISOString(),
  finishedAt: sweep.finishedAt?.toISOString() ?? null,
});

const ruleSchema = z.record(z.string(), z.unknown()).meta({ description: 'A rule of the bucket' });

export const lifecycleSchema = z
  .object({
    state: z.enum(['in_sync', 'drifted', 'unsupported']),
    expected: z.array(ruleSchema),
    actual: z.array(ruleSchema),
    checkedAt: instant,
  })
  .meta({ id: 'Lifecycle' });

const overviewSchema = z.object({
  policies: z.array(policySchema),
  due: z.array(z.object({ date: z.string(), category: z.string(), count: z.int() })),
  overdue: z.int(),
  held: z.int(),
  unconfirmedHolds: z.int(),
  reviewsDue: z.int(),
  deletedToday: z.int(),
  failing: z.array(
    z.object({ category: z.string(), id: z.string(), attempts: z.int(), fault: z.string().nullable(), begunAt: instant }),
  ),
  lastSweep: sweepSchema.nullable(),
  lifecycle: lifecycleSchema.nullable(),
});

const tombstoneSchema = z
  .object({
    id: z.string(),
    category: z.string(),
    itemId: z.string(),
    subjectKind: z.enum(subjectKinds),
    subjectId: z.string(),
    recordingId: z.string().nullable(),
    ticketId: z.string().nullable(),
    sha256: z.array(z.string()),
    day: z.string().nullable(),
    reason: z.enum(purgeReasons),
    rule: z.string(),
    retainUntil: instant,
    purgedAt: instant,
    purgedBy: z.string(),
    objects: z.int(),
    confirmedHow: z.string(),
  })
  .meta({ id: 'Tombstone' });

const presentTombstone = (stone: Tombstone): z.input<typeof tombstoneSchema> => ({
  id: stone.id,
  category: stone.category,
  itemId: stone.itemId,
  subjectKind: stone.subjectKind,
  subjectId: stone.subjectId,
  recordingId: stone.subjectKind === 'recording' ? stone.subjectId : null,
  ticketId: stone.subjectKind === 'ticket' ? stone.subjectId : null,
  sha256: stone.sha256,
  day: stone.day,
  reason: stone.reason,
  rule: stone.rule,
  retainUntil: stone.retainUntil.toISOString(),
  purgedAt: stone.purgedAt.toISOString(),
  purgedBy: `${stone.actor.kind}:${stone.actor.id}`,
  objects: stone.objects,
  confirmedHow: stone.confirmedHow,
});

const toldSchema = z.object({ nl: z.string(), en: z.string() });
const registerSchema = z.object({
  controller: z.string(),
  processors: z.array(z.object({ role: z.string(), name: z.string(), region: z.string() })),
  rows: z.array(
    z.object({
      id: z.string(), service: toldSchema, data: toldSchema, kept: toldSchema,
      controller: z.enum(['organisation', 'client']), ground: toldSchema, purpose: toldSchema.nullable(),
      policy: z.string().nullable().meta({ description: 'Null: another system holds it' }),
    }),
  ),
});

function personOf(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Problem('forbidden');
  return caller;
}

/** How retention stands, sweeps, holds, tombstones, the report, policies and the register. */
export function retentionOperations(
  platform: Platform,
  categories: readonly Category[],
  settings: RetentionSettings,
): Operation<Caller>[] {
  const { clock, database } = platform;
  const { timeZone, signingKey } = settings;
  const overview = overviewOf(platform, categories, () => startOfDay(localDate(clock.now(), timeZone), timeZone));
  return [
    operation({
      method: 'get',
      path: '/retention',
      id: 'readRetention',
      tag: 'retention',
      summary: 'Policies, what falls due, what is overdue, held or failing, the last sweep and the rules of the bucket',
      action: 'retention.read',
      replies: { 200: { description: 'How retention stands', schema: overviewSchema } },
      async handle({ caller }) {
        const { lastSweep, ...rest } = await overview(personOf(caller));
        return { status: 200, body: { ...rest, lastSweep: lastSweep === null ? null : presentSweep(lastSweep) } };
      },
    }),
    operation({
      method: 'get',
      path: '/retention/register',
      id: 'readRegister',
      tag: 'retention',
      summary: 'The nine rows of the privacy statement, in Dutch and English',
      action: 'retention.read',
      replies: { 200: { description: 'The register', schema: registerSchema } },
      async handle() {
        const { controller } = await organisationOf(database);
        const rows = register.map((row) => ({ ...row, ground: grounds[row.ground], purpose: row.purpose ?? null }));
        // Who turns speech into text stands in the act that allows it.
        const speech = (await useInForce(database, 'transcription'))?.processor ?? null;
        const processors = [
          ...(settings.processors ?? []),
          ...(speech === null ? [] : [{ role: 'speech_to_text' as const, ...speech }]),
        ];
        return { status: 200, body: { controller, processors, rows } };
      },
    }),
    operation({
      method: 'post',
      path: '/retention/sweeps',
      id: 'startSweep',
      tag: 'retention',
      summary: 'Delete now what is past its date; what failed before is tried again',
      action: 'retention.sweep',
      replies: { 202: { description: 'Asked for', schema: sweepSchema } },
      async handle({ caller }) {
        const sweep = await requestSweep(platform, personOf(caller));
        platform.jobs.nudge(purgeJob);
        return { status: 202, body: presentSweep(sweep), headers: { Location: `/api/v1/retention/sweeps/${sweep.id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/retention/sweeps/{id}',
      id: 'readSweep',
      tag: 'retention',
      summary: 'How far a sweep is',
      action: 'retention.read',
      params: z.object({ id: idSchema }),
      replies: { 200: { description: 'The sweep', schema: sweepSchema } },
      async handle({ params }) {
        const sweep = await findSweep(platform, params.id);
        if (sweep === undefined) throw new Problem('not-found');
        return { status: 200, body: presentSweep(sweep) };
      },
    }),
    operation({
      method: 'get',
      path: '/retention/report',
      id: 'readDeletionReport',
      tag: 'retention',
      summary: 'The signed deletion report of a period: a text that says itself how openssl checks it',
      description: 'Both dates are included when they are dates; of instants the last is not. Thirty days unless told.',
      action: 'retention.read',
      query: z.object({ from: whenSchema.optional(), to: whenSchema.optional() }),
      replies: { 200: { description: 'The report', mediaType: 'text/plain', schema: z.string() } },
      async handle({ caller, query, response }) {
        const period = periodOf(query, clock.now(), timeZone);
        const text = await deletionReport(platform, categories, signingKey, personOf(caller), period, timeZone);
        response
          .status(200)
          .type('text/plain; charset=utf-8')
          .set('Content-Disposition', `attachment; filename="deletion-report-${localDate(period.from, timeZone)}.txt"`)
          .send(Buffer.from(text));
        return undefined;
      },
    }),
    operation({
      method: 'get',
      path: '/tombstones',
      id: 'listTombstones',
      tag: 'retention',
      summary: 'What was deleted, newest first; of one recording or ticket when it is named',
      action: 'retention.read',
      query: z.object({ ...subjectQuery, ...pageQuery }),
      replies: { 200: { description: 'Tombstones', schema: pageOf(tombstoneSchema) } },
      async handle({ query }) {
        const { items, nextCursor } = await listTombstones(database, subjectOf(query), query);
        return { status: 200, body: { items: items.map(presentTombstone), nextCursor } };
      },
    }),
    ...holdOperations(platform, categories, settings),
    ...policyOperations(platform, categories, settings, async () => (await lastLifecycleCheck(database)) ?? null),
  ];
}

const dayMs = 86_400_000;

function periodOf(
  query: { from?: string | undefined; to?: string | undefined },
  now: Date,
  timeZone: string,
): { from: Date; until: Date } {
  const { from: fromText, to: toText } = query;
  // Up to now, what happened this very millisecond included.
  const to = toText === undefined ? new Date(now.getTime() + 1) : readWhen(toText, timeZone, 'to');
  // A date is included: up to the first instant of the next one.
  const until = toText?.length === 10 ? startOfDay(localDate(new Date(to.getTime() + 1.5 * dayMs), timeZone), timeZone) : to;
  const from = fromText === undefined ? new Date(until.getTime() - 30 * dayMs) : readWhen(fromText, timeZone, 'from');
  if (from >= until) throw new Problem('invalid-input', { errors: [{ path: 'to', message: 'must lie after from' }] });
  return { from, until };
}

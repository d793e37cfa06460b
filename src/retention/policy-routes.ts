import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category } from './category.js';
import { applyLifecycle, checkLifecycle, lifecycleJob, type LifecycleCheck } from './lifecycle.js';
import { policyNames } from './policy.js';
import { previewPolicy, setPolicy, shortenJob } from './policies.js';

const instant = z.iso.datetime();
const unit = z.enum(['days', 'calendar_years']);

export const policySchema = z
  .object({
    category: z.enum(policyNames),
    amount: z.int(),
    unit,
    inForceFrom: instant,
    setBy: z.string().nullable(),
    reason: z.string(),
    shortening: z.enum(['none', 'under_way', 'done']),
  })
  .meta({ id: 'RetentionPolicy' });

const period = z.object({ amount: z.int(), unit });
const previewSchema = z.object({
  category: z.enum(policyNames),
  from: period,
  to: period,
  beyondStatement: z.boolean().meta({ description: 'Longer than the privacy statement promises' }),
  shortened: z.int(),
  dueAtOnce: z.int(),
  token: z.string().meta({ description: 'Stands for exactly what would be due at once: the act carries it' }),
});

const checkedSchema = z.object({
  state: z.enum(['in_sync', 'drifted', 'unsupported']),
  expected: z.array(z.unknown()),
  actual: z.array(z.unknown()),
  checkedAt: instant,
});

const amount = z.coerce.number().int().min(1).max(3660);
const params = z.object({ category: z.enum(policyNames) });

/** Changing periods, and looking after the rules of the bucket. */
export function policyOperations(
  platform: Platform,
  categories: readonly Category[],
  { timeZone }: { timeZone: string },
  lastCheck: () => Promise<LifecycleCheck | null>,
): Operation<Caller>[] {
  return [
    operation({
      method: 'get',
      path: '/retention/policies/{category}/preview',
      id: 'previewRetentionPolicy',
      tag: 'retention',
      summary: 'What another period would do to what is there',
      action: 'retention.read',
      params,
      query: z.object({ amount, unit }),
      replies: { 200: { description: 'Nothing is changed', schema: previewSchema } },
      async handle({ params: { category }, query }) {
        return { status: 200, body: await previewPolicy(platform, categories, category, query) };
      },
    }),
    operation({
      method: 'put',
      path: '/retention/policies/{category}',
      id: 'setRetentionPolicy',
      tag: 'retention',
      summary: 'Set a period for what comes in from now on, and shorten what is there when told so',
      description:
        'What is frozen never becomes longer. `existing` names what the preview said would be due at once, by its number and ' +
        'its token. When something else would be by now, or an hour has gone by, the answer is 409 with the `preview` as it ' +
        'is, and nothing is changed.',
      action: 'retention.configure',
      params,
      body: z.object({
        amount: z.int().min(1).max(3660),
        unit,
        reason: z.string().trim().min(1).max(2000),
        existing: z.object({ expected: z.int().min(0), token: z.string().max(100) }).nullable().default(null),
      }),
      replies: { 200: { description: 'In force', schema: policySchema } },
      problems: ['conflict'],
      async handle({ caller, params: { category }, body }) {
        if (caller.kind !== 'person') throw new Problem('forbidden');
        const policy = await setPolicy(platform, categories, caller, category, body);
        platform.jobs.nudge(shortenJob);
        platform.jobs.nudge(lifecycleJob);
        return { status: 200, body: policy };
      },
    }),
    operation({
      method: 'post',
      path: '/retention/lifecycle/check',
      id: 'checkLifecycle',
      tag: 'retention',
      summary: 'Compare the rules of the bucket now; changes nothing',
      action: 'retention.sweep',
      replies: { 200: { description: 'What was found', schema: checkedSchema } },
      problems: ['storage-unavailable'],
      async handle() {
        await checkLifecycle(platform, timeZone);
        return { status: 200, body: await lastCheck() };
      },
    }),
    operation({
      method: 'post',
      path: '/retention/lifecycle/apply',
      id: 'applyLifecycle',
      tag: 'retention',
      summary: 'Put the rules of the bucket right; rules that others made stay',
      action: 'retention.configure',
      replies: { 200: { description: 'What the bucket has now', schema: checkedSchema } },
      problems: ['storage-unavailable'],
      async handle() {
        await applyLifecycle(platform, timeZone);
        return { status: 200, body: await lastCheck() };
      },
    }),
  ];
}

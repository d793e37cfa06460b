import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { excludeNumber, includeNumber, listExcludedNumbers, type ExcludedNumber } from './excluded-numbers.js';
import { normaliseNumber } from './numbers.js';

const excludedNumberSchema = z
  .object({
    id: z.uuid(),
    number: z.string().meta({ description: 'E.164, or the digits of an extension' }),
    note: z.string().meta({ description: 'Why', example: "The works council's line" }),
    addedAt: z.iso.datetime(),
    addedBy: z.object({ id: z.uuid(), name: z.string() }),
  })
  .meta({ id: 'ExcludedNumber', description: 'A number or an extension whose calls are not kept' });

const present = (each: ExcludedNumber) => ({ ...each, addedAt: each.addedAt.toISOString() });

/** A number or an extension as anyone writes it. */
const numberSchema = (country: string) =>
  z
    .string()
    .trim()
    .max(40)
    .transform((text, context) => {
      const number = /[a-z@/]/i.test(text) ? null : normaliseNumber(text, country);
      if (number !== null && number.length <= 16) return number;
      context.addIssue({ code: 'custom', message: 'must be a telephone number such as +31 20 123 4567, or an extension such as 201' });
      return z.NEVER;
    });

/** The list of numbers and extensions that are not recorded. */
export function exclusionOperations(
  base: Pick<Platform, 'clock' | 'database'>,
  settings: { defaultCountry: string },
): Operation<Caller>[] {
  return [
    operation({
      method: 'get',
      path: '/excluded-numbers',
      id: 'listExcludedNumbers',
      tag: 'organisation',
      summary: 'Numbers and extensions whose calls are not kept',
      action: 'exclusion.read',
      replies: { 200: { description: 'All of them, by number', schema: z.object({ items: z.array(excludedNumberSchema) }) } },
      handle: async () => ({ status: 200, body: { items: (await listExcludedNumbers(base.database)).map(present) } }),
    }),
    operation({
      method: 'post',
      path: '/excluded-numbers',
      id: 'excludeNumber',
      tag: 'organisation',
      summary: 'Keep no calls of this number or extension from now on',
      description:
        'A push that tells this number as caller, callee, agent or queue is refused with `number-excluded`, and nothing of it is kept. Where call data tells it only later, all that came in of the call is deleted. What was in before the number was added stays.',
      action: 'exclusion.change',
      body: z.object({
        number: numberSchema(settings.defaultCountry),
        note: z.string().trim().min(1, 'is required').max(200),
      }),
      replies: { 201: { description: 'Added', schema: excludedNumberSchema } },
      problems: ['conflict'],
      handle: async ({ body, caller }) => ({
        status: 201,
        body: present(await excludeNumber(base, requirePerson(caller), body.number, body.note)),
      }),
    }),
    operation({
      method: 'delete',
      path: '/excluded-numbers/{id}',
      id: 'includeNumber',
      tag: 'organisation',
      summary: 'Keep calls of this number or extension again',
      action: 'exclusion.change',
      params: z.object({ id: idSchema }),
      replies: { 204: { description: 'Removed' } },
      async handle({ caller, params }) {
        await includeNumber(base, requirePerson(caller), params.id);
        return { status: 204 };
      },
    }),
  ];
}

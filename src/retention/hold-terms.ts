import { z } from 'zod';
import { Problem } from '../platform/problem.js';
import { holdGrounds, type HoldOrder } from './place-hold.js';
import { readWhen, whenSchema } from './when.js';

/** Why something is held and until when, as whoever places a hold tells it. */

export const reasonSchema = z.string().trim().min(1).max(2000);

/** Fields of a body; with `hasEnd` as the refinement of that body. */
export const holdTerms = {
  ground: z.enum(holdGrounds),
  reason: reasonSchema,
  reviewAt: whenSchema.optional().meta({ description: 'Needed where there is no `endsAt`' }),
  endsAt: whenSchema.optional().meta({ description: 'From then on it holds no longer' }),
};

interface Ends {
  reviewAt?: string | undefined;
  endsAt?: string | undefined;
}

export const hasEnd: [(told: Ends) => boolean, { path: string[]; message: string }] = [
  (told) => told.reviewAt !== undefined || told.endsAt !== undefined,
  { path: ['reviewAt'], message: 'is needed where there is no endsAt' },
];

type Terms = Pick<HoldOrder, 'ground' | 'reason' | 'reviewAt' | 'endsAt'>;

/** What was told as an order has it; what ends by itself is reviewed at its end at the latest. @throws Problem `invalid-input` */
export function readTerms(told: Ends & Pick<Terms, 'ground' | 'reason'>, timeZone: string): Terms {
  const endsAt = told.endsAt === undefined ? undefined : readWhen(told.endsAt, timeZone, 'endsAt');
  const reviewAt = told.reviewAt === undefined ? endsAt : readWhen(told.reviewAt, timeZone, 'reviewAt');
  if (reviewAt === undefined) throw new Problem('invalid-input', { errors: [{ path: 'reviewAt', message: 'is needed' }] });
  return { ground: told.ground, reason: told.reason, reviewAt, ...(endsAt === undefined ? {} : { endsAt }) };
}

import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { actorOf, type Caller } from './caller.js';
import { changeOrganisation, organisationOf, ownNumberSchema } from './organisation.js';

const organisationSchema = z
  .object({
    controller: z.string(),
    address: z.string(),
    privacyEmail: z.string(),
    ownNumbers: z.array(z.string()),
    holidays: z.array(z.iso.date()),
    version: z.int().meta({ description: 'Counts the changes; 0 when nothing was filled in yet' }),
    changedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Organisation' });

/** Who answers for the recordings. */
export function organisationOperations(
  base: Pick<Platform, 'clock' | 'database'>,
  settings: { defaultCountry: string },
): Operation<Caller>[] {
  return [
    operation({
      method: 'get',
      path: '/organisation',
      id: 'readOrganisation',
      tag: 'organisation',
      summary: 'The controller, its address, own numbers and holidays',
      action: 'organisation.read',
      replies: { 200: { description: 'As it is now', schema: organisationSchema } },
      handle: async () => ({ status: 200, body: await organisationOf(base.database) }),
    }),
    operation({
      method: 'put',
      path: '/organisation',
      id: 'changeOrganisation',
      tag: 'organisation',
      summary: 'Change them: each change is a version',
      description:
        'A field left out stays as it is. With `version`, a change somebody else made meanwhile is a conflict.',
      action: 'organisation.change',
      body: z.object({
        controller: z.string().trim().max(200).optional(),
        address: z.string().trim().max(500).optional(),
        privacyEmail: z.union([z.email('must be an e-mail address'), z.literal('')]).optional(),
        ownNumbers: z
          .array(ownNumberSchema(settings.defaultCountry))
          .max(2_000)
          .optional()
          .meta({
            description: 'In any spelling; kept as E.164. Once there are any, other calls are refused.',
            example: ['020 123 4567'],
          }),
        holidays: z
          .array(z.iso.date('must be a date such as 2027-04-27'))
          .max(500)
          .optional()
          .meta({ description: 'Days on which nothing falls due, besides weekends', example: ['2027-04-27'] }),
        version: z.int().min(0).optional(),
      }),
      replies: { 200: { description: 'As it is now', schema: organisationSchema } },
      problems: ['conflict'],
      handle: async ({ body, caller }) => ({
        status: 200,
        body: await changeOrganisation(base, actorOf(caller), body),
      }),
    }),
  ];
}

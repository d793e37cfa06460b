import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { actorOf, machineRoles, type Caller } from './caller.js';
import { createKey, listKeys, revokeKey, rotateKey, usualOverlapMs } from './keys.js';
import { ownNumberSchema } from './organisation.js';
import { changeSource, channelsSchema, listSources, nameSchema, timeZoneSchema } from './source.js';

const roleSchema = z.enum(machineRoles);

const sourceSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    kind: roleSchema,
    timezone: z.string(),
    channels: z.array(z.enum(['caller', 'agent'])),
    ownNumbers: z.array(z.string()),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Source', description: 'A PBX or a helpdesk. It outlives its keys.' });

const shownOnce = z.string().meta({ description: 'The key itself, shown this once', example: 'opn_…' });
const prefixSchema = z.string().meta({ description: 'The first characters of the key' });

const madeKeySchema = z.object({
  id: z.uuid(),
  key: shownOnce,
  sourceId: z.uuid(),
  name: z.string(),
  role: roleSchema,
  prefix: prefixSchema,
  createdAt: z.iso.datetime(),
  source: sourceSchema,
});

const keySchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    role: roleSchema,
    prefix: prefixSchema,
    state: z.enum(['active', 'overlapping', 'expired', 'revoked']),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime().nullable().meta({ description: 'To the minute' }),
    expiresAt: z.iso.datetime().nullable().meta({ description: 'When it stops working, after a rotation' }),
    revokedAt: z.iso.datetime().nullable(),
    sourceId: z.uuid(),
    sourceName: z.string(),
  })
  .meta({ id: 'Key', description: 'A machine key' });

const idParams = z.object({ id: idSchema });
const dayMs = 24 * 60 * 60_000;

export interface MachineSettings {
  /** Of sources for which none is told. */
  timeZone: string;
  defaultCountry: string;
}

/** Keys and sources, for administrators. */
export function machineOperations(
  base: Pick<Platform, 'clock' | 'database' | 'log'>,
  settings: MachineSettings,
): Operation<Caller>[] {
  return [
    operation({
      method: 'get',
      path: '/keys',
      id: 'listKeys',
      tag: 'machines',
      summary: 'Machine keys, newest first',
      action: 'key.read',
      query: z.object(pageQuery),
      replies: { 200: { description: 'A page', schema: pageOf(keySchema) } },
      handle: async ({ query }) => ({ status: 200, body: await listKeys(base, query) }),
    }),
    operation({
      method: 'post',
      path: '/keys',
      id: 'createKey',
      tag: 'machines',
      summary: 'Make a key for a PBX or a helpdesk',
      description:
        '`source` is the id or the name of an existing source, or the name of a new one. Without it a source is made ' +
        "with the key's name, and a number behind it where that name is taken. `timezone` and `channels` are the new " +
        "source's; given for an existing source they must be its own (409).",
      action: 'key.manage',
      body: z.object({
        name: nameSchema,
        role: roleSchema,
        source: nameSchema.optional(),
        timezone: timeZoneSchema.optional(),
        channels: channelsSchema.optional(),
      }),
      replies: { 201: { description: 'Made; keep the key, it is not shown again', schema: madeKeySchema } },
      problems: ['conflict'],
      async handle({ body, caller }) {
        const made = await createKey(base, actorOf(caller), body, settings.timeZone);
        return { status: 201, body: { ...made, sourceId: made.source.id } };
      },
    }),
    operation({
      method: 'post',
      path: '/keys/{id}/rotate',
      id: 'rotateKey',
      tag: 'machines',
      summary: 'Make a new key for the same source; the old one works on for a while',
      description:
        'The new key has an id of its own. The old one stops after `overlapMs`, 24 hours unless told, 0 for at once.',
      action: 'key.manage',
      params: idParams,
      body: z
        .object({
          overlapMs: z
            .int()
            .min(0)
            .max(30 * dayMs)
            .default(usualOverlapMs),
        })
        .default({ overlapMs: usualOverlapMs }),
      replies: {
        201: {
          description: 'Made; keep the key, it is not shown again',
          schema: madeKeySchema.omit({ source: true }).extend({
            previous: z
              .object({ id: z.uuid(), expiresAt: z.iso.datetime() })
              .meta({ description: 'The old key, and when it stops' }),
          }),
        },
      },
      problems: ['conflict'],
      async handle({ body, caller, params }) {
        return { status: 201, body: await rotateKey(base, actorOf(caller), params.id, body.overlapMs) };
      },
    }),
    operation({
      method: 'delete',
      path: '/keys/{id}',
      id: 'revokeKey',
      tag: 'machines',
      summary: 'Revoke a key, at once',
      action: 'key.manage',
      params: idParams,
      replies: { 204: { description: 'It no longer works' } },
      async handle({ caller, params }) {
        await revokeKey(base, actorOf(caller), params.id);
        return { status: 204 };
      },
    }),
    operation({
      method: 'get',
      path: '/sources',
      id: 'listSources',
      tag: 'machines',
      summary: 'Sources, newest first',
      action: 'source.read',
      query: z.object(pageQuery),
      replies: { 200: { description: 'A page', schema: pageOf(sourceSchema) } },
      handle: async ({ query }) => ({ status: 200, body: await listSources(base.database, query) }),
    }),
    operation({
      method: 'patch',
      path: '/sources/{id}',
      id: 'changeSource',
      tag: 'machines',
      summary: 'Change how a source is read from now on',
      action: 'source.change',
      params: idParams,
      body: z.object({
        name: nameSchema.optional(),
        timezone: timeZoneSchema.optional(),
        channels: channelsSchema.optional(),
        ownNumbers: z.array(ownNumberSchema(settings.defaultCountry)).max(500).optional(),
      }),
      replies: { 200: { description: 'Changed', schema: sourceSchema } },
      problems: ['conflict'],
      async handle({ body, caller, params }) {
        return { status: 200, body: await changeSource(base, actorOf(caller), params.id, body) };
      },
    }),
  ];
}

import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { actorOf, personRoles, requirePerson, type Caller } from './caller.js';
import { unbindIdentities } from './identity.js';
import { newPasswordSchema } from './password.js';
import { changeUser, createUser, listColleagues, listUsers, resetPassword, userOf, type User } from './people.js';
import { may } from './policy.js';
import { removeSecondFactor } from './second-factor.js';
import { endSessionsOf } from './session.js';

const roleSchema = z.enum(personRoles);
const localeSchema = z.enum(['nl', 'en']);
const emailSchema = z.email('must be an e-mail address').max(254).meta({ example: 'j.devries@example.nl' });
const personNameSchema = z.string().trim().min(1).max(120);
const extensionsSchema = z
  .array(
    z
      .string()
      .trim()
      .regex(/^[0-9A-Za-z*#._-]{1,32}$/, 'must be an extension such as 201'),
  )
  .max(20)
  .meta({ description: 'The extensions this person answers on', example: ['201'] });

const userSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    role: roleSchema,
    locale: localeSchema,
    extensions: z.array(z.string()),
    createdAt: z.iso.datetime(),
    disabled: z.boolean(),
    disabledAt: z.iso.datetime().nullable(),
    passwordExpiresAt: z.iso.datetime().nullable().meta({ description: 'Set while the password is one handed out' }),
    secondFactor: z.boolean().meta({ description: 'Does signing in take a one-time code?' }),
    singleSignOn: z.boolean().meta({ description: 'Bound to somebody at the identity provider' }),
  })
  .meta({ id: 'User' });

const presentUser = (user: User) => ({ ...user, disabled: user.disabledAt !== null });

const idParams = z.object({ id: idSchema });
const ofRole = { role: roleSchema.optional() };

/** Who may sign in, for administrators; and colleagues' names, for those who work with them. */
export function peopleOperations(base: Pick<Platform, 'clock' | 'database' | 'log'>): Operation<Caller>[] {
  return [
    operation({
      method: 'get',
      path: '/people',
      id: 'listPeople',
      tag: 'people',
      summary: 'Names and roles of those who can sign in, newest first',
      action: 'person.list',
      query: z.object({ ...pageQuery, ...ofRole }),
      replies: {
        200: {
          description: 'A page',
          schema: pageOf(z.object({ id: z.uuid(), name: z.string(), role: roleSchema }).meta({ id: 'Colleague' })),
        },
      },
      handle: async ({ query }) => ({ status: 200, body: await listColleagues(base.database, query) }),
    }),
    operation({
      method: 'get',
      path: '/users',
      id: 'listUsers',
      tag: 'people',
      summary: 'Users, newest first, disabled ones included',
      action: 'user.read',
      query: z.object({ ...pageQuery, ...ofRole }),
      replies: { 200: { description: 'A page', schema: pageOf(userSchema) } },
      async handle({ query }) {
        const { items, nextCursor } = await listUsers(base.database, query);
        return { status: 200, body: { items: items.map(presentUser), nextCursor } };
      },
    }),
    operation({
      method: 'post',
      path: '/users',
      id: 'createUser',
      tag: 'people',
      summary: 'Make a user',
      action: 'user.create',
      body: z.object({
        email: emailSchema,
        name: personNameSchema,
        role: roleSchema,
        password: newPasswordSchema,
        locale: localeSchema.optional().meta({ description: 'Default `nl`' }),
        extensions: extensionsSchema.optional(),
      }),
      replies: { 201: { description: 'Made', schema: userSchema } },
      problems: ['conflict'],
      async handle({ body, caller }) {
        const user = await createUser(base, actorOf(caller), body);
        return { status: 201, body: presentUser(user), headers: { Location: `/api/v1/users/${user.id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/users/{id}',
      id: 'readUser',
      tag: 'people',
      summary: 'A user',
      action: 'user.read',
      params: idParams,
      replies: { 200: { description: 'The user', schema: userSchema } },
      handle: async ({ params }) => ({ status: 200, body: presentUser(await userOf(base.database, params.id)) }),
    }),
    operation({
      method: 'patch',
      path: '/users/{id}',
      id: 'changeUser',
      tag: 'people',
      summary: 'Change a user, or disable one',
      description:
        "Another role, or being disabled, ends the user's sessions. One's own role and access are changed by another " +
        'administrator (403); the last administrator stays (409). Users are never deleted: the audit trail leads here.',
      action: 'user.change',
      params: idParams,
      body: z.object({
        email: emailSchema.optional(),
        name: personNameSchema.optional(),
        role: roleSchema.optional(),
        locale: localeSchema.optional(),
        extensions: extensionsSchema.optional(),
        disabled: z.boolean().optional(),
      }),
      replies: { 200: { description: 'Changed', schema: userSchema } },
      problems: ['conflict'],
      async handle({ body, caller, params }) {
        return { status: 200, body: presentUser(await changeUser(base, requirePerson(caller), params.id, body)) };
      },
    }),
    operation({
      method: 'post',
      path: '/users/{id}/password',
      id: 'resetPassword',
      tag: 'people',
      summary: "Replace a user's password by a random one, shown this once",
      description:
        'Good for three days, within which its owner is to change it. Ends their sessions. Their one-time codes stay.',
      action: 'user.change',
      params: idParams,
      replies: {
        201: {
          description: 'The password to hand over',
          schema: z.object({ password: z.string(), expiresAt: z.iso.datetime() }),
        },
      },
      handle: async ({ caller, params }) => ({
        status: 201,
        body: await resetPassword(base, requirePerson(caller), params.id),
      }),
    }),
    operation({
      method: 'delete',
      path: '/users/{id}/second-factor',
      id: 'removeSecondFactorOf',
      tag: 'people',
      summary: 'Do away with the one-time codes of someone who lost their telephone',
      description: 'Ends their sessions.',
      action: 'user.change',
      params: idParams,
      replies: { 204: { description: 'None are asked any more' } },
      async handle({ caller, params }) {
        const { userId } = requirePerson(caller);
        if (!may(caller, 'user.change_access', { ownerId: params.id }))
          throw new Problem('forbidden', { detail: 'Your own are removed in your own session.' });
        await base.database.inTransaction(async (tx) => {
          await userOf(base.database, params.id, tx);
          if (await removeSecondFactor(base, tx, userId, params.id)) await endSessionsOf(base, tx, params.id);
        });
        return { status: 204 };
      },
    }),
    operation({
      method: 'delete',
      path: '/users/{id}/identity',
      id: 'unbindIdentityOf',
      tag: 'people',
      summary: 'Forget who someone is at the identity provider',
      description: 'Ends their sessions. Their next single sign-on binds anew, by the e-mail address that stands here.',
      action: 'user.change',
      params: idParams,
      replies: { 204: { description: 'Forgotten' } },
      async handle({ caller, params }) {
        const { userId } = requirePerson(caller);
        await base.database.inTransaction(async (tx) => {
          await userOf(base.database, params.id, tx);
          if (await unbindIdentities(base, tx, userId, params.id)) await endSessionsOf(base, tx, params.id);
        });
        return { status: 204 };
      },
    }),
  ];
}

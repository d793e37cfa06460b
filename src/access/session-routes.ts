import type { Request, Response } from 'express';
import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import { requirePerson, personRoles, type Caller, type Person } from './caller.js';
import { newPasswordSchema, triedPasswordSchema } from './password.js';
import { changeUser, userOf } from './people.js';
import { beginSecondFactor, codePattern, confirmSecondFactor } from './second-factor.js';
import { clearCookie, sessionEndOf, setCookie, tokenOf } from './session.js';
import { changePassword, giveUpSecondFactor, signIn, signOut, type SignIn } from './sign-in.js';

const localeSchema = z.enum(['nl', 'en']);

const personSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    role: z.enum(personRoles),
    locale: localeSchema,
  })
  .meta({ id: 'SignedIn', description: 'Who is signed in' });

const presentPerson = ({ userId: id, email, name, role, locale }: Person) => ({ id, email, name, role, locale });

const codeSchema = z
  .string()
  .regex(codePattern, 'must be six digits')
  .meta({ description: 'Six digits', example: '123456' });

/** One's own session, password and second factor. */
export function sessionOperations(base: SignIn, publicUrl: string | undefined): Operation<Caller>[] {
  const give = (request: Request, response: Response, token: string) => setCookie(request, response, token, publicUrl);
  return [
    operation({
      method: 'post',
      path: '/session',
      id: 'signIn',
      tag: 'session',
      summary: 'Sign in',
      description:
        'Answers with an HttpOnly, SameSite=Strict cookie `opname_session`. After eight wrong passwords for one ' +
        'e-mail address within a quarter of an hour: 429 with `Retry-After`, for the right one too. Where a one-time ' +
        'code is wanted, the right password without one is answered with `wrong-credentials` and `codeRequired: true`.',
      action: 'open',
      body: z.object({
        email: z.string().min(1).max(320),
        password: triedPasswordSchema,
        code: z.string().max(20).optional().meta({ description: 'One-time code, when one is set up' }),
      }),
      replies: { 200: { description: 'Signed in', schema: z.object({ user: personSchema }) } },
      problems: ['wrong-credentials', 'too-many-attempts', 'cross-site-request'],
      async handle({ body, request, response }) {
        const from = { address: request.ip ?? 'unknown', oldToken: tokenOf(request) };
        const { token, userId } = await signIn(base, body, from);
        give(request, response, token);
        const { id, email, name, role, locale } = await userOf(base.database, userId);
        return { status: 200, body: { user: { id, email, name, role, locale } } };
      },
    }),
    operation({
      method: 'get',
      path: '/session',
      id: 'readSession',
      tag: 'session',
      summary: 'Who is signed in',
      action: 'session.use',
      replies: {
        200: {
          description: 'The person, and until when',
          schema: z.object({
            user: personSchema,
            expiresAt: z.iso
              .datetime()
              .meta({ description: 'It ends then at the latest, and after four hours unused' }),
            secondFactor: z.boolean(),
            passwordExpiresAt: z.iso
              .datetime()
              .nullable()
              .meta({ description: 'Set while an administrator handed the password out' }),
          }),
        },
      },
      async handle({ caller, request }) {
        const person = requirePerson(caller);
        const expiresAt = await sessionEndOf(base, tokenOf(request) ?? '');
        const { secondFactor, passwordExpiresAt } = await userOf(base.database, person.userId);
        return { status: 200, body: { user: presentPerson(person), expiresAt, secondFactor, passwordExpiresAt } };
      },
    }),
    operation({
      method: 'patch',
      path: '/session',
      id: 'changeOwnLocale',
      tag: 'session',
      summary: "Choose one's own language",
      action: 'session.use',
      body: z.object({ locale: localeSchema }),
      replies: { 200: { description: 'Chosen', schema: z.object({ user: personSchema }) } },
      async handle({ body, caller }) {
        const person = requirePerson(caller);
        await changeUser(base, person, person.userId, { locale: body.locale });
        return { status: 200, body: { user: { ...presentPerson(person), locale: body.locale } } };
      },
    }),
    operation({
      method: 'delete',
      path: '/session',
      id: 'signOut',
      tag: 'session',
      summary: 'Sign out',
      action: 'session.use',
      replies: { 204: { description: 'The session is over' } },
      async handle({ request, response }) {
        await signOut(base, tokenOf(request) ?? '');
        clearCookie(request, response, publicUrl);
        return { status: 204 };
      },
    }),
    operation({
      method: 'put',
      path: '/session/password',
      id: 'changePassword',
      tag: 'session',
      summary: "Change one's own password",
      description: 'Every other session of this person ends; this one goes on under a new cookie.',
      action: 'session.use',
      body: z.object({ currentPassword: triedPasswordSchema, newPassword: newPasswordSchema }),
      replies: { 204: { description: 'Changed' } },
      problems: ['conflict', 'too-many-attempts'],
      async handle({ body, caller, request, response }) {
        const token = await changePassword(base, requirePerson(caller), body);
        give(request, response, token);
        return { status: 204 };
      },
    }),
    operation({
      method: 'post',
      path: '/session/second-factor',
      id: 'beginSecondFactor',
      tag: 'session',
      summary: 'Begin to set up one-time codes (TOTP, RFC 6238)',
      description: 'The secret counts once a code has confirmed it; asking again gives another one.',
      action: 'session.use',
      replies: {
        201: {
          description: 'For the authenticator app',
          schema: z.object({
            secret: z.string().meta({ description: 'Base32' }),
            uri: z.string().meta({ description: 'otpauth: address, for a QR code' }),
          }),
        },
      },
      problems: ['conflict'],
      async handle({ caller }) {
        return { status: 201, body: await beginSecondFactor(base, base.secondFactorKey, requirePerson(caller)) };
      },
    }),
    operation({
      method: 'put',
      path: '/session/second-factor',
      id: 'confirmSecondFactor',
      tag: 'session',
      summary: 'Confirm with a first code: from now on signing in takes one',
      action: 'session.use',
      body: z.object({ code: codeSchema }),
      replies: { 204: { description: 'In use' } },
      problems: ['conflict'],
      async handle({ body, caller }) {
        await confirmSecondFactor(base, base.secondFactorKey, requirePerson(caller), body.code);
        return { status: 204 };
      },
    }),
    operation({
      method: 'delete',
      path: '/session/second-factor',
      id: 'removeSecondFactor',
      tag: 'session',
      summary: "Do without one-time codes, with one's password",
      action: 'session.use',
      body: z.object({ password: triedPasswordSchema }),
      replies: { 204: { description: 'Removed' } },
      problems: ['too-many-attempts'],
      async handle({ body, caller }) {
        await giveUpSecondFactor(base, requirePerson(caller), body.password);
        return { status: 204 };
      },
    }),
  ];
}

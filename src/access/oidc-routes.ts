import type { Request } from 'express';
import { z } from 'zod';
import { operation, type Operation } from '../platform/http.js';
import type { Caller } from './caller.js';
import { signInAs } from './identity.js';
import { SignInFailure, underWayMs, type SignInFault, type SingleSignOn } from './oidc.js';
import { isSecure, namedCookie, setCookie, tokenOf } from './session.js';
import type { SignIn } from './sign-in.js';
import { Problem } from '../platform/problem.js';

const cookieName = 'opname_oidc';
const callbackPath = '/api/v1/session/oidc/callback';

/**
 * The ways to sign in, and the way by the identity provider. `singleSignOn` undefined: there is none.
 *
 * Both steps are visited by the browser itself, so they answer with redirections, faults included; a fault's reason
 * stands in the address of the sign-in page, and nothing about the person does.
 */
export function oidcOperations(
  base: SignIn,
  singleSignOn: SingleSignOn | undefined,
  publicUrl: string | undefined,
): Operation<Caller>[] {
  const redirection = { 303: { description: 'Where the browser goes on', mediaType: 'text/plain' } };
  const back = (fault: SignInFault) => ({ status: 303, headers: { Location: `/?sign-in=${fault}` } });

  /** The cookie may not be SameSite=Strict: the browser comes back from another site. Only the callback is sent it. */
  const options = (request: Request) =>
    ({ httpOnly: true, sameSite: 'lax', secure: isSecure(request, publicUrl), path: callbackPath }) as const;

  const failed = (error: unknown) => {
    if (!(error instanceof SignInFailure)) throw error;
    if (error.fault === 'failed' || error.fault === 'unreachable')
      // The code alone: what a provider writes into its messages may name the person.
      base.log.warn({ fault: error.fault, code: (error.cause as { code?: unknown } | undefined)?.code }, 'single sign-on failed');
    return back(error.fault);
  };

  return [
    operation({
      method: 'get',
      path: '/session/ways',
      id: 'readWaysToSignIn',
      tag: 'session',
      summary: 'The ways to sign in',
      action: 'open',
      replies: {
        200: {
          description: 'A password always; an identity provider where one is set up',
          schema: z.object({
            identityProvider: z.object({ host: z.string(), href: z.string() }).nullable(),
          }),
        },
      },
      handle: () =>
        Promise.resolve({
          status: 200,
          body: {
            identityProvider: singleSignOn === undefined ? null : { host: singleSignOn.host, href: '/api/v1/session/oidc' },
          },
        }),
    }),
    operation({
      method: 'get',
      path: '/session/oidc',
      id: 'beginSingleSignOn',
      tag: 'session',
      summary: 'Go to the identity provider (OpenID Connect) to sign in',
      description: '404 where none is set up. Comes back to `/`, or to `to`; when it fails, to `/?sign-in=` and why.',
      action: 'open',
      query: z.object({
        to: z
          .string()
          .max(500)
          .regex(/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/, 'must be a path of this site')
          .default('/')
          .meta({ description: 'The screen to go on to' }),
      }),
      replies: redirection,
      problems: ['not-found'],
      async handle({ query, request, response }) {
        const way = required(singleSignOn);
        try {
          const redirectUri = new URL(callbackPath, publicUrl ?? `${request.protocol}://${request.host ?? ''}`).href;
          const { location, sealed } = await way.begin(redirectUri, query.to);
          response.cookie(cookieName, sealed, { ...options(request), maxAge: underWayMs });
          return { status: 303, headers: { Location: location } };
        } catch (error) {
          return failed(error);
        }
      },
    }),
    operation({
      method: 'get',
      path: '/session/oidc/callback',
      id: 'finishSingleSignOn',
      tag: 'session',
      summary: 'Where the identity provider sends the browser back to',
      action: 'open',
      replies: redirection,
      problems: ['not-found'],
      async handle({ request, response }) {
        const way = required(singleSignOn);
        const sealed = namedCookie(request, cookieName) ?? '';
        response.clearCookie(cookieName, options(request));
        try {
          const { identity, to } = await way.finish(new URL(request.originalUrl, 'http://callback.invalid'), sealed);
          setCookie(request, response, await signInAs(base, identity, tokenOf(request)), publicUrl);
          return { status: 303, headers: { Location: to } };
        } catch (error) {
          return failed(error);
        }
      },
    }),
  ];
}

function required(singleSignOn: SingleSignOn | undefined): SingleSignOn {
  if (singleSignOn === undefined) throw new Problem('not-found');
  return singleSignOn;
}

import * as client from 'openid-client';
import type { Clock } from '../platform/clock.js';
import { seal, unseal } from './second-factor.js';

/**
 * Single sign-on by the organisation's own identity provider: OpenID Connect, authorization code flow with PKCE
 * (RFC 7636), state and nonce. What is on its way stands sealed in the browser's cookie, so any process can finish what
 * another began, and nothing is left behind by those who turn back.
 */

export interface IdentityProvider {
  issuer: string;
  clientId: string;
  clientSecret: string;
}

/** What the provider vouches for. */
export interface Identity {
  issuer: string;
  /** Never given to another person, unlike an e-mail address (OpenID Connect Core §2). */
  subject: string;
  /** Undefined where the provider gives none, or says that it has not verified it. */
  email: string | undefined;
}

/** Why nobody was signed in: told to the browser as `/?sign-in=…`. */
export type SignInFault = 'cancelled' | 'unreachable' | 'failed' | 'unknown';

export class SignInFailure extends Error {
  constructor(
    readonly fault: SignInFault,
    options?: ErrorOptions,
  ) {
    super(`single sign-on: ${fault}`, options);
  }
}

export interface SingleSignOn {
  /** The provider's host, to be named on the sign-in page. */
  readonly host: string;
  /** Where to send the browser, and what it is to bring back. @throws SignInFailure `unreachable`, `failed` */
  begin(redirectUri: string, to: string): Promise<{ location: string; sealed: string }>;
  /** Who came back at `callback`, with what `begin` gave. @throws SignInFailure */
  finish(callback: URL, sealed: string): Promise<{ identity: Identity; to: string }>;
}

interface UnderWay {
  state: string;
  nonce: string;
  verifier: string;
  redirectUri: string;
  to: string;
  expiresAtMs: number;
}

/** Time for a password, a second factor and a moment's doubt at the provider. */
export const underWayMs = 10 * 60_000;
const timeoutSeconds = 10;
/** What the provider publishes of itself (its addresses) is asked anew after this time. */
const metadataMs = 60 * 60_000;
const bound = 'single sign-on';

/** `key` seals what is under way. What the provider dates is compared with this machine's own time, within the library. */
export function createSingleSignOn(provider: IdentityProvider, key: Buffer, clock: Clock): SingleSignOn {
  const issuer = new URL(provider.issuer);
  let known: { configuration: Promise<client.Configuration>; atMs: number } | undefined;

  function configuration(): Promise<client.Configuration> {
    if (known !== undefined && clock.now().getTime() - known.atMs < metadataMs) return known.configuration;
    const asked = discover(issuer, provider);
    known = { configuration: asked, atMs: clock.now().getTime() };
    asked.catch(() => (known = undefined));
    return asked;
  }

  return {
    host: issuer.host,

    async begin(redirectUri, to) {
      const underWay: UnderWay = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        redirectUri,
        to,
        expiresAtMs: clock.now().getTime() + underWayMs,
      };
      const location = client.buildAuthorizationUrl(await orFault(configuration()), {
        redirect_uri: redirectUri,
        scope: 'openid email',
        state: underWay.state,
        nonce: underWay.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(underWay.verifier),
        code_challenge_method: 'S256',
      });
      return { location: location.href, sealed: seal(key, bound, Buffer.from(JSON.stringify(underWay))).toString('base64url') };
    },

    async finish(callback, sealed) {
      const underWay = unsealed(key, sealed, clock.now());
      const at = new URL(underWay.redirectUri);
      at.search = callback.search;
      const configured = await orFault(configuration());
      const tokens = await orFault(
        client.authorizationCodeGrant(configured, at, {
          pkceCodeVerifier: underWay.verifier,
          expectedState: underWay.state,
          expectedNonce: underWay.nonce,
          idTokenExpected: true,
        }),
      );
      const claims = tokens.claims();
      if (claims === undefined) throw new SignInFailure('failed');
      const about =
        claims['email'] === undefined && configured.serverMetadata().userinfo_endpoint !== undefined
          ? await orFault(client.fetchUserInfo(configured, tokens.access_token, claims.sub))
          : claims;
      return { identity: { issuer: claims.iss, subject: claims.sub, email: emailOf(about) }, to: underWay.to };
    },
  };
}

/** Many providers of one organisation leave `email_verified` out; one that says false does not vouch for the address. */
const emailOf = (claims: Record<string, unknown>) =>
  typeof claims['email'] === 'string' && claims['email_verified'] !== false ? claims['email'] : undefined;

async function discover(issuer: URL, { clientId, clientSecret }: IdentityProvider): Promise<client.Configuration> {
  const authenticate: client.ClientAuth = (server, self, body, headers) => {
    // RFC 8414 §2: without a list, Basic is what a server takes.
    const posts = server.token_endpoint_auth_methods_supported?.includes('client_secret_post') ?? false;
    const way = posts ? client.ClientSecretPost(clientSecret) : client.ClientSecretBasic(clientSecret);
    way(server, self, body, headers);
  };
  // An issuer of plain http is the administrator's own choice: one that stands on the same machine.
  const execute = [client.enableNonRepudiationChecks, ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [])];
  return client.discovery(issuer, clientId, {}, authenticate, { execute, timeout: timeoutSeconds });
}

function unsealed(key: Buffer, sealed: string, now: Date): UnderWay {
  let underWay: UnderWay;
  try {
    underWay = JSON.parse(unseal(key, bound, Buffer.from(sealed, 'base64url')).toString()) as UnderWay;
  } catch (error) {
    throw new SignInFailure('failed', { cause: error });
  }
  if (underWay.expiresAtMs <= now.getTime()) throw new SignInFailure('failed');
  return underWay;
}

async function orFault<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new SignInFailure(faultOf(error), { cause: error });
  }
}

function faultOf(error: unknown): SignInFault {
  if (error instanceof client.AuthorizationResponseError)
    return error.error === 'access_denied' || error.error === 'login_required'
      ? 'cancelled'
      : error.error === 'temporarily_unavailable' || error.error === 'server_error'
        ? 'unreachable'
        : 'failed';
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const answeredBadly = cause instanceof Response && cause.status >= 500;
  // `fetch` throws a bare TypeError when there is no connection to be had.
  return code === 'OAUTH_TIMEOUT' || answeredBadly || (error instanceof TypeError && code === undefined) ? 'unreachable' : 'failed';
}

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import Provider, { type Account } from 'oidc-provider';
import type { IdentityProvider } from '../../src/access/oidc.js';

/** A real OpenID provider on this machine, whose sign-in page is answered by whoever `person` says. */
export interface TestIdentityProvider {
  settings: IdentityProvider;
  /** Where browsers may be sent back to; to be set before the first of them comes. */
  redirectUri: string;
  /** Who signs in there next; undefined: they turn back. */
  person: { subject: string; email?: string; emailVerified?: boolean } | undefined;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface TestIdentityProviderOptions {
  /** Does the e-mail address stand in the ID token, or is it to be asked for? */
  addressInIdToken?: boolean;
  /** A name of this machine: for a browser, `localhost` and `127.0.0.1` are two sites. */
  host?: string;
}

export async function startIdentityProvider(options: TestIdentityProviderOptions = {}): Promise<TestIdentityProvider> {
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const sockets = new Set<Socket>();
  const make = () =>
    createServer((request, response) => handle(request, response)).on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  let server = make().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://${options.host ?? '127.0.0.1'}:${port}`;
  const settings = { issuer, clientId: 'opname', clientSecret: 'a secret of some length' };
  const self: TestIdentityProvider = {
    settings,
    redirectUri: `${publicUrl}/api/v1/session/oidc/callback`,
    person: undefined,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async start() {
      server = make().listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
  const accounts = new Map<string, NonNullable<TestIdentityProvider['person']>>();
  const madeProvider = () => new Provider(issuer, {
    clients: [
      {
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
        redirect_uris: [self.redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: options.addressInIdToken === false,
    cookies: { keys: ['only for tests'] },
    jwks: { keys: [signingJwk()] },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount(_context, subject): Account {
      const known = accounts.get(subject);
      return {
        accountId: subject,
        claims: () => ({
          sub: subject,
          ...(known?.email === undefined ? {} : { email: known.email }),
          ...(known?.emailVerified === undefined ? {} : { email_verified: known.emailVerified }),
        }),
      };
    },
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({
        ...(context.oidc.client === undefined ? {} : { clientId: context.oidc.client.clientId }),
        ...(context.oidc.session?.accountId === undefined ? {} : { accountId: context.oidc.session.accountId }),
      });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
  let made: { provider: Provider; answer: ReturnType<Provider['callback']> } | undefined;
  handle = (request, response) => {
    if (made === undefined) {
      const provider = madeProvider();
      made = { provider, answer: provider.callback() };
    }
    const { provider, answer } = made;
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
    const { person } = self;
    if (person !== undefined) accounts.set(person.subject, person);
    const result =
      person === undefined
        ? { error: 'access_denied', error_description: 'turned back' }
        : { login: { accountId: person.subject, remember: false } };
    provider.interactionFinished(request, response, result).catch((error: unknown) => response.destroy(error as Error));
  };
  return self;
}

/** Where the service under test says it stands. */
export const publicUrl = 'http://opname.example.nl';

const signingJwk = () => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  alg: 'RS256',
  kid: 'test',
});

/** Goes where the provider sends a browser, cookies and all, until it leaves the provider. Returns that address. */
export async function throughProvider(location: string): Promise<URL> {
  const { origin } = new URL(location);
  const cookies = new Map<string, string>();
  let at = new URL(location);
  for (let step = 0; step < 8; step += 1) {
    if (at.origin !== origin) return at;
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const next = response.headers.get('location');
    if (next === null) throw new Error(`the identity provider answered ${response.status}: ${await response.text()}`);
    at = new URL(next, at);
  }
  throw new Error('the identity provider goes round in circles');
}

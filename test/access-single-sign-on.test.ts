import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makePerson, signedIn, startAccess, usualPassword, type AccessService, type Agent } from './support/access.js';
import { publicUrl, startIdentityProvider, throughProvider, type TestIdentityProvider } from './support/identity-provider.js';

/** Signing in by a real OpenID provider. */

let provider: TestIdentityProvider;
let service: AccessService;
let administrator: Agent;
let counter = 0;

beforeAll(async () => {
  provider = await startIdentityProvider();
  service = await startAccess({ publicUrl, oidc: provider.settings });
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
});
afterAll(async () => {
  await service.close();
  await provider.stop();
});

/** Someone new, here and at the provider. */
async function newPerson(role: 'trainer' | 'agent' = 'trainer') {
  counter += 1;
  const person = await makePerson(administrator, role, `Person ${counter}`);
  provider.person = { subject: `subject-${counter}`, email: person.email.toUpperCase(), emailVerified: true };
  return { ...person, subject: provider.person.subject };
}

const cookiesOf = (response: request.Response) => (response.get('Set-Cookie') ?? []).map((cookie) => cookie.split(';')[0] ?? '');
const sessionCookieOf = (response: request.Response) => cookiesOf(response).find((cookie) => /^opname_session=./.test(cookie));

const begin = (query = '') => request(service.server).get(`/api/v1/session/oidc${query}`);
const comeBack = (at: URL, cookies: string[]) =>
  request(service.server).get(at.pathname + at.search).set('Cookie', cookies.join('; ')).set('Sec-Fetch-Site', 'cross-site');

/** The whole way round, as a browser goes it. */
async function signInThere(query = '') {
  const begun = await begin(query).expect(303);
  const at = await throughProvider(String(begun.headers['location']));
  return { at, cookies: cookiesOf(begun), response: await comeBack(at, cookiesOf(begun)).expect(303) };
}

const whoIs = (response: request.Response) =>
  request(service.server).get('/api/v1/session').set('Cookie', sessionCookieOf(response) ?? '');

async function auditOf(objectId: string) {
  const rows = await service.database.query<{ action: string }>(
    'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY id',
    [objectId],
  );
  return rows.map(({ action }) => action);
}

describe('single sign-on', () => {
  it('is told on the way in, where it is set up', async () => {
    const { body } = await request(service.server).get('/api/v1/session/ways').expect(200);
    expect(body).toEqual({ identityProvider: { host: new URL(provider.settings.issuer).host, href: '/api/v1/session/oidc' } });
    const plain = await startAccess();
    try {
      expect((await request(plain.server).get('/api/v1/session/ways').expect(200)).body).toEqual({ identityProvider: null });
      expect((await request(plain.server).get('/api/v1/session/oidc').expect(404)).body.code).toBe('not-found');
      await request(plain.server).get('/api/v1/session/oidc/callback?code=a&state=b').expect(404);
    } finally {
      await plain.close();
    }
  });

  it('signs a person in whom an administrator made, without a password, and says so in the trail', async () => {
    const { id, email } = await newPerson();
    const { response } = await signInThere();
    expect(response.headers['location']).toBe('/');
    expect(response.get('Set-Cookie')?.join()).toMatch(/opname_session=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Strict/);
    expect((await whoIs(response).expect(200)).body.user).toMatchObject({ id, email, role: 'trainer' });
    expect(await auditOf(id)).toEqual(['user.created', 'user.identity_bound', 'session.opened']);
    const { body } = await administrator.get(`/api/v1/users/${id}`).expect(200);
    expect(body.singleSignOn).toBe(true);
  });

  it('goes on to the screen that was wanted, and to no other site', async () => {
    await newPerson();
    const { response } = await signInThere(`?to=${encodeURIComponent('/recordings?state=new')}`);
    expect(response.headers['location']).toBe('/recordings?state=new');
    for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example', '/a\r\nX: y', 'javascript:alert(1)'])
      await begin(`?to=${encodeURIComponent(to)}`).expect(422);
  });

  it('knows the person by the provider’s subject afterwards, whatever the address says', async () => {
    const { id, subject } = await newPerson();
    await signInThere();
    await administrator.patch(`/api/v1/users/${id}`).send({ email: `moved.${counter}@example.nl` }).expect(200);
    provider.person = { subject };
    const { response } = await signInThere();
    expect((await whoIs(response).expect(200)).body.user.id).toBe(id);
  });

  it('opens nothing to a newcomer who was given a leaver’s address', async () => {
    const { id, email } = await newPerson();
    await signInThere();
    provider.person = { subject: 'a newcomer', email, emailVerified: true };
    expect((await signInThere()).response.headers['location']).toBe('/?sign-in=unknown');
    await administrator.delete(`/api/v1/users/${id}/identity`).expect(204);
    expect((await whoIs((await signInThere()).response).expect(200)).body.user.id).toBe(id);
    expect(await auditOf(id)).toContain('user.identity_unbound');
  });

  it('lets somebody in who signs in for the first time in several windows at once', async () => {
    await newPerson();
    const windows = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const begun = await begin().expect(303);
        return { at: await throughProvider(String(begun.headers['location'])), cookies: cookiesOf(begun) };
      }),
    );
    const answers = await Promise.all(windows.map(({ at, cookies }) => comeBack(at, cookies)));
    expect(answers.map(({ headers }) => headers['location'])).toEqual(['/', '/', '/', '/', '/']);
  });

  it('ends sessions when the bond is undone', async () => {
    const { id } = await newPerson();
    const { response } = await signInThere();
    await administrator.delete(`/api/v1/users/${id}/identity`).expect(204);
    await whoIs(response).expect(401);
    await administrator.delete(`/api/v1/users/${id}/identity`).expect(204);
  });

  it('ends the session the browser came with', async () => {
    const { email } = await newPerson();
    const old = await request(service.server).post('/api/v1/session').send({ email, password: usualPassword }).expect(200);
    const begun = await begin().expect(303);
    const at = await throughProvider(String(begun.headers['location']));
    const response = await comeBack(at, [...cookiesOf(begun), ...cookiesOf(old)]).expect(303);
    expect(sessionCookieOf(response)).toBeDefined();
    await whoIs(old).expect(401);
    await whoIs(response).expect(200);
  });
});

describe('the address, where the ID token leaves it out', () => {
  it('is asked of the provider', async () => {
    const reticent = await startIdentityProvider({ addressInIdToken: false });
    const other = await startAccess({ publicUrl, oidc: reticent.settings });
    try {
      const there = await signedIn(other.server, other.administrator.email, other.administrator.password);
      const { email } = await makePerson(there, 'agent', 'Asked');
      reticent.person = { subject: 'asked', email, emailVerified: true };
      const begun = await request(other.server).get('/api/v1/session/oidc').expect(303);
      const at = await throughProvider(String(begun.headers['location']));
      const response = await request(other.server).get(at.pathname + at.search).set('Cookie', cookiesOf(begun).join('; ')).expect(303);
      expect(response.headers['location']).toBe('/');
    } finally {
      await other.close();
      await reticent.stop();
    }
  });
});

describe('who is not let in', () => {
  const fault = (response: request.Response) => /^\/\?sign-in=(\w+)$/.exec(String(response.headers['location']))?.[1];
  const nobodySignedIn = (response: request.Response) => expect(sessionCookieOf(response)).toBeUndefined();

  let person: Awaited<ReturnType<typeof newPerson>>;
  beforeEach(async () => void (person = await newPerson()));

  it.each([
    ['somebody nobody made', () => ({ subject: 'stranger', email: 'stranger@example.nl', emailVerified: true })],
    ['somebody without an address', () => ({ subject: 'nameless' })],
    ['an address that is not verified', () => ({ subject: 'claims', email: person.email, emailVerified: false })],
  ])('%s', async (_who, other) => {
    provider.person = other();
    const { response } = await signInThere();
    expect(fault(response)).toBe('unknown');
    nobodySignedIn(response);
    const [refused] = await service.database.query<{ details: unknown }>(
      `SELECT details FROM audit_entries WHERE action = 'session.refused' ORDER BY id DESC LIMIT 1`,
    );
    expect(refused?.details).toEqual({ part: 'identity' });
  });

  it('a disabled person, bound or not', async () => {
    await signInThere();
    await administrator.patch(`/api/v1/users/${person.id}`).send({ disabled: true }).expect(200);
    expect(fault((await signInThere()).response)).toBe('unknown');
    const { id } = await newPerson();
    await administrator.patch(`/api/v1/users/${id}`).send({ disabled: true }).expect(200);
    const { response } = await signInThere();
    expect(fault(response)).toBe('unknown');
    nobodySignedIn(response);
  });

  it('who turned back at the provider', async () => {
    provider.person = undefined;
    const { response } = await signInThere();
    expect(fault(response)).toBe('cancelled');
    nobodySignedIn(response);
  });

  it('a browser that never set out, whose cookie was tampered with, or that comes twice', async () => {
    const { at, cookies, response } = await signInThere();
    expect(sessionCookieOf(response)).toBeDefined();
    expect(fault(await comeBack(at, []).expect(303))).toBe('failed');
    expect(fault(await comeBack(at, ['opname_oidc=AAAA']).expect(303))).toBe('failed');
    const again = await comeBack(at, cookies).expect(303);
    expect(fault(again)).toBe('failed');
    nobodySignedIn(again);
  });

  it('a browser that stays away for more than ten minutes', async () => {
    const begun = await begin().expect(303);
    const at = await throughProvider(String(begun.headers['location']));
    service.clock.advance(10 * 60_000);
    expect(fault(await comeBack(at, cookiesOf(begun)).expect(303))).toBe('failed');
  });

  it('a browser that brings another’s code (login CSRF)', async () => {
    const begun = await begin().expect(303);
    const theirs = await throughProvider(String(begun.headers['location']));
    const own = await begin().expect(303);
    const response = await comeBack(theirs, cookiesOf(own)).expect(303);
    expect(fault(response)).toBe('failed');
    nobodySignedIn(response);
  });

  it('anybody while the provider is away; afterwards it goes on by itself', async () => {
    const begun = await begin().expect(303);
    const at = await throughProvider(String(begun.headers['location']));
    await provider.stop();
    try {
      const response = await comeBack(at, cookiesOf(begun)).expect(303);
      expect(fault(response)).toBe('unreachable');
      nobodySignedIn(response);
      const fresh = await startAccess({ publicUrl, oidc: provider.settings });
      try {
        const refused = await request(fresh.server).get('/api/v1/session/oidc').expect(303);
        expect(fault(refused)).toBe('unreachable');
        await provider.start();
        const gone = await request(fresh.server).get('/api/v1/session/oidc').expect(303);
        expect(String(gone.headers['location'])).toMatch(`${provider.settings.issuer}/`);
      } finally {
        await fresh.close();
      }
    } finally {
      await provider.stop().catch(() => undefined);
      await provider.start();
    }
    expect(sessionCookieOf((await signInThere()).response)).toBeDefined();
  });
});

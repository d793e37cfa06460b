import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPassword, hashPassword } from '../src/access/password.js';
import { digestOfToken } from '../src/access/token.js';
import {
  makeKey,
  makePerson,
  signedIn,
  startAccess,
  usualPassword,
  type AccessService,
  type Agent,
} from './support/access.js';

const hourMs = 60 * 60_000;
let service: AccessService;
let administrator: Agent;

beforeAll(async () => {
  service = await startAccess({ publicUrl: 'http://opname.example.nl:8443' });
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
});
afterAll(() => service.close());

const post = (body: object) => request(service.server).post('/api/v1/session').send(body);
const cookieOf = (response: request.Response) => String(response.headers['set-cookie']);
const tokenOf = (response: request.Response) => /opname_session=([^;]*)/.exec(cookieOf(response))?.[1] ?? '';
const sessionOf = (token: string) =>
  request(service.server).get('/api/v1/session').set('Cookie', `a=b; opname_session=${token}; c=d`);

async function auditOf(userId: string): Promise<string[]> {
  const rows = await service.database.query<{ action: string }>(
    'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY id',
    [userId],
  );
  return rows.map(({ action }) => action);
}

describe('signing in', () => {
  it('answers with the person and a cookie that no script reads and no other site sends', async () => {
    const { id, email } = await makePerson(administrator, 'trainer', 'Tess');
    const response = await post({ email, password: usualPassword }).expect(200);
    expect(response.body).toEqual({ user: { id, email, name: 'Tess', role: 'trainer', locale: 'nl' } });
    expect(cookieOf(response)).toMatch(/^opname_session=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await sessionOf(tokenOf(response)).expect(200)).body).toMatchObject({
      user: { id },
      secondFactor: false,
      passwordExpiresAt: null,
    });
    expect(await auditOf(id)).toEqual(['user.created', 'session.opened']);
  });

  it('takes the e-mail address in any case, with blanks around it, and the password in any composition', async () => {
    await post({ email: '  ADMIN@example.NL ', password: service.administrator.password }).expect(200);
    const composed = 'caf\u00e9 caf\u00e9 caf\u00e9';
    expect(await isPassword(composed.normalize('NFD'), await hashPassword(composed.normalize('NFC')))).toBe(true);
  });

  it('keeps neither password nor token', async () => {
    const response = await post(service.administrator).expect(200);
    const [kept] = await service.database.query<{ all: string }>(
      `SELECT (SELECT string_agg(s::text, ' ') FROM sessions s) ||
         (SELECT string_agg(u::text, ' ') FROM users u) AS all`,
    );
    expect(kept?.all).not.toContain(tokenOf(response));
    expect(kept?.all).not.toContain(service.administrator.password);
    expect(kept?.all).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
  });

  it('gives a new token each time and ends the one the browser came with', async () => {
    const first = tokenOf(await post(service.administrator).expect(200));
    const second = tokenOf(await post(service.administrator).set('Cookie', `opname_session=${first}`).expect(200));
    expect(second).not.toBe(first);
    await sessionOf(first).expect(401);
    await sessionOf(second).expect(200);
  });

  it('does not take a token of the browser’s own making', async () => {
    const response = await post(service.administrator).set('Cookie', 'opname_session=chosen').expect(200);
    expect(tokenOf(response)).not.toBe('chosen');
    await sessionOf('chosen').expect(401);
  });

  it('says the same for a wrong password, an unknown account, and one that is disabled', async () => {
    const { id, email } = await makePerson(administrator, 'agent', 'Dirk');
    await administrator.patch(`/api/v1/users/${id}`).send({ disabled: true }).expect(200);
    const answers = [
      await post({ email: service.administrator.email, password: 'wrong' }),
      await post({ email: 'nobody@example.nl', password: 'wrong' }),
      await post({ email: 'not an address', password: 'wrong' }),
      await post({ email, password: usualPassword }),
    ].map(({ status, body, headers }) => ({
      status,
      body: { ...(body as object), requestId: '' },
      headers: Object.keys(headers).sort(),
    }));
    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'wrong-credentials' } });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('writes a refusal down without the address that was tried', async () => {
    await post({ email: 'secret.person@example.nl', password: 'wrong' }).expect(401);
    const entries = await service.database.query<{ entry: string }>(
      `SELECT e::text AS entry FROM audit_entries e WHERE action = 'session.refused'`,
    );
    expect(entries.length).toBeGreaterThan(0);
    for (const { entry } of entries) expect(entry).not.toMatch(/secret|@/);
  });

  it('refuses fields that are missing or are no text, and a body that is not JSON', async () => {
    await post({ email: 'a@b.nl' }).expect(422);
    await post({ email: ['a@b.nl'], password: {} }).expect(422);
    await post({ email: 'a\0@b.nl', password: 'x' }).expect(422);
    await request(service.server).post('/api/v1/session').type('text/plain').send('{}').expect(415);
    await request(service.server).post('/api/v1/session').expect(415);
  });

  it('marks the cookie Secure where the service is reached over TLS', async () => {
    const secure = await startAccess({ publicUrl: 'https://opname.example.nl' });
    try {
      const response = await request(secure.server).post('/api/v1/session').send(secure.administrator).expect(200);
      expect(cookieOf(response)).toContain('; Secure');
    } finally {
      await secure.close();
    }
  });
});

describe('a session', () => {
  it('is nobody’s without a cookie, with an empty one, or with one of no session', async () => {
    const response = await request(service.server).get('/api/v1/session').expect(401);
    expect(response.body).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(response.headers['www-authenticate']).toBe('Bearer realm="opname"');
    await sessionOf('').expect(401);
    await sessionOf('x'.repeat(43)).expect(401);
  });

  it('ends four hours after it was last used, and twelve after it was opened', async () => {
    try {
      const token = tokenOf(await post(service.administrator).expect(200));
      service.clock.advance(4 * hourMs - 60_000);
      await sessionOf(token).expect(200);
      await expectSeen(token);
      service.clock.advance(4 * hourMs - 60_000);
      await sessionOf(token).expect(200);
      await expectSeen(token);
      service.clock.advance(3 * hourMs);
      await sessionOf(token).expect(200);
      service.clock.advance(hourMs + 3 * 60_000);
      await sessionOf(token).expect(401);

      const idle = tokenOf(await post(service.administrator).expect(200));
      service.clock.advance(4 * hourMs);
      await sessionOf(idle).expect(401);
    } finally {
      service.clock.reset();
      // The administrator's own session ended as well.
      administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
    }
  });

  it('is over after signing out, also for a copy of its cookie', async () => {
    const token = tokenOf(await post(service.administrator).expect(200));
    const response = await request(service.server)
      .delete('/api/v1/session')
      .set('Cookie', `opname_session=${token}`)
      .expect(204);
    expect(cookieOf(response)).toMatch(/opname_session=;.*Expires=Thu, 01 Jan 1970/);
    await sessionOf(token).expect(401);
  });

  it('knows another role and another language from the next request on', async () => {
    const { id, email } = await makePerson(administrator, 'trainer', 'Rolf');
    const rolf = await signedIn(service.server, email, usualPassword);
    await rolf.patch('/api/v1/session').send({ locale: 'en' }).expect(200);
    expect((await rolf.get('/api/v1/session')).body).toMatchObject({ user: { locale: 'en' } });
    await administrator.patch(`/api/v1/users/${id}`).send({ role: 'auditor' }).expect(200);
    // Another role is another session.
    await rolf.get('/api/v1/session').expect(401);
    const again = await signedIn(service.server, email, usualPassword);
    expect((await again.get('/api/v1/session')).body).toMatchObject({ user: { role: 'auditor' } });
  });

  it('ends at once when its person is disabled', async () => {
    const { id, email } = await makePerson(administrator, 'trainer', 'Ilse');
    const ilse = await signedIn(service.server, email, usualPassword);
    await administrator.patch(`/api/v1/users/${id}`).send({ disabled: true }).expect(200);
    await ilse.get('/api/v1/session').expect(401);
    await administrator.patch(`/api/v1/users/${id}`).send({ disabled: false }).expect(200);
    await ilse.get('/api/v1/session').expect(401);
    await signedIn(service.server, email, usualPassword);
  });

  it('is not for machines', async () => {
    const { key } = await makeKey(administrator, 'pbx');
    await request(service.server).get('/api/v1/session').set('Authorization', `Bearer ${key}`).expect(403);
  });

  /** Waits for the note that is written beside the answer. */
  async function expectSeen(token: string): Promise<void> {
    await expect
      .poll(async () => {
        const [row] = await service.database.query<{ at: Date }>(
          'SELECT last_seen_at AS at FROM sessions WHERE token_digest = $1',
          [digestOfToken(token)],
        );
        return service.clock.now().getTime() - (row?.at.getTime() ?? 0);
      })
      .toBeLessThan(60_000);
  }
});

describe('one’s own password', () => {
  it('is changed with the present one; every other session ends', async () => {
    const { id, email } = await makePerson(administrator, 'privacy_officer', 'Pim');
    const here = await signedIn(service.server, email, usualPassword);
    const elsewhere = await signedIn(service.server, email, usualPassword);
    const newPassword = 'another four words here';
    await here.put('/api/v1/session/password').send({ currentPassword: 'wrong', newPassword }).expect(422);
    await here
      .put('/api/v1/session/password')
      .send({ currentPassword: usualPassword, newPassword: 'short' })
      .expect(422);
    await here
      .put('/api/v1/session/password')
      .send({ currentPassword: usualPassword, newPassword: usualPassword })
      .expect(422);
    await elsewhere.get('/api/v1/session').expect(200);
    await here.put('/api/v1/session/password').send({ currentPassword: usualPassword, newPassword }).expect(204);
    await here.get('/api/v1/session').expect(200);
    await elsewhere.get('/api/v1/session').expect(401);
    await post({ email, password: usualPassword }).expect(401);
    await post({ email, password: newPassword }).expect(200);
    expect(await auditOf(id)).toContain('user.password_changed');
  });

  it('is not to be guessed inside a session either, and that locks nobody out', async () => {
    const { email } = await makePerson(administrator, 'trainer', 'Gijs');
    const gijs = await signedIn(service.server, email, usualPassword);
    const change = () =>
      gijs.put('/api/v1/session/password').send({ currentPassword: 'wrong', newPassword: 'another four words here' });
    const statuses: number[] = [];
    for (let n = 0; n < 10; n += 1) statuses.push((await change()).status);
    expect(statuses).toEqual([...Array<number>(8).fill(422), 429, 429]);
    await gijs.get('/api/v1/session').expect(200);
    await post({ email, password: usualPassword }).expect(200);
  });
});

describe('a change asked for by another site', () => {
  const host = 'calls.example.nl:8080';
  const refused: Record<string, string>[] = [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://calls.example.nl' },
    { Origin: 'http://calls.example.nl:8081' },
    { Origin: 'http://calls.example.nl.evil.example:8080' },
    { Origin: 'not an address' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: `http://${host}`, 'Sec-Fetch-Site': 'cross-site' },
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
  ];
  const taken: Record<string, string>[] = [
    {},
    { Origin: `http://${host}` },
    { Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin' },
    { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'none' },
    { Origin: 'http://opname.example.nl:8443', 'Sec-Fetch-Site': 'same-origin' },
  ];

  it.each(refused)('is refused: %o', async (headers) => {
    const change = administrator.patch('/api/v1/session').set('Host', host).set(headers);
    expect((await change.send({ locale: 'nl' }).expect(403)).body).toMatchObject({ code: 'cross-site-request' });
    // Nor may it sign someone in as somebody else.
    await post(service.administrator).set('Host', host).set(headers).expect(403);
  });

  it.each(taken)('is not: %o', async (headers) => {
    await administrator.patch('/api/v1/session').set('Host', host).set(headers).send({ locale: 'nl' }).expect(200);
  });

  it('compares default ports, and hosts without regard to case', async () => {
    const headers = { Host: 'Calls.Example.NL:80', Origin: 'http://calls.example.nl' };
    await administrator.patch('/api/v1/session').set(headers).send({ locale: 'nl' }).expect(200);
  });

  it('leaves reading alone', async () => {
    await administrator.get('/api/v1/session').set('Origin', 'https://evil.example').expect(200);
  });

  it('goes by the forwarded host only where a proxy is trusted', async () => {
    const headers = { Host: 'internal:1', 'X-Forwarded-Host': 'calls.example.nl', Origin: 'https://calls.example.nl' };
    await administrator.patch('/api/v1/session').set(headers).send({ locale: 'nl' }).expect(403);
    const behind = await startAccess({ trustProxy: true });
    try {
      await request(behind.server).post('/api/v1/session').set(headers).send(behind.administrator).expect(200);
    } finally {
      await behind.close();
    }
  });
});

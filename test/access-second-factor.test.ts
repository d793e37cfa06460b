import request from 'supertest';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { seal, unseal } from '../src/access/second-factor.js';
import { makePerson, signedIn, startAccess, usualPassword, type AccessService, type Agent } from './support/access.js';

let service: AccessService;
let administrator: Agent;
let count = 0;

beforeAll(async () => {
  service = await startAccess();
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
});
afterAll(() => service.close());
beforeEach(() => service.database.query('DELETE FROM guesses'));

const path = '/api/v1/session/second-factor';
const post = (body: object) => request(service.server).post('/api/v1/session').send(body);

/** What an authenticator app shows now, or some periods away. */
function codeOf(secret: string, periodsAway = 0): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({
    timestamp: service.clock.now().getTime() + periodsAway * 30_000,
  });
}

/** A person who signs in with codes. The code used to confirm is used up, so the next period has begun. */
async function enrolled(): Promise<{ id: string; email: string; agent: Agent; secret: string }> {
  const { id, email } = await makePerson(administrator, 'privacy_officer', `Officer ${(count += 1)}`);
  const agent = await signedIn(service.server, email, usualPassword);
  const { body } = await agent.post(path).expect(201);
  const { secret, uri } = body as { secret: string; uri: string };
  expect(uri).toMatch(/^otpauth:\/\/totp\/Opname:.*secret=/);
  await agent
    .put(path)
    .send({ code: codeOf(secret) })
    .expect(204);
  service.clock.advance(60_000);
  return { id, email, agent, secret };
}

it('counts for nothing until a code has confirmed it', async () => {
  const { email } = await makePerson(administrator, 'trainer', 'Half way');
  const agent = await signedIn(service.server, email, usualPassword);
  await agent.put(path).send({ code: '123456' }).expect(409);
  const first = (await agent.post(path).expect(201)).body as { secret: string };
  const second = (await agent.post(path).expect(201)).body as { secret: string };
  expect(second.secret).not.toBe(first.secret);
  await agent
    .put(path)
    .send({ code: codeOf(first.secret, 40) })
    .expect(422);
  await post({ email, password: usualPassword }).expect(200);
});

it('asks for a code only after the right password', async () => {
  const { email, secret } = await enrolled();
  const wrong = await post({ email, password: 'wrong', code: codeOf(secret) }).expect(401);
  expect(wrong.body).not.toHaveProperty('codeRequired');
  const asked = await post({ email, password: usualPassword }).expect(401);
  expect(asked.body).toMatchObject({ code: 'wrong-credentials', codeRequired: true });
  const guessed = await post({ email, password: usualPassword, code: '000000' }).expect(401);
  expect(guessed.body).toMatchObject({ code: 'wrong-credentials', codeRequired: true });
  await post({ email, password: usualPassword, code: codeOf(secret) }).expect(200);
});

it('takes a code of one period before or after, and none further away', async () => {
  const { email, secret } = await enrolled();
  for (const away of [-3, 3]) await post({ email, password: usualPassword, code: codeOf(secret, away) }).expect(401);
  await post({ email, password: usualPassword, code: ` ${codeOf(secret, 1).replace(/^.../, '$& ')} ` }).expect(200);
});

it('takes a code once, also when it comes twice at the same time, and none from before it', async () => {
  const { email, secret } = await enrolled();
  const code = codeOf(secret);
  const statuses = await Promise.all(
    Array.from({ length: 4 }, async () => (await post({ email, password: usualPassword, code })).status),
  );
  expect(statuses.sort()).toEqual([200, 401, 401, 401]);
  await post({ email, password: usualPassword, code: codeOf(secret, -1) }).expect(401);
});

it('does not take the code that confirmed it for signing in', async () => {
  const { email } = await makePerson(administrator, 'trainer', 'Replayed');
  const agent = await signedIn(service.server, email, usualPassword);
  const { secret } = (await agent.post(path).expect(201)).body as { secret: string };
  const code = codeOf(secret);
  await agent.put(path).send({ code }).expect(204);
  await post({ email, password: usualPassword, code }).expect(401);
});

it('cannot be replaced or removed by who only finds an open session', async () => {
  const { agent, email } = await enrolled();
  await agent.post(path).expect(409);
  await agent.delete(path).expect(415);
  await agent.delete(path).send({ password: 'wrong' }).expect(422);
  await agent.delete(path).send({ password: usualPassword }).expect(204);
  await post({ email, password: usualPassword }).expect(200);
});

it('is slow to be guessed, for longer than a password', async () => {
  const { email, secret } = await enrolled();
  let refused = 0;
  for (let n = 0; n < 24 && refused === 0; n += 1) {
    await service.database.query('DELETE FROM guesses WHERE expires_at < $1', [
      new Date(service.clock.now().getTime() + 60 * 60_000),
    ]);
    const { status } = await post({ email, password: usualPassword, code: '000000' });
    if (status === 429) refused = n;
  }
  expect(refused).toBe(20);
  service.clock.advance(60 * 60_000);
  await post({ email, password: usualPassword, code: codeOf(secret) }).expect(429);
  service.clock.reset();
});

it('is removed by an administrator for someone who lost their telephone, which ends their sessions', async () => {
  const { id, email, agent } = await enrolled();
  await administrator.delete(`/api/v1/users/${id}/second-factor`).expect(204);
  await agent.get('/api/v1/session').expect(401);
  await post({ email, password: usualPassword }).expect(200);
  const actions = await service.database.query<{ action: string }>(
    'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY id',
    [id],
  );
  expect(actions.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['user.second_factor_added', 'user.second_factor_removed']),
  );
  const self = (await administrator.get('/api/v1/session')).body as { user: { id: string } };
  await administrator.delete(`/api/v1/users/${self.user.id}/second-factor`).expect(403);
});

it('is kept sealed: bound to its key and its owner, and not a byte can change', () => {
  const key = Buffer.alloc(32, 1);
  const plain = Buffer.from('twenty bytes of it..');
  const sealed = seal(key, 'owner', plain);
  expect(unseal(key, 'owner', sealed)).toEqual(plain);
  expect(sealed.includes(plain)).toBe(false);
  expect(() => unseal(key, 'another', sealed)).toThrow();
  expect(() => unseal(Buffer.alloc(32, 2), 'owner', sealed)).toThrow();
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => unseal(key, 'owner', changed)).toThrow();
  }
});

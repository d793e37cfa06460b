import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGuesses, networkOf } from '../src/access/guesses.js';
import { derivedKey, keyedDigest } from '../src/access/token.js';
import {
  makePerson,
  secret,
  signedIn,
  startAccess,
  usualPassword,
  type AccessService,
  type Agent,
} from './support/access.js';

const allowedTries = 8;
const windowMs = 15 * 60_000;
let service: AccessService;
let administrator: Agent;

beforeAll(async () => {
  service = await startAccess({ trustProxy: true });
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
});
afterAll(() => service.close());
beforeEach(async () => {
  service.clock.reset();
  await service.database.query('DELETE FROM guesses');
});

const tryAs = (email: string, password: string, address = '192.0.2.1') =>
  request(service.server).post('/api/v1/session').set('X-Forwarded-For', address).send({ email, password });

async function triesInTurn(email: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n += 1) statuses.push((await tryAs(email, `wrong ${n}`)).status);
  return statuses;
}

const refusedFrom = (count: number) => [
  ...Array<number>(allowedTries).fill(401),
  ...Array<number>(count - allowedTries).fill(429),
];

describe('guessing a password', () => {
  it('is stopped after eight wrong ones, and tells how long to wait', async () => {
    const { email } = await makePerson(administrator, 'trainer', 'Wout');
    expect(await triesInTurn(email, 12)).toEqual(refusedFrom(12));
    const response = await tryAs(email, 'wrong').expect(429);
    expect(response.body).toMatchObject({ code: 'too-many-attempts' });
    const seconds = Number(response.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(windowMs / 1000);
    expect(response.body).toMatchObject({ retryAfterSeconds: seconds });
  });

  it('looks the same where there is no such account', async () => {
    expect(await triesInTurn('no.such.person@example.nl', 12)).toEqual(refusedFrom(12));
  });

  it('is one count for one account, however its address is written', async () => {
    await triesInTurn('someone@example.nl', allowedTries);
    await tryAs('  SomeOne@Example.NL', 'wrong').expect(429);
  });

  it('is stopped just as soon when all guesses come at once', async () => {
    const { email } = await makePerson(administrator, 'trainer', 'Bas');
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => (await tryAs(email, `wrong ${n}`)).status),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(allowedTries);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30 - allowedTries);
  });

  it('is counted rightly by several processes at once', async () => {
    const ledgers = [1, 2, 3].map(() => createGuesses(service, derivedKey(secret, 'guesses')));
    const records = ledgers.flatMap((ledger) =>
      Array.from({ length: 10 }, () => ledger.record({ of: 'account', value: 'contended' })),
    );
    const outcomes = await Promise.allSettled(records);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(allowedTries);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'too-many-attempts' });
  });

  it('is not what someone does who signs in from many windows at once', async () => {
    const { email } = await makePerson(administrator, 'trainer', 'Many windows');
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await tryAs(email, usualPassword)).status),
    );
    expect(statuses).toEqual(Array<number>(20).fill(200));
  });

  it('closes the account to the right password too, until the wait is over; whoever is in stays in', async () => {
    const { email } = await makePerson(administrator, 'trainer', 'Lot');
    const lot = await signedIn(service.server, email, usualPassword);
    await triesInTurn(email, allowedTries);
    const response = await tryAs(email, usualPassword).expect(429);
    await lot.get('/api/v1/session').expect(200);
    service.clock.advance(Number(response.headers['retry-after']) * 1000);
    await tryAs(email, usualPassword).expect(200);
  });

  it('is forgotten once the owner has signed in', async () => {
    const { email } = await makePerson(administrator, 'trainer', 'Mies');
    await triesInTurn(email, allowedTries - 1);
    await tryAs(email, usualPassword).expect(200);
    expect(await triesInTurn(email, allowedTries)).toEqual(refusedFrom(allowedTries));
  });

  it('cannot be sped up by being refused meanwhile, nor is the wait made longer by it', async () => {
    const email = 'patient@example.nl';
    await triesInTurn(email, allowedTries);
    service.clock.advance(windowMs / 2);
    await triesInTurn(email, 5);
    service.clock.advance(windowMs / 2 + 1000);
    expect(await triesInTurn(email, allowedTries + 1)).toEqual(refusedFrom(allowedTries + 1));
  });

  it('leaves no address of anybody behind', async () => {
    await tryAs('traceable@example.nl', 'wrong', '203.0.113.77').expect(401);
    const rows = await service.database.query<{ row: string }>('SELECT g::text AS row FROM guesses g');
    expect(rows).toHaveLength(2);
    for (const { row } of rows) expect(row).not.toMatch(/traceable|203\.0/);
  });

  it('does not stay on record once its window is over', async () => {
    await triesInTurn('passing@example.nl', 4);
    service.clock.advance(windowMs + 1000);
    await tryAs('another@example.nl', 'wrong').expect(401);
    expect(await service.database.query('SELECT FROM guesses')).toHaveLength(2);
  });
});

describe('one network address', () => {
  /** As if `count` wrong passwords for as many accounts had come from it just now. */
  async function wrongFrom(address: string, count: number): Promise<void> {
    const subject = keyedDigest(derivedKey(secret, 'guesses'), `address:${address}`);
    const now = service.clock.now();
    await service.database.query(
      'INSERT INTO guesses SELECT gen_random_uuid(), $1, $2, $3 FROM generate_series(1, $4::int)',
      [subject, now, new Date(now.getTime() + windowMs), count],
    );
  }

  it('serves a whole office: nobody’s right password is refused because others mistype', async () => {
    await wrongFrom('198.51.100.7', 150);
    const { email } = await makePerson(administrator, 'trainer', 'Op kantoor');
    await tryAs(email, usualPassword, '198.51.100.7').expect(200);
  });

  it('does not try one password on every account', async () => {
    await wrongFrom('198.51.100.8', 200);
    await tryAs('fresh@example.nl', 'wrong', '198.51.100.8').expect(429);
    await tryAs('fresh@example.nl', 'wrong', '198.51.100.9').expect(401);
  });

  it('is not cleared by signing in to an account of one’s own', async () => {
    await wrongFrom('198.51.100.10', 199);
    await tryAs(service.administrator.email, service.administrator.password, '198.51.100.10').expect(200);
    await tryAs('one@example.nl', 'wrong', '198.51.100.10').expect(401);
    await tryAs('two@example.nl', 'wrong', '198.51.100.10').expect(429);
  });

  it('is an IPv4 address, or the /64 that a line is given', () => {
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf('::1')).toBe('0:0:0:0');
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0');
    const group = fc.integer({ min: 1, max: 0xffff }).map((value) => value.toString(16));
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.array(group, { minLength: 4, maxLength: 4 }),
        (groups, other) => {
          const network = groups.slice(0, 4);
          expect(networkOf(groups.join(':').toUpperCase())).toBe(network.join(':'));
          expect(networkOf([...network, ...other].join(':'))).toBe(network.join(':'));
          expect(networkOf(`${network.join(':')}::${other[0] ?? ''}`)).toBe(network.join(':'));
        },
      ),
    );
  });
});

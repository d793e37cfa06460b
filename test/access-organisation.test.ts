import { afterAll, beforeAll, expect, it } from 'vitest';
import { allOwnNumbers, organisationOf } from '../src/access/organisation.js';
import { makePerson, signedIn, startAccess, usualPassword, type AccessService, type Agent } from './support/access.js';

let service: AccessService;
let administrator: Agent;
const path = '/api/v1/organisation';

beforeAll(async () => {
  service = await startAccess();
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
});
afterAll(() => service.close());

it('is empty until it is filled in, and then a version with each change', async () => {
  expect((await administrator.get(path).expect(200)).body).toMatchObject({
    controller: '',
    ownNumbers: [],
    version: 0,
    changedAt: null,
  });
  const filled = {
    controller: 'Voorbeeld B.V.',
    address: 'Kade 1, 1011 AB Amsterdam',
    privacyEmail: 'privacy@example.nl',
    ownNumbers: ['020-123 45 67', '+31 20 123 4567', '0031201234568'],
    holidays: ['2027-12-25', '2027-04-27', '2027-04-27'],
  };
  const kept = {
    ...filled,
    ownNumbers: ['+31201234567', '+31201234568'],
    holidays: ['2027-04-27', '2027-12-25'],
    version: 1,
  };
  expect((await administrator.put(path).send(filled).expect(200)).body).toMatchObject(kept);
  expect((await administrator.get(path).expect(200)).body).toMatchObject(kept);
  // The same again changes nothing; a field left out stays.
  expect((await administrator.put(path).send(filled).expect(200)).body).toMatchObject({ version: 1 });
  expect((await administrator.put(path).send({ controller: 'Nieuw B.V.' }).expect(200)).body).toMatchObject({
    ...kept,
    controller: 'Nieuw B.V.',
    version: 2,
  });
  expect(await organisationOf(service.database, 1)).toMatchObject({ controller: 'Voorbeeld B.V.' });
  expect((await service.database.query<{ number: string }>(allOwnNumbers)).map(({ number }) => number).sort()).toEqual([...kept.ownNumbers].sort());
  const entries = await service.database.query<{ details: unknown }>(
    `SELECT details FROM audit_entries WHERE action = 'organisation.changed' ORDER BY id`,
  );
  expect(entries.map(({ details }) => details)).toEqual([
    { fields: ['controller', 'address', 'privacyEmail', 'ownNumbers', 'holidays'], version: 1 },
    { fields: ['controller'], version: 2 },
  ]);
});

it('does not lose a change made meanwhile', async () => {
  const { version } = (await administrator.get(path)).body as { version: number };
  const change = async (controller: string) => (await administrator.put(path).send({ controller, version })).status;
  expect((await Promise.all([change('A'), change('B'), change('C')])).sort()).toEqual([200, 409, 409]);
});

it.each([
  { ownNumbers: ['12'] },
  { ownNumbers: ['call us'] },
  { ownNumbers: '+31201234567' },
  { holidays: ['27-04-2027'] },
  { holidays: ['2027-02-30'] },
  { privacyEmail: 'privacy' },
  { controller: 7 },
])('refuses %o', async (wrong) => {
  await administrator.put(path).send(wrong).expect(422);
});

it('is read by who answers for privacy, changed by administrators alone', async () => {
  for (const role of ['privacy_officer', 'auditor'] as const) {
    const { email } = await makePerson(administrator, role);
    const agent = await signedIn(service.server, email, usualPassword);
    await agent.get(path).expect(200);
    await agent.put(path).send({ controller: 'Mine' }).expect(403);
  }
});

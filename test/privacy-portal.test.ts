import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestService, type TestService } from './support/service.js';

const address = '/api/v1/privacy-portal';
const form = (rest: object = {}) => ({
  name: 'Anna Jansen', email: 'anna@example.test', rights: ['access'], locale: 'nl', details: 'Wat hebben jullie van mij?', ...rest,
});

test('the form is not there unless it was turned on', async () => {
  const service = await startTestService();
  try {
    await service.nobody().get(address).expect(404);
    await service.nobody().post(address).send(form()).expect(404);
    expect((await service.as('privacy_officer').get('/api/v1/privacy-requests').expect(200)).body.items).toEqual([]);
  } finally {
    await service.close();
  }
});

describe('the public form', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ env: { PRIVACY_PORTAL: 'true' } });
    await service.as('administrator').put('/api/v1/organisation').send({
      controller: 'Voorbeeld BV', address: 'Plein 1', privacyEmail: 'privacy@example.test', ownNumbers: ['+31850000001'],
    }).expect(200);
  });
  afterAll(() => service.close());
  const anHourOn = () => service.clock.advance(3_600_001);
  const listed = async () => (await service.as('privacy_officer').get('/api/v1/privacy-requests?state=open').expect(200)).body.items;

  test('tells who answers, and takes a request whose clock runs from that moment', async () => {
    expect((await service.nobody().get(address).expect(200)).body).toMatchObject({ controller: 'Voorbeeld BV', privacyEmail: 'privacy@example.test' });
    const { body } = await service.nobody().post(address).send(form({ rights: ['access', 'erasure'], phone: '06 85001234' })).expect(202);
    expect(body).toEqual({ receipt: expect.stringMatching(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/), receivedAt: expect.any(String), dueAt: expect.any(String) });
    const [item] = await listed();
    expect(item).toMatchObject({ state: 'identity', channel: 'portal', subjectName: 'Anna Jansen', dueAt: body.dueAt, receivedAt: body.receivedAt });
    const file = (await service.as('privacy_officer').get(`/api/v1/privacy-requests/${item.id}`).expect(200)).body;
    expect(file).toMatchObject({ createdBy: null, subject: { emails: ['anna@example.test'], phones: ['+31685001234'] } });
    expect(file.timeline[0]).toMatchObject({ kind: 'received', by: null, details: { receipt: body.receipt } });
    const trail = (await service.as('auditor').get(`/api/v1/audit?object=${item.id}`).expect(200)).body;
    expect(JSON.stringify(trail)).toContain('privacy_request.received');
    expect(JSON.stringify(trail)).not.toContain('Jansen');
  });

  test('answers alike whether anything is held or not, and a program learns nothing', async () => {
    anHourOn();
    const before = (await listed()).length;
    await service.push({ caller: '+31685009999' });
    const known = await service.nobody().post(address).send(form({ phone: '0685009999' })).expect(202);
    const unknown = await service.nobody().post(address).send(form({ email: 'nobody@example.test', phone: '0685000000' })).expect(202);
    const program = await service.nobody().post(address).send(form({ website: 'https://spam.example' })).expect(202);
    const shape = ({ body }: { body: object }) => Object.keys(body);
    expect([shape(unknown), shape(program)]).toEqual([shape(known), shape(known)]);
    expect(await listed()).toHaveLength(before + 2);
  });

  test('an objection stops training at once, but naming the organisation’s own number stops nothing', async () => {
    anHourOn();
    const theirs = await service.push({ caller: '+31685007777' });
    const others = await service.push({ caller: '+31685006666' });
    await service.nobody().post(address).send(form({ rights: ['objection'], phone: '0685007777' })).expect(202);
    await service.nobody().post(address).send(form({ rights: ['objection'], phone: '+31 85 000 0001' })).expect(202);
    await service.as('trainer').get(`/api/v1/recordings/${theirs}/audio`).expect(404);
    const shown = (await service.as('privacy_officer').get(`/api/v1/recordings/${others}`).expect(200)).body;
    expect(shown.restricted).toBe(false);
  });

  test('refuses what cannot be answered, what is too large and what is no form', async () => {
    const send = (body: object) => service.nobody().post(address).send(body);
    await send(form({ email: '' })).expect(422);
    await send(form({ rights: [] })).expect(422);
    await send(form({ name: 'a\nBcc: x@example.test' })).expect(422);
    await send(form({ phone: 'anonymous' })).expect(422);
    await send(form({ requesterKind: 'authority' })).expect(422);
    await send(form({ requesterKind: 'parent' })).expect(422);
    await send(form({ details: 'x'.repeat(5001) })).expect(422);
    await send(form({ details: 'x'.repeat(40_000) })).expect(413);
    await send(form({ requesterKind: 'parent', representative: { name: 'Ouder', email: 'ouder@example.test' }, email: null })).expect(202);
  });

  test('five an hour from one network, and again an hour later', async () => {
    anHourOn();
    for (let sent = 0; sent < 5; sent += 1) await service.nobody().post(address).send(form()).expect(202);
    const refused = await service.nobody().post(address).send(form()).expect(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    anHourOn();
    await service.nobody().post(address).send(form()).expect(202);
  });
});

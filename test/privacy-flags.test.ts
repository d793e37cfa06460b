import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { speechLike } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
const base = '/api/v1/privacy-requests';

beforeAll(async () => {
  service = await startTestService();
});

afterAll(async () => {
  await service.close();
});

interface Draft {
  id: string;
  reference: string;
  origin: { atMs: number | null };
  processes: { right: string }[];
  subject: { phones: string[] };
  timeline: { kind: string; note: string | null }[];
}

async function call(fields: Record<string, string> = {}): Promise<string> {
  const id = await service.push(fields, speechLike({ seconds: 20 }));
  await service.processed(id);
  return id;
}

const flag = (role: 'trainer' | 'agent', id: string, body: object) =>
  service.as(role).post(`/api/v1/recordings/${id}/flags`).send(body);

async function draftOf(reference: string): Promise<Draft> {
  const officer = service.as('privacy_officer');
  const { items } = (await officer.get(`${base}?state=draft`).expect(200)).body as { items: Draft[] };
  const found = items.find((item) => item.reference === reference);
  return (await officer.get(`${base}/${found?.id ?? ''}`).expect(200)).body as Draft;
}

describe('a request heard in a call', () => {
  test('reaches the officer with one act: its right, its place and who called', async () => {
    const id = await call({ caller: '+31612345601', holds: JSON.stringify([{ startMs: 2000, endMs: 5000 }]) });
    const { reference, closedToTraining } = (await flag('trainer', id, { rights: ['access'], atMs: 8200 }).expect(201)).body as {
      reference: string;
      closedToTraining: boolean;
    };
    expect(closedToTraining).toBe(false);
    const draft = await draftOf(reference);
    expect(draft.origin).toEqual({ kind: 'recording', id, atMs: 8200 });
    expect(draft.processes.map(({ right }) => right)).toEqual(['access']);
    expect(draft.subject.phones).toEqual(['+31612345601']);
    const { items } = (await service.as('trainer').get(`/api/v1/recordings/${id}/flags`).expect(200)).body as { items: object[] };
    expect(items).toMatchObject([{ reference, rights: ['access'], atMs: 8200 }]);
    await flag('trainer', id, { atMs: 17_500 }).expect(422);
  });

  test('stays one request when it is flagged again, on the earlier clock', async () => {
    const id = await call();
    const first = (await flag('trainer', id, { rights: ['access'], atMs: 1000 }).expect(201)).body as { reference: string };
    const before = await draftOf(first.reference);
    service.clock.advance(60_000);
    const told = { rights: ['access', 'erasure'], atMs: 9000, note: 'en alles weg' };
    const second = (await flag('trainer', id, told).expect(201)).body as { reference: string };
    expect(second.reference).toBe(first.reference);
    const after = await draftOf(first.reference);
    expect(after.processes.map(({ right }) => right)).toEqual(['access', 'erasure']);
    expect(after).toMatchObject({ origin: { atMs: 1000 }, dueAt: (before as unknown as { dueAt: string }).dueAt });
    expect(after.timeline.filter(({ kind }) => kind === 'flagged').map(({ note }) => note)).toEqual([null, 'en alles weg']);
  });

  test('is flagged by an agent in a call that was shared with them, and in no other', async () => {
    const agent = service.signInOf('agent').id;
    await service.as('administrator').patch(`/api/v1/users/${agent}`).send({ extensions: ['101'] }).expect(200);
    const id = await call({ agent: '101' });
    await flag('agent', id, {}).expect(404);
    await service.as('trainer').put(`/api/v1/recordings/${id}/shares/${agent}`).send({}).expect(200);
    await flag('agent', id, { rights: ['rectification'] }).expect(201);
    await service.as('auditor').post(`/api/v1/recordings/${id}/flags`).send({}).expect(403);
  });

  test('that is an objection closes this call and the others of this number to training', async () => {
    const [id, other, stranger] = [await call({ caller: '+31612345602' }), await call({ caller: '+31612345602' }), await call()];
    const { body } = await flag('trainer', id, { rights: ['objection'], atMs: 500 }).expect(201);
    expect(body).toMatchObject({ closedToTraining: true });
    for (const closed of [id, other]) await service.as('trainer').get(`/api/v1/recordings/${closed}`).expect(404);
    await service.as('trainer').get(`/api/v1/recordings/${stranger}`).expect(200);
    const withheld = await call({ caller: 'anonymous' });
    await flag('trainer', withheld, { rights: ['objection'] }).expect(201);
    await service.as('trainer').get(`/api/v1/recordings/${withheld}`).expect(404);
  });
});

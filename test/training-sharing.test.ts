import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';
import { agentsCall, giveExtension, idsOf, restrict, share } from './support/training.js';

let service: TestService;
let agentId: string;
beforeAll(async () => {
  service = await startTestService();
  agentId = await giveExtension(service);
});
afterAll(() => service.close());

const audioOf = (id: string) => `/api/v1/recordings/${id}/audio`;

describe('an agent', () => {
  it('sees and hears nothing that was not shared', async () => {
    const id = await agentsCall(service);
    expect(await idsOf(service, 'agent', '/recordings')).not.toContain(id);
    for (const path of ['', '/audio', '/waveform']) await service.as('agent').get(`/api/v1/recordings/${id}${path}`).expect(404);
  });

  it('sees and hears what was shared, numbers masked, for training, until it is taken back', async () => {
    const id = await agentsCall(service, { caller: '+31201234567', callerName: 'Mevrouw De Wit' });
    await share(service, id, { note: 'Listen how you close' });
    expect(await idsOf(service, 'agent', '/recordings')).toContain(id);
    const detail = await service.as('agent').get(`/api/v1/recordings/${id}`).expect(200);
    expect(detail.body).toMatchObject({ caller: { number: '•••567', name: null } });
    await service.as('agent').get(audioOf(id)).set('Range', 'bytes=0-99').expect(206);
    await service.as('agent').get(`/api/v1/recordings/${id}/waveform`).expect(200);
    const shared = await service.as('agent').get('/api/v1/shared-calls').expect(200);
    const [call] = (shared.body as { items: { recording: { id: string; caller: string; expiresInDays: number } }[] }).items;
    expect(call).toMatchObject({ clip: null, note: 'Listen how you close', recording: { id, caller: '•••567', expiresInDays: 89 } });

    await service.as('trainer').delete(`/api/v1/recordings/${id}/shares/${agentId}`).expect(204);
    await service.as('trainer').delete(`/api/v1/recordings/${id}/shares/${agentId}`).expect(404);
    await service.as('agent').get(audioOf(id)).expect(404);
    expect(await idsOf(service, 'agent', '/recordings')).not.toContain(id);
    const trail = await service.as('auditor').get(`/api/v1/audit?object=recording:${id}&action=recording.*`).expect(200);
    const acts = (trail.body as { items: { action: string }[] }).items.map((entry) => entry.action);
    expect(acts).toEqual(expect.arrayContaining(['recording.shared', 'recording.share_revoked', 'recording.listened']));
  });

  it('is shown where to listen, on the timeline of the playback copy', async () => {
    const id = await agentsCall(service, { holds: JSON.stringify([{ startMs: 1000, endMs: 3000 }]) }, tone({ seconds: 6, channels: 2 }));
    await share(service, id, { startMs: 1500, endMs: 2500 });
    const { body } = await service.as('trainer').get(`/api/v1/recordings/${id}/shares`).expect(200);
    expect(body).toMatchObject({ items: [{ agent: { id: agentId }, clip: { startMs: 1500, endMs: 2500 } }], agents: [{ id: agentId }] });
    const put = (told: object) => service.as('trainer').put(`/api/v1/recordings/${id}/shares/${agentId}`).send(told);
    await put({ startMs: 1500 }).expect(422);
    await put({ startMs: 1500, endMs: 1500 }).expect(422);
    await put({ startMs: 1500, endMs: 60_000 }).expect(422);
  });

  it('is given only calls of their own, and none that is closed to training or over', async () => {
    const anothers = await service.push({ agent: '999' });
    const put = (id: string) => service.as('trainer').put(`/api/v1/recordings/${id}/shares/${agentId}`).send({});
    await put(anothers).expect(404);
    const id = await agentsCall(service);
    await put(id).expect(200);
    await restrict(service, id);
    await put(id).expect(404);
    await service.as('agent').get(audioOf(id)).expect(404);
    expect(await idsOf(service, 'agent', '/recordings')).not.toContain(id);
    expect(JSON.stringify((await service.as('agent').get('/api/v1/shared-calls')).body)).not.toContain(id);
    await service.as('privacy_officer').get(audioOf(id)).expect(200);
  });

  it('hears it up to the end of its period, and not from then on', async () => {
    const id = await agentsCall(service);
    await share(service, id);
    const { retainUntil } = (await service.as('agent').get(`/api/v1/recordings/${id}`)).body as { retainUntil: string };
    try {
      service.clock.set(new Date(Date.parse(retainUntil) - 60_000));
      await service.signInAgain();
      await service.as('agent').get(audioOf(id)).expect(200);
      service.clock.set(new Date(retainUntil));
      await service.as('agent').get(audioOf(id)).expect(410);
      expect(await idsOf(service, 'agent', '/recordings')).not.toContain(id);
      const shared = await service.as('agent').get('/api/v1/shared-calls').expect(200);
      expect(JSON.stringify(shared.body)).not.toContain(id);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });
});

describe('a listen', () => {
  const heard = (id: string, intervals: object[], role: 'trainer' | 'privacy_officer' = 'trainer', more: object = {}) =>
    service.as(role).post(`/api/v1/recordings/${id}/heard`).send({ intervals, ...more });

  it('is completed with what the player reports, merged, whatever is reported twice', async () => {
    const id = await agentsCall(service, {}, tone({ seconds: 4, channels: 2 }));
    await heard(id, [{ startMs: 0, endMs: 1000 }]).expect(409);
    await service.as('trainer').get(audioOf(id)).expect(200);
    await heard(id, [{ startMs: 0, endMs: 1000 }]).expect(200);
    await heard(id, [{ startMs: 500, endMs: 1500 }, { startMs: 3000, endMs: 90_000 }]).expect(200);
    const again = await heard(id, [{ startMs: 0, endMs: 1000 }]).expect(200);
    expect(again.body).toMatchObject({ heardMs: 2500 });
    await heard(id, [{ startMs: 5, endMs: 5 }]).expect(422);
    await service.as('agent').post(`/api/v1/recordings/${id}/heard`).send({ intervals: [{ startMs: 0, endMs: 9 }] }).expect(404);

    const listens = await service.as('auditor').get(`/api/v1/recordings/${id}/listens`).expect(200);
    const [listen] = (listens.body as { items: object[] }).items;
    expect(listen).toMatchObject({
      purpose: 'training', by: { id: service.signInOf('trainer').id, name: 'Test trainer' }, heardMs: 2500,
      heard: [{ startMs: 0, endMs: 1500 }, { startMs: 3000, endMs: 4000 }],
    });
  });

  it('counts no hold music as heard, since it is not in the playback copy', async () => {
    const id = await agentsCall(service, { holds: JSON.stringify([{ startMs: 1000, endMs: 3000 }]) }, tone({ seconds: 6, channels: 2 }));
    await service.as('privacy_officer').get(`${audioOf(id)}?purpose=access_request`).expect(200);
    await heard(id, [{ startMs: 500, endMs: 2000 }], 'privacy_officer').expect(409);
    const told = await heard(id, [{ startMs: 500, endMs: 2000 }], 'privacy_officer', { purpose: 'access_request' }).expect(200);
    expect(told.body).toMatchObject({ heardMs: 1500 });
  });
});

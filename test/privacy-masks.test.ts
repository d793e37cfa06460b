import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestService, type TestService } from './support/service.js';
import { tone } from './support/audio.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(async () => {
  await service.close();
});

test('tells a mask as it was told, though hold music before it is cut from what people hear', async () => {
  const number = '+31612345777';
  const holds = JSON.stringify([{ startMs: 500, endMs: 1500 }]);
  const id = await service.push({ caller: number, holds }, tone({ seconds: 4, channels: 2 }));
  await service.processed(id);
  const officer = service.as('privacy_officer');
  const taken = await officer
    .post('/api/v1/privacy-requests')
    .send({ receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], subject: { phones: [number] }, locale: 'nl' })
    .expect(201);
  const path = `/api/v1/privacy-requests/${(taken.body as { id: string }).id}`;
  await officer.post(`${path}/identity`).send({ method: 'call_back', outcome: 'verified' }).expect(200);
  const found = (await officer.post(`${path}/search`).send({}).expect(200)).body as { recordings: { itemId: string }[] };
  const itemId = found.recordings[0]?.itemId;
  const mask = [
    { startMs: 250, endMs: 400 },
    { startMs: 1200, endMs: 1400, channel: 'agent' },
  ];
  // Twice, as an officer does who opens a decision and saves it anew: nothing shifts.
  for (const told of [mask, mask]) {
    const answer = await officer
      .post(`${path}/items`)
      .send({ decisions: [{ itemId, decision: 'grant', mask: told }] })
      .expect(200);
    const { items } = answer.body as { items: { decisions: { mask: unknown }[] }[] };
    expect(items[0]?.decisions[0]?.mask).toEqual(mask);
  }
});

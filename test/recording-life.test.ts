import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const dayMs = 86_400_000;

test('a recording lives: pushed, heard by a trainer, kept to the last second, gone everywhere on day 90', async () => {
  const { clock } = service;
  const startedAt = new Date(clock.now().getTime() - 60_000);
  const endedAt = new Date(startedAt.getTime() + 30_000);
  const id = await service.push({
    callId: 'life-1',
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    caller: '085 000 0101',
    callerName: 'Zoë van der Bérg',
    agent: '101',
  });
  await service.processed(id);

  const found = await service.as('trainer').get('/api/v1/recordings?number=101').expect(200);
  expect(found.body.items.map((item: { id: string }) => item.id)).toEqual([id]);
  expect(found.body.items[0].caller).toEqual({ number: '•••101', name: null });

  const played = await service.as('trainer').get(`/api/v1/recordings/${id}/audio`).set('Range', 'bytes=0-99').expect(206);
  expect(played.headers['content-range']).toMatch(/^bytes 0-99\/\d+$/);

  const detail = await service.as('privacy_officer').get(`/api/v1/recordings/${id}`).expect(200);
  expect(detail.body).toMatchObject({
    state: 'ready',
    caller: { number: '+31850000101', name: 'Zoë van der Bérg' },
    retainUntil: new Date(endedAt.getTime() + 90 * dayMs).toISOString(),
  });

  clock.freeze(new Date(endedAt.getTime() + 90 * dayMs - 1000));
  // Nobody stays signed in for 90 days.
  await service.signInAgain();
  const trainer = service.as('trainer');
  await trainer.get(`/api/v1/recordings/${id}/audio`).expect(200);
  clock.freeze(new Date(endedAt.getTime() + 90 * dayMs));
  for (const what of ['', '/audio', '/waveform']) {
    const gone = await trainer.get(`/api/v1/recordings/${id}${what}`).expect(410);
    expect(gone.body.code).toBe('retention-ended');
  }
  const list = await trainer.get('/api/v1/recordings').expect(200);
  expect(list.body.items).toEqual([]);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
  const { id } = service.signInOf('agent');
  await service.as('administrator').patch(`/api/v1/users/${id}`).send({ name: 'Sanne 100%_zeker', extensions: ['201', '202'] }).expect(200);
  for (const agent of ['201', '202', '203', 'SIP/sanne']) await service.push({ agent });
});

afterAll(() => service.close());

async function found(agent: string): Promise<[string, string | null][]> {
  const answer = await service.as('trainer').get('/api/v1/recordings').query({ agent }).expect(200);
  const { items } = answer.body as { items: { agent: string; agentName: string | null }[] };
  return items.map((item): [string, string | null] => [item.agent, item.agentName]).sort();
}

test('calls are found by an extension or by a part of the name of who answers on it, and tell that name', async () => {
  const name = 'Sanne 100%_zeker';
  expect(await found('201')).toEqual([['201', name]]);
  expect(await found('sanne')).toEqual([['201', name], ['202', name]]);
  expect(await found('203')).toEqual([['203', null]]);
  expect(await found('SIP/sanne')).toEqual([['SIP/sanne', null]]);
  expect(await found('0%_z')).toHaveLength(2);
  expect(await found('0%z')).toEqual([]);
  expect(await found('%')).toHaveLength(2);
});

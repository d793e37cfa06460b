import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contradiction } from '../src/audit/anchor.js';
import { bucketPlace, tellAnchor, webhookPlace } from '../src/audit/anchor-places.js';
import { openTestObjects } from './support/objects.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

it('every place is told of each head once, and again when it could not be told; what it holds anchors the chain', async () => {
  const taken: string[] = [];
  let status = 500;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (status === 200) taken.push(body);
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { objects, close } = await openTestObjects();
  const { platform } = service.service;
  const places = [webhookPlace(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), bucketPlace(objects)];
  const told = new Map<string, number>();
  await service.as('auditor').get('/api/v1/audit/verification').expect(200);
  expect(await tellAnchor(platform, places, told)).toBe(1);
  status = 200;
  expect(await tellAnchor(platform, places, told)).toBe(0);
  expect(await tellAnchor(platform, places, told)).toBe(0);
  expect(taken).toHaveLength(1);
  const anchor = JSON.parse(taken[0] ?? '{}') as { count: number; head: string };
  expect(await contradiction(platform.database, anchor)).toBeUndefined();
  expect(await contradiction(platform.database, { ...anchor, count: anchor.count + 1 })).toBeDefined();
  const stored = await objects.read(`audit-anchors/${String(anchor.count).padStart(12, '0')}.json`);
  expect(stored).toBeDefined();
  stored?.body.destroy();
  close();
  await new Promise((resolve) => server.close(resolve));
});

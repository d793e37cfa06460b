import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contradictedAmong, contradiction, type Anchor } from '../src/audit/anchor.js';
import { bucketPlace, tellAnchor, webhookPlace } from '../src/audit/anchor-places.js';
import { latestBatch } from '../src/audit/batch.js';
import { append, systemActor } from '../src/audit/log.js';
import { createSealer } from '../src/audit/seal.js';
import { verifyChain } from '../src/audit/verify.js';
import { openSigningKey } from '../src/platform/signing.js';
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
  const { count, head } = JSON.parse(taken[0] ?? '{}') as Anchor;
  const anchor = { count, head };
  expect(await contradiction(platform.database, anchor)).toBeUndefined();
  const wrong = [{ ...anchor, count: anchor.count + 1 }, { ...anchor, head: 'ab'.repeat(32) }];
  for (const each of wrong) expect(await contradiction(platform.database, each)).toBeDefined();
  expect(await contradictedAmong(platform.database, [anchor, ...wrong])).toEqual(expect.arrayContaining(wrong));
  const noted = `audit-anchors/${String(anchor.count).padStart(12, '0')}-${anchor.head}.json`;
  const stored = await objects.read(noted);
  expect(stored).toBeDefined();
  stored?.body.destroy();

  // Somebody takes away the newest batch, and the note beside the database: what is left verifies like any other.
  const { database } = platform;
  for (const table of ['audit_batches', 'audit_entries']) await database.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  await database.query('DELETE FROM audit_batches WHERE count = $1', [anchor.count]);
  await database.query('DELETE FROM audit_entries WHERE id > coalesce((SELECT max(last_id) FROM audit_batches), 0)');
  expect(await contradiction(database, anchor)).toContain('shorter');
  expect(await tellAnchor(platform, places, new Map())).toBe(1);
  const kept: string[] = [];
  for await (const { key } of objects.list('audit-anchors/')) kept.push(key);
  expect(kept).toContain(noted);

  // Grown anew beyond where it was, by the very key, it verifies like any other; the bucket goes on telling.
  const signingKey = await openSigningKey({ pem: service.config.signingKey });
  for (let act = 0; act < anchor.count; act += 1)
    await database.inTransaction((tx) => append(database, platform.clock, tx, { actor: systemActor('test'), action: 'test.act' }));
  await createSealer({ ...platform, signingKey }).seal();
  expect((await verifyChain(database)).verification).toMatchObject({ ok: true, faults: [] });
  expect((await latestBatch(database))?.count).toBeGreaterThan(anchor.count);
  for (let hour = 0; hour < 2; hour += 1) expect(await tellAnchor(platform, places, told)).toBe(1);
  close();
  await new Promise((resolve) => server.close(resolve));
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enqueueStamps, ingestStampsJob, ingestStampsOf, stampReceipts } from '../src/evidence/ingest-stamps.js';
import { checkPackage } from '../src/packages/verifier/check.js';
import { createLog } from '../src/platform/log.js';
import { createTimeStamper, TimeStampUnavailable, type TimeStamper } from '../src/platform/time-stamp.js';
import { startService } from '../src/service.js';
import { tone } from './support/audio.js';
import { download, filesBelow, has, seal, unpack } from './support/evidence.js';
import { signingKeyPem, startTestService, type TestService } from './support/service.js';
import { startAuthority, type TestAuthority } from './support/time-stamp-authority.js';

describe('a key that takes over from another', () => {
  it('signs packages whose receipts the old key signed; both stay published and known', async () => {
    const service = await startTestService();
    const id = await service.push();
    const verification = await service.as('auditor').get('/api/v1/audit/verification').expect(200);
    const oldKeyId = (verification.body as { keyId: string }).keyId;
    await service.service.close();
    const again = await startService({
      config: { ...service.config, signingKey: signingKeyPem() },
      clock: service.clock, log: createLog('silent'), version: 'test', uiFolder: `${service.dataDir}/no-ui`, announce: () => undefined,
    });
    const renewed: TestService = { ...service, url: again.url ?? '', service: again, as: () => officer };
    const { default: request } = await import('supertest');
    const officer = request.agent(again.url ?? '');
    try {
      const { email, password } = service.signInOf('privacy_officer');
      await officer.post('/api/v1/session').send({ email, password }).expect(200);
      const sealedPackage = await seal(renewed, [id]);
      expect(sealedPackage.keyId).not.toBe(oldKeyId);
      const unpacked = await unpack(await download(renewed, sealedPackage.id));
      const files = await filesBelow(unpacked.folder);
      const report = await checkPackage(files, { trustedKeyIds: [sealedPackage.keyId] });
      expect([report.faults, report.verdict]).toEqual([[], 'unchanged']);
      const inclusion = Buffer.from((await files.get('data/proofs/inclusion.json')?.read()) ?? []).toString();
      expect(inclusion).toContain(oldKeyId);
      const page = Buffer.from((await files.get('verify.html')?.read()) ?? []).toString();
      expect([page.includes(oldKeyId), page.includes(sealedPackage.keyId)]).toEqual([true, true]);
      const published = await officer.get('/.well-known/opname-signing-keys').expect(200);
      const { keys } = published.body as { keys: { keyId: string; fingerprint: string }[] };
      expect(keys.map((key) => key.keyId)).toEqual([oldKeyId, sealedPackage.keyId]);
      await unpacked.remove();
    } finally {
      await again.close();
      await service.close();
    }
  });
});

describe.skipIf(!has('openssl'))('time stamps of receipts', () => {
  let service: TestService;
  let authority: TestAuthority;
  const away: TimeStamper = { stamp: () => Promise.reject(new TimeStampUnavailable('nobody answers')) };
  const never = new AbortController().signal;
  beforeAll(async () => {
    authority = await startAuthority('ec');
    service = await startTestService();
  });
  afterAll(async () => {
    await service.close();
    await authority.close();
  });

  async function versionOf(id: string): Promise<string> {
    const rows = await service.service.platform.database.query<{ id: string }>(
      'SELECT id FROM recording_versions WHERE recording_id = $1', [id],
    );
    return rows[0]?.id ?? '';
  }

  it('are queued while every authority is away, and given when one is back', async () => {
    const { platform } = service.service;
    const versions = [await versionOf(await service.push()), await versionOf(await service.push({}, tone({ seconds: 1, seed: 4 })))];
    expect(await stampReceipts(platform, away, never)).toBe(0);
    expect((await ingestStampsOf(platform, versions)).size).toBe(0);
    const stamper = createTimeStamper([authority.url]);
    // Not before their wait is over: an authority that is away is not asked all the time.
    expect(await stampReceipts(platform, stamper, never)).toBe(0);
    service.clock.advance(60_000);
    expect(await stampReceipts(platform, stamper, never)).toBe(2);
    const stamps = await ingestStampsOf(platform, versions);
    expect([...stamps.keys()].sort()).toEqual([...versions].sort());
    const asked = authority.requests;
    service.clock.advance(60_000);
    expect(await stampReceipts(platform, stamper, never)).toBe(0);
    expect(authority.requests).toBe(asked);
    service.clock.reset();
  });

  it('are asked for once, however many look for work at the same time', async () => {
    const { platform } = service.service;
    const version = await versionOf(await service.push({}, tone({ seconds: 1, seed: 5 })));
    await enqueueStamps(platform);
    const asked = authority.requests;
    const stamper = createTimeStamper([authority.url]);
    await Promise.all(Array.from({ length: 4 }, () => stampReceipts(platform, stamper, never)));
    expect((await ingestStampsOf(platform, [version])).size).toBe(1);
    expect(authority.requests).toBe(asked + 1);
  });

  it('go with their recording', async () => {
    const { platform } = service.service;
    const id = await service.push({}, tone({ seconds: 1, seed: 6 }));
    await enqueueStamps(platform);
    await platform.database.query('DELETE FROM recordings WHERE id = $1', [id]);
    expect(await platform.database.query('SELECT 1 FROM time_stamps t LEFT JOIN recording_versions v ON v.id = t.version_id WHERE v.id IS NULL')).toEqual([]);
  });
});

describe.skipIf(!has('openssl'))('a service that is started anew', () => {
  it('takes up the queue where it was left, and asks the next authority when the first is away', async () => {
    const [first, second] = await Promise.all([startAuthority('ec'), startAuthority('ec')]);
    first.mode = 'fails';
    second.mode = 'fails';
    const service = await startTestService({ env: { TSA_URLS: `${first.url},${second.url}` } });
    const id = await service.push({}, tone({ seconds: 1, seed: 7 }));
    const { platform } = service.service;
    type Queued = { id: string; attempts: number; fault: string | null };
    const queued = async (): Promise<Queued | undefined> => (await platform.database.query<Queued>(
      `SELECT v.id, t.attempts, t.last_fault AS fault FROM time_stamps t JOIN recording_versions v ON v.id = t.version_id
       WHERE v.recording_id = $1`, [id],
    ))[0];
    platform.jobs.nudge(ingestStampsJob);
    await expect.poll(async () => (await queued())?.fault, { timeout: 60_000 }).toContain('503');
    const versionId = (await queued())?.id ?? '';
    expect([first.requests, second.requests].every((requests) => requests > 0)).toBe(true);
    await service.service.close();

    second.mode = 'answers';
    // Their wait is over by then.
    service.clock.advance(3_600_000);
    const again = await startService({
      config: service.config, clock: service.clock, log: createLog('silent'), version: 'test',
      uiFolder: `${service.dataDir}/no-ui`, announce: () => undefined,
    });
    try {
      again.platform.jobs.nudge(ingestStampsJob);
      await expect.poll(async () => (await ingestStampsOf(again.platform, [versionId])).size, { timeout: 60_000 }).toBe(1);
      const stamp = (await ingestStampsOf(again.platform, [versionId])).get(versionId);
      expect(stamp?.authority).toBe(new URL(second.url).host);
    } finally {
      await again.close();
      await service.close();
      await first.close();
      await second.close();
    }
  });
});

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disclosuresOf, forgetDisclosures } from '../src/packages/package.js';
import { packagesFolder, prepareSealing } from '../src/packages/seal.js';
import { startTestService, type TestService } from './support/service.js';
import { download, seal, sealed, type SealedPackage } from './support/evidence.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const dayMs = 86_400_000;
const order = { reason: 'dispute', recipient: 'mr. A. Advocaat' };

async function sweepAway(recordingId: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (tries % 20 === 0) await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
    const rows = await service.service.platform.database.query('SELECT 1 FROM recordings WHERE id = $1', [recordingId]);
    const purges = await service.service.platform.database.query('SELECT 1 FROM purges');
    if (rows.length + purges.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the sweep did not come to it');
}

describe('ordering a package', () => {
  it('needs a reason, a recipient and recordings that are there', async () => {
    const officer = service.as('privacy_officer');
    const id = await service.push();
    for (const [fields, errors] of [
      [{ recordingIds: [id], recipient: 'x' }, ['reason']],
      [{ recordingIds: [id], reason: 'x', recipient: ' ' }, ['recipient']],
      [{ ...order, recordingIds: [] }, ['recordingIds']],
      [{ ...order, recordingIds: [id], scope: 'all' }, ['scope']],
      [{ ...order, recordingIds: [id], masks: [{ recordingId: id, startMs: 5, endMs: 5 }] }, ['masks.0.endMs']],
    ] as const) {
      const answer = await officer.post('/api/v1/evidence').send(fields).expect(422);
      expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toEqual(errors);
    }
    await officer.post('/api/v1/evidence').send({ ...order, recordingIds: [id, randomUUID()] }).expect(404);
    await service.as('trainer').post('/api/v1/evidence').send({ ...order, recordingIds: [id] }).expect(403);
  });

  it('numbers them without holes, also when orders come at once, and names them in each recording’s trail', async () => {
    const id = await service.push();
    const officer = service.as('privacy_officer');
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => officer.post('/api/v1/evidence').send({ ...order, recordingIds: [id, id] }).expect(202)),
    );
    const made = answers.map((answer) => answer.body as SealedPackage & { recordingIds: string[] });
    expect(made[0]?.recordingIds).toEqual([id]);
    const numbers = made.map(({ reference }) => Number(reference.split('-')[2])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 4 }, (_, index) => (numbers[0] ?? 0) + index));
    for (const { id: packageId } of made) await sealed(service, packageId);
    const listed = await officer.get(`/api/v1/evidence?recordingId=${id}&limit=3`).expect(200);
    const page = listed.body as { items: { recipient: string; requestedBy: { name: string } }[]; nextCursor: string | null };
    expect(page.items).toHaveLength(3);
    expect(page.nextCursor).not.toBeNull();
    expect(page.items[0]).toMatchObject({ ...order, requestedBy: { name: 'Test privacy_officer' } });
    const trail = await officer.get(`/api/v1/audit?object=recording:${id}&action=recording.export_ordered`).expect(200);
    expect((trail.body as { items: object[] }).items).toHaveLength(4);
    expect(JSON.stringify(trail.body)).not.toContain('Advocaat');
  });

  it('is refused for what a request restricts, unless a ground is given', async () => {
    const id = await service.push();
    const { database, clock } = service.service.platform;
    await database.query(
      `INSERT INTO restrictions (id, category, item_id, purpose, ground, placed_by, placed_at)
       SELECT $1, 'recording', $2, 'all', 'restriction', id, $3 FROM users WHERE role = 'privacy_officer' LIMIT 1`,
      [randomUUID(), id, clock.now()],
    );
    const officer = service.as('privacy_officer');
    await officer.post('/api/v1/evidence').send({ ...order, recordingIds: [id] }).expect(409);
    await seal(service, [id], { restrictionGround: 'legal_claim' });
  });
});

describe('a sealed package', () => {
  it('is handed out on record, and not while it is being made', async () => {
    const id = await service.push();
    const { id: packageId, reference } = await seal(service, [id]);
    const zip = await download(service, packageId);
    expect(zip.subarray(0, 2).toString()).toBe('PK');
    const trail = await service.as('auditor').get(`/api/v1/audit?object=package:${packageId}`).expect(200);
    expect((trail.body as { items: { action: string }[] }).items.map((entry) => entry.action)).toEqual([
      'evidence.downloaded', 'evidence.sealed', 'evidence.ordered',
    ]);
    expect(JSON.stringify(trail.body)).toContain(reference);
    const { database } = service.service.platform;
    await database.query(`UPDATE packages SET state = 'sealing', next_attempt_at = 'infinity' WHERE id = $1`, [packageId]);
    const early = await service.as('privacy_officer').get(`/api/v1/evidence/${packageId}/package`).expect(409);
    expect(early.headers['retry-after']).toBeDefined();
    // A process that comes back takes up at once what it had begun before it died, and clears what it left.
    const folder = packagesFolder(service.dataDir);
    await mkdir(path.join(folder, 'left'), { recursive: true });
    await writeFile(path.join(folder, 'left', 'package.zip'), 'half');
    await prepareSealing(service.service.platform, folder, { alone: true });
    expect(await readdir(folder)).toEqual([]);
    service.service.platform.jobs.nudge('packages.seal');
    await sealed(service, packageId);
    expect((await download(service, packageId)).subarray(0, 2).toString()).toBe('PK');
  });

  it('is kept for thirty days, but never past the recording in it', async () => {
    const now = service.clock.now().getTime();
    const young = await seal(service, [await service.push()]);
    expect((new Date(young.retainUntil).getTime() - now) / dayMs).toBeCloseTo(30, 1);
    const startedAt = new Date(now - 80 * dayMs).toISOString();
    const oldId = await service.push({ startedAt });
    await service.processed(oldId);
    const old = await seal(service, [oldId]);
    const { body } = await service.as('privacy_officer').get(`/api/v1/recordings/${oldId}`).expect(200);
    expect(old.retainUntil).toBe((body as { retainUntil: string }).retainUntil);
  });

  it('does not leave once a request restricts what is in it, unless it was ordered on a ground', async () => {
    const id = await service.push();
    const plain = await seal(service, [id]);
    const grounded = await seal(service, [id], { restrictionGround: 'consent' });
    const { database, clock } = service.service.platform;
    const officer = service.as('privacy_officer');
    await officer.get(`/api/v1/evidence/${plain.id}/package`).expect(200);
    const restrictionId = randomUUID();
    await database.query(
      `INSERT INTO restrictions (id, category, item_id, purpose, ground, placed_by, placed_at)
       SELECT $1, 'recording', $2, 'all', 'restriction', id, $3 FROM users WHERE role = 'privacy_officer' LIMIT 1`,
      [restrictionId, id, clock.now()],
    );
    await officer.get(`/api/v1/evidence/${plain.id}/package`).expect(409);
    expect((await officer.get(`/api/v1/evidence/${plain.id}`).expect(200)).body).toMatchObject({ keptBack: true });
    expect((await officer.get(`/api/v1/evidence/${grounded.id}`).expect(200)).body).toMatchObject({ keptBack: false });
    await officer.get(`/api/v1/evidence/${grounded.id}/package`).expect(200);
    await database.query(
      'UPDATE restrictions SET lifted_at = $2, lifted_by = placed_by WHERE id = $1', [restrictionId, clock.now()],
    );
    await officer.get(`/api/v1/evidence/${plain.id}/package`).expect(200);
  });

  it('is out of reach from the moment that a recording in it is, swept or not', async () => {
    const id = await service.push();
    const { id: packageId } = await seal(service, [id]);
    const { database, clock } = service.service.platform;
    const officer = service.as('privacy_officer');
    const listed = async () =>
      ((await officer.get(`/api/v1/evidence?recordingId=${id}`).expect(200)).body as { items: object[] }).items.length;
    expect(await listed()).toBe(1);
    await database.query('UPDATE recordings SET retain_until = $2 WHERE id = $1', [id, clock.now()]);
    await officer.get(`/api/v1/evidence/${packageId}`).expect(410);
    await officer.get(`/api/v1/evidence/${packageId}/package`).expect(410);
    expect(await listed()).toBe(0);
  });

  it('is handed out up to the last second of its thirty days, and not at their end, swept or not', async () => {
    const recordingId = await service.push();
    const { id, retainUntil } = await seal(service, [recordingId]);
    const until = Date.parse(retainUntil);
    const { database, objects } = service.service.platform;
    const isThere = async (status: number) => {
      const officer = service.as('privacy_officer');
      await officer.get(`/api/v1/evidence/${id}`).expect(status);
      await officer.get(`/api/v1/evidence/${id}/package`).expect(status);
    };
    try {
      service.clock.freeze(new Date(until - 1000));
      await service.signInAgain();
      await isThere(200);
      service.clock.freeze(new Date(until));
      await isThere(410);
      await service.as('privacy_officer').get(`/api/v1/recordings/${recordingId}`).expect(200);
      await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
      await expect.poll(() => database.query('SELECT 1 FROM packages WHERE id = $1', [id]), { timeout: 50_000 }).toEqual([]);
      const left: string[] = [];
      for await (const version of objects.list(`exports/${id}/`)) left.push(version.key);
      expect(left).toEqual([]);
      await isThere(410);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });

  it('is gone with the recording, bytes and all, while those who got it stay known', async () => {
    const startedAt = new Date(service.clock.now().getTime() - 85 * dayMs).toISOString();
    const id = await service.push({ startedAt });
    await service.processed(id);
    const { id: packageId, reference } = await seal(service, [id]);
    const { database, objects } = service.service.platform;
    const listed = async () => {
      const keys: string[] = [];
      for await (const version of objects.list(`exports/${packageId}/`)) keys.push(version.key);
      return keys;
    };
    expect(await listed()).toEqual([`exports/${packageId}/1/${reference}.zip`]);
    service.clock.advance(6 * dayMs);
    await service.signInAgain();
    const officer = service.as('privacy_officer');
    await officer.get(`/api/v1/evidence/${packageId}`).expect(410);
    await officer.get(`/api/v1/evidence/${packageId}/package`).expect(410);
    await officer.post('/api/v1/evidence').send({ ...order, recordingIds: [id] }).expect(410);
    await sweepAway(id);
    expect(await listed()).toEqual([]);
    await officer.get(`/api/v1/evidence/${packageId}`).expect(410);
    expect(await database.query('SELECT 1 FROM packages WHERE id = $1', [packageId])).toEqual([]);
    expect(await disclosuresOf(database, [id])).toMatchObject([{ reference, recipient: 'Rechtbank Utrecht' }]);
    service.clock.advance(2 * 366 * dayMs);
    expect(await forgetDisclosures(service.service.platform, 'Europe/Amsterdam')).toBeGreaterThan(0);
    expect(await disclosuresOf(database, [id])).toEqual([]);
  });
});

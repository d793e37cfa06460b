import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../src/platform/identifier.js';
import { requestSweep, runPurges } from '../src/retention/sweep.js';
import { usualPassword, signedIn } from './support/access.js';
import { retentionService, type RetentionService } from './support/retention-service.js';

const day = 86_400_000;
let folder: string;
let service: RetentionService;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'report-'));
  service = await retentionService(folder);
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

/** Carries out what the report itself says under HOW TO CHECK, with nothing but a shell, sed and openssl. */
async function checkAsTold(report: string): Promise<string> {
  const told = await mkdtemp(path.join(folder, 'check-'));
  await writeFile(path.join(told, 'report.txt'), report);
  const commands = report.split('\n').filter((line) => /^ {2}(sed|openssl) /.test(line));
  expect(commands).toHaveLength(5);
  // The same as the documentation gives.
  const documented = await readFile(path.join(import.meta.dirname, '../docs/retention.md'), 'utf8');
  for (const command of commands) expect(documented).toContain(`\n${command.trim()}`);
  await writeFile(path.join(told, 'check.sh'), commands.slice(0, 4).join('\n'));
  try {
    return execFileSync('sh', ['check.sh'], { cwd: told, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return `${(error as { stdout: string }).stdout}`;
  }
}

test('the deletion report names what went and what is held, and openssl alone verifies it', async () => {
  const gone = [await service.record(), await service.record()];
  const kept = await service.record();
  await service.as.officer
    .post('/api/v1/holds')
    .send({ recordingId: kept, ground: 'authority_order', reason: 'Mr. De Vries asked', reviewAt: new Date(service.clock.now().getTime() + 100 * day).toISOString() })
    .expect(201);
  service.clock.advance(90 * day);
  const asked = await requestSweep(service, service.administrator);
  await runPurges(service.context(), service.categories);
  const auditor = await signedIn(service.server, 'auditor@example.nl', usualPassword);
  // Whatever the hour is, and in whichever zone the day is counted: today lies between yesterday and tomorrow.
  const dayFromNow = (days: number) => new Date(service.clock.now().getTime() + days * day).toISOString().slice(0, 10);
  const answer = await auditor.get(`/api/v1/retention/report?from=${dayFromNow(-1)}&to=${dayFromNow(1)}`).expect(200);
  expect(answer.type).toBe('text/plain');
  for (const id of gone) expect(answer.text).toMatch(new RegExp(`^recording ${id} .* reason=retention .* sha256=[0-9a-f]{64}$`, 'm'));
  expect(answer.text).toMatch(new RegExp(`^recording ${kept} hold=.* ground=authority_order .* confirmed=no`, 'm'));
  expect(answer.text).not.toContain('De Vries');
  expect(answer.text).toContain('deleted in all: 2');
  expect(await checkAsTold(answer.text)).toContain('Verified OK');
  expect(await checkAsTold(answer.text.replace('deleted in all: 2', 'deleted in all: 1'))).not.toContain('Verified OK');
  const published = await readFile(path.join(folder, 'signing-key.pem'), 'utf8');
  expect(published).toContain('PRIVATE KEY');
  expect(answer.text).toContain(service.signingKey.keyId);

  const empty = await auditor.get('/api/v1/retention/report?from=2026-01-01&to=2026-01-31').expect(200);
  expect(empty.text).not.toContain(gone[0]);
  expect(empty.text).toContain('deleted in all: 0');
  await auditor.get('/api/v1/retention/report?from=2026-02-01&to=2026-01-01').expect(422);

  const stones = await auditor.get(`/api/v1/tombstones?recordingId=${gone[0]}`).expect(200);
  expect(stones.body.items).toEqual([
    expect.objectContaining({ recordingId: gone[0], ticketId: null, reason: 'retention', purgedBy: 'system:sweep', objects: 3 }),
  ]);
  const sweep = await auditor.get(`/api/v1/retention/sweeps/${asked.id}`).expect(200);
  expect(sweep.body).toMatchObject({ state: 'done', purged: 2, failed: 0 });
});

test('the overview shows policies, what falls due, and the last sweep; the register has nine rows', async () => {
  const auditor = await signedIn(service.server, 'auditor@example.nl', usualPassword);
  await service.record();
  const { body } = await auditor.get('/api/v1/retention').expect(200);
  expect(body.policies).toHaveLength(9);
  expect(body.policies[0]).toMatchObject({ category: 'recording', amount: 90, unit: 'days' });
  const due = new Date(service.clock.now().getTime() + 90 * day).toISOString().slice(0, 10);
  expect(body.due).toContainEqual({ date: due, category: 'recording', count: 1 });
  expect(body).toMatchObject({ overdue: 0, held: 1, deletedToday: 2, failing: [], lastSweep: { state: 'done' } });
  const register = await auditor.get('/api/v1/retention/register').expect(200);
  expect(register.body.rows).toHaveLength(9);
  expect(register.body.rows.filter((row: { policy: string | null }) => row.policy !== null)).toHaveLength(3);
  await auditor.post('/api/v1/retention/sweeps').expect(403);
});

test('a policy is shortened only as the preview said, and nothing becomes longer', async () => {
  const administrator = await signedIn(service.server, 'admin@example.nl', 'the first administrator');
  const retainUntilOf = async (id: string) =>
    (await service.database.query<{ at: Date }>('SELECT retain_until AS at FROM recordings WHERE id = $1', [id]))[0]?.at.getTime();
  const old = await service.record({ endedAt: new Date(service.clock.now().getTime() - 40 * day) });
  const young = await service.record();
  const before = { old: await retainUntilOf(old), young: await retainUntilOf(young) };
  const preview = await administrator.get('/api/v1/retention/policies/recording/preview?amount=30&unit=days').expect(200);
  expect(preview.body).toMatchObject({ from: { amount: 90 }, to: { amount: 30 }, dueAtOnce: 1, beyondStatement: false });
  const { runShortenings } = await import('../src/retention/policies.js');

  await administrator.put('/api/v1/retention/policies/recording').send({ amount: 120, unit: 'days', reason: 'longer' }).expect(200);
  await runShortenings(service.platform, service.categories);
  expect({ old: await retainUntilOf(old), young: await retainUntilOf(young) }).toEqual(before);

  const act = (existing: object) =>
    administrator.put('/api/v1/retention/policies/recording').send({ amount: 30, unit: 'days', reason: 'shorter', existing });
  const { token } = preview.body as { token: string };
  await act({ expected: 1 }).expect(422);
  await act({ expected: 0, token }).expect(409);
  await act({ expected: 1, token: token.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }).expect(409);
  // Another one in the place of the one that was shown: the same number, and not the same thing.
  const hide = (id: string, hidden: boolean) =>
    service.database.query(`UPDATE recordings SET purge_intent = $2::jsonb WHERE id = $1`, [id, hidden ? '{}' : null]);
  const other = await service.record({ endedAt: new Date(service.clock.now().getTime() - 41 * day) });
  await hide(old, true);
  const refused = await act({ expected: 1, token }).expect(409);
  expect(refused.body.preview).toMatchObject({ dueAtOnce: 1, to: { amount: 30, unit: 'days' } });
  expect(refused.body.preview.token).not.toBe(token);
  await hide(old, false);
  await hide(other, true);
  // What falls due by the minute anyway makes no preview stale; an hour does.
  await service.record({ endedAt: new Date(service.clock.now().getTime() - 30 * day + 60_000) });
  const fresh = (await administrator.get('/api/v1/retention/policies/recording/preview?amount=30&unit=days').expect(200)).body;
  expect(fresh).toMatchObject({ dueAtOnce: 1 });
  service.clock.advance(3_600_001);
  await act({ expected: 1, token: fresh.token }).expect(409);
  service.clock.advance(-3_300_000);
  await act({ expected: 1, token: fresh.token }).expect(200);
  await runShortenings(service.platform, service.categories, undefined, 1);
  expect(await retainUntilOf(old)).toBe((before.old ?? 0) - 60 * day);
  expect(await retainUntilOf(young)).toBe((before.young ?? 0) - 60 * day);
  const { body } = await administrator.get('/api/v1/retention').expect(200);
  expect(body.policies[0]).toMatchObject({ amount: 30, shortening: 'done', reason: 'shorter' });
  const entries = await service.database.query(`SELECT FROM audit_entries WHERE action LIKE 'retention_policy.%'`);
  expect(entries.length).toBe(3);
});

test('a shortened period waits for what was being written under the longer one when it was set', async () => {
  const { runShortenings } = await import('../src/retention/policies.js');
  const administrator = await signedIn(service.server, 'admin@example.nl', 'the first administrator');
  const id = await service.record();
  const [{ at: long } = { at: new Date(0) }] = await service.database.query<{ at: Date }>('SELECT retain_until AS at FROM recordings WHERE id = $1', [id]);
  const shortening = async () => ((await administrator.get('/api/v1/retention').expect(200)).body.policies[0] as { shortening: string }).shortening;
  // A push that has written its row, and has not committed it: nobody else sees it yet.
  const pushedId = newId(service.clock);
  let commit = (): void => undefined;
  let push: Promise<void> = Promise.resolve();
  await new Promise<void>((written, failed) => {
    push = service.database.inTransaction(async (tx) => {
      await service.database.query(
        `INSERT INTO recordings (id, source_id, call_id, direction, caller_number, started_at, ended_at, channel_map, version, created_at, retain_until)
         SELECT $2, source_id, 'under way', direction, caller_number, started_at, ended_at, channel_map, version, created_at, retain_until
         FROM recordings WHERE id = $1`,
        [id, pushedId], tx,
      );
      const over = new Promise<void>((resolve) => (commit = resolve));
      written();
      await over;
    });
    push.catch(failed);
  });
  const { dueAtOnce: expected, token } = (await administrator.get('/api/v1/retention/policies/recording/preview?amount=20&unit=days').expect(200)).body as { dueAtOnce: number; token: string };
  await administrator.put('/api/v1/retention/policies/recording').send({ amount: 20, unit: 'days', reason: 'shorter still', existing: { expected, token } }).expect(200);
  const walk = runShortenings(service.platform, service.categories);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await shortening()).toBe('under_way');
  commit();
  await push;
  await walk;
  expect(await shortening()).toBe('done');
  const dates = await service.database.query<{ at: Date }>('SELECT retain_until AS at FROM recordings WHERE id = ANY ($1::uuid[])', [[id, pushedId]]);
  expect(dates.map(({ at }) => at.getTime())).toEqual([long.getTime() - 70 * day, long.getTime() - 70 * day]);
});

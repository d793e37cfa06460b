import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcile, type Finding } from '../src/retention/reconcile.js';
import { requestSweep, runPurges } from '../src/retention/sweep.js';
import { retentionWorld, type RetentionWorld } from './support/retention.js';

const day = 86_400_000;
let world: RetentionWorld;
beforeAll(async () => {
  world = await retentionWorld();
});
afterAll(async () => {
  await world.close();
});

async function run(repair: boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  await reconcile(world, world.categories, {
    repair, timeZone: 'Europe/Amsterdam', pageSize: 2, onFinding: (finding) => findings.push(finding),
  });
  return findings;
}

const brief = (findings: Finding[]) =>
  findings.map(({ kind, itemId, repaired }) => `${repaired ? 'repaired ' : ''}${kind} ${itemId}`).sort();

test('finds what was planted, both ways, changes nothing unless told to, and repairs what can be repaired', async () => {
  const sound = [await world.record(), await world.record(), await world.record()];
  expect(await run(false)).toEqual([]);

  const lost = await world.record();
  const [original] = (await world.keysOf(lost)).filter((key) => key.endsWith('original.wav'));
  await world.objects.deleteEveryVersion([original ?? '']);
  const untagged = await world.record();
  const [bare] = await world.keysOf(untagged);
  await world.objects.tag(bare ?? '', {});
  const wronglyHeld = await world.record();
  const [tagged] = await world.keysOf(wronglyHeld);
  await world.objects.tag(tagged ?? '', { hold: '1' });
  const late = await world.record();
  await world.database.query(`UPDATE recordings SET retain_until = retain_until + interval '48 hours' WHERE id = $1`, [late]);
  const orphan = '01990000-0000-7000-8000-000000000001';
  await world.objects.putBytes(`recordings/${orphan}/v/original.wav`, Buffer.from('x'), 'audio/wav', { hold: '0' });
  await world.objects.putBytes('recordings/stray.txt', Buffer.from('x'), 'text/plain', { hold: '0' });

  // Objects without a row may belong to an upload under way until they are a day old.
  expect(brief(await run(false)).filter((line) => line.startsWith('object_without_row'))).toEqual([]);
  world.clock.advance(25 * 3_600_000);
  const planted = [
    `date_too_late ${late}`, `object_without_row ${orphan}`, 'object_without_row stray.txt', `row_without_object ${lost}`,
    `tag_differs ${wronglyHeld}`, `untagged ${untagged}`,
  ].sort();
  expect(brief(await run(false))).toEqual(planted);
  expect(brief(await run(false))).toEqual(planted);

  expect(brief(await run(true))).toEqual(
    planted.map((line) => (/^(date|row)_/.test(line) ? line : `repaired ${line}`)).sort(),
  );
  expect(brief(await run(false))).toEqual([`date_too_late ${late}`, `row_without_object ${lost}`]);
  const entries = await world.database.query(`SELECT FROM audit_entries WHERE action = 'reconcile.repaired'`);
  expect(entries).toHaveLength(4);
  for (const id of sound) expect(await world.keysOf(id)).toHaveLength(3);
});

test('a date that a period in calendar years gave is not too late', async () => {
  const [policy] = await world.database.query<{ id: string }>(
    `INSERT INTO retention_policies (id, category, amount, unit, in_force_from, replaced_at, reason, applies_to_existing)
     SELECT gen_random_uuid(), 'recording', 1, 'calendar_years', $1, $1, 'test', false RETURNING id`,
    [world.clock.now()],
  );
  const id = await world.record();
  await world.database.query(`UPDATE recordings SET retain_until = created_at + interval '364 days' WHERE id = $1`, [id]);
  expect(brief(await run(false))).not.toContain(`date_too_late ${id}`);
  await world.database.query(`UPDATE recordings SET retain_until = created_at + interval '367 days' WHERE id = $1`, [id]);
  expect(brief(await run(false))).toContain(`date_too_late ${id}`);
  await world.database.query('DELETE FROM recordings WHERE id = $1', [id]);
  for (const key of await world.keysOf(id)) await world.objects.deleteEveryVersion([key]);
  await world.database.query('DELETE FROM retention_policies WHERE id = $1', [policy?.id]);
});

test('deletes once more what a restored backup brought back', async () => {
  const id = await world.record();
  world.clock.advance(95 * day);
  await requestSweep(world, world.administrator);
  await runPurges(world.context(), world.categories);
  await world.record({ id });
  expect(brief(await run(false))).toContain(`row_despite_tombstone ${id}`);
  await run(true);
  await runPurges(world.context(), world.categories);
  expect(await world.database.query('SELECT FROM recordings WHERE id = $1', [id])).toEqual([]);
  expect(await world.database.query('SELECT FROM tombstones WHERE item_id = $1', [id])).toHaveLength(1);
});

test('a database restored from a backup learns from the journal what was deleted since, and deletes it again', async () => {
  const id = await world.record();
  world.clock.advance(95 * day);
  await requestSweep(world, world.administrator);
  await runPurges(world.context(), world.categories);
  const [before] = await world.database.query<{ stone: object }>('SELECT to_jsonb(t) AS stone FROM tombstones t WHERE item_id = $1', [id]);
  // The backup knows nothing of the deletion.
  await world.database.query('DELETE FROM tombstones WHERE item_id = $1', [id]);
  await world.record({ id, endedAt: world.clock.now() });
  expect(brief(await run(false))).toContain(`tombstone_forgotten ${id}`);
  const repaired = brief(await run(true));
  expect(repaired).toContain(`repaired tombstone_forgotten ${id}`);
  expect(repaired).toContain(`repaired row_despite_tombstone ${id}`);
  await runPurges(world.context(), world.categories);
  expect(await world.database.query('SELECT FROM recordings WHERE id = $1', [id])).toEqual([]);
  expect(await world.keysOf(id)).toEqual([]);
  const [after] = await world.database.query<{ stone: object }>('SELECT to_jsonb(t) AS stone FROM tombstones t WHERE item_id = $1', [id]);
  expect(after).toEqual(before);
  expect(brief(await run(false)).filter((line) => line.includes(id))).toEqual([]);
});

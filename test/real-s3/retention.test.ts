import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { openObjects } from '../../src/platform/objects.js';
import { applyLifecycle } from '../../src/retention/lifecycle.js';
import { placeHold } from '../../src/retention/place-hold.js';
import { previewPolicy, runShortenings, setPolicy } from '../../src/retention/policies.js';
import { runRetags } from '../../src/retention/retag.js';
import { requestSweep, runPurges } from '../../src/retention/sweep.js';
import { listTombstones } from '../../src/retention/tombstone.js';
import { objectOptions } from '../support/objects.js';
import { lifecycleCommand, realS3 } from '../support/real-s3.js';
import { retentionWorld } from '../support/retention.js';
import { clientOf } from '../support/s3-conformance.js';

const day = 86_400_000;
const timeZone = 'Europe/Amsterdam';

it('what the bucket expired while the sweep was kept away is buried as such, and what is held is left', { timeout: 300_000 }, async () => {
  const [program, ...first] = lifecycleCommand();
  const options = objectOptions(realS3());
  const objects = await openObjects(options);
  const world = await retentionWorld({ objects, bucket: options.bucket });
  try {
    // Thirty days, so that the bucket, where a day is a second, need not be waited for longer.
    const { token } = await previewPolicy(world, world.categories, 'recording', { amount: 30, unit: 'days' });
    await setPolicy(world, world.categories, world.administrator, 'recording', {
      amount: 30, unit: 'days', reason: 'test', existing: { expected: 0, token },
    });
    await runShortenings(world, world.categories);
    expect(await applyLifecycle(world, timeZone)).toMatchObject({ state: 'in_sync' });
    const due = [await world.record(), await world.record()];
    const held = await world.record();
    await placeHold(world, world.categories, world.officer, {
      kind: 'recording', itemId: held, ground: 'legal_claim', reason: 'a claim', reviewAt: new Date(world.clock.now().getTime() + 300 * day),
    }, timeZone);
    await runRetags(world, world.categories);
    await pause(33_000);
    world.clock.advance(91 * day);
    const younger = await world.record();
    await promisify(execFile)(program, [...first, options.bucket, '1']);
    for (const id of due) expect(await world.keysOf(id)).toEqual([]);
    for (const id of [held, younger]) expect(await world.keysOf(id)).toHaveLength(3);

    await requestSweep(world, world.administrator);
    expect(await runPurges(world.context(), world.categories)).toEqual({ purged: 2, failed: 0 });
    const { items } = await listTombstones(world.database, undefined, { limit: 10 });
    expect(items.map(({ itemId, reason, objects: deleted }) => ({ itemId, reason, deleted })).sort((a, b) => (a.itemId < b.itemId ? -1 : 1))).toEqual(
      [...due].sort().map((itemId) => ({ itemId, reason: 'lifecycle', deleted: 0 })),
    );
    expect(await world.keysOf(held)).toHaveLength(3);
    for (const key of await world.keysOf(held)) expect(await objects.tags(key)).toEqual({ hold: '1' });
  } finally {
    await world.close();
  }
});

it('a sweep leaves no version and no marker in a bucket that keeps versions', { timeout: 300_000 }, async () => {
  const options = objectOptions(realS3());
  const raw = clientOf(realS3());
  const Bucket = options.bucket;
  await raw.send(new CreateBucketCommand({ Bucket }));
  await raw.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const objects = await openObjects(options);
  const world = await retentionWorld({ objects, bucket: Bucket });
  try {
    const ids = [await world.record(), await world.record(), await world.record()];
    const [rewritten = '', , removed = ''] = await world.keysOf(ids[0] ?? '');
    await objects.putBytes(rewritten, Buffer.from('once more'), 'application/octet-stream', { hold: '0' });
    await raw.send(new DeleteObjectCommand({ Bucket, Key: removed }));
    const stays = await world.record({ endedAt: new Date(world.clock.now().getTime() + day) });
    const versions = async (Prefix: string) => {
      const { Versions = [], DeleteMarkers = [] } = await raw.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
      return [Versions.length, DeleteMarkers.length];
    };
    expect(await versions(`recordings/${ids[0]}/`)).toEqual([4, 1]);

    world.clock.advance(90 * day);
    await requestSweep(world, world.administrator);
    expect(await runPurges(world.context(), world.categories)).toEqual({ purged: 3, failed: 0 });
    for (const id of ids) expect(await versions(`recordings/${id}/`)).toEqual([0, 0]);
    expect(await versions(`recordings/${stays}/`)).toEqual([3, 0]);
    const { items } = await listTombstones(world.database, { kind: 'recording', id: ids[0] ?? '' }, { limit: 1 });
    expect(items[0]).toMatchObject({ reason: 'retention', objects: 4 });
  } finally {
    await world.close();
  }
});

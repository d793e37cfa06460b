import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { openObjects } from '../../src/platform/objects.js';
import { foundUnder } from '../../src/retention/absence.js';
import { tagUnder } from '../../src/retention/retag.js';
import { objectOptions } from '../support/objects.js';
import { realS3 } from '../support/real-s3.js';
import { clientOf } from '../support/s3-conformance.js';

it('where storage has a legal hold that works it follows the tag, on every version', { timeout: 120_000 }, async () => {
  const options = objectOptions(realS3());
  await clientOf(realS3()).send(new CreateBucketCommand({ Bucket: options.bucket, ObjectLockEnabledForBucket: true }));
  const objects = await openObjects(options);
  expect(await objects.prepare()).toMatchObject({ versioning: 'on', objectLock: true, legalHold: true });
  const prefix = 'recordings/1/';
  for (const text of ['first', 'second']) await objects.putBytes(`${prefix}original.wav`, Buffer.from(text), 'audio/wav', { hold: '0' });
  await objects.putBytes('recordings/2/original.wav', Buffer.from('x'), 'audio/wav', { hold: '0' });
  const under = async () => (await foundUnder(objects, 'recordings/', [prefix])).get(prefix) ?? [];

  await tagUnder({ objects }, prefix, true);
  for (const { key, versionId } of await under())
    expect(await objects.tags(key, versionId)).toEqual({ hold: '1' });
  expect(await objects.deleteEveryVersion([`${prefix}original.wav`])).toEqual([
    { key: `${prefix}original.wav`, error: 'AccessDenied' },
  ]);
  expect(await under()).toHaveLength(2);

  // Stored while it was held: its tag is right already, and the legal hold still has to come.
  const late = `${prefix}playback.m4a`;
  await objects.putBytes(late, Buffer.from('third'), 'audio/mp4', { hold: '1' });
  await tagUnder({ objects }, prefix, true);
  expect(await objects.deleteEveryVersion([late])).toEqual([{ key: late, error: 'AccessDenied' }]);

  await tagUnder({ objects }, prefix, false);
  expect(await objects.deleteEveryVersion([`${prefix}original.wav`])).toEqual([{ key: `${prefix}original.wav` }]);
  expect(await objects.deleteEveryVersion([late])).toEqual([{ key: late }]);
  expect(await under()).toEqual([]);
  objects.close();
});

it('in a bucket without Object Lock the tag alone follows', { timeout: 120_000 }, async () => {
  const objects = await openObjects(objectOptions(realS3()));
  expect(await objects.prepare()).toMatchObject({ objectLock: false, legalHold: false });
  await objects.putBytes('recordings/1/original.wav', Buffer.from('x'), 'audio/wav', { hold: '0' });
  await tagUnder({ objects }, 'recordings/1/', true);
  expect(await objects.tags('recordings/1/original.wav')).toEqual({ hold: '1' });
  expect(await objects.deleteEveryVersion(['recordings/1/original.wav'])).toEqual([{ key: 'recordings/1/original.wav' }]);
  objects.close();
});

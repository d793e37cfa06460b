import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
  type BucketVersioningStatus,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openObjects } from '../../src/platform/objects.js';
import { collect, describeObjects } from '../support/objects-conformance.js';
import { objectOptions } from '../support/objects.js';
import { realS3 } from '../support/real-s3.js';
import { clientOf } from '../support/s3-conformance.js';

async function setVersioning(Bucket: string, Status: BucketVersioningStatus): Promise<void> {
  await clientOf(realS3()).send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
}

async function makeVersioned(Bucket: string): Promise<void> {
  await clientOf(realS3()).send(new CreateBucketCommand({ Bucket }));
  await setVersioning(Bucket, 'Enabled');
}

async function makeLocked(Bucket: string): Promise<void> {
  await clientOf(realS3()).send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
}

describeObjects('a third-party bucket without versions', realS3);
describeObjects('a third-party bucket with versions', realS3, makeVersioned);
describeObjects('a third-party bucket with object lock', realS3, makeLocked);

describe('Objects on a third-party bucket', () => {
  it('are deleted in every version, those from before and after a suspension included', async () => {
    const options = objectOptions(realS3());
    const objects = await openObjects(options);
    expect(await objects.prepare()).toMatchObject({ versioning: 'off' });
    const put = (text: string) => objects.putBytes('k', Buffer.from(text), 'text/plain', {});
    await put('without versions');
    await setVersioning(options.bucket, 'Enabled');
    await put('first');
    await put('second');
    await setVersioning(options.bucket, 'Suspended');
    await put('suspended');
    await setVersioning(options.bucket, 'Enabled');
    await put('third');
    const before = await collect(objects.list('k'));
    expect(before.length).toBe(4);
    expect(await objects.deleteEveryVersion(['k'])).toEqual([{ key: 'k' }]);
    expect(await objects.confirmAbsent(['k'])).toEqual([]);
    objects.close();
  });

  it('are read and tagged by version', async () => {
    const options = objectOptions(realS3());
    await makeVersioned(options.bucket);
    const objects = await openObjects(options);
    expect(await objects.prepare()).toMatchObject({ versioning: 'on' });
    const first = await objects.putBytes('k', Buffer.from('first'), 'text/plain', { hold: '0' });
    const second = await objects.putBytes('k', Buffer.from('second'), 'text/plain', { hold: '0' });
    expect(first.versionId).not.toBe(second.versionId);
    await objects.tag('k', { hold: '1' }, first.versionId);
    expect(await objects.tags('k', first.versionId)).toEqual({ hold: '1' });
    expect(await objects.tags('k')).toEqual({ hold: '0' });
    const found = (await objects.read('k', { versionId: first.versionId! }))!;
    expect(Buffer.concat(await collect(found.body)).toString()).toBe('first');
    expect((await objects.head('k', first.versionId))!.bytes).toBe(5);
    objects.close();
  });

  it('under a legal hold are not deleted, which is said and seen', async () => {
    const options = objectOptions(realS3());
    await makeLocked(options.bucket);
    const raw = clientOf(realS3());
    const objects = await openObjects(options);
    expect(await objects.prepare()).toMatchObject({ versioning: 'on', objectLock: true });
    const held = await objects.putBytes('held', Buffer.from('x'), 'text/plain', {});
    await objects.putBytes('free', Buffer.from('x'), 'text/plain', {});
    const hold = { Bucket: options.bucket, Key: 'held', VersionId: held.versionId };
    await raw.send(new PutObjectLegalHoldCommand({ ...hold, LegalHold: { Status: 'ON' } }));
    expect(await objects.deleteEveryVersion(['held', 'free'])).toEqual([
      { key: 'held', error: 'AccessDenied' },
      { key: 'free' },
    ]);
    expect(await objects.confirmAbsent(['held', 'free'])).toEqual(['held']);
    await raw.send(new PutObjectLegalHoldCommand({ ...hold, LegalHold: { Status: 'OFF' } }));
    expect(await objects.deleteEveryVersion(['held'])).toEqual([{ key: 'held' }]);
    const { Versions } = await raw.send(
      new ListObjectVersionsCommand({ Bucket: options.bucket, Prefix: randomUUID() }),
    );
    expect(Versions ?? []).toEqual([]);
    objects.close();
  });
});

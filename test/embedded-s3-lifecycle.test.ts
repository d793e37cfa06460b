import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import { filesIn, newFolder, serverOn } from './support/embedded-s3.js';

const Bucket = 'bucket';

const put = (s3: S3Client, Key: string, Tagging = 'hold=0') =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: 'bytes', Tagging }));

const setRules = (s3: S3Client, Rules: LifecycleRule[]) =>
  s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));

async function keysIn(s3: S3Client): Promise<(string | undefined)[]> {
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return (Contents ?? []).map(({ Key }) => Key);
}

const recordings: LifecycleRule = {
  ID: 'recordings-90-days',
  Status: 'Enabled',
  Filter: { And: { Prefix: 'recordings/', Tags: [{ Key: 'hold', Value: '0' }] } },
  Expiration: { Days: 90 },
};

async function serverWithBucket(options: { lifecycleEveryMs?: number } = {}) {
  const folder = await newFolder();
  const running = await serverOn(folder, options);
  await running.s3.send(new CreateBucketCommand({ Bucket }));
  return { folder, ...running };
}

it('removes an object at the midnight UTC after its days are over, not before', async () => {
  const { s3, clock, server, folder } = await serverWithBucket();
  await setRules(s3, [recordings]);
  clock.set('2026-01-10T10:30:00Z');
  await put(s3, 'recordings/a');
  for (const tooEarly of ['2026-04-10T10:29:59Z', '2026-04-10T10:30:01Z', '2026-04-10T23:59:55Z']) {
    clock.set(tooEarly);
    expect(await server.enforceLifecycle()).toBe(0);
  }
  expect(await keysIn(s3)).toEqual(['recordings/a']);
  clock.set('2026-04-11T00:00:00Z');
  expect(await server.enforceLifecycle()).toBe(1);
  expect(await keysIn(s3)).toEqual([]);
  expect((await filesIn(folder)).filter((path) => path.includes('/objects/'))).toEqual([]);
  expect(await server.enforceLifecycle()).toBe(0);
});

it('leaves alone what is held, untagged, elsewhere, or younger', async () => {
  const { s3, clock, server } = await serverWithBucket();
  await setRules(s3, [recordings]);
  clock.set('2026-01-10T10:30:00Z');
  await put(s3, 'recordings/due', 'hold=0&other=x');
  await put(s3, 'recordings/held', 'hold=1');
  await put(s3, 'recordings/untagged', '');
  await put(s3, 'tickets/elsewhere');
  clock.set('2026-02-10T10:30:00Z');
  await put(s3, 'recordings/younger');
  clock.set('2026-04-20T00:00:00Z');
  expect(await server.enforceLifecycle()).toBe(1);
  const left = ['recordings/held', 'recordings/untagged', 'recordings/younger', 'tickets/elsewhere'];
  expect(await keysIn(s3)).toEqual(left);
});

it('counts from creation, whatever was tagged since; an overwrite begins anew', async () => {
  const { s3, clock, server } = await serverWithBucket();
  await setRules(s3, [recordings]);
  clock.set('2026-01-10T10:30:00Z');
  await put(s3, 'recordings/released', 'hold=1');
  await put(s3, 'recordings/overwritten');
  clock.set('2026-04-01T00:00:00Z');
  const Tagging = { TagSet: [{ Key: 'hold', Value: '0' }] };
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'recordings/released', Tagging }));
  await put(s3, 'recordings/overwritten');
  clock.set('2026-04-11T00:00:00Z');
  expect(await server.enforceLifecycle()).toBe(1);
  expect(await keysIn(s3)).toEqual(['recordings/overwritten']);
});

it('heeds rules by size, by date, by prefix alone, and not those that are disabled', async () => {
  const { s3, clock, server } = await serverWithBucket();
  await setRules(s3, [
    {
      ID: 'size',
      Status: 'Enabled',
      Filter: { And: { Prefix: 'size/', ObjectSizeGreaterThan: 4 } },
      Expiration: { Days: 1 },
    },
    {
      ID: 'small',
      Status: 'Enabled',
      Filter: { And: { Prefix: 'small/', ObjectSizeLessThan: 5 } },
      Expiration: { Days: 1 },
    },
    {
      ID: 'date',
      Status: 'Enabled',
      Filter: { Prefix: 'date/' },
      Expiration: { Date: new Date('2026-03-01T00:00:00Z') },
    },
    { ID: 'prefix', Status: 'Enabled', Filter: { Prefix: 'prefix/' }, Expiration: { Days: 30 } },
    { ID: 'disabled', Status: 'Disabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } },
  ]);
  clock.set('2026-01-10T10:30:00Z');
  for (const folder of ['size', 'small', 'date', 'prefix', 'other']) await put(s3, `${folder}/x`);
  clock.set('2026-01-12T00:00:00Z');
  await server.enforceLifecycle();
  expect(await keysIn(s3)).toEqual(['date/x', 'other/x', 'prefix/x', 'small/x']);
  clock.set('2026-02-10T00:00:00Z');
  await server.enforceLifecycle();
  expect(await keysIn(s3)).toEqual(['date/x', 'other/x', 'small/x']);
  clock.set('2026-03-01T00:00:00Z');
  await server.enforceLifecycle();
  expect(await keysIn(s3)).toEqual(['other/x', 'small/x']);
});

it('aborts uploads that never ended, and removes their parts', async () => {
  const { s3, clock, server, folder } = await serverWithBucket();
  const abort = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } };
  await setRules(s3, [{ ID: 'abort', Status: 'Enabled', Filter: { Prefix: 'r/' }, ...abort }]);
  clock.set('2026-01-10T10:30:00Z');
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'r/1' }));
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'other/1' }));
  clock.set('2026-01-11T23:59:55Z');
  expect(await server.enforceLifecycle()).toBe(0);
  clock.set('2026-01-12T00:00:00Z');
  expect(await server.enforceLifecycle()).toBe(1);
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  expect(Uploads!.map(({ Key }) => Key)).toEqual(['other/1']);
  expect((await filesIn(folder)).filter((path) => path.includes('/uploads/')).length).toBe(1);
});

it('works by itself from time to time, and remembers its rules over a restart', async () => {
  const { s3, server, folder, clock } = await serverWithBucket();
  await setRules(s3, [recordings]);
  clock.set('2026-01-10T10:30:00Z');
  await put(s3, 'recordings/a');
  await put(s3, 'recordings/held', 'hold=1');
  await server.close();
  const again = await serverOn(folder, { lifecycleEveryMs: 20 });
  again.clock.set('2026-04-12T00:00:00Z');
  await vi.waitFor(async () => expect(await keysIn(again.s3)).toEqual(['recordings/held']), { timeout: 20_000 });
});

it('removes more than one batch of objects in one pass', async () => {
  const { s3, clock, server } = await serverWithBucket();
  await setRules(s3, [recordings]);
  clock.set('2026-01-10T10:30:00Z');
  for (let at = 0; at < 600; at += 40) {
    await Promise.all(Array.from({ length: 40 }, (_unused, more) => put(s3, `recordings/${at + more}`)));
  }
  clock.set('2026-04-12T00:00:00Z');
  expect(await server.enforceLifecycle()).toBe(600);
  expect(await keysIn(s3)).toEqual([]);
});

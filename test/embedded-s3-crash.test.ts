import { createHash, randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { childOn, filesIn, newFolder, serverOn } from './support/embedded-s3.js';

const Bucket = 'bucket';

/** An object as someone who looks from outside sees it: digest and tags, or `gone`. */
async function stateOf(s3: S3Client, Key: string): Promise<string> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    const bytes = await Body!.transformToByteArray();
    return `${createHash('sha256').update(bytes).digest('hex')} ${TagSet?.[0]?.Value ?? '-'}`;
  } catch (error) {
    if ((error as { name: string }).name === 'NoSuchKey') return 'gone';
    throw error;
  }
}

/** Writes, re-tags and deletes one key until the server is gone; what may be there then. */
async function work(
  s3: S3Client,
  Key: string,
  last: string,
): Promise<{ key: string; acknowledged: string; pending: string }> {
  let acknowledged = last;
  let pending = last;
  try {
    for (;;) {
      const dice = Math.random();
      if (dice < 0.2 && acknowledged !== 'gone') {
        pending = 'gone';
        await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      } else if (dice < 0.4 && acknowledged !== 'gone') {
        const Value = randomBytes(4).toString('hex');
        pending = `${acknowledged.split(' ')[0]} ${Value}`;
        const Tagging = { TagSet: [{ Key: 't', Value }] };
        await s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging }));
      } else {
        const bytes = randomBytes(Math.floor(Math.random() * 300_000));
        pending = `${createHash('sha256').update(bytes).digest('hex')} -`;
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes }));
      }
      acknowledged = pending;
    }
  } catch (error) {
    const isHangUp = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === undefined;
    if (!isHangUp) throw error;
    return { key: Key, acknowledged, pending };
  }
}

it('keeps all that was acknowledged, and no halves, when killed at any moment', async () => {
  const folder = await newFolder();
  let child = await childOn(folder);
  await child.s3.send(new CreateBucketCommand({ Bucket }));
  const states = new Map(Array.from({ length: 12 }, (_unused, at) => [`key/${at}`, 'gone']));
  let acknowledgements = 0;
  for (let round = 0; round < 4; round++) {
    const working = Promise.all([...states].map(([key, state]) => work(child.s3, key, state)));
    await pause(300 + Math.random() * 700);
    await child.kill('SIGKILL');
    const outcomes = await working;
    child = await childOn(folder);
    for (const { key, acknowledged, pending } of outcomes) {
      const state = await stateOf(child.s3, key);
      expect([acknowledged, pending]).toContain(state);
      if (acknowledged !== states.get(key)) acknowledgements++;
      states.set(key, state);
    }
    const { Contents } = await child.s3.send(new ListObjectsV2Command({ Bucket }));
    const there = [...states].filter(([, state]) => state !== 'gone').map(([key]) => key);
    expect((Contents ?? []).map(({ Key }) => Key)).toEqual(there.sort());
    expect((await filesIn(join(folder, 'buckets', Bucket, 'objects'))).length).toBe(2 * there.length);
    expect(await filesIn(join(folder, 'temporary'))).toEqual([]);
  }
  expect(acknowledgements).toBeGreaterThan(10);
});

it('keeps the parts of an upload when killed', async () => {
  const folder = await newFolder();
  const first = await childOn(folder);
  await first.s3.send(new CreateBucketCommand({ Bucket }));
  const { UploadId } = await first.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }));
  const part = { Bucket, Key: 'k', UploadId, PartNumber: 1, Body: randomBytes(1000) };
  const { ETag } = await first.s3.send(new UploadPartCommand(part));
  await first.kill('SIGKILL');
  const second = await childOn(folder);
  const { Parts } = await second.s3.send(new ListPartsCommand({ Bucket, Key: 'k', UploadId }));
  expect(Parts!.map((each) => each.ETag)).toEqual([ETag]);
});

it('is the only server of its folder, and takes over from one that was killed', async () => {
  const folder = await newFolder();
  const child = await childOn(folder);
  await expect(serverOn(folder)).rejects.toThrow(/in use by process \d+/);
  await child.kill('SIGKILL');
  const { server } = await serverOn(folder);
  await expect(serverOn(folder)).rejects.toThrow(/in use by process \d+/);
  await server.close();
  await serverOn(folder);
});

it('stops by itself when told to, and can be started again', async () => {
  const folder = await newFolder();
  const child = await childOn(folder);
  await child.s3.send(new CreateBucketCommand({ Bucket }));
  await child.s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'bytes' }));
  await child.kill('SIGTERM');
  const again = await childOn(folder);
  expect((await again.s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).ContentLength).toBe(5);
});

async function expectRefusedWhenFull(child: Awaited<ReturnType<typeof childOn>>): Promise<void> {
  const small = randomBytes(20_000);
  await child.s3.send(new CreateBucketCommand({ Bucket }));
  await child.s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: small, Tagging: 't=1' }));
  const large = new PutObjectCommand({ Bucket, Key: 'k', Body: randomBytes(20_000_000) });
  await expect(child.s3.send(large)).rejects.toMatchObject({
    name: 'ServiceUnavailable',
    $metadata: { httpStatusCode: 503 },
  });
  expect(await stateOf(child.s3, 'k')).toBe(`${createHash('sha256').update(small).digest('hex')} 1`);
  const { UploadId } = await child.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
  const part = { Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: randomBytes(20_000_000) };
  await expect(child.s3.send(new UploadPartCommand(part))).rejects.toMatchObject({ name: 'ServiceUnavailable' });
  await child.s3.send(new PutObjectCommand({ Bucket, Key: 'after', Body: small }));
  const { Contents } = await child.s3.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents!.map(({ Key }) => Key)).toEqual(['after', 'k']);
}

it('refuses what does not fit on the disk, and loses nothing by it', async () => {
  const folder = await newFolder();
  const child = await childOn(folder, 'ulimit -f 4096');
  await expectRefusedWhenFull(child);
  expect(await filesIn(join(folder, 'temporary'))).toEqual([]);
});

const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

it.runIf(canMount)('does the same on a file system that is really full', async () => {
  const folder = await newFolder();
  const inMount = `mount -t tmpfs -o size=4m tmpfs "$2" && exec "$0" --import tsx "$@"`;
  const mount = `exec unshare -rm sh -c '${inMount}' "$0" "$@"`;
  const child = await childOn(folder, mount);
  await expectRefusedWhenFull(child);
});

it('takes and gives half a gigabyte in the memory that a megabyte takes', async () => {
  const folder = await newFolder();
  const child = await childOn(folder);
  await child.s3.send(new CreateBucketCommand({ Bucket }));
  const chunk = randomBytes(1 << 20);
  const send = async (megabytes: number) => {
    const Body = Readable.from(
      (function* () {
        for (let sent = 0; sent < megabytes; sent++) yield chunk;
      })(),
    );
    const ContentLength = megabytes * chunk.length;
    await child.s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ContentLength }));
    const { Body: back } = await child.s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    let received = 0;
    for await (const bytes of back as Readable) received += (bytes as Buffer).length;
    expect(received).toBe(ContentLength);
  };
  await send(1);
  const before = await child.peakBytes();
  await send(500);
  expect((await child.peakBytes()) - before).toBeLessThan(100 * 1024 * 1024);
});

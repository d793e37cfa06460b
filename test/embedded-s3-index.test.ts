import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, SortedKeys } from '../src/platform/embedded/s3/sorted-keys.js';
import { filesIn, newFolder, serverOn } from './support/embedded-s3.js';

const Bucket = 'bucket';

const put = (s3: S3Client, Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, Tagging: 'hold=0' }));

/** Everything in the bucket: key → bytes and tag. */
async function contents(s3: S3Client): Promise<Record<string, string>> {
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const found: Record<string, string> = {};
  for (const { Key } of Contents ?? []) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    found[Key!] = `${await Body!.transformToString()} hold=${TagSet![0]!.Value}`;
  }
  return found;
}

/** A folder with a written index and objects younger than it: overwritten, re-tagged, deleted and new ones. */
async function folderWithHistory() {
  const folder = await newFolder();
  const first = await serverOn(folder);
  await first.s3.send(new CreateBucketCommand({ Bucket }));
  for (const key of ['kept', 'overwritten', 'tagged', 'deleted', 'deleted-and-made-again'])
    await put(first.s3, key, 'old');
  await first.server.close();
  const index = join(folder, 'buckets', Bucket, 'index.jsonl');
  const oldIndex = await readFile(index);
  const second = await serverOn(folder);
  await put(second.s3, 'overwritten', 'new');
  const Tagging = { TagSet: [{ Key: 'hold', Value: '1' }] };
  await second.s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging }));
  await second.s3.send(new DeleteObjectCommand({ Bucket, Key: 'deleted' }));
  await second.s3.send(new DeleteObjectCommand({ Bucket, Key: 'deleted-and-made-again' }));
  await put(second.s3, 'deleted-and-made-again', 'new');
  await put(second.s3, 'added', 'new');
  await second.server.close();
  const expected = {
    added: 'new hold=0',
    'deleted-and-made-again': 'new hold=0',
    kept: 'old hold=0',
    overwritten: 'new hold=0',
    tagged: 'old hold=1',
  };
  return { folder, index, oldIndex, expected };
}

describe('The index of the embedded storage', () => {
  it('is what a start reads instead of every object', async () => {
    const { folder, expected } = await folderWithHistory();
    const objects = join(folder, 'buckets', Bucket, 'objects');
    const metadata = (await filesIn(objects)).filter((path) => path.endsWith('.json'));
    expect(metadata.length).toBe(5);
    for (const path of metadata) await writeFile(path, 'not read');
    const { s3 } = await serverOn(folder);
    expect(await contents(s3)).toEqual(expected);
  });

  const damages: [string, (index: string, old: Buffer) => Promise<void>][] = [
    ['missing', (index) => rm(index)],
    ['cut off', async (index) => writeFile(index, (await readFile(index)).subarray(0, -100))],
    ['changed in one place', async (index) => writeFile(index, (await readFile(index, 'utf8')).replace(':3,', ':4,'))],
    ['not text', (index) => writeFile(index, Buffer.alloc(5000, 255))],
    ['empty', (index) => writeFile(index, '')],
    ['older than the objects', (index, old) => writeFile(index, old)],
  ];
  it.each(damages)('when %s is made anew from the objects', async (_what, damage) => {
    const { folder, index, oldIndex, expected } = await folderWithHistory();
    await damage(index, oldIndex);
    const { s3, server } = await serverOn(folder);
    expect(await contents(s3)).toEqual(expected);
    await server.close();
    const again = await serverOn(folder);
    expect(await contents(again.s3)).toEqual(expected);
  });

  it('takes no harm from a folder copied while objects changed', async () => {
    const { folder } = await folderWithHistory();
    const live = await serverOn(folder);
    const copy = await newFolder();
    await mkdir(join(copy, 'buckets', Bucket), { recursive: true });
    await cp(join(folder, 'buckets', Bucket, 'index.jsonl'), join(copy, 'buckets', Bucket, 'index.jsonl'));
    await put(live.s3, 'kept', 'newer than the copied index');
    await live.s3.send(new DeleteObjectCommand({ Bucket, Key: 'added' }));
    await cp(folder, copy, {
      recursive: true,
      force: false,
      filter: (source) => !basename(source).startsWith('lock.'),
    });
    const restored = await serverOn(copy);
    expect(await contents(restored.s3)).toEqual(await contents(live.s3));
  });

  it('opens a folder in which a crash left files of unfinished changes, and clears them away', async () => {
    const { folder, expected } = await folderWithHistory();
    const objects = join(folder, 'buckets', Bucket, 'objects');
    const metadata = (await filesIn(objects)).find((path) => path.endsWith('.json'))!;
    const [hash, revision] = basename(metadata).split('.');
    const older = (parseInt(revision!, 16) - 5).toString(16).padStart(14, '0');
    const aYearAhead = (parseInt(revision!, 16) + 365 * 86_400_000 * 1024).toString(16).padStart(14, '0');
    // An overwrite that died before the old files were removed, and puts that died before metadata was named.
    await cp(metadata, join(metadata, '..', `${hash}.${older}.json`));
    await writeFile(join(metadata, '..', `${hash}.${older}.data`), 'old bytes');
    await writeFile(join(metadata, '..', `${hash}.${aYearAhead}.data`), 'bytes never committed');
    await writeFile(join(folder, 'temporary', 'half'), 'half');
    const { s3, server } = await serverOn(folder);
    expect(await contents(s3)).toEqual(expected);
    expect((await filesIn(objects)).length).toBe(10);
    expect(await filesIn(join(folder, 'temporary'))).toEqual([]);
    await put(s3, 'kept', 'after a revision from the future');
    await server.close();
    const again = await serverOn(folder);
    expect(await contents(again.s3)).toEqual({ ...expected, kept: 'after a revision from the future hold=0' });
  });

  it('keeps the files of an object whose metadata cannot be read, and serves the others', async () => {
    const { folder, index, expected } = await folderWithHistory();
    await rm(index);
    const objects = join(folder, 'buckets', Bucket, 'objects');
    const metadata = (await filesIn(objects)).filter((path) => path.endsWith('.json'));
    for (const path of metadata) {
      const text = await readFile(path, 'utf8');
      if (text.includes('"kept"')) await writeFile(path, text.slice(0, 20));
    }
    const { s3 } = await serverOn(folder);
    const { kept: _kept, ...others } = expected;
    expect(await contents(s3)).toEqual(others);
    expect((await filesIn(objects)).length).toBe(10);
  });

  it('knows thousands of objects after a restart, and lists them page by page', async () => {
    const folder = await newFolder();
    const first = await serverOn(folder);
    await first.s3.send(new CreateBucketCommand({ Bucket }));
    const keys = Array.from({ length: 1200 }, (_unused, at) => `k/${String((at * 7919) % 1200).padStart(4, '0')}`);
    for (let at = 0; at < keys.length; at += 40) {
      await Promise.all(keys.slice(at, at + 40).map((key) => put(first.s3, key, key)));
    }
    await first.server.close();
    const { s3 } = await serverOn(folder);
    const found: string[] = [];
    let token: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 500, ContinuationToken: token }));
      found.push(...page.Contents!.map(({ Key }) => Key!));
      token = page.NextContinuationToken;
    } while (token);
    expect(found).toEqual([...keys].sort());
  });

  it('does not bring a deleted bucket back', async () => {
    const folder = await newFolder();
    const first = await serverOn(folder);
    await first.s3.send(new CreateBucketCommand({ Bucket }));
    await first.s3.send(new DeleteBucketCommand({ Bucket }));
    await first.s3.send(new CreateBucketCommand({ Bucket }));
    await put(first.s3, 'k', 'x');
    await first.server.close();
    const second = await serverOn(folder);
    expect(await contents(second.s3)).toEqual({ k: 'x hold=0' });
    expect(await readdir(join(folder, 'buckets'))).toEqual([Bucket]);
  });
});

describe('A lock left behind', () => {
  it('by a process whose number was given out again is taken over', async () => {
    const folder = await newFolder();
    const other = { pid: process.ppid, startedAt: 'another-boot/1', id: 'x' };
    await writeFile(join(folder, 'lock.1'), JSON.stringify(other));
    const { server } = await serverOn(folder);
    await server.close();
    await writeFile(join(folder, 'lock.9'), '');
    await serverOn(folder);
  });

  it('is given to one of several that start at once', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'lock.1'), JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '', id: 'x' }));
    for (let round = 0; round < 5; round++) {
      const starts = await Promise.allSettled(Array.from({ length: 8 }, () => serverOn(folder)));
      const [started, ...more] = starts.filter((start) => start.status === 'fulfilled');
      expect(more).toEqual([]);
      await started!.value.server.close();
    }
    const left = (await readdir(folder)).filter((name) => /lock|claim/.test(name));
    expect(left).toEqual(['lock.6']);
  });
});

describe('Keys in order', () => {
  const key = fc.string({ unit: 'binary', maxLength: 6 });

  it('are ordered as their UTF-8 bytes are', () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        expect(Math.sign(compareKeys(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      }),
    );
  });

  it('stay in order whatever is added and deleted', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{ff5e}', '😀'), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(small), fc.array(fc.tuple(fc.boolean(), small), { maxLength: 60 }), (start, changes) => {
        const expected = new Set(start);
        const sorted = new SortedKeys(expected);
        for (const [isAdded, each] of changes) {
          if (isAdded) {
            sorted.add(each);
            expected.add(each);
          } else {
            sorted.delete(each);
            expected.delete(each);
          }
        }
        const found: string[] = [];
        for (let at = sorted.first(() => true); at !== undefined; at = sorted.after(at)) found.push(at);
        expect(found).toEqual([...expected].sort(compareKeys));
      }),
    );
  });

  it('stay in order beyond the size of a block', () => {
    const sorted = new SortedKeys();
    const keys = Array.from({ length: 5000 }, (_unused, at) => String((at * 7919) % 5000).padStart(5, '0'));
    for (const each of keys) sorted.add(each);
    for (const each of keys.filter((_each, at) => at % 3 === 0)) sorted.delete(each);
    const found: string[] = [];
    for (let at = sorted.first(() => true); at !== undefined; at = sorted.after(at)) found.push(at);
    expect(found).toEqual(keys.filter((_each, at) => at % 3 !== 0).sort());
  });
});

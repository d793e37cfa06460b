/** What the storage client promises the rest of the service, held against a real S3 server of any make. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openObjects, type LifecycleRule, type ObjectFacts, type Objects } from '../../src/platform/objects.js';
import { objectOptions } from './objects.js';
import { clientOf, type S3Target } from './s3-conformance.js';

export function factsOf(bytes: Buffer, tags: Record<string, string> = { hold: '0' }): ObjectFacts {
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  return { bytes: bytes.length, md5: digest('md5'), sha256: digest('sha256'), contentType: 'audio/wav', tags };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Declares the suite; `bucket` names, and where need be makes, a bucket of the kind to be tested. */
export function describeObjects(
  name: string,
  target: () => S3Target,
  makeBucket?: (bucket: string) => Promise<void>,
): void {
  describe(`Objects on ${name}`, () => {
    const bucket = `objects-${randomUUID()}`;
    let objects: Objects;
    let raw: S3Client;
    let folder: string;

    const file = async (bytes: Buffer) => {
      const path = join(folder, randomUUID());
      await writeFile(path, bytes);
      return path;
    };
    const bytesOf = async (key: string, versionId?: string) => {
      const found = await objects.read(key, versionId === undefined ? {} : { versionId });
      return found && Buffer.concat(await collect(found.body));
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'opname-objects-'));
      raw = clientOf(target());
      await makeBucket?.(bucket);
      const options = objectOptions(target(), bucket);
      objects = await openObjects({ ...options, multipartAboveBytes: 6_000_000, partBytes: 5 * 1024 * 1024 });
      await objects.prepare();
    });
    afterAll(async () => {
      objects.close();
      raw.destroy();
      await rm(folder, { recursive: true, force: true });
    });

    it('finds out that this storage checks what it is sent, leaving nothing of the trial behind', async () => {
      expect(await objects.prepare()).toMatchObject({ checksBytes: true, etagIsMd5: true });
      expect(await collect(objects.list('canary/'))).toEqual([]);
    });

    it('stores a file and gives it back with its facts', async () => {
      const bytes = randomBytes(2_000_000);
      const facts = factsOf(bytes, { hold: '0', spoken: 'a b+c' });
      const stored = await objects.putFile('r/file ü+', await file(bytes), facts);
      expect(stored).toMatchObject({
        key: 'r/file ü+',
        bytes: bytes.length,
        etag: facts.md5,
      });
      expect(await objects.head('r/file ü+')).toMatchObject({ ...stored, sha256: facts.sha256, contentType: 'audio/wav' });
      expect(await objects.tags('r/file ü+')).toEqual(facts.tags);
      expect((await bytesOf('r/file ü+'))!.equals(bytes)).toBe(true);
    });

    it('stores an empty file', async () => {
      await objects.putFile('r/empty', await file(Buffer.alloc(0)), factsOf(Buffer.alloc(0)));
      expect((await objects.head('r/empty'))!.bytes).toBe(0);
    });

    it('stores in parts what is too large for one request, with its tags', async () => {
      const bytes = randomBytes(12_000_000);
      const stored = await objects.putFile('r/parts', await file(bytes), factsOf(bytes));
      expect(stored.etag).toMatch(/-3$/);
      expect((await bytesOf('r/parts'))!.equals(bytes)).toBe(true);
      expect(await objects.tags('r/parts')).toEqual({ hold: '0' });
      const { Uploads } = await raw.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      expect(Uploads ?? []).toEqual([]);
    });

    it.each([100, 12_000_000])('refuses a file of %d bytes that changed after it was measured', async (size) => {
      const bytes = randomBytes(size);
      const path = await file(Buffer.concat([bytes.subarray(1), Buffer.from('!')]));
      const put = objects.putFile(`r/changed-${size}`, path, factsOf(bytes));
      await expect(put).rejects.toMatchObject({ code: 'storage-unavailable' });
      expect(await objects.head(`r/changed-${size}`)).toBeUndefined();
      const { Uploads } = await raw.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      expect(Uploads ?? []).toEqual([]);
    });

    it('says that a file is not there as what it is: not the storage', async () => {
      const put = objects.putFile('r/no-file', join(folder, 'no-file'), factsOf(Buffer.from('x')));
      await expect(put).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('stores once where asked to: the same bytes again are fine, others are a conflict', async () => {
      const bytes = Buffer.from('first');
      const once = { ifAbsent: true };
      await objects.putBytes('r/once', bytes, 'text/plain', { hold: '0' }, once);
      const again = await objects.putBytes('r/once', bytes, 'text/plain', { hold: '0' }, once);
      expect(again.bytes).toBe(5);
      const other = objects.putBytes('r/once', Buffer.from('other'), 'text/plain', { hold: '0' }, once);
      await expect(other).rejects.toMatchObject({ code: 'conflict' });
      const large = randomBytes(7_000_000);
      const inParts = objects.putFile('r/once', await file(large), factsOf(large), once);
      await expect(inParts).rejects.toMatchObject({ code: 'conflict' });
      expect((await bytesOf('r/once'))!.toString()).toBe('first');
    });

    it('reads ranges, and says where the end is when asked beyond it', async () => {
      await objects.putBytes('r/range', Buffer.from('0123456789'), 'text/plain', {});
      const part = (await objects.read('r/range', { range: { start: 2, end: 4 } }))!;
      expect([part.bytes, part.totalBytes]).toEqual([3, 10]);
      expect(Buffer.concat(await collect(part.body)).toString()).toBe('234');
      const rest = (await objects.read('r/range', { range: { start: 8 } }))!;
      expect(Buffer.concat(await collect(rest.body)).toString()).toBe('89');
      await expect(objects.read('r/range', { range: { start: 10 } })).rejects.toMatchObject({
        code: 'range-not-satisfiable',
        headers: { 'Content-Range': 'bytes */10' },
      });
    });

    it('tells absence apart from trouble', async () => {
      expect(await objects.read('r/never')).toBeUndefined();
      expect(await objects.head('r/never')).toBeUndefined();
      expect(await objects.tags('r/never')).toBeUndefined();
      await expect(objects.tag('r/never', { hold: '1' })).rejects.toMatchObject({ code: 'not-found' });
      expect(await objects.deleteEveryVersion(['r/never'])).toEqual([{ key: 'r/never' }]);
      expect(await objects.confirmAbsent(['r/never'])).toEqual([]);
    });

    it('ends a read when the caller gives up', async () => {
      const bytes = randomBytes(5_000_000);
      await objects.putFile('r/given-up', await file(bytes), factsOf(bytes));
      const giveUp = new AbortController();
      const found = (await objects.read('r/given-up', { signal: giveUp.signal }))!;
      const reading = collect(found.body);
      giveUp.abort();
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    });

    it('replaces all tags of an object', async () => {
      await objects.putBytes('r/tags', Buffer.from('x'), 'text/plain', { hold: '0', other: '1' });
      await objects.tag('r/tags', { hold: '1' });
      expect(await objects.tags('r/tags')).toEqual({ hold: '1' });
    });

    it('lists by prefix, beyond a key where asked, and across pages', async () => {
      const keys = Array.from({ length: 12 }, (_unused, at) => `l/${String(at).padStart(2, '0')}`);
      for (const key of keys) await objects.putBytes(key, Buffer.from(key), 'text/plain', {});
      const all = await collect(objects.list('l/'));
      expect(all.map(({ key }) => key)).toEqual(keys);
      expect(all[0]).toMatchObject({ bytes: 4, isLatest: true, isDeleteMarker: false });
      expect(all[0]!.lastModified).toBeInstanceOf(Date);
      const beyond = await collect(objects.list('l/', { after: 'l/08' }));
      expect(beyond.map(({ key }) => key)).toEqual(keys.slice(9));
    });

    it('deletes every version of keys, and only of those keys', async () => {
      const keys = ['d/a', 'd/a/below', 'd/a2', 'd/b ü+&<'];
      for (const key of keys) {
        for (const bytes of ['one', 'two']) await objects.putBytes(key, Buffer.from(bytes), 'text/plain', {});
      }
      const doomed = ['d/a', 'd/b ü+&<', 'd/never'];
      expect((await objects.confirmAbsent(keys)).sort()).toEqual([...keys].sort());
      expect(await objects.deleteEveryVersion(doomed)).toEqual(doomed.map((key) => ({ key })));
      expect(await objects.confirmAbsent([...keys, 'd/never'])).toEqual(['d/a/below', 'd/a2']);
      const { Versions, DeleteMarkers } = await raw.send(
        new ListObjectVersionsCommand({ Bucket: bucket, Prefix: 'd/' }),
      );
      expect(new Set(Versions!.map(({ Key }) => Key))).toEqual(new Set(['d/a/below', 'd/a2']));
      expect(DeleteMarkers ?? []).toEqual([]);
    });

    it('deletes more keys than one request takes', async () => {
      const keys = Array.from({ length: 1100 }, (_unused, at) => `n/${at}`);
      await objects.putBytes('n/1050', Buffer.from('x'), 'text/plain', {});
      expect((await objects.deleteEveryVersion(keys)).filter(({ error }) => error)).toEqual([]);
      expect(await collect(objects.list('n/'))).toEqual([]);
    });

    it('aborts uploads that never ended: of a prefix, of an age, of chosen keys', async () => {
      const begin = async (Key: string) => raw.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
      for (const key of ['u/1', 'u/2', 'v/1']) await begin(key);
      expect(await objects.abortUploads('u/', new Date(Date.now() - 3_600_000))).toBe(0);
      expect(await objects.abortUploads('u/', undefined, (key) => key === 'u/2')).toBe(1);
      expect(await objects.abortUploads('u/')).toBe(1);
      const { Uploads } = await raw.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      expect(Uploads!.map(({ Key }) => Key)).toEqual(['v/1']);
    });

    it('keeps its own lifecycle rules and leaves those of others as they are', async () => {
      const foreign = {
        ID: 'theirs',
        Status: 'Enabled' as const,
        Filter: { Prefix: 'theirs/' },
        Expiration: { Days: 7 },
      };
      const tagged = {
        ID: 'theirs-tagged',
        Status: 'Disabled' as const,
        Filter: {
          And: {
            Prefix: 'x/',
            Tags: [
              { Key: 'a', Value: '1' },
              { Key: 'b', Value: '2' },
            ],
          },
        },
        NoncurrentVersionExpiration: { NoncurrentDays: 3 },
      };
      const configuration = { Bucket: bucket, LifecycleConfiguration: { Rules: [foreign, tagged] } };
      await raw.send(new PutBucketLifecycleConfigurationCommand(configuration));
      const theirs: LifecycleRule[] = [
        { id: 'theirs', enabled: true, prefix: 'theirs/', tags: {}, expireAfterDays: 7 },
        { id: 'theirs-tagged', enabled: false, prefix: 'x/', tags: { a: '1', b: '2' }, expireNoncurrentAfterDays: 3 },
      ];
      const recordings: LifecycleRule = {
        id: 'recordings-90-days',
        enabled: true,
        prefix: 'recordings/',
        tags: { hold: '0' },
        expireAfterDays: 90,
      };
      const uploads: LifecycleRule = {
        id: 'abort-uploads',
        enabled: true,
        prefix: '',
        tags: {},
        abortUploadsAfterDays: 1,
      };
      const markers: LifecycleRule = {
        id: 'markers',
        enabled: true,
        prefix: '',
        tags: {},
        expireNoncurrentAfterDays: 1,
        removeExpiredDeleteMarkers: true,
      };
      const sorted = (rules: LifecycleRule[] | 'unsupported') =>
        rules === 'unsupported' ? rules : [...rules].sort((left, right) => (left.id < right.id ? -1 : 1));
      const first = await objects.putLifecycle([recordings, uploads, markers]);
      expect(sorted(first)).toEqual(sorted([...theirs, recordings, uploads, markers]));
      const shorter = { ...recordings, expireAfterDays: 30 };
      const second = await objects.putLifecycle([shorter], ['abort-uploads']);
      expect(sorted(second)).toEqual(sorted([...theirs, shorter, markers]));
      expect(sorted(await objects.lifecycle())).toEqual(sorted([...theirs, shorter, markers]));
      await objects.putLifecycle([], ['recordings-90-days', 'markers', 'theirs', 'theirs-tagged']);
      expect(await objects.lifecycle()).toEqual([]);
    });

    it('is reachable while the bucket is', async () => {
      await objects.reachable();
      const elsewhere = await openObjects(objectOptions(target()));
      await expect(elsewhere.reachable()).rejects.toMatchObject({ code: 'storage-unavailable' });
      elsewhere.close();
    });

    it('says that storage is unavailable when it does not let us in', async () => {
      const stranger = await openObjects(objectOptions({ ...target(), secretAccessKey: 'wrong' }, bucket));
      await expect(stranger.read('r/range')).rejects.toMatchObject({ code: 'storage-unavailable' });
      await expect(stranger.prepare()).rejects.toMatchObject({ code: 'storage-unavailable' });
      stranger.close();
    });
  });
}

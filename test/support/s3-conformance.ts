/**
 * What the service expects of any S3 server, asked of each in the same words: of the embedded one and of a third
 * party's. Where servers rightly differ, the difference is a capability, and both of its sides are asserted.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  type GetObjectCommandInput,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

export interface S3Target {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** What servers differ in. A server without a capability must behave in the way the suite says, not in any way. */
export interface Capabilities {
  /** Checks `x-amz-checksum-…`; without it a wrong one is accepted. */
  checksums: boolean;
  /** Takes streamed bodies with a checksum in the trailer; without it answers 411. */
  trailers: boolean;
  /** CompleteMultipartUpload heeds If-None-Match; without it overwrites. */
  conditionalCompletion: boolean;
  /** Tags given to CreateMultipartUpload arrive; without it they are dropped. */
  tagsOnMultipart: boolean;
  /** CopyObject heeds TaggingDirective=REPLACE; without it tags are lost with the metadata. */
  copyReplacesTags: boolean;
  /** Buckets can keep versions; without it the request is refused with 501. */
  versioning: boolean;
  /** Making one's own bucket again is refused with 409; without it answers 200. */
  refusesBucketAgain: boolean;
  /** 1024 by the book; less where the server's own names must fit in beside. */
  longestKeyBytes: number;
}

interface ClientOptions {
  requestChecksumCalculation?: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED';
  systemClockOffset?: number;
}

export function clientOf({ endpoint, region, ...credentials }: S3Target, options: ClientOptions = {}): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...options,
  });
}

const minPartBytes = 5 * 1024 * 1024;

function md5(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('base64');
}

function refusal(status: number, name?: string): object {
  return { ...(name === undefined ? {} : { name }), $metadata: { httpStatusCode: status } };
}

/** Declares the suite against the server that `target` names once the tests run. */
export function describeS3(name: string, target: () => S3Target, can: Capabilities): void {
  describe(`${name} as an S3 server`, () => {
    const bucket = `conformance-${randomUUID()}`;
    let s3: S3Client;
    const put = (
      Key: string,
      Body: string | Buffer | Readable,
      more: Omit<Partial<PutObjectCommandInput>, 'Body'> = {},
    ) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));
    const get = async (Key: string, more: Partial<GetObjectCommandInput> = {}) => {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
      return { ...answer, bytes: Buffer.from(await answer.Body!.transformToByteArray()) };
    };
    const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
    const tagsOf = async (Key: string) => {
      const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key }));
      return Object.fromEntries((TagSet ?? []).map((tag) => [tag.Key, tag.Value]));
    };
    const keysUnder = async (Prefix: string) => {
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
      return (Contents ?? []).map(({ Key }) => Key);
    };
    const startUpload = async (Key: string, more: object = {}) =>
      (await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key, ...more }))).UploadId!;
    const sendPart = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer) => {
      const address = { Bucket: bucket, Key, UploadId, PartNumber };
      const { ETag } = await s3.send(new UploadPartCommand({ ...address, Body, ContentMD5: md5(Body) }));
      return { PartNumber, ETag };
    };
    const complete = (Key: string, UploadId: string, Parts: object[], more: object = {}) =>
      s3.send(
        new CompleteMultipartUploadCommand({ Bucket: bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }),
      );

    beforeAll(async () => {
      s3 = clientOf(target());
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    });
    afterAll(() => {
      s3.destroy();
    });

    describe('buckets', () => {
      it('are there once made, listed, and gone once deleted', async () => {
        const other = `conformance-${randomUUID()}`;
        await expect(s3.send(new HeadBucketCommand({ Bucket: other }))).rejects.toMatchObject(refusal(404));
        await s3.send(new CreateBucketCommand({ Bucket: other }));
        await s3.send(new HeadBucketCommand({ Bucket: other }));
        const { Buckets } = await s3.send(new ListBucketsCommand({}));
        expect(Buckets!.map(({ Name }) => Name)).toContain(other);
        await s3.send(new DeleteBucketCommand({ Bucket: other }));
        await expect(s3.send(new HeadBucketCommand({ Bucket: other }))).rejects.toMatchObject(refusal(404));
        const missing = s3.send(new GetObjectCommand({ Bucket: other, Key: 'x' }));
        await expect(missing).rejects.toMatchObject(refusal(404, 'NoSuchBucket'));
      });

      it('are not deleted while they hold something', async () => {
        await put('holds/something', 'x');
        await expect(s3.send(new DeleteBucketCommand({ Bucket: bucket }))).rejects.toMatchObject(
          refusal(409, 'BucketNotEmpty'),
        );
      });

      it('can be made again by their owner without losing anything', async () => {
        await put('made/again', 'still here');
        const again = s3.send(new CreateBucketCommand({ Bucket: bucket }));
        if (can.refusesBucketAgain) await expect(again).rejects.toMatchObject(refusal(409, 'BucketAlreadyOwnedByYou'));
        else await again;
        expect((await get('made/again')).bytes.toString()).toBe('still here');
      });

      it('say whether they keep versions', async () => {
        expect((await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }))).Status).toBeUndefined();
        const other = `conformance-${randomUUID()}`;
        await s3.send(new CreateBucketCommand({ Bucket: other }));
        const versioning = { Bucket: other, VersioningConfiguration: { Status: 'Enabled' } } as const;
        const asked = s3.send(new PutBucketVersioningCommand(versioning));
        if (!can.versioning) return expect(asked).rejects.toMatchObject(refusal(501));
        await asked;
        expect((await s3.send(new GetBucketVersioningCommand({ Bucket: other }))).Status).toBe('Enabled');
      });
    });

    describe('puts and gets', () => {
      it('give back the bytes, the type, the metadata and the MD5 as entity tag', async () => {
        const bytes = randomBytes(3_000_000);
        const { ETag } = await put('plain', bytes, {
          ContentType: 'audio/wav',
          Metadata: { sha256: 'abc', n: '1' },
          ContentDisposition: 'attachment; filename="x.wav"',
        });
        const expected = `"${createHash('md5').update(bytes).digest('hex')}"`;
        expect(ETag).toBe(expected);
        const found = await get('plain');
        expect(found.bytes.equals(bytes)).toBe(true);
        expect(found).toMatchObject({
          ContentType: 'audio/wav',
          ContentLength: bytes.length,
          ETag: expected,
          Metadata: { sha256: 'abc', n: '1' },
          ContentDisposition: 'attachment; filename="x.wav"',
          AcceptRanges: 'bytes',
        });
        expect(found.ContentEncoding).toBeUndefined();
        expect(await head('plain')).toMatchObject({
          ContentLength: bytes.length,
          ETag: expected,
          ContentType: 'audio/wav',
        });
      });

      it('take an empty object', async () => {
        await put('empty', Buffer.alloc(0));
        expect((await head('empty')).ContentLength).toBe(0);
        expect((await get('empty')).bytes.length).toBe(0);
      });

      it('take a stream of known length', async () => {
        const bytes = randomBytes(2_500_000);
        const body = Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]);
        await put('stream', body, { ContentLength: bytes.length });
        expect((await get('stream')).bytes.equals(bytes)).toBe(true);
      });

      it('take a stream with a checksum in its trailer', async () => {
        const trailing = clientOf(target(), { requestChecksumCalculation: 'WHEN_SUPPORTED' });
        const bytes = randomBytes(300_000);
        const body = Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]);
        const object = { Bucket: bucket, Key: 'trailer', Body: body, ContentLength: bytes.length };
        const sent = trailing.send(new PutObjectCommand(object));
        if (!can.trailers) return expect(sent).rejects.toMatchObject(refusal(411));
        await sent;
        const found = await get('trailer');
        expect(found.bytes.equals(bytes)).toBe(true);
        expect(found.ContentEncoding).toBeUndefined();
        trailing.destroy();
      });

      it('replace an object as a whole', async () => {
        await put('twice', 'the first and longer one', { Tagging: 'a=1', Metadata: { old: 'yes' } });
        await put('twice', 'the second');
        const found = await get('twice');
        expect(found.bytes.toString()).toBe('the second');
        expect(found.Metadata).toEqual({});
        expect(await tagsOf('twice')).toEqual({});
      });

      it('tell what is not there', async () => {
        await expect(head('nothing')).rejects.toMatchObject(refusal(404, 'NotFound'));
        await expect(get('nothing')).rejects.toMatchObject(refusal(404, 'NoSuchKey'));
        await expect(tagsOf('nothing')).rejects.toMatchObject(refusal(404, 'NoSuchKey'));
      });

      it.each([
        ['leading dots', '../../evil'],
        ['spaces, plus and percent', 'a b+c%2Fd%'],
        ['unicode', 'müßig/日本語/😀.wav'],
        ['characters of XML', `<a>&"'`],
        ['a trailing slash', 'folder/'],
        ['dots as parts', 'a/./b/../c'],
        ['as many bytes as allowed', 'k'.repeat(can.longestKeyBytes)],
      ])('take keys with %s', async (_what, key) => {
        await put(key, `bytes of ${key}`);
        expect((await get(key)).bytes.toString()).toBe(`bytes of ${key}`);
        const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }));
        expect(Versions!.map(({ Key }) => Key)).toEqual([key]);
        await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: key }] } }));
        await expect(head(key)).rejects.toMatchObject(refusal(404));
      });

      it('keep a key apart from the folder of the same name', async () => {
        await put('same', 'file');
        await put('same/name', 'below');
        expect((await get('same')).bytes.toString()).toBe('file');
        expect((await get('same/name')).bytes.toString()).toBe('below');
        expect(await keysUnder('same')).toEqual(['same', 'same/name']);
      });

      it('refuse a key longer than 1024 bytes', async () => {
        await expect(put('ü'.repeat(513), 'x')).rejects.toMatchObject(refusal(400));
      });
    });

    describe('ranges and conditions', () => {
      const bytes = randomBytes(100_000);
      beforeAll(() => put('range', bytes));

      it.each([
        ['bytes=100-199', 100, 199],
        ['bytes=99990-', 99_990, 99_999],
        ['bytes=-10', 99_990, 99_999],
        ['bytes=0-0', 0, 0],
        ['bytes=99000-999999', 99_000, 99_999],
      ])('answer %s with those bytes', async (Range, start, end) => {
        const found = await get('range', { Range });
        expect(found.bytes.equals(bytes.subarray(start, end + 1))).toBe(true);
        expect(found.ContentRange).toBe(`bytes ${start}-${end}/100000`);
        expect(found.$metadata.httpStatusCode).toBe(206);
      });

      it('refuse a range outside the object', async () => {
        await expect(get('range', { Range: 'bytes=100000-' })).rejects.toMatchObject(refusal(416, 'InvalidRange'));
      });

      it('answer 304 and 412 as the entity tag says', async () => {
        const { ETag } = await head('range');
        await expect(get('range', { IfNoneMatch: ETag })).rejects.toMatchObject(refusal(304));
        await expect(get('range', { IfMatch: '"0123456789abcdef0123456789abcdef"' })).rejects.toMatchObject(
          refusal(412),
        );
        expect((await get('range', { IfMatch: ETag })).bytes.length).toBe(bytes.length);
      });

      it('put only where nothing is, when asked to', async () => {
        await put('once', 'first', { IfNoneMatch: '*' });
        const second = put('once', 'second', { IfNoneMatch: '*' });
        await expect(second).rejects.toMatchObject(refusal(412, 'PreconditionFailed'));
        expect((await get('once')).bytes.toString()).toBe('first');
      });
    });

    describe('integrity', () => {
      it('refuses a body that does not have its Content-MD5, and keeps nothing of it', async () => {
        const wrong = put('wrong-md5', 'what came', { ContentMD5: md5('what was meant') });
        await expect(wrong).rejects.toMatchObject(refusal(400, 'BadDigest'));
        await expect(head('wrong-md5')).rejects.toMatchObject(refusal(404));
      });

      it('refuses a streamed body that does not have its Content-MD5', async () => {
        const body = Readable.from([Buffer.from('what '), Buffer.from('came')]);
        const wrong = put('wrong-md5-stream', body, { ContentLength: 9, ContentMD5: md5('what was meant') });
        await expect(wrong).rejects.toMatchObject(refusal(400, 'BadDigest'));
        await expect(head('wrong-md5-stream')).rejects.toMatchObject(refusal(404));
      });

      it.each([
        ['ChecksumCRC32', 'AAAAAA=='],
        ['ChecksumCRC32C', 'AAAAAA=='],
        ['ChecksumSHA1', createHash('sha1').digest('base64')],
        ['ChecksumSHA256', createHash('sha256').digest('base64')],
      ])('checks %s, or takes no notice of it', async (name, value) => {
        const key = `wrong-${name}`;
        const wrong = put(key, 'not empty', { [name]: value });
        if (!can.checksums) {
          await wrong;
          return;
        }
        await expect(wrong).rejects.toMatchObject(refusal(400, 'BadDigest'));
        await expect(head(key)).rejects.toMatchObject(refusal(404));
      });

      it('gives a verified checksum back, where it knows them', async () => {
        const right = { ChecksumSHA256: createHash('sha256').update('bytes').digest('base64') };
        await put('right-sha256', 'bytes', right);
        const answer = await s3.send(
          new HeadObjectCommand({ Bucket: bucket, Key: 'right-sha256', ChecksumMode: 'ENABLED' }),
        );
        expect(answer.ChecksumSHA256).toBe(can.checksums ? right.ChecksumSHA256 : undefined);
      });
    });

    describe('tags', () => {
      it('come with the object, are replaced as a whole, and are deleted', async () => {
        await put('tags', 'x', { Tagging: 'hold=0&spoken=a%20b%2Bc' });
        expect(await tagsOf('tags')).toEqual({ hold: '0', spoken: 'a b+c' });
        const Tagging = { TagSet: [{ Key: 'hold', Value: '1' }] };
        await s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: 'tags', Tagging }));
        expect(await tagsOf('tags')).toEqual({ hold: '1' });
        await s3.send(new DeleteObjectTaggingCommand({ Bucket: bucket, Key: 'tags' }));
        expect(await tagsOf('tags')).toEqual({});
        expect((await get('tags')).bytes.toString()).toBe('x');
      });

      it('are refused beyond ten', async () => {
        const many = Array.from({ length: 11 }, (_unused, at) => `t${at}=x`).join('&');
        await expect(put('too-many-tags', 'x', { Tagging: many })).rejects.toMatchObject(refusal(400));
      });
    });

    describe('copies', () => {
      it('have the bytes, and metadata and tags as directed', async () => {
        const bytes = randomBytes(10_000);
        await put('copy/from ü', bytes, { Metadata: { a: '1' }, Tagging: 'old=1', ContentType: 'audio/wav' });
        const CopySource = `${bucket}/${encodeURIComponent('copy/from ü')}`;
        await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy/same', CopySource }));
        const same = await get('copy/same');
        expect(same.bytes.equals(bytes)).toBe(true);
        expect(same).toMatchObject({ Metadata: { a: '1' }, ContentType: 'audio/wav' });
        expect(await tagsOf('copy/same')).toEqual({ old: '1' });
        await s3.send(
          new CopyObjectCommand({
            Bucket: bucket,
            Key: 'copy/other',
            CopySource,
            MetadataDirective: 'REPLACE',
            Metadata: { b: '2' },
            TaggingDirective: 'REPLACE',
            Tagging: 'new=2',
          }),
        );
        expect((await get('copy/other')).Metadata).toEqual({ b: '2' });
        expect(await tagsOf('copy/other')).toEqual(can.copyReplacesTags ? { new: '2' } : {});
      });

      it('outlive what they were made from', async () => {
        await put('copied', 'bytes');
        await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/copied` }));
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'copied' }));
        expect((await get('copy')).bytes.toString()).toBe('bytes');
      });
    });

    describe('uploads in parts', () => {
      const first = randomBytes(minPartBytes);
      const second = randomBytes(1_000_000);

      it('become one object when completed, and are gone from the list', async () => {
        const id = await startUpload('parts', { ContentType: 'audio/wav', Metadata: { a: '1' }, Tagging: 'hold=0' });
        const parts = [await sendPart('parts', id, 1, first), await sendPart('parts', id, 2, second)];
        await expect(head('parts')).rejects.toMatchObject(refusal(404));
        await complete('parts', id, parts);
        const found = await get('parts');
        expect(found.bytes.equals(Buffer.concat([first, second]))).toBe(true);
        expect(found).toMatchObject({ ContentType: 'audio/wav', Metadata: { a: '1' } });
        expect(found.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
        expect(await tagsOf('parts')).toEqual(can.tagsOnMultipart ? { hold: '0' } : {});
        const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'parts' }));
        expect(Uploads ?? []).toEqual([]);
      });

      it('are listed with their parts, a part sent again counting once', async () => {
        const id = await startUpload('listed/parts');
        await sendPart('listed/parts', id, 2, second);
        await sendPart('listed/parts', id, 1, second);
        await sendPart('listed/parts', id, 1, first);
        const { Parts } = await s3.send(new ListPartsCommand({ Bucket: bucket, Key: 'listed/parts', UploadId: id }));
        expect(Parts!.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
          [1, first.length],
          [2, second.length],
        ]);
        const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'listed/' }));
        expect(Uploads!.map(({ Key, UploadId }) => [Key, UploadId])).toEqual([['listed/parts', id]]);
      });

      it('leave nothing when aborted', async () => {
        const id = await startUpload('aborted');
        await sendPart('aborted', id, 1, first);
        await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: 'aborted', UploadId: id }));
        await expect(sendPart('aborted', id, 2, second)).rejects.toMatchObject(refusal(404, 'NoSuchUpload'));
        await expect(head('aborted')).rejects.toMatchObject(refusal(404));
      });

      it('refuse parts that are missing, out of order, or too small', async () => {
        const id = await startUpload('badly');
        const small = [await sendPart('badly', id, 1, second), await sendPart('badly', id, 2, first)];
        await expect(complete('badly', id, small)).rejects.toMatchObject(refusal(400, 'EntityTooSmall'));
        const missing = [{ PartNumber: 3, ETag: '"0123456789abcdef0123456789abcdef"' }];
        await expect(complete('badly', id, missing)).rejects.toMatchObject(refusal(400, 'InvalidPart'));
        await expect(complete('badly', id, [...small].reverse())).rejects.toMatchObject(refusal(400));
        await expect(head('badly')).rejects.toMatchObject(refusal(404));
      });

      it('refuse a part that does not have its Content-MD5', async () => {
        const UploadId = await startUpload('bad-part');
        const address = { Bucket: bucket, Key: 'bad-part', UploadId, PartNumber: 1 };
        const wrong = s3.send(new UploadPartCommand({ ...address, Body: second, ContentMD5: md5('other') }));
        await expect(wrong).rejects.toMatchObject(refusal(400, 'BadDigest'));
      });

      it('heed If-None-Match when completed, or overwrite', async () => {
        await put('conditional-parts', 'there');
        const id = await startUpload('conditional-parts');
        const completed = complete('conditional-parts', id, [await sendPart('conditional-parts', id, 1, second)], {
          IfNoneMatch: '*',
        });
        if (can.conditionalCompletion) await expect(completed).rejects.toMatchObject(refusal(412));
        else await completed;
        expect((await head('conditional-parts')).ContentLength).toBe(can.conditionalCompletion ? 5 : second.length);
      });

      it('work with the ready-made uploader and a stream of unknown length', async () => {
        const bytes = randomBytes(11_000_000);
        const Body = Readable.from(
          (function* () {
            for (let at = 0; at < bytes.length; at += 500_000) yield bytes.subarray(at, at + 500_000);
          })(),
        );
        await new Upload({ client: s3, params: { Bucket: bucket, Key: 'uploader', Body } }).done();
        expect((await get('uploader')).bytes.equals(bytes)).toBe(true);
      });
    });

    describe('listings', () => {
      const keys = ['a', 'a/1', 'a/2', 'a/b/1', 'a/b/2', 'a/é', 'a/\u{ff5e}', 'a/😀', 'b', 'b/1'].map(
        (key) => `list/${key}`,
      );
      const inOrder = [...keys].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
      beforeAll(async () => {
        for (const key of keys) await put(key, key);
      });

      it.each([1, 3, 1000])('give every key once and in the order of their bytes, %d at a time', async (MaxKeys) => {
        const found: (string | undefined)[] = [];
        let token: string | undefined;
        do {
          const request = { Bucket: bucket, Prefix: 'list/', MaxKeys, ContinuationToken: token };
          const page = await s3.send(new ListObjectsV2Command(request));
          expect(page.Contents!.length).toBeLessThanOrEqual(MaxKeys);
          found.push(...page.Contents!.map(({ Key }) => Key));
          token = page.NextContinuationToken;
        } while (token);
        expect(found).toEqual(inOrder);
      });

      it.each([1, 2, 1000])('group by delimiter, %d at a time', async (MaxKeys) => {
        const found: string[] = [];
        let token: string | undefined;
        do {
          const request = { Bucket: bucket, Prefix: 'list/', Delimiter: '/', MaxKeys, ContinuationToken: token };
          const page = await s3.send(new ListObjectsV2Command(request));
          found.push(
            ...(page.Contents ?? []).map(({ Key }) => Key!),
            ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!),
          );
          token = page.NextContinuationToken;
        } while (token);
        expect(found.sort()).toEqual(['list/a', 'list/a/', 'list/b', 'list/b/']);
      });

      it('begin after a key', async () => {
        const request = { Bucket: bucket, Prefix: 'list/', StartAfter: 'list/a/b/1' };
        const { Contents } = await s3.send(new ListObjectsV2Command(request));
        expect(Contents!.map(({ Key }) => Key)).toEqual(inOrder.slice(inOrder.indexOf('list/a/b/1') + 1));
      });

      it.each([1, 4, 1000])('of versions name each object once, as version null, %d at a time', async (MaxKeys) => {
        const found: (string | undefined)[] = [];
        let marker: object = {};
        for (;;) {
          const request = { Bucket: bucket, Prefix: 'list/', MaxKeys, ...marker };
          const page = await s3.send(new ListObjectVersionsCommand(request));
          for (const { Key, VersionId, IsLatest } of page.Versions!) {
            expect([VersionId, IsLatest]).toEqual(['null', true]);
            found.push(Key);
          }
          expect(page.DeleteMarkers ?? []).toEqual([]);
          if (!page.IsTruncated) break;
          marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        }
        expect(found).toEqual(inOrder);
      });
    });

    describe('deletions', () => {
      it('leave nothing, and succeed on what is not there', async () => {
        await put('gone', 'x');
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'gone' }));
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'gone' }));
        await expect(head('gone')).rejects.toMatchObject(refusal(404));
        const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: 'gone' }));
        expect(Versions ?? []).toEqual([]);
      });

      it('take the version id null', async () => {
        await put('gone-null', 'x');
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'gone-null', VersionId: 'null' }));
        await expect(head('gone-null')).rejects.toMatchObject(refusal(404));
      });

      it('of many at once tell each outcome, unless told to be quiet', async () => {
        const keys = Array.from({ length: 20 }, (_unused, at) => `many/${at}`);
        for (const key of keys) await put(key, 'x');
        const some = keys.slice(0, 5).map((Key) => ({ Key }));
        const loud = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: some } }));
        expect(loud.Deleted!.map(({ Key }) => Key).sort()).toEqual(keys.slice(0, 5).sort());
        const rest = [...keys.slice(5), 'many/never'].map((Key) => ({ Key, VersionId: 'null' }));
        const quiet = await s3.send(
          new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: rest, Quiet: true } }),
        );
        expect(quiet.Deleted ?? []).toEqual([]);
        expect(quiet.Errors ?? []).toEqual([]);
        expect(await keysUnder('many/')).toEqual([]);
      });
    });

    describe('lifecycle rules', () => {
      const read = async () => {
        const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }));
        return Rules!;
      };
      const write = (Rules: object[]) =>
        s3.send(
          new PutBucketLifecycleConfigurationCommand({
            Bucket: bucket,
            LifecycleConfiguration: { Rules: Rules as never[] },
          }),
        );

      it('are absent, put, given back with their meaning, replaced as a whole, and deleted', async () => {
        await expect(read()).rejects.toMatchObject(refusal(404, 'NoSuchLifecycleConfiguration'));
        await write([
          {
            ID: 'recordings',
            Status: 'Enabled',
            Filter: { And: { Prefix: 'recordings/', Tags: [{ Key: 'hold', Value: '0' }] } },
            Expiration: { Days: 90 },
          },
          {
            ID: 'uploads',
            Status: 'Enabled',
            Filter: { Prefix: '' },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
          {
            ID: 'versions',
            Status: 'Disabled',
            Filter: { Prefix: 'v/' },
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            Expiration: { ExpiredObjectDeleteMarker: true },
          },
        ]);
        const byId = Object.fromEntries((await read()).map((rule) => [rule.ID, rule]));
        expect(Object.keys(byId).sort()).toEqual(['recordings', 'uploads', 'versions']);
        expect(byId['recordings']).toMatchObject({ Status: 'Enabled', Expiration: { Days: 90 } });
        expect(JSON.stringify(byId['recordings']!.Filter)).toContain('{"Key":"hold","Value":"0"}');
        expect(JSON.stringify(byId['recordings']!.Filter)).toContain('"Prefix":"recordings/"');
        expect(byId['uploads']).toMatchObject({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
        expect(byId['versions']).toMatchObject({
          Status: 'Disabled',
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          Expiration: { ExpiredObjectDeleteMarker: true },
        });
        await write([{ ID: 'only', Status: 'Enabled', Filter: { Prefix: 'x/' }, Expiration: { Days: 1 } }]);
        expect((await read()).map(({ ID }) => ID)).toEqual(['only']);
        await s3.send(new DeleteBucketLifecycleCommand({ Bucket: bucket }));
        await expect(read()).rejects.toMatchObject(refusal(404, 'NoSuchLifecycleConfiguration'));
      });

      it('are refused when they make no sense', async () => {
        const sensible = { ID: 'r', Status: 'Enabled', Filter: { Prefix: 'x/' } };
        await expect(write([{ ...sensible, Expiration: { Days: 0 } }])).rejects.toMatchObject(refusal(400));
        await expect(write([{ ...sensible }])).rejects.toMatchObject(refusal(400));
      });
    });

    describe('callers', () => {
      const address = (key: string) => `${target().endpoint}/${bucket}/${key}`;

      it('are refused without a signature', async () => {
        await put('secret', 'x');
        expect((await fetch(address('secret'))).status).toBe(403);
        expect((await fetch(address('secret'), { method: 'DELETE' })).status).toBe(403);
        expect((await head('secret')).ContentLength).toBe(1);
      });

      it('are refused with a wrong secret, an unknown key, or a clock too far off', async () => {
        await put('secret', 'x');
        const ask = (client: S3Client) => client.send(new GetObjectCommand({ Bucket: bucket, Key: 'secret' }));
        const wrongSecret = clientOf({ ...target(), secretAccessKey: 'wrong' });
        await expect(ask(wrongSecret)).rejects.toMatchObject(refusal(403, 'SignatureDoesNotMatch'));
        const unknown = clientOf({ ...target(), accessKeyId: 'NOBODY' });
        await expect(ask(unknown)).rejects.toMatchObject(refusal(403, 'InvalidAccessKeyId'));
        for (const systemClockOffset of [-20 * 60_000, 20 * 60_000]) {
          const late = clientOf(target(), { systemClockOffset });
          await expect(ask(late)).rejects.toMatchObject(refusal(403, 'RequestTimeTooSkewed'));
        }
      });

      it('may use a presigned address for what it was made for, until it expires', async () => {
        await put('presigned', 'bytes');
        const get = new GetObjectCommand({
          Bucket: bucket,
          Key: 'presigned',
          ResponseContentDisposition: 'attachment; filename="x.wav"',
        });
        const url = await getSignedUrl(s3, get, { expiresIn: 60 });
        const answer = await fetch(url);
        expect(await answer.text()).toBe('bytes');
        expect(answer.headers.get('content-disposition')).toBe('attachment; filename="x.wav"');
        expect((await fetch(url.replace('/presigned?', '/secret?'))).status).toBe(403);
        expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
        const signedAt = new Date(Date.now() - 120_000);
        const expired = await getSignedUrl(s3, get, { expiresIn: 60, signingDate: signedAt });
        expect((await fetch(expired)).status).toBe(403);
        const put_ = new PutObjectCommand({ Bucket: bucket, Key: 'presigned-put' });
        const into = await getSignedUrl(s3, put_, { expiresIn: 60 });
        expect((await fetch(into, { method: 'PUT', body: 'sent' })).status).toBe(200);
        expect((await get_('presigned-put')).toString()).toBe('sent');
      });
      const get_ = async (key: string) => (await get(key)).bytes;

      it('that hang up in the middle leave nothing', async () => {
        const command = new PutObjectCommand({ Bucket: bucket, Key: 'hung-up', ContentLength: 1_000_000 });
        const url = new URL(await getSignedUrl(s3, command, { expiresIn: 60 }));
        await new Promise<void>((resolve) => {
          const sending = request(url, { method: 'PUT', headers: { 'content-length': '1000000' } });
          sending.on('error', () => resolve());
          sending.on('close', () => resolve());
          sending.write(randomBytes(300_000), () => sending.destroy());
        });
        await expect(head('hung-up')).rejects.toMatchObject(refusal(404));
      });
    });
  });
}

/** Requests on multipart uploads. Source: S3 API Reference, per operation. */
import { receiveFile, receiveText } from './body.js';
import type { Bucket } from './bucket.js';
import { answerEmpty, answerXml, type Call } from './call.js';
import { S3Error } from './errors.js';
import { conditionsOf, describe } from './object-requests.js';
import { childText, childrenOf, parseXml, tag } from './xml.js';

export async function uploadRequest(call: Call, bucket: Bucket): Promise<void> {
  const { key, method, query, store } = call;
  if (query.has('uploads')) {
    if (method !== 'POST') throw new S3Error('MethodNotAllowed');
    const { id } = await store.uploads.start({ bucket: bucket.name, key, ...describe(call) });
    const answer = tag('Bucket', bucket.name) + tag('Key', key) + tag('UploadId', id);
    return answerXml(call, `<InitiateMultipartUploadResult>${answer}</InitiateMultipartUploadResult>`);
  }
  const upload = store.uploads.existing(query.get('uploadId') ?? '', bucket.name, key);
  switch (method) {
    case 'PUT':
      return uploadPart(call, bucket);
    case 'GET':
      return listParts(call, bucket);
    case 'POST':
      return complete(call, bucket);
    case 'DELETE':
      await store.uploads.remove(upload);
      return answerEmpty(call, 204);
    default:
      throw new S3Error('MethodNotAllowed');
  }
}

function uploadOf({ key, query, store }: Call, bucket: Bucket): ReturnType<typeof store.uploads.existing> {
  return store.uploads.existing(query.get('uploadId') ?? '', bucket.name, key);
}

async function uploadPart(call: Call, bucket: Bucket): Promise<void> {
  const number = Number(call.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) throw new S3Error('InvalidArgument');
  if (call.request.headers['x-amz-copy-source'] !== undefined) throw new S3Error('NotImplemented');
  const { bytes, md5, checksum, temporary } = await receiveFile(call);
  await call.store.uploads.addPart(uploadOf(call, bucket), { number, md5, bytes }, temporary);
  answerEmpty(call, 200, { etag: `"${md5}"`, ...checksum });
}

async function listParts(call: Call, bucket: Bucket): Promise<void> {
  const upload = uploadOf(call, bucket);
  const limit = Math.min(1000, Math.max(1, Number(call.query.get('max-parts') ?? 1000) || 1000));
  const marker = Number(call.query.get('part-number-marker') ?? 0) || 0;
  const rest = (await call.store.uploads.parts(upload)).filter(({ number }) => number > marker);
  const parts = rest.slice(0, limit);
  const isTruncated = rest.length > parts.length;
  const written = parts.map(
    ({ number, md5, bytes }) =>
      `<Part>${tag('PartNumber', number)}${tag('ETag', `"${md5}"`)}${tag('Size', bytes)}</Part>`,
  );
  const head =
    tag('Bucket', bucket.name) + tag('Key', upload.key) + tag('UploadId', upload.id) + tag('IsTruncated', isTruncated);
  const next = isTruncated ? tag('NextPartNumberMarker', parts.at(-1)?.number ?? 0) : '';
  answerXml(call, `<ListPartsResult>${head}${next}${written.join('')}</ListPartsResult>`);
}

async function complete(call: Call, bucket: Bucket): Promise<void> {
  const root = parseXml(await receiveText(call));
  if (root.name !== 'CompleteMultipartUpload') throw new S3Error('MalformedXML');
  const asked = childrenOf(root, 'Part').map((part) => ({
    number: Number(childText(part, 'PartNumber')),
    etag: childText(part, 'ETag') ?? '',
  }));
  const conditions = conditionsOf(call);
  bucket.check(call.key, conditions);
  const upload = uploadOf(call, bucket);
  const { entry, temporary } = await call.store.uploads.assemble(upload, asked);
  await bucket.put(entry, temporary, conditions);
  // After a crash here the object is there and the upload too: completing again gives the same, aborting removes it.
  await call.store.uploads.remove(upload);
  const answer =
    tag('Location', `/${bucket.name}/${call.key}`) +
    tag('Bucket', bucket.name) +
    tag('Key', call.key) +
    tag('ETag', entry.etag);
  answerXml(call, `<CompleteMultipartUploadResult>${answer}</CompleteMultipartUploadResult>`);
}

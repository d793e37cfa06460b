/** Requests on objects. Source: S3 API Reference, per operation. */
import { pipeline } from 'node:stream/promises';
import type { Bucket, WriteConditions } from './bucket.js';
import { answerEmpty, answerXml, checkedTags, header, type Call } from './call.js';
import { receiveFile, receiveText } from './body.js';
import type { Entry } from './entry.js';
import { S3Error } from './errors.js';
import { decode } from './signature.js';
import { uploadRequest } from './upload-requests.js';
import { childText, childrenOf, parseXml, tag } from './xml.js';

const maxKeyBytes = 1024;

/** Parameters that ask for nothing else than the object itself. */
const plainParameters = /^(versionId|x-id|response-[a-z-]+)$|^x-amz-/i;

/** Headers that ask for something not done here; to ignore them would be to promise it. */
const unsupportedHeaders =
  /^x-amz-(object-lock|server-side-encryption|website-redirect|grant|copy-source-(if|server-side|range)|write-offset)-?/;

export async function objectRequest(call: Call): Promise<void> {
  const { bucketName, key, method, query, request, store } = call;
  if (Buffer.byteLength(key) > maxKeyBytes) throw new S3Error('KeyTooLongError');
  const bucket = store.bucket(bucketName);
  const version = query.get('versionId');
  if (version !== null && version !== 'null') throw new S3Error('NoSuchVersion');
  if (Object.keys(request.headers).some((name) => unsupportedHeaders.test(name))) throw new S3Error('NotImplemented');
  if (query.has('uploads') || query.has('uploadId')) return uploadRequest(call, bucket);
  const aspects = [...query.keys()].filter((name) => !plainParameters.test(name));
  if (aspects.length === 1 && aspects[0] === 'tagging') return taggingRequest(call, bucket);
  if (aspects.length > 0) throw new S3Error('NotImplemented');
  switch (method) {
    case 'GET':
    case 'HEAD':
      return readObject(call, bucket);
    case 'PUT':
      return request.headers['x-amz-copy-source'] === undefined ? putObject(call, bucket) : copyObject(call, bucket);
    case 'DELETE':
      await bucket.delete([key]);
      return answerEmpty(call, 204);
    default:
      throw new S3Error('MethodNotAllowed');
  }
}

const keptHeaders = /^(x-amz-meta-.+|cache-control|content-disposition|content-language|expires)$/;

/** What the headers of a write say of the object to be. */
export function describe({ request }: Call): Pick<Entry, 'contentType' | 'headers' | 'tags'> {
  const storageClass = header(request, 'x-amz-storage-class');
  const acl = header(request, 'x-amz-acl');
  if ((storageClass ?? 'STANDARD') !== 'STANDARD' || (acl ?? 'private') !== 'private')
    throw new S3Error('NotImplemented');
  const headers: Record<string, string> = {};
  for (const name of Object.keys(request.headers)) {
    const value = keptHeaders.test(name) ? header(request, name) : undefined;
    if (value !== undefined) headers[name] = value;
  }
  const encodings = (header(request, 'content-encoding') ?? '').split(',').map((each) => each.trim());
  const encoding = encodings.filter((each) => each !== '' && each !== 'aws-chunked').join(', ');
  if (encoding) headers['content-encoding'] = encoding;
  return {
    contentType: header(request, 'content-type') ?? 'binary/octet-stream',
    headers,
    tags: checkedTags(new URLSearchParams(header(request, 'x-amz-tagging') ?? '')),
  };
}

export function conditionsOf({ request }: Call): WriteConditions {
  return { ifMatch: header(request, 'if-match'), ifNoneMatch: header(request, 'if-none-match') };
}

async function putObject(call: Call, bucket: Bucket): Promise<void> {
  const description = describe(call);
  const conditions = conditionsOf(call);
  bucket.check(call.key, conditions); // before the bytes are asked for, and once more when they are there
  const { bytes, md5, checksum, temporary } = await receiveFile(call);
  const etag = `"${md5}"`;
  await bucket.put({ key: call.key, bytes, etag, checksum, ...description }, temporary, conditions);
  answerEmpty(call, 200, { etag, ...checksum });
}

async function copyObject(call: Call, bucket: Bucket): Promise<void> {
  const source = decode(header(call.request, 'x-amz-copy-source') ?? '').replace(/^\//, '');
  const [path = '', version] = source.split('?versionId=');
  if (version !== undefined && version !== 'null') throw new S3Error('NoSuchVersion');
  const slash = path.indexOf('/');
  if (slash < 1) throw new S3Error('InvalidArgument');
  const from = call.store.bucket(path.slice(0, slash));
  const entry = from.existing(path.slice(slash + 1));
  const isReplaced = (name: string): boolean => header(call.request, name)?.toUpperCase() === 'REPLACE';
  const newFacts = isReplaced('x-amz-metadata-directive');
  const newTags = isReplaced('x-amz-tagging-directive');
  if (from === bucket && entry.key === call.key && !newFacts) {
    throw new S3Error('InvalidRequest', 'A copy onto itself must change the metadata.');
  }
  const described = describe(call);
  const { contentType, headers } = newFacts ? described : entry;
  const { tags } = newTags ? described : entry;
  const { bytes, etag, checksum } = entry;
  const copy = { key: call.key, bytes, etag, checksum, contentType, headers, tags };
  const stored = await bucket.put(copy, await from.copyData(entry), conditionsOf(call));
  const modified = tag('LastModified', new Date(stored.modifiedAtMs).toISOString());
  answerXml(call, `<CopyObjectResult>${modified}${tag('ETag', etag)}</CopyObjectResult>`);
}

async function taggingRequest(call: Call, bucket: Bucket): Promise<void> {
  const { tags } = bucket.existing(call.key);
  if (call.method === 'GET') {
    const written = Object.entries(tags).map(([name, value]) => `<Tag>${tag('Key', name)}${tag('Value', value)}</Tag>`);
    return answerXml(call, `<Tagging><TagSet>${written.join('')}</TagSet></Tagging>`);
  }
  if (call.method === 'DELETE') {
    await bucket.setTags(call.key, {});
    return answerEmpty(call, 204);
  }
  if (call.method !== 'PUT') throw new S3Error('MethodNotAllowed');
  const root = parseXml(await receiveText(call));
  const set = childrenOf(root, 'TagSet')[0];
  if (root.name !== 'Tagging' || !set) throw new S3Error('MalformedXML');
  const pairs = childrenOf(set, 'Tag').map((each): [string, string] => [
    childText(each, 'Key') ?? '',
    childText(each, 'Value') ?? '',
  ]);
  await bucket.setTags(call.key, checkedTags(pairs));
  return answerEmpty(call, 200);
}

/** A quoted list of entity tags holds `etag`, or is `*`. */
function holds(list: string, etag: string): boolean {
  return list
    .split(',')
    .some(
      (each) => each.trim() === '*' || each.trim().replace(/^W\//, '').replaceAll('"', '') === etag.replaceAll('"', ''),
    );
}

/** 304, 412 or nothing, as RFC 9110 §13.2.2 orders the conditions of a read. */
function conditionalStatus({ request }: Call, entry: Entry): 304 | 412 | undefined {
  const modifiedAtMs = Math.floor(entry.modifiedAtMs / 1000) * 1000;
  const match = header(request, 'if-match');
  const noneMatch = header(request, 'if-none-match');
  const unmodifiedSince = Date.parse(header(request, 'if-unmodified-since') ?? '');
  const modifiedSince = Date.parse(header(request, 'if-modified-since') ?? '');
  if (match !== undefined ? !holds(match, entry.etag) : modifiedAtMs > unmodifiedSince) return 412;
  if (noneMatch !== undefined ? holds(noneMatch, entry.etag) : modifiedAtMs <= modifiedSince) return 304;
  return undefined;
}

/** The bytes asked for, inclusive; undefined for all of them. More ranges than one are answered in full, as S3 does. */
function rangeOf({ request }: Call, bytes: number): { start: number; end: number } | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header(request, 'range')?.trim() ?? '');
  const [, first = '', last = ''] = found ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (first !== '' && last !== '' && Number(first) > Number(last)) return undefined;
  if (start > end) throw new S3Error('InvalidRange', undefined, { 'content-range': `bytes */${bytes}` });
  return { start, end };
}

async function readObject(call: Call, bucket: Bucket): Promise<void> {
  const { query, response } = call;
  const { entry, file } = await bucket.openData(bucket.existing(call.key));
  try {
    const headers: Record<string, string> = {
      ...entry.headers,
      etag: entry.etag,
      'last-modified': new Date(entry.modifiedAtMs).toUTCString(),
      'accept-ranges': 'bytes',
      'content-type': entry.contentType,
    };
    const status = conditionalStatus(call, entry);
    if (status === 412) throw new S3Error('PreconditionFailed');
    if (status === 304) return answerEmpty(call, 304, headers);
    for (const name of [
      'content-type',
      'content-language',
      'expires',
      'cache-control',
      'content-disposition',
      'content-encoding',
    ]) {
      const override = query.get(`response-${name}`);
      if (override !== null) headers[name] = override;
    }
    const tagCount = Object.keys(entry.tags).length;
    if (tagCount > 0) headers['x-amz-tagging-count'] = String(tagCount);
    const range = rangeOf(call, entry.bytes);
    if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${entry.bytes}`;
    else if (header(call.request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED')
      Object.assign(headers, entry.checksum);
    headers['content-length'] = String(range ? range.end - range.start + 1 : entry.bytes);
    response.writeHead(range ? 206 : 200, headers);
    if (call.method === 'HEAD' || entry.bytes === 0) {
      response.end();
      return;
    }
    const { start, end } = range ?? { start: 0, end: entry.bytes - 1 };
    await pipeline(file.createReadStream({ start, end, highWaterMark: 1 << 18, autoClose: false }), response);
  } finally {
    await file.close();
  }
}

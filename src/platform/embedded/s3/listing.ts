/** ListObjectsV2 and ListObjectVersions. A page costs what it holds, wherever in the bucket it begins. */
import type { Bucket } from './bucket.js';
import type { Entry } from './entry.js';
import { S3Error } from './errors.js';
import { encode } from './signature.js';
import { compareKeys } from './sorted-keys.js';
import { escape, tag } from './xml.js';

const maxPage = 1000;

interface Page {
  items: ({ entry: Entry } | { commonPrefix: string })[];
  isTruncated: boolean;
  /** The last key or common prefix of this page; the next one begins after it. */
  last: string;
}

/** One page of what begins with `prefix` and comes after `after`, a key or a common prefix. */
export function page(bucket: Bucket, prefix: string, delimiter: string, after: string, limit: number): Page {
  const result: Page = { items: [], isTruncated: false, last: '' };
  const beyond = (start: string): string | undefined =>
    bucket.keys.first((key) => !key.startsWith(start) && compareKeys(key, start) > 0);
  const isCommonPrefix =
    delimiter !== '' && after.startsWith(prefix) && after.length > prefix.length && after.endsWith(delimiter);
  let key: string | undefined;
  if (isCommonPrefix) key = beyond(after);
  else if (after !== '' && compareKeys(after, prefix) >= 0) key = bucket.keys.after(after);
  else key = bucket.keys.first((candidate) => compareKeys(candidate, prefix) >= 0);
  while (key?.startsWith(prefix)) {
    if (result.items.length === limit) {
      result.isTruncated = limit > 0;
      break;
    }
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut >= 0) {
      const commonPrefix = key.slice(0, cut + delimiter.length);
      result.items.push({ commonPrefix });
      result.last = commonPrefix;
      key = beyond(commonPrefix);
    } else {
      result.items.push({ entry: bucket.existing(key) });
      result.last = key;
      key = bucket.keys.after(key);
    }
  }
  return result;
}

interface Asked {
  prefix: string;
  delimiter: string;
  limit: number;
  /** Writes a key as the client wants it: as it is, or percent-encoded for characters XML cannot hold. */
  name: (key: string) => string;
  encoding: string;
}

function read(query: URLSearchParams): Asked {
  const limit = query.get('max-keys') ?? String(maxPage);
  if (!/^\d{1,9}$/.test(limit)) throw new S3Error('InvalidArgument');
  const encoding = query.get('encoding-type');
  if (encoding !== null && encoding !== 'url') throw new S3Error('InvalidArgument');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: Math.min(Number(limit), maxPage),
    name: encoding === 'url' ? (key) => key.split('/').map(encode).join('/') : escape,
    encoding: encoding === 'url' ? tag('EncodingType', 'url') : '',
  };
}

function facts(entry: Entry, name: (key: string) => string): string {
  return (
    `<Key>${name(entry.key)}</Key>` +
    tag('LastModified', new Date(entry.modifiedAtMs).toISOString()) +
    tag('ETag', entry.etag) +
    tag('Size', entry.bytes) +
    tag('StorageClass', 'STANDARD')
  );
}

function commonPrefixes({ items }: Page, name: (key: string) => string): string {
  return items
    .map((item) =>
      'commonPrefix' in item ? `<CommonPrefixes><Prefix>${name(item.commonPrefix)}</Prefix></CommonPrefixes>` : '',
    )
    .join('');
}

/** The answer to ListObjectsV2. Throws `InvalidArgument`. */
export function listObjects(bucket: Bucket, query: URLSearchParams): string {
  const asked = read(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = token === null ? startAfter : Buffer.from(token, 'base64url').toString();
  const found = page(bucket, asked.prefix, asked.delimiter, after, asked.limit);
  const contents = found.items.map((item) =>
    'entry' in item ? `<Contents>${facts(item.entry, asked.name)}</Contents>` : '',
  );
  return [
    '<ListBucketResult>',
    tag('Name', bucket.name),
    `<Prefix>${asked.name(asked.prefix)}</Prefix>`,
    asked.delimiter && `<Delimiter>${asked.name(asked.delimiter)}</Delimiter>`,
    asked.encoding,
    startAfter && `<StartAfter>${asked.name(startAfter)}</StartAfter>`,
    token === null ? '' : tag('ContinuationToken', token),
    tag('KeyCount', found.items.length),
    tag('MaxKeys', asked.limit),
    tag('IsTruncated', found.isTruncated),
    found.isTruncated ? tag('NextContinuationToken', Buffer.from(found.last).toString('base64url')) : '',
    ...contents,
    commonPrefixes(found, asked.name),
    '</ListBucketResult>',
  ].join('');
}

/** The answer to ListObjectVersions: each object has one version, called `null` as in any bucket without versioning. */
export function listVersions(bucket: Bucket, query: URLSearchParams): string {
  const asked = read(query);
  const found = page(bucket, asked.prefix, asked.delimiter, query.get('key-marker') ?? '', asked.limit);
  const versions = found.items.map((item) => {
    if (!('entry' in item)) return '';
    return `<Version>${facts(item.entry, asked.name)}${tag('VersionId', 'null')}${tag('IsLatest', true)}</Version>`;
  });
  return [
    '<ListVersionsResult>',
    tag('Name', bucket.name),
    `<Prefix>${asked.name(asked.prefix)}</Prefix>`,
    `<KeyMarker>${asked.name(query.get('key-marker') ?? '')}</KeyMarker>`,
    '<VersionIdMarker></VersionIdMarker>',
    asked.delimiter && `<Delimiter>${asked.name(asked.delimiter)}</Delimiter>`,
    asked.encoding,
    tag('MaxKeys', asked.limit),
    tag('IsTruncated', found.isTruncated),
    found.isTruncated &&
      `<NextKeyMarker>${asked.name(found.last)}</NextKeyMarker>${tag('NextVersionIdMarker', 'null')}`,
    ...versions,
    commonPrefixes(found, asked.name),
    '</ListVersionsResult>',
  ]
    .filter(Boolean)
    .join('');
}

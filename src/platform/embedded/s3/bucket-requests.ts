/** Requests on the account and on buckets. Source: S3 API Reference, per operation. */
import { answerEmpty, answerXml, isTrue, type Call } from './call.js';
import { receiveText } from './body.js';
import { asS3Error, S3Error } from './errors.js';
import { readLifecycle, writeLifecycle } from './lifecycle-xml.js';
import { listObjects, listVersions } from './listing.js';
import { childText, childrenOf, escape, parseXml, tag } from './xml.js';

/** ListBuckets. */
export function accountRequest(call: Call): void {
  if (call.method !== 'GET') throw new S3Error('MethodNotAllowed');
  const buckets = call.store.buckets.map(
    ({ name, createdAt }) => `<Bucket>${tag('Name', name)}${tag('CreationDate', createdAt.toISOString())}</Bucket>`,
  );
  answerXml(call, `<ListAllMyBucketsResult><Buckets>${buckets.join('')}</Buckets></ListAllMyBucketsResult>`);
}

/** Parameters of listings and the like; whatever else stands in a query asks for something not done here. */
const plainParameters = new Set([
  ...['list-type', 'prefix', 'delimiter', 'max-keys', 'max-uploads', 'encoding-type', 'fetch-owner', 'x-id'],
  ...['continuation-token', 'start-after', 'key-marker', 'version-id-marker', 'upload-id-marker'],
]);

/** Which part of a bucket the query asks for, such as `lifecycle`; empty for the bucket itself. */
function aspectOf(query: URLSearchParams): string {
  const aspects = [...query.keys()].filter((name) => !plainParameters.has(name) && !/^x-amz-/i.test(name));
  if (aspects.length > 1) throw new S3Error('NotImplemented');
  return aspects[0] ?? '';
}

export async function bucketRequest(call: Call): Promise<void> {
  const { bucketName, method, query, store } = call;
  const aspect = aspectOf(query);
  if (aspect === '' && method === 'PUT') {
    const acl = call.request.headers['x-amz-acl'];
    if (call.request.headers['x-amz-bucket-object-lock-enabled'] === 'true') throw new S3Error('NotImplemented');
    if (acl !== undefined && acl !== 'private') throw new S3Error('NotImplemented');
    await receiveText(call); // the region, which is all the same here
    await store.createBucket(bucketName);
    return answerEmpty(call, 200, { location: `/${bucketName}` });
  }
  const bucket = store.bucket(bucketName);
  switch (`${method} ${aspect}`) {
    case 'HEAD ':
      return answerEmpty(call, 200);
    case 'DELETE ':
      await store.deleteBucket(bucketName);
      return answerEmpty(call, 204);
    case 'GET ':
      if (query.get('list-type') !== '2')
        throw new S3Error('NotImplemented', 'Objects are listed with list-type=2 here.');
      return answerXml(call, listObjects(bucket, query));
    case 'GET versions':
      return answerXml(call, listVersions(bucket, query));
    case 'GET uploads':
      return listUploads(call);
    case 'POST delete':
      return deleteObjects(call);
    case 'GET location':
      return answerXml(call, '<LocationConstraint></LocationConstraint>');
    case 'GET versioning':
      return answerXml(call, '<VersioningConfiguration></VersioningConfiguration>');
    case 'GET object-lock':
      throw new S3Error('ObjectLockConfigurationNotFoundError');
    case 'GET lifecycle': {
      const rules = store.rules(bucketName);
      if (rules.length === 0) throw new S3Error('NoSuchLifecycleConfiguration');
      return answerXml(call, writeLifecycle(rules));
    }
    case 'PUT lifecycle':
      await store.setRules(bucketName, readLifecycle(await receiveText(call)));
      return answerEmpty(call, 200);
    case 'DELETE lifecycle':
      await store.setRules(bucketName, []);
      return answerEmpty(call, 204);
    default:
      throw new S3Error(aspect === '' ? 'MethodNotAllowed' : 'NotImplemented');
  }
}

/** ListMultipartUploads, without delimiter. */
function listUploads(call: Call): void {
  const { bucketName, query, store } = call;
  if (query.get('delimiter')) throw new S3Error('NotImplemented');
  const limit = Math.min(1000, Math.max(1, Number(query.get('max-uploads') ?? 1000) || 1000));
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const all = store.uploads.of(bucketName).filter(({ key }) => key.startsWith(query.get('prefix') ?? ''));
  const marked = all.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const rest = marked >= 0 ? all.slice(marked + 1) : keyMarker === '' ? all : all.filter(({ key }) => key > keyMarker);
  const uploads = rest.slice(0, limit);
  const last = uploads.at(-1);
  const isTruncated = rest.length > uploads.length;
  answerXml(
    call,
    [
      '<ListMultipartUploadsResult>',
      tag('Bucket', bucketName),
      tag('MaxUploads', limit),
      tag('IsTruncated', isTruncated),
      isTruncated && last && tag('NextKeyMarker', last.key) + tag('NextUploadIdMarker', last.id),
      ...uploads.map(
        ({ id, key, startedAtMs }) =>
          `<Upload>${tag('Key', key)}${tag('UploadId', id)}` +
          `${tag('Initiated', new Date(startedAtMs).toISOString())}</Upload>`,
      ),
      '</ListMultipartUploadsResult>',
    ]
      .filter(Boolean)
      .join(''),
  );
}

/** DeleteObjects: up to 1000 keys, each with its own outcome. */
async function deleteObjects(call: Call): Promise<void> {
  const root = parseXml(await receiveText(call));
  const bucket = call.store.bucket(call.bucketName);
  const objects = childrenOf(root, 'Object');
  if (root.name !== 'Delete' || objects.length === 0 || objects.length > 1000) throw new S3Error('MalformedXML');
  const asked = objects.map((object) => ({
    key: childText(object, 'Key') ?? '',
    versionId: childText(object, 'VersionId'),
  }));
  const valid = asked.filter(({ key, versionId }) => key !== '' && (versionId === undefined || versionId === 'null'));
  let failure: S3Error | undefined;
  try {
    await bucket.delete(valid.map(({ key }) => key));
  } catch (error) {
    failure = asS3Error(error);
  }
  const quiet = isTrue(root, 'Quiet');
  const results = asked.map((object) => {
    const version = object.versionId === undefined ? '' : tag('VersionId', object.versionId);
    const name = `<Key>${escape(object.key)}</Key>${version}`;
    const error = valid.includes(object)
      ? failure
      : new S3Error(object.key === '' ? 'InvalidArgument' : 'NoSuchVersion');
    if (error) return `<Error>${name}${tag('Code', error.code)}${tag('Message', error.message)}</Error>`;
    return quiet ? '' : `<Deleted>${name}</Deleted>`;
  });
  answerXml(call, `<DeleteResult>${results.join('')}</DeleteResult>`);
}

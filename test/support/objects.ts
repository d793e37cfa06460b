import { randomUUID } from 'node:crypto';
import { createLog } from '../../src/platform/log.js';
import { openObjects, type Objects, type ObjectStoreOptions } from '../../src/platform/objects.js';
import { inject } from 'vitest';
import type { S3Target } from './s3-conformance.js';

/** The S3 server that this run of tests shares. */
export function sharedS3(): S3Target {
  const { s3 } = inject('backends');
  if (s3 === null) throw new Error('The tests were started without an S3 server');
  return s3;
}

/** What it takes to open a bucket on `target`; a new one each time unless named. */
export function objectOptions(target: S3Target, bucket = `test-${randomUUID()}`): ObjectStoreOptions {
  const { endpoint, region, accessKeyId, secretAccessKey } = target;
  const credentials = { accessKeyId, secretAccessKey };
  return { endpoint, region, bucket, credentials, forcePathStyle: true, log: createLog('silent') };
}

/** A fresh, prepared bucket on the shared server, and how to let go of it. */
export async function openTestObjects(): Promise<{ objects: Objects; bucket: string; close(): void }> {
  const options = objectOptions(sharedS3());
  const objects = await openObjects(options);
  await objects.prepare();
  return { objects, bucket: options.bucket, close: () => objects.close() };
}

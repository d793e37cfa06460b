import type { S3Target } from './s3-conformance.js';

function needed(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(
      `These tests need a third-party S3 server: set S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ` +
        `(and REAL_S3_LC, the command that makes one lifecycle pass over the bucket and day length in seconds ` +
        `given as its last two arguments). ${name} is not set.`,
    );
  }
  return value;
}

/** The third-party server that the environment names. Throws, and so fails the test, when it names none. */
export function realS3(): S3Target {
  return {
    endpoint: needed('S3_ENDPOINT'),
    region: process.env['S3_REGION'] ?? 'us-east-1',
    accessKeyId: needed('AWS_ACCESS_KEY_ID'),
    secretAccessKey: needed('AWS_SECRET_ACCESS_KEY'),
  };
}

/** The command, split at spaces, after which a bucket and a day's length in seconds make one lifecycle pass. */
export function lifecycleCommand(): [string, ...string[]] {
  const [program = '', ...rest] = needed('REAL_S3_LC').trim().split(/\s+/);
  return [program, ...rest];
}

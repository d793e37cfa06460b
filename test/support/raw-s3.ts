/**
 * Requests to S3 put together by hand, for what no client would send. Signs by the book (S3 API Reference,
 * "Authenticating Requests") and shares nothing with the server's own reading of it.
 */
import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { S3Target } from './s3-conformance.js';

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export interface RawRequest {
  method: string;
  path: string;
  /** Lower case. Those in `unsigned` are sent along without being signed. */
  headers?: Record<string, string>;
  unsigned?: Record<string, string>;
  /** What stands for the body in the signature: its SHA-256, or one of the ways to stream. */
  payload: string;
}

export interface Signed {
  headers: Record<string, string>;
  signature: string;
  /** Signs what follows the request itself, such as a chunk: the given lines after time and scope. */
  signNext(kind: string, previous: string, ...lines: string[]): string;
}

export function sign(target: S3Target, { method, path, headers = {}, unsigned = {}, payload }: RawRequest): Signed {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${target.region}/s3/aws4_request`;
  const all: Record<string, string> = {
    ...headers,
    host: new URL(target.endpoint).host,
    'x-amz-content-sha256': payload,
    'x-amz-date': time,
  };
  const names = Object.keys(all).sort();
  const canonical = [method, path, '', ...names.map((name) => `${name}:${all[name]}`), '', names.join(';'), payload];
  const dayKey = hmac(`AWS4${target.secretAccessKey}`, time.slice(0, 8));
  const key = hmac(hmac(hmac(dayKey, target.region), 's3'), 'aws4_request');
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical.join('\n'))].join('\n')).toString(
    'hex',
  );
  const claim = `Credential=${target.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return {
    headers: { ...all, ...unsigned, authorization: `AWS4-HMAC-SHA256 ${claim}` },
    signature,
    signNext: (kind, previous, ...lines) =>
      hmac(key, [kind, time, scope, previous, ...lines].join('\n')).toString('hex'),
  };
}

export interface RawAnswer {
  status: number;
  code: string | undefined;
  headers: Record<string, string | string[] | undefined>;
}

/** Sends a signed request with these bytes as its body. */
export async function send(target: S3Target, request: RawRequest, body: Buffer | string = ''): Promise<RawAnswer> {
  const { headers } = sign(target, request);
  return transmit(target, request, headers, body);
}

export function transmit(
  target: S3Target,
  { method, path }: RawRequest,
  headers: Record<string, string>,
  body: Buffer | string,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest(new URL(path, target.endpoint), { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1];
        resolve({ status: answer.statusCode ?? 0, code, headers: answer.headers });
      });
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

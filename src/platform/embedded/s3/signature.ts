/**
 * AWS Signature Version 4, checked: in the Authorization header, and in the query of a presigned address.
 * Source: S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
 *
 * Times of signatures are held against the machine's own clock, not the movable one: clients sign by theirs.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { S3Error } from './errors.js';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** What a good signature says of the body that follows. */
export interface SignedRequest {
  /** The SHA-256 of the body in hex, `UNSIGNED-PAYLOAD`, or one of the `STREAMING-…` ways. */
  payload: string;
  /** Signs on from the request's own signature, for bodies signed chunk by chunk. */
  chain: SignatureChain;
}

const maxSkewMs = 15 * 60 * 1000;
const maxPresignedSeconds = 7 * 24 * 60 * 60;

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sameHex(expected: Buffer, given: string): boolean {
  const bytes = Buffer.from(/^[0-9a-f]{64}$/.test(given) ? given : '', 'hex');
  return bytes.length === expected.length && timingSafeEqual(expected, bytes);
}

/** Percent-encoding as signatures want it: everything but A–Z a–z 0–9 - . _ ~ */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Undoes percent-encoding. Throws `InvalidURI`. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI');
  }
}

/** Each signature of a chunk covers the one before it, so chunks cannot be left out, repeated or swapped. */
export class SignatureChain {
  constructor(
    private readonly key: Buffer,
    private readonly time: string,
    private readonly scope: string,
    private previous: string,
  ) {}

  /** Checks the signature of a chunk whose bytes have this SHA-256 (hex). Throws `SignatureDoesNotMatch`. */
  checkChunk(sha256: string, given: string): void {
    this.#check(['AWS4-HMAC-SHA256-PAYLOAD', this.time, this.scope, this.previous, sha256Hex(''), sha256], given);
  }

  /** Checks the signature of the trailer, given as its lines `name:value\n`. */
  checkTrailer(lines: string, given: string): void {
    this.#check(['AWS4-HMAC-SHA256-TRAILER', this.time, this.scope, this.previous, sha256Hex(lines)], given);
  }

  #check(parts: string[], given: string): void {
    const expected = hmac(this.key, parts.join('\n'));
    if (!sameHex(expected, given)) throw new S3Error('SignatureDoesNotMatch');
    this.previous = given;
  }
}

/** The instant of `20261122T093000Z`, in milliseconds, or NaN. */
function parseTime(text: string): number {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!found) return NaN;
  const [, year, month, day, hour, minute, second] = found;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

interface Claim {
  credential: string;
  signedHeaders: string[];
  signature: string;
  time: string;
  payload: string;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function claimOfHeader(request: IncomingMessage): Claim {
  const authorization = request.headers.authorization ?? '';
  const found = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)\s*$/.exec(
    authorization,
  );
  if (!found) throw new S3Error('AccessDenied');
  const [, credential = '', signedHeaders = '', signature = ''] = found;
  const time = headerOf(request, 'x-amz-date') ?? '';
  const payload = headerOf(request, 'x-amz-content-sha256');
  if (payload === undefined) throw new S3Error('InvalidRequest', 'The header x-amz-content-sha256 is needed.');
  const at = parseTime(time);
  if (!Number.isFinite(at)) throw new S3Error('AccessDenied', 'The header x-amz-date is needed.');
  if (Math.abs(Date.now() - at) > maxSkewMs) throw new S3Error('RequestTimeTooSkewed');
  return { credential, signedHeaders: signedHeaders.split(';'), signature, time, payload };
}

function claimOfQuery(request: IncomingMessage, query: URLSearchParams): Claim {
  const of = (name: string): string => query.get(`X-Amz-${name}`) ?? '';
  const time = of('Date');
  const at = parseTime(time);
  const seconds = Number(of('Expires') || NaN);
  if (of('Algorithm') !== 'AWS4-HMAC-SHA256' || !Number.isFinite(at)) throw new S3Error('AccessDenied');
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxPresignedSeconds) throw new S3Error('AccessDenied');
  if (at - Date.now() > maxSkewMs) throw new S3Error('RequestTimeTooSkewed');
  if (Date.now() > at + seconds * 1000) throw new S3Error('AccessDenied', 'The request has expired.');
  const payload = query.get('X-Amz-Content-Sha256') ?? headerOf(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD';
  return {
    credential: of('Credential'),
    signedHeaders: of('SignedHeaders').split(';'),
    signature: of('Signature'),
    time,
    payload,
  };
}

function canonicalPath(path: string): string {
  return path
    .split('/')
    .map((part) => encode(decode(part)))
    .join('/');
}

function canonicalQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='));
  return pairs
    .map((pair) => {
      const at = pair.indexOf('=');
      const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
      return { name: encode(decode(name)), value: encode(decode(value)) };
    })
    .sort((a, b) => (a.name === b.name ? (a.value < b.value ? -1 : 1) : a.name < b.name ? -1 : 1))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
}

/** Checks who sends `request`. Throws an `S3Error` of status 403, or 400 when the claim cannot be read. */
export function checkSignature(
  request: IncomingMessage,
  query: URLSearchParams,
  credentials: Credentials,
): SignedRequest {
  const claim = query.has('X-Amz-Algorithm') ? claimOfQuery(request, query) : claimOfHeader(request);
  const [accessKeyId, day = '', region = '', service, terminator] = claim.credential.split('/');
  if (accessKeyId !== credentials.accessKeyId) throw new S3Error('InvalidAccessKeyId');
  if (service !== 's3' || terminator !== 'aws4_request' || day !== claim.time.slice(0, 8))
    throw new S3Error('AccessDenied');
  const unsigned = Object.keys(request.headers).some(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !claim.signedHeaders.includes(name),
  );
  if (unsigned) throw new S3Error('AccessDenied', 'There were headers that must be signed and were not.');

  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const canonical = [
    request.method ?? '',
    canonicalPath(path),
    canonicalQuery(search),
    ...claim.signedHeaders.map((name) => `${name}:${(headerOf(request, name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders.join(';'),
    claim.payload,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const dayKey = hmac(`AWS4${credentials.secretAccessKey}`, day);
  const key = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request');
  const expected = hmac(key, ['AWS4-HMAC-SHA256', claim.time, scope, sha256Hex(canonical)].join('\n'));
  if (!sameHex(expected, claim.signature)) throw new S3Error('SignatureDoesNotMatch');
  return { payload: claim.payload, chain: new SignatureChain(key, claim.time, scope, claim.signature) };
}

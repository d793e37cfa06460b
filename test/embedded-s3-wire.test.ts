import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { systemClock } from '../src/platform/clock.js';
import { crc32c } from '../src/platform/embedded/s3/checksums.js';
import { startEmbeddedS3, type EmbeddedS3 } from '../src/platform/embedded/s3/server.js';
import { createLog } from '../src/platform/log.js';
import { clientOf, type S3Target } from './support/s3-conformance.js';
import { send, sha256, sign, transmit, type RawRequest } from './support/raw-s3.js';

const Bucket = 'bucket';
let folder: string;
let server: EmbeddedS3;
let target: S3Target;
let s3: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opname-s3-'));
  const credentials = { accessKeyId: 'wire', secretAccessKey: 'secret' };
  const log = createLog('silent');
  server = await startEmbeddedS3({ folder, ...credentials, clock: systemClock, log, fsync: false });
  target = { endpoint: server.endpoint, region: 'eu-west-1', ...credentials };
  s3 = clientOf(target);
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function isThere(Key: string): Promise<boolean> {
  return s3.send(new HeadObjectCommand({ Bucket, Key })).then(
    () => true,
    () => false,
  );
}

const nothingTemporary = () =>
  vi.waitFor(async () => expect(await readdir(join(folder, 'temporary'))).toEqual([]), { timeout: 10_000 });

const body = randomBytes(200_000);

function putOf(key: string, more: Partial<RawRequest> = {}): RawRequest {
  return { method: 'PUT', path: `/${Bucket}/${key}`, payload: sha256(body), ...more };
}

describe('A signed request', () => {
  it('is taken when put together by the book', async () => {
    expect((await send(target, putOf('by-the-book'), body)).status).toBe(200);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'by-the-book' }));
    expect(Buffer.from(await Body!.transformToByteArray()).equals(body)).toBe(true);
  });

  it('is refused when the body is not the one that was signed', async () => {
    const answer = await send(target, putOf('other-body'), Buffer.concat([body.subarray(1), Buffer.from('!')]));
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
    expect(await isThere('other-body')).toBe(false);
    await nothingTemporary();
  });

  it.each([
    ['a header that counts was added', { headers: { 'x-amz-tagging': 'hold=0' } }],
    ['a signed header was changed', { headers: { 'x-amz-date': '20260101T000000Z' } }],
  ])('is refused when %s on the way', async (_what, { headers }) => {
    const { headers: signed } = sign(target, putOf('changed'));
    const answer = await transmit(target, putOf('changed'), { ...signed, ...headers }, body);
    expect(answer.status).toBe(403);
    expect(await isThere('changed')).toBe(false);
  });

  it('is refused for another method, another key, and with half a claim', async () => {
    const { headers } = sign(target, putOf('mine'));
    expect(await transmit(target, putOf('yours'), headers, body)).toMatchObject({ status: 403 });
    expect(await transmit(target, putOf('mine', { method: 'DELETE' }), headers, '')).toMatchObject({ status: 403 });
    for (const authorization of [
      '',
      'AWS4-HMAC-SHA256 Credential=x',
      headers['authorization']!.slice(0, -2),
      'Basic eDp5',
    ]) {
      const answer = await transmit(target, putOf('mine'), { ...headers, authorization }, body);
      expect(answer.status).toBe(403);
    }
  });

  it('that cannot be read is refused, and the server goes on', async () => {
    expect((await send(target, putOf('%zz'), body)).status).toBe(400);
    expect((await send(target, { ...putOf(''), path: '/..%2F..%2Fetc/passwd' }, body)).status).toBe(404);
    expect((await send(target, { method: 'GET', path: '/Not_A_Bucket', payload: sha256('') })).status).toBe(404);
    const made = await send(target, { method: 'PUT', path: '/Not_A_Bucket', payload: sha256('') });
    expect(made).toMatchObject({ status: 400, code: 'InvalidBucketName' });
    const socket = connect(Number(new URL(server.endpoint).port), '127.0.0.1');
    socket.resume().end('this is not HTTP\r\n\r\n');
    await once(socket, 'close');
    expect(await isThere('by-the-book')).toBe(true);
  });

  it.each(['object-lock-mode', 'server-side-encryption', 'website-redirect-location'])(
    'asking for what is not done here (x-amz-%s) is refused rather than half obeyed',
    async (name) => {
      const answer = await send(target, putOf('asks-more', { headers: { [`x-amz-${name}`]: 'x' } }), body);
      expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
      expect(await isThere('asks-more')).toBe(false);
    },
  );
});

describe('The length of a body', () => {
  it('must be told', async () => {
    const chunked = putOf('unmeasured', { payload: 'UNSIGNED-PAYLOAD', unsigned: { 'transfer-encoding': 'chunked' } });
    expect(await send(target, chunked, body)).toMatchObject({ status: 411, code: 'MissingContentLength' });
  });

  it.each([199_999, 200_001])('must be as told for chunks too: %d instead of 200000', async (told) => {
    const headers = { 'x-amz-decoded-content-length': String(told), 'content-encoding': 'aws-chunked' };
    const wrong = putOf('wrong-length', { payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers });
    const sent = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
    expect(await send(target, wrong, sent)).toMatchObject({ status: 400, code: 'IncompleteBody' });
    expect(await isThere('wrong-length')).toBe(false);
    await nothingTemporary();
  });

  it('that is refused before it comes opens no file', async () => {
    const opened = async () => {
      const links = await Promise.all((await readdir('/proc/self/fd')).map((each) => readlink(join('/proc/self/fd', each)).catch(() => '')));
      return links.filter((link) => link.startsWith(join(folder, 'temporary')));
    };
    for (let turn = 0; turn < 20; turn += 1) {
      const refused = putOf('refused', { headers: { 'content-md5': 'no digest' } });
      expect(await send(target, refused, body)).toMatchObject({ status: 400, code: 'InvalidDigest' });
    }
    await nothingTemporary();
    expect(await opened()).toEqual([]);
  });

  it('that never comes leaves nothing', async () => {
    const { headers } = sign(target, putOf('hung-up'));
    const sending = request(new URL(`/${Bucket}/hung-up`, target.endpoint), {
      method: 'PUT',
      headers: { ...headers, 'content-length': '200000' },
    });
    sending.on('error', () => undefined);
    sending.write(body.subarray(0, 100_000));
    await vi.waitFor(async () => expect((await readdir(join(folder, 'temporary'))).length).toBe(1), {
      timeout: 10_000,
    });
    sending.destroy();
    await nothingTemporary();
    expect(await isThere('hung-up')).toBe(false);
  });
});

describe('A checksum in the trailer', () => {
  const value = createHash('sha256').update(body).digest('base64');
  const sendWith = (key: string, trailer: string) => {
    const headers = {
      'x-amz-decoded-content-length': String(body.length),
      'x-amz-trailer': 'x-amz-checksum-sha256',
      'content-encoding': 'aws-chunked',
    };
    const chunks = [body.subarray(0, 65_536), body.subarray(65_536)];
    const sent = chunks.flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]);
    const whole = Buffer.concat([...sent, Buffer.from(`0\r\n${trailer}\r\n`)]);
    return send(target, putOf(key, { payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers }), whole);
  };

  it('is checked', async () => {
    expect((await sendWith('trailer', `x-amz-checksum-sha256:${value}\r\n`)).status).toBe(200);
    const wrong = await sendWith('wrong-trailer', `x-amz-checksum-sha256:${createHash('sha256').digest('base64')}\r\n`);
    expect(wrong).toMatchObject({ status: 400, code: 'BadDigest' });
    expect(await isThere('wrong-trailer')).toBe(false);
    await nothingTemporary();
  });

  it.each([
    ['is missed when announced', ''],
    ['is missed when another comes', 'x-amz-checksum-crc32:AAAAAA==\r\n'],
    ['must be a header line', 'nonsense\r\n'],
  ])('%s', async (_what, trailer) => {
    expect(await sendWith('no-trailer', trailer)).toMatchObject({ status: 400, code: 'MalformedTrailerError' });
    expect(await isThere('no-trailer')).toBe(false);
  });

  it('of a kind that is not known is refused', async () => {
    const unknown = { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' };
    expect(await send(target, putOf('crc64', { headers: unknown }), body)).toMatchObject({ status: 501 });
  });
});

describe('A body signed chunk by chunk', () => {
  /** Sends `body` in signed chunks; `tamper` may change the pieces on the way. */
  const sendChunks = (key: string, tamper: (pieces: Buffer[]) => Buffer[] = (pieces) => pieces) => {
    const asked = putOf(key, {
      payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      headers: { 'x-amz-decoded-content-length': String(body.length), 'content-encoding': 'aws-chunked' },
    });
    const signed = sign(target, asked);
    let previous = signed.signature;
    const pieces = [body.subarray(0, 65_536), body.subarray(65_536, 131_072), body.subarray(131_072), Buffer.alloc(0)];
    const chunks = pieces.map((piece) => {
      previous = signed.signNext('AWS4-HMAC-SHA256-PAYLOAD', previous, sha256(''), sha256(piece));
      const head = `${piece.length.toString(16)};chunk-signature=${previous}\r\n`;
      return Buffer.concat([Buffer.from(head), piece, Buffer.from('\r\n')]);
    });
    return transmit(target, asked, signed.headers, Buffer.concat(tamper(chunks)));
  };

  it('is taken', async () => {
    expect((await sendChunks('chunks')).status).toBe(200);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'chunks' }));
    expect(Buffer.from(await Body!.transformToByteArray()).equals(body)).toBe(true);
  });

  it.each<[string, (pieces: Buffer[]) => Buffer[]]>([
    ['changed', ([first, ...rest]) => [Buffer.concat([first!.subarray(0, -3), Buffer.from('!\r\n')]), ...rest]],
    ['swapped', ([first, second, ...rest]) => [second!, first!, ...rest]],
    ['repeated', ([first, , ...rest]) => [first!, first!, ...rest]],
    ['left out at the end', (pieces) => pieces.slice(0, -1)],
  ])('is refused when a chunk is %s', async (what, tamper) => {
    const answer = await sendChunks(`chunks-${what.replaceAll(' ', '-')}`, tamper);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await isThere(`chunks-${what.replaceAll(' ', '-')}`)).toBe(false);
    await nothingTemporary();
  });
});

describe('A client that waits for leave to send', () => {
  it('is refused before it sends', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'x' }));
    const { headers } = sign(target, putOf('there', { headers: { 'if-none-match': '*' } }));
    const waiting = request(new URL(`/${Bucket}/there`, target.endpoint), {
      method: 'PUT',
      headers: { ...headers, expect: '100-continue', 'content-length': String(body.length) },
    });
    let isLet = false;
    waiting.on('continue', () => (isLet = true));
    waiting.flushHeaders();
    const [answer] = await once(waiting, 'response');
    expect((answer as { statusCode: number }).statusCode).toBe(412);
    expect(isLet).toBe(false);
    waiting.destroy();
  });
});

describe('CRC-32C', () => {
  it('has the values of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from('6789'), crc32c(Buffer.from('12345')))).toBe(crc32c(Buffer.from('123456789')));
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});

import { randomBytes } from 'node:crypto';
import { createServer, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Problem } from '../src/platform/problem.js';
import { factsOf } from '../src/platform/object-put.js';
import { openObjects, type Objects } from '../src/platform/objects.js';
import { collect, describeObjects } from './support/objects-conformance.js';
import { objectOptions, openTestObjects, sharedS3 } from './support/objects.js';

describeObjects('the embedded server', sharedS3);

interface Asked {
  method: string;
  path: string;
}

interface Answer {
  status: number;
  body: Buffer;
}

/** What a line between service and storage may do to a request, and to its answer. */
interface Line {
  request?(asked: Asked, body: Buffer): Buffer;
  answer?(asked: Asked, given: Answer): Answer | 'lost' | 'reset' | 'cut off';
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The shared server behind a line of one's own; what is signed, the host included, passes as it is. */
async function lineToStorage(line: Line): Promise<string> {
  const forward = (options: RequestOptions, body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => request(sharedS3().endpoint, options, resolve).on('error', reject).end(body));
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const asked = { method: incoming.method ?? '', path: incoming.url ?? '' };
      const sent = await buffer(incoming);
      const { expect: _expect, ...headers } = incoming.headers;
      const answer = await forward({ ...asked, headers }, line.request?.(asked, sent) ?? sent);
      const given = { status: answer.statusCode ?? 0, body: await buffer(answer) };
      const changed = line.answer?.(asked, given) ?? given;
      if (changed === 'lost') return incoming.socket.destroy();
      if (changed === 'reset') return incoming.socket.resetAndDestroy();
      if (changed === 'cut off') {
        outgoing.writeHead(given.status, answer.headers);
        return outgoing.write(given.body.subarray(0, 1000), () => incoming.socket.destroy());
      }
      const { 'content-length': length, ...others } = answer.headers;
      const isLengthTold = asked.method === 'HEAD' && length !== undefined;
      outgoing.writeHead(changed.status, isLengthTold ? { ...others, 'content-length': length } : others);
      return outgoing.end(changed.body);
    })();
  });
  onTestFinished(() => server.closeAllConnections());
  return listen(server);
}

async function objectsOver(line: Line): Promise<Objects> {
  const objects = await openObjects({ ...objectOptions(sharedS3()), endpoint: await lineToStorage(line) });
  onTestFinished(() => objects.close());
  return objects;
}

const text = 'text/plain';
const bytes = randomBytes(5000);
const flipped = (given: Buffer): Buffer => Buffer.concat([Buffer.from([given[0]! ^ 1]), given.subarray(1)]);
const isData = ({ method, path }: Asked, wanted: string): boolean => method === wanted && path.includes('/r/');
const unavailable = { code: 'storage-unavailable', status: 503 };

describe('Over a bad line', () => {
  it('what arrives changed is sent again', async () => {
    let sent = 0;
    const objects = await objectsOver({
      request: (asked, body) => (isData(asked, 'PUT') && sent++ === 0 ? flipped(body) : body),
    });
    await objects.prepare();
    await objects.putBytes('r/changed-once', bytes, text, { hold: '0' });
    expect(sent).toBeGreaterThan(1);
    expect((await buffer((await objects.read('r/changed-once'))!.body)).equals(bytes)).toBe(true);
  });

  it('what always arrives changed is not stored, and said so', async () => {
    const objects = await objectsOver({ request: (asked, body) => (isData(asked, 'PUT') ? flipped(body) : body) });
    await objects.prepare();
    await expect(objects.putBytes('r/changed', bytes, text, {})).rejects.toMatchObject(unavailable);
    expect(await objects.head('r/changed')).toBeUndefined();
  });

  it('an answer that is lost makes no second object and no conflict', async () => {
    let lost = 0;
    const objects = await objectsOver({
      answer: (asked, given) => (isData(asked, 'PUT') && lost++ === 0 ? 'lost' : given),
    });
    await objects.prepare();
    const stored = await objects.putBytes('r/lost', bytes, text, { hold: '0' }, { ifAbsent: true });
    expect(stored.bytes).toBe(bytes.length);
    expect(lost).toBeGreaterThan(1);
  });

  it('a connection that storage resets is tried again, and is the storage’s trouble when it stays so', async () => {
    let resets = 1;
    const objects = await objectsOver({ answer: (asked, given) => (isData(asked, 'PUT') && resets-- > 0 ? 'reset' : given) });
    await objects.prepare();
    const folder = await mkdtemp(path.join(tmpdir(), 'opname-objects-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'file');
    await writeFile(file, bytes);
    const stored = await objects.putFile('r/reset', file, factsOf(bytes, text, { hold: '0' }));
    expect([stored.bytes, resets < 0]).toEqual([bytes.length, true]);
    resets = 100;
    await expect(objects.putFile('r/reset-always', file, factsOf(bytes, text, { hold: '0' }))).rejects.toMatchObject(unavailable);
  });

  it('a storage that is busy is asked again, and named when it stays so', async () => {
    let refusals = 2;
    const objects = await objectsOver({
      answer: (asked, given) =>
        isData(asked, 'GET') && refusals-- > 0 ? { status: 503, body: Buffer.alloc(0) } : given,
    });
    await objects.prepare();
    await objects.putBytes('r/busy', bytes, text, {});
    refusals = 2;
    expect((await buffer((await objects.read('r/busy'))!.body)).equals(bytes)).toBe(true);
    refusals = 100;
    await expect(objects.read('r/busy')).rejects.toMatchObject(unavailable);
  });

  it('a read that is cut off ends in an error, not in fewer bytes', async () => {
    const objects = await objectsOver({ answer: (asked, given) => (isData(asked, 'GET') ? 'cut off' : given) });
    await objects.prepare();
    await objects.putBytes('r/cut', bytes, text, {});
    await expect(objects.read('r/cut').then((found) => collect(found!.body))).rejects.toThrow();
  });
});

describe('A storage that does not check what it is sent', () => {
  /** Says that all is well where the server said that the digest is wrong, and may give back other bytes. */
  const careless = (giveBack: (body: Buffer) => Buffer): Line => ({
    answer(asked, given) {
      if (asked.method === 'PUT' && given.body.includes('BadDigest')) return { status: 200, body: Buffer.alloc(0) };
      return isData(asked, 'GET') && !asked.path.includes('tagging') ? { ...given, body: giveBack(given.body) } : given;
    },
  });

  it('is found out, and read back', async () => {
    let readBack = 0;
    const objects = await objectsOver(careless((body) => (readBack++, body)));
    expect(await objects.prepare()).toMatchObject({ checksBytes: false });
    await objects.putBytes('r/good', bytes, text, {});
    expect(readBack).toBe(1);
  });

  it('is not believed when it gives back something else', async () => {
    const objects = await objectsOver(careless(flipped));
    await objects.prepare();
    await expect(objects.putBytes('r/bad', bytes, text, {})).rejects.toMatchObject(unavailable);
  });

  it('is what every storage is taken for until it was tried', async () => {
    const { objects, bucket, close } = await openTestObjects();
    onTestFinished(close);
    await objects.reachable();
    const endpoint = await lineToStorage(careless(flipped));
    const untried = await openObjects({ ...objectOptions(sharedS3(), bucket), endpoint });
    onTestFinished(() => untried.close());
    await expect(untried.putBytes('r/untried', bytes, text, {})).rejects.toMatchObject(unavailable);
  });
});

describe('A storage that can do less', () => {
  const refusing = (parameter: string, status: number): Line => ({
    answer: (asked, given) => (asked.path.includes(`?${parameter}`) ? { status, body: Buffer.alloc(0) } : given),
  });

  it('without lifecycle rules says so', async () => {
    const objects = await objectsOver(refusing('lifecycle', 501));
    await objects.prepare();
    expect(await objects.lifecycle()).toBe('unsupported');
    expect(await objects.putLifecycle([{ id: 'r', enabled: true, prefix: '', tags: {}, expireAfterDays: 1 }])).toBe(
      'unsupported',
    );
  });

  it('that does not tell whether it keeps versions is taken to keep them', async () => {
    const objects = await objectsOver(refusing('versioning', 403));
    expect(await objects.prepare()).toMatchObject({ versioning: 'unknown' });
    await objects.putBytes('r/x', bytes, text, {});
    expect(await objects.deleteEveryVersion(['r/x', 'r/never'])).toEqual([{ key: 'r/x' }, { key: 'r/never' }]);
    expect(await objects.confirmAbsent(['r/x'])).toEqual([]);
  });
});

describe('A storage that is away', () => {
  it('is named as such by every question', async () => {
    const closed = createTcpServer();
    const endpoint = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const objects = await openObjects({ ...objectOptions(sharedS3()), endpoint });
    onTestFinished(() => objects.close());
    const questions: (() => Promise<unknown>)[] = [
      () => objects.prepare(),
      () => objects.putBytes('k', bytes, text, {}),
      () => objects.read('k'),
      () => objects.head('k'),
      () => objects.tags('k'),
      () => objects.tag('k', {}),
      () => objects.deleteEveryVersion(['k']),
      () => objects.confirmAbsent(['k']),
      () => collect(objects.list('k')),
      () => objects.abortUploads('k'),
      () => objects.lifecycle(),
      () => objects.putLifecycle([]),
      () => objects.reachable(),
    ];
    const outcomes = await Promise.all(questions.map((ask) => ask().catch((error: unknown) => error)));
    for (const outcome of outcomes) {
      expect(outcome).toBeInstanceOf(Problem);
      expect(outcome).toMatchObject({ ...unavailable, headers: { 'Retry-After': '10' } });
    }
  });

  it('is not waited for when it takes the call and says nothing', async () => {
    const endpoint = await listen(createTcpServer((socket) => void onTestFinished(() => void socket.destroy())));
    const objects = await openObjects({ ...objectOptions(sharedS3()), endpoint });
    onTestFinished(() => objects.close());
    await expect(objects.reachable()).rejects.toMatchObject(unavailable);
    const reason = new Error('the caller went away');
    await expect(objects.reachable(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

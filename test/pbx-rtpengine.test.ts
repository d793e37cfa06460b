import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** Requests as rtpengine 26.0 and 12.5 made them, replayed byte for byte but for the path and the host. */

const folder = path.join(import.meta.dirname, 'recordings/rtpengine-26.0');
const file = (ending: string) => {
  const name = readdirSync(folder).find((each) => each.endsWith(ending));
  if (name === undefined) throw new Error(`no recording ends in ${ending}`);
  return { name, bytes: readFileSync(path.join(folder, name)), head: readFileSync(path.join(folder, `${name}.request`)) };
};

let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T21:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

interface Answered {
  status: number;
  body: Record<string, unknown>;
}

/** Writes a request as it is and reads the answer. */
function replay(head: Buffer, body: Buffer): Promise<Answered> {
  const { port } = new URL(service.url);
  const address = Buffer.from(`POST /api/v1/push/${service.pbxKey}/rtpengine HTTP/1.1\r\n`);
  const rest = head.subarray(head.indexOf('\r\n') + 2);
  const lines = Buffer.from(
    rest.toString('latin1').replace(/Content-Length: \d+/, `Content-Length: ${body.length}\r\nConnection: close`), 'latin1',
  );
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(Buffer.concat([address, lines, body])));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk as Buffer));
    socket.once('error', reject);
    socket.once('close', () => {
      const [answerHead = '', ...answerBody] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n');
      const text = answerBody.join('\r\n\r\n');
      resolve({ status: Number(answerHead.split(' ')[1]), body: JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as Record<string, unknown> });
    });
  });
}

/** The body that goes with a request: one part, neither file name nor type. */
function bodyOf(head: Buffer, bytes: Buffer): Buffer {
  const boundary = /boundary=(\S+)/.exec(head.toString('latin1'))?.[1] ?? '';
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="ngfile"\r\n\r\n`), bytes, Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

const pushed = (ending: string) => {
  const { bytes, head } = file(ending);
  return replay(head, bodyOf(head, bytes));
};

test('a whole request of rtpengine is kept byte for byte, and the same again is the same recording', async () => {
  const head = readFileSync(path.join(folder, 'example-body.request'));
  const body = readFileSync(path.join(folder, 'example-body.bin'));
  const first = await replay(head, body);
  expect(first.status).toBe(201);
  const start = body.indexOf('\r\n\r\n') + 4;
  const bytes = body.subarray(start, body.lastIndexOf('\r\n--'));
  expect(first.body).toMatchObject({
    callId: '20261122202248-1-0-20820@call.example', part: 'caller', leg: 'caller', sha256: createHash('sha256').update(bytes).digest('hex'),
    startedAt: '2026-11-22T20:22:51.159Z', endedAt: null, caller: { number: '+31850000101', name: 'Zoë_van_der_Bérg' },
    callee: { number: '+31850000001' }, direction: 'inbound',
  });
  const again = await replay(head, body);
  expect([again.status, again.body['id']]).toEqual([200, first.body['id']]);
});

describe('what a call left', () => {
  test('its mixed file is the call, its singles are parts told apart by their labels', async () => {
    // The callee's side comes first, as it did: nothing follows from the order.
    const callee = await pushed('83f05a52.mp3');
    const caller = await pushed('a04549b9.mp3');
    const mixed = await pushed('d98fbf20762ca3ee-mix.mp3');
    expect(callee.body).toMatchObject({ part: 'callee', leg: 'agent' });
    expect(caller.body).toMatchObject({ part: 'caller', leg: 'caller' });
    expect(mixed.body).toMatchObject({ part: '0', leg: null, caller: { number: '+31850000102', name: 'Bob_Example' } });
    expect(new Set([callee, caller, mixed].map((answer) => answer.body['callId'])).size).toBe(1);
  });

  test('names come as they were written, whatever the script', async () => {
    expect((await pushed('714c200ce157a2a4-mix.mp3')).body).toMatchObject({ caller: { name: 'Şükrü_Yılmaz' } });
    expect((await pushed('409599b4e95a79fb-mix.mp3')).body).toMatchObject({ caller: { name: '山田_太郎' } });
    expect((await pushed('54d4576c5b4e0d4e-mix.wav')).body).toMatchObject({ caller: { name: `O'Brien,_"Pat"` } });
  });
});

test('rtpengine 12.5, whose daemon pushed just these to Opname: with a file name in the part, the callee first', async () => {
  const whole = (name: string) => {
    const bytes = readFileSync(path.join(import.meta.dirname, `recordings/rtpengine-12.5/${name}.request`));
    const end = bytes.indexOf('\r\n\r\n') + 4;
    return replay(bytes.subarray(0, end), bytes.subarray(end));
  };
  const [mix, caller, callee] = [await whole('mix'), await whole('caller'), await whole('callee')];
  const told = { callId: 'vendor-trial-3@call.example', caller: { number: '+31850000101', name: 'Zoë van der Berg' }, queue: '600' };
  expect(mix).toMatchObject({ status: 201, body: { ...told, part: '0', leg: null, channels: 2 } });
  expect(caller).toMatchObject({ status: 201, body: { ...told, part: 'caller', leg: 'caller', durationMs: 2000 } });
  expect(callee).toMatchObject({ status: 201, body: { ...told, part: 'callee', leg: 'agent', durationMs: 3000 } });
});

describe('what can never be kept is answered 200 with its code, so that it is not sent again', () => {
  const { head } = file('54d4576c5b4e0d4e-mix.wav');
  const cases: [string, Buffer, (text: string) => string, string][] = [
    ['an MP3 that is a header only', file('83f05a52.mp3').bytes.subarray(0, 224), (text) => text, 'not-audio'],
    ['no bytes at all', Buffer.alloc(0), (text) => text, 'empty-recording'],
    ['a call of last spring', tone({ seconds: 1 }), (text) => text.replace(/(Stream|Call)-Start-Time: \d+/g, '$1-Start-Time: 1775000000'), 'retention-over'],
    ['an outbound call', tone({ seconds: 1 }), (text) => text.replaceAll('caller:', 'direction:outbound|caller:'), 'direction-not-covered'],
  ];
  test.each(cases)('%s', async (_name, bytes, change, code) => {
    const changed = Buffer.from(change(head.toString('latin1')).replace('X-Recording-Call-ID: ', 'X-Recording-Call-ID: never-'), 'latin1');
    const answer = await replay(changed, bodyOf(head, bytes));
    expect({ status: answer.status, code: [answer.body['code']] }).toEqual({ status: 200, code: [expect.stringMatching(code === 'not-audio' ? /^(not-audio|empty-recording)$/ : code)] });
    expect(answer.body['id']).toBeUndefined();
  });

  test('but a request without a call id is a fault to be seen', async () => {
    const bare = Buffer.from(head.toString('latin1').replace(/X-Recording-Call-ID: [^\r]*\r\n/, ''), 'latin1');
    const answer = await replay(bare, bodyOf(head, tone({ seconds: 1 })));
    expect([answer.status, answer.body['code']]).toEqual([422, 'invalid-input']);
  });
});

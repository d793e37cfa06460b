import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/**
 * Requests as FreeSWITCH and curl put them on the wire, byte for byte, header names, order and `Expect` included; of
 * rtpengine's there are real ones in `pbx-rtpengine.test.ts`.
 */

let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T21:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

const audio = tone({ seconds: 3, channels: 2 });

/** Sends the bytes as they are, the body only once the server has said to go on where the head asks for that. */
async function wire(head: string[], body: Buffer): Promise<{ status: number; went: boolean; body: Record<string, unknown> }> {
  const { port, host } = new URL(service.url);
  const expects = head.some((line) => /^expect:/i.test(line));
  return await new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write([...head.map((line) => line.replace('HOST', host)), 'Connection: close', '', ''].join('\r\n'));
      if (!expects) socket.write(body);
    });
    let answer = Buffer.alloc(0);
    let went = !expects;
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (!went && answer.toString('latin1').startsWith('HTTP/1.1 100')) {
        went = true;
        answer = Buffer.alloc(0);
        socket.write(body);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const text = answer.toString('utf8');
      const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
      resolve({ status: Number(text.split(' ')[1]), went, body: json === '' ? {} : (JSON.parse(json) as Record<string, unknown>) });
    });
  });
}

describe('FreeSWITCH', () => {
  /** `mod_http_cache`, `http_put`: libcurl with CURLOPT_UPLOAD and a Content-Type of its own. */
  test('mod_http_cache puts a recording, waiting to be told to go on', async () => {
    const sent = (file: string) => wire([
      `PUT /api/v1/push/${service.pbxKey}/recordings/${file} HTTP/1.1`, 'Host: HOST', 'User-Agent: freeswitch-http-cache/1.0', 'Accept: */*',
      'Content-Type: audio/x-wav', `Content-Length: ${audio.length}`, 'Expect: 100-continue',
    ], audio);
    const first = await sent('7a0d5f6e-1d1c-4b9e-9f0e-0d9b0f5d8a11.wav');
    expect(first).toMatchObject({ status: 201, went: true, body: { linkedId: '7a0d5f6e-1d1c-4b9e-9f0e-0d9b0f5d8a11', durationMs: 3000 } });
    expect(await sent('7a0d5f6e-1d1c-4b9e-9f0e-0d9b0f5d8a11.wav')).toMatchObject({ status: 200, body: { id: first.body['id'] } });
  });

  test('mod_http_cache with a key that does not work is told so', async () => {
    const answer = await wire([
      'PUT /api/v1/push/opn_wrong/recordings/x.wav HTTP/1.1', 'Host: HOST', 'User-Agent: freeswitch-http-cache/1.0', 'Accept: */*',
      'Content-Type: audio/x-wav', `Content-Length: ${audio.length}`,
    ], audio);
    expect(answer.status).toBe(401);
  });

  const start = Math.floor(Date.parse('2026-11-22T20:59:00Z') / 1000);
  const xml = (uuid: string) =>
    `<?xml version="1.0"?>\n<cdr core-uuid="4f3b" switchname="fs1">\n  <variables>\n    <uuid>${uuid}</uuid>\n    <caller_id_number>0850000101</caller_id_number>\n` +
    `    <destination_number>0850000001</destination_number>\n    <start_epoch>${start}</start_epoch>\n    <answer_epoch>${start + 2}</answer_epoch>\n    <end_epoch>${start + 30}</end_epoch>\n` +
    `    <billmsec>28000</billmsec>\n    <hangup_cause>NORMAL_CLEARING</hangup_cause>\n  </variables>\n</cdr>\n`;
  const json = (uuid: string) =>
    JSON.stringify({ 'core-uuid': '4f3b', switchname: 'fs1', variables: { uuid, caller_id_number: '0850000101', destination_number: '0850000001', start_epoch: String(start), end_epoch: String(start + 30), billmsec: '28000', hangup_cause: 'NORMAL_CLEARING' } });
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');

  test.each<[string, string, (uuid: string) => string]>([
    ['mod_xml_cdr, url-encoded', 'application/x-www-form-urlencoded', (uuid) => `cdr=${encode(xml(uuid))}`],
    ['mod_xml_cdr, base64', 'application/x-www-form-base64-encoded', (uuid) => `cdr=${Buffer.from(xml(uuid)).toString('base64')}`],
    ['mod_xml_cdr, bare', 'text/xml', xml],
    ['mod_xml_cdr, bare and called a form (disable-100-continue)', 'application/x-www-form-urlencoded', xml],
    ['mod_json_cdr, url-encoded', 'application/x-www-form-urlencoded', (uuid) => `cdr=${encode(json(uuid))}`],
    ['mod_json_cdr, bare', 'application/json', json],
    ['mod_json_cdr, bare and called a form', 'application/x-www-form-urlencoded', json],
  ])('%s', async (name, type, bodyOf) => {
    const uuid = `wire-${name.replaceAll(/\W/g, '')}`;
    const body = Buffer.from(bodyOf(uuid));
    const answer = await wire([
      `POST /api/v1/push/${service.pbxKey}/cdr/freeswitch?uuid=a_${uuid} HTTP/1.1`, 'Host: HOST', 'User-Agent: freeswitch-xml/1.0', 'Accept: */*',
      `Content-Type: ${type}`, `Content-Length: ${body.length}`,
    ], body);
    expect(answer).toMatchObject({ status: 200, body: { stored: 1, faults: [] } });
  });
});

describe('curl', () => {
  /** `curl -F callId=… -F startedAt=… -F audio=@call.wav` */
  const form = (boundary: string) => Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="callId"\r\n\r\ncurl-1\r\n--${boundary}\r\nContent-Disposition: form-data; name="startedAt"\r\n\r\n2026-11-22T21:58:00\r\n--${boundary}\r\nContent-Disposition: form-data; name="audio"; filename="call.wav"\r\nContent-Type: application/octet-stream\r\n\r\n`),
    audio, Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);

  test('-F sends a form', async () => {
    const boundary = '------------------------d74496d66958873e';
    const body = form(boundary);
    const answer = await wire([
      'POST /api/v1/recordings HTTP/1.1', 'Host: HOST', `Authorization: Bearer ${service.pbxKey}`, 'User-Agent: curl/7.88.1', 'Accept: */*',
      `Content-Length: ${body.length}`, `Content-Type: multipart/form-data; boundary=${boundary}`, 'Expect: 100-continue',
    ], body);
    expect(answer).toMatchObject({ status: 201, went: true, body: { callId: 'curl-1', startedAt: '2026-11-22T20:58:00.000Z' } });
  });

  test('-T sends the file itself, in chunks from a pipe', async () => {
    const chunked = Buffer.concat([
      ...[audio.subarray(0, 16_384), audio.subarray(16_384)].flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
      Buffer.from('0\r\n\r\n'),
    ]);
    const basic = Buffer.from(`pbx:${service.pbxKey}`).toString('base64');
    const answer = await wire([
      'PUT /api/v1/recordings/by-call/curl-2?startedAt=2026-11-22T20:58:00Z HTTP/1.1', 'Host: HOST', `Authorization: Basic ${basic}`,
      'User-Agent: curl/7.88.1', 'Accept: */*', 'Transfer-Encoding: chunked', 'Expect: 100-continue',
    ], chunked);
    expect(answer).toMatchObject({ status: 201, body: { callId: 'curl-2', bytes: audio.length } });
  });
});

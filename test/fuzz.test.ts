import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Request } from 'express';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recogniseAudio } from '../src/platform/audio/recognise.js';
import { Problem } from '../src/platform/problem.js';
import { partiesOf, factsOf } from '../src/recordings/call-facts.js';
import { parseCsv } from '../src/recordings/csv.js';
import { readCallRows } from '../src/recordings/doors/asterisk.js';
import { readMetadata } from '../src/recordings/metadata.js';
import { discardUpload, receiveMultipart } from '../src/recordings/upload.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/**
 * A hundred thousand malformed WAV headers, multipart bodies and call data lines: each is read or refused, nothing is left
 * behind, nothing crashes. Then some of the same over HTTP: no answer is a 5xx.
 */

const minutes = 60_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'opname-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const word = fc.oneof(
  fc.constantFrom(0, 1, 2, 4, 8, 16, 44, 255, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff),
  fc.nat({ max: 0xffffffff }),
);
const short = fc.oneof(fc.constantFrom(0, 1, 2, 3, 6, 7, 0x11, 0x31, 0x55, 0xfffe, 0xffff), fc.nat({ max: 0xffff }));
const little = (value: number, bytes: 2 | 4) => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 2) buffer.writeUInt16LE(value);
  else buffer.writeUInt32LE(value);
  return buffer;
};
const chunkName = fc.constantFrom('fmt ', 'data', 'fact', 'LIST', 'ds64', 'JUNK', '\0\0\0\0', 'RIFF');
const chunk = fc.tuple(chunkName, word, fc.uint8Array({ maxLength: 48 })).map(([name, size, body]) => Buffer.concat([Buffer.from(name, 'latin1'), little(size, 4), body]));
const format = fc.tuple(short, short, word, word, short, short).map(([tag, channels, rate, byteRate, block, bits]) =>
  Buffer.concat([Buffer.from('fmt '), little(16, 4), little(tag, 2), little(channels, 2), little(rate, 4), little(byteRate, 4), little(block, 2), little(bits, 2)]));
const wavHeaders = fc
  .tuple(fc.constantFrom('RIFF', 'RF64', 'BW64'), word, fc.array(chunk, { maxLength: 3 }), fc.option(format, { nil: Buffer.alloc(0) }), fc.array(chunk, { maxLength: 2 }), word, fc.uint8Array({ maxLength: 200 }))
  .map(([magic, size, before, fmt, between, dataSize, data]) =>
    Buffer.concat([Buffer.from(magic), little(size, 4), Buffer.from('WAVE'), ...before, fmt, ...between, Buffer.from('data'), little(dataSize, 4), data]));

const boundary = 'b0undary';
const piece = fc.oneof(
  fc.constantFrom(
    `--${boundary}`, `--${boundary}--`, `--${boundary}\r\n`, '\r\n', '\n', '\r\n\r\n', '--', 'Content-Disposition: form-data; name="audio"',
    'Content-Disposition: form-data; name="audio"; filename="a.wav"', 'Content-Disposition: form-data; name="callId"', 'content-disposition: form-data',
    'Content-Disposition: form-data; name="startedAt"\r\n\r\n2026-11-22T20:00:00Z', 'Content-Disposition: form-data; name="metadata"\r\n\r\n{"callId":"x"}',
    'Content-Type: audio/wav', 'Content-Transfer-Encoding: base64', "Content-Disposition: form-data; name*=utf-8''%C3%A9; filename*=x''%", '"', ';', 'name="', '\0', 'é', '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
const multipartBodies = fc.array(piece, { maxLength: 24 }).map((parts) => Buffer.from(parts.join(''), 'latin1'));
const wellFormedBodies = fc
  .array(fc.tuple(fc.constantFrom('audio', 'callId', 'startedAt', 'holds', 'channels', 'metadata', '__proto__', 'x'), fc.boolean(), fc.oneof(fc.string({ maxLength: 60 }), fc.json({ maxDepth: 2 }))), { maxLength: 6 })
  .map((fields) =>
    Buffer.from(`${fields.map(([name, isFile, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${isFile ? '; filename="a.wav"' : ''}\r\n\r\n${value}\r\n`).join('')}--${boundary}--\r\n`));

const cell = fc.oneof(
  fc.constantFrom('', '"', '""', '2026-10-25 02:30:00', '2026-11-22 20:02:33', '1795377753.4', 'pbx-1795377753.4', 'ANSWERED', 'NO ANSWER', '12', '-1', '99999999999', 'Queue', '600,t', '"A" <0850000104>', 'PJSIP/201-00000002', 'Local/101@from-queue-00000001;1', '\\', '\0', '\uFEFF', '山'),
  fc.string({ unit: 'binary', maxLength: 24 }),
);
const cdrLines = fc
  .array(fc.tuple(fc.array(cell, { maxLength: 26 }), fc.boolean()), { maxLength: 3 })
  .map((rows) => rows.map(([cells, quoted]) => cells.map((each) => (quoted ? `"${each.replaceAll('"', '""')}"` : each)).join(',')).join('\n'));

const requestOf = (body: Buffer): Request =>
  Object.assign(Readable.from([body]), {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(body.length) }, complete: true,
  }) as unknown as Request;

const refusedOr = async <Result>(work: () => Promise<Result>): Promise<Result | Problem> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem && error.status < 500) return error;
    throw error;
  }
};

describe('a hundred thousand cases', () => {
  test('10,000 headers of WAV files', async () => {
    const file = path.join(folder, 'header.wav');
    await fc.assert(
      fc.asyncProperty(wavHeaders, async (bytes) => {
        writeFileSync(file, bytes);
        const read = await refusedOr(() => recogniseAudio(file, {}));
        if (read instanceof Problem) expect(['not-audio', 'empty-recording']).toContain(read.code);
        else expect(Number.isFinite(read.estimatedDurationMs) && read.estimatedDurationMs > 0 && read.channels > 0).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  }, 5 * minutes);

  test('10,000 multipart bodies, of which nothing is left', async () => {
    const incoming = mkdtempSync(path.join(folder, 'incoming-'));
    const options = { folder: incoming, maxBytes: 1_000_000, fileParts: ['audio'] };
    const context = { timeZone: 'Europe/Amsterdam', country: 'NL', channelMap: ['caller', 'agent'] as const, ownNumbers: [], now: new Date('2026-11-22T21:00:00Z') };
    await fc.assert(
      fc.asyncProperty(fc.oneof(multipartBodies, wellFormedBodies), async (body) => {
        const read = await refusedOr(() => receiveMultipart(requestOf(body), options));
        if (read instanceof Problem) return;
        await refusedOr(() => Promise.resolve(readMetadata({ ...read.fields }, context)));
        await discardUpload(read.file);
      }),
      { numRuns: 10_000 },
    );
    expect(readdirSync(incoming)).toEqual([]);
  }, 5 * minutes);

  test('80,000 pieces of call data', () => {
    fc.assert(
      fc.property(cdrLines, (text) => {
        const { records, faults } = readCallRows(parseCsv(text), { timeZone: 'Europe/Amsterdam', country: 'NL' });
        for (const record of records) expect(Number.isNaN(record.startedAt.getTime()) || Number.isNaN(record.endedAt.getTime())).toBe(false);
        expect(faults.every(({ line }) => line >= 1)).toBe(true);
        partiesOf(records);
        factsOf('1795377753.4', records);
      }),
      { numRuns: 80_000 },
    );
  }, 5 * minutes);
});

describe('over HTTP', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.close());

  const send = async (method: string, address: string, type: string, body: Buffer | string) => {
    const response = await fetch(`${service.url}/api/v1${address}`, {
      method, body: typeof body === 'string' ? body : new Uint8Array(body), headers: { Authorization: `Bearer ${service.pbxKey}`, 'Content-Type': type },
    });
    await response.arrayBuffer();
    return response.status;
  };
  const startedAt = () => encodeURIComponent(new Date(service.clock.now().getTime() - 60_000).toISOString());

  test('a file that nobody asked for, in a body that breaks off, is the client\'s fault and no end of the service', async () => {
    for (const before of ['', `--${boundary}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nabc\r\n`])
      for (const name of ['other', 'audio']) {
        const body = `${before}--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="b.wav"\r\n\r\nhalf of it`;
        expect(await send('POST', '/recordings', `multipart/form-data; boundary=${boundary}`, body)).toBeLessThan(500);
      }
    expect(await send('PUT', `/recordings/by-call/after?startedAt=${startedAt()}`, 'audio/wav', tone({ seconds: 2 }))).toBe(201);
  });

  test('no header, body, row or record makes a 5xx, and the service goes on', async () => {
    let call = 0;
    await fc.assert(fc.asyncProperty(wavHeaders, async (bytes) => {
      expect(await send('PUT', `/recordings/by-call/fuzz-${(call += 1)}?startedAt=${startedAt()}`, 'application/octet-stream', bytes)).toBeLessThan(500);
    }), { numRuns: 60 });
    await fc.assert(fc.asyncProperty(fc.oneof(multipartBodies, wellFormedBodies), async (body) => {
      const type = `multipart/form-data; boundary=${boundary}`;
      expect(await send('POST', '/recordings', type, body)).toBeLessThan(500);
      expect(await send('POST', `/push/${service.pbxKey}/rtpengine`, type, body)).toBeLessThan(500);
    }), { numRuns: 60 });
    await fc.assert(fc.asyncProperty(cdrLines, async (text) => {
      expect(await send('POST', '/cdr', 'text/csv', text)).toBeLessThan(500);
      expect(await send('POST', `/push/${service.pbxKey}/cdr/freeswitch`, 'text/xml', text)).toBeLessThan(500);
    }), { numRuns: 60 });
    expect(await send('PUT', `/recordings/by-call/last?startedAt=${startedAt()}`, 'audio/wav', tone({ seconds: 1 }))).toBe(201);
    expect(readdirSync(path.join(service.dataDir, 'incoming'))).toEqual([]);
  }, 5 * minutes);
});

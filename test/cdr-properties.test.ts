import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOfUniqueId, readAfter, readStart } from '../src/recordings/call-times.js';
import { factsOf, holdsOf } from '../src/recordings/call-facts.js';
import { isSilent } from '../src/recordings/completeness.js';
import { parseCsv } from '../src/recordings/csv.js';
import { nameOfClid, readCallRows } from '../src/recordings/doors/asterisk.js';
import { readRecordingName } from '../src/recordings/doors/freepbx.js';
import { documentOf, readTold, recordOf } from '../src/recordings/doors/freeswitch.js';
import { fieldsOfHeaders, readMetadataHeader } from '../src/recordings/doors/rtpengine.js';
import { isWithheld, normaliseNumber } from '../src/recordings/numbers.js';
import { instantsOfWallTime, readInstant } from '../src/recordings/times.js';

/** What strangers write is read or refused, never a crash. */

const runs = { numRuns: 4000 };
const context = { timeZone: 'Europe/Amsterdam', country: 'NL' };
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }));
const csvish = fc.array(fc.constantFrom('"', '""', ',', '\n', '\r\n', '\\', '\\\\', 'a', '2026-11-22 20:02:33', '1795377753.4', 'ANSWERED', '\0', '\uFEFF', 'é', '山'), { maxLength: 120 }).map((parts) => parts.join(''));

describe('rows of call data', () => {
  test('any text gives records or faults', () => {
    fc.assert(fc.property(fc.oneof(text, csvish), (input) => {
      const { records, faults } = readCallRows(parseCsv(input), context);
      for (const record of records) {
        expect(Number.isNaN(record.startedAt.getTime()) || Number.isNaN(record.endedAt.getTime())).toBe(false);
        expect(JSON.stringify(record)).not.toMatch(/\\u0000/);
      }
      expect(records.length + faults.length).toBeLessThanOrEqual(parseCsv(input).length);
    }), runs);
  });

  test('fields that were quoted come back as they were, and a torn row spoils no other', () => {
    const field = fc.string({ maxLength: 20 }).map((each) => each.replace(/[\r\n]/g, ''));
    fc.assert(fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 6 }), { minLength: 1, maxLength: 4 }), (rows) => {
      const lines = rows.map((row) => row.map((each) => `"${each.replaceAll('"', '""')}"`).join(','));
      expect(parseCsv(['"torn', ...lines].join('\n')).slice(1).map(({ fields }) => fields)).toEqual(rows);
    }), runs);
  });

  test('rows of 16 to 21 columns with any content', () => {
    const row = fc.integer({ min: 14, max: 23 }).chain((length) => fc.array(fc.oneof(text, fc.constantFrom('2026-10-25 02:30:00', '1795377753.4', '12', 'BUSY', 'Queue')), { minLength: length, maxLength: length }));
    fc.assert(fc.property(row, (fields) => {
      const { records } = readCallRows([{ line: 1, fields }], context);
      factsOf('1795377753.4', records);
      holdsOf(records, new Date(0));
    }), runs);
  });

  test('names in any clid', () => {
    fc.assert(fc.property(text, (clid) => {
      const name = nameOfClid(clid);
      expect(name === null || name.length > 0).toBe(true);
    }), runs);
    expect(nameOfClid('"O\'Brien, \\\\\\"Pat\\\\\\" \\\\\\\\ Éire" <+31850000107>')).toBe(`O'Brien, "Pat" \\ Éire`);
    expect(nameOfClid('"Anonymous" <anonymous>')).toBeNull();
    expect(nameOfClid('"" <>')).toBeNull();
  });
});

describe('names of files', () => {
  const piece = fc.constantFrom('external', 'out', 'q', '-', '20261122', '200233', '1795377753.4', 'pbx1', '+31850000107', '', '-in', '-out', '.wav', '.WAV', '/', '..', '\n', ' ');
  test('any name is read or not', () => {
    fc.assert(fc.property(fc.oneof(text, fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('-'))), (name) => {
      const read = readRecordingName(name, 'Europe/Amsterdam');
      expect(read === undefined || !Number.isNaN(read.startedAt.getTime())).toBe(true);
    }), runs);
  });
  test.each([
    ['external-0850000001-+31850000107-20261122-200642-1795378002.65.wav', { callId: '1795378002.65', caller: '+31850000107', callee: '0850000001', direction: 'inbound', part: '0' }],
    ['2026/11/22/external-0850000001--20261122-200649-1795378009.67.wav', { caller: '', callee: '0850000001' }],
    ['external-0850000001-0850000101-20261122-200250-1795377770.10-in.wav', { callId: '1795377770.10', part: 'in', leg: 'caller' }],
    ['external-0850000001-0850000101-20261122-200250-1795377770.10-out.WAV', { part: 'out', leg: 'agent' }],
    ['external-0850000002-0850000103-20261122-200434-1795377874.35-1795377874.wav', { callId: '1795377874.35', part: '0' }],
    ['q-600-0850000101-20261122-200419-1795377859.31.wav', { queue: '600', caller: '0850000101', direction: 'inbound', callId: '1795377859.31' }],
    ['out-0612345678-201-20261122-200419-pbx-a-1795377859.31.gsm', { direction: 'outbound', caller: '201', callee: '0612345678', agent: '201', callId: 'pbx-a-1795377859.31' }],
    ['internal-202-201-20261122-210419-1795377859.31.wav', { direction: 'internal', startedAt: new Date('2026-11-22T20:04:19Z') }],
  ])('%s', (name, expected) => {
    expect(readRecordingName(name, 'Europe/Amsterdam')).toMatchObject(expected);
  });
});

describe('times', () => {
  const wall = fc.date({ min: new Date('1971-01-01Z'), max: new Date('2099-12-31Z'), noInvalidDate: true });
  const zone = fc.constantFrom('Europe/Amsterdam', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC', 'Pacific/Apia');
  const written = (at: Date, timeZone: string) => at.toLocaleString('sv', { timeZone });

  test('any text is an instant or none', () => {
    fc.assert(fc.property(text, zone, (input, timeZone) => {
      const read = readInstant(input, timeZone);
      expect(read === undefined || !Number.isNaN(read.getTime())).toBe(true);
      readStart(input, input, timeZone, false);
      readAfter(input, timeZone, new Date(0));
      instantOfUniqueId(input);
    }), runs);
  });

  test('what a clock shows is read as an instant at which it shows just that', () => {
    fc.assert(fc.property(wall, zone, (at, timeZone) => {
      const shown = written(at, timeZone);
      const seconds = Math.floor(at.getTime() / 1000) * 1000;
      expect(instantsOfWallTime(Date.parse(`${shown.replace(' ', 'T')}Z`), timeZone)).toContain(seconds);
      const read = readInstant(shown, timeZone);
      expect(read === undefined ? '' : written(read, timeZone)).toBe(shown);
      expect(read?.getTime()).toBeLessThanOrEqual(seconds);
    }), { numRuns: 1500 });
  });

  test('with a unique id the very instant is found, the hour that occurs twice and rows in UTC included', () => {
    const near = fc.oneof(wall, fc.integer({ min: -7200, max: 7200 }).map((by) => new Date(Date.parse('2026-10-25T01:00:00Z') + by * 1000)));
    fc.assert(fc.property(near, fc.boolean(), (at, inUtc) => {
      const second = Math.floor(at.getTime() / 1000);
      fc.pre(second >= 100_000_000);
      const shown = inUtc ? at.toISOString().slice(0, 19).replace('T', ' ') : written(at, 'Europe/Amsterdam');
      expect(readStart(shown, `pbx-${second}.7`, 'Europe/Amsterdam', inUtc)?.at.getTime()).toBe(second * 1000);
    }), { numRuns: 1500 });
  });

  test('both changes of the clock, by hand', () => {
    const read = (shown: string, epoch: string) => readStart(shown, `${Date.parse(epoch) / 1000}.1`, 'Europe/Amsterdam', false)?.at.toISOString();
    expect(read('2026-10-25 02:30:00', '2026-10-25T00:30:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(read('2026-10-25 02:30:00', '2026-10-25T01:30:00Z')).toBe('2026-10-25T01:30:00.000Z');
    expect(readInstant('2026-10-25 02:30:00', 'Europe/Amsterdam')?.toISOString()).toBe('2026-10-25T00:30:00.000Z');
    expect(readInstant('2026-03-29 02:30:00', 'Europe/Amsterdam')?.toISOString()).toBe('2026-03-29T01:30:00.000Z');
    // A call over the change ends after it began.
    expect(readAfter('2026-10-25 02:10:00', 'Europe/Amsterdam', new Date('2026-10-25T00:50:00Z'))?.toISOString()).toBe('2026-10-25T01:10:00.000Z');
  });
});

describe('numbers', () => {
  test('any text is one number or none, and stays what it is when read again', () => {
    fc.assert(fc.property(fc.oneof(text, fc.stringMatching(/^[+0-9() .-]{0,24}$/)), (input) => {
      const number = normaliseNumber(input, 'NL');
      isWithheld(input);
      expect(number === null || /^\+?\d{1,20}$/.test(number)).toBe(true);
      if (number?.startsWith('+') === true) expect(normaliseNumber(number, 'NL')).toBe(number);
    }), runs);
  });
});

describe('other doors', () => {
  test('any body of FreeSWITCH is a record or none', () => {
    const piece = fc.constantFrom('cdr=', '<cdr>', '</cdr>', '<variables>', '<uuid>a</uuid>', '{', '}', '"variables":', '%3C', '%', '&', '&amp;', '+', 'PGNkcj4=', '<!DOCTYPE', '<![CDATA[', '\0', 'é');
    fc.assert(fc.property(fc.oneof(text, fc.array(piece, { maxLength: 20 }).map((parts) => parts.join('')), fc.json()), (body) => {
      documentOf(body);
      const told = readTold(body);
      if (told !== undefined) recordOf(told, 'NL');
    }), runs);
  });
  test('any headers of rtpengine give fields', () => {
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('call-id', 'kind', 'label', 'tag', 'tag-metadata', 'call-metadata', 'db-metadata', 'file-name', 'stream-start-time').map((name) => `x-recording-${name}`), text), (headers) => {
      const fields = fieldsOfHeaders(headers);
      expect(Object.values(fields).every((value) => typeof value === 'string')).toBe(true);
    }), runs);
    expect(readMetadataHeader('caller:+31|name:a:b|caller:x|:y|z')).toEqual(new Map([['caller', '+31'], ['name', 'a:b']]));
  });
});

test('silence is told from a few recordings upwards only', () => {
  expect(isSilent({ earlier: [] })).toBe(false);
  expect(isSilent({ earlier: [0, 0, 2, 1] })).toBe(false);
  expect(isSilent({ earlier: [40, 35, 0, 41] })).toBe(true);
});

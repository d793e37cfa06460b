import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../src/platform/problem.js';
import { readTranscript, recogniseFormat, writeVtt, type Segment } from '../src/recordings/transcript-formats.js';

const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).map((raw) => raw.replace(/[\p{C}\p{Z}\s]/gu, '')).filter((text) => text !== '');
const words = fc.array(word, { minLength: 1, maxLength: 6 }).map((list) => list.join(' ')).filter((text) => !text.includes('-->'));
const segments: fc.Arbitrary<Segment[]> = fc
  .array(
    fc.record({
      startMs: fc.integer({ min: 0, max: 7_200_000 }), lengthMs: fc.integer({ min: 0, max: 60_000 }),
      speaker: fc.constantFrom(null, 'caller' as const, 'agent' as const), text: words,
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((list) =>
    list
      .map(({ lengthMs, ...segment }) => ({ ...segment, endMs: segment.startMs + lengthMs }))
      .sort((one, other) => one.startMs - other.startMs),
  );

const faultOf = (content: string, format?: 'vtt' | 'srt' | 'json') => {
  try {
    readTranscript(content, format);
    return undefined;
  } catch (error) {
    return error instanceof Problem ? error.errors?.[0]?.message : error;
  }
};

describe('WebVTT', () => {
  it('that was written is read back, every word and time of it, whatever the line ends', () => {
    fc.assert(
      fc.property(segments, fc.constantFrom('\n', '\r\n', '\r'), (told, end) => {
        expect(readTranscript(`\uFEFF${writeVtt(told)}`.replaceAll('\n', end))).toEqual(told);
      }),
    );
  });

  it('is read as it stands in the field: notes, styles, ids, settings, tags, short times', () => {
    const file = `WEBVTT - call 7

NOTE
00:00.000 --> 00:01.000 is no cue

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start position:10%
<v.loud Medewerker>Goede<00:00:01.500> <b>morgen</b>, &lt;naam&gt; &amp; zoon</v>

01:00:00.000 --> 01:00:01.000
<v Mevrouw Jansen>twee
regels`;
    expect(readTranscript(file)).toEqual([
      { startMs: 1000, endMs: 2500, speaker: 'agent', text: 'Goede morgen, <naam> & zoon' },
      { startMs: 3_600_000, endMs: 3_601_000, speaker: null, text: 'twee regels' },
    ]);
  });
});

describe('SubRip', () => {
  const timeOf = (ms: number) => new Date(ms).toISOString().slice(11, 23).replace('.', ',');
  it('that was written is read back', () => {
    fc.assert(
      fc.property(segments, (told) => {
        const file = told
          .map(({ startMs, endMs, text }, at) =>
            `${at + 1}\n${timeOf(startMs)} --> ${timeOf(endMs)}\n${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}\n`)
          .join('\n');
        expect(readTranscript(file, 'srt')).toEqual(told.map((segment) => ({ ...segment, speaker: null })));
      }),
    );
  });
});

describe('JSON', () => {
  it('of a speech-to-text server (seconds) and of this service (milliseconds) is read the same', () => {
    fc.assert(
      fc.property(segments, (told) => {
        const inSeconds = { text: '', segments: told.map(({ startMs, endMs, text }) => ({ id: 1, start: startMs / 1000, end: endMs / 1000, text: ` ${text}` })) };
        expect(readTranscript(JSON.stringify(inSeconds))).toEqual(told.map((segment) => ({ ...segment, speaker: null })));
        expect(readTranscript(JSON.stringify(told))).toEqual(told);
      }),
    );
  });
});

describe('whatever comes in', () => {
  it('is read or refused with its place, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), segments.map(writeVtt).chain((file) => fc.nat(file.length).map((at) => file.slice(0, at)))), (content) => {
        const fault = faultOf(content);
        expect(fault === undefined || typeof fault === 'string').toBe(true);
      }),
    );
  });

  it('is refused where words or times would get lost', () => {
    expect(faultOf('WEBVTT\n\n00:01 --> 00:02.000\nhello')).toBe('line 3 has times that cannot be read');
    expect(faultOf('1\n00:00:05,000 --> 00:00:01,000\nhello')).toBe('line 2 ends before it begins');
    expect(faultOf('just some words')).toBe('has no segments with times');
    expect(faultOf('{"text": "hello"}')).toBe('has no segments with start, end and text');
    expect(faultOf('{"segments": ')).toBe('is not JSON');
    expect(faultOf('[{"start": 2, "end": 1, "text": "x"}]')).toBe('segment 1 ends before it begins');
  });

  it('is told by its beginning', () => {
    expect(['\uFEFFWEBVTT\n', ' [1]', '{}', '1\n00:00:01,000 -->'].map(recogniseFormat)).toEqual(['vtt', 'json', 'json', 'srt']);
  });
});

import { z } from 'zod';
import { Problem } from '../platform/problem.js';
import type { Leg } from './recording.js';

/**
 * Transcripts as files: WebVTT (W3C), SubRip, and JSON as speech-to-text servers give it (`verbose_json`, seconds) or as
 * this service does (milliseconds). Read leniently where files in the field differ, strictly where words could get lost.
 */

/** What somebody said. Times in milliseconds of the playback copy. */
export interface Segment {
  startMs: number;
  endMs: number;
  speaker: Leg | null;
  text: string;
}

export const transcriptFormats = ['vtt', 'srt', 'json'] as const;
export type TranscriptFormat = (typeof transcriptFormats)[number];

const unreadable = (message: string) => new Problem('invalid-input', { errors: [{ path: 'content', message }] });

/** Which format a file is in, by how it begins. */
export function recogniseFormat(content: string): TranscriptFormat {
  const begin = content.replace(/^\uFEFF/, '').trimStart();
  if (begin.startsWith('WEBVTT')) return 'vtt';
  return begin.startsWith('{') || begin.startsWith('[') ? 'json' : 'srt';
}

/** @throws Problem `invalid-input` that says in which line or segment reading stopped */
export function readTranscript(content: string, format: TranscriptFormat = recogniseFormat(content)): Segment[] {
  const segments = format === 'json' ? readJson(content) : readCues(content, format);
  return segments.filter((segment) => segment.text !== '').sort((one, other) => one.startMs - other.startMs);
}

const speakers: Record<string, Leg> = {
  beller: 'caller',
  caller: 'caller',
  klant: 'caller',
  customer: 'caller',
  medewerker: 'agent',
  agent: 'agent',
  supportmedewerker: 'agent',
  employee: 'agent',
};
const speakerOf = (name: string | null | undefined): Leg | null => speakers[name?.trim().toLowerCase() ?? ''] ?? null;

const clock = String.raw`(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})`;
const timing = new RegExp(String.raw`^\s*${clock}\s*-->\s*${clock}(?:\s.*)?$`);

function msOf(
  hours: string | undefined,
  minutes: string | undefined,
  seconds: string | undefined,
  fraction: string | undefined,
): number {
  const wholeMs = (Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return wholeMs + Number((fraction ?? '0').padEnd(3, '0'));
}

/** Blocks between empty lines. A block without a timing line is a header, a note or a style. */
function readCues(content: string, format: 'vtt' | 'srt'): Segment[] {
  const lines = content.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const segments: Segment[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (!line.includes('-->')) {
      // Notes and styles reach to the next empty line, whatever stands in them.
      if (format === 'vtt' && /^(NOTE|STYLE|REGION)(\s|$)/.test(line)) while ((lines[at + 1] ?? '') !== '') at += 1;
      continue;
    }
    const told = timing.exec(line);
    if (told === null) throw unreadable(`line ${at + 1} has times that cannot be read`);
    const number = at + 1;
    const words: string[] = [];
    while (at + 1 < lines.length && (lines[at + 1] ?? '').trim() !== '') words.push(lines[(at += 1)] ?? '');
    const startMs = msOf(told[1], told[2], told[3], told[4]);
    const endMs = msOf(told[5], told[6], told[7], told[8]);
    if (endMs < startMs) throw unreadable(`line ${number} ends before it begins`);
    segments.push({ startMs, endMs, ...readWords(words.join(' ')) });
  }
  if (segments.length === 0 && lines.some((line) => line.trim() !== '' && !line.startsWith('WEBVTT')))
    throw unreadable('has no segments with times');
  return segments;
}

const entities: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: ' ',
  lrm: '',
  rlm: '',
  quot: '"',
  apos: "'",
};

/** A cue's text without its tags, and who says it: `<v Beller>…`. */
function readWords(raw: string): { speaker: Leg | null; text: string } {
  const voice = /<v(?:\.[^\s>]*)?\s+([^>]*)>/.exec(raw);
  const text = raw
    .replace(/<\/?(?:[bivucs]|lang|ruby|rt|font|\d[\d:.]*)(?:[.\s][^>]*)?>/g, '')
    .replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/\s+/g, ' ')
    .trim();
  return { speaker: speakerOf(voice?.[1]), text };
}

const seconds = z.number().min(0).max(1_000_000);
const milliseconds = z.number().min(0).max(1_000_000_000);
const jsonSegments = z.array(
  z.union([
    z.object({ startMs: milliseconds, endMs: milliseconds, text: z.string(), speaker: z.string().nullish() }),
    z.object({ start: seconds, end: seconds, text: z.string(), speaker: z.string().nullish() }),
  ]),
);
const jsonTranscript = z.union([jsonSegments, z.object({ segments: jsonSegments }).transform((told) => told.segments)]);

function readJson(content: string): Segment[] {
  let told: unknown;
  try {
    told = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch {
    throw unreadable('is not JSON');
  }
  const parsed = jsonTranscript.safeParse(told);
  if (!parsed.success) throw unreadable('has no segments with start, end and text');
  return parsed.data.map((segment, at) => {
    const [startMs, endMs] =
      'startMs' in segment ? [segment.startMs, segment.endMs] : [segment.start * 1000, segment.end * 1000];
    if (endMs < startMs) throw unreadable(`segment ${at + 1} ends before it begins`);
    const text = segment.text.replace(/\s+/g, ' ').trim();
    return { startMs: Math.round(startMs), endMs: Math.round(endMs), speaker: speakerOf(segment.speaker), text };
  });
}

function timeOf(ms: number, point: string): string {
  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  return `${pad(Math.floor(ms / 3_600_000))}:${pad(Math.floor(ms / 60_000) % 60)}:${pad(Math.floor(ms / 1000) % 60)}${point}${pad(ms % 1000, 3)}`;
}

/** WebVTT, with the speaker as voice: for the answer to an access request. */
export function writeVtt(
  segments: readonly Segment[],
  names: Record<Leg, string> = { caller: 'Beller', agent: 'Medewerker' },
): string {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const cues = segments.map(
    ({ startMs, endMs, speaker, text }) =>
      `${timeOf(startMs, '.')} --> ${timeOf(endMs, '.')}\n${speaker === null ? '' : `<v ${names[speaker]}>`}${escaped(text)}\n`,
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

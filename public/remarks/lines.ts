import { clock, readClock } from '../format.js';
import { textOf } from '../i18n.js';
import type { Segment } from './types.js';

const speakers: Record<string, 'caller' | 'agent'> = { beller: 'caller', caller: 'caller', medewerker: 'agent', agent: 'agent' };

/** A transcript as lines a person can type: "0:05 Beller: Goedemiddag". */
export function writeLines(segments: readonly Segment[]): string {
  return segments
    .map(({ startMs, speaker, text }) => {
      const who = speaker === null ? '' : `${textOf(`lane.${speaker}`) ?? speaker}: `;
      return `${clock(startMs)} ${who}${text.replaceAll('\n', ' ')}`;
    })
    .join('\n');
}

/** Reads those lines; each lasts until the next begins. `wrongLine` counts from 1. Times in milliseconds. */
export function readLines(text: string): { segments: Segment[]; wrongLine: number | undefined } {
  const segments: Segment[] = [];
  let wrongLine: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, at = '', words = ''] = /^\s*(\S+)\s+(.+)$/.exec(line) ?? [];
    const startMs = readClock(at);
    if (startMs === undefined) {
      wrongLine ??= index + 1;
      continue;
    }
    const [, name = '', said = ''] = /^([A-Za-z]+):\s*(.+)$/.exec(words) ?? [];
    const speaker = speakers[name.toLowerCase()];
    segments.push({ startMs, endMs: startMs, speaker: speaker ?? null, text: (speaker ? said : words).trim() });
  }
  segments.sort((one, other) => one.startMs - other.startMs);
  return {
    segments: segments.map((segment, at) => ({ ...segment, endMs: segments[at + 1]?.startMs ?? segment.startMs + 2000 })),
    wrongLine,
  };
}

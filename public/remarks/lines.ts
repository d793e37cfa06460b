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

/**
 * Reads those lines; each lasts until the next begins. A line shows whole seconds: one that is there already keeps the very
 * time it had `before`. `wrongLine` counts from 1. Times in milliseconds.
 */
export function readLines(
  text: string,
  before: readonly Segment[] = [],
): { segments: Segment[]; wrongLine: number | undefined } {
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
  const left = [...before];
  /** The line that stood at this second, best the one with the same words. */
  const takeOld = ({ startMs, text: words }: Segment): Segment | undefined => {
    const there = (each: Segment) => clock(each.startMs) === clock(startMs);
    const same = left.findIndex((each) => there(each) && each.text.replaceAll('\n', ' ') === words);
    const at = same >= 0 ? same : left.findIndex(there);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const placed = segments.map((segment) => {
    const old = takeOld(segment);
    return { segment: old === undefined ? segment : { ...segment, startMs: old.startMs }, endMs: old?.endMs };
  });
  placed.sort((one, other) => one.segment.startMs - other.segment.startMs);
  return {
    segments: placed.map(({ segment, endMs }, at) => ({
      ...segment,
      endMs: endMs ?? Math.max(segment.startMs, placed[at + 1]?.segment.startMs ?? segment.startMs + 2000),
    })),
    wrongLine,
  };
}

/** Which lines a wording dropped and which it brought, told by their time, speaker and words. */
export function changedLines(before: readonly Segment[], after: readonly Segment[]): { gone: Segment[]; come: Segment[] } {
  const nameOf = ({ startMs, speaker, text }: Segment) => JSON.stringify([startMs, speaker, text]);
  const [old, now] = [new Set(before.map(nameOf)), new Set(after.map(nameOf))];
  return { gone: before.filter((each) => !now.has(nameOf(each))), come: after.filter((each) => !old.has(nameOf(each))) };
}

// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { changedLines, readLines, writeLines } from '../../public/remarks/lines.js';
import type { Segment } from '../../public/remarks/types.js';

const segments: Segment[] = [
  { startMs: 250, endMs: 2900, speaker: 'agent', text: 'Goedemiddag' },
  { startMs: 4120, endMs: 4800, speaker: 'caller', text: 'Hallo' },
  { startMs: 4870, endMs: 9000, speaker: 'caller', text: 'mijn scherm\nis zwart' },
];

describe('a transcript as lines', () => {
  it('keeps the very times of lines that are corrected, and takes those of new ones', () => {
    const { segments: read } = readLines(writeLines(segments).replace('Hallo', 'Dag') + '\n1:00 Medewerker: Momentje', segments);
    expect(read).toEqual([
      segments[0],
      { ...segments[1], text: 'Dag' },
      { ...segments[2], text: 'mijn scherm is zwart' },
      { startMs: 60_000, endMs: 62_000, speaker: 'agent', text: 'Momentje' },
    ]);
  });

  it('is read anew when there was none, each line until the next', () => {
    const { segments: read, wrongLine } = readLines('0:05 Beller: Dag\n0:09 zonder naam\nzomaar');
    expect(read).toEqual([
      { startMs: 5000, endMs: 9000, speaker: 'caller', text: 'Dag' },
      { startMs: 9000, endMs: 11_000, speaker: null, text: 'zonder naam' },
    ]);
    expect(wrongLine).toBe(3);
  });

  it('tells what a correction changed', () => {
    const after = [segments[0], { ...segments[1], text: 'Dag' }, segments[2]].filter((each) => each !== undefined) as Segment[];
    const { gone, come } = changedLines(segments, after);
    expect([gone.map(({ text }) => text), come.map(({ text }) => text)]).toEqual([['Hallo'], ['Dag']]);
    expect(changedLines(segments, segments)).toEqual({ gone: [], come: [] });
  });
});

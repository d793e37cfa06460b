import type { Segment } from '../recordings/transcript-formats.js';
import type { DecisionRow, MaskSegment, Passage } from './items.js';

/** What is taken out of words before they leave: passages of a ticket, and what was said while the audio is masked. Pure. */

/** What stands in place of words that were taken out: readable aloud, in the language of the answer. */
export const blanked = { nl: '[onleesbaar gemaakt]', en: '[made unreadable]' } as const;

/** The words of a message with its passages taken out; undefined when all of it is. Passages may overlap, in any order. */
export function withoutPassages(pieceId: string, words: string, passages: readonly Passage[], locale: 'nl' | 'en'): string | undefined {
  const here = passages.filter((passage) => passage.pieceId === pieceId);
  if (here.some(({ start }) => start === undefined)) return undefined;
  const stretches = here
    .map(({ start = 0, end = words.length }) => ({ start: Math.min(start, words.length), end: Math.min(end, words.length) }))
    .filter(({ start, end }) => end > start)
    .sort((one, other) => one.start - other.start);
  let rest = '';
  let from = 0;
  for (const { start, end } of stretches) {
    if (end <= from) continue;
    if (start >= from) rest += `${words.slice(from, start)}${blanked[locale]}`;
    from = end;
  }
  return rest + words.slice(from);
}

/** Is the whole message or attachment taken out? */
export const isTakenOut = (pieceId: string, { passages }: Pick<DecisionRow, 'passages'>): boolean =>
  passages.some((passage) => passage.pieceId === pieceId && passage.start === undefined);

/**
 * What was said, without what was said while it is masked: on that leg, or on any where nobody knows who spoke. Both on the
 * recording's own timeline.
 */
export function withoutMasked(segments: readonly Segment[], masks: readonly MaskSegment[], channelMap: readonly ('caller' | 'agent')[]): Segment[] {
  return segments.filter(
    (segment) =>
      !masks.some(({ startMs, endMs, channel }) => {
        const leg = channel === undefined ? undefined : channelMap[channel];
        const isOther = leg !== undefined && segment.speaker !== null && leg !== segment.speaker;
        return !isOther && segment.startMs < endMs && segment.endMs > startMs;
      }),
  );
}

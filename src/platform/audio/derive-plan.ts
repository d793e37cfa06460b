import { cutsFrom, grainSamples, type Interval } from './cuts.js';
import { inputOptions, sourceFilters, workingRateHz } from './decode-plan.js';
import type { RecognisedAudio } from './recognised.js';

/** What a copy for others is made of: a passage or the whole, without what is cut, with what is masked silent. */
export interface DerivePlan {
  /** Undefined: the whole recording. */
  passage?: Interval | undefined;
  /** Left out altogether: hold music. */
  cuts: readonly Interval[];
  /** Silenced, in one channel (from 0) or in all: others' voices. The length stays. */
  masks: readonly Mask[];
}

export interface Mask extends Interval {
  channel?: number | undefined;
}

const inside = (index: string, ranges: readonly { from: number; to: number }[]): string =>
  ranges.map(({ from, to }) => `between(${index},${from},${to - 1})`).join('+');

/** An expression a channel that lets a sample through or not; undefined when nothing is masked. */
function maskFilter(masks: readonly Mask[], channels: number, rateHz: number): string | undefined {
  if (masks.length === 0) return undefined;
  const expressions = Array.from({ length: channels }, (_, channel) => {
    const ranges = cutsFrom(masks.filter((mask) => mask.channel === undefined || mask.channel === channel), rateHz);
    return ranges.length === 0 ? `val(${channel})` : `if(${inside('n', ranges)},0,val(${channel}))`;
  });
  return `aeval='${expressions.join('|')}':c=same`;
}

/** The graph that ffmpeg runs; everything counts samples of the source, so that the same words give the same bytes. */
export function deriveGraph(plan: DerivePlan, recognised: RecognisedAudio): string {
  const rateHz = workingRateHz(recognised);
  const mask = maskFilter(plan.masks, recognised.channels, rateHz);
  const cuts = cutsFrom(plan.cuts, rateHz);
  const passage = plan.passage === undefined ? [] : cutsFrom([plan.passage], rateHz);
  const conditions = [
    ...(passage.length === 0 ? [] : [inside('pts', passage)]),
    ...(cuts.length === 0 ? [] : [`not(${inside('pts', cuts)})`]),
  ];
  const filters = [
    ...sourceFilters(rateHz),
    ...(mask === undefined ? [] : [mask]),
    ...(conditions.length === 0
      ? []
      : [`asetnsamples=n=${grainSamples(rateHz)}:p=0`, `aselect='${conditions.join('*')}'`, 'asetpts=N']),
  ];
  return `[0:a:0]${filters.join(',')}[out]`;
}

/** WAV, 16 bits a sample: every program plays it, and nothing is lost a second time. */
export const deriveOptions = [
  '-map', '[out]', '-c:a', 'pcm_s16le', '-map_metadata', '-1', '-bitexact', '-rf64', 'auto', '-f', 'wav',
];

/** The command as others can repeat it, with names in place of paths. */
export function deriveArguments(graph: string, recognised: RecognisedAudio, names: { input: string; output: string }): string[] {
  return [...inputOptions(recognised), '-i', names.input, '-filter_complex', graph, ...deriveOptions, names.output];
}

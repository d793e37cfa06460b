import { rm, stat } from 'node:fs/promises';
import ffmpeg from 'fluent-ffmpeg';
import { cutIntervals, cutsFrom, type Interval, type SampleRange } from './audio/cuts.js';
import {
  channelFilter, inputOptions, maxSeconds, pcmOptions, playbackFilters, playbackOptions, silenceFilters, sourceFilters,
  workingRateHz,
} from './audio/decode-plan.js';
import { deriveArguments, deriveGraph, deriveOptions, type DerivePlan } from './audio/derive-plan.js';
import { findBinary, type FfmpegBinary } from './audio/ffmpeg-binary.js';
import { PcmSink } from './audio/pcm-sink.js';
import { notAudio, type RecognisedAudio } from './audio/recognised.js';
import { recogniseAudio } from './audio/recognise.js';
import type { Log } from './log.js';
import { WaveformBuilder, type Waveform } from './waveform.js';

/** The decoder and encoder of sound. This file alone knows fluent-ffmpeg, which is archived upstream. */
export interface Ffmpeg {
  readonly version: string;
  readonly source: 'path' | 'npm';

  /**
   * Decodes a recording once: writes the playback copy (AAC-LC .m4a, legs kept apart and in their order) and measures
   * length, waveform and gaps on the way, in constant memory.
   *
   * `holds` are left out of the playback copy, and so of waveform and gaps. Throws `Problem` `not-audio` when nothing
   * can be decoded; any other error (no space, killed, too slow) is worth another try. `signal` kills at once and
   * rejects with its reason. No playback file is left behind by a failure.
   */
  process(
    input: string,
    recognised: RecognisedAudio,
    outputs: { playback: string },
    options?: { holds?: readonly Interval[]; signal?: AbortSignal },
  ): Promise<ProcessedAudio>;

  /**
   * Makes a copy for others (WAV): a passage, cut and masked as `plan` says, on the timeline of the recording. Throws
   * `Problem` `not-audio` when nothing is left of it. `names` stand for the files in the arguments it gives back. No file
   * is left behind by a failure.
   */
  derive(
    input: string,
    recognised: RecognisedAudio,
    output: string,
    plan: DerivePlan,
    options: { names: { input: string; output: string }; signal?: AbortSignal },
  ): Promise<DerivedAudio>;
}

export interface DerivedAudio {
  /** What ffmpeg was told. */
  arguments: string[];
  durationMs: number;
}

export interface ProcessedAudio {
  /** Of the whole recording, by its decoded samples. */
  durationMs: number;
  /** Of the playback copy, which lacks the cuts. */
  playbackDurationMs: number;
  /** Of the playback copy: 1 or 2. */
  channels: number;
  /** Which channels of the source these are; the first two that are not silent when there are more than two. */
  sourceChannels: number[];
  codec: string;
  sampleRateHz: number;
  /** The end of the recording is missing; what was there was kept. */
  truncated: boolean;
  /** On the timeline of the playback copy. */
  waveform: Waveform;
  /** The same as `waveform.gaps`. */
  gaps: [startMs: number, endMs: number][];
  /** What was left out of the playback copy, on the timeline of the recording. */
  cuts: [startMs: number, endMs: number][];
  playbackBytes: number;
}

/** Finds a working ffmpeg: the machine's own, else npm's. Throws a plain error that says what to do. */
export async function findFfmpeg(log: Log): Promise<Ffmpeg> {
  const binary = await findBinary(log);
  log.info({ version: binary.version, source: binary.source }, 'ffmpeg found');
  return new FluentFfmpeg(binary);
}

/** A channel that never exceeds −60 dB carries nothing. */
const silentPeak = 0.001;

/** Header and samples of these formats disagree only when the end is missing. */
const statesItsLength = new Set(['flac', 'mp4']);

/** Two minutes, and one for every five of sound: far slower than any machine worth running on. */
function timeLimitMs({ estimatedDurationMs }: RecognisedAudio): number {
  return Math.ceil(Math.min(120_000 + estimatedDurationMs / 5, 6 * 3600_000));
}

class FluentFfmpeg implements Ffmpeg {
  readonly version: string;
  readonly source: 'path' | 'npm';
  readonly #command: string;

  constructor(binary: FfmpegBinary) {
    this.version = binary.version;
    this.source = binary.source;
    this.#command = binary.command;
  }

  async process(
    input: string,
    recognised: RecognisedAudio,
    outputs: { playback: string },
    options: { holds?: readonly Interval[]; signal?: AbortSignal } = {},
  ): Promise<ProcessedAudio> {
    const timeLimit = AbortSignal.timeout(timeLimitMs(recognised));
    const signal = options.signal === undefined ? timeLimit : AbortSignal.any([options.signal, timeLimit]);
    const job: Job = { input, recognised, playback: outputs.playback, signal, cuts: [], rateHz: 0 };
    job.rateHz = workingRateHz(recognised);
    job.cuts = cutsFrom(options.holds ?? [], job.rateHz);
    try {
      return await this.#process(job);
    } catch (error) {
      await rm(outputs.playback, { force: true });
      throw error;
    }
  }

  async derive(
    input: string,
    recognised: RecognisedAudio,
    output: string,
    plan: DerivePlan,
    options: { names: { input: string; output: string }; signal?: AbortSignal },
  ): Promise<DerivedAudio> {
    const timeLimit = AbortSignal.timeout(timeLimitMs(recognised));
    const signal = options.signal === undefined ? timeLimit : AbortSignal.any([options.signal, timeLimit]);
    const graph = deriveGraph(plan, recognised);
    try {
      const command = this.#newCommand({ input, recognised }).complexFilter(graph);
      command.output(output).outputOptions(deriveOptions);
      await run(command, signal);
      const made = await recogniseAudio(output, {}).catch(() => undefined);
      if (made === undefined || made.estimatedDurationMs === 0) throw notAudio('nothing is left of it');
      return {
        arguments: deriveArguments(graph, recognised, options.names),
        durationMs: Math.round(made.estimatedDurationMs),
      };
    } catch (error) {
      await rm(output, { force: true });
      throw error;
    }
  }

  async #process(job: Job): Promise<ProcessedAudio> {
    const { recognised, rateHz, cuts, playback } = job;
    const { measured, failed } = await this.#decode(job);
    if (measured === undefined || measured.samples === 0) throw notAudio('nothing in it can be decoded');
    const sourceChannels = channelsToKeep(measured);
    const isWritten = recognised.channels <= 2 && measured.channels <= 2 && measured.keptSamples > 0;
    if (!isWritten) await this.#writePlayback(job, sourceChannels, measured.keptSamples === 0);
    const waveform = measured.finish(sourceChannels);
    await proveCopy(playback, waveform.durationMs, sourceChannels.length);
    const durationMs = Math.max(1, Math.round((measured.samples * 1000) / rateHz));
    const isShort = statesItsLength.has(recognised.container) && durationMs < recognised.estimatedDurationMs - 500;
    const isEndless = durationMs >= maxSeconds * 1000;
    return {
      durationMs,
      playbackDurationMs: waveform.durationMs,
      channels: sourceChannels.length,
      sourceChannels,
      codec: recognised.codec,
      sampleRateHz: recognised.sampleRateHz,
      truncated: recognised.truncated || failed || isShort || isEndless,
      waveform,
      gaps: waveform.gaps,
      cuts: cutIntervals(cuts, rateHz, measured.samples),
      playbackBytes: (await stat(playback)).size,
    };
  }

  /** The one decode: samples to us and, for one or two channels, the playback copy to its file. */
  async #decode(job: Job): Promise<{ measured: WaveformBuilder | undefined; failed: boolean }> {
    const { recognised, rateHz, cuts, playback } = job;
    let measured: WaveformBuilder | undefined;
    const sink = new PcmSink(({ channels }) => {
      const builder = new WaveformBuilder(channels, rateHz, cuts);
      measured = builder;
      return (samples) => { builder.push(samples); };
    });
    const source = sourceFilters(rateHz).join(',');
    const command = this.#newCommand(job);
    if (recognised.channels <= 2) {
      const copy = ['anull', ...playbackFilters(cuts, rateHz)].join(',');
      command.complexFilter(`[0:a:0]${source},asplit=2[pcm][all];[all]${copy}[play]`);
      command.output(playback).outputOptions(playbackOptions('[play]', rateHz, recognised.channels));
    } else {
      command.complexFilter(`[0:a:0]${source}[pcm]`);
    }
    command.output(sink, { end: false }).outputOptions(pcmOptions('[pcm]'));
    const { failed } = await run(command, job.signal, sink);
    return { measured, failed };
  }

  /** A second pass for what only the first could tell: which of many channels to keep, or that all of it is cut. */
  async #writePlayback(job: Job, channels: readonly number[], isAllCut: boolean): Promise<void> {
    const { rateHz, cuts, playback } = job;
    const ending = isAllCut
      ? [...silenceFilters(rateHz), ...playbackFilters([], rateHz)]
      : playbackFilters(cuts, rateHz);
    const filters = [...sourceFilters(rateHz), channelFilter(channels), ...ending];
    const command = this.#newCommand(job).complexFilter(`[0:a:0]${filters.join(',')}[play]`);
    command.output(playback).outputOptions(playbackOptions('[play]', rateHz, channels.length));
    await run(command, job.signal);
  }

  #newCommand({ input, recognised }: Pick<Job, 'input' | 'recognised'>): ffmpeg.FfmpegCommand {
    // `file:` so that no path is taken for a protocol.
    const command = ffmpeg(`file:${input}`, { stdoutLines: 20 }).inputOptions(inputOptions(recognised));
    return command.setFfmpegPath(this.#command);
  }
}

interface Job {
  input: string;
  recognised: RecognisedAudio;
  playback: string;
  signal: AbortSignal;
  cuts: SampleRange[];
  rateHz: number;
}

/** The first two channels that carry something; silent ones fill up to two. Order is kept: it tells who is who. */
function channelsToKeep(measured: WaveformBuilder): number[] {
  const all = Array.from({ length: measured.channels }, (_, channel) => channel);
  if (all.length <= 2) return all;
  const carrying = all.filter((channel) => measured.peakOf(channel) > silentPeak);
  const silent = all.filter((channel) => !carrying.includes(channel));
  return [...carrying, ...silent].slice(0, 2).sort((a, b) => a - b);
}

/** What the machine, not the recording, is to blame for. */
const machineFault = /No space left on device|Disk quota exceeded|Read-only file system|Permission denied/;

/**
 * Runs a command to its end. An exit code other than 0 is `failed`, since part of the sound may be there all the same;
 * anything that is not the recording's fault throws, in words that name no file.
 *
 * The sink is piped with `end: false`: fluent-ffmpeg kills ffmpeg 20 ms after its output stream closes, which would
 * cut off a playback copy whose index is just being moved to the front. So this waits for both, the end of the process
 * and the end of its output (`unpipe`), and closes the sink itself.
 */
async function run(command: ffmpeg.FfmpegCommand, signal: AbortSignal, sink?: PcmSink): Promise<{ failed: boolean }> {
  signal.throwIfAborted();
  const kill = (): void => { command.kill('SIGKILL'); };
  let drained: Promise<unknown> = Promise.resolve();
  const ended = new Promise<{ error?: Error; stderr: string }>((resolve) => {
    command.on('start', () => {
      if (sink !== undefined) drained = new Promise((done) => sink.once('unpipe', done).once('error', done));
      // The process may have been asked to stop before there was one.
      if (signal.aborted) setImmediate(kill);
      else signal.addEventListener('abort', kill, { once: true });
    });
    command.on('end', (_stdout, stderr) => { resolve({ stderr: stderr ?? '' }); });
    command.on('error', (error: Error, _stdout, stderr) => { resolve({ error, stderr: stderr ?? '' }); });
  });
  command.run();
  try {
    const { error, stderr } = await ended;
    await drained;
    signal.throwIfAborted();
    if (sink?.errored) throw new Error('the decoded sound could not be taken', { cause: sink.errored });
    if (machineFault.test(stderr)) throw new Error('ffmpeg could not write its output');
    const hasExited = error === undefined || /ffmpeg exited with code \d+/.test(error.message);
    if (!hasExited) throw new Error(/killed with signal \w+/.exec(error.message)?.[0] ?? 'ffmpeg could not be run');
    return { failed: error !== undefined };
  } finally {
    signal.removeEventListener('abort', kill);
    sink?.end();
  }
}

/** The copy is looked at before anyone is told of it: an encoder that died half-way leaves half a file. */
async function proveCopy(path: string, durationMs: number, channels: number): Promise<void> {
  const copy = await recogniseAudio(path, {}).catch((cause: unknown) => {
    throw new Error('the playback copy cannot be read', { cause });
  });
  const isWhole = !copy.truncated && Math.abs(copy.estimatedDurationMs - durationMs) <= 250;
  if (copy.codec !== 'aac' || copy.channels !== channels || !isWhole) throw new Error('the playback copy is not whole');
}

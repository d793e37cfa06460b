import type { SampleRange } from './cuts.js';
import { cutFilters, grainSamples } from './cuts.js';
import type { RecognisedAudio } from './recognised.js';

/** ffmpeg's demuxers for what was recognised: given by name, so that no content can choose another one. */
const demuxers: Record<string, string> = {
  wav: 'wav', rf64: 'wav', w64: 'w64', mp3: 'mp3', adts: 'aac', ogg: 'ogg', flac: 'flac', mp4: 'mov',
  matroska: 'matroska', amr: 'amr', au: 'au', caf: 'caf',
};

/** A day of sound; what goes on longer is truncated, so that a small file that unpacks to years fills no disk. */
export const maxSeconds = 24 * 3600;

/** What ffmpeg is told before `-i`. Nothing but this one local file may be opened, whatever stands in it. */
export function inputOptions({ container, input }: RecognisedAudio): string[] {
  const format = input?.format ?? demuxers[container];
  if (format === undefined) throw new Error(`no demuxer for ${container}`);
  const options = ['-v', 'error', '-hide_banner', '-nostdin', '-protocol_whitelist', 'file,pipe', '-threads', '1'];
  options.push('-filter_complex_threads', '1', '-t', String(maxSeconds));
  if (input?.ignoreLength === true) options.push('-ignore_length', '1');
  // All frames of an MP3 count, the encoder's run-in too: so does every other program reckon its length.
  if (container === 'mp3') options.push('-flags2', '+skip_manual');
  if (format === 's16le' || format === 'mulaw' || format === 'alaw') {
    options.push('-ar', String(input?.sampleRateHz ?? 8000), '-ac', String(input?.channels ?? 1));
  }
  options.push('-f', format);
  return options;
}

/** The rate at which sound is counted and cut: the source's own, within what telephony and players know. */
export function workingRateHz({ sampleRateHz }: Pick<RecognisedAudio, 'sampleRateHz'>): number {
  return Math.min(Math.max(sampleRateHz, 8_000), 48_000);
}

/** The playback copy's rate: not below 16 kHz, which every browser's AAC decoder takes and seeks in precisely. */
export function playbackRateHz(rateHz: number): number {
  return [16_000, 24_000, 32_000, 44_100, 48_000].find((candidate) => candidate >= rateHz) ?? 48_000;
}

/** 32 kbit/s a channel is transparent for telephone speech; wideband sources get 48. */
function bitrate(rateHz: number, channels: number): string {
  return `${(rateHz <= 16_000 ? 32 : 48) * channels}k`;
}

/** The source on a timeline that counts its samples from 0: holes in its time stamps do not shift anything. */
export function sourceFilters(rateHz: number): string[] {
  return [`aresample=${rateHz}`, 'asetpts=N'];
}

/** Leaves out the cuts and brings the rest to the playback rate. */
export function playbackFilters(cuts: readonly SampleRange[], rateHz: number): string[] {
  const playbackRate = playbackRateHz(rateHz);
  return [...cutFilters(cuts, rateHz), ...(playbackRate === rateHz ? [] : [`aresample=${playbackRate}`])];
}

/** Keeps the given channels of many as left and right. */
export function channelFilter(channels: readonly number[]): string {
  const layout = channels.length === 1 ? 'mono' : 'stereo';
  return [`pan=${layout}`, ...channels.map((channel, i) => `c${i}=c${channel}`)].join('|');
}

/** A fifth of a second of silence, made of the source: for a recording all of which is cut. */
export function silenceFilters(rateHz: number): string[] {
  return ['volume=0', `atrim=end_sample=${20 * grainSamples(rateHz)}`];
}

/** AAC-LC in .m4a with its index in front, so that a player can begin and seek before all of it has come. */
export function playbackOptions(label: string, rateHz: number, channels: number): string[] {
  const options = ['-map', label, '-c:a', 'aac', '-b:a', bitrate(rateHz, channels), '-f', 'ipod'];
  return [...options, '-movflags', '+faststart', '-map_metadata', '-1', '-map_chapters', '-1', '-bitexact'];
}

/** Samples for us, in a WAV stream because its header tells how many channels there really are. */
export function pcmOptions(label: string): string[] {
  return ['-map', label, '-c:a', 'pcm_s16le', '-f', 'wav', '-bitexact'];
}

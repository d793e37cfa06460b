import { Problem } from '../problem.js';

/** What a file of sound is, as far as can be told from its bytes without decoding them. */
export interface RecognisedAudio {
  /** `wav rf64 w64 mp3 adts ogg flac mp4 matroska amr au caf`, or `raw` and `gsm` for audio without a header. */
  container: string;
  /** As ffmpeg names it, in short: `pcm_s16le mulaw alaw gsm gsm_ms adpcm_ima_wav g722 mp3 opus vorbis aac …`. */
  codec: string;
  channels: number;
  sampleRateHz: number;
  /** By the bytes that are there, not by what a header claims. The decoder has the last word. */
  estimatedDurationMs: number;
  /** The file says, or shows, that more was meant to follow. */
  truncated: boolean;
  /** What the decoder must be told because the file does not say it, or says it wrongly. */
  input?: DecoderInput;
}

export interface DecoderInput {
  /** ffmpeg's name of the demuxer. */
  format: string;
  sampleRateHz?: number;
  channels?: number;
  /** The size in the header is smaller than the audio behind it: read to the end of the file. */
  ignoreLength?: true;
}

/** What a parser read; `samples` counts per channel. */
export interface Reading {
  container: string;
  codec: string;
  channels: number;
  sampleRateHz: number;
  samples: number;
  truncated: boolean;
  input?: DecoderInput;
}

/** Telephony stays far inside these; a header outside them is a lie or no header. */
const maxChannels = 16;
const minRateHz = 4_000;
const maxRateHz = 192_000;

/**
 * A reading turned into the public form, after the checks that hold for every format.
 * Throws `not-audio` for impossible parameters and `empty-recording` below a millisecond of sound.
 */
export function recognised(reading: Reading): RecognisedAudio {
  const { samples, ...rest } = reading;
  const { channels, sampleRateHz } = rest;
  if (!Number.isInteger(channels) || channels < 1 || channels > maxChannels) throw notAudio('impossible channel count');
  if (!Number.isInteger(sampleRateHz) || sampleRateHz < minRateHz || sampleRateHz > maxRateHz) {
    throw notAudio('impossible sample rate');
  }
  const estimatedDurationMs = Math.round((samples * 1000) / sampleRateHz);
  if (!(estimatedDurationMs >= 1)) throw emptyRecording();
  return { ...rest, estimatedDurationMs };
}

/** `detail` says what was wrong with the bytes; it never quotes them. */
export function notAudio(detail: string): Problem {
  return new Problem('not-audio', { detail });
}

export function emptyRecording(): Problem {
  return new Problem('empty-recording');
}

import { extname } from 'node:path';
import type { AudioFile } from './audio-file.js';
import { notAudio, type Reading } from './recognised.js';

interface Headerless {
  codec: string;
  /** ffmpeg's demuxer. */
  format: string;
  sampleRateHz: number;
  channels: number;
  /** So many bytes hold so many samples of each channel. */
  unitBytes: number;
  unitSamples: number;
}

const signedLinear = (sampleRateHz: number, channels = 1): Headerless => ({
  codec: 'pcm_s16le', format: 's16le', sampleRateHz, channels, unitBytes: 2 * channels, unitSamples: 1,
});

/** The formats that have to be told, by the names the `format` field takes. */
const formats: Record<string, Headerless> = {
  ulaw: { codec: 'mulaw', format: 'mulaw', sampleRateHz: 8000, channels: 1, unitBytes: 1, unitSamples: 1 },
  alaw: { codec: 'alaw', format: 'alaw', sampleRateHz: 8000, channels: 1, unitBytes: 1, unitSamples: 1 },
  gsm: { codec: 'gsm', format: 'gsm', sampleRateHz: 8000, channels: 1, unitBytes: 33, unitSamples: 160 },
  g722: { codec: 'g722', format: 'g722', sampleRateHz: 16_000, channels: 1, unitBytes: 1, unitSamples: 2 },
  sln: signedLinear(8000),
  sln12: signedLinear(12_000),
  sln16: signedLinear(16_000),
  sln24: signedLinear(24_000),
  sln32: signedLinear(32_000),
  sln44: signedLinear(44_100),
  sln48: signedLinear(48_000),
  raw2: signedLinear(8000, 2),
};

/**
 * File name extensions as Asterisk registers them (formats/format_*.c). `.raw` is what MixMonitor's option `D` writes,
 * caller first; `.pcm` is µ-law there.
 */
const formatByExtension: Record<string, string> = {
  '.ulaw': 'ulaw', '.ul': 'ulaw', '.ulw': 'ulaw', '.mu': 'ulaw', '.pcm': 'ulaw',
  '.alaw': 'alaw', '.al': 'alaw', '.alw': 'alaw',
  '.gsm': 'gsm', '.g722': 'g722', '.raw': 'raw2',
  '.sln': 'sln', '.sln12': 'sln12', '.sln16': 'sln16', '.sln24': 'sln24', '.sln32': 'sln32', '.sln44': 'sln44',
  '.sln48': 'sln48',
};

/** Which headerless format the caller means: `format` decides, else the extension of the name; undefined for none. */
export function headerlessFormat(hints: { format?: string; fileName?: string }): string | undefined {
  if (hints.format !== undefined) return Object.hasOwn(formats, hints.format) ? hints.format : undefined;
  const extension = extname(hints.fileName ?? '').toLowerCase();
  return Object.hasOwn(formatByExtension, extension) ? formatByExtension[extension] : undefined;
}

/** Audio without a header, taken on the caller's word: nearly any bytes pass, save text and wrong GSM frames. */
export async function readHeaderless(file: AudioFile, name: string): Promise<Reading> {
  const format = formats[name];
  if (format === undefined) throw notAudio('unknown headerless format');
  if (name === 'gsm') await checkGsm(file);
  else if (isText(await file.read(0, 4096))) throw notAudio('text');
  const { codec, sampleRateHz, channels } = format;
  const isGsm = name === 'gsm';
  return {
    container: isGsm ? 'gsm' : 'raw',
    codec,
    channels,
    sampleRateHz,
    samples: Math.floor(file.size / format.unitBytes) * format.unitSamples,
    truncated: file.size % format.unitBytes !== 0,
    input: { format: format.format, sampleRateHz, ...(isGsm ? {} : { channels }) },
  };
}

/** Every GSM 06.10 frame of 33 bytes begins with the bits 1101 (RFC 3551 §4.5.8). */
async function checkGsm(file: AudioFile): Promise<void> {
  for (let at = 0; at + 33 <= file.size && at < 33 * 50; at += 33) {
    if (((await file.read(at, 1))[0] ?? 0) >> 4 !== 0xd) throw notAudio('not GSM frames');
  }
}

/** Printable characters only: in no sample format can sound look so for long. */
function isText(head: Buffer): boolean {
  if (head.length < 32) return false;
  return head.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

import type { AudioFile } from './audio-file.js';
import { walkFrames, type Frame } from './frames.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

/** kbit/s by index: MPEG-1 layer II, MPEG-1 layer III, MPEG-2 and 2.5 layers II and III (ISO 11172-3, 13818-3). */
const bitrates = {
  v1l2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  v1l3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const rates = [44_100, 48_000, 32_000];

interface MpegFrame extends Frame {
  layer: 2 | 3;
  version: 1 | 2 | 2.5;
  sampleRateHz: number;
  channels: number;
}

/** A frame header of layer II or III. Layer I is left out: nobody records calls in it, and UTF-16 text begins so. */
export function readMpegHeader(header: Buffer): MpegFrame | undefined {
  if (header.length < 4 || header.readUInt16BE(0) >> 5 !== 0x7ff) return undefined;
  const [, b1 = 0, b2 = 0, b3 = 0] = header;
  const version = ([2.5, undefined, 2, 1] as const)[(b1 >> 3) & 3];
  const layer = ([undefined, 3, 2, undefined] as const)[(b1 >> 1) & 3];
  const baseRateHz = rates[(b2 >> 2) & 3];
  if (version === undefined || layer === undefined || baseRateHz === undefined) return undefined;
  const table = version !== 1 ? bitrates.v2 : layer === 2 ? bitrates.v1l2 : bitrates.v1l3;
  const kbps = table[b2 >> 4];
  if (kbps === undefined || kbps === 0) return undefined;
  const sampleRateHz = version === 1 ? baseRateHz : version === 2 ? baseRateHz / 2 : baseRateHz / 4;
  const samples = layer === 3 && version !== 1 ? 576 : 1152;
  const bytes = Math.floor((samples * kbps * 125) / sampleRateHz) + ((b2 >> 1) & 1);
  return { bytes, samples, layer, version, sampleRateHz, channels: b3 >> 6 === 3 ? 1 : 2 };
}

/** AAC in ADTS (ISO 13818-7): 1024 samples a raw block. */
function readAdtsHeader(header: Buffer): (Frame & { sampleRateHz: number; channels: number }) | undefined {
  if (header.length < 7 || (header.readUInt16BE(0) & 0xfff6) !== 0xfff0) return undefined;
  const [, , b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = header;
  const sampleRateHz = adtsRates[(b2 >> 2) & 15];
  const bytes = ((b3 & 3) << 11) | (b4 << 3) | (b5 >> 5);
  if (sampleRateHz === undefined || bytes < 7) return undefined;
  const configuration = ((b2 & 1) << 2) | (b3 >> 6);
  return { bytes, samples: 1024 * ((b6 & 3) + 1), sampleRateHz, channels: configuration === 0 ? 2 : configuration };
}

/** By index, in ADTS and in MP4's AudioSpecificConfig (ISO 14496-3). */
export const adtsRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/** How far behind a tag the first frame may lie: some writers leave padding there. */
const searchBytes = 4096;

/** Where the audio begins behind ID3v2 tags (id3.org, "ID3 tag version 2.4.0"), of which there may be several. */
export async function skipId3(file: AudioFile): Promise<number> {
  let offset = 0;
  for (let tag = 0; tag < 10; tag += 1) {
    const header = await file.read(offset, 10);
    if (header.length < 10 || header.toString('latin1', 0, 3) !== 'ID3') break;
    const [b6 = 0, b7 = 0, b8 = 0, b9 = 0] = header.subarray(6);
    const footerBytes = ((header[5] ?? 0) & 0x10) === 0 ? 0 : 10;
    offset += 10 + (((b6 & 127) << 21) | ((b7 & 127) << 14) | ((b8 & 127) << 7) | (b9 & 127)) + footerBytes;
  }
  return offset;
}

/**
 * MP3 (and MP2), or AAC in ADTS, from `from` on; undefined where no such stream begins.
 * A stream is believed when a second frame of the same kind follows the first, or the file ends with it.
 * The Xing, Info or VBRI frame carries no sound: with nothing behind it the recording is empty.
 */
export async function readFrameStream(file: AudioFile, from: number): Promise<Reading | undefined> {
  if (from >= file.size && from > 0) throw emptyRecording();
  const window = Buffer.from(await file.read(from, searchBytes + 16));
  const reach = from === 0 ? 1 : Math.min(window.length, searchBytes);
  for (let skip = 0; skip < reach; skip += 1) {
    if (window[skip] !== 0xff) continue;
    const reading = (await readMpeg(file, from + skip)) ?? (await readAdts(file, from + skip));
    if (reading !== undefined) return reading;
  }
  if (from > 0 && file.size - from > searchBytes) throw notAudio('a tag without audio behind it');
  if (from > 0) throw emptyRecording();
  return undefined;
}

async function readMpeg(file: AudioFile, at: number): Promise<Reading | undefined> {
  const first = readMpegHeader(await file.read(at, 4));
  if (first === undefined || !(await anotherFollows(file, at, first, readMpegHeader))) return undefined;
  const informs = isInformation(await file.read(at, 200), first);
  const walk = await walkFrames(file, at, 4, (header, index) => {
    const frame = readMpegHeader(header);
    if (frame?.sampleRateHz !== first.sampleRateHz || frame.layer !== first.layer) return undefined;
    return index === 0 && informs ? { ...frame, samples: 0 } : frame;
  });
  if (walk.samples === 0) throw emptyRecording();
  const { channels, sampleRateHz } = first;
  const codec = first.layer === 3 ? 'mp3' : 'mp2';
  return { container: 'mp3', codec, channels, sampleRateHz, samples: walk.samples, truncated: walk.truncated };
}

async function readAdts(file: AudioFile, at: number): Promise<Reading | undefined> {
  const first = readAdtsHeader(await file.read(at, 7));
  if (first === undefined || !(await anotherFollows(file, at, first, readAdtsHeader))) return undefined;
  const walk = await walkFrames(file, at, 7, (header) => {
    const frame = readAdtsHeader(header);
    return frame?.sampleRateHz === first.sampleRateHz ? frame : undefined;
  });
  if (walk.samples === 0) throw emptyRecording();
  const { channels, sampleRateHz } = first;
  return { container: 'adts', codec: 'aac', channels, sampleRateHz, samples: walk.samples, truncated: walk.truncated };
}

async function anotherFollows<F extends Frame & { sampleRateHz: number }>(
  file: AudioFile,
  at: number,
  first: F,
  read: (header: Buffer) => F | undefined,
): Promise<boolean> {
  const next = at + first.bytes;
  if (next === file.size) return true;
  return read(await file.read(next, 7))?.sampleRateHz === first.sampleRateHz;
}

/** The first frame of a VBR file tells lengths ("Xing", "Info" behind the side information, "VBRI" at 36). */
function isInformation(frame: Buffer, { version, channels }: MpegFrame): boolean {
  const sideInformation = version === 1 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  const name = frame.toString('latin1', 4 + sideInformation, 8 + sideInformation);
  return name === 'Xing' || name === 'Info' || frame.toString('latin1', 36, 40) === 'VBRI';
}

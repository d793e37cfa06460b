import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

export function looksLikeMatroska(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x1a45dfa3;
}

/** Element ids (RFC 9559 §5); those in `entered` are walked into, which makes unknown sizes of no account. */
const entered = new Set([0x18538067, 0x1549a966, 0x1654ae6b, 0xae, 0xe1, 0x1f43b675, 0xa0]);
const timestampScale = 0x2ad7b1;
const duration = 0x4489;
const trackEntry = 0xae;
const trackType = 0x83;
const codecId = 0x86;
const samplingFrequency = 0xb5;
const channelCount = 0x9f;
const clusterTimestamp = 0xe7;
const simpleBlock = 0xa3;
const block = 0xa1;

const maxSteps = 200_000;

interface Track {
  type: number;
  codecId: string;
  sampleRateHz: number;
  channels: number;
}

/** WebM and Matroska (RFC 9559), as browsers record. A live recording states no length: its last block tells. */
export async function readMatroska(file: AudioFile): Promise<Reading> {
  const tracks: Track[] = [];
  let scaleNs = 1_000_000;
  let statedTicks = 0;
  let clusterTicks = 0;
  let lastTicks = -1;
  let truncated = false;
  let at = 0;
  for (let step = 0; at < file.size && step < maxSteps; step += 1) {
    const element = readElement(await file.read(at, 12));
    if (element === undefined) break;
    const { id, headerBytes, size } = element;
    const body = Buffer.from(await file.read(at + headerBytes, Math.min(size ?? 0, 64)));
    const track = tracks.at(-1);
    if (id === trackEntry) tracks.push({ type: 0, codecId: '', sampleRateHz: 8000, channels: 1 });
    else if (id === timestampScale) scaleNs = unsigned(body);
    else if (id === duration) statedTicks = float(body);
    else if (id === clusterTimestamp) clusterTicks = unsigned(body);
    else if (id === simpleBlock || id === block) {
      if (body.length >= 3) lastTicks = Math.max(lastTicks, clusterTicks + body.readInt16BE(1));
      if (statedTicks > 0 && lastTicks >= 0) break;
    } else if (track !== undefined) {
      if (id === trackType) track.type = unsigned(body);
      else if (id === codecId) track.codecId = body.toString('latin1').replace(/\0+$/, '');
      else if (id === samplingFrequency) track.sampleRateHz = Math.round(float(body));
      else if (id === channelCount) track.channels = unsigned(body);
    }
    if (size !== undefined && at + headerBytes + size > file.size) truncated = true;
    if (!entered.has(id) && size === undefined) break;
    at += headerBytes + (entered.has(id) ? 0 : (size ?? 0));
  }
  const track = tracks.find((candidate) => candidate.type === 2);
  if (track === undefined) throw notAudio('WebM or Matroska without sound');
  if (lastTicks < 0) throw emptyRecording();
  const ticks = statedTicks > 0 ? statedTicks : (lastTicks + 1) * Math.max(1, file.size / Math.max(1, at));
  const seconds = Math.min((ticks * scaleNs) / 1e9, file.size * 10);
  const codec = codecOf(track.codecId);
  const sampleRateHz = codec === 'opus' ? 48_000 : track.sampleRateHz;
  return {
    container: 'matroska', codec, channels: track.channels, sampleRateHz, samples: seconds * sampleRateHz, truncated,
  };
}

function codecOf(id: string): string {
  const known: Record<string, string> = {
    A_OPUS: 'opus', A_VORBIS: 'vorbis', A_FLAC: 'flac', 'A_MPEG/L3': 'mp3', 'A_PCM/INT/LIT': 'pcm_s16le',
  };
  const codec = known[id] ?? (id.startsWith('A_AAC') ? 'aac' : undefined);
  if (codec === undefined) throw notAudio('WebM or Matroska with an unknown audio codec');
  return codec;
}

/** EBML (RFC 8794 §4-6): an id with its marker bits, a size without; `size` undefined where it is unknown. */
function readElement(bytes: Buffer): { id: number; headerBytes: number; size: number | undefined } | undefined {
  const idBytes = Math.clz32((bytes[0] ?? 0) << 24) + 1;
  const sizeBytes = Math.clz32((bytes[idBytes] ?? 0) << 24) + 1;
  if (idBytes > 4 || sizeBytes > 8 || bytes.length < idBytes + sizeBytes) return undefined;
  let size = (bytes[idBytes] ?? 0) & (0xff >> sizeBytes);
  let isUnknown = size === 0xff >> sizeBytes;
  for (const byte of bytes.subarray(idBytes + 1, idBytes + sizeBytes)) {
    size = size * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { id: bytes.readUIntBE(0, idBytes), headerBytes: idBytes + sizeBytes, size: isUnknown ? undefined : size };
}

function unsigned(body: Buffer): number {
  return body.length === 0 || body.length > 8 ? 0 : Number(BigInt(`0x${body.toString('hex')}`));
}

function float(body: Buffer): number {
  const value = body.length === 4 ? body.readFloatBE(0) : body.length === 8 ? body.readDoubleBE(0) : 0;
  return Number.isFinite(value) && value > 0 ? value : 0;
}

import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

export function looksLikeOgg(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'OggS';
}

interface Page {
  /** Position after this page, in samples; −1 when no packet ends on it (RFC 3533 §6). */
  granule: bigint;
  headerBytes: number;
  bytes: number;
}

interface Stream {
  codec: string;
  channels: number;
  sampleRateHz: number;
  granuleRateHz: number;
  preSkip: number;
}

/** An Ogg page is at most 27 + 255 + 255 × 255 bytes long. */
const maxPageBytes = 65_307;

/** A page of 255 packets of 120 ms needs 537 bytes: nothing honest packs sound denser than this. */
const maxMsPerByte = 60;

/**
 * Ogg (RFC 3533) with Opus (RFC 7845), Vorbis, FLAC or Speex. The length is the position on the last whole page; of
 * recordings appended to one another only the last counts here.
 */
export async function readOgg(file: AudioFile): Promise<Reading> {
  const first = readPage(await file.read(0, 282));
  if (first === undefined || first.bytes > file.size) throw notAudio('Ogg cut off in its first page');
  const stream = readStream(await file.read(first.headerBytes, 80));
  const last = await lastPage(file);
  if (last === undefined || last.granule <= 0n) throw emptyRecording();
  const position = Number(last.granule) - stream.preSkip;
  const { codec, channels, sampleRateHz, granuleRateHz } = stream;
  const believable = ((file.size * maxMsPerByte) / 1000) * sampleRateHz;
  const samples = Math.min(Math.max(0, (position / granuleRateHz) * sampleRateHz), believable);
  return { container: 'ogg', codec, channels, sampleRateHz, samples, truncated: last.cut };
}

function readPage(bytes: Buffer): Page | undefined {
  if (bytes.length < 27 || bytes.toString('latin1', 0, 4) !== 'OggS' || bytes[4] !== 0) return undefined;
  const segments = bytes[26] ?? 0;
  if (bytes.length < 27 + segments) return undefined;
  const headerBytes = 27 + segments;
  const body = bytes.subarray(27, headerBytes).reduce((sum, lacing) => sum + lacing, 0);
  return { granule: bytes.readBigInt64LE(6), headerBytes, bytes: headerBytes + body };
}

function readStream(packet: Buffer): Stream {
  if (packet.toString('latin1', 0, 8) === 'OpusHead' && packet.length >= 19) {
    // Opus always decodes at 48 kHz; the rate in its header is that of the source (RFC 7845 §5.1).
    const opus = { codec: 'opus', sampleRateHz: 48_000, granuleRateHz: 48_000 };
    return { ...opus, channels: packet[9] ?? 0, preSkip: packet.readUInt16LE(10) };
  }
  if (packet.toString('latin1', 0, 7) === '\x01vorbis' && packet.length >= 16) {
    const rate = packet.readUInt32LE(12);
    return { codec: 'vorbis', channels: packet[11] ?? 0, sampleRateHz: rate, granuleRateHz: rate, preSkip: 0 };
  }
  if (packet.toString('latin1', 0, 5) === '\x7fFLAC' && packet.length >= 51) {
    const rate = packet.readUIntBE(27, 3) >> 4;
    const channels = (((packet[29] ?? 0) >> 1) & 7) + 1;
    return { codec: 'flac', channels, sampleRateHz: rate, granuleRateHz: rate, preSkip: 0 };
  }
  if (packet.toString('latin1', 0, 8) === 'Speex   ' && packet.length >= 52) {
    const rate = packet.readUInt32LE(36);
    return { codec: 'speex', channels: packet.readUInt32LE(48), sampleRateHz: rate, granuleRateHz: rate, preSkip: 0 };
  }
  throw notAudio('Ogg without a known audio codec');
}

/** The last whole page on which a packet ends, and whether more begins behind it. */
async function lastPage(file: AudioFile): Promise<(Page & { cut: boolean }) | undefined> {
  const tail = await readTail(file, 2 * maxPageBytes);
  let cut = false;
  for (let at = tail.lastIndexOf('OggS'); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf('OggS', at - 1)) {
    const page = readPage(tail.subarray(at));
    if (page === undefined || at + page.bytes > tail.length) {
      // Either the page that was being written, or the letters by chance inside another page.
      cut = true;
      continue;
    }
    if (page.granule >= 0n) return { ...page, cut: cut || at + page.bytes < tail.length };
  }
  return undefined;
}

async function readTail(file: AudioFile, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = Math.max(0, file.size - length); at < file.size; at += 32 * 1024) {
    parts.push(Buffer.from(await file.read(at, 32 * 1024)));
  }
  return Buffer.concat(parts);
}

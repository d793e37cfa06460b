import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';
import { readWaveFormat, samplesIn, type WaveFormat } from './wave-format.js';

/** The smallest header; Asterisk leaves it alone behind for calls that nobody answered. */
const headerBytes = 44;

/** Chunks that writers put behind the audio; one of these cut short does not mean that the audio goes on. */
const knownTrailers = new Set(['LIST', 'id3 ', 'ID3 ', 'bext', 'iXML', 'fact', 'cue ', 'JUNK', 'PAD ', 'smpl', 'afsp']);

export function looksLikeRiff(head: Buffer): boolean {
  return ['RIFF', 'RF64', 'BW64'].includes(head.toString('latin1', 0, 4)) && head.toString('latin1', 8, 12) === 'WAVE';
}

/**
 * WAV (Microsoft RIFF, 1991) and its 64-bit form RF64/BW64 (EBU Tech 3306, ITU-R BS.2088).
 *
 * Sizes in headers are believed only as far as the file bears them out. While Asterisk and FreeSWITCH record, and after
 * they were killed, they are 0: the audio goes to the end of the file, and its own end is missing. Streaming servers leave
 * 0xFFFFFFFF or nearly 4 GiB behind whole calls, as does an rtpengine that was killed: that cannot be told apart. A size larger than the file means that the end is missing. A size smaller than the file is right
 * when other chunks follow, and stale when they do not.
 */
export async function readRiff(file: AudioFile): Promise<Reading> {
  if (file.size <= headerBytes) throw emptyRecording();
  const container = (await file.read(0, 4)).toString('latin1') === 'RIFF' ? 'wav' : 'rf64';
  let format: WaveFormat | undefined;
  let longDataBytes: number | undefined;
  let offset = 12;
  for (let chunk = 0; chunk < 200; chunk += 1) {
    const header = await file.read(offset, 8);
    if (header.length < 8) break;
    const id = header.toString('latin1', 0, 4);
    const size = header.readUInt32LE(4);
    if (id === 'ds64') {
      const sizes = await file.read(offset + 8, 16);
      if (sizes.length === 16) longDataBytes = Number(sizes.readBigUInt64LE(8));
    } else if (id === 'fmt ') {
      format = readWaveFormat(await file.read(offset + 8, Math.min(size, 64)));
    } else if (id === 'data') {
      if (format === undefined) throw notAudio('WAV without a format');
      const stated = size === 0xffffffff && longDataBytes !== undefined ? longDataBytes : size;
      return await readData(file, { container, format, dataAt: offset + 8, stated });
    }
    offset += 8 + size + (size % 2);
  }
  if (format === undefined) throw notAudio('WAV without a format');
  throw emptyRecording();
}

interface Data {
  container: string;
  format: WaveFormat;
  dataAt: number;
  stated: number;
}

async function readData(file: AudioFile, { container, format, dataAt, stated }: Data): Promise<Reading> {
  const available = file.size - dataAt;
  const reading = { container, codec: format.codec, channels: format.channels, sampleRateHz: format.sampleRateHz };
  if (stated === 0) {
    if (available === 0 || (await chunksFollow(file, dataAt))) throw emptyRecording();
    return { ...reading, samples: samplesIn(available, format), truncated: true };
  }
  if (stated > available) {
    return { ...reading, samples: samplesIn(available, format), truncated: !neverFilledIn(stated) };
  }
  const behind = dataAt + stated;
  const isWhole = file.size - behind < 8 || (await chunksFollow(file, behind + (stated % 2))) ||
    (stated % 2 === 1 && (await chunksFollow(file, behind)));
  if (isWhole) return { ...reading, samples: samplesIn(stated, format), truncated: false };
  const input = { format: 'wav', ignoreLength: true } as const;
  return { ...reading, samples: samplesIn(available, format), truncated: false, input };
}

/** What writers leave that cannot go back to fill in the size: nearly 2 GiB (sox), nearly 4 GiB (most), or more. */
function neverFilledIn(stated: number): boolean {
  return stated >= 0xffff0000 || (stated >= 0x7fff0000 && stated <= 0x80000000);
}

/** Whether nothing but chunks lies between `offset` and the end of the file. */
async function chunksFollow(file: AudioFile, offset: number): Promise<boolean> {
  let at = offset;
  for (let chunk = 0; chunk < 100; chunk += 1) {
    const header = await file.read(at, 8);
    if (header.length < 8) return chunk > 0;
    const id = header.toString('latin1', 0, 4);
    if (!/^[\x20-\x7e]{4}$/.test(id)) return false;
    at += 8 + header.readUInt32LE(4);
    if (at > file.size) return knownTrailers.has(id);
    at += at % 2;
  }
  return false;
}

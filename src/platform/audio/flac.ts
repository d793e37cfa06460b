import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

export function looksLikeFlac(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'fLaC';
}

/** The smallest frame: header, one constant subframe, checksum; it holds at most 65,535 samples. */
const minFrameBytes = 9;
const maxFrameSamples = 65_535;

/**
 * FLAC (RFC 9639). STREAMINFO states the number of samples, or 0 when it was written to a pipe; then it is guessed at
 * half the size of the raw sound. `from` is where `fLaC` stands.
 */
export async function readFlac(file: AudioFile, from: number): Promise<Reading> {
  const info = Buffer.from(await file.read(from + 8, 34));
  const [firstBlock = 127] = await file.read(from + 4, 1);
  if (info.length < 34 || firstBlock % 128 !== 0) throw notAudio('FLAC without its header');
  const sampleRateHz = info.readUIntBE(10, 3) >> 4;
  const channels = (((info[12] ?? 0) >> 1) & 7) + 1;
  const bits = ((((info[12] ?? 0) & 1) << 4) | ((info[13] ?? 0) >> 4)) + 1;
  const stated = ((info[13] ?? 0) & 15) * 2 ** 32 + info.readUInt32BE(14);
  let at = from + 4;
  for (let block = 0; ; block += 1) {
    const header = await file.read(at, 4);
    if (header.length < 4) throw emptyRecording();
    if (block > 1000) throw notAudio('FLAC with endless headers');
    at += 4 + header.readUIntBE(1, 3);
    if ((header[0] ?? 0) >= 128) break;
  }
  const audioBytes = file.size - at;
  if (audioBytes < minFrameBytes) throw emptyRecording();
  const guessed = Math.floor((audioBytes * 8 * 2) / (bits * channels));
  const most = Math.ceil(audioBytes / minFrameBytes) * maxFrameSamples;
  const samples = Math.min(stated === 0 ? guessed : stated, most);
  return { container: 'flac', codec: 'flac', channels, sampleRateHz, samples, truncated: false };
}

import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

/** Encodings of the audio(5) man page that call recorders use: name and bytes a sample. */
const encodings: Record<number, readonly [codec: string, bytes: number]> = {
  1: ['mulaw', 1], 2: ['pcm_s8', 1], 3: ['pcm_s16be', 2], 4: ['pcm_s24be', 3], 5: ['pcm_s32be', 4],
  6: ['pcm_f32be', 4], 7: ['pcm_f64be', 8], 27: ['alaw', 1],
};

export function looksLikeAu(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === '.snd';
}

/** Sun/NeXT audio: a header of at least 24 bytes, big-endian; size 0xFFFFFFFF means: to the end of the file. */
export async function readAu(file: AudioFile): Promise<Reading> {
  const header = await file.read(0, 24);
  if (header.length < 24) throw emptyRecording();
  const dataAt = header.readUInt32BE(4);
  const stated = header.readUInt32BE(8);
  const [codec, sampleBytes] = encodings[header.readUInt32BE(12)] ?? [];
  if (codec === undefined || sampleBytes === undefined || dataAt < 24) throw notAudio('AU with an unknown encoding');
  const channels = header.readUInt32BE(20);
  const available = Math.max(0, file.size - dataAt);
  const isKnown = stated !== 0xffffffff && stated !== 0;
  const bytes = isKnown ? Math.min(stated, available) : available;
  return {
    container: 'au',
    codec,
    channels,
    sampleRateHz: header.readUInt32BE(16),
    samples: Math.floor(bytes / (sampleBytes * Math.max(1, channels))),
    truncated: isKnown && stated > available,
  };
}

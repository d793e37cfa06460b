import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';
import { readWaveFormat, samplesIn, type WaveFormat } from './wave-format.js';

const riffGuid = '726966662e91cf11a5d628db04c10000';
/** Every other chunk's GUID ends in this; the first four bytes are the RIFF name of the chunk. */
const chunkGuidTail = 'f3acd3118cd100c04f8edb8a';

export function looksLikeW64(head: Buffer): boolean {
  return head.toString('hex', 0, 16) === riffGuid;
}

/** Sony Wave64 (Sonic Foundry, 2001): RIFF with GUIDs for names, 64-bit sizes that count the header, padding to 8. */
export async function readW64(file: AudioFile): Promise<Reading> {
  let format: WaveFormat | undefined;
  let offset = 40;
  for (let chunk = 0; chunk < 100; chunk += 1) {
    const header = await file.read(offset, 24);
    if (header.length < 24) break;
    const size = Number(header.readBigUInt64LE(16));
    const isOurs = header.toString('hex', 4, 16) === chunkGuidTail;
    const id = isOurs ? header.toString('latin1', 0, 4) : '';
    if (id === 'fmt ') format = readWaveFormat(await file.read(offset + 24, Math.max(0, Math.min(size - 24, 64))));
    if (id === 'data') {
      if (format === undefined) break;
      const available = file.size - offset - 24;
      const stated = size <= 24 ? available : size - 24;
      return {
        container: 'w64',
        codec: format.codec,
        channels: format.channels,
        sampleRateHz: format.sampleRateHz,
        samples: samplesIn(Math.min(stated, available), format),
        truncated: stated > available && stated < 2 ** 62,
      };
    }
    if (size < 24) break;
    offset += Math.ceil(size / 8) * 8;
  }
  throw format === undefined ? notAudio('W64 without a format') : emptyRecording();
}

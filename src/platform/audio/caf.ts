import type { AudioFile } from './audio-file.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

export function looksLikeCaf(head: Buffer): boolean {
  return head.toString('latin1', 0, 6) === 'caff\x00\x01';
}

const codecs: Record<string, string> = {
  lpcm: 'pcm', ulaw: 'mulaw', alaw: 'alaw', 'aac ': 'aac', alac: 'alac', opus: 'opus', ima4: 'adpcm_ima_qt',
};

/** Apple Core Audio Format 1.0: chunks with 64-bit sizes; a data chunk of size −1 runs to the end of the file. */
export async function readCaf(file: AudioFile): Promise<Reading> {
  let description: Buffer | undefined;
  let packetSamples = 0;
  let data: { bytes: number; truncated: boolean } | undefined;
  let at = 8;
  for (let chunk = 0; chunk < 200; chunk += 1) {
    const header = Buffer.from(await file.read(at, 12));
    if (header.length < 12) break;
    const type = header.toString('latin1', 0, 4);
    const size = Number(header.readBigInt64BE(4));
    if (type === 'desc') description = Buffer.from(await file.read(at + 12, 32));
    if (type === 'pakt') {
      const table = await file.read(at + 12, 16);
      if (table.length === 16) packetSamples = Math.max(0, Number(table.readBigInt64BE(8)));
    }
    if (type === 'data') {
      const available = Math.max(0, file.size - at - 16);
      const stated = size < 0 ? available : Math.max(0, size - 4);
      data = { bytes: Math.min(stated, available), truncated: stated > available };
    }
    if (size < 0) break;
    at += 12 + size;
  }
  if (description?.length !== 32) throw notAudio('CAF without a description');
  if (data === undefined || data.bytes === 0) throw emptyRecording();
  const format = description.toString('latin1', 8, 12);
  const codec = codecs[format];
  const sampleRateHz = description.readDoubleBE(0);
  if (codec === undefined || !Number.isInteger(sampleRateHz)) throw notAudio('CAF with an unknown codec');
  const packetBytes = description.readUInt32BE(16);
  const framesPerPacket = description.readUInt32BE(20);
  const fixed = packetBytes === 0 ? undefined : Math.floor(data.bytes / packetBytes) * framesPerPacket;
  // Without packet sizes and without a table of packets, a common 4 kB a second is assumed.
  const samples = fixed ?? (Math.min(packetSamples, data.bytes * 4_800) || (data.bytes / 4_000) * sampleRateHz);
  const channels = description.readUInt32BE(24);
  return { container: 'caf', codec, channels, sampleRateHz, samples, truncated: data.truncated };
}

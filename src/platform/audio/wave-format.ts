import { notAudio } from './recognised.js';

/** The `fmt ` chunk of WAV and W64. */
export interface WaveFormat {
  codec: string;
  channels: number;
  sampleRateHz: number;
  blockBytes: number;
  bytesPerSecond: number;
  bitsPerSample: number;
}

const extensibleTag = 0xfffe;

/** Registered format tags (Microsoft mmreg.h) of what telephone systems write. */
const codecByTag: Record<number, string> = {
  0x0002: 'adpcm_ms',
  0x0006: 'alaw',
  0x0007: 'mulaw',
  0x0011: 'adpcm_ima_wav',
  0x0014: 'g726',
  0x0031: 'gsm_ms',
  0x0045: 'g726',
  0x0050: 'mp2',
  0x0055: 'mp3',
  0x0064: 'g726',
  0x00ff: 'aac',
  0x028f: 'g722',
};

/** WAVEFORMATEX, and WAVE_FORMAT_EXTENSIBLE whose subformat GUID begins with the tag. Throws `not-audio`. */
export function readWaveFormat(chunk: Buffer): WaveFormat {
  if (chunk.length < 14) throw notAudio('WAV with half a format');
  let tag = chunk.readUInt16LE(0);
  const bitsPerSample = chunk.length >= 16 ? chunk.readUInt16LE(14) : 8;
  if (tag === extensibleTag) {
    if (chunk.length < 26) throw notAudio('WAV with half a format');
    tag = chunk.readUInt16LE(24);
  }
  return {
    codec: codecOf(tag, bitsPerSample),
    channels: chunk.readUInt16LE(2),
    sampleRateHz: chunk.readUInt32LE(4),
    bytesPerSecond: chunk.readUInt32LE(8),
    blockBytes: chunk.readUInt16LE(12),
    bitsPerSample,
  };
}

function codecOf(tag: number, bits: number): string {
  if (tag === 1 && bits === 8) return 'pcm_u8';
  if (tag === 1 && (bits === 16 || bits === 24 || bits === 32)) return `pcm_s${bits}le`;
  if (tag === 3 && (bits === 32 || bits === 64)) return `pcm_f${bits}le`;
  const codec = codecByTag[tag];
  if (codec === undefined) throw notAudio(`WAV with unknown codec 0x${tag.toString(16).padStart(4, '0')}`);
  return codec;
}

/** Samples per channel in that many bytes of audio. Whole blocks only, as the decoder needs them. */
export function samplesIn(bytes: number, format: WaveFormat): number {
  const { codec, channels, blockBytes, bitsPerSample, sampleRateHz, bytesPerSecond } = format;
  if (channels === 0) return 0;
  switch (codec) {
    case 'mulaw':
    case 'alaw':
      return Math.floor(bytes / channels);
    case 'gsm_ms':
      // Two GSM frames of 160 samples in 65 bytes ("WAV49").
      return Math.floor(bytes / 65) * 320;
    case 'g722':
      return Math.floor((bytes * 2) / channels);
    case 'g726':
      return bitsPerSample === 0 ? 0 : Math.floor((bytes * 8) / (bitsPerSample * channels));
    case 'adpcm_ima_wav':
      return blocks(bytes, blockBytes, 4 * channels) * Math.floor(((blockBytes - 4 * channels) * 2) / channels + 1);
    case 'adpcm_ms':
      return blocks(bytes, blockBytes, 7 * channels) * Math.floor(((blockBytes - 7 * channels) * 2) / channels + 2);
    case 'mp2':
    case 'mp3':
    case 'aac': {
      const rate = bytesPerSecond >= 500 && bytesPerSecond <= 100_000 ? bytesPerSecond : 4_000;
      return Math.floor((bytes / rate) * sampleRateHz);
    }
    default:
      return Math.floor(bytes / ((bitsPerSample / 8) * channels));
  }
}

function blocks(bytes: number, blockBytes: number, blockHeaderBytes: number): number {
  return blockBytes <= blockHeaderBytes ? 0 : Math.floor(bytes / blockBytes);
}

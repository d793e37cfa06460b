import type { AudioFile } from './audio-file.js';
import { walkFrames } from './frames.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

const narrowMagic = '#!AMR\n';
const wideMagic = '#!AMR-WB\n';

/** Bytes of a frame behind its first byte, by frame type (RFC 4867 §5.3; 3GPP TS 26.101 and 26.201). */
const narrowBytes = new Map([12, 13, 15, 17, 19, 20, 26, 31, 5].entries()).set(15, 0);
const wideBytes = new Map([17, 23, 32, 36, 40, 46, 50, 58, 60, 5].entries()).set(14, 0).set(15, 0);

export function looksLikeAmr(head: Buffer): boolean {
  return head.toString('latin1', 0, 6) === narrowMagic || head.toString('latin1', 0, 9) === wideMagic;
}

/** AMR and AMR-WB, one channel (RFC 4867 §5): frames of 20 ms. */
export async function readAmr(file: AudioFile): Promise<Reading> {
  const isWide = (await file.read(0, 9)).toString('latin1') === wideMagic;
  const sampleRateHz = isWide ? 16_000 : 8_000;
  const sizes = isWide ? wideBytes : narrowBytes;
  const from = isWide ? wideMagic.length : narrowMagic.length;
  const walk = await walkFrames(file, from, 1, (header) => {
    const bytes = sizes.get(((header[0] ?? 0) >> 3) & 15);
    return bytes === undefined ? undefined : { bytes: bytes + 1, samples: sampleRateHz / 50 };
  });
  if (walk.samples === 0) throw file.size > from + 61 ? notAudio('AMR without frames') : emptyRecording();
  const codec = isWide ? 'amr_wb' : 'amr_nb';
  return { container: 'amr', codec, channels: 1, sampleRateHz, samples: walk.samples, truncated: walk.truncated };
}

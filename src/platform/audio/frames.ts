import type { AudioFile } from './audio-file.js';

/** One self-describing frame of a stream without a container's index. */
export interface Frame {
  bytes: number;
  /** Per channel; 0 for a frame that carries information instead of sound. */
  samples: number;
}

export interface FrameWalk {
  /** Frames that are wholly there, those without sound included. */
  frames: number;
  /** Samples of the whole file: counted, and reckoned from the average where the walk ended early. */
  samples: number;
  /** The last frame is cut off. */
  truncated: boolean;
}

/** How far a walk goes before the rest is reckoned: some minutes of speech, read in some ten milliseconds. */
const maxWalkBytes = 4 * 1024 * 1024;
const maxWalkFrames = 100_000;

/**
 * Walks from frame to frame. `frameAt` gets `headerBytes` bytes and says what frame they begin, or undefined.
 * Whatever is no frame (a tag at the end, damage) ends the count.
 */
export async function walkFrames(
  file: AudioFile,
  from: number,
  headerBytes: number,
  frameAt: (header: Buffer, index: number) => Frame | undefined,
): Promise<FrameWalk> {
  let at = from;
  let samples = 0;
  let frames = 0;
  while (at < file.size) {
    if (at - from >= maxWalkBytes || frames >= maxWalkFrames) {
      return { frames, samples: Math.floor(samples * ((file.size - from) / (at - from))), truncated: false };
    }
    const header = await file.read(at, headerBytes);
    const frame = frameAt(header, frames);
    if (frame === undefined) return { frames, samples, truncated: false };
    if (at + frame.bytes > file.size) return { frames, samples, truncated: true };
    at += frame.bytes;
    samples += frame.samples;
    frames += 1;
  }
  return { frames, samples, truncated: false };
}

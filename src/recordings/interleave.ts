import { open, type FileHandle } from 'node:fs/promises';

/** Two files of one channel made into one of two, a block at a time: 16-bit WAV in, 16-bit WAV out. */

const blockSamples = 32_768;
/** A side that begins within this of the other began with it: the times of start are taken when a file is opened. */
const togetherMs = 1_000;

interface Side {
  handle: FileHandle;
  rateHz: number;
  channels: number;
  /** Where its samples begin. */
  dataAt: number;
  /** Samples of silence before the first. */
  lead: number;
}

/** Reads what a WAV header says. Ours are made by ffmpeg a moment before, with all chunks in front. */
async function openSide(path: string, leadMs: number): Promise<Side> {
  const handle = await open(path, 'r');
  const { buffer: head, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
  const format = head.indexOf('fmt ');
  const data = head.indexOf('data');
  if (format < 0 || data < 0 || data + 8 > bytesRead) {
    await handle.close();
    throw new Error('a side was not decoded to WAV');
  }
  const rateHz = head.readUInt32LE(format + 12);
  const lead = leadMs < togetherMs ? 0 : Math.round((leadMs * rateHz) / 1000);
  return { handle, rateHz, channels: head.readUInt16LE(format + 10), dataAt: data + 8, lead };
}

/** Samples `from` and on of the first channel; silence before the beginning, fewer or none at the end. */
async function samplesOf(side: Side, from: number): Promise<Int16Array> {
  const ahead = Math.min(Math.max(0, side.lead - from), blockSamples);
  const frameBytes = 2 * side.channels;
  const wanted = Buffer.from(new ArrayBuffer((blockSamples - ahead) * frameBytes));
  const at = side.dataAt + Math.max(0, from - side.lead) * frameBytes;
  const { bytesRead } = wanted.length === 0 ? { bytesRead: 0 } : await side.handle.read(wanted, 0, wanted.length, at);
  const frames = Math.floor(bytesRead / frameBytes);
  const samples = new Int16Array(ahead + frames);
  // Viewed, not read one by one: an hour of sound is a hundred million samples. Ours are little-endian, as the machine is.
  const read = new Int16Array(wanted.buffer, wanted.byteOffset, frames * side.channels);
  if (side.channels === 1) samples.set(read, ahead);
  else for (let frame = 0; frame < frames; frame += 1) samples[ahead + frame] = read[frame * side.channels] ?? 0;
  return samples;
}

function headerOf(rateHz: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  // Sizes are not known yet and may be beyond 32 bits: whoever reads goes by the bytes that are there.
  head.writeUInt32LE(0xffffffff, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(rateHz, 24);
  head.writeUInt32LE(rateHz * 4, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(0xffffffff, 40);
  return head;
}

/**
 * Writes the first of `sides` left and the second right; the shorter one is filled up with silence.
 * @param sides WAV files with 16 bits a sample; `leadMs` is how much later than the other a side began
 * @returns false when their sample rates differ: such files are not two sides of one recorder
 */
export async function interleave(
  sides: readonly { path: string; leadMs: number }[],
  output: string,
  signal: AbortSignal,
): Promise<boolean> {
  const opened: Side[] = [];
  try {
    for (const side of sides) opened.push(await openSide(side.path, side.leadMs));
    const [left, right] = opened;
    if (left === undefined || right === undefined || left.rateHz !== right.rateHz) return false;
    const file = await open(output, 'wx', 0o600);
    try {
      await file.write(headerOf(left.rateHz));
      for (let from = 0; ; from += blockSamples) {
        signal.throwIfAborted();
        const [a, b] = [await samplesOf(left, from), await samplesOf(right, from)];
        const length = Math.max(a.length, b.length);
        if (length === 0) return true;
        const block = new Int16Array(length * 2);
        for (let at = 0; at < a.length; at += 1) block[at * 2] = a[at] ?? 0;
        for (let at = 0; at < b.length; at += 1) block[at * 2 + 1] = b[at] ?? 0;
        await file.appendFile(new Uint8Array(block.buffer));
      }
    } finally {
      await file.close();
    }
  } finally {
    for (const { handle } of opened) await handle.close();
  }
}

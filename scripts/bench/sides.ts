import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { recogniseAudio } from '../../src/platform/audio/recognise.js';
import { findFfmpeg } from '../../src/platform/ffmpeg.js';
import { createLog } from '../../src/platform/log.js';
import { interleave } from '../../src/recordings/interleave.js';

/**
 * `npm run bench -- sides [HOURS]`: how long it takes, and how much memory, to make one playback copy of the two sides of a
 * long call, 8 kHz µ-law each.
 */

const rateHz = 8000;

/** A µ-law WAV of near silence with a burst of noise every minute, written a minute at a time. */
async function writeSide(file: string, hours: number, phase: number): Promise<void> {
  const bytes = hours * 3600 * rateHz;
  const head = Buffer.alloc(46);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(38 + bytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(18, 16);
  head.writeUInt16LE(7, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rateHz, 24);
  head.writeUInt32LE(rateHz, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 38, 'latin1');
  head.writeUInt32LE(bytes, 42);
  const minute = Buffer.alloc(60 * rateHz, 0xff);
  for (let at = 0; at < 20 * rateHz; at += 1) minute[(at + phase * 30 * rateHz) % minute.length] = (at * 31 + (at >> 3)) & 0xff;
  const handle = await open(file, 'w');
  await handle.appendFile(head);
  for (let at = 0; at < hours * 60; at += 1) await handle.appendFile(minute);
  await handle.close();
}

/** What this process has used at most so far. */
const peakMegabytes = () => Math.round(process.resourceUsage().maxRSS / 1024);

async function benchSides(hours: number): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-sides-'));
  const signal = new AbortController().signal;
  try {
    const ffmpeg = await findFfmpeg(createLog('silent'));
    const sides = ['caller', 'agent'].map((leg) => path.join(folder, `${leg}.ulaw.wav`));
    for (const [phase, side] of sides.entries()) await writeSide(side, hours, phase);
    const startMb = peakMegabytes();
    const began = performance.now();
    const decoded: { path: string; leadMs: number }[] = [];
    for (const side of sides) {
      const output = `${side}.decoded.wav`;
      const audio = await recogniseAudio(side, {});
      await ffmpeg.derive(side, audio, output, { cuts: [], masks: [] }, { names: { input: '', output: '' }, signal });
      decoded.push({ path: output, leadMs: 0 });
    }
    const joinedAt = performance.now();
    const both = path.join(folder, 'both.wav');
    await interleave(decoded, both, signal);
    const processedAt = performance.now();
    const playback = path.join(folder, 'playback.m4a');
    const processed = await ffmpeg.process(both, await recogniseAudio(both, {}), { playback }, { holds: [], signal });
    const ended = performance.now();
    const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
    console.log(
      `two sides of ${hours} h: decoded in ${seconds(began, joinedAt)}, joined in ${seconds(joinedAt, processedAt)}, ` +
        `copy and waveform in ${seconds(processedAt, ended)}; ${seconds(began, ended)} in all`,
    );
    console.log(
      `${Math.round(processed.durationMs / 1000)} s of sound; ${Math.round((await stat(both)).size / 1e6)} MB joined, ` +
        `${Math.round((await stat(playback)).size / 1e6)} MB to play; this process at most ${peakMegabytes()} MB (${startMb} MB before)`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await benchSides(Number(process.argv[3] ?? 8));

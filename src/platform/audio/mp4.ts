import type { AudioFile } from './audio-file.js';
import { adtsRates } from './mpeg.js';
import { emptyRecording, notAudio, type Reading } from './recognised.js';

export function looksLikeMp4(head: Buffer): boolean {
  return head.toString('latin1', 4, 8) === 'ftyp' || (head.toString('latin1', 4, 8) === 'moov' && head.length >= 16);
}

interface Box {
  type: string;
  at: number;
  bodyAt: number;
  end: number;
}

interface Track {
  isSound: boolean;
  codec: string;
  channels: number;
  sampleRateHz: number;
  seconds: number;
  /** What its edit list leaves to be played: less than all where an encoder's run-in is skipped. */
  playedSeconds: number;
}

/** The boxes on the way to what we want to know (ISO 14496-12 §8); all others are stepped over. */
const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'mvex', 'edts']);

const codecByEntry: Record<string, string> = {
  mp4a: 'aac', Opus: 'opus', fLaC: 'flac', alac: 'alac', samr: 'amr_nb', sawb: 'amr_wb', ulaw: 'mulaw', alaw: 'alaw',
  sowt: 'pcm_s16le', twos: 'pcm_s16be', '.mp3': 'mp3', ima4: 'adpcm_ima_qt', agsm: 'gsm',
};

/** What is assumed for a fragmented file that does not state its length, in bytes per second. */
const assumedBytesPerSecond = 8_000;

/** MP4, M4A, 3GP and QuickTime. Without its index (`moov`), which is written last, such a file cannot be decoded. */
export async function readMp4(file: AudioFile): Promise<Reading> {
  const tracks: Track[] = [];
  let soundBytes = 0;
  let missingBytes = 0;
  let fragmentSeconds = 0;
  let movieTimescale = 1000;
  let steps = 0;

  const walk = async (from: number, end: number, depth: number): Promise<void> => {
    for (let at = from; at + 8 <= end; ) {
      if ((steps += 1) > 20_000 || depth > 8) throw notAudio('MP4 too scattered to be read');
      const box = await readBox(file, at, end);
      if (box === undefined) return;
      await visit(box, depth);
      at = box.end;
    }
  };
  const visit = async (box: Box, depth: number): Promise<void> => {
    if (box.type === 'trak') tracks.push(emptyTrack());
    const track = tracks.at(-1);
    if (containers.has(box.type)) await walk(box.bodyAt, Math.min(box.end, file.size), depth + 1);
    if (box.type === 'mdat') {
      soundBytes += Math.max(0, Math.min(box.end, file.size) - box.bodyAt);
      missingBytes += Math.max(0, box.end - file.size);
    }
    if (box.type === 'mvhd') movieTimescale = (await readDuration(file, box)).timescale;
    if (box.type === 'mehd') fragmentSeconds = (await readFragmentDuration(file, box)) / movieTimescale;
    if (track === undefined) return;
    if (box.type === 'elst') track.playedSeconds = (await readEdits(file, box)) / movieTimescale;
    if (box.type === 'hdlr') {
      // QuickTime has a second one, for the place of the data, in the same track.
      track.isSound ||= (await file.read(box.bodyAt + 8, 4)).toString('latin1') === 'soun';
    }
    if (box.type === 'mdhd') {
      const { duration, timescale } = await readDuration(file, box);
      track.seconds = duration / timescale;
    }
    if (box.type === 'stsd' && track.isSound) Object.assign(track, await readSoundEntry(file, box));
  };
  await walk(0, file.size, 0);

  const track = tracks.find((candidate) => candidate.isSound && candidate.codec !== '');
  if (track === undefined) throw notAudio(tracks.length === 0 ? 'MP4 without its index' : 'MP4 without sound');
  if (soundBytes === 0) throw emptyRecording();
  const stated = track.playedSeconds || track.seconds || fragmentSeconds || soundBytes / assumedBytesPerSecond;
  const seconds = Math.min(stated, soundBytes * 10) * (soundBytes / (soundBytes + missingBytes));
  const { codec, channels, sampleRateHz } = track;
  const samples = seconds * sampleRateHz;
  return { container: 'mp4', codec, channels, sampleRateHz, samples, truncated: missingBytes > 0 };
}

function emptyTrack(): Track {
  return { isSound: false, codec: '', channels: 0, sampleRateHz: 0, seconds: 0, playedSeconds: 0 };
}

async function readBox(file: AudioFile, at: number, end: number): Promise<Box | undefined> {
  const header = await file.read(at, 16);
  if (header.length < 8) return undefined;
  const size = header.readUInt32BE(0);
  const type = header.toString('latin1', 4, 8);
  if (size === 0) return { type, at, bodyAt: at + 8, end };
  if (size === 1) {
    if (header.length < 16) return undefined;
    const longSize = Number(header.readBigUInt64BE(8));
    return longSize < 16 ? undefined : { type, at, bodyAt: at + 16, end: at + longSize };
  }
  return size < 8 ? undefined : { type, at, bodyAt: at + 8, end: at + size };
}

async function readDuration(file: AudioFile, box: Box): Promise<{ duration: number; timescale: number }> {
  const body = await file.read(box.bodyAt, 32);
  const isLong = body[0] === 1;
  if (body.length < (isLong ? 32 : 20)) return { duration: 0, timescale: 1 };
  const timescale = body.readUInt32BE(isLong ? 20 : 12) || 1;
  const duration = isLong ? Number(body.readBigUInt64BE(24)) : body.readUInt32BE(16);
  const isUnknown = duration >= 2 ** 63 || duration === 0xffffffff;
  return { duration: isUnknown ? 0 : duration, timescale };
}

async function readFragmentDuration(file: AudioFile, box: Box): Promise<number> {
  const body = await file.read(box.bodyAt, 12);
  if (body.length < 8) return 0;
  return body[0] === 1 && body.length === 12 ? Number(body.readBigUInt64BE(4)) : body.readUInt32BE(4);
}

/** The sum of the edits that play something; those with media time −1 are pauses before it. */
async function readEdits(file: AudioFile, box: Box): Promise<number> {
  const body = await file.read(box.bodyAt, Math.min(Math.max(0, box.end - box.bodyAt), 1024));
  if (body.length < 8) return 0;
  const isLong = body[0] === 1;
  const entryBytes = isLong ? 20 : 12;
  let sum = 0;
  const end = Math.min(body.length, 8 + body.readUInt32BE(4) * entryBytes);
  for (let at = 8; at + entryBytes <= end; at += entryBytes) {
    const mediaTime = isLong ? body.readBigInt64BE(at + 8) : body.readInt32BE(at + 4);
    if (mediaTime >= 0) sum += isLong ? Number(body.readBigUInt64BE(at)) : body.readUInt32BE(at);
  }
  return sum;
}

async function readSoundEntry(file: AudioFile, box: Box): Promise<Partial<Track>> {
  const body = Buffer.from(await file.read(box.bodyAt, Math.min(512, box.end - box.bodyAt)));
  if (body.length < 44) return {};
  const entry = body.toString('latin1', 12, 16);
  const codec = codecByEntry[entry];
  if (codec === undefined) return {};
  const sound = { codec, channels: body.readUInt16BE(32), sampleRateHz: body.readUInt16BE(40) };
  const esds = body.indexOf('esds', 44, 'latin1');
  return esds < 0 ? sound : { ...sound, ...readElementaryStream(body.subarray(esds + 8)) };
}

/**
 * The descriptors of `esds` (ISO 14496-1 §7.2.6): what codec it really is, and for AAC the AudioSpecificConfig, since
 * the sample entry often says two channels for one.
 */
function readElementaryStream(descriptors: Buffer): Partial<Track> {
  let at = 0;
  const enter = (tag: number): boolean => {
    if (descriptors[at] !== tag) return false;
    at += 1;
    for (let i = 0; i < 4 && ((descriptors[at] ?? 0) & 0x80) !== 0; i += 1) at += 1;
    at += 1;
    return true;
  };
  if (!enter(3)) return {};
  const flags = descriptors[at + 2] ?? 0;
  at += 3 + ((flags & 0x80) === 0 ? 0 : 2) + ((flags & 0x20) === 0 ? 0 : 2);
  if (!enter(4)) return {};
  const objectType = descriptors[at];
  if (objectType === 0x69 || objectType === 0x6b) return { codec: 'mp3' };
  at += 13;
  if (!enter(5) || at + 2 > descriptors.length) return {};
  const config = descriptors.readUInt16BE(at);
  const sampleRateHz = adtsRates[(config >> 7) & 15];
  const channels = (config >> 3) & 15;
  if (config >> 11 === 31 || sampleRateHz === undefined || channels === 0) return {};
  return { channels: channels === 7 ? 8 : channels, sampleRateHz };
}

import { looksLikeAmr, readAmr } from './amr.js';
import { looksLikeAu, readAu } from './au.js';
import { AudioFile } from './audio-file.js';
import { looksLikeCaf, readCaf } from './caf.js';
import { looksLikeFlac, readFlac } from './flac.js';
import { headerlessFormat, readHeaderless } from './headerless.js';
import { looksLikeMatroska, readMatroska } from './matroska.js';
import { looksLikeMp4, readMp4 } from './mp4.js';
import { readFrameStream, skipId3 } from './mpeg.js';
import { looksLikeOgg, readOgg } from './ogg.js';
import { emptyRecording, notAudio, recognised, type Reading, type RecognisedAudio } from './recognised.js';
import { looksLikeRiff, readRiff } from './riff.js';
import { looksLikeW64, readW64 } from './w64.js';

export type { RecognisedAudio } from './recognised.js';

/** Formats that name themselves in their first bytes. */
const named: { looksLike: (head: Buffer) => boolean; read: (file: AudioFile) => Promise<Reading> }[] = [
  { looksLike: looksLikeRiff, read: readRiff },
  { looksLike: looksLikeW64, read: readW64 },
  { looksLike: looksLikeOgg, read: readOgg },
  { looksLike: looksLikeFlac, read: (file) => readFlac(file, 0) },
  { looksLike: looksLikeMp4, read: readMp4 },
  { looksLike: looksLikeMatroska, read: readMatroska },
  { looksLike: looksLikeAmr, read: readAmr },
  { looksLike: looksLikeAu, read: readAu },
  { looksLike: looksLikeCaf, read: readCaf },
  { looksLike: (head) => head.toString('latin1', 0, 3) === 'ID3', read: readTagged },
];

/** First bytes of what people send by mistake; refused even when a headerless format is claimed. */
const foreign = [
  '%PDF-', 'PK\x03\x04', 'PK\x05\x06', '\x7fELF', '\x89PNG', '\xff\xd8\xff', 'GIF8', 'BM', '\x1f\x8b', '7z\xbc\xaf',
  'Rar!', 'MZ', '{\\rtf', '<!DOCTYPE', '<!doctype', '<html', '<HTML', '<?xml', 'BZh', '\xfd7zXZ', 'II*\0', 'MM\0*',
  '\xd0\xcf\x11\xe0', 'SQLite format 3', 'RIFX',
];
/** So short that sound may begin so by chance: these count only where no headerless format is claimed. */
const weak = new Set(['BM', 'MZ', 'BZh', '\x1f\x8b', '\xff\xd8\xff']);

/**
 * Recognises an uploaded file, given by its path or whole, by its own bytes, in this process, reading small parts of it
 * (64 MiB at most, 64 KiB at a time). Neither MIME types nor extensions decide, except for audio that has no header:
 * `hints.format` names it (`ulaw alaw sln sln16 gsm g722 raw2`), else the extension of `hints.fileName` as Asterisk uses it.
 *
 * Throws `Problem` `empty-recording` (no bytes, or a header without sound) or `not-audio` (anything else than sound,
 * or sound in a form that cannot be decoded). Faults of the file system come through as they are.
 */
export async function recogniseAudio(
  content: string | Buffer,
  hints: { format?: string; fileName?: string },
): Promise<RecognisedAudio> {
  const file = await AudioFile.open(content);
  try {
    return recognised(await read(file, hints));
  } finally {
    await file.close();
  }
}

async function read(file: AudioFile, hints: { format?: string; fileName?: string }): Promise<Reading> {
  if (file.size === 0) throw emptyRecording();
  const head = Buffer.from(await file.read(0, 64));
  const format = named.find((candidate) => candidate.looksLike(head));
  if (format !== undefined) return await format.read(file);

  const headerless = headerlessFormat(hints);
  const start = head.toString('latin1');
  if (foreign.some((magic) => start.startsWith(magic) && !(headerless !== undefined && weak.has(magic)))) {
    throw notAudio('another kind of file');
  }
  // µ-law silence is 0xFF, as is the first byte of an MP3 frame: what the caller says goes before what may be chance.
  if (headerless !== undefined) return await readHeaderless(file, headerless);
  const stream = await readFrameStream(file, 0);
  if (stream === undefined) throw notAudio('no known audio format');
  return stream;
}

/** Behind ID3 tags stands MP3 as a rule, AAC or FLAC at times. */
async function readTagged(file: AudioFile): Promise<Reading> {
  const from = await skipId3(file);
  if (looksLikeFlac(await file.read(from, 4))) return await readFlac(file, from);
  const stream = await readFrameStream(file, from);
  if (stream === undefined) throw notAudio('a tag without audio behind it');
  return stream;
}

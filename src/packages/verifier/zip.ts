import { digest, hexOf, textOf, type Bytes } from './bytes.js';
import type { PackageFile, PackageFiles } from './examination.js';

/** Reads zip files by their directory (PKWARE APPNOTE): stored and deflated entries, zip64; nothing is unpacked to disk. */

/** Bytes that can be asked for piece by piece: a file that somebody chose, or one on disk. */
export interface RandomAccess {
  bytes: number;
  read(start: number, end: number): Promise<Bytes>;
}

interface Entry {
  path: string;
  method: number;
  packed: number;
  bytes: number;
  offset: number;
}

const endBytes = 22;
const longestComment = 0xffff;
const notThere = 0xffffffff;

/** Does it begin as zip files do? */
export async function isZip(source: RandomAccess): Promise<boolean> {
  const start = await source.read(0, Math.min(4, source.bytes));
  return start.length === 4 && view(start).getUint32(0, true) === 0x04034b50;
}

const view = (bytes: Bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Files by path, below the one folder that holds them all when there is one. @throws RangeError when it is no sound zip */
export async function openZip(source: RandomAccess): Promise<PackageFiles> {
  const entries = await readDirectory(source);
  const files = new Map<string, PackageFile>();
  for (const entry of entries) {
    if (files.has(entry.path)) throw new RangeError('two files of one name');
    files.set(entry.path, fileOf(source, entry));
  }
  return belowOneFolder(files);
}

/** Takes away the folder that every path begins with. */
export function belowOneFolder(files: PackageFiles): PackageFiles {
  const bags = [...files.keys()].filter((path) => path === 'bagit.txt' || path.endsWith('/bagit.txt'));
  const [bag] = bags.sort((a, b) => a.length - b.length);
  if (bag === undefined) return files;
  const folder = bag.slice(0, -'bagit.txt'.length);
  return new Map([...files].map(([path, file]) => [path.startsWith(folder) ? path.slice(folder.length) : `../${path}`, file]));
}

async function readDirectory(source: RandomAccess): Promise<Entry[]> {
  const tailStart = Math.max(0, source.bytes - endBytes - longestComment);
  const tail = view(await source.read(tailStart, source.bytes));
  let at = tail.byteLength - endBytes;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at -= 1;
  if (at < 0) throw new RangeError('not a zip file, or cut short');
  let start = tail.getUint32(at + 16, true);
  let bytes = tail.getUint32(at + 12, true);
  if (at >= 20 && tail.getUint32(at - 20, true) === 0x07064b50) {
    const place = Number(tail.getBigUint64(at - 12, true));
    const end = view(await source.read(place, place + 56));
    start = Number(end.getBigUint64(48, true));
    bytes = Number(end.getBigUint64(40, true));
  }
  const directory = await source.read(start, start + bytes);
  if (directory.length !== bytes) throw new RangeError('cut short');
  return [...entriesIn(directory)];
}

function* entriesIn(directory: Bytes): Generator<Entry> {
  const fields = view(directory);
  for (let at = 0; at < directory.length; ) {
    if (fields.getUint32(at, true) !== 0x02014b50) throw new RangeError('not a zip directory');
    const nameBytes = fields.getUint16(at + 28, true);
    const extraBytes = fields.getUint16(at + 30, true);
    const path = textOf(directory.subarray(at + 46, at + 46 + nameBytes));
    const entry: Entry = {
      path,
      method: fields.getUint16(at + 10, true),
      packed: fields.getUint32(at + 20, true),
      bytes: fields.getUint32(at + 24, true),
      offset: fields.getUint32(at + 42, true),
    };
    if ((fields.getUint16(at + 8, true) & 1) !== 0) throw new RangeError('encrypted');
    readZip64(view(directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes)), entry);
    if (!path.endsWith('/')) yield entry;
    at += 46 + nameBytes + extraBytes + fields.getUint16(at + 32, true);
  }
}

function readZip64(extra: DataView, entry: Entry): void {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let value = at + 4;
    const next = () => Number(extra.getBigUint64((value += 8) - 8, true));
    if (entry.bytes === notThere) entry.bytes = next();
    if (entry.packed === notThere) entry.packed = next();
    if (entry.offset === notThere) entry.offset = next();
  }
}

function fileOf(source: RandomAccess, entry: Entry): PackageFile {
  const read = async (): Promise<Bytes> => {
    const header = view(await source.read(entry.offset, entry.offset + 30));
    if (header.byteLength < 30 || header.getUint32(0, true) !== 0x04034b50) throw new RangeError('not a zip entry');
    const start = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const packed = await source.read(start, start + entry.packed);
    if (entry.method === 0) return packed;
    if (entry.method !== 8) throw new RangeError('packed in an unknown way');
    return await inflate(packed, entry.bytes);
  };
  return { bytes: entry.bytes, read, digests: async () => digestsOf(await read()) };
}

/** Unpacks, and stops at what the directory says it is: more would be a bomb. */
async function inflate(packed: Bytes, bytes: number): Promise<Bytes> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > bytes) throw new RangeError('more than it says');
    whole.set(value, at);
    at += value.length;
  }
  if (at !== bytes) throw new RangeError('less than it says');
  return whole;
}

export async function digestsOf(bytes: Bytes): Promise<{ sha256: string; sha512: string }> {
  const [short, long] = await Promise.all([digest('SHA-256', bytes), digest('SHA-512', bytes)]);
  return { sha256: hexOf(short), sha512: hexOf(long) };
}

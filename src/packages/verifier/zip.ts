import { digest, hexOf, sameBytes, textOf, type Bytes } from './bytes.js';
import type { PackageFile, PackageFiles } from './examination.js';

/**
 * Reads zip files (PKWARE APPNOTE): stored and deflated entries, zip64; nothing is unpacked to disk. Strict, since what is
 * found unchanged here must be what any other program unpacks: no second directory, nothing hidden between the files or
 * around them, no name that is one thing to one program and another to the next.
 */

/** Bytes that can be asked for piece by piece: a file that somebody chose, or one on disk. */
export interface RandomAccess {
  bytes: number;
  read(start: number, end: number): Promise<Bytes>;
}

interface Entry {
  name: Bytes;
  path: string;
  flags: number;
  method: number;
  packed: number;
  bytes: number;
  offset: number;
  /** Where its contents begin; known once its own header was read. */
  start: number;
}

const endBytes = 22;
const notThere = 0xffffffff;
const encrypted = 1;
const sizesFollow = 8;
/** Another name for the file, which some programs unpack it by (Info-ZIP). */
const unicodePath = 0x7075;
const linkMode = 0o120000;

/** Does it begin as zip files do? */
export async function isZip(source: RandomAccess): Promise<boolean> {
  const start = await source.read(0, Math.min(4, source.bytes));
  return start.length === 4 && view(start).getUint32(0, true) === 0x04034b50;
}

const view = (bytes: Bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function must(sound: boolean, what: string): void {
  if (!sound) throw new RangeError(what);
}

/** Files by path, below the one folder that holds them all when there is one. @throws RangeError when it is no sound zip */
export async function openZip(source: RandomAccess): Promise<PackageFiles> {
  const { entries, start } = await readDirectory(source);
  await readHeaders(source, entries, start);
  const files = new Map<string, PackageFile>();
  for (const entry of entries) {
    if (entry.path.endsWith('/')) continue;
    must(!files.has(entry.path), 'two files of one name');
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

/** The directory, which must end where the end of the file begins: with a comment there could be two of them. */
async function readDirectory(source: RandomAccess): Promise<{ entries: Entry[]; start: number }> {
  const endAt = source.bytes - endBytes;
  must(endAt >= 0, 'not a zip file, or cut short');
  const end = view(await source.read(endAt, source.bytes));
  must(end.getUint32(0, true) === 0x06054b50 && end.getUint16(20, true) === 0, 'not a zip file, cut short, or something follows it');
  must(end.getUint32(4, true) === 0, 'in several parts');
  let told = { count: end.getUint16(10, true), bytes: end.getUint32(12, true), start: end.getUint32(16, true) };
  let directoryEnd = endAt;
  const locator = endAt >= 20 ? view(await source.read(endAt - 20, endAt)) : undefined;
  if (locator?.getUint32(0, true) === 0x07064b50) {
    directoryEnd = Number(locator.getBigUint64(8, true));
    must(directoryEnd + 56 === endAt - 20, 'two directories');
    const large = view(await source.read(directoryEnd, directoryEnd + 56));
    must(large.getUint32(0, true) === 0x06064b50 && large.getBigUint64(4, true) === 44n, 'not a zip64 directory');
    const [count, bytes, start] = [32, 40, 48].map((at) => Number(large.getBigUint64(at, true))) as [number, number, number];
    const agrees = (short: number, long: number, none: number) => short === none || short === long;
    must(
      agrees(told.count, count, 0xffff) && agrees(told.bytes, bytes, notThere) && agrees(told.start, start, notThere),
      'two directories',
    );
    told = { count, bytes, start };
  }
  must(told.start + told.bytes === directoryEnd, 'something stands around the directory');
  const entries = [...entriesIn(await source.read(told.start, directoryEnd))];
  must(entries.length === told.count, 'the directory is cut short');
  return { entries, start: told.start };
}

function* entriesIn(directory: Bytes): Generator<Entry> {
  const fields = view(directory);
  for (let at = 0; at < directory.length; ) {
    must(fields.getUint32(at, true) === 0x02014b50, 'not a zip directory');
    const nameBytes = fields.getUint16(at + 28, true);
    const extraBytes = fields.getUint16(at + 30, true);
    const name = directory.subarray(at + 46, at + 46 + nameBytes);
    const entry: Entry = {
      name,
      path: pathOf(name),
      flags: fields.getUint16(at + 8, true),
      method: fields.getUint16(at + 10, true),
      packed: fields.getUint32(at + 20, true),
      bytes: fields.getUint32(at + 24, true),
      offset: fields.getUint32(at + 42, true),
      start: 0,
    };
    must((entry.flags & encrypted) === 0, 'encrypted');
    must(((fields.getUint32(at + 38, true) >>> 16) & 0o170000) !== linkMode, 'it holds a link');
    readExtra(view(directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes)), entry);
    must(!entry.path.endsWith('/') || entry.bytes === 0, 'a folder with contents');
    yield entry;
    at += 46 + nameBytes + extraBytes + fields.getUint16(at + 32, true);
  }
}

function pathOf(name: Bytes): string {
  try {
    return textOf(name);
  } catch {
    throw new RangeError('a name that is no UTF-8');
  }
}

/** Fills in the values that need 64 bits, in their order (APPNOTE 4.5.3). */
function readExtra(extra: DataView, entry: Pick<Entry, 'bytes' | 'packed' | 'offset'>): void {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    must(extra.getUint16(at, true) !== unicodePath, 'a file of two names');
    if (extra.getUint16(at, true) !== 1) continue;
    let value = at + 4;
    const next = () => Number(extra.getBigUint64((value += 8) - 8, true));
    if (entry.bytes === notThere) entry.bytes = next();
    if (entry.packed === notThere) entry.packed = next();
    if (entry.offset === notThere) entry.offset = next();
  }
}

/** Each file's own header says what the directory says, and the files fill all that comes before the directory. */
async function readHeaders(source: RandomAccess, entries: readonly Entry[], directoryStart: number): Promise<void> {
  let at = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    must(entry.offset === at, 'something stands between the files');
    const header = view(await source.read(entry.offset, entry.offset + 30));
    const nameEnd = entry.offset + 30 + header.getUint16(26, true);
    entry.start = nameEnd + header.getUint16(28, true);
    const rest = await source.read(entry.offset + 30, entry.start);
    const own = { bytes: header.getUint32(22, true), packed: header.getUint32(18, true), offset: 0 };
    readExtra(view(rest.subarray(nameEnd - entry.offset - 30)), own);
    const follow = (entry.flags & sizesFollow) !== 0;
    const agrees =
      header.getUint32(0, true) === 0x04034b50 && header.getUint16(6, true) === entry.flags &&
      header.getUint16(8, true) === entry.method && sameBytes(rest.subarray(0, nameEnd - entry.offset - 30), entry.name) &&
      (follow || (own.bytes === entry.bytes && own.packed === entry.packed));
    must(agrees && (entry.method !== 0 || entry.packed === entry.bytes), 'a file is not what the directory says');
    at = entry.start + entry.packed;
    if (follow) at += await trailerBytes(source, at, entry);
  }
  must(at === directoryStart, 'something stands between the files');
}

/** Sizes that stand behind a file: a checksum and two sizes in 32 or 64 bits, with or without a mark in front. */
async function trailerBytes(source: RandomAccess, at: number, { packed, bytes }: Entry): Promise<number> {
  const trailer = view(await source.read(at, Math.min(at + 24, source.bytes)));
  const marked = trailer.getUint32(0, true) === 0x08074b50 ? 4 : 0;
  for (const mark of new Set([marked, 0])) {
    const sizes = mark + 4;
    if (trailer.getUint32(sizes, true) === packed && trailer.getUint32(sizes + 4, true) === bytes) return sizes + 8;
    if (trailer.byteLength < sizes + 16) continue;
    const large = [sizes, sizes + 8].map((place) => Number(trailer.getBigUint64(place, true)));
    if (large[0] === packed && large[1] === bytes) return sizes + 16;
  }
  throw new RangeError('a file is not what the directory says');
}

function fileOf(source: RandomAccess, entry: Entry): PackageFile {
  const read = async (): Promise<Bytes> => {
    const packed = await source.read(entry.start, entry.start + entry.packed);
    must(packed.length === entry.packed, 'cut short');
    if (entry.method === 0) return packed;
    must(entry.method === 8, 'packed in an unknown way');
    return await inflate(packed, entry.bytes);
  };
  return { bytes: entry.bytes, read, digests: async () => digestsOf(await read()) };
}

/** Unpacks, and stops at what the directory says it is: more would be a bomb. */
async function inflate(packed: Bytes, bytes: number): Promise<Bytes> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  // Not a fault of the package: a browser has no more room than this.
  if (bytes >= 2 ** 31) throw new Error('too large to be unpacked here; unpack it first');
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    must(at + value.length <= bytes, 'more than it says');
    whole.set(value, at);
    at += value.length;
  }
  must(at === bytes, 'less than it says');
  return whole;
}

export async function digestsOf(bytes: Bytes): Promise<{ sha256: string; sha512: string }> {
  const [short, long] = await Promise.all([digest('SHA-256', bytes), digest('SHA-512', bytes)]);
  return { sha256: hexOf(short), sha512: hexOf(long) };
}

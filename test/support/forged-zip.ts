import { crc32 } from 'node:zlib';

/** Zip files written field by field, so that any field can be another than it should. */

export interface ForgedEntry {
  name: string;
  bytes: Buffer;
  /** The name in the file's own header, when it is another than the directory's. */
  ownName?: string;
  extra?: Buffer;
  /** Unix mode, file type included. */
  mode?: number;
  method?: number;
  /** Left out of the directory: there for programs that read from the front. */
  hidden?: boolean;
  /** In the directory, at the place of the entry before it. */
  offsetOf?: number;
}

export interface ForgedZip {
  before?: Buffer;
  between?: Buffer;
  comment?: Buffer;
  after?: Buffer;
}

export function extraField(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

/** Info-ZIP's other name for a file: version 1, the checksum of the name it stands in for, the name. */
export function unicodePathField(name: string, other: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(1, 0);
  head.writeUInt32LE(crc32(Buffer.from(name)), 1);
  return extraField(0x7075, Buffer.concat([head, Buffer.from(other)]));
}

function header(entry: ForgedEntry, name: Buffer, offset: number | undefined): Buffer {
  const { bytes, extra = Buffer.alloc(0), method = 0, mode = 0o100644 } = entry;
  const isOwn = offset === undefined;
  const fields = Buffer.alloc(isOwn ? 30 : 46);
  const shift = isOwn ? 0 : 2;
  fields.writeUInt32LE(isOwn ? 0x04034b50 : 0x02014b50, 0);
  if (!isOwn) fields.writeUInt16LE(0x031e, 4);
  fields.writeUInt16LE(20, 4 + shift);
  fields.writeUInt16LE(method, 8 + shift);
  fields.writeUInt32LE(crc32(bytes), 14 + shift);
  fields.writeUInt32LE(bytes.length, 18 + shift);
  fields.writeUInt32LE(bytes.length, 22 + shift);
  fields.writeUInt16LE(name.length, 26 + shift);
  fields.writeUInt16LE(extra.length, 28 + shift);
  if (!isOwn) {
    fields.writeUInt32LE((mode << 16) >>> 0, 38);
    fields.writeUInt32LE(offset, 42);
  }
  return Buffer.concat([fields, name, extra]);
}

export function forgedZip(entries: readonly ForgedEntry[], { before, between, comment, after }: ForgedZip = {}): Buffer {
  const parts: Buffer[] = before === undefined ? [] : [before];
  const length = () => parts.reduce((sum, part) => sum + part.length, 0);
  const offsets: number[] = [];
  for (const entry of entries) {
    offsets.push(length());
    if (entry.offsetOf !== undefined) continue;
    parts.push(header(entry, Buffer.from(entry.ownName ?? entry.name), undefined), entry.bytes);
    if (between !== undefined) parts.push(between);
  }
  const start = length();
  const listed = entries.map((entry, index) => ({ entry, offset: offsets[entry.offsetOf ?? index] ?? 0 })).filter(({ entry }) => entry.hidden !== true);
  for (const { entry, offset } of listed) parts.push(header(entry, Buffer.from(entry.name), offset));
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(listed.length, 8);
  end.writeUInt16LE(listed.length, 10);
  end.writeUInt32LE(length() - start, 12);
  end.writeUInt32LE(start, 16);
  end.writeUInt16LE(comment?.length ?? 0, 20);
  parts.push(end, comment ?? Buffer.alloc(0), after ?? Buffer.alloc(0));
  return Buffer.concat(parts);
}

/** The checksums S3 clients may ask to be checked. Source: S3 User Guide, "Checking object integrity". */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface Checksum {
  update(bytes: Buffer): void;
  /** Base64 of the big-endian value, as in `x-amz-checksum-…`. */
  digest(): string;
}

function hashed(algorithm: 'sha1' | 'sha256'): Checksum {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') };
}

function base64OfUInt32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

const castagnoli = new Uint32Array(256).map((_unused, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C of `bytes` continuing from `previous` (RFC 3720 appendix B.4). Node has no native one. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let value = ~previous;
  for (const byte of bytes) value = (castagnoli[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
}

function cyclic(step: (bytes: Buffer, previous: number) => number): Checksum {
  let value = 0;
  return { update: (bytes) => void (value = step(bytes, value)), digest: () => base64OfUInt32(value) };
}

const algorithms: Record<string, () => Checksum> = {
  'x-amz-checksum-crc32': () => cyclic(crc32),
  'x-amz-checksum-crc32c': () => cyclic(crc32c),
  'x-amz-checksum-sha1': () => hashed('sha1'),
  'x-amz-checksum-sha256': () => hashed('sha256'),
};

/** A checksum for the header `name`, or undefined when this server does not know it (CRC-64/NVME). */
export function checksumFor(name: string): Checksum | undefined {
  return algorithms[name]?.();
}

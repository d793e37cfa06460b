import { createHash, createPublicKey } from 'node:crypto';
import type { SigningKey } from './signing.js';

/**
 * Signatures as `ssh-keygen -Y verify` checks them (OpenSSH PROTOCOL.sshsig), with a P-256 key (RFC 5656, RFC 4253 §5).
 */

const keyType = 'ecdsa-sha2-nistp256';
const curve = 'nistp256';

/** A length and the bytes: how SSH writes strings and big numbers (RFC 4251 §5). */
function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A positive number as SSH writes it: no needless zeros in front, and one where the first bit would make it negative. */
function mpint(unsigned: Buffer): Buffer {
  const first = unsigned.findIndex((byte) => byte !== 0);
  const bytes = first === -1 ? Buffer.alloc(0) : unsigned.subarray(first);
  return field((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}

/** The two numbers of an ECDSA signature in DER (RFC 3279 §2.2.3), each as its bytes. */
function numbersOf(der: Buffer): [Buffer, Buffer] {
  const numbers: Buffer[] = [];
  for (let at = 2; at < der.length; ) {
    const length = der[at + 1] ?? 0;
    numbers.push(der.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  const [r, s] = numbers;
  if (der[0] !== 0x30 || r === undefined || s === undefined) throw new Error('This is no ECDSA signature in DER');
  return [r, s];
}

/** The public key as SSH writes it on the wire. */
function publicBlob(publicPem: string): Buffer {
  const { x, y } = createPublicKey(publicPem).export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new Error('This is no P-256 public key');
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return Buffer.concat([field(keyType), field(curve), field(point)]);
}

/** A line of `allowed_signers` (ssh-keygen(1)): this key may sign as `principal` in `namespace` alone. */
export function allowedSigner(publicPem: string, principal: string, namespace: string): string {
  return `${principal} namespaces="${namespace}" ${keyType} ${publicBlob(publicPem).toString('base64')}\n`;
}

/** An armored SSH signature of `message` in `namespace`. */
export function sshSignature(key: SigningKey, message: Uint8Array, namespace: string): string {
  const hashName = 'sha512';
  const hash = createHash(hashName).update(message).digest();
  const signed = Buffer.concat([Buffer.from('SSHSIG'), field(namespace), field(''), field(hashName), field(hash)]);
  const signature = Buffer.concat([field(keyType), field(Buffer.concat(numbersOf(key.sign(signed)).map(mpint)))]);
  const version = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    Buffer.from('SSHSIG'), version, field(publicBlob(key.publicPem)), field(namespace), field(''), field(hashName),
    field(signature),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

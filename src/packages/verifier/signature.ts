import { digest, fromBase64, hexOf, joined, sameBytes, sha256, toBase64, utf8, type Bytes } from './bytes.js';
import { signatureNamespace, signerName } from './layout.js';

/** Signatures with P-256: plain (ECDSA in DER over SHA-256) and as OpenSSH writes them. */

export interface PublicKey {
  /** SHA-256 of its SPKI form, hex. */
  keyId: string;
  spki: Bytes;
  key: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
}

/** SPKI of a P-256 key: this, then the point uncompressed (RFC 5480). */
const spkiPrefix = '3059301306072a8648ce3d020106082a8648ce3d030107034200';

/** Reads a public key from PEM, written just as openssl writes it. @throws for anything else */
export async function readPublicKey(pem: string): Promise<PublicKey> {
  const match = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END PUBLIC KEY-----\n$/.exec(pem);
  const base64 = (match?.[1] ?? '').replaceAll('\n', '');
  const spki = fromBase64(base64);
  const canonical = `-----BEGIN PUBLIC KEY-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PUBLIC KEY-----\n`;
  if (pem !== canonical || !hexOf(spki).startsWith(spkiPrefix)) throw new RangeError('not a P-256 public key');
  const key = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  return { keyId: hexOf(await sha256(spki)), spki, key };
}

/** A key id as people compare it: its first 80 bits, in groups of four. */
export const fingerprintOf = (keyId: string): string => (keyId.slice(0, 20).match(/.{4}/g) ?? []).join(' ');

/** A number of an ECDSA signature as 32 bytes. @throws when it is not minimal, or too long */
function number32(content: Bytes): Bytes {
  const [first = 0x80, second = 0] = content;
  const negative = first >= 0x80;
  const padded = first === 0 && second < 0x80 && content.length > 1;
  const value = first === 0 ? content.subarray(1) : content;
  if (negative || padded || value.length > 32 || value.length === 0) throw new RangeError('not a number of a signature');
  return joined(new Uint8Array(32 - value.length), value);
}

/** `r ‖ s`, as WebCrypto takes signatures, from DER. @throws for anything but strict DER */
function rawOf(der: Bytes): Bytes {
  const lengthR = der[3] ?? 0;
  const r = der.subarray(4, 4 + lengthR);
  const s = der.subarray(6 + lengthR);
  const sound =
    der[0] === 0x30 && der[1] === der.length - 2 && der[2] === 2 && der[4 + lengthR] === 2 && der[5 + lengthR] === s.length;
  if (!sound) throw new RangeError('not a signature in DER');
  return joined(number32(r), number32(s));
}

const check = (key: PublicKey, raw: Bytes, data: Bytes): Promise<boolean> =>
  crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key.key, raw, data);

/** Is `der` the signature of `data`? False for anything malformed. */
export async function isSigned(key: PublicKey, data: Bytes, der: Bytes): Promise<boolean> {
  let raw: Bytes;
  try {
    raw = rawOf(der);
  } catch {
    return false;
  }
  return await check(key, raw, data);
}

const keyType = 'ecdsa-sha2-nistp256';

function field(content: Bytes | string): Bytes {
  const bytes = typeof content === 'string' ? utf8(content) : content;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return joined(length, bytes);
}

const sshKey = (key: PublicKey): Bytes => joined(field(keyType), field('nistp256'), field(key.spki.subarray(spkiPrefix.length / 2)));

/** What `allowed_signers` must say for this key: nothing else is accepted. */
export const expectedSigners = (key: PublicKey): string =>
  `${signerName} namespaces="${signatureNamespace}" ${keyType} ${toBase64(sshKey(key))}\n`;

/** Is `armored` an SSH signature of `data` by this key in our namespace (PROTOCOL.sshsig)? False for anything malformed. */
export async function isSshSigned(key: PublicKey, data: Bytes, armored: string): Promise<boolean> {
  const header = joined(
    utf8('SSHSIG'), new Uint8Array([0, 0, 0, 1]), field(sshKey(key)), field(signatureNamespace), field(''), field('sha512'),
  );
  try {
    const base64 = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n$/.exec(armored)?.[1] ?? '';
    const blob = fromBase64(base64.replaceAll('\n', ''));
    const lines = toBase64(blob).match(/.{1,70}/g) ?? [];
    if (lines.join('\n') !== base64 || !sameBytes(blob.subarray(0, header.length), header)) return false;
    const [signature, ...nothing] = fieldsOf(blob.subarray(header.length));
    const [type, numbers, ...more] = fieldsOf(signature ?? new Uint8Array());
    if (nothing.length + more.length > 0 || !sameBytes(type ?? new Uint8Array(), utf8(keyType))) return false;
    const [r, s, ...rest] = fieldsOf(numbers ?? new Uint8Array());
    if (r === undefined || s === undefined || rest.length > 0) return false;
    const hash = await digest('SHA-512', data);
    const signed = joined(utf8('SSHSIG'), field(signatureNamespace), field(''), field('sha512'), field(hash));
    return await check(key, joined(number32(r), number32(s)), signed);
  } catch (error) {
    if (error instanceof RangeError || (error as Error).name === 'InvalidCharacterError') return false;
    throw error;
  }
}

/** The fields that `bytes` is made of. @throws RangeError when they do not fill it exactly */
function fieldsOf(bytes: Bytes): Bytes[] {
  const fields: Bytes[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new RangeError('cut short');
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
    if (at + 4 + length > bytes.length) throw new RangeError('cut short');
    fields.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return fields;
}

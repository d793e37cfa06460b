import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Random secrets, and the digests that are kept instead of them. */

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 256 random bits in 43 letters and digits: safe in a header, a URL path, a shell and a PBX's configuration file. */
export function randomToken(): string {
  let rest = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let token = '';
  for (let place = 0; place < 43; place += 1) {
    token = base62.charAt(Number(rest % 62n)) + token;
    rest /= 62n;
  }
  return token;
}

/** What is kept of a token. A token has 256 bits of its own, so a plain digest cannot be searched backwards. */
export const digestOfToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A key for one purpose, derived from the service's secret (HKDF, RFC 5869). */
export function derivedKey(secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `opname access ${purpose}`, 32));
}

/** A keyed digest of something guessable (an e-mail address, a number), so that it can be counted, not read. */
export const keyedDigest = (key: Buffer, value: string): Buffer => createHmac('sha256', key).update(value).digest();

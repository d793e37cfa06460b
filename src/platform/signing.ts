import {
  createHash, createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, randomUUID, sign, verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { chmod, link, mkdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder, writeDurably } from './durable-file.js';

/**
 * The service's own key: ECDSA on P-256 over SHA-256, signatures in DER, so that `openssl dgst -sha256 -verify` checks
 * them (it cannot check Ed25519). The private half lives in the settings or in a file, never in the database: whoever
 * can rewrite the database must not be able to sign what he wrote.
 *
 * Rotation: give another key and start again. Old public keys stay published, and old signatures verify with them.
 */
export interface SigningKey {
  /** SHA-256 of the public key's SPKI DER, hex: what `openssl pkey -pubin -outform DER | sha256sum` prints. */
  keyId: string;
  /** SPKI PEM. */
  publicPem: string;
  /** A DER signature over SHA-256 of `bytes`. */
  sign(bytes: Uint8Array): Buffer;
  /** 256 bits for another purpose, derived from the private key (HKDF, RFC 5869): another key gives others. */
  derive(purpose: string): Buffer;
}

/** The name of the key's file in its folder. */
export const signingKeyFile = 'signing-key.pem';

const wrongKey = 'The signing key must be an unencrypted P-256 private key in PEM form (PKCS#8 or SEC 1)';

/** The id of a public key. Throws when `publicPem` is no public key. */
export function keyIdOf(publicPem: string): string {
  return idOf(createPublicKey(publicPem));
}

function idOf(key: KeyObject): string {
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex');
}

/** A key id as people compare it over the telephone: its first 80 bits, in groups of four. */
export function fingerprint(keyId: string): string {
  return (keyId.slice(0, 20).match(/.{4}/g) ?? []).join(' ');
}

/** Whether `signature` (DER) is the signature of `bytes` under a P-256 public key. False for anything malformed. */
export function verifySignature(publicPem: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey(publicPem);
    return isP256(key) && verify('sha256', bytes, key, signature);
  } catch {
    return false;
  }
}

const isP256 = (key: KeyObject) =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

function fromPem(pem: string): SigningKey {
  let privateKey: KeyObject;
  try {
    // In environment variables line ends are often written as two characters.
    privateKey = createPrivateKey(pem.replaceAll('\\n', '\n'));
  } catch {
    // OpenSSL's message is not passed on: it may quote what it read.
    throw new Error(wrongKey);
  }
  if (!isP256(privateKey)) throw new Error(wrongKey);
  const publicKey = createPublicKey(privateKey);
  return {
    keyId: idOf(publicKey),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (bytes) => sign('sha256', bytes, privateKey),
    derive: (purpose) => {
      const secret = privateKey.export({ type: 'pkcs8', format: 'der' });
      return Buffer.from(hkdfSync('sha256', secret, '', `opname ${purpose}`, 32));
    },
  };
}

/**
 * Opens the key given as PEM, or the one kept in `folder`, which is made there at the first start.
 * Throws when neither is given, when the key is none of ours, or when the folder cannot be written.
 */
export async function openSigningKey(from: {
  pem?: string | undefined;
  folder?: string | undefined;
}): Promise<SigningKey> {
  if (from.pem !== undefined) return fromPem(from.pem);
  if (from.folder === undefined) throw new Error('There is no signing key: neither a PEM nor a folder is given');
  return fromPem((await readKey(from.folder)) ?? (await makeKey(from.folder)));
}

async function readKey(folder: string): Promise<string | undefined> {
  const file = path.join(folder, signingKeyFile);
  try {
    // A copy or a restored backup may have lost the narrow mode.
    await chmod(file, 0o600);
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, and never over another: of two processes that start together, both end with the same key. */
async function makeKey(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = path.join(folder, signingKeyFile);
  const temporary = `${file}.${randomUUID()}`;
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeDurably(temporary, pem);
  try {
    // A link, unlike a rename, fails when the other process was first.
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(temporary);
  }
  await syncFolder(folder);
  const kept = await readKey(folder);
  if (kept === undefined) throw new Error('The signing key vanished while it was being made');
  return kept;
}

import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint, keyIdOf, openSigningKey, signingKeyFile, verifySignature } from '../src/platform/signing.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'opname-signing-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const bytes = Buffer.from('what is signed');

describe('the signing key', () => {
  it('is made once, in a file that only its owner can read, also by processes that start together', async () => {
    const folder = path.join(root, 'made', 'keys');
    const keys = await Promise.all(Array.from({ length: 8 }, () => openSigningKey({ folder })));
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1);
    expect(await readdir(folder)).toEqual([signingKeyFile]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(folder, signingKeyFile))).mode & 0o777).toBe(0o600);

    await chmod(path.join(folder, signingKeyFile), 0o644);
    const again = await openSigningKey({ folder });
    expect(again.keyId).toBe(keys[0]?.keyId);
    expect((await stat(path.join(folder, signingKeyFile))).mode & 0o777).toBe(0o600);
  });

  it('signs what its public half verifies, and nothing else', async () => {
    const key = await openSigningKey({ folder: path.join(root, 'one') });
    const other = await openSigningKey({ folder: path.join(root, 'other') });
    const signature = key.sign(bytes);
    expect(verifySignature(key.publicPem, bytes, signature)).toBe(true);
    expect(verifySignature(key.publicPem, Buffer.from('what is signeD'), signature)).toBe(false);
    expect(verifySignature(other.publicPem, bytes, signature)).toBe(false);
    expect(verifySignature(key.publicPem, bytes, signature.subarray(1))).toBe(false);
    expect(verifySignature('no key', bytes, signature)).toBe(false);
  });

  it('is known by the digest of its public half', async () => {
    const key = await openSigningKey({ folder: path.join(root, 'one') });
    const der = Buffer.from(key.publicPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(key.keyId).toBe(createHash('sha256').update(der).digest('hex'));
    expect(keyIdOf(key.publicPem)).toBe(key.keyId);
    expect(fingerprint('0123456789abcdef0123456789abcdef')).toBe('0123 4567 89ab cdef 0123');
  });

  it('is taken as PKCS#8, as SEC 1 as openssl writes it, and with line ends written as \\n', async () => {
    const sec1 = execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey'], { encoding: 'utf8' });
    const pkcs8 = execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt'], { encoding: 'utf8', input: sec1 });
    const keys = await Promise.all([sec1, pkcs8, pkcs8.replaceAll('\n', '\\n')].map((pem) => openSigningKey({ pem })));
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1);
    for (const key of keys) expect(verifySignature(key.publicPem, bytes, key.sign(bytes))).toBe(true);
  });

  it('is refused when it is no P-256 key, without repeating it', async () => {
    const pemOf = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
      key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const wrong = [
      pemOf(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey),
      pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey),
      pemOf(generateKeyPairSync('ed25519').privateKey),
      generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString(),
      (await openSigningKey({ folder: path.join(root, 'one') })).publicPem,
      '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----',
    ];
    for (const pem of wrong) {
      const error: unknown = await openSigningKey({ pem }).catch((thrown: unknown) => thrown);
      expect(String(error)).toBe('Error: The signing key must be an unencrypted P-256 private key in PEM form (PKCS#8 or SEC 1)');
    }
    await expect(openSigningKey({})).rejects.toThrow('neither');
  });

  it('is not replaced when its file is damaged', async () => {
    const folder = path.join(root, 'damaged');
    await openSigningKey({ folder });
    const file = path.join(folder, signingKeyFile);
    await writeFile(file, 'damaged');
    await expect(openSigningKey({ folder })).rejects.toThrow('must be an unencrypted P-256');
    expect(await readFile(file, 'utf8')).toBe('damaged');
  });
});

import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tone } from './support/audio.js';
import { download, has, run, seal, unpack, type SealedPackage, type Unpacked } from './support/evidence.js';
import { digest } from './support/evidence-forgery.js';
import { startTestService } from './support/service.js';
import { startAuthority, type TestAuthority } from './support/time-stamp-authority.js';

/** A stranger with a package, common tools, and nobody to ask: service, storage and time-stamping authority are gone. */

const tools = has('sha256sum', 'sha512sum', 'openssl', 'ssh-keygen', 'sh');
const audio = tone({ seconds: 2, channels: 2 });
let authority: TestAuthority;
let sealedPackage: SealedPackage;
let unpacked: Unpacked;
let cwd: string;
/** Had from the authority itself, as a stranger would. */
let root: string;

beforeAll(async () => {
  if (!tools) return;
  authority = await startAuthority('ec');
  const service = await startTestService({ env: { TSA_URLS: authority.url } });
  const id = await service.push({}, audio);
  const wording = { startMs: 100, endMs: 900, summary: 'Agreed', parties: ['A'] };
  await service.as('privacy_officer').post(`/api/v1/recordings/${id}/agreements`).send(wording).expect(201);
  sealedPackage = await seal(service, [id], { scope: 'full' });
  unpacked = await unpack(await download(service, sealedPackage.id));
  cwd = unpacked.folder;
  root = path.join(cwd, '..', 'root.pem');
  await copyFile(authority.rootFile, root);
  await service.close();
  await authority.close();
  for (const url of [service.url, authority.url])
    await expect(fetch(url, { signal: AbortSignal.timeout(2000) })).rejects.toThrow();
});
afterAll(() => unpacked.remove());

describe.skipIf(!tools)('with the service stopped, the unpacked package', () => {
  it('passes sha256sum -c', async () => {
    for (const name of ['manifest-sha256.txt', 'tagmanifest-sha256.txt'])
      expect(await run('sha256sum', ['-c', '--strict', '--quiet', name], { cwd })).toEqual({ code: 0, said: '' });
    expect(await run('sha512sum', ['-c', '--strict', '--quiet', 'manifest-sha512.txt'], { cwd })).toEqual({ code: 0, said: '' });
  });

  it('passes openssl dgst, with the key of the published fingerprint', async () => {
    const signature = ['-signature', 'signatures/tagmanifest.p256.sig', 'tagmanifest-sha256.txt'];
    const dgst = await run('openssl', ['dgst', '-sha256', '-verify', 'signatures/evidence.pub.pem', ...signature], { cwd });
    expect(dgst).toMatchObject({ code: 0, said: expect.stringContaining('Verified OK') as string });
    await run('openssl', ['pkey', '-pubin', '-in', 'signatures/evidence.pub.pem', '-outform', 'DER', '-out', '../key.der'], { cwd });
    expect(digest(await readFile(path.join(cwd, '../key.der')))).toBe(sealedPackage.keyId);
  });

  it('passes ssh-keygen -Y verify', async () => {
    const signer = ['-f', 'signatures/allowed_signers', '-I', 'call-evidence', '-n', 'call-evidence@v1'];
    const input = path.join(cwd, 'tagmanifest-sha256.txt');
    const ssh = await run('ssh-keygen', ['-Y', 'verify', ...signer, '-s', 'signatures/tagmanifest.sshsig'], { cwd, input });
    expect(ssh).toMatchObject({ code: 0, said: expect.stringContaining('Good "call-evidence@v1" signature') as string });
  });

  it('passes openssl ts -verify against the authority’s root: the receipt and the whole', async () => {
    for (const ca of [root, 'data/proofs/tsa-chain.pem'])
      for (const about of [
        ['-digest', digest(audio), '-in', 'data/proofs/ingest.tsr'],
        ['-data', 'tagmanifest-sha256.txt', '-in', 'signatures/export.tsr'],
      ])
        expect((await run('openssl', ['ts', '-verify', ...about, '-CAfile', ca], { cwd })).said).toContain('Verification: OK');
  });

  it('passes its own verify.sh, and the commands of its README as they are printed', async () => {
    const { code, said } = await run('sh', ['verify.sh'], { cwd });
    expect([code, said]).toEqual([0, expect.stringContaining('Ongewijzigd')]);
    expect(said).toContain('Time stamp of the receipt, data/proofs/ingest.tsr: ');
    expect(said).not.toContain('NOTE');
    const readMe = await readFile(path.join(cwd, 'README.nl.txt'), 'utf8');
    const commands = [...readMe.matchAll(/^ {2}((?:sha256sum|openssl|ssh-keygen) (?:[^\n]*\\\n)*[^\n]*)$/gm)].map(([, command = '']) => command);
    expect(commands.length).toBe(7);
    for (const command of commands) expect([command, (await run('sh', ['-c', command], { cwd })).code]).toEqual([command, 0]);
  });
});

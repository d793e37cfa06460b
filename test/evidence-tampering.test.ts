import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPackage, type Report } from '../src/packages/verifier/check.js';
import { openPackageFiles } from '../src/packages/package-files.js';
import type { PackageFiles } from '../src/packages/verifier/examination.js';
import { canonicalBytes } from '../src/audit/canonical.js';
import { openSigningKey, type SigningKey } from '../src/platform/signing.js';
import { tone } from './support/audio.js';
import { altered, download, filesBelow, has, inMemory, run, seal, unpack, type SealedPackage, type Unpacked } from './support/evidence.js';
import { contentOf as contentIn, digest, editedCustody, editedJson, repaired, textIn } from './support/evidence-forgery.js';
import { signingKeyPem, startTestService, type TestService } from './support/service.js';
import { startAuthority, type TestAuthority } from './support/time-stamp-authority.js';

let service: TestService;
const strangersTools = has('sha256sum', 'sha512sum', 'openssl', 'ssh-keygen', 'sh');
let authority: TestAuthority | undefined;
let sealedPackage: SealedPackage;
let unpacked: Unpacked;
let files: PackageFiles;
let insider: SigningKey;

beforeAll(async () => {
  authority = strangersTools ? await startAuthority('ec') : undefined;
  const signingKey = signingKeyPem();
  insider = await openSigningKey({ pem: signingKey });
  service = await startTestService({ env: { SIGNING_KEY: signingKey, ...(authority === undefined ? {} : { TSA_URLS: authority.url }) } });
  const id = await service.push({}, tone({ seconds: 2, channels: 2 }));
  await service.processed(id);
  const agreement = { startMs: 100, endMs: 900, summary: 'Agreed', parties: ['A'] };
  await service.as('privacy_officer').post(`/api/v1/recordings/${id}/agreements`).send(agreement).expect(201);
  // Batches before and after, so that the proof is one of a long chain.
  for (let more = 0; more < 3; more += 1) {
    await service.push({}, tone({ seconds: 1, seed: more }));
    await service.as('auditor').get('/api/v1/audit/verification').expect(200);
  }
  sealedPackage = await seal(service, [id], { scope: 'full' });
  unpacked = await unpack(await download(service, sealedPackage.id));
  files = await inMemory(await filesBelow(unpacked.folder));
});
afterAll(async () => {
  await service.close();
  await authority?.close();
  await unpacked.remove();
});

const check = (changed: PackageFiles): Promise<Report> => checkPackage(changed, { trustedKeyIds: [sealedPackage.keyId] });
const contentOf = (name: string): Promise<Buffer> => contentIn(files, name);
const textOf = (name: string): Promise<string> => textIn(files, name);
const editJson = (name: string, edit: (value: Record<string, never>) => void) => editedJson(files, name, edit);

describe('the verifier', () => {
  it('finds nothing wrong with what was sealed', async () => {
    expect(await check(files)).toMatchObject({ verdict: 'unchanged', faults: [], timeStamped: strangersTools, recordings: [{ stamps: strangersTools ? 1 : 0 }] });
  });

  it('detects any single changed byte, in any file', async () => {
    const names = [...files.keys()];
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: names.length - 1 }), fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.integer({ min: 1, max: 255 }), async (which, where, flip) => {
        const name = names[which] ?? '';
        const bytes = await contentOf(name);
        const at = Math.floor(where * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        expect([name, at, (await check(altered(files, { [name]: bytes }))).verdict]).toEqual([name, at, 'changed']);
      }),
      { numRuns: 400 },
    );
  });

  it('detects every single changed byte of each signature, key and manifest of signatures', async () => {
    for (const name of [...files.keys()].filter((each) => each.startsWith('signatures/') && !each.endsWith('.tsr'))) {
      const bytes = await contentOf(name);
      for (let at = 0; at < bytes.length; at += 3) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect([name, at, (await check(altered(files, { [name]: changed }))).verdict]).toEqual([name, at, 'changed']);
      }
    }
  });

  it('detects every missing file and any added one', async () => {
    for (const name of files.keys()) expect([name, (await check(altered(files, { [name]: undefined }))).verdict]).toEqual([name, 'changed']);
    for (const name of ['data/audio/more.wav', 'README.txt', 'signatures/more.sig'])
      expect([name, (await check(altered(files, { [name]: Buffer.from('more') }))).verdict]).toEqual([name, 'changed']);
    const litter = altered(files, { 'data/.DS_Store': Buffer.from('x'), 'Thumbs.db': Buffer.from('x') });
    expect((await check(litter)).verdict).toBe('unchanged');
  });

  it('detects swapped audio even when every digest was made right again', async () => {
    const other = tone({ seconds: 2, channels: 2, seed: 9 });
    for (const name of ['data/audio/original.wav', 'data/audio/derived/clip-01.wav']) {
      const swapped = await repaired(altered(files, { [name]: other }));
      const report = await check(swapped);
      expect(report.verdict).toBe('changed');
      expect(report.faults).toContainEqual({ what: 'signature', path: 'signatures/tagmanifest.p256.sig' });
      // Sealed anew by the very key: what was received is told by the chain, not by the package.
      const faults = (await check(await repaired(altered(files, { [name]: other }), insider))).faults.map(({ what }) => what);
      expect(faults).toContain(name.includes('clip') ? 'derivation' : 'changed');
    }
  });

  it('detects another original that all records were rewritten for, by the same key: the chain knows what was received', async () => {
    const other = tone({ seconds: 2, channels: 2, seed: 9 });
    const sha256 = digest(await contentOf('data/audio/original.wav'));
    const changes: Record<string, Buffer> = { 'data/audio/original.wav': other };
    for (const name of files.keys())
      if (/\.(json|jsonl)$/.test(name)) changes[name] = Buffer.from((await textOf(name)).replaceAll(sha256, digest(other)));
    const report = await check(await repaired(altered(files, changes), insider));
    expect(report.verdict).toBe('changed');
    expect(report.faults).toContainEqual({ what: 'proof', path: 'data/proofs/inclusion.json' });
  });

  it('detects custody that was cut short, put in another order or lacks a line, sealed anew by the same key or not', async () => {
    const edits: ((lines: string[]) => string[])[] = [
      (lines) => lines.slice(0, -1),
      (lines) => lines.slice(1),
      (lines) => lines.filter((_, index) => index !== 1),
      (lines) => [lines[1] ?? '', lines[0] ?? '', ...lines.slice(2)],
      (lines) => [...lines, lines.at(-1) ?? ''],
    ];
    for (const edit of edits)
      for (const relink of [false, true])
        for (const key of [undefined, insider]) {
          const report = await check(await repaired(await editedCustody(files, edit, { relink }), key));
          expect(report.verdict).toBe('changed');
          expect(report.faults.map(({ what }) => what)).toContain('custody');
        }
  });

  it('detects a chain whose newest batches were taken away, or a proof of something else', async () => {
    const inclusion = 'data/proofs/inclusion.json';
    const cutTail = await editJson(inclusion, (value) => {
      for (const proof of (value as unknown as { proofs: { batch: object; tip: object; historyPath: string[] }[] }).proofs) {
        proof.tip = proof.batch;
        proof.historyPath = [];
      }
    });
    expect((await check(await repaired(cutTail, insider))).faults).toContainEqual({ what: 'proof', path: inclusion });
    const fewer = await editJson('data/proofs/chain-head.json', (value) => {
      const told = value as unknown as { count: number; statement: { count: number }; head: string };
      told.count -= 1;
      told.statement.count -= 1;
      told.head = digest(canonicalBytes(told.statement));
    });
    expect((await check(await repaired(fewer, insider))).faults).toContainEqual({ what: 'proof', path: 'data/proofs/chain-head.json' });
    const none = await editJson(inclusion, (value) => Object.assign(value, { proofs: [] }));
    expect((await check(await repaired(none, insider))).faults).toContainEqual({ what: 'proof', path: inclusion });
    const without = await repaired(altered(files, { [inclusion]: undefined }), insider);
    expect((await check(without)).verdict).toBe('changed');
  });

  it('calls a package that was sealed anew by another key one of an unknown sender, never unchanged', async () => {
    const stranger = await openSigningKey({ pem: signingKeyPem() });
    const info = Buffer.from((await textOf('bag-info.txt')).replace(insider.keyId, stranger.keyId).replace(/^Time-Stamp: .*\n/m, ''));
    expect((await check(await repaired(altered(files, { 'bag-info.txt': info })))).verdict).toBe('changed');
    // Whose chain the receipts stand in is told by keys.json, which the stranger has to bring along.
    const report = await check(await repaired(files, stranger));
    expect([report.verdict, report.keyId, report.faults]).toEqual(['unknown_sender', stranger.keyId, []]);
  });
});

describe.skipIf(!strangersTools)('other people’s tools', () => {
  it('verify the time stamps against the authority’s root, with nothing but the package', async () => {
    const cwd = unpacked.folder;
    const sha256 = digest(await contentOf('data/audio/original.wav'));
    for (const ca of [authority?.rootFile ?? '', 'data/proofs/tsa-chain.pem']) {
      const receipt = await run('openssl', ['ts', '-verify', '-digest', sha256, '-in', 'data/proofs/ingest.tsr', '-CAfile', ca], { cwd });
      expect(receipt.said).toContain('Verification: OK');
      const whole = await run('openssl', ['ts', '-verify', '-data', 'tagmanifest-sha256.txt', '-in', 'signatures/export.tsr', '-CAfile', ca], { cwd });
      expect(whole.said).toContain('Verification: OK');
    }
    const script = await run('sh', [path.join(cwd, 'verify.sh')]);
    expect(script.said).not.toContain('NOTE');
    expect(script.said).toMatch(/^Time stamp of the receipt, data\/proofs\/ingest\.tsr: .* GMT, fits$/m);
    expect(script.said).toMatch(/^Time stamp of the whole: .* GMT, fits$/m);
    expect(script.code).toBe(0);
  });

  it('let verify.sh judge a time stamp by its own moment once the certificate has expired', async () => {
    const bin = path.join(unpacked.folder, '..', 'bin');
    const { said: openssl } = await run('sh', ['-c', 'command -v openssl']);
    // What openssl would say in 2050.
    const later = `#!/bin/sh\ncase "$*" in *-attime*) ;; 'ts -verify'*) set -- "$@" -attime 2524608000 ;; esac\nexec ${openssl.trim()} "$@"\n`;
    await mkdir(bin);
    await writeFile(path.join(bin, 'openssl'), later, { mode: 0o755 });
    const { code, said } = await run('sh', ['-c', `PATH='${bin}':"$PATH" sh '${unpacked.folder}/verify.sh'`]);
    expect(said).toMatch(/^Time stamp of the receipt, data\/proofs\/ingest\.tsr: .* GMT, fits, by a certificate that has expired since$/m);
    expect(said).toMatch(/^Time stamp of the whole: .* expired since$/m);
    expect([code, said.includes('NOTE')]).toEqual([0, false]);
  });

  it('let verify.sh find a time stamp of the receipt that is about something else, though the very key signed it', async () => {
    const copy = `${unpacked.folder}-stamp`;
    const put = async (token: Buffer): Promise<{ code: number; said: string }> => {
      for (const [name, file] of await repaired(altered(files, { 'data/proofs/ingest.tsr': token }), insider)) {
        await mkdir(path.dirname(path.join(copy, name)), { recursive: true });
        await writeFile(path.join(copy, name), await file.read());
      }
      return await run('sh', [path.join(copy, 'verify.sh')]);
    };
    const other = await contentOf('signatures/export.tsr');
    expect(await put(other)).toMatchObject({ code: 1, said: expect.stringContaining('ingest.tsr is about something else') as string });
    // About these bytes, and not signed as it should be: nobody's word for when.
    const unsigned = await contentOf('data/proofs/ingest.tsr');
    const at = unsigned.length - 2;
    unsigned[at] = (unsigned[at] ?? 0) ^ 1;
    expect((await put(unsigned)).said).toContain('NOTE: the time stamp of the receipt, data/proofs/ingest.tsr could not be verified');
    await rm(copy, { recursive: true });
  });

  it('let verify.sh find a changed, a missing and an added file, and a wrong signature', async () => {
    const copy = `${unpacked.folder}-copy`;
    const spoil: [string, () => Promise<unknown>][] = [
      ['changed', () => writeFile(path.join(copy, 'data/records/custody.jsonl'), 'x')],
      ['missing', () => rm(path.join(copy, 'data/records/holds.json'))],
      ['added', () => writeFile(path.join(copy, 'data/more.txt'), 'x')],
      ['tag', () => writeFile(path.join(copy, 'README.nl.txt'), 'x')],
      ['signature', () => rename(path.join(copy, 'signatures/export.tsr.p256.sig'), path.join(copy, 'signatures/tagmanifest.p256.sig'))],
      ['stamp', () => rm(path.join(copy, 'signatures/export.tsr'))],
    ];
    for (const [name, work] of spoil) {
      await cp(unpacked.folder, copy, { recursive: true });
      await work();
      expect([name, (await run('sh', [path.join(copy, 'verify.sh')])).code]).toEqual([name, 1]);
      await rm(copy, { recursive: true });
    }
  });
});

describe('npm run verify-evidence', () => {
  const script = path.join(import.meta.dirname, '..', 'scripts', 'verify-evidence.ts');
  const verify = (...args: string[]): Promise<{ code: number; said: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: path.join(unpacked.folder, 'none') };
      execFile(process.execPath, ['--import', 'tsx', script, ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, said: stdout + stderr });
      });
    });

  it('tells by its exit code: unchanged, changed, not to be checked, unknown sender', async () => {
    const key = path.join(unpacked.folder, 'signatures', 'evidence.pub.pem');
    const known = await verify(unpacked.zip, '--key', key);
    expect(known.said).toContain('Ongewijzigd sinds ontvangst');
    expect(known.code).toBe(0);
    expect(known.said).not.toContain('+31850000101');
    expect((await verify(unpacked.folder, '--fingerprint', sealedPackage.keyId.slice(0, 20))).code).toBe(0);
    expect((await verify(unpacked.zip)).code).toBe(3);
    const cut = `${unpacked.zip}.cut`;
    await writeFile(cut, (await readFile(unpacked.zip)).subarray(0, 20_000));
    expect((await verify(cut)).code).toBe(2);
    const changed = await readFile(unpacked.zip);
    const at = changed.indexOf('RIFF') + 5000;
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(cut, changed);
    expect((await verify(cut, '--key', key)).code).toBe(1);
    expect((await verify()).code).toBe(2);
  });

  it.skipIf(!has('zip'))('reads packages that were zipped anew, compressed', async () => {
    const again = `${unpacked.zip}.again.zip`;
    await run('zip', ['-q', '-9', '-r', again, path.basename(unpacked.folder)], { cwd: path.dirname(unpacked.folder) });
    const opened = await openPackageFiles(again);
    try {
      expect((await check(opened.files)).verdict).toBe('unchanged');
    } finally {
      await opened.close();
    }
  });
});

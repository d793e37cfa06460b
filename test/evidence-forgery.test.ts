import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPackageFiles } from '../src/packages/package-files.js';
import { checkPackage, type Report } from '../src/packages/verifier/check.js';
import type { PackageFiles } from '../src/packages/verifier/examination.js';
import { allowedSigner, sshSignature } from '../src/platform/ssh-signature.js';
import { openSigningKey, type SigningKey } from '../src/platform/signing.js';
import { tone } from './support/audio.js';
import { altered, download, filesBelow, has, inMemory, run, seal, unpack, type Unpacked } from './support/evidence.js';
import { contentOf, digest, editedJson, repaired } from './support/evidence-forgery.js';
import { forgedZip, unicodePathField, type ForgedEntry, type ForgedZip } from './support/forged-zip.js';
import { signingKeyPem, startTestService, type TestService } from './support/service.js';

/** Somebody who would gain by it tries to have another package found unchanged, under the fingerprint of the real one. */

let service: TestService;
let genuine: PackageFiles;
let other: PackageFiles;
let unpacked: Unpacked;
let insider: SigningKey;
let stranger: SigningKey;
let folder: string;
let root: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'opname-forgery-'));
  const signingKey = signingKeyPem();
  [insider, stranger] = await Promise.all([openSigningKey({ pem: signingKey }), openSigningKey({ pem: signingKeyPem() })]);
  service = await startTestService({ env: { SIGNING_KEY: signingKey } });
  const packages: Unpacked[] = [];
  for (const seed of [1, 2]) {
    const id = await service.push({}, tone({ seconds: 1, channels: 2, seed }));
    const wording = { startMs: 100, endMs: 700, summary: `Agreed ${seed}`, parties: ['A'] };
    await service.as('privacy_officer').post(`/api/v1/recordings/${id}/agreements`).send(wording).expect(201);
    packages.push(await unpack(await download(service, (await seal(service, [id], { scope: 'full' })).id)));
  }
  const [first, second] = packages as [Unpacked, Unpacked];
  unpacked = first;
  root = path.basename(first.folder);
  genuine = await inMemory(await filesBelow(first.folder));
  other = await inMemory(await filesBelow(second.folder));
  await second.remove();
});
afterAll(async () => {
  await service.close();
  await unpacked.remove();
  await rm(folder, { recursive: true, force: true });
});

const check = (files: PackageFiles): Promise<Report> => checkPackage(files, { trustedKeyIds: [insider.keyId] });
const verdictOf = async (files: PackageFiles) => (await check(files)).verdict;

/** Everything of the other package below these folders takes the place of the genuine one's. */
async function mixed(...folders: string[]): Promise<PackageFiles> {
  const changes: Record<string, Buffer | undefined> = {};
  for (const [files, isOther] of [[genuine, false], [other, true]] as const)
    for (const name of files.keys())
      if (folders.some((each) => name.startsWith(each))) changes[name] = isOther ? await contentOf(files, name) : undefined;
  return altered(genuine, changes);
}

describe('parts of another package of the same sender', () => {
  it('are found, with the signatures left as they were and the digests made right', async () => {
    for (const folders of [['data/audio/'], ['data/'], ['data/records/'], ['data/proofs/'], ['data/audio/', 'data/records/']])
      for (const files of [await mixed(...folders), await repaired(await mixed(...folders))])
        expect([folders, await verdictOf(files)]).toEqual([folders, 'changed']);
    // With the other's signatures as well, unless all that they sign came along.
    for (const folders of [['signatures/'], ['signatures/', 'data/'], ['signatures/', 'tagmanifest', 'manifest', 'bag-info.txt']])
      expect([folders, await verdictOf(await mixed(...folders))]).toEqual([folders, 'changed']);
  });

  it('do not fit even when the very key signs the mixture', async () => {
    for (const [folders, what] of [
      [['data/audio/'], 'changed'], [['data/audio/derived/'], 'derivation'], [['data/proofs/'], 'proof'],
      [['data/records/custody.jsonl'], 'custody'], [['data/records/agreement.json'], 'custody'],
      [['data/records/'], 'proof'],
    ] as const) {
      const report = await check(await repaired(await mixed(...folders), insider));
      expect([folders, report.verdict]).toEqual([folders, 'changed']);
      expect(report.faults.map((fault) => fault.what)).toContain(what);
    }
  });

  it('a smaller scope cannot be made of a larger one, nor a whole package of an incomplete one', async () => {
    const less = await editedJson<{ scope: string }>(
      altered(genuine, { 'data/audio/original.wav': undefined }), 'data/records/contents.json', (contents) => void (contents.scope = 'clips'),
    );
    const excused = await editedJson<{ missing: string[] }>(
      altered(genuine, { 'data/records/custody.jsonl': undefined }), 'data/records/contents.json',
      ({ missing }) => void missing.push('data/records/custody.jsonl'),
    );
    for (const files of [less, excused, await repaired(less), await repaired(excused)]) expect(await verdictOf(files)).toBe('changed');
  });
});

describe('files that were added', () => {
  it('are found under whatever name', async () => {
    for (const name of [
      'data/audio/Original.wav', 'data/audio/original.wav ', 'data/audio/original.wav.', 'data/audio/orig\u0131nal.wav',
      'data/audio/\u202Evaw.lanigiro', 'data\\audio\\original.wav', '/data/audio/original.wav', '../original.wav', './bagit.txt',
      'data/../data/audio/original.wav', 'data/audio/derived/clip-02.wav', 'LUISTER.wav', 'signatures/clip.wav', '._clip.wav',
      'data/audio/._original.wav', '__MACOSX/clip.wav', '../__MACOSX/clip.wav', 'data/Thumbs.db.wav', 'con', 'data/audio/\u0000x.wav',
      'README.de.txt', 'data/audio/original.wav/x',
    ])
      expect([name, await verdictOf(altered(genuine, { [name]: Buffer.from('RIFF') }))]).toEqual([name, 'changed']);
  });

  it('are named when a computer left them, and then count for nothing', async () => {
    const left = ['data/.DS_Store', 'Thumbs.db', '../__MACOSX/._EV'];
    const report = await check(altered(genuine, Object.fromEntries(left.map((name) => [name, Buffer.from('x')]))));
    expect([report.verdict, report.ignored]).toEqual(['unchanged', left]);
  });
});

describe('what a package says', () => {
  const contents = 'data/records/contents.json';
  it('cannot pass for words of the verifier', async () => {
    const words = 'EV-1\nOngewijzigd sinds ontvangst\n\u001B[2J\u202E';
    type Value = { reference: string; missing: string[]; recordings: { id: string }[] };
    for (const edit of [
      (value: Value) => (value.reference = words),
      (value: Value) => value.missing.push(words),
      (value: Value) => value.recordings[0] !== undefined && (value.recordings[0].id = words),
    ]) {
      const files = await editedJson<Value>(genuine, contents, (value) => void edit(value));
      const report = await check(await repaired(altered(files, { 'data/\nunchanged\n\u202E': Buffer.from('x') }), stranger));
      expect([report.verdict, report.faults]).toEqual(['changed', expect.arrayContaining([{ what: 'malformed', path: contents }])]);
      expect(JSON.stringify(report)).not.toContain('sinds');
      expect(JSON.stringify(report)).not.toMatch(/[^\\]\\[nu]|[^ -~]/);
    }
  });

  it('may be anything at all: the verifier gives a verdict, and never that it is unchanged', async () => {
    const names = [...genuine.keys()].filter((name) => /\.jsonl?$/.test(name));
    const strange = fc.oneof(fc.jsonValue(), fc.constant({ recordings: [null], missing: null }), fc.constant({
      format: 'opname-package/1', kind: {}, reference: [], sealedAt: 5, missing: [], recordings: [{ audio: '', records: '', proofs: '' }],
    }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), strange, async (name, value) => {
        const files = await repaired(altered(genuine, { [name]: Buffer.from(`${JSON.stringify(value)}\n`) }), insider);
        const report = await check(files);
        // These are for people: nothing in the package hangs on them.
        if (/(holds|policy|recording)\.json$/.test(name)) return;
        expect([name, report.verdict]).toEqual([name, 'changed']);
      }),
      { numRuns: 150 },
    );
  });

  it('is not taken for more than it holds: audio that no recording speaks of', async () => {
    const loose = altered(genuine, { 'data/audio/original.wav': undefined, 'data/audio/x/original.wav': await contentOf(genuine, 'data/audio/original.wav') });
    const emptied = await editedJson<{ recordings: object[] }>(genuine, contents, (value) => void (value.recordings = []));
    const faults = (await check(await repaired(emptied, insider))).faults;
    expect(faults).toContainEqual({ what: 'contents', path: 'data/audio/original.wav' });
    expect(await verdictOf(await repaired(loose))).toBe('changed');
  });
});

describe('a zip', () => {
  const forge = async (change: (entries: ForgedEntry[]) => ForgedEntry[], around: ForgedZip = {}): Promise<string> => {
    const entries: ForgedEntry[] = [];
    for (const name of genuine.keys()) entries.push({ name: `${root}/${name}`, bytes: await contentOf(genuine, name) });
    const file = path.join(folder, 'forged.zip');
    await writeFile(file, forgedZip(change(entries), around));
    return file;
  };
  const outcome = async (file: string): Promise<string> => {
    let opened;
    try {
      opened = await openPackageFiles(file);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      return 'refused';
    }
    try {
      return await verdictOf(opened.files);
    } finally {
      await opened.close();
    }
  };
  const audio = () => `${root}/data/audio/original.wav`;
  const evil = Buffer.from('RIFF evil');

  it('is read by the same rules by which it was written here', async () => {
    expect(await outcome(await forge((entries) => entries))).toBe('unchanged');
  });

  it('has nothing hidden in it that another program might unpack instead', async () => {
    const swap = (entries: ForgedEntry[], change: (entry: ForgedEntry) => ForgedEntry[]) =>
      entries.flatMap((entry) => (entry.name === audio() ? change(entry) : [entry]));
    const forgeries: Record<string, () => Promise<string>> = {
      'two files of one name': () => forge((entries) => [...entries, { name: audio(), bytes: evil }]),
      'the first of two, hidden from the directory': () => forge((entries) => [{ name: audio(), bytes: evil, hidden: true }, ...entries]),
      'another name in the file’s own header': () => forge((entries) => swap(entries, (entry) => [{ ...entry, ownName: `${root}/data/audio/0riginal.wav` }])),
      'another name for Info-ZIP': () =>
        forge((entries) => [...entries, { name: `${root}/.DS_Store`, bytes: evil, extra: unicodePathField(`${root}/.DS_Store`, audio()) }]),
      'a link': () => forge((entries) => [...entries, { name: `${root}/Thumbs.db`, bytes: Buffer.from('/etc/passwd'), mode: 0o120777 }]),
      'a folder with contents': () => forge((entries) => [...entries, { name: `${root}/data/`, bytes: evil }]),
      'something before': () => forge((entries) => entries, { before: forgedZip([{ name: audio(), bytes: evil }]) }),
      'something between': () => forge((entries) => entries, { between: Buffer.from('secret') }),
      'something after': () => forge((entries) => entries, { after: Buffer.from('secret') }),
      'another zip in the comment': () => forge((entries) => entries, { comment: forgedZip([{ name: audio(), bytes: evil }]) }),
      'an entry over another': () => forge((entries) => [...entries, { name: `${root}/.DS_Store`, bytes: evil, offsetOf: 0 }]),
      'an unknown way of packing': () => forge((entries) => swap(entries, (entry) => [{ ...entry, method: 99 }])),
      'a file beside the package': () => forge((entries) => [...entries, { name: 'clip.wav', bytes: evil }]),
      'a file above it': () => forge((entries) => [...entries, { name: `${root}/../clip.wav`, bytes: evil }]),
    };
    for (const [name, make] of Object.entries(forgeries)) expect([name, await outcome(await make())]).not.toEqual([name, 'unchanged']);
  });

  it('with any changed byte is refused, found changed, or holds the very same files', async () => {
    const zip = await readFile(unpacked.zip);
    const file = path.join(folder, 'flipped.zip');
    // Half of the changes where the structure is: the directory at the end.
    const place = fc.oneof(fc.nat({ max: zip.length - 1 }), fc.integer({ min: zip.length - 3000, max: zip.length - 1 }));
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(zip);
        changed[at] = (changed[at] ?? 0) ^ flip;
        await writeFile(file, changed);
        if ((await outcome(file)) !== 'unchanged') return;
        const opened = await openPackageFiles(file);
        for (const [name, content] of opened.files) expect(digest(await content.read())).toBe(digest(await contentOf(genuine, name)));
        expect(opened.files.size).toBe(genuine.size);
        await opened.close();
      }),
      { numRuns: 120 },
    );
  });
});

describe.skipIf(!has('sha256sum', 'sha512sum', 'openssl', 'ssh-keygen', 'sh', 'base64'))('verify.sh', () => {
  let copy: string;
  const fresh = async () => {
    copy = path.join(folder, 'copy');
    await rm(copy, { recursive: true, force: true });
    await cp(unpacked.folder, copy, { recursive: true });
  };
  const verify = (env?: Record<string, string>) =>
    new Promise<{ code: number; said: string }>((resolve) => {
      execFile('/bin/sh', [path.join(copy, 'verify.sh')], env === undefined ? {} : { env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr }));
    });
  const put = async (files: PackageFiles) => {
    await rm(copy, { recursive: true, force: true });
    for (const name of files.keys()) {
      await mkdir(path.dirname(path.join(copy, name)), { recursive: true });
      await writeFile(path.join(copy, name), await contentOf(files, name));
    }
  };

  it('finds what was added, anywhere, and a link in the place of a file', async () => {
    for (const name of ['LUISTER.wav', 'README.de.txt', 'signatures/more.wav', 'data/audio/._clip.wav', 'data/Thumbs.db.wav', 'data/a\nb']) {
      await fresh();
      await writeFile(path.join(copy, name), 'RIFF');
      expect([name, (await verify()).code]).toEqual([name, 1]);
    }
    await fresh();
    const audio = path.join(copy, 'data/audio/original.wav');
    await rm(audio);
    await symlink(path.join(unpacked.folder, 'data/audio/original.wav'), audio);
    expect((await verify()).code).toBe(1);
    await fresh();
    await writeFile(path.join(copy, 'data/.DS_Store'), 'x');
    expect(await verify()).toMatchObject({ code: 0, said: expect.stringContaining('not checked: ./data/.DS_Store') as string });
  });

  it('detects any changed byte, missing file and swapped part', async () => {
    const names = [...genuine.keys()];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.double({ min: 0, max: 0.999999, noNaN: true }), async (name, where) => {
        await fresh();
        const bytes = await contentOf(genuine, name);
        const at = Math.floor(where * bytes.length);
        // A changed script may say what it likes: it is the other verifiers that find it.
        if (name === 'verify.sh') return;
        // The PEM's own line breaks are taken as they come; its letters are what counts.
        if (bytes[at] === 10 && name.startsWith('signatures/')) return;
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        await writeFile(path.join(copy, name), bytes);
        expect([name, at, (await verify()).code]).toEqual([name, at, 1]);
      }),
      { numRuns: 12 },
    );
    for (const files of [await mixed('data/audio/'), await repaired(await mixed('data/audio/')), await mixed('signatures/')]) {
      await put(files);
      expect((await verify()).code === 0).toBe(false);
      await run('sh', [path.join(unpacked.folder, 'verify.sh')]);
    }
  });

  it('is not taken in by a second key where only one of the two programs is there', async () => {
    // All sealed anew by a stranger for ssh-keygen, with the real key left for people to compare.
    const swapped = await repaired(altered(genuine, { 'data/audio/original.wav': Buffer.from('RIFF evil') }));
    const manifest = await contentOf(swapped, 'tagmanifest-sha256.txt');
    await put(altered(swapped, {
      'signatures/tagmanifest.sshsig': Buffer.from(sshSignature(stranger, manifest, 'call-evidence@v1')),
      'signatures/allowed_signers': Buffer.from(allowedSigner(stranger.publicPem, 'call-evidence', 'call-evidence@v1')),
    }));
    const bin = path.join(folder, 'bin');
    await mkdir(bin, { recursive: true });
    for (const tool of ['sha256sum', 'sha512sum', 'ssh-keygen', 'base64', 'sed', 'sort', 'find', 'grep', 'cut', 'tail', 'tr', 'cat', 'dirname']) {
      const { said } = await run('sh', ['-c', `command -v ${tool}`]);
      await symlink(said.trim(), path.join(bin, tool)).catch(() => undefined);
    }
    await chmod(bin, 0o755);
    expect(await verify({ PATH: bin })).toMatchObject({ code: 1, said: expect.stringContaining('allowed_signers names another key') as string });
    await fresh();
    expect(await verify({ PATH: bin })).toMatchObject({ code: 0, said: expect.stringContaining(insider.keyId) as string });
  });
});

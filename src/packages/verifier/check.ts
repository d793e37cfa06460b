import { hexOf, sha256, textOf, utf8, type Bytes } from './bytes.js';
import { checkContents, type ContentReport } from './check-contents.js';
import { Examination, holdsBytes, plain, type Fault, type PackageFiles } from './examination.js';
import { expectedSigners, fingerprintOf, isSigned, isSshSigned, readPublicKey, type PublicKey } from './signature.js';

/**
 * Checks a package with nothing but the package: every digest, the signature over the digests, and what the records in it
 * say of one another. It can tell that nothing was changed since the package was sealed and the recordings received, and
 * by whose key; not who speaks, nor whether what was said is true.
 */

/**
 * `unchanged`: all of it fits together and a known key signed it. `unknown_sender`: it fits together, but the key is not
 * among those known. `changed`: something does not fit.
 */
export type Verdict = 'unchanged' | 'changed' | 'unknown_sender';

export interface Report extends ContentReport {
  verdict: Verdict;
  faults: Fault[];
  files: number;
  keyId: string | null;
  fingerprint: string | null;
  /** Whether there is a token of a time-stamping authority over the whole; openssl checks those. */
  timeStamped: boolean;
  /** What file managers leave behind: no part of the package, and not checked. */
  ignored: string[];
}

/** Named just so by file managers; anything else that was added is a fault. */
const litter = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini)$|^\.\.\/__MACOSX\/([^/]+\/)*\._[^/]+$/;

const signatureFiles = new Set(
  ['tagmanifest.p256.sig', 'tagmanifest.sshsig', 'allowed_signers', 'evidence.pub.pem', 'export.tsr', 'export.tsr.p256.sig'].map(
    (name) => `signatures/${name}`,
  ),
);
const tagManifest = 'tagmanifest-sha256.txt';
const bagDeclaration = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n';

/** Lines `digest  path` as sha256sum writes them; undefined when there are others, or a path twice. */
function readManifest(text: string, digits: number): Map<string, string> | undefined {
  const lines = new Map<string, string>();
  if (text !== '' && !text.endsWith('\n')) return undefined;
  for (const line of text.split('\n').slice(0, -1)) {
    const match = /^([0-9a-f]+) {2}([!-~]+)$/.exec(line);
    const [, digest = '', path = ''] = match ?? [];
    if (digest.length !== digits || lines.has(path)) return undefined;
    lines.set(path, digest);
  }
  return lines;
}

/**
 * Checks a package. `trustedKeyIds` are the keys known to be the sender's, from elsewhere than the package.
 * @throws when a file cannot be read at all
 */
export async function checkPackage(
  files: PackageFiles,
  options: { trustedKeyIds: readonly string[]; onProgress?: (doneBytes: number, totalBytes: number) => void },
): Promise<Report> {
  const relevant = new Map([...files].filter(([path]) => !litter.test(path)));
  const ignored = [...files.keys()].filter((path) => !relevant.has(path)).map(plain);
  const examination = new Examination(relevant);
  const nothing = { kind: null, reference: null, sealedAt: null, recordings: [], missing: [] };
  if (!relevant.has('bagit.txt') || !relevant.has(tagManifest)) {
    examination.fault('no_package', null);
    const { faults } = examination;
    return { ...nothing, verdict: 'changed', faults, files: relevant.size, keyId: null, fingerprint: null, timeStamped: false, ignored };
  }
  await digestAll(examination, options.onProgress ?? (() => undefined));
  await checkManifests(examination);
  const key = await checkSignatures(examination);
  const contents = await checkContents(examination, key);
  const isKnown = key !== undefined && options.trustedKeyIds.includes(key.keyId);
  const verdict = examination.faults.length > 0 ? 'changed' : isKnown ? 'unchanged' : 'unknown_sender';
  return {
    ...contents,
    verdict,
    faults: examination.faults,
    files: relevant.size,
    keyId: key?.keyId ?? null,
    fingerprint: key === undefined ? null : fingerprintOf(key.keyId),
    timeStamped: relevant.has('signatures/export.tsr'),
    ignored,
  };
}

async function digestAll(examination: Examination, onProgress: (done: number, total: number) => void): Promise<void> {
  const total = [...examination.files.values()].reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  for (const [path, file] of examination.files) {
    // One that cannot even be unpacked counts as not there.
    const digests = await examination.guarded(path, () => file.digests());
    if (digests === undefined) examination.drop(path);
    examination.sha256.set(path, digests?.sha256 ?? '');
    examination.sha512.set(path, digests?.sha512 ?? '');
    done += file.bytes;
    onProgress(done, total);
  }
}

/** Every file is listed, every listed file is there, and each has the digest it is listed with. */
async function checkManifests(examination: Examination): Promise<void> {
  const paths = [...examination.files.keys()];
  const payload = paths.filter((path) => path.startsWith('data/'));
  const tags = paths.filter((path) => !path.startsWith('data/') && path !== tagManifest && !signatureFiles.has(path));
  await checkManifest(examination, tagManifest, tags, examination.sha256, 64);
  await checkManifest(examination, 'manifest-sha256.txt', payload, examination.sha256, 64);
  await checkManifest(examination, 'manifest-sha512.txt', payload, examination.sha512, 128);
  const listed = readManifest((await examination.text(tagManifest)) ?? '', 64);
  for (const name of ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt', 'manifest-sha512.txt'])
    if (listed?.has(name) !== true) examination.fault('malformed', tagManifest);
  if ((await examination.text('bagit.txt')) !== bagDeclaration) examination.fault('malformed', 'bagit.txt');
  const oxum = /^Payload-Oxum: (\d+\.\d+)$/m.exec((await examination.text('bag-info.txt')) ?? '')?.[1];
  const bytes = payload.reduce((sum, path) => sum + (examination.files.get(path)?.bytes ?? 0), 0);
  if (oxum !== `${bytes}.${payload.length}`) examination.fault('malformed', 'bag-info.txt');
}

async function checkManifest(
  examination: Examination,
  name: string,
  present: readonly string[],
  found: ReadonlyMap<string, string>,
  digits: number,
): Promise<void> {
  const text = await examination.text(name);
  if (text === undefined) return;
  const listed = readManifest(text, digits);
  if (listed === undefined) {
    examination.fault('malformed', name);
    return;
  }
  for (const path of present) if (!listed.has(path)) examination.fault('unlisted', path);
  for (const [path, digest] of listed)
    if (!examination.files.has(path)) examination.fault('missing', path);
    else if (found.get(path) !== digest) examination.fault('changed', path);
}

/** @returns the key that the package brings along, when it is one */
async function checkSignatures(examination: Examination): Promise<PublicKey | undefined> {
  const keyPath = 'signatures/evidence.pub.pem';
  const pem = await examination.text(keyPath);
  let key: PublicKey | undefined;
  await examination.guarded(keyPath, async () => {
    if (pem !== undefined) key = await readPublicKey(pem);
  });
  if (key === undefined) return undefined;
  const signer = key;
  const signed = await examination.files.get(tagManifest)?.read();
  if (signed === undefined) return key;
  await mustHold(examination, 'signatures/tagmanifest.p256.sig', (bytes) => isSigned(signer, signed, bytes));
  await mustHold(examination, 'signatures/tagmanifest.sshsig', (bytes) => isSshSigned(signer, signed, textOf(bytes)));
  await mustHold(examination, 'signatures/allowed_signers', async (bytes) =>
    hexOf(bytes) === hexOf(utf8(expectedSigners(signer))));
  const stamp = await examination.files.get('signatures/export.tsr')?.read();
  const listed = /^Signing-Key-SHA256: ([0-9a-f]{64})$/m.exec((await examination.text('bag-info.txt')) ?? '')?.[1];
  if (listed !== key.keyId) examination.fault('signature', 'bag-info.txt');
  if (stamp === undefined) {
    // A token that was taken away would otherwise not be missed; who sealed it says whether there was one.
    const expected = /^Time-Stamp: signatures\/export\.tsr$/m.test((await examination.text('bag-info.txt')) ?? '');
    if (expected || examination.files.has('signatures/export.tsr.p256.sig')) examination.fault('missing', 'signatures/export.tsr');
    return key;
  }
  await mustHold(examination, 'signatures/export.tsr.p256.sig', (bytes) => isSigned(signer, stamp, bytes));
  if (!holdsBytes(stamp, await sha256(signed))) examination.fault('signature', 'signatures/export.tsr');
  return key;
}

async function mustHold(examination: Examination, path: string, test: (bytes: Bytes) => Promise<boolean>): Promise<void> {
  const file = examination.files.get(path);
  if (file === undefined) {
    examination.fault('missing', path);
    return;
  }
  await examination.guarded(path, async () => {
    if (!(await test(await file.read()))) examination.fault('signature', path);
  });
}

import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openPackageFiles } from '../../src/packages/package-files.js';
import type { PackageFile, PackageFiles } from '../../src/packages/verifier/examination.js';
import type { TestService } from './service.js';

/** Evidence packages as a stranger gets them: ordered over HTTP, unpacked with `unzip`, checked with other people's tools. */

export interface SealedPackage {
  id: string;
  reference: string;
  state: 'sealed' | 'incomplete';
  missing: string[];
  retainUntil: string;
  sha256: string;
  keyId: string;
}

/** Orders a package and waits until it is sealed. */
export async function seal(
  service: TestService, recordingIds: string[], fields: object = {},
): Promise<SealedPackage> {
  const officer = service.as('privacy_officer');
  const order = { recordingIds, reason: 'dispute over a bill', recipient: 'Rechtbank Utrecht', ...fields };
  const answer = await officer.post('/api/v1/evidence').send(order);
  if (answer.status !== 202) throw new Error(`answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return await sealed(service, (answer.body as { id: string }).id);
}

export async function sealed(service: TestService, id: string): Promise<SealedPackage> {
  for (let tries = 0; tries < 3000; tries += 1) {
    const { body } = await service.as('privacy_officer').get(`/api/v1/evidence/${id}`).expect(200);
    const row = body as Omit<SealedPackage, 'state'> & { state: SealedPackage['state'] | 'sealing'; lastFault: string | null };
    if (row.state !== 'sealing') return { ...row, state: row.state };
    if (row.lastFault !== null) throw new Error(`it was not sealed: ${row.lastFault}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the package is still not sealed');
}

/** The zip in memory. */
export async function download(service: TestService, id: string): Promise<Buffer> {
  const answer = await service.as('privacy_officer').get(`/api/v1/evidence/${id}/package`).buffer(true).responseType('blob');
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
  return answer.body as Buffer;
}

export interface Unpacked {
  /** The folder at the zip's root. */
  folder: string;
  zip: string;
  remove(): Promise<void>;
}

export async function unpack(zip: Buffer): Promise<Unpacked> {
  const parent = await mkdtemp(path.join(tmpdir(), 'opname-bag-'));
  const file = path.join(parent, 'package.zip');
  await writeFile(file, zip);
  const { names, root } = namesIn(zip);
  const opened = await openPackageFiles(file);
  try {
    for (const [name, content] of opened.files) {
      const place = path.join(parent, root, name);
      await mkdir(path.dirname(place), { recursive: true });
      await writeFile(place, await content.read());
    }
    if (opened.files.size !== names) throw new Error('there is more than one folder at the root of the zip');
  } finally {
    await opened.close();
  }
  return { folder: path.join(parent, root), zip: file, remove: () => rm(parent, { recursive: true, force: true }) };
}

/** The one folder that every name in a zip's directory begins with, and how many names there are. */
function namesIn(zip: Buffer): { names: number; root: string } {
  const roots = new Set<string>();
  let names = 0;
  for (let at = zip.indexOf('PK\x01\x02'); at !== -1; at = zip.indexOf('PK\x01\x02', at + 46)) {
    roots.add(zip.subarray(at + 46, at + 46 + zip.readUInt16LE(at + 28)).toString().split('/')[0] ?? '');
    names += 1;
  }
  const [root = ''] = roots;
  if (roots.size !== 1) throw new Error('there is more than one folder at the root of the zip');
  return { names, root };
}

/** Whether a stranger's programs are here. In CI nothing is left out for want of one: there it throws. */
export function has(...commands: string[]): boolean {
  const missing = commands.filter((command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error !== undefined);
  if (missing.length > 0 && process.env['CI'] !== undefined) throw new Error(`CI lacks ${missing.join(', ')}`);
  return missing.length === 0;
}

/** Runs a program; its exit code and all that it says. */
export async function run(command: string, args: string[], options: { cwd?: string; input?: string } = {}): Promise<{ code: number; said: string }> {
  try {
    const running = promisify(execFile)(command, args, { cwd: options.cwd });
    if (options.input !== undefined) running.child.stdin?.end(await readFile(options.input));
    const { stdout, stderr } = await running;
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, said: stdout + stderr };
  }
}

/** Every file below a folder, by its path from there. */
export async function filesBelow(folder: string): Promise<PackageFiles> {
  return (await openPackageFiles(folder)).files;
}

/** The same files with some replaced, taken away (undefined) or added. */
export function altered(files: PackageFiles, changes: Record<string, Uint8Array | undefined>): PackageFiles {
  const copy = new Map(files);
  for (const [name, bytes] of Object.entries(changes)) {
    if (bytes === undefined) copy.delete(name);
    else copy.set(name, fileOf(bytes));
  }
  return copy;
}

/** The same files, read and digested once: for tests that check many variants. */
export async function inMemory(files: PackageFiles): Promise<PackageFiles> {
  const copy = new Map<string, PackageFile>();
  for (const [name, file] of files) copy.set(name, fileOf(await file.read()));
  return copy;
}

function fileOf(bytes: Uint8Array): PackageFile {
  const hash = (name: string) => createHash(name).update(bytes).digest('hex');
  const digests = { sha256: hash('sha256'), sha512: hash('sha512') };
  return { bytes: bytes.length, read: () => Promise.resolve(new Uint8Array(bytes)), digests: () => Promise.resolve(digests) };
}

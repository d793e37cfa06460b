import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
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
  for (let tries = 0; tries < 600; tries += 1) {
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
  await run('unzip', ['-q', file, '-d', parent]);
  const [folder = '', ...more] = (await readdir(parent)).filter((name) => name !== 'package.zip');
  if (more.length > 0) throw new Error('there is more than one folder at the root of the zip');
  return { folder: path.join(parent, folder), zip: file, remove: () => rm(parent, { recursive: true, force: true }) };
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
export async function filesBelow(folder: string): Promise<Map<string, PackageFile>> {
  const files = new Map<string, PackageFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, file), await onDisk(file));
  }
  return files;
}

async function onDisk(file: string): Promise<PackageFile> {
  return {
    bytes: (await stat(file)).size,
    read: async () => new Uint8Array(await readFile(file)),
    async digests() {
      const [sha256, sha512] = [createHash('sha256'), createHash('sha512')];
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        sha256.update(chunk);
        sha512.update(chunk);
      }
      return { sha256: sha256.digest('hex'), sha512: sha512.digest('hex') };
    },
  };
}

/** The same files with some replaced, taken away (undefined) or added. */
export function altered(files: PackageFiles, changes: Record<string, Uint8Array | undefined>): PackageFiles {
  const copy = new Map(files);
  for (const [name, bytes] of Object.entries(changes)) {
    if (bytes === undefined) copy.delete(name);
    else copy.set(name, inMemory(bytes));
  }
  return copy;
}

export function inMemory(bytes: Uint8Array): PackageFile {
  const hash = (name: string) => createHash(name).update(bytes).digest('hex');
  return {
    bytes: bytes.length,
    read: () => Promise.resolve(new Uint8Array(bytes)),
    digests: () => Promise.resolve({ sha256: hash('sha256'), sha512: hash('sha512') }),
  };
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Bytes } from './verifier/bytes.js';
import type { PackageFile, PackageFiles } from './verifier/examination.js';
import { belowOneFolder, isZip, openZip, type RandomAccess } from './verifier/zip.js';

/** A package on disk, zipped or unpacked, as the verifier takes it. Of a folder, no file is read whole that is only digested. */
export interface OpenedPackage {
  files: PackageFiles;
  close(): Promise<void>;
}

/** @throws Error when there is nothing, RangeError when it is neither a zip nor a folder */
export async function openPackageFiles(place: string): Promise<OpenedPackage> {
  if ((await stat(place)).isDirectory()) return { files: belowOneFolder(await filesIn(place)), close: async () => undefined };
  const handle = await open(place, 'r');
  try {
    const { size } = await handle.stat();
    const source: RandomAccess = {
      bytes: size,
      async read(start, end): Promise<Bytes> {
        const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
        for (let at = 0; at < bytes.length; ) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
          if (bytesRead === 0) throw new RangeError('cut short');
          at += bytesRead;
        }
        return bytes;
      },
    };
    if (!(await isZip(source))) throw new RangeError('not a zip file');
    return { files: await openZip(source), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function filesIn(folder: string): Promise<PackageFiles> {
  const files = new Map<string, PackageFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).split(path.sep).join('/');
    // A link would let a package speak about files that are not in it.
    if (!entry.isFile()) throw new RangeError('it holds something that is no file');
    files.set(name, await onDisk(file));
  }
  return files;
}

async function onDisk(file: string): Promise<PackageFile> {
  return {
    bytes: (await stat(file)).size,
    read: async () => new Uint8Array(await readFile(file)),
    async digests() {
      const [sha256, sha512] = [createHash('sha256'), createHash('sha512')];
      for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
        sha256.update(chunk);
        sha512.update(chunk);
      }
      return { sha256: sha256.digest('hex'), sha512: sha512.digest('hex') };
    },
  };
}

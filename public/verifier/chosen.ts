import type { Bytes } from '../../src/packages/verifier/bytes.js';
import type { PackageFile, PackageFiles } from '../../src/packages/verifier/examination.js';
import { belowOneFolder, digestsOf, isZip, openZip, type RandomAccess } from '../../src/packages/verifier/zip.js';

/** What somebody chose or dropped, as the files of a package. Nothing leaves the browser. */

const bytesOf = async (blob: Blob): Promise<Bytes> => new Uint8Array(await blob.arrayBuffer());

const accessTo = (file: File): RandomAccess => ({
  bytes: file.size,
  read: (start, end) => bytesOf(file.slice(start, end)),
});

const fileOf = (file: File): PackageFile => ({
  bytes: file.size,
  read: () => bytesOf(file),
  digests: async () => digestsOf(await bytesOf(file)),
});

/** A zip, or the files of a folder by their relative paths. @throws RangeError when it is neither */
export async function packageOf(chosen: readonly { path: string; file: File }[]): Promise<PackageFiles> {
  const [only, ...more] = chosen;
  if (only === undefined) throw new RangeError('nothing was chosen');
  if (more.length === 0 && (await isZip(accessTo(only.file)))) return await openZip(accessTo(only.file));
  return belowOneFolder(new Map(chosen.map(({ path, file }) => [path, fileOf(file)])));
}

/** The files in what was dropped, folders walked through. */
export async function dropped(items: DataTransferItemList): Promise<{ path: string; file: File }[]> {
  // The list is emptied as soon as the event is over: entries first, reading after.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<{ path: string; file: File }[]> {
  const path = entry.fullPath.replace(/^\//, '');
  if (isFile(entry)) return [{ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) }];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: { path: string; file: File }[] = [];
  for (;;) {
    // Each call gives some of them, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    files.push(...(await Promise.all(some.map(filesIn))).flat());
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

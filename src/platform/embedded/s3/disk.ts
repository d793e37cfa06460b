/** Writing that survives a power cut: nothing counts as done before it, and the folder that names it, is on disk. */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** How files of one store are written: where unfinished ones live, and whether the disk is waited for. */
export class Disk {
  constructor(
    readonly temporaryFolder: string,
    readonly fsync: boolean,
  ) {}

  /** A path for a file not yet finished. All of them are thrown away when the store is opened. */
  temporary(): string {
    return join(this.temporaryFolder, randomUUID());
  }

  /** Makes what happened inside `folder` (new names, removed names) survive a power cut. */
  async syncFolder(folder: string): Promise<void> {
    if (!this.fsync) return;
    const handle = await open(folder);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Writes a whole new file and returns its temporary path. Leaves nothing when it fails. */
  async writeTemporary(text: string): Promise<string> {
    const path = this.temporary();
    try {
      const handle = await open(path, 'wx');
      try {
        await handle.writeFile(text);
        if (this.fsync) await handle.sync();
      } finally {
        await handle.close();
      }
      return path;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Puts `text` at `folder/name` in one step: readers, and a restart, see the old file or the new one. */
  async replace(folder: string, name: string, text: string): Promise<void> {
    const path = await this.writeTemporary(text);
    try {
      await rename(path, join(folder, name));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    await this.syncFolder(folder);
  }
}

/** The text of a file, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

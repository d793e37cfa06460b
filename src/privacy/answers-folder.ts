import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Where answers are made, each in a folder of its own that goes when the answer is sent. */
export const answersFolder = (dataDir: string) => path.join(dataDir, 'answers');

const leftBehindMs = 86_400_000;

/**
 * Removes what a process that died while it made an answer left behind; one being made is never a day old, as the disk has it.
 * On the machine where answers are made: that of a worker may be another. `alone`: nobody else makes any, so all of it goes.
 */
export async function clearAnswers(dataDir: string, { alone = false }: { alone?: boolean } = {}): Promise<void> {
  const folder = answersFolder(dataDir);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    // Sent, and gone, since the folder was read: nothing is left to remove.
    const facts = await stat(path.join(folder, name)).catch(() => undefined);
    if (facts !== undefined && (alone || facts.mtimeMs < Date.now() - leftBehindMs))
      await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/**
 * One server per folder: two would not know of each other's objects. The lock names its process and when that process
 * started, so that one left behind by `kill -9` is taken over, also where the process id has been given out again
 * (in a container the service is always process 1).
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Owner {
  pid: number;
  /** When it started, in the kernel's own count since boot, and which boot; empty where there is no /proc. */
  startedAt: string;
  id: string;
}

/** Field 22 of /proc/PID/stat (proc(5)), counted after the command's name, which may hold spaces. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${started}`;
  } catch {
    return '';
  }
}

const heldHere = new Set<string>();

function isAlive(owner: Owner): boolean {
  if (owner.pid === process.pid) return heldHere.has(owner.id);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return owner.startedAt === startOf(owner.pid);
}

function readOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    if (typeof owner.pid !== 'number' || typeof owner.startedAt !== 'string' || typeof owner.id !== 'string') return undefined;
    return { pid: owner.pid, startedAt: owner.startedAt, id: owner.id };
  } catch {
    return undefined;
  }
}

/** Takes the lock of `folder` and returns how to let go. Throws a plain error naming the process that holds it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  const owner: Owner = { pid: process.pid, startedAt: startOf(process.pid), id: randomUUID() };
  const claim = join(folder, `lock.${owner.id}`);
  await writeFile(claim, JSON.stringify(owner));
  heldHere.add(owner.id);
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        await link(claim, path); // all or nothing, and the lock is never seen half written
        return async () => {
          if (readOwner(await readFile(path, 'utf8').catch(() => ''))?.id === owner.id) await rm(path, { force: true });
          heldHere.delete(owner.id);
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      await removeIfStale(folder, path);
    }
    throw new Error('The lock of the object folder keeps changing hands');
  } catch (error) {
    heldHere.delete(owner.id);
    throw error;
  } finally {
    await rm(claim, { force: true });
  }
}

async function removeIfStale(folder: string, path: string): Promise<void> {
  const found = await readFile(path, 'utf8').catch(() => '');
  const owner = readOwner(found);
  if (owner && isAlive(owner)) throw new Error(`The object folder is in use by process ${owner.pid}`);
  // Moved aside rather than removed: who moved it has it alone, and can see whether it still is the stale one.
  const aside = join(folder, `lock.${randomUUID()}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== found) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/**
 * One server per folder: two would not know of each other's objects. The lock names its process and when that process
 * started, so that one left behind by `kill -9` is taken over, also where the process id has been given out again
 * (in a container the service is always process 1).
 *
 * Locks are numbered, `lock.1`, `lock.2` …, and the highest counts. One whose process is gone is never removed, which
 * would be a race with others who see the same: the next number is taken instead, which only one can.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
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

/** Stands where the process was once it has let go. */
const released = 0;

const heldHere = new Set<string>();

function isAlive(owner: Owner): boolean {
  if (owner.pid === released) return false;
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
    if (typeof owner.pid !== 'number' || typeof owner.startedAt !== 'string' || typeof owner.id !== 'string')
      return undefined;
    return { pid: owner.pid, startedAt: owner.startedAt, id: owner.id };
  } catch {
    return undefined;
  }
}

/** The numbers of the locks there are, highest first. */
async function numbersIn(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? NaN));
  return numbers.filter(Number.isInteger).sort((left, right) => right - left);
}

/** Takes the lock of `folder` and returns how to let go. Throws a plain error naming the process that holds it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const owner: Owner = { pid: process.pid, startedAt: startOf(process.pid), id: randomUUID() };
  const claim = join(folder, `claim.${owner.id}`);
  await writeFile(claim, JSON.stringify(owner));
  heldHere.add(owner.id);
  try {
    for (;;) {
      const [highest = 0] = await numbersIn(folder);
      const found = await readFile(join(folder, `lock.${highest}`), 'utf8').catch(() => '');
      const holder = readOwner(found);
      if (holder && isAlive(holder)) throw new Error(`The object folder is in use by process ${holder.pid}`);
      const mine = highest + 1;
      const path = join(folder, `lock.${mine}`);
      try {
        await link(claim, path); // all or nothing, and never seen half written
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      const [now = mine, ...lower] = await numbersIn(folder);
      if (now > mine) {
        await rm(path, { force: true }); // what was seen as highest has been surpassed meanwhile, and cleared away
        continue;
      }
      for (const number of lower) await rm(join(folder, `lock.${number}`), { force: true });
      return () => letGo(folder, path, owner);
    }
  } catch (error) {
    heldHere.delete(owner.id);
    throw error;
  } finally {
    await rm(claim, { force: true });
  }
}

/** The lock stays, saying that nobody holds it: numbers must never begin anew. */
async function letGo(folder: string, path: string, owner: Owner): Promise<void> {
  const note = join(folder, `claim.${owner.id}`);
  await writeFile(note, JSON.stringify({ ...owner, pid: released }));
  await rename(note, path);
  heldHere.delete(owner.id);
}

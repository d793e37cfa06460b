/** Embedded S3 servers of a test's own, in this process or in another. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { MovableClock } from '../../src/platform/clock.js';
import { startEmbeddedS3, type EmbeddedS3, type EmbeddedS3Options } from '../../src/platform/embedded/s3/server.js';
import { createLog } from '../../src/platform/log.js';
import { clientOf, type S3Target } from './s3-conformance.js';

const credentials = { accessKeyId: 'child', secretAccessKey: 'not much of a secret' };

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'opname-s3-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A server in this process, stopped when the test is over. */
export async function serverOn(folder: string, options: Partial<EmbeddedS3Options> = {}) {
  const clock = new MovableClock();
  const log = createLog('silent');
  const server = await startEmbeddedS3({ folder, ...credentials, clock, log, fsync: false, ...options });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= server.close());
  onTestFinished(close);
  const target: S3Target = { endpoint: server.endpoint, region: 'us-east-1', ...credentials };
  return { server: { ...server, close } satisfies EmbeddedS3, clock, target, s3: clientOf(target) };
}

/** A server in a process of its own; `before` is what a shell does before it becomes that process. */
export async function childOn(folder: string, before = '') {
  const script = fileURLToPath(new URL('embedded-s3-child.ts', import.meta.url));
  const command = `${before}${before && '; '}exec "$0" --import tsx "$@"`;
  const child: ChildProcess = spawn(
    'sh',
    ['-c', command, process.execPath, script, folder, credentials.secretAccessKey],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  onTestFinished(() => kill('SIGKILL'));
  const { value: endpoint, done } = await lines.next();
  if (done) throw new Error('The server did not start');
  const target: S3Target = { endpoint: endpoint as string, region: 'us-east-1', ...credentials };
  return {
    target,
    s3: clientOf(target),
    kill,
    /** The most memory the process has had, in bytes. */
    async peakBytes(): Promise<number> {
      child.kill('SIGUSR2');
      return Number((await lines.next()).value) * 1024;
    },
  };
}

/** Paths of all files below `folder`. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createBag } from '../../src/packages/bag.js';
import { createArchive } from '../../src/platform/archive.js';
import { openSigningKey } from '../../src/platform/signing.js';

/**
 * `npm run bench -- package`: how long it takes to make a package of 200 recordings, digested twice and signed, held against
 * `zip -0` over the same files; and how much memory it took beyond what was there before. Rounds take turns, and the
 * medians are compared, so that other work on the machine weighs on both alike.
 */

const recordings = 200;
const bytesEach = 3_000_000;
const rounds = 5;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function makePackage(folder: string, zip: string, key: Awaited<ReturnType<typeof openSigningKey>>): Promise<void> {
  const archive = await createArchive(zip, new Date(0));
  const bag = createBag(archive, 'EV-2026-0001');
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    await bag.add(`data/audio/${name}`, createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>, (await stat(file)).size);
  }
  await bag.seal({ info: [], files: [], key, timeStamper: undefined, at: new Date(0) });
  await archive.finish();
}

async function main(): Promise<void> {
  const parent = await mkdtemp(path.join(tmpdir(), 'opname-bench-'));
  try {
    const folder = path.join(parent, 'audio');
    await mkdir(folder);
    for (let index = 0; index < recordings; index += 1)
      await writeFile(path.join(folder, `${String(index).padStart(3, '0')}.wav`), randomBytes(bytesEach));
    const key = await openSigningKey({ folder: parent });
    const zip = path.join(parent, 'package.zip');
    const ours: number[] = [];
    const theirs: number[] = [];
    const before = process.memoryUsage.rss();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await timed(() => makePackage(folder, zip, key)));
      await rm(zip);
      // What zip writes must be on disk too, or its time would be borrowed from the next round.
      theirs.push(await timed(() => promisify(execFile)('sh', ['-c', 'zip -q -0 -r "$1" . && sync "$1"', 'sh', zip], { cwd: folder })));
      await rm(zip);
    }
    clearInterval(watch);
    const ratio = median(theirs) / median(ours);
    const shown = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
    process.stdout.write(
      `package of ${recordings} recordings, ${Math.round((recordings * bytesEach) / 1e6)} MB, SHA-256 and SHA-512, signed\n` +
        `  ours    ${shown(median(ours))}\n  zip -0  ${shown(median(theirs))}\n` +
        `  ratio   ${ratio.toFixed(2)} of its speed (aim: 0.7 or more)\n` +
        `  memory  ${Math.round((most - before) / 1e6)} MB beyond the ${Math.round(before / 1e6)} MB at the start\n`,
    );
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

await main();

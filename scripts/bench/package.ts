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
import { prepareSealingBench } from './package-sealing.js';

/**
 * `npm run bench -- package [N]`: how long it takes to make a package of N recordings (200 unless told), digested twice and
 * signed, held against `zip -0` over the same files: rounds take turns, and the medians are compared, so that other work on
 * the machine weighs on both alike. Then packages of a quarter and of all of N recordings are sealed as the service seals
 * them, from storage into storage: memory must not grow with their number.
 */

const recordings = Number(process.argv[3] ?? 200);
const bytesEach = 3_000_000;
/** Smaller, since each is there four times: original, copy, both in the package. */
const sealedBytesEach = 1_000_000;
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
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await timed(() => makePackage(folder, zip, key)));
      await rm(zip);
      // What zip writes must be on disk too, or its time would be borrowed from the next round.
      theirs.push(await timed(() => promisify(execFile)('sh', ['-c', 'zip -q -0 -r "$1" . && sync "$1"', 'sh', zip], { cwd: folder })));
      await rm(zip);
    }
    const ratio = median(theirs) / median(ours);
    const shown = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
    process.stdout.write(
      `package of ${recordings} recordings, ${Math.round((recordings * bytesEach) / 1e6)} MB, SHA-256 and SHA-512, signed\n` +
        `  ours    ${shown(median(ours))}\n  zip -0  ${shown(median(theirs))}\n` +
        `  ratio   ${ratio.toFixed(2)} of its speed (aim: 0.7 or more)\n`,
    );
    await rm(folder, { recursive: true });
    await tellSealing(parent);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

async function tellSealing(parent: string): Promise<void> {
  const bench = await prepareSealingBench(parent, recordings, sealedBytesEach);
  const mb = (bytes: number) => Math.round(bytes / 1e6);
  try {
    // The first package warms up what stays: connections, the compiled program, the pools of the streams.
    await bench.seal(Math.ceil(recordings / 20));
    for (const count of [Math.ceil(recordings / 4), recordings]) {
      const { packageBytes, tookMs, startBytes, peakBytes } = await bench.seal(count);
      process.stdout.write(
        `sealed as the service does, ${count} recordings, ${mb(packageBytes)} MB, originals and copies: ${(tookMs / 1000).toFixed(1)} s, ` +
          `memory ${mb(peakBytes - startBytes)} MB beyond the ${mb(startBytes)} MB at its start (database and storage beside it included)\n`,
      );
    }
  } finally {
    await bench.close();
  }
}

await main();
process.exit(0);

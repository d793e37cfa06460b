import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBag } from '../src/packages/bag.js';
import { openPackageFiles } from '../src/packages/package-files.js';
import { createArchive } from '../src/platform/archive.js';
import { openSigningKey } from '../src/platform/signing.js';
import { has } from './support/evidence.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'opname-archive-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = new Date('2026-11-22T20:15:30Z');

async function* chunks(bytes: number, chunk = Buffer.alloc(1 << 20, 7)): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}

describe('an archive', () => {
  it('is a zip that others unpack: names, bytes, modes and digests', async () => {
    const file = path.join(folder, 'small.zip');
    const archive = await createArchive(file, at);
    const bytes = Buffer.from('één regel\n');
    expect(await archive.add('a/één.txt', bytes, bytes.length)).toEqual({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      sha512: createHash('sha512').update(bytes).digest('hex'),
    });
    await archive.add('a/run.sh', Buffer.from('#!/bin/sh\necho ran\n'), 19, 0o755);
    await archive.add('a/empty', Buffer.alloc(0), 0);
    await archive.add('a/stream', chunks(3_000_001), 3_000_001);
    await archive.finish();
    const opened = await openPackageFiles(file);
    expect([...opened.files.keys()]).toEqual(['a/één.txt', 'a/run.sh', 'a/empty', 'a/stream']);
    expect(Buffer.from((await opened.files.get('a/één.txt')?.read()) ?? [])).toEqual(bytes);
    await opened.close();
    if (!has('unzip', 'python3')) return;
    execFileSync('unzip', ['-tq', file]);
    execFileSync('unzip', ['-q', file, '-d', folder]);
    expect((await readdir(path.join(folder, 'a'))).sort()).toEqual(['empty', 'run.sh', 'stream', 'één.txt']);
    expect(await readFile(path.join(folder, 'a', 'één.txt'))).toEqual(bytes);
    expect(execFileSync(path.join(folder, 'a', 'run.sh')).toString()).toBe('ran\n');
    // Python reads by the directory, and checks each header against it.
    expect(execFileSync('python3', ['-m', 'zipfile', '-t', file]).toString()).toContain('Done testing');
  });

  it('refuses a source that is longer or shorter than announced, and leaves no file behind', async () => {
    for (const told of [9, 11]) {
      const file = path.join(folder, `wrong-${told}.zip`);
      const archive = await createArchive(file, at);
      await expect(archive.add('a', Buffer.alloc(10), told)).rejects.toThrow(/than was announced/);
      await archive.discard();
      expect(await readdir(folder)).not.toContain(path.basename(file));
    }
  });

  it('tells sizes and places in 64 bits where 32 are too few', async () => {
    const file = path.join(folder, 'large.zip');
    // As if a thousand bytes were more than 32 bits can count.
    const archive = await createArchive(file, at, undefined, 1000);
    await archive.add('a/large', chunks(3_000_000), 3_000_000);
    await archive.add('a/after', Buffer.from('after'), 5);
    await archive.finish();
    if (has('unzip', 'python3')) {
      execFileSync('unzip', ['-tq', file]);
      expect(execFileSync('python3', ['-m', 'zipfile', '-t', file]).toString()).toContain('Done testing');
    }
    const opened = await openPackageFiles(file);
    expect(Buffer.from((await opened.files.get('a/after')?.read()) ?? []).toString()).toBe('after');
    expect(opened.files.get('a/large')?.bytes).toBe(3_000_000);
    await opened.close();
  });

  it('holds 200 recordings in memory that does not grow', async () => {
    const file = path.join(folder, 'many.zip');
    const archive = await createArchive(file, at);
    const bag = createBag(archive, 'EV-2026-0001');
    const key = await openSigningKey({ folder });
    const used = () => process.memoryUsage().external + process.memoryUsage().heapUsed;
    const before = used();
    let most = 0;
    for (let index = 0; index < 200; index += 1) {
      await bag.add(`data/audio/${index}.wav`, chunks(2_000_000), 2_000_000);
      most = Math.max(most, used() - before);
    }
    await bag.seal({ info: [], files: [], key, timeStamper: undefined, at });
    await archive.finish();
    expect(most).toBeLessThan(64 * 1024 * 1024);
    const handle = await open(file);
    expect((await handle.stat()).size).toBeGreaterThan(400_000_000);
    await handle.close();
    await rm(file);
  });

  it('takes no path that could stand for another, and none twice', async () => {
    const archive = await createArchive(path.join(folder, 'paths.zip'), at);
    const bag = createBag(archive, 'EV-2026-0001');
    await bag.addText('data/a.txt', 'a');
    for (const wrong of ['data/a.txt', 'a.txt', 'data/../a.txt', 'data/a b.txt', 'data/a\n.txt', '/data/a'])
      await expect(bag.addText(wrong, 'x')).rejects.toThrow('cannot stand in a bag');
    await archive.discard();
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Request } from 'express';
import { afterAll, expect, test } from 'vitest';
import { discardUpload, receiveRaw, type Upload } from '../src/recordings/upload.js';

/** Where uploads wait: small ones in bounded memory, all others on disk. */

const folder = mkdtempSync(path.join(tmpdir(), 'opname-uploads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MiB = 1024 * 1024;
const digest = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex');

function receive(bytes: Buffer, announced: number | undefined = bytes.length): Promise<Upload> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 50_000) }, (_, at) => bytes.subarray(at * 50_000, (at + 1) * 50_000));
  const headers = announced === undefined ? {} : { 'content-length': String(announced) };
  const request = Object.assign(Readable.from(pieces), { headers, complete: true });
  return receiveRaw(request as unknown as Request, { folder, maxBytes: 100 * MiB });
}

function contentOf(upload: Upload): Buffer {
  return typeof upload.content === 'string' ? readFileSync(upload.content) : upload.content;
}

test('a small upload leaves no file, a large one or one of unknown length does; both have their bytes and digests', async () => {
  const cases = [
    { bytes: randomBytes(2 * MiB), announced: 2 * MiB, files: 0 },
    { bytes: randomBytes(2 * MiB + 1), announced: 2 * MiB + 1, files: 1 },
    { bytes: randomBytes(1000), announced: 0, files: 1 },
  ];
  for (const { bytes, announced, files } of cases) {
    const upload = await receive(bytes, announced);
    expect(readdirSync(folder)).toHaveLength(files);
    expect(contentOf(upload).equals(bytes)).toBe(true);
    expect(upload).toMatchObject({ bytes: bytes.length, sha256: digest('sha256', bytes), md5: digest('md5', bytes) });
    await discardUpload(upload);
    expect(readdirSync(folder)).toEqual([]);
  }
});

test('all small uploads together take no more than 32 MiB of memory: the next goes to disk, until one is let go of', async () => {
  const bytes = randomBytes(2 * MiB);
  const uploads: Upload[] = [];
  for (let at = 0; at < 16; at += 1) uploads.push(await receive(bytes));
  expect(readdirSync(folder)).toEqual([]);
  const beyond = await receive(bytes);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(contentOf(beyond).equals(bytes)).toBe(true);
  await discardUpload(beyond);

  // Twice, as doors do: it is given back once.
  await discardUpload(uploads[0]);
  await discardUpload(uploads[0]);
  const again = await receive(bytes);
  expect(readdirSync(folder)).toEqual([]);
  const full = await receive(bytes);
  expect(readdirSync(folder)).toHaveLength(1);
  for (const upload of [...uploads, again, full]) await discardUpload(upload);
  expect(readdirSync(folder)).toEqual([]);
});

test('an upload that breaks off, or is longer than was announced, takes no memory with it', async () => {
  for (let at = 0; at < 20; at += 1)
    await expect(receive(randomBytes(2 * MiB), MiB)).rejects.toMatchObject({ code: 'invalid-request' });
  const after = await receive(randomBytes(2 * MiB));
  expect(readdirSync(folder)).toEqual([]);
  await discardUpload(after);
});

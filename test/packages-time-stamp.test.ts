import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBag } from '../src/packages/bag.js';
import { createArchive } from '../src/platform/archive.js';
import { openSigningKey } from '../src/platform/signing.js';
import { createTimeStamper, readTimeStamp, TimeStampUnavailable } from '../src/platform/time-stamp.js';
import { has } from './support/evidence.js';
import { signingKeyPem } from './support/service.js';
import { startAuthority, type TestAuthority } from './support/time-stamp-authority.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'opname-stamp-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const digest = createHash('sha256').update('a recording').digest('hex');

describe.skipIf(!has('openssl')).each(['rsa', 'ec'] as const)('a time stamp of an authority with an %s key', (kind) => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await startAuthority(kind);
  });
  afterAll(() => authority.close());

  it('is what openssl accepts, and says when', async () => {
    const stamp = await createTimeStamper([authority.url]).stamp(digest);
    expect(Math.abs(stamp.at.getTime() - Date.now())).toBeLessThan(60_000);
    expect(stamp.certificates.length).toBe(2);
    const file = path.join(folder, `${kind}.tsr`);
    await writeFile(file, stamp.response);
    const said = execFileSync('openssl', ['ts', '-verify', '-digest', digest, '-in', file, '-CAfile', authority.rootFile]);
    expect(said.toString()).toContain('Verification: OK');
  });

  it('is refused with any byte of what is signed changed', async () => {
    const { response } = await createTimeStamper([authority.url]).stamp(digest);
    const imprint = response.indexOf(Buffer.from(digest, 'hex'));
    for (const at of [imprint, imprint + 40, response.length - 1, response.length - 40]) {
      const changed = Buffer.from(response);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => readTimeStamp(changed, digest)).toThrow();
    }
    expect(() => readTimeStamp(response.subarray(0, -1), digest)).toThrow();
    expect(() => readTimeStamp(response, '00'.repeat(32))).toThrow('something else');
  });
});

describe.skipIf(!has('openssl'))('several authorities', () => {
  let first: TestAuthority;
  let second: TestAuthority;
  beforeAll(async () => {
    [first, second] = await Promise.all([startAuthority('ec'), startAuthority('ec')]);
  });
  afterAll(async () => {
    await first.close();
    await second.close();
  });

  it('are asked in turn: one that fails, or stamps something else, is passed over', async () => {
    const stamper = createTimeStamper([first.url, second.url], 10_000, 0);
    for (const mode of ['fails', 'other digest'] as const) {
      first.mode = mode;
      expect((await stamper.stamp(digest)).authority).toBe(new URL(second.url).host);
    }
    first.mode = 'answers';
    expect((await stamper.stamp(digest)).authority).toBe(new URL(first.url).host);
  });

  it('of which one fails or hangs are not held up by it for each token', async () => {
    first.mode = 'fails';
    const before = first.requests;
    const stamper = createTimeStamper([first.url, second.url]);
    for (let token = 0; token < 3; token += 1) expect((await stamper.stamp(digest)).authority).toBe(new URL(second.url).host);
    expect(first.requests).toBe(before + 1);
    // Last is not never.
    second.mode = 'fails';
    first.mode = 'answers';
    expect((await stamper.stamp(digest)).authority).toBe(new URL(first.url).host);
    second.mode = 'answers';
  });

  it('of which another answers at the end than at the beginning seal no package: nobody could check that token', async () => {
    const key = await openSigningKey({ pem: signingKeyPem() });
    const { certificates } = await createTimeStamper([first.url]).stamp(digest);
    const sealWith = async (name: string, url: string) => {
      const archive = await createArchive(path.join(folder, name), new Date(0));
      const frame = { info: [], files: [], key, certificates: new Set(certificates), at: new Date(0) };
      try {
        await createBag(archive, 'EV').seal({ ...frame, timeStamper: createTimeStamper([url]) });
      } finally {
        await archive.discard();
      }
    };
    await sealWith('first.zip', first.url);
    await expect(sealWith('second.zip', second.url)).rejects.toThrow(TimeStampUnavailable);
  });

  it('that all fail are named with their faults', async () => {
    first.mode = 'fails';
    const stamper = createTimeStamper([first.url, 'http://127.0.0.1:1/']);
    const failure = await stamper.stamp(digest).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TimeStampUnavailable);
    expect((failure as Error).message).toContain('answered 503');
  });
});

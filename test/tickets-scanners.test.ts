import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createScanner } from '../src/tickets/scanner.js';
import { badBytes, clamdPeer, hasCIcap, hasClamd, icapPeer, realScanner, type IcapManner, type Peer } from './support/scanners.js';

const never = new AbortController().signal;
let folder: string;
let peer: Peer | undefined;
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'opname-scanners-'))));
afterEach(async () => {
  await peer?.stop();
  peer = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ask(setting: string, bytes: Buffer, signal = never): Promise<string> {
  const file = path.join(folder, 'file');
  await writeFile(file, bytes);
  return await createScanner(setting)(file, signal);
}

const clean = Buffer.from('gewoon een bijlage');
const large = Buffer.alloc(700_000, 'x');

describe('clamd', () => {
  it('is told the file in chunks, and believed when it says OK or FOUND', async () => {
    peer = await clamdPeer();
    expect(await ask(peer.setting, clean)).toBe('clean');
    expect(await ask(peer.setting, badBytes)).toBe('infected');
    expect(await ask(peer.setting, large)).toBe('clean');
  });

  it.each(['INSTREAM size limit exceeded. ERROR\0', 'stream: OK, or so', '', 'UNKNOWN COMMAND\0'])('that answers %j has not said that it is clean', async (now) => {
    peer = await clamdPeer({ now });
    await expect(ask(peer.setting, clean)).rejects.toThrow();
  });

  it('that is not there, or is no longer waited for, has not either', async () => {
    await expect(ask('clamd:///nowhere/clamd.sock', clean)).rejects.toThrow();
    peer = await clamdPeer();
    await expect(ask(peer.setting, clean, AbortSignal.abort())).rejects.toThrow();
  });
});

describe('an ICAP server', () => {
  const manner: { now: IcapManner } = { now: 'allow-204' };
  const asked = async (now: IcapManner, bytes: Buffer) => {
    manner.now = now;
    peer ??= await icapPeer(manner);
    return await ask(peer.setting, bytes);
  };

  it.each(['allow-204', 'echo', 'block-page', 'header-only'] as const)('passes what is clean and not what is bad: %s', async (now) => {
    expect(await asked(now, clean)).toBe('clean');
    expect(await asked(now, large)).toBe('clean');
    expect(await asked(now, badBytes)).toBe('infected');
  });

  it.each(['error', 'garbage', 'hang-up', 'early'] as const)('has not said that it is clean when it fails: %s', async (now) => {
    await expect(asked(now, clean)).rejects.toThrow();
    await expect(asked(now, Buffer.alloc(3_000_000))).rejects.toThrow();
  });
});

describe('a setting', () => {
  it('that names no scanner is refused at the start', () => {
    for (const setting of ['http://x', 'icap://host', 'icap:///avscan', 'exec:', 'clamd', '']) expect(() => createScanner(setting)).toThrow();
  });
});

describe.skipIf(!hasClamd)('ClamAV itself', () => {
  it('finds what its signatures name, and cannot tell of what is beyond its own limit', async () => {
    peer = await realScanner({ icap: false });
    expect(await ask(peer.setting, clean)).toBe('clean');
    expect(await ask(peer.setting, badBytes)).toBe('infected');
    await expect(ask(peer.setting, Buffer.alloc(3_000_000))).rejects.toThrow();
  }, 60_000);

  it.skipIf(!hasCIcap)('finds the same behind c-icap, which also hands back what it does not touch', async () => {
    peer = await realScanner({ icap: true });
    expect(await ask(peer.setting, clean)).toBe('clean');
    expect(await ask(peer.setting, badBytes)).toBe('infected');
    expect(await ask(peer.setting.replace('avscan', 'echo'), large)).toBe('clean');
    await expect(ask(peer.setting.replace('avscan', 'nothing'), clean)).rejects.toThrow();
  }, 60_000);
});

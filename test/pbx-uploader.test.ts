import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync, copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync,
  truncateSync, utimesSync, writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** The uploader as a PBX runs it: by a POSIX shell, against the real service, over a line that misbehaves on order. */

const script = path.join(import.meta.dirname, '../scripts/pbx/opname-push');
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

type Mood = 'well' | 'busy' | 'error' | 'hangs up' | 'late' | 'silent' | 'lies' | 'slow' | 'moved';

let service: TestService;
let line: Server;
let mood: Mood = 'well';
let asked = 0;
/** What is answered in place of the service. */
let strange: { status: number; headers: Record<string, string>; body: string } | undefined;
let folder: string;
let spool: string;
let monitor: string;

beforeAll(async () => {
  service = await startTestService();
  line = createServer((incoming, outgoing) => {
    asked += 1;
    if (strange !== undefined) {
      const { status, headers, body } = strange;
      incoming.resume();
      incoming.on('end', () => outgoing.writeHead(status, headers).end(body));
      return;
    }
    if (mood === 'error') {
      incoming.resume();
      incoming.on('end', () => outgoing.writeHead(500).end('no'));
      return;
    }
    if (mood === 'hangs up') {
      incoming.once('data', () => incoming.socket.destroy());
      return;
    }
    if (mood === 'busy' || mood === 'moved') {
      incoming.resume();
      const headers = mood === 'moved' ? { location: 'https://elsewhere.example/api/v1/recordings' } : {};
      incoming.on('end', () => outgoing.writeHead(mood === 'moved' ? 301 : 503, headers).end());
      return;
    }
    if (mood === 'silent') return;
    const { hostname, port } = new URL(service.url);
    const onward = request({ hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk as Buffer);
        // The service has it; the client never hears so.
        if (mood === 'late') incoming.socket.destroy();
        else if (mood === 'lies') outgoing.writeHead(201).end('{"sha256":"0000"}');
        else outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(Buffer.concat(chunks));
      })();
    });
    onward.on('error', () => incoming.socket.destroy());
    if (mood === 'slow') void trickle(incoming, onward);
    else incoming.pipe(onward);
  });
  line.listen(0, '127.0.0.1');
  await once(line, 'listening');
});
afterAll(async () => {
  line.closeAllConnections();
  line.close();
  await service.close();
});
beforeEach(() => {
  mood = 'well';
  strange = undefined;
  asked = 0;
  aheadSeconds = 0;
  shell = shells[0] ?? ['sh'];
  folder = mkdtempSync(path.join(tmpdir(), 'opname-push-'));
  spool = path.join(folder, 'spool');
  monitor = path.join(folder, 'monitor');
  mkdirSync(monitor);
  settings({});
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A line of some 60 kB/s. */
async function trickle(from: Readable, to: Writable): Promise<void> {
  for await (const chunk of from)
    for (let at = 0; at < (chunk as Buffer).length; at += 3000) {
      to.write((chunk as Buffer).subarray(at, at + 3000));
      await sleep(50);
    }
  to.end();
}

function settings(more: Record<string, string>): void {
  const { port } = line.address() as AddressInfo;
  const all = {
    URL: `http://127.0.0.1:${port}`, KEY: service.pbxKey, SPOOL: spool, MONITOR_DIR: monitor, LOG: path.join(folder, 'log'),
    SETTLE_SECONDS: '1', FIRST_RETRY_SECONDS: '0', ...more,
  };
  writeFileSync(path.join(folder, 'conf'), Object.entries(all).map(([name, value]) => `${name}=${value}\n`).join(''));
}

/** Shells that PBXs have: Debian's, Alpine's and appliances', Red Hat's. Those that this machine has are tried. */
const shells = [['dash'], ['busybox', 'sh'], ['bash', '--posix'], ['mksh'], ['ksh'], ['posh']].filter(([name = '']) => spawnSync(name, ['-c', ':']).error === undefined);
let shell = shells[0] ?? ['sh'];
let aheadSeconds = 0;

const start = (...args: string[]) =>
  spawn(shell[0] ?? 'sh', [...shell.slice(1), script, ...args], {
    env: {
      PATH: process.env['PATH'], OPNAME_PUSH_CONF: path.join(folder, 'conf'), OPNAME_PUSH_WAIT: 'yes',
      OPNAME_PUSH_AHEAD: String(aheadSeconds),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });

async function run(...args: string[]): Promise<{ code: number | null; out: string }> {
  const child = start(...args);
  let out = '';
  child.stdout.on('data', (chunk) => { out += String(chunk); });
  child.stderr.on('data', (chunk) => { out += String(chunk); });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out };
}

const queued = () => (existsSync(spool) ? readdirSync(spool).filter((name) => /^(q|new)\./.test(name)) : []);
const logged = () => (existsSync(path.join(folder, 'log')) ? readFileSync(path.join(folder, 'log'), 'utf8') : '');

/** A recording of its own: no two have the same bytes. */
let seed = 0;
function record(name: string, seconds = 1): { file: string; bytes: Buffer } {
  seed += 1;
  const bytes = tone({ seconds, seed });
  const file = path.join(monitor, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return { file, bytes };
}
const fields = (callId: string) => [`callId=${callId}`, `startedAt=${new Date(Date.now() - 60_000).toISOString()}`, 'caller=+31850000101'];

/** Digests of all versions that the service has of a call. */
async function versionsOf(callId: string): Promise<string[]> {
  const rows = await service.service.platform.database.query<{ sha256: string }>(
    `SELECT v.sha256 FROM recording_versions v JOIN recordings r ON r.id = v.recording_id
     WHERE r.call_id = $1 AND v.number IS NOT NULL ORDER BY v.number`,
    [callId],
  );
  return rows.map((row) => row.sha256);
}

test('a recording is kept, with its fields, and leaves the spool; the file stays where the PBX put it', async () => {
  const { file, bytes } = record('plain.wav');
  expect(await run(...fields('plain'), 'queue=support', file)).toMatchObject({ code: 0 });
  expect(await versionsOf('plain')).toEqual([sha256(bytes)]);
  expect(queued()).toEqual([]);
  expect(existsSync(file)).toBe(true);
});

test('the original goes too when that is wished, and only after it was kept', async () => {
  settings({ DELETE_ORIGINAL: 'yes' });
  const { file } = record('moved.wav');
  mood = 'error';
  await run(...fields('moved'), file);
  expect(existsSync(file)).toBe(true);
  mood = 'well';
  await run('--drain');
  expect(existsSync(file)).toBe(false);
  expect(await versionsOf('moved')).toHaveLength(1);
});

describe('when something is wrong with the line, nothing is lost and nothing is doubled', () => {
  test.each(['error', 'hangs up', 'late', 'lies'] as const)('the service is reached but the line %s', async (wrong) => {
    const callId = `wrong-${wrong.replace(' ', '-')}`;
    const { file, bytes } = record(`${callId}.wav`, 3);
    mood = wrong;
    await run(...fields(callId), file);
    await run('--drain');
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(queued()).toHaveLength(1);
    mood = 'well';
    await run('--drain');
    expect(queued()).toEqual([]);
    expect(await versionsOf(callId)).toEqual([sha256(bytes)]);
  });

  test('the service is away, and the PBX is restarted meanwhile', async () => {
    settings({ URL: 'http://127.0.0.1:9' });
    const { file, bytes } = record('away.wav');
    await run(...fields('away'), file);
    // The PBX cleans up: the spool has a link of its own.
    rmSync(file);
    for (let tries = 0; tries < 3; tries += 1) await run('--drain');
    expect(queued()).toHaveLength(1);
    settings({});
    await run('--drain');
    expect(await versionsOf('away')).toEqual([sha256(bytes)]);
  });

  test('the key is mistyped, or taken back for a while', async () => {
    settings({ KEY: '' });
    const { file, bytes } = record('key.wav');
    expect((await run(...fields('key'), file)).out).toContain('KEY is missing');
    expect(queued()).toHaveLength(1);
    settings({ KEY: 'opn_wrong' });
    await run('--drain');
    expect(queued()).toHaveLength(1);
    settings({});
    await run('--drain');
    expect(await versionsOf('key')).toEqual([sha256(bytes)]);
  });

  test('it is away for an hour: asked ever more rarely, and with the first answer everything goes at once', async () => {
    settings({ FIRST_RETRY_SECONDS: '30' });
    mood = 'busy';
    const sent = new Map<string, string>();
    const asks: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      aheadSeconds = minute * 60;
      if (minute % 10 === 0) {
        const { file, bytes } = record(`hour-${minute}.wav`);
        sent.set(`hour-${minute}`, sha256(bytes));
        await run(...fields(`hour-${minute}`), file);
        rmSync(file);
      } else await run('--drain');
      asks.push(asked);
    }
    expect(queued()).toHaveLength(6);
    // Ten minutes apart in the end; nobody comes back to a service that is buried in questions.
    expect(asked).toBeLessThan(14);
    expect((asks[59] ?? 0) - (asks[29] ?? 0)).toBeLessThanOrEqual(4);
    expect((await run('--status')).out).toMatch(/queued 6, refused 0\n.*not reached/);
    mood = 'well';
    aheadSeconds = 3600 + 600;
    await run('--drain');
    expect(queued()).toEqual([]);
    for (const [callId, digest] of sent) expect([callId, await versionsOf(callId)]).toEqual([callId, [digest]]);
  }, 120_000);

  test('one recording that the line never lets through keeps no other waiting', async () => {
    settings({ FIRST_RETRY_SECONDS: '1' });
    const { file } = record('poison.wav');
    mood = 'hangs up';
    await run(...fields('poison'), file);
    mood = 'well';
    const others = [record('after-1.wav'), record('after-2.wav')];
    aheadSeconds = 2;
    for (const [n, other] of others.entries()) {
      await run(...fields(`after-${n}`), other.file);
      expect(await versionsOf(`after-${n}`)).toHaveLength(1);
    }
  });

  test('the line is slow: others wait their turn, nothing is sent twice', async () => {
    const { file, bytes } = record('slow.wav', 12);
    mood = 'slow';
    const first = run(...fields('slow'), file);
    await expect.poll(() => asked, { timeout: 20_000 }).toBe(1);
    const second = record('second.wav');
    await run(...fields('second'), second.file);
    expect(asked).toBe(1);
    await first;
    await run('--drain');
    expect(queued()).toEqual([]);
    expect(await versionsOf('slow')).toEqual([sha256(bytes)]);
    expect(await versionsOf('second')).toEqual([sha256(second.bytes)]);
    expect(asked).toBe(2);
  });

  test('the clock jumps: from 1970 to now, or back', async () => {
    settings({ URL: 'http://127.0.0.1:9', FIRST_RETRY_SECONDS: '60' });
    aheadSeconds = -1_700_000_000;
    const early = record('early.wav');
    await run(...fields('early'), early.file);
    aheadSeconds = 400 * 86_400;
    const late = record('late.wav');
    await run(...fields('late-clock'), late.file);
    aheadSeconds = 0;
    settings({});
    await run('--drain');
    expect(queued()).toEqual([]);
    expect(await versionsOf('early')).toEqual([sha256(early.bytes)]);
    expect(await versionsOf('late-clock')).toEqual([sha256(late.bytes)]);
  });

  test('a wait grows from try to try, and a drain in between does not ask', async () => {
    settings({ FIRST_RETRY_SECONDS: '600' });
    mood = 'error';
    const { file } = record('patient.wav');
    await run(...fields('patient'), file);
    expect(asked).toBe(1);
    await run('--drain');
    expect(asked).toBe(1);
    const [entry = ''] = queued();
    const next = Number(readFileSync(path.join(spool, entry, 'next'), 'utf8'));
    expect(next - Date.now() / 1000).toBeGreaterThan(500);
  });
});

test('killed with SIGKILL at any moment, it goes on where it was', async () => {
  const sent = new Map<string, string>();
  for (let round = 0; round < 6; round += 1) {
    const callId = `killed-${round}`;
    const { file, bytes } = record(`${callId}.wav`, 2);
    sent.set(callId, sha256(bytes));
    mood = round % 2 === 0 ? 'silent' : 'well';
    const child = start(...fields(callId), file);
    const closed = once(child, 'close');
    await sleep(40 + round * 220);
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await closed;
    mood = 'well';
    // A hook that died before the spool had the file: the scan of the folder would find it. Here it is told again.
    const isQueued = queued().some((entry) => entry.startsWith('q.') && readFileSync(path.join(spool, entry, 'path'), 'utf8') === file);
    if (!isQueued && (await versionsOf(callId)).length === 0) await run(...fields(callId), file);
  }
  for (const entry of queued().filter((name) => name.startsWith('new.'))) rmSync(path.join(spool, entry), { recursive: true });
  await run('--drain');
  expect(queued()).toEqual([]);
  for (const [callId, digest] of sent) expect([callId, await versionsOf(callId)]).toEqual([callId, [digest]]);
});

describe('when the disk of the spool is full', () => {
  // Real, and small: a disk of memory. Where this machine lets nobody mount one, there is nothing to try it on.
  const canMount = process.getuid?.() === 0 && (() => {
    const probe = mkdtempSync(path.join(tmpdir(), 'opname-mount-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe]).status === 0;
    if (mounted) execFileSync('umount', [probe]);
    rmSync(probe, { recursive: true });
    return mounted;
  })();
  beforeEach(() => {
    if (!canMount) return;
    mkdirSync(spool, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300k,nr_inodes=400', 'tmpfs', spool]);
  });
  afterEach(() => {
    if (canMount) execFileSync('umount', ['-l', spool]);
  });

  test.skipIf(!canMount)('copies that fill it leave again once the service is back, and make room for the rest', async () => {
    // All four are queued before the first is copied, however slow this machine is: a hook that finds the disk full waits for
    // room, and here none would come.
    settings({ URL: 'http://127.0.0.1:9', SETTLE_SECONDS: '600' });
    writeFileSync(path.join(spool, 'outage'), `1 ${Math.floor(Date.now() / 1000) + 600}\n`);
    const made = [1, 2, 3, 4].map((n) => record(`full-${n}.wav`, 7));
    for (const [n, { file }] of made.entries()) await run(...fields(`full-${n}`), file);
    rmSync(path.join(spool, 'outage'));
    settings({ URL: 'http://127.0.0.1:9' });
    // Each is copied once it was seen to rest for a second: a quick machine is back before that.
    for (let tries = 0; tries < 4; tries += 1) {
      await sleep(1100);
      await run('--drain');
    }
    expect(queued()).toHaveLength(4);
    expect(logged()).toContain('disk full');
    // Not a byte left.
    spawnSync('dd', ['if=/dev/zero', `of=${path.join(spool, 'filler')}`, 'bs=1k']);
    settings({});
    for (let tries = 0; tries < 4; tries += 1) await run('--drain');
    expect(queued()).toEqual([]);
    for (const [n, { bytes }] of made.entries()) expect(await versionsOf(`full-${n}`)).toEqual([sha256(bytes)]);
  });

  test.skipIf(!canMount)('a hook that finds no room waits for it, and one that is killed waiting is made up for by the scan', async () => {
    settings({ SPOOL_RETRY_SECONDS: '1' });
    mkdirSync(path.join(spool, 'filler'));
    const fill = () => { for (let n = 0; n < 400; n += 1) writeFileSync(path.join(spool, 'filler', String(n)), ''); };
    expect(fill).toThrow(/ENOSPC/);
    const { file, bytes } = record('no-room.wav');
    const waiting = run(...fields('no-room'), file);
    await expect.poll(logged).toContain('cannot take a recording');

    const second = Math.floor(Date.now() / 1000) - 400;
    const at = new Date(second * 1000).toLocaleString('sv', { timeZone: 'Europe/Amsterdam' }).replaceAll(/[-:]/g, '').replace(' ', '-');
    const scanned = record(`external-201-0850000104-${at}-${second}.9.wav`);
    const killed = start(`callId=${second}.9`, 'startedAt=2026-01-01', scanned.file);
    await sleep(500);
    if (killed.pid !== undefined) process.kill(-killed.pid, 'SIGKILL');
    utimesSync(scanned.file, second, second);

    rmSync(path.join(spool, 'filler'), { recursive: true });
    await waiting;
    await run('--scan', monitor);
    expect(await versionsOf('no-room')).toEqual([sha256(bytes)]);
    expect(await versionsOf(`${second}.9`)).toEqual([sha256(scanned.bytes)]);
    expect(queued()).toEqual([]);
  });
});

test('after a power cut: a lock of another life, an entry half made, a copy half done', async () => {
  settings({ URL: 'http://127.0.0.1:9' });
  const { file, bytes } = record('cut.wav');
  await run(...fields('cut'), file);
  // The number of the process that held the lock belongs to another one now: this one.
  symlinkSync(String(process.pid), path.join(spool, 'sending'));
  mkdirSync(path.join(spool, 'new.1.2.3'));
  writeFileSync(path.join(spool, 'new.1.2.3', 'meta'), 'callId=half');
  const [entry = ''] = queued().filter((name) => name.startsWith('q.'));
  const whole = path.join(spool, `new.${entry.slice(2)}x`);
  execFileSync('cp', ['-r', path.join(spool, entry), whole]);
  rmSync(path.join(spool, entry), { recursive: true });
  writeFileSync(path.join(whole, 'copy'), bytes.subarray(0, 100));
  aheadSeconds = 120;
  settings({});
  await run('--drain');
  expect(queued()).toEqual([]);
  expect(await versionsOf('cut')).toEqual([sha256(bytes)]);
});

test('a file that still grows is waited for; one that grows again is the next version', async () => {
  const whole = tone({ seconds: 4, seed: 900 });
  const file = path.join(monitor, 'growing.wav');
  writeFileSync(file, whole.subarray(0, 20_000));
  const running = run(...fields('growing'), file);
  for (let at = 20_000; at < whole.length; at += 11_000) {
    await sleep(400);
    appendFileSync(file, whole.subarray(at, Math.min(at + 11_000, whole.length)));
  }
  await running;
  expect(await versionsOf('growing')).toEqual([sha256(whole)]);
  const more = tone({ seconds: 1, seed: 901 });
  appendFileSync(file, more);
  await run(...fields('growing'), file);
  expect(await versionsOf('growing')).toEqual([sha256(whole), sha256(Buffer.concat([whole, more]))]);
});

describe('hostile names', () => {
  const pwned = () => existsSync(path.join(monitor, 'pwned')) || existsSync(path.join(folder, 'pwned'));
  /** Queues all of them while nobody answers, then sends them. */
  async function sendAll(all: readonly string[][]): Promise<void> {
    settings({ URL: 'http://127.0.0.1:9', FIRST_RETRY_SECONDS: '600' });
    for (const args of all) expect(await run(...args)).toMatchObject({ code: 0 });
    settings({});
    aheadSeconds = 700;
    await run('--drain');
    expect(queued()).toEqual([]);
    expect(pwned()).toBe(false);
  }

  test('of files', async () => {
    const names = [
      `a'b"c.wav`, '$(touch pwned);`touch pwned`;touch pwned.wav', 'two\nlines.wav', '-rf.wav', '--output.wav', 'a\\"b.wav',
      ' * ? [x] .wav', 'callId=evil.wav', 'x.wav;type=text.wav', 'Şükrü 山田.wav',
    ];
    const made = names.map((name) => sha256(record(name).bytes));
    // As Asterisk hands names of queues on: relative to the folder of recordings.
    await sendAll(names.map((name, n) => [...fields(`name-${n}`), name]));
    for (const [n, digest] of made.entries()) expect([names[n], await versionsOf(`name-${n}`)]).toEqual([names[n], [digest]]);
  });

  test('of callers', async () => {
    const names: [told: string, kept: string][] = [
      ['Piet\nPuk\r\ncallId=evil', 'PietPukcallId=evil'], ['--output /etc/passwd', '--output /etc/passwd'],
      ['Şükrü "山田" O’Brien', 'Şükrü "山田" O’Brien'], ["$(id)`id`';id;'", "$(id)`id`';id;'"], ['\\', '\\'], ['a=b', 'a=b'],
    ];
    await sendAll(names.map(([told], n) => [...fields(`called-${n}`), `callerName=${told}`, record(`called-${n}.wav`).file]));
    const rows = await service.service.platform.database.query<{ name: string }>(
      "SELECT caller_name AS name FROM recordings WHERE call_id LIKE 'called-%' ORDER BY call_id",
    );
    expect(rows.map(({ name }) => name)).toEqual(names.map(([, kept]) => kept));
  });

  test('of a caller', async () => {
    const { file } = record('caller.wav');
    const hostile = `"; touch ${folder}/pwned; $(touch ${folder}/pwned) \`touch ${folder}/pwned\` \\" @/etc/passwd <x>;type=a`;
    await run(...fields('hostile-caller'), `callerName=${hostile}`, 'agent=@/etc/hostname', 'nonsense=1', file);
    const [row] = await service.service.platform.database.query<{ caller_name: string; agent: string }>(
      "SELECT caller_name, agent FROM recordings WHERE call_id = 'hostile-caller'",
    );
    expect(row).toEqual({ caller_name: hostile.slice(0, 200), agent: '@/etc/hostname' });
    expect(pwned()).toBe(false);
    expect(logged()).not.toContain('touch');
  });
});

describe('what is not to be kept', () => {
  test('a header without sound leaves the spool, the PBX keeps its file', async () => {
    const file = path.join(monitor, 'busy.wav');
    writeFileSync(file, tone({ seconds: 1 }).subarray(0, 44));
    await run(...fields('busy'), file);
    expect(queued()).toEqual([]);
    expect(existsSync(file)).toBe(true);
    expect(logged()).toContain('empty-recording');
  });

  test('what the service cannot make sense of is put aside, to be looked at', async () => {
    const file = path.join(monitor, 'odd.wav');
    writeFileSync(file, 'this is no sound at all');
    await run(...fields('odd'), file);
    expect((await run('--status')).out).toContain('queued 0, refused 1');
  });
});

test('both sides of a call go along with its mixed file, each with its part', async () => {
  for (const side of ['', '-in', '-out']) record(`both${side}.wav`);
  await run(...fields('both'), path.join(monitor, 'both.wav'));
  const rows = await service.service.platform.database.query("SELECT part, leg FROM recordings WHERE call_id = 'both' ORDER BY part");
  expect(rows).toEqual([{ part: '0', leg: null }, { part: 'in', leg: 'caller' }, { part: 'out', leg: 'agent' }]);
});

test('what no hook told is found by the scan, once, and names itself', async () => {
  const second = Math.floor(Date.now() / 1000) - 300;
  const at = new Date(second * 1000).toLocaleString('sv', { timeZone: 'Europe/Amsterdam' }).replaceAll(/[-:]/g, '').replace(' ', '-');
  const { file, bytes } = record(`2026/11/22/external-201-0850000104-${at}-${second}.70.wav`);
  const old = new Date(Date.now() - 600_000);
  utimesSync(file, old, old);
  await run('--scan', monitor);
  expect(await versionsOf(`${second}.70`)).toEqual([sha256(bytes)]);
  const before = asked;
  await run('--scan', monitor);
  expect(asked).toBe(before);
  const [row] = await service.service.platform.database.query("SELECT agent, caller_number, started_at FROM recordings WHERE call_id = $1", [`${second}.70`]);
  expect(row).toEqual({ agent: '201', caller_number: '+31850000104', started_at: new Date(second * 1000) });
});

test('what waits while nobody answers is queued once, however often the folder is looked through', async () => {
  settings({ URL: 'http://127.0.0.1:9', SCAN: monitor, FIRST_RETRY_SECONDS: '900' });
  const old = new Date(Date.now() - 600_000);
  for (const name of ['one', "two's $(x)", 'three\nlines']) utimesSync(record(`${name}.wav`).file, old, old);
  for (let look = 0; look < 3; look += 1) {
    await run('--drain');
    rmSync(path.join(spool, 'scan'));
  }
  expect(readdirSync(spool).filter((name) => name.startsWith('q.'))).toHaveLength(3);
});

describe('the test from the PBX', () => {
  test('says that all is well, leaves nothing, and sends what was waiting', async () => {
    settings({ URL: 'http://127.0.0.1:9', FIRST_RETRY_SECONDS: '900' });
    await run(...fields('waited'), record('waited.wav').file);
    settings({});
    expect(await run('--test')).toMatchObject({ code: 0, out: expect.stringContaining('This PBX can deliver') as string });
    await run('--drain');
    expect(await versionsOf('waited')).toHaveLength(1);
    expect(readdirSync(spool).filter((name) => name.startsWith('test'))).toEqual([]);
  });

  test.each([
    ['the key was cut off', { KEY: 'opn_abc' }, 'well', /key is wrong.*opn_abc and has 7 characters/],
    ['nobody is there', { URL: 'http://127.0.0.1:9' }, 'well', /curl: \(7\).*\n.*was not reached/],
    ['the name is wrong', { URL: 'http://opname.invalid' }, 'well', /curl: \(6\).*\n.*was not reached/],
    ['it moved', {}, 'moved', /leads on to another: https:\/\/elsewhere/],
    ['it is busy', {}, 'busy', /answered 503/],
  ] as const)('says in words that %s', async (_what, wrong, line, words) => {
    settings(wrong);
    mood = line;
    const { code, out } = await run('--test');
    expect(code).not.toBe(0);
    expect(out).toMatch(words);
  });
});

describe.each(shells)('run by %s', (...words) => {
  test('sends, with both sides and hostile names, tests itself, and reads its settings from Windows too', async () => {
    shell = words.filter((word): word is string => typeof word === 'string');
    const conf = path.join(folder, 'conf');
    writeFileSync(conf, readFileSync(conf, 'utf8').replaceAll('\n', '\r\n'));
    const id = `shell-${shell[0]}`;
    const made = ['', '-in', '-out'].map((side) => record(`${id} $(x)"'\\${side}.wav`));
    expect(await run(...fields(id), 'callerName=a\nb"\\', path.join(monitor, `${id} $(x)"'\\.wav`))).toMatchObject({ code: 0 });
    expect((await versionsOf(id)).sort()).toEqual(made.map(({ bytes }) => sha256(bytes)).sort());
    expect(await run('--test')).toMatchObject({ code: 0 });
    expect((await run('--status')).out).toContain('queued 0, refused 0');
  });
});

test('two that send at once send each thing once', async () => {
  settings({ URL: 'http://127.0.0.1:9' });
  for (let index = 0; index < 6; index += 1) await run(...fields(`two-${index}`), record(`two-${index}.wav`).file);
  settings({});
  await Promise.all([run('--drain'), run('--drain'), run('--drain')]);
  expect(queued()).toEqual([]);
  expect(asked).toBe(6);
});

test('a file on a disk of its own is copied, not linked', async () => {
  const shm = mkdtempSync('/dev/shm/opname-push-');
  try {
    const file = path.join(shm, 'elsewhere.wav');
    const bytes = tone({ seconds: 1, seed: 777 });
    writeFileSync(file, bytes);
    let isAnother = false;
    try {
      linkSync(file, path.join(folder, 'probe'));
    } catch {
      isAnother = true;
    }
    expect(isAnother).toBe(true);
    await run(...fields('elsewhere'), file);
    expect(await versionsOf('elsewhere')).toEqual([sha256(bytes)]);
  } finally {
    rmSync(shm, { recursive: true });
  }
});

test('added lines of call data are sent once, whole lines only, and rotation begins anew', async () => {
  const file = path.join(folder, 'Master.csv');
  const second = Math.floor(Date.now() / 1000) - 120;
  const wall = (at: number) => new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const row = (n: number) =>
    `"","0850000103","0850000002","in","""A"" <0850000103>","PJSIP/trunk-0000000${n}","PJSIP/201-0000001${n}","Dial","x","${wall(second)}","${wall(second)}","${wall(second + 9)}",9,9,"ANSWERED","DOCUMENTATION","${second}.${n}",""\n`;
  const known = async () => (await service.service.platform.database.query<{ id: string }>('SELECT unique_id AS id FROM call_records ORDER BY 1')).map(({ id }) => id);
  writeFileSync(file, row(1) + row(2) + row(3).slice(0, 40));
  await run('--cdr', file);
  expect(await known()).toEqual([`${second}.1`, `${second}.2`]);
  appendFileSync(file, row(3).slice(40));
  mood = 'error';
  await run('--cdr', file);
  mood = 'well';
  await run('--cdr', file);
  expect(await known()).toHaveLength(3);
  const before = asked;
  await run('--cdr', file);
  expect(asked).toBe(before);
  writeFileSync(file, row(4));
  await run('--cdr', file);
  expect(await known()).toHaveLength(4);
});

describe('call data of a file that is rotated', () => {
  const second = Math.floor(Date.now() / 1000) - 120;
  const wall = (at: number) => new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const row = (n: number) =>
    `"","0850000103","0850000002","in","""A"" <0850000103>","PJSIP/trunk-000000${n}","PJSIP/201-000001${n}","Dial","x","${wall(second)}","${wall(second)}","${wall(second + 9)}",9,9,"ANSWERED","DOCUMENTATION","${second}.${n}",""\n`;
  const knownFrom = async (first: number) =>
    (await service.service.platform.database.query<{ n: number }>(
      "SELECT split_part(unique_id, '.', 2)::int AS n FROM call_records WHERE unique_id LIKE $1 ORDER BY 1", [`${second}.%`],
    )).map(({ n }) => n).filter((n) => n >= first && n < first + 10);
  const ways: [how: string, first: number, rotate: (file: string) => void][] = [
    ['renamed', 20, (file) => renameSync(file, `${file}.1`)],
    ['copied and cut', 30, (file) => { copyFileSync(file, `${file}-20260301`); truncateSync(file); }],
    ['renamed and packed', 40, (file) => { execFileSync('gzip', [file]); renameSync(`${file}.gz`, `${file}.1.gz`); }],
  ];

  test.each(ways)('%s, with lines unsent: they go before the new ones', async (_how, first, rotate) => {
    const file = path.join(folder, 'Master.csv');
    writeFileSync(file, row(first) + row(first + 1));
    await run('--cdr', file);
    appendFileSync(file, row(first + 2));
    rotate(file);
    // As long as what was there: its size does not tell that it is another.
    appendFileSync(file, row(first + 3) + row(first + 4) + row(first + 5) + row(first + 6));
    mood = 'busy';
    await run('--cdr', file);
    mood = 'well';
    expect(await knownFrom(first)).toEqual([first, first + 1]);
    await run('--cdr', file);
    expect(await knownFrom(first)).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => first + n));
    const before = asked;
    await run('--cdr', file);
    expect(asked).toBe(before);
    expect((await run('--status')).out).not.toContain('call data');
  });

  test('twice while nobody answered: the one in between goes too; and one that is nowhere is told', async () => {
    const file = path.join(folder, 'Master.csv');
    writeFileSync(file, row(50));
    await run('--cdr', file);
    appendFileSync(file, row(51));
    renameSync(file, `${file}.2.gz`);
    execFileSync('sh', ['-c', 'gzip <"$1" >"$1.new" && mv "$1.new" "$1"', 'sh', `${file}.2.gz`]);
    utimesSync(`${file}.2.gz`, second - 86_400, second - 86_400);
    writeFileSync(`${file}.1`, row(52));
    writeFileSync(file, row(53));
    await run('--cdr', file);
    expect(await knownFrom(50)).toEqual([50, 51, 52, 53]);
    rmSync(file);
    writeFileSync(file, row(54));
    for (const old of ['.1', '.2.gz']) rmSync(file + old);
    await run('--cdr', file);
    expect(await knownFrom(50)).toEqual([50, 51, 52, 53, 54]);
    expect((await run('--status')).out).toContain('the file was rotated before its last lines were sent');
  });
});

describe('answers of something else than Opname', () => {
  const portal = { 'content-type': 'text/html' };
  const stranger: [what: string, status: number, headers: Record<string, string>, body: string][] = [
    ['a portal that asks to sign in', 200, portal, '<html>Welcome</html>'],
    ['a proxy with a limit of its own', 413, portal, '<html>413 Request Entity Too Large</html>'],
    ['a filter', 422, portal, '<html>blocked</html>'],
    ['a filter that says no', 403, portal, '<html>blocked</html>'],
    ['one that asks for patience', 429, { 'retry-after': '1700' }, ''],
    ['an answer with the digest of other bytes', 201, { 'content-type': 'application/json' }, JSON.stringify({ sha256: 'a'.repeat(64) })],
  ];
  test.each(stranger)('%s: nothing leaves the queue, and it goes when that is over', async (what, status, headers, body) => {
    const { file, bytes } = record(`stranger-${status}-${what.length}.wav`);
    strange = { status, headers, body };
    await run(...fields(`stranger-${what}`), file);
    expect(queued()).toHaveLength(1);
    expect((await run('--status')).out).toContain('refused 0');
    if (status === 429) expect((await run('--status')).out).toMatch(/tried again in 1[67]\d\d s/);
    strange = undefined;
    aheadSeconds = 3700;
    await run('--drain');
    expect(await versionsOf(`stranger-${what}`)).toEqual([sha256(bytes)]);
    expect(queued()).toEqual([]);
  });

  test('what Opname itself refused is queued once more when asked to', async () => {
    const { file, bytes } = record('again.wav');
    strange = { status: 413, headers: { 'content-type': 'application/problem+json' }, body: '{"code":"too-large"}' };
    await run(...fields('again'), file);
    expect((await run('--status')).out).toMatch(/queued 0, refused 1\n {2}refused: too-large/);
    strange = undefined;
    await run('--again');
    expect(await versionsOf('again')).toEqual([sha256(bytes)]);
    expect((await run('--status')).out).toContain('queued 0, refused 0');
  });
});

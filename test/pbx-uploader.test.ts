import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** The uploader as a PBX runs it: by a POSIX shell, against the real service, over a line that misbehaves on order. */

const script = path.join(import.meta.dirname, '../scripts/pbx/opname-push');
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

type Mood = 'well' | 'away' | 'error' | 'hangs up' | 'late' | 'silent' | 'lies';

let service: TestService;
let line: Server;
let mood: Mood = 'well';
let asked = 0;
let folder: string;
let spool: string;
let monitor: string;

beforeAll(async () => {
  service = await startTestService();
  line = createServer((incoming, outgoing) => {
    asked += 1;
    if (mood === 'error') {
      incoming.resume();
      incoming.on('end', () => outgoing.writeHead(500).end('no'));
      return;
    }
    if (mood === 'hangs up') {
      incoming.once('data', () => incoming.socket.destroy());
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
    incoming.pipe(onward);
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
  asked = 0;
  folder = mkdtempSync(path.join(tmpdir(), 'opname-push-'));
  spool = path.join(folder, 'spool');
  monitor = path.join(folder, 'monitor');
  mkdirSync(monitor);
  settings({});
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function settings(more: Record<string, string>): void {
  const { port } = line.address() as AddressInfo;
  const all = {
    URL: `http://127.0.0.1:${port}`, KEY: service.pbxKey, SPOOL: spool, MONITOR_DIR: monitor, LOG: path.join(folder, 'log'),
    SETTLE_SECONDS: '1', FIRST_RETRY_SECONDS: '0', ...more,
  };
  writeFileSync(path.join(folder, 'conf'), Object.entries(all).map(([name, value]) => `${name}=${value}\n`).join(''));
}

const start = (...args: string[]) =>
  spawn('dash', [script, ...args], {
    env: { PATH: process.env['PATH'], OPNAME_PUSH_CONF: path.join(folder, 'conf'), OPNAME_PUSH_WAIT: 'yes' },
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
    if (!queued().some((entry) => entry.startsWith('q.')) && (await versionsOf(callId)).length === 0) await run(...fields(callId), file);
  }
  for (const entry of queued().filter((name) => name.startsWith('new.'))) rmSync(path.join(spool, entry), { recursive: true });
  await run('--drain');
  expect(queued()).toEqual([]);
  for (const [callId, digest] of sent) expect([callId, await versionsOf(callId)]).toEqual([callId, [digest]]);
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
  test.each([
    ['quotes', `a'b"c.wav`], ['a command', '$(touch pwned);`touch pwned`;touch pwned.wav'], ['a newline', 'two\nlines.wav'],
    ['a leading hyphen', '-rf.wav'], ['an option of curl', '--output.wav'], ['a backslash', 'a\\"b.wav'], ['blanks and stars', ' * ? [x] .wav'],
    ['an equals sign', 'callId=evil.wav'], ['a semicolon and a type', 'x.wav;type=text.wav'], ['bytes beyond ASCII', 'Şükrü 山田.wav'],
  ])('of a file: %s', async (what, name) => {
    const callId = `name-${what.replaceAll(' ', '-')}`;
    const { bytes } = record(name);
    // As Asterisk hands names of queues on: relative to the folder of recordings.
    expect(await run(...fields(callId), name)).toMatchObject({ code: 0 });
    expect(await versionsOf(callId)).toEqual([sha256(bytes)]);
    expect(pwned()).toBe(false);
    expect(queued()).toEqual([]);
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
  const { utimesSync } = await import('node:fs');
  utimesSync(file, old, old);
  await run('--scan', monitor);
  expect(await versionsOf(`${second}.70`)).toEqual([sha256(bytes)]);
  const before = asked;
  await run('--scan', monitor);
  expect(asked).toBe(before);
  const [row] = await service.service.platform.database.query("SELECT agent, caller_number, started_at FROM recordings WHERE call_id = $1", [`${second}.70`]);
  expect(row).toEqual({ agent: '201', caller_number: '+31850000104', started_at: new Date(second * 1000) });
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

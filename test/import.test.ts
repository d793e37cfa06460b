import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, testPassword, type TestService } from './support/service.js';

/** The archive of a PBX comes in by the command, against the running service. */

const root = path.join(import.meta.dirname, '..');
let service: TestService;
let folder: string;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'opname-import-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

function start(...args: string[]) {
  return spawn(process.execPath, ['--import', 'tsx', path.join(root, 'scripts/import.ts'), '--url', service.url, ...args], {
    cwd: root,
    env: { ...process.env, OPNAME_KEY: args.includes('--source') ? undefined : service.pbxKey, OPNAME_EMAIL: service.signInOf('administrator').email, OPNAME_PASSWORD: testPassword },
  });
}
async function run(...args: string[]): Promise<{ code: number | null; out: string }> {
  const child = start(...args);
  let out = '';
  child.stdout.on('data', (chunk) => { out += String(chunk); });
  child.stderr.on('data', (chunk) => { out += String(chunk); });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out };
}

const amsterdam = (second: number) =>
  new Date(second * 1000).toLocaleString('sv', { timeZone: 'Europe/Amsterdam' }).replaceAll(/[-:]/g, '').replace(' ', '-');

let sequence = 0;
/** A recording in the tree, `daysAgo` old. */
function put(daysAgo: number, type = 'external', audio = tone({ seconds: 1, seed: (sequence += 1) })): string {
  const second = Math.floor(Date.now() / 1000) - daysAgo * 86_400 - 600;
  const id = `${second}.${(sequence += 1)}`;
  const day = path.join(folder, 'monitor', '2026', String(daysAgo));
  mkdirSync(day, { recursive: true });
  writeFileSync(path.join(day, `${type}-0850000001-0850000104-${amsterdam(second)}-${id}.wav`), audio);
  return id;
}
const kept = async () =>
  (await service.service.platform.database.query<{ call_id: string }>('SELECT call_id FROM recordings WHERE version > 0')).map((row) => row.call_id);
const args = () => [path.join(folder, 'monitor'), '--state', path.join(folder, 'state')];

test('an archive comes in with its call data; what is skipped is told with reasons; a second run asks nothing', async () => {
  const good = [put(1), put(30), put(89)];
  put(91);
  put(200);
  put(2, 'out');
  put(1, 'external', tone({ seconds: 1 }).subarray(0, 44));
  put(1, 'external', Buffer.from('this is not a recording, whatever it is called'));
  writeFileSync(path.join(folder, 'monitor', 'notes.txt'), 'x');
  writeFileSync(path.join(folder, 'monitor', 'greeting.wav'), tone({ seconds: 1 }));
  // Names are bytes: the number of a caller whose name a PBX wrote in Latin-1 stands to the left of what is read.
  const named = readdirSync(path.join(folder, 'monitor/2026/1')).find((name) => name.includes(good[0] ?? '')) ?? '';
  const latin = (name: string) => Buffer.concat([Buffer.from(path.join(folder, 'monitor/2026/1/external-caf')), Buffer.from([0xe9, 0x0a]), Buffer.from(`-0${name.slice(-36)}`)]);
  renameSync(path.join(folder, 'monitor/2026/1', named), latin(named));
  symlinkSync('/etc/hostname', path.join(folder, 'monitor', 'link.wav'));
  const now = `external-0850000001-0850000104-${amsterdam(Date.now() / 1000)}-${Math.floor(Date.now() / 1000)}.7.wav`;
  writeFileSync(path.join(folder, 'monitor', now), tone({ seconds: 1 }));
  const [id = ''] = good;
  const wall = new Date(Number(id.split('.')[0]) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  writeFileSync(path.join(folder, 'Master.csv'),
    `"","0850000104","0850000001","in","""Jan de Vries"" <0850000104>","PJSIP/trunk-00000001","PJSIP/201-00000002","Queue","600,t","${wall}","${wall}","${wall}",9,9,"ANSWERED","DOCUMENTATION","${id}",""\n`);
  const first = await run(...args(), '--cdr', path.join(folder, 'Master.csv'));
  expect(first.out).toContain('Recordings: 12 files');
  for (const outcome of ['a link, not followed 1', 'still being written 1', 'done 3', 'retention-over 2', 'direction-not-covered 1', 'empty-recording 1', 'not-audio 1', 'not a recording 1', 'name not understood 1', 'stored 1'])
    expect(first.out).toContain(outcome);
  // One call still goes on: the same command takes it later.
  expect([first.code, first.out]).toEqual([1, expect.stringContaining('1 could not be settled: run the same command again')]);
  expect((await kept()).sort()).toEqual([...good].sort());
  const [filled] = await service.service.platform.database.query('SELECT queue, agent, caller_name FROM recordings WHERE call_id = $1', [id]);
  expect(filled).toEqual({ queue: '600', agent: '201', caller_name: 'Jan de Vries' });
  const second = await run(...args());
  expect(second.out).toContain('settled before 6');
  expect(second.out).not.toContain('done');
});

/** A tree of 10,000 files is `IMPORT_FILES=10000 npx vitest run --project service test/import.test.ts -t interrupted`. */
const files = Number(process.env['IMPORT_FILES'] ?? 240);

test('interrupted twice by kill -9, it ends with each recording once; so does an import that lost its memory', async () => {
  const ids = Array.from({ length: files }, () => put(1, 'external', tone({ seconds: 0.1, seed: (sequence += 1) })));
  const wanted = new Set(ids);
  const imported = async () => (await kept()).filter((id) => wanted.has(id));
  // Counted by the database: the service shares this process, and a list of thousands ten times a second would hold it up.
  const count = async () =>
    Number((await service.service.platform.database.query<{ n: string }>('SELECT count(*) AS n FROM recordings WHERE version > 0'))[0]?.n) - before;
  const before = (await kept()).length;
  for (const part of [0.3, 0.6]) {
    const child = start(...args());
    child.stdout.resume();
    child.stderr.resume();
    await expect.poll(count, { timeout: 3_600_000, interval: 100 }).toBeGreaterThan(files * part);
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  expect((await imported()).length).toBeLessThan(files);
  // A power cut may tear the last line of the state.
  appendFileSync(path.join(folder, 'state'), '0123456789ab');
  const last = await run(...args());
  expect(last.code).toBe(0);
  expect(last.out).toMatch(/\d+ of \d+, [\d.]+ a second, [\d.]+ MB\/s, \d+:\d\d:\d\d left/);
  expect((await imported()).sort()).toEqual([...ids].sort());
  rmSync(path.join(folder, 'state'));
  const anew = await run(...args());
  expect([anew.code, anew.out]).toEqual([0, expect.stringContaining(`there already ${files}`)]);
  const [versions] = await service.service.platform.database.query<{ most: number }>('SELECT max(version) AS most FROM recordings');
  expect(versions?.most).toBe(1);
}, 4 * 3_600_000);

describe('who may', () => {
  test('an administrator names the source; the key that is made is revoked behind it', async () => {
    put(3);
    const { code, out } = await run(...args(), '--source', 'Old exchange');
    expect([code, out]).toEqual([0, expect.stringContaining('done 1')]);
    const keys = (await service.as('administrator').get('/api/v1/keys').expect(200)).body as { items: { name: string; state: string }[] };
    expect(keys.items.find((key) => key.name === 'Import')?.state).toBe('revoked');
  });

  test('one that is stopped ends behind what is under way, revokes its key and goes on the next time', async () => {
    for (let n = 0; n < 40; n += 1) put(3);
    const child = start(...args(), '--source', 'Stopped exchange', '--parallel', '1');
    let out = '';
    child.stdout.on('data', (chunk) => { out += String(chunk); });
    child.stderr.resume();
    await expect.poll(() => existsSync(path.join(folder, 'state')), { timeout: 60_000, interval: 20 }).toBe(true);
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, out]).toEqual([130, expect.stringContaining('Interrupted: the same command goes on where it was')]);
    const { items } = (await service.as('administrator').get('/api/v1/keys').expect(200)).body as { items: { sourceName: string; state: string }[] };
    expect(items.filter(({ sourceName }) => sourceName === 'Stopped exchange').map(({ state }) => state)).toEqual(['revoked']);
    const first = Number(/done (\d+)/.exec(out)?.[1]);
    expect(first).toBeLessThan(40);
    expect((await run(...args(), '--source', 'Stopped exchange')).out).toContain(`settled before ${first}, done ${40 - first}`);
  });

  test('a mistyped address is told at once, in words', async () => {
    put(3);
    expect(await run(...args(), '--url', 'http://127.0.0.1:9')).toEqual({ code: 64, out: expect.stringContaining('Opname is not reached at http://127.0.0.1:9') as string });
  });

  test('a wrong key ends it at once, with words', async () => {
    put(3);
    const { code, out } = await run(...args(), '--key', 'opn_wrong');
    expect(code).toBe(64);
    expect(out).toContain('does not take this key');
  });
});

test('the real archive of an Asterisk', async () => {
  const monitor = path.join(import.meta.dirname, 'recordings/asterisk/monitor/2026/11/22');
  mkdirSync(path.join(folder, 'monitor'), { recursive: true });
  // Moved to today: an archive is refused once its period is over.
  const laterBy = Math.floor(Date.now() / 1000) - 7200 - 1_795_377_753;
  const moved = (name: string) =>
    name.replace(/\d{8}-\d{6}-(\d{10})/, (_all, epoch: string) => `${amsterdam(Number(epoch) + laterBy)}-${Number(epoch) + laterBy}`);
  for (const name of readdirSync(monitor).filter((each) => /\.(wav|gsm|ulaw)$/.test(each))) {
    copyFileSync(path.join(monitor, name), path.join(folder, 'monitor', moved(name)));
    // A file that changed a moment ago may be of a call that still goes on.
    utimesSync(path.join(folder, 'monitor', moved(name)), laterBy + 1_795_377_753, laterBy + 1_795_377_753);
  }
  const { code, out } = await run(...args());
  expect(code).toBe(0);
  expect(out).not.toContain('name not understood');
  expect(out).toContain('empty-recording 4');
});

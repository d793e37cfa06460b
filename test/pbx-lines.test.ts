import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linesFor, vendors } from '../public/connect/lines.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** The lines to paste: the same on the screen and in the documentation, and run as they stand. */

const root = path.join(import.meta.dirname, '..');

describe.each(vendors)('the lines for %s', (vendor) => {
  const text = readFileSync(path.join(root, 'docs', 'pbx', `${vendor}.md`), 'utf8');
  const example = { address: 'https://opname.example.nl', key: 'opn_…', source: 'Office' };
  test.each(linesFor(vendor, example).map((block) => [block.name, block] as const))('stand in its documentation: %s', (_name, { where, lines }) => {
    expect(text).toContain(`\n${lines}\n`);
    if (where !== undefined) expect(text).toContain(where.split(/[/→] ?/).at(-1)?.trim());
  });
});

describe('the lines that are run', () => {
  let service: TestService;
  let folder: string;
  beforeAll(async () => {
    service = await startTestService();
    folder = mkdtempSync(path.join(tmpdir(), 'opname-install-'));
  });
  afterAll(async () => {
    await service.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('those for the uploader fetch it from the service, keep the key to its owner, and prove the way', async () => {
    const [install] = linesFor('asterisk', { address: service.url, key: service.pbxKey, source: 'x' });
    // Everything below one folder, and as whoever runs this: a PBX has a user asterisk.
    const lines = (install?.lines ?? '')
      .replaceAll(/(?<![\w/])\/(usr|etc|var)\//g, `${folder}/$1/`)
      .replace('-o asterisk ', '')
      .replace("su -s /bin/sh asterisk -c '", `OPNAME_PUSH_CONF=${folder}/etc/opname-push.conf sh -c '`);
    for (const made of ['usr/local/bin', 'etc/cron.d', 'var/spool/asterisk/monitor']) mkdirSync(path.join(folder, made), { recursive: true });
    const { stdout } = await promisify(execFile)('sh', ['-c', lines]);
    expect(stdout).toContain('This PBX can deliver');
    expect(statSync(path.join(folder, 'etc/opname-push.conf')).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(folder, 'usr/local/bin/opname-push')).mode & 0o777).toBe(0o755);
    expect(readFileSync(path.join(folder, 'etc/cron.d/opname-push'), 'utf8')).toMatch(/^\* \* \* \* \* asterisk \S+opname-push --drain\n$/);
    const fetched = readFileSync(path.join(folder, 'usr/local/bin/opname-push'));
    expect(fetched.equals(readFileSync(path.join(root, 'scripts/pbx/opname-push')))).toBe(true);
  });

  test('those for curl deliver a recording, whatever the day', async () => {
    const push = linesFor('curl', { address: service.url, key: service.pbxKey, source: 'x' }).at(-1);
    writeFileSync(path.join(folder, 'call.wav'), tone({ seconds: 1 }));
    const { stdout } = await promisify(execFile)('sh', ['-c', push?.lines ?? ''], { cwd: folder });
    expect(stdout).toMatch(/\n201\n$/);
  });
});

test('the uploader is clean by shellcheck, on machines that have it', ({ skip }) => {
  const checked = spawnSync('shellcheck', ['-s', 'sh', path.join(root, 'scripts/pbx/opname-push')], { encoding: 'utf8' });
  if (checked.error !== undefined) skip();
  expect(checked.stdout).toBe('');
});

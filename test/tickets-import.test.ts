import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticketService, type Shown, type TicketService } from './support/tickets.js';

let service: TicketService;
let folder: string;
beforeAll(async () => {
  service = await ticketService();
  folder = await mkdtemp(path.join(tmpdir(), 'opname-import-'));
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

function start(file: string): { child: ChildProcess; text: () => string } {
  const url = `http://127.0.0.1:${(service.server.address() as AddressInfo).port}`;
  const child = fork(path.join(import.meta.dirname, '..', 'scripts', 'import-tickets.ts'), ['--url', url, '--at-once', '2', file], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, OPNAME_KEY: service.helpdeskKey },
    silent: true,
  });
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, text: () => text };
}

async function run(file: string): Promise<{ code: number; text: string }> {
  const { child, text } = start(file);
  const [code] = (await once(child, 'exit')) as [number];
  return { code, text: text() };
}

const at = '2026-10-01T10:00:00+02:00';
const line = (n: number) => JSON.stringify({ externalId: `i${n}`, number: `${n}`, subject: `ticket ${n}`, messages: [{ externalId: 'm', at, from: 'customer', body: 'tekst' }] });
const there = async (like: string) =>
  (await service.database.query<{ count: number }>('SELECT count(*) AS count FROM tickets WHERE external_id LIKE $1', [like]))[0]?.count;

describe('an export', () => {
  it('in JSON lines goes on where it stopped when it was killed', async () => {
    const file = path.join(folder, 'export.jsonl');
    await writeFile(file, Array.from({ length: 60 }, (_, n) => line(n)).join('\n'));
    const { child, text } = start(file);
    while (!/\d+ tickets/.test(text()) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const stopped = JSON.parse(await readFile(`${file}.progress`, 'utf8')) as Shown;
    expect(stopped['line']).toBeLessThan(60);
    const again = await run(file);
    expect(again.text).toContain(`going on after line ${stopped['line'] as number}`);
    expect(again.code).toBe(0);
    expect(await there('i%')).toBe(60);
    expect(JSON.parse(await readFile(`${file}.progress`, 'utf8'))).toMatchObject({ line: 60, done: 60, over: 0, skipped: 0 });
  });

  it('names the lines that cannot be taken, and takes the others', async () => {
    const file = path.join(folder, 'faulty.jsonl');
    await writeFile(file, [line(100), '{', '{"number":"1"}', line(101).replace('"ticket 101"', '7'), line(102).replaceAll('2026', '2019'), line(103)].join('\n'));
    const { code, text } = await run(file);
    expect(code).toBe(1);
    expect(text).toMatch(/line 2: is not JSON/);
    expect(text).toMatch(/line 3: has no externalId/);
    expect(text).toMatch(/line 4: invalid-input subject/);
    expect(text).toMatch(/done: 2 tickets, 1 past their retention period, 3 skipped/);
  });

  it('in CSV, a message a line, becomes whole tickets', async () => {
    const file = path.join(folder, 'export.csv');
    await writeFile(file, [
      '\ufeffexternalId,number,subject,requesterName,requesterPhone,messageId,messageAt,messageFrom,messageInternal,messageBody',
      `c1,C1,"Vraag, met ""komma""",Anna,030-7539075,a,${at},customer,,"regel een`, `regel twee"`,
      `c1,C1,,,,b,${at},agent,ja,intern`,
      `c2,C2,Tweede,,,a,${at},customer,,x`,
    ].join('\r\n'));
    const { code, text } = await run(file);
    expect(text).toContain('done: 2 tickets');
    expect(code).toBe(0);
    const { body } = await service.officer.get('/api/v1/tickets').query({ number: 'C1' }).expect(200);
    const shown = await service.read(((body as Shown)['items'] as Shown[])[0]?.['id'] as string);
    expect(shown).toMatchObject({ subject: 'Vraag, met "komma"', requester: { name: 'Anna', phone: '+31307539075' } });
    expect(shown['messages']).toMatchObject([{ externalId: 'a', body: 'regel een\r\nregel twee', internal: false }, { externalId: 'b', from: 'agent', internal: true }]);
  });

  it('is refused with a wrong key', async () => {
    const file = path.join(folder, 'key.jsonl');
    await writeFile(file, line(1));
    const key = service.helpdeskKey;
    service.helpdeskKey = 'nonsense';
    expect(await run(file)).toMatchObject({ code: 2, text: expect.stringContaining('The key is refused') as string });
    service.helpdeskKey = key;
  });
});

import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../src/audit/log.js';
import type { Objects } from '../src/platform/objects.js';
import { Problem } from '../src/platform/problem.js';
import { receiveAttachment } from '../src/tickets/attachment.js';
import { quarantineUnscanned, scanPending } from '../src/tickets/scan.js';
import { createScanner } from '../src/tickets/scanner.js';
import { finishStalePieces } from '../src/tickets/store.js';
import { ticketFolder } from '../src/tickets/routes.js';
import { badBytes, clamdPeer, type Peer } from './support/scanners.js';
import { leapTo, ticketService, type Shown, type TicketService } from './support/tickets.js';

const signal = new AbortController().signal;
let service: TicketService;
let ticket: Shown;

beforeAll(async () => {
  service = await ticketService();
  const at = service.clock.now().toISOString();
  ticket = await service.put('att', { number: 'A1', messages: [{ externalId: 'm1', at, from: 'customer', body: 'zie bijlage' }] });
});
afterAll(() => service.close());

const send = (bytes: Buffer, name: string, fields: Record<string, string> = {}, to = 'att', world = service) =>
  world.helpdesk.post(`/api/v1/tickets/by-external/${to}/attachments`).field(fields).attach('file', bytes, name);
const download = (id: string, world = service, shown = ticket) =>
  world.officer.get(`/api/v1/tickets/${shown['id'] as string}/attachments/${id}`);

describe('an attachment', () => {
  const bytes = Buffer.from('%PDF-1.7 factuur');
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  it('is stored as an object of its own with its name and digest, once', async () => {
    const made = (await send(bytes, 'grüße & "citaat".pdf', { externalId: 'f1', message: 'm1', contentType: 'application/pdf', sha256 }).expect(201)).body as Shown;
    expect(made).toMatchObject({ externalId: 'f1', messageExternalId: 'm1', fileName: expect.stringContaining('grüße') as string, contentType: 'application/pdf', bytes: bytes.length, sha256, scan: 'none' });
    const again = (await send(bytes, 'grüße.pdf', { externalId: 'f1' }).expect(200)).body as Shown;
    expect(again['id']).toBe(made['id']);
    expect(await service.keysUnder(`tickets/${made['id'] as string}/`)).toHaveLength(1);
    const shown = await service.read(ticket['id'] as string);
    expect(shown['attachments']).toEqual([made]);
    expect((await service.read(ticket['id'] as string, service.trainer))['attachments']).toEqual([]);
    expect(await readdir(ticketFolder(service.settings.dataDir))).toEqual([]);
  });

  it('leaves as a download that no browser opens, for officers alone, and on the record', async () => {
    const made = (await send(Buffer.from('<script>alert(1)</script>'), 'evil.html', { externalId: 'f2', contentType: 'text/html' }).expect(201)).body as Shown;
    const answer = await download(made['id'] as string).buffer(true).expect(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="evil.html"; filename*=UTF-8''evil.html`,
    });
    expect((answer.body as Buffer).toString()).toBe('<script>alert(1)</script>');
    await service.trainer.get(`/api/v1/tickets/${ticket['id'] as string}/attachments/${made['id'] as string}`).expect(403);
    await download('0193a4f0-0000-7000-8000-000000000000').expect(404);
    expect(await service.database.query(`SELECT 1 FROM audit_entries WHERE action = 'ticket.attachment_read'`)).toHaveLength(1);
  });

  it('has a name that can neither leave its folder nor break a header', async () => {
    const made = (await send(bytes, 'x', { externalId: 'f3', fileName: '../../etc/pass\u202ewd\r\nSet-Cookie: x=1' }).expect(201)).body as Shown;
    expect(made['fileName']).toBe('passwdSet-Cookie: x=1');
    const answer = await download(made['id'] as string).expect(200);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('is kept from when it was supplied, at latest with its message where that is a contact form', async () => {
    const at = new Date(service.clock.now().getTime() - 3_600_000);
    const made = (await send(Buffer.from('oud'), 'a.txt', { externalId: 'f4', at: '2025-02-01T12:00:00+01:00' }).expect(201)).body as Shown;
    expect(made['retainUntil']).toBe('2028-02-01T11:00:00.000Z');
    await service.put('form', { category: 'contact_form', messages: [{ externalId: 'q', at: at.toISOString(), from: 'customer', body: 'x' }] });
    const form = (await send(Buffer.from('f'), 'f.txt', { message: 'q' }, 'form').expect(201)).body as Shown;
    expect(Date.parse(form['retainUntil'] as string) - at.getTime()).toBeLessThan(367 * 86_400_000);
    await send(Buffer.from('o'), 'o.txt', { at: '2020-01-01T00:00:00Z' }).expect(422);
  });

  it('is refused when it is too large, empty, not what its digest says, missing, or for no ticket', async () => {
    const before = await service.database.query('SELECT count(*) FROM ticket_pieces');
    await send(Buffer.alloc(3 * 1024 * 1024), 'big.bin').expect(413);
    expect(((await send(Buffer.alloc(0), 'empty').expect(422)).body as Shown)['code']).toBe('invalid-input');
    expect(((await send(bytes, 'x', { sha256: '0'.repeat(64) }).expect(422)).body as Shown)['code']).toBe('digest-mismatch');
    await service.helpdesk.post('/api/v1/tickets/by-external/att/attachments').field('externalId', 'x').expect(422);
    await service.helpdesk.post('/api/v1/tickets/by-external/att/attachments').send({}).expect(415);
    await send(bytes, 'x', {}, 'nothing').expect(404);
    await service.otherHelpdesk.post('/api/v1/tickets/by-external/att/attachments').attach('file', bytes, 'x').expect(404);
    expect(await service.database.query('SELECT count(*) FROM ticket_pieces')).toEqual(before);
    expect(await readdir(ticketFolder(service.settings.dataDir))).toEqual([]);
  });
});

describe('what a process that died left behind', () => {
  it('is finished where its bytes are there, and removed where they are not', async () => {
    const at = service.clock.now().toISOString();
    const made = await service.put('died', { messages: [{ externalId: 'm', at, from: 'customer', body: 'halverwege' }] });
    const stored = (await send(Buffer.from('heel'), 'heel.txt', { externalId: 'whole' }, 'died').expect(201)).body as Shown;
    const lost = (await send(Buffer.from('weg'), 'weg.txt', { externalId: 'lost' }, 'died').expect(201)).body as Shown;
    const message = (made['messages'] as Shown[])[0]?.['id'] as string;
    await service.objects.deleteEveryVersion([...(await service.keysUnder(`tickets/${message}/`)), ...(await service.keysUnder(`tickets/${lost['id'] as string}/`))]);
    await service.database.query(`UPDATE ticket_piece_versions SET state = 'receiving' WHERE piece_id = ANY($1::uuid[])`, [[message, stored['id'], lost['id']]]);
    await service.database.query('UPDATE ticket_pieces SET current_version_id = NULL WHERE ticket_id = $1', [made['id']]);
    expect(await service.read(made['id'] as string)).toMatchObject({ messages: [], attachments: [] });
    await leapTo(service, new Date(Date.now() + 3_600_000));
    expect(await finishStalePieces(service.platform, signal)).toEqual({ finished: 2, removed: 1 });
    const after = await service.read(made['id'] as string);
    expect(after).toMatchObject({ messages: [{ body: 'halverwege' }], attachments: [{ externalId: 'whole' }] });
    expect(await service.keysUnder(`tickets/${message}/`)).toHaveLength(1);
    await leapTo(service, new Date());
  });
});

describe('a helpdesk that lost patience', () => {
  it('and sends the attachment again keeps it, also when the first attempt fails after the second one came through', async () => {
    const bytes = Buffer.from('twee keer gestuurd');
    const folder = await mkdtemp(path.join(tmpdir(), 'opname-again-'));
    const file = path.join(folder, 'again');
    await writeFile(file, bytes);
    let putting: () => void = () => undefined;
    let fail: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (putting = resolve));
    const hung = new Promise<void>((resolve) => (fail = resolve));
    const objects: Partial<Objects> = {
      putFile: async () => {
        putting();
        await hung;
        throw new Problem('storage-unavailable');
      },
      deleteEveryVersion: (keys) => service.objects.deleteEveryVersion(keys),
    };
    const digest = (name: string) => createHash(name).update(bytes).digest('hex');
    const first = receiveAttachment(
      { ...service.platform, objects: objects as Objects },
      { timeZone: service.settings.timeZone, scanned: false },
      systemActor('tickets'),
      { sourceId: service.helpdeskSourceId, externalId: 'att' },
      { externalId: 'again', messageExternalId: null, fileName: 'a.txt', contentType: 'text/plain', at: null },
      { content: file, bytes: bytes.length, sha256: digest('sha256'), md5: digest('md5') },
    );
    await begun;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const made = (await send(bytes, 'a.txt', { externalId: 'again' }).expect(201)).body as Shown;
    fail();
    await expect(first).rejects.toMatchObject({ code: 'storage-unavailable' });
    const answer = await download(made['id'] as string).buffer(true).expect(200);
    expect((answer.body as Buffer).equals(bytes)).toBe(true);
    await rm(folder, { recursive: true });
  });
});

describe('with a malware scanner', () => {
  let world: TicketService;
  let folder: string;
  let clamd: Peer;
  const answer: { now?: string } = {};

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'opname-scan-'));
    clamd = await clamdPeer(answer);
    world = await ticketService({ scanner: createScanner(clamd.setting) });
    ticketOfWorld = await world.put('att', { number: 'S1' });
  });
  afterAll(async () => {
    await clamd.stop();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });
  let ticketOfWorld: Shown;

  const scan = (scanner = world.settings.scanner) => {
    if (scanner === undefined) throw new Error('no scanner');
    return scanPending(world.platform, scanner, folder, signal);
  };
  const stateOf = async (id: string) =>
    ((await world.read(ticketOfWorld['id'] as string))['attachments'] as Shown[]).find((each) => each['id'] === id)?.['scan'] as string;

  it('nobody opens an attachment before it was found clean, and never one that was not', async () => {
    const clean = (await send(Buffer.from('gewoon'), 'a.txt', {}, 'att', world).expect(201)).body as Shown;
    const bad = (await send(badBytes, 'b.txt', {}, 'att', world).expect(201)).body as Shown;
    expect(clean['scan']).toBe('pending');
    for (const each of [clean, bad])
      expect(((await download(each['id'] as string, world, ticketOfWorld).expect(409)).body as Shown)['code']).toBe('quarantined');
    expect(await scan()).toEqual({ clean: 1, infected: 1, failed: 0 });
    await download(clean['id'] as string, world, ticketOfWorld).expect(200);
    await download(bad['id'] as string, world, ticketOfWorld).expect(409);
    expect(await stateOf(bad['id'] as string)).toBe('infected');
  });

  it('a scanner that fails or answers nonsense leaves it waiting, and is asked again later', async () => {
    const made = (await send(Buffer.from('later'), 'c.txt', {}, 'att', world).expect(201)).body as Shown;
    answer.now = 'INSTREAM size limit exceeded. ERROR\0';
    expect(await scan()).toEqual({ clean: 0, infected: 0, failed: 1 });
    expect(await scan(createScanner('clamd:///nowhere/clamd.sock'))).toEqual({ clean: 0, infected: 0, failed: 0 });
    expect(await stateOf(made['id'] as string)).toBe('pending');
    delete answer.now;
    await leapTo(world, new Date(Date.now() + 2 * 60_000));
    expect(await scan()).toMatchObject({ clean: 1 });
    expect(await readdir(folder)).toEqual([]);
  });

  it('may be any command', async () => {
    const command = path.join(folder, 'scan.sh');
    await writeFile(command, '#!/bin/sh\ngrep -q fout "$2" && exit 2\ngrep -q virus "$2" && exit 1\nexit 0\n');
    await chmod(command, 0o755);
    const scanner = createScanner(`exec:${command} --quiet`);
    const tried = async (text: string) => {
      const file = path.join(folder, 'file');
      await writeFile(file, text);
      return await scanner(file, signal).finally(() => rm(file));
    };
    expect(await tried('gewoon')).toBe('clean');
    expect(await tried('een virus')).toBe('infected');
    await expect(tried('fout')).rejects.toThrow();
    await rm(command);
    expect(() => createScanner('http://x')).toThrow();
  });
});

describe('a scanner that is configured later', () => {
  it('looks at what came in before, which nobody opens meanwhile, whatever dies in between', async () => {
    const world = await ticketService();
    const folder = await mkdtemp(path.join(tmpdir(), 'opname-scan-'));
    const clamd = await clamdPeer();
    try {
      const shown = await world.put('att', { number: 'L1' });
      const made = async (bytes: Buffer) => ((await send(bytes, 'x', {}, 'att', world).expect(201)).body as Shown)['id'] as string;
      const [clean, bad] = [await made(Buffer.from('gewoon')), await made(badBytes)];
      await download(bad, world, shown).expect(200);

      expect(await quarantineUnscanned(world.platform)).toBe(2);
      expect(await quarantineUnscanned(world.platform)).toBe(0);
      for (const each of [clean, bad]) await download(each, world, shown).expect(409);
      expect(await world.database.query(`SELECT 1 FROM audit_entries WHERE action = 'ticket.attachments_quarantined'`)).toHaveLength(1);

      // One dies while it looks: what it had taken waits until its lease is over.
      const ending = new AbortController();
      const dying = () => {
        ending.abort();
        return Promise.reject(new Error('killed'));
      };
      expect(await scanPending(world.platform, dying, folder, ending.signal)).toEqual({ clean: 0, infected: 0, failed: 0 });
      const scanner = createScanner(clamd.setting);
      const first = await scanPending(world.platform, scanner, folder, signal);
      expect(first.clean + first.infected).toBe(1);
      await leapTo(world, new Date(Date.now() + 11 * 60_000));
      const second = await scanPending(world.platform, scanner, folder, signal);
      expect([first.clean + second.clean, first.infected + second.infected]).toEqual([1, 1]);
      await download(clean, world, shown).expect(200);
      await download(bad, world, shown).expect(409);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await clamd.stop();
      await world.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** Rows that Asterisk 22 wrote (in UTC, `usegmtime=yes`) of calls whose recordings lie beside them. */

const master = readFileSync(path.join(import.meta.dirname, 'recordings/asterisk/Master.csv'), 'utf8');
const rowsOf = (uniqueId: string) => master.split('\n').filter((line) => line.includes(`"${uniqueId}"`)).join('\n');

let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T22:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

const cdr = (text: string, query = '') =>
  service.machine(service.pbxKey).post(`/api/v1/cdr${query}`).set('Content-Type', 'text/csv').send(text);
const recordingOf = async (uniqueId: string, fields: Record<string, string> = {}, audio?: Buffer) =>
  await service.push({ callId: uniqueId, startedAt: '2026-11-22T20:04:07Z', caller: '', callee: '', ...fields }, audio);
const shown = async (id: string) => (await service.as('privacy_officer').get(`/api/v1/recordings/${id}`).expect(200)).body as Record<string, unknown>;

describe('records fill in what the push did not know', () => {
  test.each(['before', 'after'])('%s the recording', async (when) => {
    const uniqueId = when === 'before' ? '1795378002.65' : '1795377753.4';
    if (when === 'before') await cdr(rowsOf(uniqueId)).expect(200);
    const id = await recordingOf(uniqueId, { startedAt: when === 'before' ? '2026-11-22T20:06:42Z' : '2026-11-22T20:02:33Z' });
    if (when === 'after') await cdr(rowsOf(uniqueId)).expect(200);
    expect(await shown(id)).toMatchObject(
      when === 'before'
        ? {
            disposition: 'answered', answeredAt: '2026-11-22T20:06:43.000Z', billedMs: 5000, endedAt: '2026-11-22T20:06:49.000Z',
            caller: { number: '+31850000107', name: `O'Brien, "Pat" \\ Éire` }, callee: { number: '+31850000001' },
          }
        : { disposition: 'answered', billedMs: 14_000, caller: { name: 'Zoë van der Bérg' }, transfers: [] },
    );
  });

  test('a transfer: the chain, and the time of both conversations', async () => {
    const id = await recordingOf('1795377847.27', { linkedId: '1795377847.27' });
    await cdr(master.split('\n').filter((line) => line.includes('1795377847.27')).join('\n')).expect(200);
    expect(await shown(id)).toMatchObject({
      disposition: 'answered', answeredAt: '2026-11-22T20:04:07.000Z', billedMs: 11_000, endedAt: '2026-11-22T20:04:19.000Z',
      transfers: [{ at: '2026-11-22T20:04:12.000Z', to: 'second' }],
    });
  });

  test('a queue, and the agent behind its local channel, linked by linkedid alone', async () => {
    const rows = master.split('\n').filter((line) => line.includes('1795377859.31')).join('\n').replaceAll('PJSIP/agent-0000001e', 'PJSIP/201-0000001e');
    const id = await recordingOf('1795377859.31', { startedAt: '2026-11-22T20:04:19Z' });
    await cdr(rows).expect(200);
    expect(await shown(id)).toMatchObject({ queue: '600', agent: '201', disposition: 'answered', transfers: [] });
  });

  test('what the push told is not overwritten', async () => {
    const id = await recordingOf('1795377786.12', { agent: '299', queue: 'sales', caller: '+31850000999', callerName: 'As told' });
    await cdr(rowsOf('1795377786.12')).expect(200);
    expect(await shown(id)).toMatchObject({ agent: '299', queue: 'sales', caller: { number: '+31850000999', name: 'As told' } });
  });

  test('a withheld number stays withheld, whichever of the two says so', async () => {
    const told = await recordingOf('1795377797.14', { caller: 'anonymous' });
    await cdr(rowsOf('1795377797.14')).expect(200);
    expect(await shown(told)).toMatchObject({ caller: { number: null, name: null }, disposition: 'answered' });
    const known = await recordingOf('1795378009.67', { startedAt: '2026-11-22T20:06:51Z' });
    await cdr(rowsOf('1795378009.67').replace('"anonymous"', '"0850000108"')).expect(200);
    expect(await shown(known)).toMatchObject({ caller: { number: null, name: null } });
  });

  test('withheld, said by call data, goes before a number that the push told: in the row, its history and the records', async () => {
    const { database } = service.service.platform;
    const uniqueId = '1795378011.90';
    const rows = rowsOf('1795378009.67').replaceAll('1795378009.67', uniqueId);
    const id = await recordingOf(uniqueId, { startedAt: '2026-11-22T20:06:51Z', caller: '+31850000108', callerName: 'From a header' });
    await service.machine(service.pbxKey).patch(`/api/v1/recordings/by-call/${uniqueId}`).send({ callerName: 'Anna' }).expect(200);
    await cdr(rows.replace('"anonymous"', '"0850000108"')).expect(200);
    expect(await shown(id)).toMatchObject({ caller: { number: null, name: null } });
    const changes = await database.query<{ text: string; digests: string }>(
      `SELECT c.fields::text AS text, count(e.id) AS digests FROM recording_changes c
       JOIN audit_entries e ON e.details ->> 'changeId' = c.id::text WHERE c.recording_id = $1 GROUP BY c.id ORDER BY c.at, c.id`,
      [id],
    );
    expect(changes.map(({ text }) => text).join()).not.toMatch(/850000108|Anna|header/);
    // What the change before said of the caller is gone; the trail has the digest of what is left.
    expect(changes.map(({ digests }) => Number(digests))).toEqual([2, 1]);
    // A record of the network that comes behind is not believed, and not kept with the number in it.
    await cdr(rows.replaceAll(/anonymous/gi, '0850000108').replace(',67', ',91')).expect(200);
    expect(await shown(id)).toMatchObject({ caller: { number: null, name: null } });
    const kept = await database.query('SELECT caller_number, caller_name FROM call_records WHERE unique_id = $1', [uniqueId]);
    expect(kept).toEqual([{ caller_number: null, caller_name: null }, { caller_number: null, caller_name: null }]);
  });

  test('an agent who calls on with a hidden number, and a caller without a name, hide nobody', async () => {
    const uniqueId = '1795377760.91';
    const row = rowsOf('1795377753.1').split('\n').find((line) => line.includes('"1795377753.1"'))?.replaceAll('1795377753.1', uniqueId) ?? '';
    const id = await recordingOf(uniqueId, { startedAt: '2026-11-22T20:02:35Z', caller: '+31850000102' });
    const onward = row.replace(uniqueId, '1795377765.92').replace('"0850000102"', '"201"').replace('""Bob Example"" <0850000102>', '""Anonymous"" <anonymous>')
      .replaceAll('20:02:3', '20:02:4').replace(',1\n', ',92\n');
    await cdr(`${row.replace('Bob Example', 'Unknown')}\n${onward}\n`).expect(200);
    expect(await shown(id)).toMatchObject({ caller: { number: '+31850000102' } });
  });

  test('a withheld number is not filled in by a later version, nor by metadata told later; and may be withheld later', async () => {
    const withheld = { caller: { number: null, name: null } };
    const id = await recordingOf('1795377999.1', { caller: 'anonymous' });
    const named = { caller: '+31850000108', callerName: 'From a header' };
    expect(await recordingOf('1795377999.1', named, tone({ seconds: 2, seed: 99 }))).toBe(id);
    expect(await shown(id)).toMatchObject(withheld);
    const patch = (body: object) =>
      service.machine(service.pbxKey).patch('/api/v1/recordings/by-call/1795377999.1').send(body).expect(200);
    await patch({ ...named, queue: '600' });
    expect(await shown(id)).toMatchObject({ ...withheld, queue: '600' });
    const known = await recordingOf('1795377999.2', named);
    await service.machine(service.pbxKey).patch('/api/v1/recordings/by-call/1795377999.2').send({ caller: 'anonymous' }).expect(200);
    await service.machine(service.pbxKey).patch('/api/v1/recordings/by-call/1795377999.2').send(named).expect(200);
    expect(await shown(known)).toMatchObject(withheld);
  });
});

describe('a call in parts of which one says that the caller withheld their number', () => {
  const unknown = { caller: { number: null, name: null } };
  const known = { caller: '+31850000108', callerName: 'From a header' };
  const pbx = () => service.machine(service.pbxKey);
  const patch = (callId: string, body: object, part = '0') => pbx().patch(`/api/v1/recordings/by-call/${callId}?part=${part}`).send(body).expect(200);
  const part = (callId: string, name: string, fields: Record<string, string>) =>
    recordingOf(callId, { part: name, ...fields }, tone({ seconds: 1, seed: callId.length + name.length }));
  const everywhere = async (...ids: string[]) => {
    const rows = await service.service.platform.database.query<{ text: string }>(
      `SELECT r.caller_number || r.caller_name AS text FROM recordings r WHERE id = ANY($1::uuid[])
       UNION ALL SELECT c.fields::text FROM recording_changes c WHERE recording_id = ANY($1::uuid[])
       UNION ALL SELECT concat(c.caller_number, c.caller_name) FROM call_records c WHERE recording_id = ANY($1::uuid[])`,
      [ids],
    );
    return rows.map(({ text }) => text).join();
  };

  test('the others forget it too, as do its records and a call that it went on to; another caller in it is known still', async () => {
    const callId = '1795378020.93';
    const ids = [await part(callId, '0', known), await part(callId, 'in', known), await part(callId, 'out', known)];
    const onward = await recordingOf('1795378029.93', { ...known, linkedId: callId }, tone({ seconds: 1, seed: 7 }));
    const colleague = await recordingOf('1795378030.93', { caller: '201', direction: 'inbound', linkedId: callId }, tone({ seconds: 1, seed: 8 }));
    await cdr(rowsOf('1795378002.65').replaceAll('1795378002.65', callId).replaceAll('0850000107', '0850000108')).expect(200);
    await patch(callId, { caller: 'anonymous' }, 'in');
    for (const id of [...ids, onward]) expect(await shown(id)).toMatchObject(unknown);
    expect(await everywhere(...ids, onward)).not.toMatch(/850000108|header|Brien/);
    expect(await shown(colleague)).toMatchObject({ caller: { number: '201' } });
  });

  test.each(['the first', 'the second'])('%s, as it comes in: the other does not keep it', async (which) => {
    const callId = which === 'the first' ? '1795378040.93' : '1795378041.93';
    const ids = [
      await part(callId, 'in', which === 'the first' ? { caller: 'anonymous' } : known),
      await part(callId, 'out', which === 'the first' ? known : { caller: 'anonymous' }),
    ];
    for (const id of ids) expect(await shown(id)).toMatchObject(unknown);
    expect(await everywhere(...ids)).not.toMatch(/850000108|header/);
  });

  test('a name that an officer corrected stays, whatever the parts, a version or call data tell later', async () => {
    const callId = '1795378050.93';
    const corrected = await part(callId, 'in', { caller: 'anonymous', agent: '4750' });
    const officer = service.as('privacy_officer');
    const base = '/api/v1/privacy-requests';
    const subject = { name: 'Anna Bos', address: 'Laan 1, Utrecht', emails: ['anna@example.test'] };
    const request = { receivedAt: service.clock.now().toISOString(), channel: 'letter', rights: ['rectification'], subject, locale: 'nl', details: '' };
    const { id } = (await officer.post(base).send(request).expect(201)).body as { id: string };
    await officer.post(`${base}/${id}/identity`).send({ method: 'call_back', outcome: 'verified' }).expect(200);
    const call = { agent: '4750', from: '2026-11-22T19:30:00Z', to: '2026-11-22T20:30:00Z' };
    const found = (await officer.post(`${base}/${id}/search`).send({ calls: [call] }).expect(200)).body as { recordings: { itemId: string }[] };
    const itemId = found.recordings[0]?.itemId ?? '';
    await officer.post(`${base}/${id}/items`).send({ decisions: [{ itemId, right: 'rectification', decision: 'grant' }] }).expect(200);
    await officer.post(`${base}/${id}/items/${itemId}/rectifications`).send({ field: 'callerName', value: 'Anna Bos' }).expect(201);
    const other = await part(callId, 'out', known);
    await patch(callId, { caller: 'anonymous' }, 'out');
    await patch(callId, { ...known, queue: '600' }, 'in');
    expect(await recordingOf(callId, { part: 'in', ...known }, tone({ seconds: 2, seed: 9 }))).toBe(corrected);
    await cdr(rowsOf('1795378009.67').replaceAll('1795378009.67', callId)).expect(200);
    expect(await shown(corrected)).toMatchObject({ caller: { number: null, name: 'Anna Bos' } });
    expect(await shown(other)).toMatchObject(unknown);
  });
});

describe('the whole file', () => {
  test('is read without a fault, once', async () => {
    const first = await cdr(master).expect(200);
    const lines = master.trim().split('\n').length;
    expect(first.body.faults).toEqual([]);
    expect(first.body.stored + first.body.known).toBe(lines);
    const again = await cdr(master).expect(200);
    expect(again.body).toMatchObject({ stored: 0, known: lines });
    const [counted] = await service.service.platform.database.query<{ rows: number }>(
      // Beside those that tests above made up.
      "SELECT count(*) AS rows FROM call_records WHERE unique_id NOT LIKE '%.9_'",
    );
    expect(counted?.rows).toBe(lines);
  });

  test('rows of a busy agent share their unique id and are two', async () => {
    const rows = await service.service.platform.database.query("SELECT 1 FROM call_records WHERE unique_id = '1795377836.20' AND disposition = 'busy'");
    expect(rows).toHaveLength(2);
  });
});

describe('columns', () => {
  const full = rowsOf('1795377753.1').split('\n')[0] ?? '';
  const columnsOf = (line: string) => line.match(/"(?:[^"]|"")*"|[^,]+|(?<=,)(?=,)/g) ?? [];
  test.each([
    ['uniqueid alone', 17, (f: string[]) => [...f.slice(0, 17)]],
    ['uniqueid and userfield', 18, (f: string[]) => f.slice(0, 18)],
    ['uniqueid and the new columns, no userfield', 20, (f: string[]) => [...f.slice(0, 17), ...f.slice(18)]],
  ])('%s', async (_name, count, take) => {
    const columns = columnsOf(full);
    expect(columns).toHaveLength(21);
    const row = take(columns).join(',').replaceAll('1795377753.1"', `1795377753.9${count}"`);
    const answer = await cdr(row).expect(200);
    expect(answer.body).toMatchObject({ stored: 1, faults: [] });
  });

  test('without a unique id a row is told by its line, the others count', async () => {
    const bare = columnsOf(full).slice(0, 16).join(',');
    await cdr(bare).expect(422).expect(({ body }) => expect(body.errors[0]).toMatchObject({ path: 'line 1' }));
    const both = await cdr(`${bare}\n${full.replaceAll('1795377753.1"', '1795377753.97"')}\nnonsense`).expect(200);
    expect(both.body).toMatchObject({ stored: 1 });
    expect(both.body.faults.map((fault: { line: number }) => fault.line)).toEqual([3, 1]);
  });

  test("FreePBX's export, with a header, in local time", async () => {
    const id = await recordingOf('1795377853.70', { startedAt: '2026-11-22T20:04:13Z' });
    const header = 'calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,uniqueid,userfield,did,cnum,cnam,outbound_cnum,outbound_cnam,dst_cnam,recordingfile,linkedid,peeraccount,sequence';
    const row = '2026-11-22 21:04:13,"""Jan de Vries"" <0850000104>",0850000104,201,from-internal,PJSIP/trunk-00000002,PJSIP/201-00000003,Dial,"PJSIP/201,20",12,10,ANSWERED,3,,1795377853.70,,0850000001,0850000104,Jan de Vries,,,Agent,external-201-0850000104-20261122-210413-1795377853.70.wav,1795377853.70,,5';
    await cdr(`${header}\r\n${row}\r\n`).expect(200);
    expect(await shown(id)).toMatchObject({
      answeredAt: '2026-11-22T20:04:15.000Z', endedAt: '2026-11-22T20:04:25.000Z', agent: '201',
      caller: { number: '+31850000104', name: 'Jan de Vries' }, callee: { number: '+31850000001' },
    });
  });
});

describe('keeping', () => {
  test('a record without a recording goes after seven days, one with a recording goes with it', async () => {
    const { database } = service.service.platform;
    const old = rowsOf('1795377898.41').replaceAll('2026-11-22', '2026-11-14').replaceAll('1795377898', '1794686698');
    expect((await cdr(old).expect(200)).body).toMatchObject({ stored: 0, expired: 1 });
    const [loose] = await database.query<{ days: number }>(
      `SELECT extract(epoch FROM retain_until - ended_at) / 86400 AS days FROM loose_call_records WHERE unique_id = '1795377898.41'`,
    );
    expect(Number(loose?.days)).toBe(7);
    const [kept] = await database.query<{ loose: number }>(`SELECT count(*) AS loose FROM loose_call_records WHERE unique_id = '1795377847.27'`);
    expect(kept?.loose).toBe(0);
  });

  test('of a call without a recording nothing is told from seven days after its end on, swept or not', async () => {
    const { database } = service.service.platform;
    await recordingOf('a recording, so that others are missing');
    const ended = Date.parse('2026-11-22T21:30:00Z');
    const row = '"","0850000103","0850000002","in","0850000103","PJSIP/trunk-00000001","PJSIP/201-00000002","Dial","x",' +
      '"2026-11-22 21:29:00","2026-11-22 21:29:10","2026-11-22 21:30:00",60,50,"ANSWERED","DOCUMENTATION","1795382940.99",""';
    await cdr(row).expect(200);
    const missing = async () => JSON.stringify((await service.as('administrator').get('/api/v1/ingest').expect(200)).body);
    const rows = () => database.query(`SELECT 1 FROM loose_call_records WHERE unique_id = '1795382940.99'`);
    service.clock.freeze(new Date(ended + 7 * 86_400_000 - 1000));
    await service.signInAgain();
    expect(await missing()).toContain('1795382940.99');
    expect(await rows()).toHaveLength(1);
    service.clock.freeze(new Date(ended + 7 * 86_400_000));
    expect(await missing()).not.toContain('1795382940.99');
    await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
    await expect.poll(rows, { timeout: 50_000 }).toEqual([]);
  });
});

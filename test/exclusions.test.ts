import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { categoriesOf } from '../src/features.js';
import { purgeContext } from '../src/retention/jobs.js';
import { runPurges } from '../src/retention/sweep.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** Numbers and extensions whose calls are not kept: a list that administrators keep. */

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const councilLine = '+31850000777';
const excluded = async () =>
  (await service.as('administrator').get('/api/v1/excluded-numbers').expect(200)).body.items as { id: string; number: string; note: string; addedBy: { name: string } }[];
const exclude = (number: string) =>
  service.as('administrator').post('/api/v1/excluded-numbers').send({ number, note: "The works council's line" });
const query = <Row extends object>(sql: string, bind: unknown[] = []) => service.service.platform.database.query<Row>(sql, bind);
const pbx = () => service.machine(service.pbxKey);
const audio = tone({ seconds: 1 });
const push = (fields: Record<string, string>) =>
  pbx().post('/api/v1/recordings').field({ startedAt: new Date(service.clock.now().getTime() - 60_000).toISOString(), ...fields }).attach('audio', audio, 'a.wav');
/** A row of Asterisk's: caller, dialled, the device that answered. */
const cdrRow = (uniqueId: string, { src = '0850000101', dst = '0850000001', device = 'PJSIP/201-00000002', linkedId = uniqueId, disposition = 'ANSWERED' } = {}) => {
  const wall = new Date(service.clock.now().getTime() - 60_000).toISOString().slice(0, 19).replace('T', ' ');
  return `"","${src}","${dst}","in","""A"" <${src}>","PJSIP/trunk-00000001","${device}","Dial","x","${wall}","${wall}","${wall}",60,50,"${disposition}","DOCUMENTATION","${uniqueId}","","","${linkedId}",1`;
};
const cdr = async (...rows: string[]) =>
  (await pbx().post('/api/v1/cdr').set('Content-Type', 'text/csv').send(rows.join('\n')).expect(200)).body as Record<string, number>;
let sequence = 0;
const uniqueId = () => `17953780${String((sequence += 1)).padStart(2, '0')}.${sequence}`;

/** Carries out what has begun, as the worker does, and tells what is left of a call. */
async function purged(): Promise<void> {
  const { platform } = service.service;
  await runPurges(await purgeContext(platform, 'Europe/Amsterdam'), categoriesOf(platform, service.config));
}
async function leftOf(id: string): Promise<{ status: number; objects: number; reasons: string[] }> {
  await purged();
  const { status } = await service.as('privacy_officer').get(`/api/v1/recordings/${id}`);
  let objects = 0;
  for await (const _object of service.service.platform.objects.list(`recordings/${id}/`)) objects += 1;
  const stones = await query<{ reason: string }>('SELECT reason FROM tombstones WHERE item_id = $1', [id]);
  return { status, objects, reasons: stones.map(({ reason }) => reason) };
}
const gone = { status: 410, objects: 0, reasons: ['excluded'] };

beforeEach(async () => {
  for (const { id } of await excluded()) await service.as('administrator').delete(`/api/v1/excluded-numbers/${id}`).expect(204);
});

describe('the list', () => {
  test('is kept by administrators: who, when and why, each change on the audit trail', async () => {
    const made = (await exclude('085 0000 777').expect(201)).body;
    expect(made).toMatchObject({ number: councilLine, note: "The works council's line", addedBy: { name: expect.any(String) } });
    await exclude('+31 85 0000777').expect(409);
    await exclude('201').expect(201);
    for (const wrong of ['', 'anonymous', 'sip:me', '+'])
      expect([wrong, (await exclude(wrong)).status]).toEqual([wrong, 422]);
    expect((await excluded()).map(({ number }) => number).sort()).toEqual([councilLine, '201']);
    await service.as('privacy_officer').get('/api/v1/excluded-numbers').expect(200);
    await service.as('privacy_officer').delete(`/api/v1/excluded-numbers/${made.id}`).expect(403);
    await service.as('administrator').delete(`/api/v1/excluded-numbers/${made.id}`).expect(204);
    await service.as('administrator').delete(`/api/v1/excluded-numbers/${made.id}`).expect(404);
    const acts = await query<{ action: string; details: object }>(`SELECT action, details FROM audit_entries WHERE object_id = $1 ORDER BY id`, [made.id]);
    expect(acts.map(({ action }) => action)).toEqual(['excluded_number.added', 'excluded_number.removed']);
    expect(JSON.stringify(acts)).not.toContain('0000777');
  });
});

describe('a push in which an excluded number takes part', () => {
  test.each<[string, Record<string, string>]>([
    ['as caller', { caller: '0850000777' }],
    ['as callee', { callee: 'sip:+31850000777@pbx' }],
    ['as agent', { agent: 'PJSIP/201' }],
    ['as queue', { queue: '201' }],
    ['in no other way than all the others', { callee: '0031850000777', direction: 'inbound' }],
  ])('%s is refused with its code, and nothing of it is kept', async (_way, fields) => {
    await exclude(councilLine);
    await exclude('201');
    const callId = randomUUID();
    const refused = await push({ callId, ...fields });
    expect([refused.status, refused.body.code]).toEqual([422, 'number-excluded']);
    expect(await query('SELECT 1 FROM recordings WHERE call_id = $1', [callId])).toEqual([]);
    // Another part of it that tells no number belongs to the same call.
    expect((await push({ callId, part: 'other' })).body.code).toBe('number-excluded');
    expect((await push({ callId: randomUUID(), linkedId: callId })).body.code).toBe('number-excluded');
  });

  test('is told rtpengine as settled, so that it stops repeating', async () => {
    await exclude(councilLine);
    const told = await service.nobody().post(`/api/v1/push/${service.pbxKey}/rtpengine`)
      .set({ 'X-Recording-Call-ID': randomUUID(), 'X-Recording-Kind': 'mixed', 'X-Recording-File-Name': 'a', 'X-Recording-Call-Start-Time': String(Math.floor(service.clock.now().getTime() / 1000) - 60) + '.0', 'X-Recording-Call-Metadata': 'caller:0850000777|callee:0850000001' })
      .attach('ngfile', audio, { filename: 'a.wav', contentType: 'audio/wav' });
    expect([told.status, told.body.code]).toEqual([200, 'number-excluded']);
  });

  test('others come in, and so does the number once it is off the list', async () => {
    const { id } = (await exclude(councilLine)).body;
    await push({ callId: randomUUID(), caller: '0850000778', callee: '+4985000077' }).expect(201);
    await service.as('administrator').delete(`/api/v1/excluded-numbers/${id}`).expect(204);
    await push({ callId: randomUUID(), caller: '0850000777' }).expect(201);
  });
});

describe('a recording that came in without numbers', () => {
  test.each([
    ['the caller', { src: '0850000777' }],
    ['whom they dialled', { dst: '0850000777' }],
    ['the extension that answered', { device: 'PJSIP/201-0000000a' }],
  ])('is deleted with all its parts when call data tells %s', async (_who, row) => {
    await exclude(councilLine);
    await exclude('201');
    const callId = uniqueId();
    const { id } = (await push({ callId }).expect(201)).body;
    const other = (await push({ callId, part: 'in' }).expect(201)).body;
    expect(await cdr(cdrRow(callId, { device: 'PJSIP/300-0000000b', ...row }))).toMatchObject({ stored: 0, excluded: 1 });
    await service.as('privacy_officer').get(`/api/v1/recordings/${id}`).expect(410);
    await expect.poll(() => leftOf(id)).toEqual(gone);
    await expect.poll(() => leftOf(other.id)).toEqual(gone);
    expect(await query('SELECT 1 FROM call_records WHERE unique_id = $1', [callId])).toEqual([]);
    // The PBX has it still, and tells it again.
    expect((await push({ callId })).body.code).toBe('number-excluded');
    expect(await cdr(cdrRow(callId, { device: 'PJSIP/300-0000000b', ...row }))).toMatchObject({ stored: 0, excluded: 1 });
    const [entry] = await query<{ details: object }>(`SELECT details FROM audit_entries WHERE action = 'recording.excluded' AND object_id = $1`, [id]);
    expect(entry?.details).toEqual({ held: false });
  });

  test('is refused when its call data came first', async () => {
    await exclude('201');
    const callId = uniqueId();
    await cdr(cdrRow(callId));
    expect((await push({ callId })).body.code).toBe('number-excluded');
    expect(await query('SELECT 1 FROM recordings WHERE call_id = $1', [callId])).toEqual([]);
  });

  test('is deleted when the metadata that comes later tells it', async () => {
    await exclude(councilLine);
    const callId = randomUUID();
    const { id } = (await push({ callId }).expect(201)).body;
    const told = await pbx().patch(`/api/v1/recordings/by-call/${callId}`).send({ callee: '0850000777' });
    expect([told.status, told.body.code]).toEqual([422, 'number-excluded']);
    await expect.poll(() => leftOf(id)).toEqual(gone);
  });

  test('is deleted when a leg of the transferred call reaches the number, with call data that came before', async () => {
    await exclude('201');
    const [first, second] = [uniqueId(), uniqueId()];
    const { id } = (await push({ callId: first }).expect(201)).body;
    await cdr(cdrRow(first, { device: 'PJSIP/300-00000001' }));
    expect(await cdr(cdrRow(second, { linkedId: first }))).toMatchObject({ excluded: 1 });
    await expect.poll(() => leftOf(id)).toEqual(gone);
    expect(await query('SELECT 1 FROM call_records WHERE call_key = $1', [first])).toEqual([]);
  });

  test('stays when the excluded phone only rang', async () => {
    await exclude('201');
    const callId = uniqueId();
    const { id } = (await push({ callId }).expect(201)).body;
    await cdr(cdrRow(callId, { disposition: 'NO ANSWER' }), cdrRow(callId, { device: 'PJSIP/300-00000001' }).replace(/1$/, '2'));
    expect((await leftOf(id)).status).toBe(200);
  });

  test('stays when it was in before the number was put on the list: adding a number deletes nothing', async () => {
    const callId = uniqueId();
    const { id } = (await push({ callId }).expect(201)).body;
    service.clock.advance(1000);
    await exclude('201');
    expect(await cdr(cdrRow(callId))).toMatchObject({ stored: 1, excluded: 0 });
    expect((await leftOf(id)).status).toBe(200);
  });

  test('is closed at once where a hold keeps it, and goes when the hold has ended', async () => {
    await exclude('201');
    const callId = uniqueId();
    const { id } = (await push({ callId }).expect(201)).body;
    await service.as('privacy_officer').post('/api/v1/holds')
      .send({ recordingId: id, ground: 'legal_claim', reason: 'A claim', reviewAt: new Date(service.clock.now().getTime() + 30 * 86_400_000).toISOString() }).expect(201);
    await cdr(cdrRow(callId));
    await service.as('trainer').get(`/api/v1/recordings/${id}`).expect(410);
    await purged();
    await service.as('privacy_officer').get(`/api/v1/recordings/${id}`).expect(200);
    expect(await query('SELECT 1 FROM recordings WHERE id = $1 AND retain_until <= $2', [id, service.clock.now()])).toHaveLength(1);
  });
});

test('call data and recording of an excluded call that come at the same time leave nothing, whichever is first', async () => {
  await exclude('201');
  const calls = Array.from({ length: 12 }, () => uniqueId());
  await Promise.all(calls.flatMap((callId) => [push({ callId }), cdr(cdrRow(callId))]));
  await purged();
  expect(await query('SELECT 1 FROM recordings WHERE call_id = ANY($1::text[])', [calls])).toEqual([]);
  expect(await query('SELECT 1 FROM call_records WHERE unique_id = ANY($1::text[])', [calls])).toEqual([]);
});

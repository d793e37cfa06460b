import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { tellAlarms, watch, type AlarmSettings } from '../src/recordings/alarms.js';
import { tone } from './support/audio.js';
import { startReceivers, type Receivers } from './support/receivers.js';
import { startTestService, type TestService } from './support/service.js';

/** What does not come in is noticed, told once, and told to be over. */

let service: TestService;
const secret = Buffer.from('a shared secret').toString('base64');
let receivers: Receivers;
let settings: AlarmSettings;

beforeAll(async () => {
  receivers = await startReceivers();
  settings = {
    webhook: { url: receivers.webhookUrl, secret: `whsec_${secret}` },
    mail: { smtpUrl: receivers.smtpUrl, from: 'opname@example.test', to: 'beheer@example.test' },
  };
  const clock = new MovableClock();
  clock.set('2026-11-25T10:30:00Z');
  service = await startTestService({ clock });
});
afterAll(async () => {
  receivers.close();
  await service.close();
});
beforeEach(() => {
  receivers.calls.length = 0;
  receivers.mails.length = 0;
  receivers.answerWith(200);
});

const query = <Row extends object>(sql: string, bind: unknown[] = []) => service.service.platform.database.query<Row>(sql, bind);
const ingest = async () => (await service.as('administrator').get('/api/v1/ingest').expect(200)).body as { sources: Record<string, unknown>[]; alarms: { kind: string }[] };
const source = async () => {
  const found = (await ingest()).sources.find((each) => each['name'] === 'Test pbx');
  if (found === undefined) throw new Error('no source');
  return found;
};
const look = async () => {
  await watch(service.service.platform, settings);
  await tellAlarms(service.service.platform, settings);
};

test('received, duplicate and refused pushes are counted by day and cause', async () => {
  const pbx = service.machine(service.pbxKey);
  const fields = { callId: 'one', startedAt: '2026-11-25T10:00:00Z' };
  const bytes = tone({ seconds: 1 });
  await pbx.post('/api/v1/recordings').field(fields).attach('audio', bytes, 'a.wav').expect(201);
  await pbx.post('/api/v1/recordings').field(fields).attach('audio', bytes, 'a.wav').expect(200);
  await pbx.post('/api/v1/recordings').field({ ...fields, callId: 'two' }).attach('audio', Buffer.from('no sound'), 'a.wav').expect(422);
  await pbx.put('/api/v1/recordings/by-call/three').send(bytes).expect(422);
  await pbx.post('/api/v1/recordings').field({ ...fields, direction: 'outbound' }).attach('audio', bytes, 'a.wav').expect(422);
  expect(await source()).toMatchObject({
    received: 1, duplicates: 1, silent: false,
    days: [{ date: '2026-11-25', received: 1, duplicates: 1, rejected: { 'not-audio': 1, 'direction-not-covered': 1 } }],
  });
  const metrics = (await service.nobody().get('/metrics').expect(200)).text;
  expect(metrics).toMatch(/opname_pushes_total\{source="[^"]+",outcome="received"\} 1/);
  await service.as('trainer').get('/api/v1/ingest').expect(403);
});

/** A row of Asterisk for a call that ended so many minutes ago. */
function row(id: string, minutesAgo: number, change: (line: string) => string = (line) => line): string {
  const end = Math.floor(service.clock.now().getTime() / 1000) - minutesAgo * 60;
  const wall = (second: number) => new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return change(
    `"","0850000103","0850000002","in","""A"" <0850000103>","PJSIP/trunk-00000001","PJSIP/201-00000002","Dial","x","${wall(end - 60)}","${wall(end - 50)}","${wall(end)}",60,50,"ANSWERED","DOCUMENTATION","${end - 60}.${id}",""`,
  );
}
const cdr = (...rows: string[]) => service.machine(service.pbxKey).post('/api/v1/cdr').set('Content-Type', 'text/csv').send(rows.join('\n')).expect(200);

describe('answered calls without a recording', () => {
  test('are missing after a while; others are not expected', async () => {
    await cdr(
      row('1', 20), row('2', 30), row('3', 40),
      row('4', 5), // its recording may still come
      row('5', 20, (line) => line.replace('"ANSWERED"', '"NO ANSWER"')),
      row('6', 20, (line) => line.replace('"Dial"', '"VoiceMail"')),
      row('7', 20, (line) => line.replace('"0850000103"', '"201"')), // one of ours called
      row('8', 20, (line) => line.replace('60,50', '60,1')),
      row('9', 20, (line) => line.replace('PJSIP/201-00000002', '')),
    );
    const known = await source();
    expect(known['missingRecordings']).toBe(3);
    expect(JSON.stringify(known['missing'])).not.toContain('85000010');
  });

  test('raise one alarm, told once by each way, and told to be over when the recordings have come', async () => {
    await look();
    await look();
    expect(receivers.calls).toHaveLength(1);
    expect(receivers.mails).toHaveLength(1);
    const [call] = receivers.calls;
    const told = JSON.parse(call?.body ?? '{}') as { type: string; data: { count: number; source: string } };
    expect(told).toMatchObject({ type: 'ingest.recordings_missing.raised', data: { count: 3, source: 'Test pbx' } });
    const signed = `${String(call?.headers['webhook-id'])}.${String(call?.headers['webhook-timestamp'])}.${call?.body ?? ''}`;
    expect(call?.headers['webhook-signature']).toBe(`v1,${createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64')}`);
    expect((await ingest()).alarms).toMatchObject([{ kind: 'recordings_missing' }]);
    for (const { id } of await query<{ id: string }>("SELECT unique_id AS id FROM call_records WHERE unique_id LIKE '%.1' OR unique_id LIKE '%.2'"))
      await service.push({ callId: id, startedAt: new Date(service.clock.now().getTime() - 1_800_000).toISOString() });
    await look();
    expect(receivers.calls.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual(['ingest.recordings_missing.raised', 'ingest.recordings_missing.cleared']);
    expect((await ingest()).alarms).toEqual([]);
  });
});

test('recordings that are refused for a fault raise an alarm, told and later over; what a rule refuses raises none', async () => {
  const pbx = service.machine(service.pbxKey);
  const startedAt = new Date(service.clock.now().getTime() - 60_000).toISOString();
  const audio = tone({ seconds: 1 });
  for (const callId of ['r1', 'r2', 'r3', 'r4']) {
    await pbx.post('/api/v1/recordings').field({ callId, startedAt, direction: 'outbound' }).attach('audio', audio, 'a.wav').expect(422);
    await pbx.post('/api/v1/recordings').field({ callId, startedAt }).attach('audio', audio.subarray(0, 44), 'a.wav').expect(422);
  }
  await ingest();
  await query("DELETE FROM ingest_hours WHERE outcome IN ('not-audio', 'invalid-input')");
  await look();
  expect(receivers.calls).toEqual([]);
  for (const callId of ['r1', 'r2', 'r3'])
    await pbx.post('/api/v1/recordings').field({ callId, startedAt }).attach('audio', Buffer.from('<html>502 Bad Gateway</html>'), 'a.wav').expect(422);
  await ingest();
  await look();
  await look();
  expect(receivers.calls.map(({ body }) => JSON.parse(body) as object)).toMatchObject([{ type: 'ingest.refused.raised', data: { count: 3, source: 'Test pbx' } }]);
  expect(receivers.mails[0]).toContain('3 opnamen van Test pbx zijn geweigerd');
  expect((await ingest()).alarms).toMatchObject([{ kind: 'refused' }]);
  expect((await source())['days']).toMatchObject([{ rejected: { 'not-audio': 3, 'empty-recording': 4, 'direction-not-covered': 5 } }]);
  service.clock.advance(3 * 3_600_000);
  await service.signInAgain();
  await look();
  expect(receivers.calls.at(-1)?.body).toContain('ingest.refused.cleared');
  service.clock.advance(-3 * 3_600_000);
  await service.signInAgain();
});

describe('a PBX that falls silent', () => {
  /** Three weeks of ten recordings an hour in office hours, of which the newest stop at `until`. */
  async function history(until: string): Promise<void> {
    await query('DELETE FROM ingest_hours');
    const [{ id } = { id: '' }] = await query<{ id: string }>("SELECT id FROM sources WHERE name = 'Test pbx'");
    await query(
      `INSERT INTO ingest_hours (source_id, hour, outcome, count, last_at)
       SELECT $1, hour, 'received', 10, hour + interval '50 minutes'
       FROM generate_series($2::timestamptz - interval '24 days', $2::timestamptz, interval '1 hour') AS hour
       WHERE extract(isodow FROM hour AT TIME ZONE 'Europe/Amsterdam') < 6
         AND extract(hour FROM hour AT TIME ZONE 'Europe/Amsterdam') BETWEEN 9 AND 16`,
      [id, until],
    );
  }

  test.each([
    ['on a working day at noon', '2026-11-25T09:00:00Z', '2026-11-25T13:10:00Z', true],
    ['for half an hour only', '2026-11-25T09:00:00Z', '2026-11-25T10:20:00Z', false],
    ['at night, as every night', '2026-11-25T15:00:00Z', '2026-11-26T03:00:00Z', false],
    ['in the weekend, as every weekend', '2026-11-27T15:00:00Z', '2026-11-29T12:00:00Z', false],
    ['on the morning after', '2026-11-25T15:00:00Z', '2026-11-26T11:10:00Z', true],
  ])('%s', async (_name, until, now, silent) => {
    await history(until);
    service.clock.set(now);
    await service.signInAgain();
    expect((await source())['silent']).toBe(silent);
  });

  test('is told of once; a way that fails is tried again; a holiday is none of it', async () => {
    await history('2026-11-25T09:00:00Z');
    service.clock.set('2026-11-25T13:10:00Z');
    receivers.answerWith(500);
    await look();
    expect([receivers.calls.length, receivers.mails.length]).toEqual([0, 1]);
    receivers.answerWith(200);
    service.clock.advance(10 * 60_000);
    await look();
    expect(receivers.calls.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual(['ingest.silent.raised']);
    await service.as('administrator').put('/api/v1/organisation').send({ holidays: ['2026-11-25'] }).expect(200);
    service.clock.advance(60_000);
    await look();
    expect(receivers.calls.at(-1)?.body).toContain('ingest.silent.cleared');
  });
});

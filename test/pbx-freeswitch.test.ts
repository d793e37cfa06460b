import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MovableClock } from '../src/platform/clock.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T21:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

const startMs = Date.parse('2026-11-22T20:59:40Z');
const us = (ms: number) => String((startMs + ms) * 1000);

/** `mod_xml_cdr`: variables percent-encoded, hold intervals as attributes. */
const xmlOf = (uuid: string, more = '') => `<?xml version="1.0"?>
<cdr core-uuid="1f2a" switchname="fs1"><channel_data><state>CS_REPORTING</state></channel_data>
<variables><direction>inbound</direction><uuid>${uuid}</uuid><start_epoch>${Math.floor(startMs / 1000)}</start_epoch>
<start_uepoch>${us(0)}</start_uepoch><answer_uepoch>${us(2000)}</answer_uepoch><end_uepoch>${us(20_000)}</end_uepoch>
<billmsec>18000</billmsec><hangup_cause>NORMAL_CLEARING</hangup_cause><caller_id_number>%2B31850000101</caller_id_number>
<caller_id_name>Zo%C3%AB%20van%20der%20B%C3%A9rg</caller_id_name><destination_number>0850000001</destination_number>
<cc_queue>support%40default</cc_queue><cc_agent>201%40default</cc_agent>${more}</variables>
<hold-record><hold on="${us(5000)}" off="${us(8000)}" bridged-to="x"/></hold-record></cdr>`;

const put = (callId: string, audio = tone({ seconds: 20, channels: 2, rate: 8000 })) =>
  service.nobody().put(`/api/v1/push/${service.pbxKey}/recordings/${callId}?startedAt=2026-11-22T20:59:40Z`)
    .set('User-Agent', 'freeswitch-http-cache/1.0').set('Content-Type', 'audio/x-wav').send(audio);

const cdr = (body: string | Buffer, type: string) =>
  service.nobody().post(`/api/v1/push/${service.pbxKey}/cdr/freeswitch?uuid=a_x`).set('User-Agent', 'freeswitch-xml/1.0').set('Content-Type', type).send(body);

describe('a recording put by mod_http_cache', () => {
  test('is taken to have begun its own length before it came', async () => {
    const bare = () => service.nobody().put(`/api/v1/push/${service.pbxKey}/recordings/6c5e.wav`)
      .set('User-Agent', 'freeswitch-http-cache/1.0').set('Content-Type', 'audio/x-wav').send(tone({ seconds: 20 }));
    const answer = await bare().expect(201);
    expect(answer.body).toMatchObject({ callId: '6c5e.wav', linkedId: '6c5e', durationMs: 20_000 });
    const earlierMs = Date.parse(answer.body.receivedAt) - Date.parse(answer.body.startedAt);
    expect(earlierMs).toBeGreaterThanOrEqual(20_000);
    await bare().expect(200);
  });
});

describe('a call data record', () => {
  const form = 'application/x-www-form-urlencoded';
  const ways: [string, (uuid: string) => string, string][] = [
    ['bare XML', (uuid) => xmlOf(uuid), 'text/xml'],
    ['bare XML that calls itself a form', (uuid) => xmlOf(uuid), form],
    ['percent-encoded XML', (uuid) => `cdr=${encodeURIComponent(xmlOf(uuid))}`, form],
    ['base64', (uuid) => `cdr=${Buffer.from(xmlOf(uuid)).toString('base64')}`, form],
    ['base64 that is percent-encoded', (uuid) => `cdr=${encodeURIComponent(Buffer.from(xmlOf(uuid)).toString('base64'))}`, form],
    ['JSON', (uuid) => jsonOf(uuid), 'application/json'],
    ['JSON that calls itself a form', (uuid) => jsonOf(uuid), form],
    ['percent-encoded JSON', (uuid) => `cdr=${encodeURIComponent(jsonOf(uuid))}`, form],
  ];
  const jsonOf = (uuid: string) =>
    JSON.stringify({
      'core-uuid': '1f2a', switchname: 'fs1', channel_data: {}, callStats: {},
      variables: {
        uuid, start_uepoch: us(0), answer_uepoch: us(2000), end_uepoch: us(20_000), billmsec: '18000', hangup_cause: 'NORMAL_CLEARING',
        caller_id_number: '%2B31850000101', caller_id_name: 'Zo%C3%AB%20van%20der%20B%C3%A9rg', destination_number: '0850000001',
        cc_queue: 'support%40default', cc_agent: '201%40default', hold_events: `%7B%7B${us(5000)}%2C${us(8000)}%7D%7D`,
      },
      app_log: {}, callflow: [],
    });

  test.each(ways)('as %s', async (name, body, type) => {
    const uuid = `way-${ways.findIndex(([way]) => way === name)}`;
    const recording = await put(`${uuid}.wav`).expect(201);
    const answer = await cdr(body(uuid), type).expect(200);
    expect(answer.body).toMatchObject({ stored: 1, known: 0, expired: 0 });
    const shown = await service.as('privacy_officer').get(`/api/v1/recordings/${recording.body.id}`).expect(200);
    expect(shown.body).toMatchObject({
      disposition: 'answered', answeredAt: '2026-11-22T20:59:42.000Z', billedMs: 18_000, queue: 'support', agent: '201',
      caller: { number: '+31850000101', name: 'Zoë van der Bérg' }, callee: { number: '+31850000001' }, endedAt: '2026-11-22T21:00:00.000Z',
    });
    const [row] = await service.service.platform.database.query<{ holds: object[] }>('SELECT holds FROM recordings WHERE id = $1', [recording.body.id]);
    expect(row?.holds).toEqual([{ startMs: 5000, endMs: 8000 }]);
    await cdr(body(uuid), type).expect(200).expect((again) => expect(again.body).toMatchObject({ stored: 0, known: 1 }));
  });

  test('before its recording; what was on hold is not in the playback copy', async () => {
    await cdr(xmlOf('early'), 'text/xml').expect(200);
    const recording = await put('early.wav').expect(201);
    expect(recording.body).toMatchObject({ disposition: 'answered', queue: 'support' });
    await service.processed(recording.body.id);
    const waveform = await service.as('trainer').get(`/api/v1/recordings/${recording.body.id}/waveform`).expect(200);
    expect(Math.abs(waveform.body.durationMs - 17_000)).toBeLessThan(150);
  });

  test('of a caller who withheld their number tells it neither from headers nor from elsewhere', async () => {
    const hidden = xmlOf('hidden', '<sip_P-Asserted-Identity>%2B31850000101</sip_P-Asserted-Identity>')
      .replace('%2B31850000101</caller_id_number>', 'anonymous</caller_id_number>');
    await cdr(hidden, 'text/xml').expect(200);
    const recording = await put('hidden.wav').expect(201);
    expect(recording.body.caller).toEqual({ number: null, name: null });
    const kept = await service.service.platform.database.query<{ row: string }>("SELECT c::text AS row FROM call_records c WHERE unique_id = 'hidden'");
    expect(kept[0]?.row).not.toContain('31850000101');
  });

  test.each([
    ['nothing', ''], ['text', 'hello'], ['another document', '<html/>'], ['JSON of something else', '{"a":1}'], ['half of it', xmlOf('half').slice(0, 200)],
    ['entities that grow', `<!DOCTYPE x [<!ENTITY a "aaaa">]>${xmlOf('bomb')}`], ['no uuid', xmlOf('')], ['a form of something else', 'a=b&c=d'],
  ])('that is none (%s) is refused with words', async (_name, body) => {
    const answer = await cdr(body, 'text/xml').expect(422);
    expect(answer.body.code).toBe('invalid-input');
  });
});

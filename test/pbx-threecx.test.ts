import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { categoriesOf } from '../src/features.js';
import { MovableClock } from '../src/platform/clock.js';
import { readConfig, redactedConfig } from '../src/config.js';
import type { PullSettings } from '../src/recordings/doors/threecx.js';
import { pullAll } from '../src/recordings/pull.js';
import { createDoor } from '../src/recordings/routes.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** Answers as 3CX documents them (XAPI, v20), byte for byte; no live system was tried. */

const listed = (id: number, more: Record<string, unknown> = {}) => ({
  Id: id, StartTime: '2026-11-22T20:00:00Z', EndTime: '2026-11-22T20:00:03Z', CallType: 'InboundExternal', FromDnType: 'ExternalLine',
  FromDn: '10000', FromCallerNumber: '0850000101', FromDisplayName: 'Zoë van der Bérg', FromDidNumber: '', ToDnType: 'Extension',
  ToDn: '201', ToCallerNumber: '201', ToDidNumber: '0850000001', ToDisplayName: 'Agent', RecordingUrl: `201/[Agent]_0850000101-201_20261122200000(${id}).wav`,
  IsArchived: false, Transcription: null, ...more,
});

let service: TestService;
let pbx: Server;
let settings: PullSettings;
let asked: string[] = [];
let recordings: ReturnType<typeof listed>[] = [];
let tokens = 0;
let brokenId: number | undefined;

beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T21:00:00Z');
  service = await startTestService({ clock });
  pbx = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '', 'http://x');
    asked.push(`${incoming.method ?? ''} ${url.pathname}`);
    let body = '';
    incoming.on('data', (chunk) => { body += String(chunk); });
    incoming.on('end', () => {
      if (url.pathname === '/connect/token') {
        const form = new URLSearchParams(body);
        const known = form.get('grant_type') === 'client_credentials' && form.get('client_id') === 'opname' && form.get('client_secret') === 'very-secret';
        tokens += 1;
        outgoing.writeHead(known ? 200 : 401, { 'Content-Type': 'application/json' });
        outgoing.end(known ? `{"token_type":"Bearer","expires_in":60,"access_token":"token-${tokens}","refresh_token":null}` : '{"error":"invalid_client"}');
        return;
      }
      // Only the newest token is good: an old one has run out.
      if (incoming.headers.authorization !== `Bearer token-${tokens}`) {
        outgoing.writeHead(401).end();
        return;
      }
      const download = /Pbx\.DownloadRecording\(recId=(\d+)\)$/.exec(url.pathname)?.[1];
      if (download !== undefined) {
        if (Number(download) === brokenId) outgoing.writeHead(500).end();
        else outgoing.writeHead(200, { 'Content-Type': 'audio/wav' }).end(tone({ seconds: 3, seed: Number(download) }));
        return;
      }
      const [, comparison, id] = /^Id (gt|eq) (\d+)$/.exec(url.searchParams.get('$filter') ?? '') ?? [];
      const found = recordings.filter((each) => (comparison === 'gt' ? each.Id > Number(id) : each.Id === Number(id))).slice(0, Number(url.searchParams.get('$top')));
      outgoing.writeHead(200, { 'Content-Type': 'application/json; odata.metadata=minimal' });
      outgoing.end(JSON.stringify({ '@odata.context': 'https://pbx.example/xapi/v1/$metadata#Recordings', value: found }));
    });
  }).listen(0, '127.0.0.1');
  await once(pbx, 'listening');
  settings = { kind: '3cx', source: 'Office 3CX', url: `http://127.0.0.1:${(pbx.address() as AddressInfo).port}`, clientId: 'opname', clientSecret: 'very-secret' };
});
afterAll(async () => {
  pbx.close();
  await service.close();
});
beforeEach(() => {
  asked = [];
  brokenId = undefined;
});

const pull = async (change: Partial<PullSettings> = {}) => {
  const { platform } = service.service;
  await pullAll(platform, createDoor(platform, service.config, categoriesOf(platform, service.config)), [{ ...settings, ...change }], 'Europe/Amsterdam', new AbortController().signal);
};
const kept = () =>
  service.service.platform.database.query<Record<string, unknown>>(
    `SELECT call_id, direction, caller_number, caller_name, callee_number, agent, started_at FROM recordings WHERE version > 0 ORDER BY call_id::int`,
  );

test('what is new is taken with what is known of it, once; what the rules refuse is not asked for again', async () => {
  recordings = [listed(7), listed(8, { CallType: 'OutboundExternal' }), listed(9, { FromCallerNumber: 'anonymous', FromDn: '10000' })];
  await pull();
  expect(await kept()).toEqual([
    { call_id: '7', direction: 'inbound', caller_number: '+31850000101', caller_name: 'Zoë van der Bérg', callee_number: '+31850000001', agent: '201', started_at: new Date('2026-11-22T20:00:00Z') },
    expect.objectContaining({ call_id: '9', caller_number: null }),
  ]);
  asked = [];
  await pull();
  expect(asked.filter((each) => each.includes('Download'))).toEqual([]);
});

test('a file that does not come is tried again later, and does not hold up the others', async () => {
  recordings.push(listed(20), listed(21));
  brokenId = 20;
  await pull();
  expect((await kept()).map((row) => row['call_id'])).toEqual(['7', '9', '21']);
  brokenId = undefined;
  await pull();
  expect((await kept()).map((row) => row['call_id'])).toEqual(['7', '9', '21']);
  service.clock.advance(120_000);
  await pull();
  expect((await kept()).map((row) => row['call_id'])).toEqual(['7', '9', '20', '21']);
  expect(await service.service.platform.database.query('SELECT 1 FROM pull_retries')).toEqual([]);
});

test('more than a page comes in pages', async () => {
  recordings.push(...Array.from({ length: 120 }, (_, index) => listed(100 + index, { CallType: 'OutboundExternal' })));
  await pull();
  expect(asked.filter((each) => each.endsWith('/Recordings'))).toHaveLength(2);
});

test('credentials that are wrong are told without being told', async () => {
  await pull({ clientSecret: 'wrong' });
  const [row] = await service.service.platform.database.query<{ fault: string }>('SELECT last_fault AS fault FROM pulls');
  expect(row?.fault).toBe('3CX gave no token (401)');
  await pull();
  const config = readConfig({ PULL_SOURCES: JSON.stringify([settings]) });
  expect(config.pulls).toEqual([settings]);
  expect(JSON.stringify(redactedConfig(config))).not.toContain('very-secret');
});

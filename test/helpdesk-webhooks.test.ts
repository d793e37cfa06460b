import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchAttachments } from '../src/tickets/fetch.js';
import { ticketFolder } from '../src/tickets/routes.js';
import { ticketService, type Shown, type TicketService } from './support/tickets.js';

/**
 * Webhooks replayed byte for byte from the files beside this test. No helpdesk's live traffic is among them: they follow
 * what the vendors document, with invented people.
 * - Zammad: the default payload of https://admin-docs.zammad.org/en/latest/manage/webhook/payload.html, with the empty
 *   fields that page leaves out, in one line and with `<`, `>` and `&` escaped, as Rails writes what Zammad signs and sends
 *   (`UserAgent.post` in https://github.com/zammad/zammad/blob/develop/lib/user_agent.rb)
 * - Zendesk: https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events for the event, and for the
 *   trigger the template in docs/helpdesk/zendesk.md
 */

const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, 'helpdesk', name));
const zammadBody = fixture('zammad-article.json');

let service: TicketService;
let attachments: Server;
let origin: string;
const asked: (string | undefined)[] = [];

beforeAll(async () => {
  attachments = createServer((incoming, outgoing) => {
    asked.push(incoming.headers.authorization);
    if (incoming.headers.authorization !== 'Token token=zammad-token') outgoing.writeHead(401).end();
    else if (incoming.url === '/away') outgoing.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end();
    else if (incoming.url === '/gone') outgoing.writeHead(404).end();
    else outgoing.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(Buffer.from('jpeg bytes'));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => attachments.once('listening', resolve));
  origin = `http://127.0.0.1:${(attachments.address() as AddressInfo).port}`;
  service = await ticketService({ helpdeskTokens: { [origin]: 'Token token=zammad-token' } });
});
afterAll(async () => {
  attachments.close();
  await service.close();
});

function zammad(body: Buffer, headers: Record<string, string>, key = service.helpdeskKey, query = '') {
  return request(service.server)
    .post(`/api/v1/push/${key}/zammad${query}`)
    .set({ 'Content-Type': 'application/json; charset=utf-8', 'User-Agent': 'Zammad User Agent', 'X-Zammad-Trigger': 'Opname', ...headers })
    .serialize((bytes: unknown) => bytes as string)
    .send(body);
}

const sha1 = (body: Buffer, secret = service.helpdeskKey) => `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`;
const signed = (body: Buffer, delivery: string = randomUUID()) => ({ 'X-Hub-Signature': sha1(body), 'X-Zammad-Delivery': delivery });

describe("Zammad's webhook", () => {
  it('is taken byte for byte as it is documented', async () => {
    const answer = await zammad(zammadBody, signed(zammadBody)).expect(201);
    expect(answer.body).toMatchObject({ outcome: 'created' });
    const shown = await service.read((answer.body as Shown)['id'] as string);
    expect(shown).toMatchObject({
      externalId: '81', number: '10081', subject: 'Vraag over café-abonnement', status: 'open', category: 'support', agent: 'emma@chrispresso.example',
      requester: { name: 'Emily Adams', email: 'emily@example.com', phone: '+61212347777', organisation: 'Awesome Customer Inc.' },
      createdAt: '2026-11-02T14:34:35.282Z', closedAt: null,
    });
    expect(shown['messages']).toMatchObject([
      { externalId: '104', from: 'customer', internal: false, at: '2026-11-02T14:34:35.318Z', contentType: 'text/html', bodyText: expect.stringContaining('This is a simple Webhook Test.') as string },
    ]);
    expect((shown['messages'] as Shown[])[0]?.['bodyHtml']).not.toContain('img');
  });

  it.each([
    ['no signature', () => ({ 'X-Zammad-Delivery': 'x' })],
    ['a wrong signature', () => ({ 'X-Hub-Signature': sha1(zammadBody, 'another secret') })],
    ['a signature of other bytes', () => ({ 'X-Hub-Signature': sha1(Buffer.concat([zammadBody, Buffer.from(' ')])) })],
    ['a signature of another kind', () => ({ 'X-Hub-Signature': sha1(zammadBody).replace('sha1', 'sha256') })],
    ['half a signature', () => ({ 'X-Hub-Signature': sha1(zammadBody).slice(0, 30) })],
  ])('is refused with %s, and leaves nothing', async (_name, headers) => {
    const before = await service.database.query('SELECT count(*) FROM ticket_deliveries');
    const answer = await zammad(zammadBody, headers()).expect(401);
    expect(answer.body).toMatchObject({ code: 'unauthenticated' });
    expect(await service.database.query('SELECT count(*) FROM ticket_deliveries')).toEqual(before);
  });

  it('is refused with a wrong key, and with the key of a PBX', async () => {
    await zammad(zammadBody, signed(zammadBody), 'nonsense').expect(401);
    const { pbxKey } = service;
    await zammad(zammadBody, { ...signed(zammadBody), 'X-Hub-Signature': sha1(zammadBody, pbxKey) }, pbxKey).expect(403);
  });

  it('that never ends is refused before it fills the memory', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024 + 1, ' ');
    expect((await zammad(body, signed(body)).expect(413)).body).toMatchObject({ code: 'too-large' });
    const packed = gzipSync(zammadBody);
    await zammad(packed, { ...signed(packed), 'Content-Encoding': 'gzip' }).expect(415);
  });

  it('that somebody sends again under another name, after a newer one, changes nothing', async () => {
    const told = (state: string, at: string) =>
      customised(({ ticket, article }) => {
        Object.assign(ticket as Shown, { id: 83, number: '10083', state, updated_at: at });
        Object.assign(article as Shown, { id: 107 });
      });
    const older = told('open', '2026-11-02T15:00:00.000Z');
    const newer = told('closed', '2026-11-03T15:00:00.000Z');
    const { body } = await zammad(older, signed(older)).expect(201);
    await zammad(newer, signed(newer)).expect(200);
    const before = await service.read((body as Shown)['id'] as string);
    for (let times = 0; times < 3; times += 1) await zammad(older, signed(older)).expect(200);
    expect(await service.read((body as Shown)['id'] as string)).toEqual(before);
    expect(before).toMatchObject({ status: 'closed' });
  });

  it('that is repeated changes nothing and is answered 200', async () => {
    const delivery = randomUUID();
    const first = await zammad(zammadBody, signed(zammadBody, delivery));
    const again = await zammad(zammadBody, signed(zammadBody, delivery)).expect(200);
    expect(again.body).toEqual({ id: (first.body as Shown)['id'], outcome: 'repeated' });
    const otherId = await zammad(zammadBody, signed(zammadBody)).expect(200);
    expect((otherId.body as Shown)['id']).toBe((first.body as Shown)['id']);
    expect((await service.read((first.body as Shown)['id'] as string))['messages']).toHaveLength(1);
  });

  const customised = (change: (payload: Shown) => void): Buffer => {
    const payload = JSON.parse(zammadBody.toString('utf8')) as Shown;
    change(payload);
    return Buffer.from(JSON.stringify(payload));
  };

  it('that comes late does not undo what a newer one told', async () => {
    const newer = customised(({ ticket, article }) => {
      Object.assign(ticket as Shown, { id: 82, number: '10082', state: 'closed', updated_at: '2026-11-03T10:00:00.000Z', close_at: '2026-11-03T10:00:00.000Z' });
      Object.assign(article as Shown, { id: 106, sender: 'Agent', internal: true, body: 'opgelost', content_type: 'text/plain', created_at: '2026-11-03T10:00:00.000Z' });
    });
    const older = customised(({ ticket, article }) => {
      Object.assign(ticket as Shown, { id: 82, number: '10082' });
      Object.assign(article as Shown, { id: 105 });
    });
    await zammad(newer, signed(newer)).expect(201);
    const { body } = await zammad(older, signed(older)).expect(200);
    const shown = await service.read((body as Shown)['id'] as string);
    expect(shown).toMatchObject({ status: 'closed', closedAt: '2026-11-03T10:00:00.000Z' });
    expect((shown['messages'] as Shown[]).map((each) => [each['externalId'], each['from'], each['internal']])).toEqual([['105', 'customer', false], ['106', 'agent', true]]);
  });

  it.each([
    ['the least there can be', (payload: Shown) => { delete payload['article']; payload['ticket'] = { id: 'min' }; }, { number: 'min', messages: [] }],
    ['state and customer as objects and texts', (payload: Shown) => Object.assign(payload['ticket'] as Shown, { id: 'obj', state: { name: 'pending close' }, customer: 'Login@Example.com' }), { status: 'pending close', requester: { email: 'login@example.com', name: null } }],
    ['no article', (payload: Shown) => { payload['ticket'].id = 'noart'; delete payload['article']; }, { messages: [] }],
    ['fields of unforeseen kinds', (payload: Shown) => Object.assign(payload, { ticket: { id: 7, title: ['x'], state: 4, customer: [], created_at: 'soon', number: {} }, article: { id: null } }), { number: '7', status: '4' }],
  ])('that was customised is taken as far as it goes: %s', async (_name, change, expected) => {
    const body = customised(change as (payload: Shown) => void);
    const answer = await zammad(body, signed(body)).expect(201);
    expect(await service.read((answer.body as Shown)['id'] as string)).toMatchObject(expected);
  });

  it('that does not name its ticket, or is no JSON, is refused', async () => {
    for (const [text, status] of [['{"article":{}}', 422], ['{', 400], ['[]', 400], ['', 400]] as const) {
      const body = Buffer.from(text);
      await zammad(body, signed(body)).expect(status);
    }
  });

  it('may say by its address that its tickets are contact forms', async () => {
    const body = customised(({ ticket }) => Object.assign(ticket as Shown, { id: 'form' }));
    const answer = await zammad(body, signed(body), service.helpdeskKey, '?category=contact_form').expect(201);
    expect(await service.read((answer.body as Shown)['id'] as string)).toMatchObject({ category: 'contact_form', retainUntil: '2027-11-02T14:34:35.318Z' });
  });

  it('has its attachments fetched, with a token only and from nowhere else', async () => {
    const named = (id: string, url: string) => ({ id, filename: `${id}.jpeg`, size: '10', preferences: { 'Content-Type': 'image/jpeg' }, url });
    const body = customised(({ ticket, article }) => {
      Object.assign(ticket as Shown, { id: 'att' });
      Object.assign(article as Shown, { attachments: [named('1', `${origin}/one`), named('2', `${origin}/away`), named('3', `${origin}/gone`), named('4', 'http://169.254.169.254/latest/meta-data'), named('5', 'file:///etc/passwd')] });
    });
    const answer = await zammad(body, signed(body)).expect(201);
    asked.length = 0;
    const settings = { ...service.settings, scanned: false, folder: ticketFolder(service.settings.dataDir) };
    await fetchAttachments(service.platform, settings, new AbortController().signal);
    const shown = await service.read((answer.body as Shown)['id'] as string);
    expect(shown['attachments']).toMatchObject([{ externalId: '1', fileName: '1.jpeg', bytes: 10, messageExternalId: '104', suppliedAt: '2026-11-02T14:34:35.318Z' }]);
    expect(asked).toEqual(Array(3).fill('Token token=zammad-token'));
    const left = await service.database.query<Shown>('SELECT external_id, failure_code, url FROM attachment_fetches WHERE ticket_id = $1 ORDER BY external_id', [(answer.body as Shown)['id']]);
    expect(left.map((row) => [row['external_id'], row['failure_code']])).toEqual([['2', null], ['3', 'gone-at-helpdesk'], ['4', 'no-token'], ['5', 'no-token']]);
    expect(left.filter((row) => row['failure_code'] !== null).map((row) => row['url'] as string)).toEqual(['', '', '']);
  });
});

describe("Zendesk's webhook", () => {
  const secret = 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==';
  const post = (body: Buffer, headers: Record<string, string>) =>
    request(service.server).post(`/api/v1/push/${service.helpdeskKey}/zendesk`).set({ 'Content-Type': 'application/json', ...headers }).serialize((bytes: unknown) => bytes as string).send(body);
  const sign = (body: Buffer, at = service.clock.now().toISOString()) => ({
    'X-Zendesk-Webhook-Signature': createHmac('sha256', secret).update(at).update(body).digest('base64'),
    'X-Zendesk-Webhook-Signature-Timestamp': at,
  });

  beforeAll(async () => {
    await service.helpdesk.put('/api/v1/tickets/webhook-secret').send({ secret }).expect(204);
  });
  afterAll(async () => {
    await service.helpdesk.put('/api/v1/tickets/webhook-secret').send({ secret: null }).expect(204);
  });

  it('is taken as an event and as what a trigger sends', async () => {
    const event = fixture('zendesk-comment-added.json');
    const made = await post(event, sign(event)).expect(201);
    expect((await post(event, sign(event)).expect(200)).body).toMatchObject({ outcome: 'repeated' });
    const trigger = fixture('zendesk-trigger.json');
    expect((await post(trigger, sign(trigger)).expect(200)).body).toMatchObject({ id: (made.body as Shown)['id'] });
    const shown = await service.read((made.body as Shown)['id'] as string);
    expect(shown).toMatchObject({ externalId: '5158', subject: 'Storing "modem"', status: 'solved', requester: { name: 'Jan Jansen', email: 'jan@example.com', phone: '+31612345678' } });
    expect((shown['messages'] as Shown[]).map((each) => [each['externalId'], each['from'], each['internal']])).toEqual([['4895', 'customer', false], ['4896', 'agent', false]]);
  });

  it('is refused without a signature, with a wrong one, and with an old one', async () => {
    const body = fixture('zendesk-trigger.json');
    await post(body, {}).expect(401);
    await post(body, { ...sign(body), 'X-Zendesk-Webhook-Signature': Buffer.alloc(32).toString('base64') }).expect(401);
    await post(body, sign(Buffer.from('{}'))).expect(401);
    for (const [minutes, status] of [[-6, 401], [6, 401], [-4, 200], [4, 200]] as const)
      await post(body, sign(body, new Date(service.clock.now().getTime() + minutes * 60_000).toISOString())).expect(status);
    await post(body, { ...sign(body), 'X-Zendesk-Webhook-Signature-Timestamp': 'soon' }).expect(401);
  });

  it('about something else is answered 200 and ignored', async () => {
    const body = Buffer.from('{"type":"zen:event-type:user.created","id":"u1","detail":{"id":"1"}}');
    expect((await post(body, sign(body)).expect(200)).body).toEqual({ id: null, outcome: 'ignored' });
  });
});

describe('Standard Webhooks', () => {
  const post = (body: Buffer, headers: Record<string, string>) =>
    request(service.server).post(`/api/v1/push/${service.helpdeskKey}/webhook`).set({ 'Content-Type': 'application/json', ...headers }).serialize((bytes: unknown) => bytes as string).send(body);
  const seconds = () => Math.floor(service.clock.now().getTime() / 1000);
  const sign = (body: Buffer, id = 'msg_1', at = seconds(), secret: string | Buffer = service.helpdeskKey) => ({
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${createHmac('sha256', secret).update(`${id}.${at}.`).update(body).digest('base64')}`,
  });
  const event = (data: object, timestamp = '2026-11-01T10:00:00Z') => Buffer.from(JSON.stringify({ type: 'ticket.updated', timestamp, data }));

  it('is taken with the right signature, one of several, and with a secret of the sender', async () => {
    const body = event({ externalId: 'sw-1', number: 'SW1', subject: 'één', messages: [{ externalId: 'a', at: '2026-11-01T09:00:00Z', from: 'customer', body: 'hallo' }] });
    const made = await post(body, sign(body)).expect(201);
    const later = event({ externalId: 'sw-1', subject: 'twee' }, '2026-11-01T11:00:00Z');
    const several = sign(later, 'msg_2');
    await post(later, { ...several, 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')} ${several['webhook-signature']}` }).expect(200);
    const late = event({ externalId: 'sw-1', subject: 'te laat' }, '2026-11-01T10:30:00Z');
    await post(late, sign(late, 'msg_3')).expect(200);
    expect(await service.read((made.body as Shown)['id'] as string)).toMatchObject({ subject: 'twee', messages: [{ body: 'hallo' }] });

    const own = Buffer.alloc(24, 5);
    await service.helpdesk.put('/api/v1/tickets/webhook-secret').send({ secret: `whsec_${own.toString('base64')}` }).expect(204);
    const body4 = event({ externalId: 'sw-2' });
    await post(body4, sign(body4, 'msg_4')).expect(401);
    await post(body4, sign(body4, 'msg_4', seconds(), own)).expect(201);
    await service.helpdesk.put('/api/v1/tickets/webhook-secret').send({ secret: null }).expect(204);
  });

  it('is refused without a signature, with a wrong one, replayed late, and with wrong fields', async () => {
    const body = event({ externalId: 'sw-3' });
    await post(body, {}).expect(401);
    await post(body, sign(body, 'm', seconds(), 'wrong')).expect(401);
    for (const late of [-600, -301, 301, Number.NaN]) await post(body, sign(body, 'm', seconds() + late)).expect(401);
    await post(Buffer.concat([body, Buffer.from(' ')]), sign(body, 'm')).expect(401);
    await post(body, { ...sign(body, 'm'), 'webhook-timestamp': String(seconds() + 60) }).expect(401);
    await post(body, { ...sign(body, 'm'), 'webhook-id': 'other' }).expect(401);
    // A secret of no length would let anybody sign.
    for (const secret of ['whsec_!!!!!!!!!!!!', 'whsec_AAAAAAAAAA', 'short'])
      await service.helpdesk.put('/api/v1/tickets/webhook-secret').send({ secret }).expect(422);
    const wrong = event({ externalId: 'sw-3', category: 'x' });
    await post(wrong, sign(wrong, 'm5')).expect(422);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticketService, type Shown, type TicketService } from './support/tickets.js';

let service: TicketService;
beforeAll(async () => (service = await ticketService()));
afterAll(() => service.close());

const ago = (hours: number) => new Date(service.clock.now().getTime() - hours * 3_600_000).toISOString();

const message = (externalId: string, hours: number, body = `tekst van ${externalId}`, more: object = {}) => ({
  externalId, at: ago(hours), from: 'customer', internal: false, body, contentType: 'text/plain', ...more,
});

const ticket = (more: object = {}) => ({
  number: '61001',
  subject: 'Factuur klopt niet',
  category: 'support',
  requester: { name: 'Anna de Vries', email: 'Anna@Voorbeeld.NL', phone: '030 - 753 90 75', organisation: 'Voorbeeld BV', relation: 'contact_person' },
  status: 'open',
  createdAt: ago(5),
  closedAt: null,
  messages: [message('m1', 5), message('m2', 4, 'antwoord', { from: 'agent' })],
  ...more,
});

describe('telling of a ticket', () => {
  it('makes it with 201 and a location, and tells it again with 200 without changing anything', async () => {
    const told = ticket();
    const first = await service.helpdesk.put('/api/v1/tickets/by-external/ext-1').send(told).expect(201);
    expect(first.headers['location']).toBe(`/api/v1/tickets/${(first.body as Shown)['id']}`);
    const second = await service.helpdesk.put('/api/v1/tickets/by-external/ext-1').send(told).expect(200);
    expect(second.body).toEqual(first.body);
    const shown = await service.read((first.body as Shown)['id'] as string);
    expect(shown).toMatchObject({
      number: '61001', subject: 'Factuur klopt niet', category: 'support', status: 'open', externalId: 'ext-1',
      requester: { name: 'Anna de Vries', email: 'anna@voorbeeld.nl', phone: '+31307539075', organisation: 'Voorbeeld BV', relation: 'contact_person' },
      held: false, restricted: false, recordings: [], attachments: [],
    });
    expect(shown['messages']).toMatchObject([
      { externalId: 'm1', from: 'customer', internal: false, body: 'tekst van m1', bodyText: 'tekst van m1', bodyHtml: null, versions: 1 },
      { externalId: 'm2', from: 'agent', body: 'antwoord' },
    ]);
  });

  it('stores each message as an object of its own, exactly as it was received', async () => {
    const made = await service.put('ext-objects', ticket({ messages: [message('a', 3, 'één'), message('b', 2, '<p>twee</p>', { contentType: 'text/html' })] }));
    const keys = (await service.keysUnder('tickets/')).filter((key) =>
      (made['messages'] as Shown[]).some((each) => key.startsWith(`tickets/${each['id'] as string}/`)));
    expect(keys).toHaveLength(2);
    const bodies = await Promise.all(keys.map(async (key) => {
      const read = await service.objects.read(key);
      const chunks: Buffer[] = [];
      for await (const chunk of read?.body ?? []) chunks.push(chunk as Buffer);
      expect(await service.objects.tags(key)).toEqual({ hold: '0' });
      return (JSON.parse(Buffer.concat(chunks).toString('utf8')) as { body: string }).body;
    }));
    expect(bodies.sort()).toEqual(['<p>twee</p>', 'één']);
  });

  it('adds messages that come later and leaves those that are not told again', async () => {
    await service.put('ext-more', ticket({ messages: [message('m1', 5)] }));
    const after = await service.put('ext-more', { messages: [message('m2', 1)] });
    expect((after['messages'] as Shown[]).map((each) => each['externalId'])).toEqual(['m1', 'm2']);
    expect(after['subject']).toBe('Factuur klopt niet');
  });

  it('keeps every version of a message and shows the one told last', async () => {
    await service.put('ext-edit', ticket({ updatedAt: ago(4), messages: [message('m1', 5, 'oud')] }));
    const after = await service.put('ext-edit', ticket({ updatedAt: ago(3), messages: [message('m1', 5, 'nieuw')] }));
    expect(after['messages']).toMatchObject([{ body: 'nieuw', versions: 2 }]);
    const late = await service.put('ext-edit', ticket({ updatedAt: ago(3.5), messages: [message('m1', 5, 'ertussen')] }));
    expect(late['messages']).toMatchObject([{ body: 'nieuw', versions: 3 }]);
  });

  it('takes a change without any date as the newest, and a late repetition as none', async () => {
    const first = ticket({ messages: [message('m1', 5)] });
    await service.put('ext-plain', first);
    expect((await service.put('ext-plain', { ...first, subject: 'Verbeterd' }))['subject']).toBe('Verbeterd');
    expect((await service.put('ext-plain', first))['subject']).toBe('Verbeterd');
  });

  it('does not let an older delivery undo a newer one', async () => {
    const closedAt = ago(1);
    await service.put('ext-order', ticket({ status: 'closed', closedAt, updatedAt: ago(1), messages: [message('m2', 2)] }));
    const after = await service.put('ext-order', ticket({ status: 'open', updatedAt: ago(4), messages: [message('m1', 5)] }));
    expect(after).toMatchObject({ status: 'closed', closedAt });
    expect(after['messages']).toHaveLength(2);
  });

  it('keeps the tickets of two helpdesks apart, even with the same external id', async () => {
    const mine = await service.put('shared', ticket());
    const other = await service.otherHelpdesk.put('/api/v1/tickets/by-external/shared').send(ticket({ subject: 'Anders' })).expect(201);
    expect((other.body as Shown)['id']).not.toBe(mine['id']);
    expect((await service.read(mine['id'] as string))['subject']).toBe('Factuur klopt niet');
  });

  it('shows a message in HTML only sanitised, and keeps what was received', async () => {
    const body = '<p onclick="x()">Hallo <b>daar</b><script>alert(1)</script><img src="https://volg.example/p.gif"><a href="javascript:alert(1)">klik</a> <a href="https://voorbeeld.nl">hier</a></p><style>p{background:url(https://volg.example)}</style>';
    const made = await service.put('ext-html', ticket({ messages: [message('m1', 1, body, { contentType: 'text/html; charset=utf-8' })] }));
    const [shown] = made['messages'] as Shown[];
    expect(shown?.['bodyHtml']).toContain('<b>daar</b>');
    for (const evil of ['script', 'onclick', 'img', 'volg.example', 'javascript']) {
      expect(shown?.['bodyHtml']).not.toContain(evil);
      expect(shown?.['body']).not.toContain(evil);
    }
    expect(shown?.['bodyText']).toBe('Hallo daarklik hier');
    const [row] = await service.database.query<{ body: string }>('SELECT body FROM ticket_piece_versions WHERE body LIKE $1', ['%volg.example%']);
    expect(row?.body).toBe(body);
  });

  it('takes twenty deliveries of one new ticket at once and makes one ticket of them', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) =>
      service.helpdesk.put('/api/v1/tickets/by-external/ext-race').send(ticket({ messages: [message(`m${index % 5}`, 5), message('common', 6)] }))));
    expect(answers.map((answer) => answer.status).filter((status) => status !== 200 && status !== 201)).toEqual([]);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    const after = await service.put('ext-race', {});
    expect(after['messages']).toHaveLength(6);
  });

  it('audits what came in, without names or texts', async () => {
    const made = await service.put('ext-audit', ticket());
    const entries = await service.database.query<{ action: string; details: object }>(
      `SELECT action, details FROM audit_entries WHERE object_type = 'ticket' AND object_id = $1 ORDER BY id`, [made['id']]);
    expect(entries.map((entry) => entry.action)).toEqual(['ticket.received', 'ticket.message_received', 'ticket.message_received']);
    expect(JSON.stringify(entries)).not.toMatch(/Anna|voorbeeld|Factuur|tekst van/i);
  });
});

describe('what is refused', () => {
  const refused = async (body: object, status = 422) =>
    (await service.helpdesk.put('/api/v1/tickets/by-external/refused').send(body).expect(status)).body as Shown;

  it.each([
    ['an unknown category', { category: 'spam' }, 'category'],
    ['an instant that is none', { createdAt: 'gisteren' }, 'createdAt'],
    ['a message without a time', { messages: [{ externalId: 'x', at: '', from: 'customer', body: '' }] }, 'messages.0.at'],
    ['a message from nobody', { messages: [{ externalId: 'x', at: '2026-01-01T00:00:00Z', from: 'robot', body: '' }] }, 'messages.0.from'],
    ['a character that is no text', { subject: 'a\u0000b' }, 'subject'],
  ])('%s', async (_name, more, path) => {
    const body = await refused(ticket(more));
    expect(body['code']).toBe('invalid-input');
    expect((body['errors'] as Shown[]).map((error) => error['path'])).toContain(path);
  });

  it('a time more than a day ahead, and one message told twice in a delivery', async () => {
    expect((await refused(ticket({ updatedAt: ago(-30) })))['code']).toBe('invalid-input');
    expect((await refused(ticket({ messages: [message('x', 1), message('x', 2)] })))['code']).toBe('invalid-input');
  });

  it('leaves nothing of it', async () => {
    expect(await service.database.query(`SELECT 1 FROM tickets WHERE external_id = 'refused'`)).toEqual([]);
  });

  it('a body that is no JSON, a machine of another kind, a person, nobody', async () => {
    await service.helpdesk.put('/api/v1/tickets/by-external/x').set('Content-Type', 'text/plain').send('x').expect(415);
    await service.pbx.put('/api/v1/tickets/by-external/x').send(ticket()).expect(403);
    await service.officer.put('/api/v1/tickets/by-external/x').send(ticket()).expect(403);
  });
});

describe('who sees what', () => {
  it('shows a trainer number, state and dates, and neither texts nor who asked', async () => {
    const made = await service.put('ext-view', ticket());
    const shown = await service.read(made['id'] as string, service.trainer);
    expect(shown).toMatchObject({ number: '61001', status: 'open', subject: null, messages: [], attachments: [], requester: { name: null, email: null, phone: '•••075' } });
    expect(JSON.stringify(shown)).not.toMatch(/Anna|anna|Factuur|tekst van|Voorbeeld/);
    await service.auditor.get(`/api/v1/tickets/${made['id'] as string}`).expect(403);
    await service.helpdesk.get(`/api/v1/tickets/${made['id'] as string}`).expect(403);
  });

  it('answers 404 for what is not there', async () => {
    await service.officer.get('/api/v1/tickets/0193a4f0-0000-7000-8000-000000000000').expect(404);
    await service.officer.get('/api/v1/tickets/nonsense').expect(404);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { carryOut } from '../src/retention/carry-out.js';
import { claimDue } from '../src/retention/purge.js';
import { leapTo, ticketService, type Shown, type TicketService } from './support/tickets.js';

let service: TicketService;
beforeAll(async () => (service = await ticketService()));
afterEach(async () => {
  // What a test leaves behind goes, so that each counts only its own.
  await leapTo(service, '2060-01-01T00:00:00Z');
  await service.sweep();
  await leapTo(service, new Date());
});
afterAll(() => service.close());

/** 1 March 2026, 09:30 in Amsterdam. */
const supplied = '2026-03-01T09:30:00+01:00';
let counter = 0;

const message = (externalId: string, at: string, body = 'tekst') => ({ externalId, at, from: 'customer', body });

/** The very instant, and not a moment later. */
async function freezeAt(instant: Date | string): Promise<void> {
  await leapTo(service, instant);
  service.clock.freeze(instant);
}

async function tell(more: object = {}, at = '2026-03-01T10:00:00+01:00'): Promise<Shown> {
  await leapTo(service, at);
  counter += 1;
  return await service.put(`retention-${counter}`, { number: `9${counter}`, messages: [message('m1', supplied)], ...more });
}

describe('how long a ticket is kept', () => {
  // Of a usual day, of a leap day, and of a day that has winter time where its last one has summer time.
  it.each([
    ['support', supplied, '2029-03-01T08:30:00.000Z', 'tickets/'],
    ['contact_form', supplied, '2027-03-01T08:30:00.000Z', 'contact-forms/'],
    ['support', '2028-02-29T12:00:00+01:00', '2031-02-28T11:00:00.000Z', 'tickets/'],
    ['contact_form', '2028-02-29T12:00:00+01:00', '2029-02-28T11:00:00.000Z', 'contact-forms/'],
    ['support', '2026-10-26T12:00:00+01:00', '2029-10-26T10:00:00.000Z', 'tickets/'],
    ['contact_form', '2026-10-26T12:00:00+01:00', '2027-10-26T10:00:00.000Z', 'contact-forms/'],
  ])('%s supplied at %s: one second before its end, and at it', async (category, at, until, root) => {
    const made = await tell({ category, messages: [message('m1', at)] }, new Date(Date.parse(at) + 1_800_000).toISOString());
    const [piece] = made['messages'] as Shown[];
    expect(piece).toMatchObject({ suppliedAt: new Date(at).toISOString(), retainUntil: until });
    expect(made['retainUntil']).toBe(until);
    const prefix = `${root}${piece?.['id'] as string}/`;
    expect(await service.keysUnder(prefix)).toHaveLength(1);

    await freezeAt(new Date(Date.parse(until) - 1_000));
    expect((await service.read(made['id'] as string))['messages']).toHaveLength(1);
    expect(await service.sweep()).toBe(0);

    await freezeAt(until);
    await service.officer.get(`/api/v1/tickets/${made['id'] as string}`).expect(410);
    expect((await service.officer.get('/api/v1/tickets').query({ number: made['number'] as string }).expect(200)).body.items).toEqual([]);
    expect(await service.sweep()).toBe(1);
    expect(await service.keysUnder(prefix)).toEqual([]);
    await service.officer.get(`/api/v1/tickets/${made['id'] as string}`).expect(410);
    expect(await service.database.query('SELECT 1 FROM tickets WHERE id = $1', [made['id']])).toEqual([]);
    const stones = (await service.officer.get('/api/v1/tombstones').query({ ticketId: made['id'] as string }).expect(200)).body as Shown;
    expect((stones['items'] as Shown[]).map((stone) => stone['category']).sort()).toEqual(['ticket', 'ticket_piece']);
  });

  it('counts for each message from when it was supplied; the shell goes with the last', async () => {
    const made = await tell({ messages: [message('old', supplied), message('new', '2026-09-01T12:00:00+02:00')] }, '2026-09-02T00:00:00Z');
    expect(made['retainUntil']).toBe('2029-09-01T10:00:00.000Z');
    await leapTo(service, '2029-03-01T08:31:00Z');
    expect(((await service.read(made['id'] as string))['messages'] as Shown[]).map((each) => each['externalId'])).toEqual(['new']);
    expect(await service.sweep()).toBe(1);
    const after = await service.read(made['id'] as string);
    expect(after['messages']).toHaveLength(1);
    await leapTo(service, '2029-09-01T10:01:00Z');
    expect(await service.sweep()).toBe(1);
    await service.officer.get(`/api/v1/tickets/${made['id'] as string}`).expect(410);
  });

  it.each([
    ['support', '2029-03-01T08:30:00.000Z', '2029-03-11T08:30:00.000Z'],
    ['contact_form', '2027-03-01T08:30:00.000Z', '2027-03-11T08:30:00.000Z'],
  ])('%s: an attachment by itself, both sides; the shell with whichever is last', async (category, messageUntil, attachmentUntil) => {
    const made = await tell({ category }, '2026-03-12T00:00:00Z');
    const [id, externalId] = [made['id'] as string, made['externalId'] as string];
    const attach = async (fields: Record<string, string>) =>
      (await service.helpdesk.post(`/api/v1/tickets/by-external/${externalId}/attachments`).field(fields).attach('file', Buffer.from(JSON.stringify(fields)), 'a.txt').expect(201)).body as Shown;
    const withMessage = await attach({ externalId: 'with', message: 'm1', at: '2026-03-05T00:00:00Z' });
    const later = await attach({ externalId: 'later', at: '2026-03-11T09:30:00+01:00' });
    // What came with a message goes with it at the latest, whatever was told of it.
    expect(withMessage['retainUntil']).toBe(messageUntil);
    expect(later['retainUntil']).toBe(attachmentUntil);
    const open = (piece: Shown) => service.officer.get(`/api/v1/tickets/${id}/attachments/${piece['id'] as string}`);

    await freezeAt(new Date(Date.parse(messageUntil) - 1_000));
    await open(withMessage).expect(200);
    expect(await service.sweep()).toBe(0);
    await freezeAt(messageUntil);
    await open(withMessage).expect(404);
    expect(await service.read(id)).toMatchObject({ messages: [], attachments: [{ externalId: 'later' }] });
    expect(await service.sweep()).toBe(2);

    await freezeAt(new Date(Date.parse(attachmentUntil) - 1_000));
    await open(later).expect(200);
    expect(await service.sweep()).toBe(0);
    await freezeAt(attachmentUntil);
    await open(later).expect(410);
    expect(await service.sweep()).toBe(1);
    await service.officer.get(`/api/v1/tickets/${id}`).expect(410);
    for (const piece of [withMessage, later]) {
      expect(await service.keysUnder(`tickets/${piece['id'] as string}/`)).toEqual([]);
      expect(await service.keysUnder(`contact-forms/${piece['id'] as string}/`)).toEqual([]);
    }
    expect(await service.database.query('SELECT 1 FROM tickets WHERE id = $1', [id])).toEqual([]);
  });

  it('an attachment that came before its message counts from the message all the same', async () => {
    const made = await tell({ category: 'support', messages: [message('m1', supplied)] }, '2026-03-20T00:00:00Z');
    const externalId = made['externalId'] as string;
    const attach = async (fields: Record<string, string>) => {
      await service.helpdesk.post(`/api/v1/tickets/by-external/${externalId}/attachments`).field(fields).attach('file', Buffer.from('x'), 'a.txt').expect(201);
    };
    await attach({ externalId: 'early', message: 'm2' });
    await attach({ externalId: 'form', message: 'm3' });
    const after = await service.put(externalId, { messages: [message('m2', '2026-03-10T12:00:00Z')] });
    const last = await service.put(externalId, { category: 'contact_form', updatedAt: '2026-03-01T00:00:00Z', messages: [message('m3', '2026-03-11T12:00:00Z')] });
    const until = (shown: Shown, of: string) => (shown['attachments'] as Shown[]).find((each) => each['externalId'] === of)?.['retainUntil'] as string;
    expect(until(after, 'early')).toBe('2029-03-10T12:00:00.000Z');
    expect(until(last, 'form')).toBe('2027-03-11T12:00:00.000Z');
  });

  it('never counts from later than the receipt, and a re-sent ticket restarts nothing', async () => {
    const made = await tell({ messages: [message('ahead', '2026-03-02T05:00:00+01:00')] });
    const until = (made['messages'] as Shown[])[0]?.['retainUntil'] as string;
    expect(Date.parse(until)).toBeLessThanOrEqual(Date.parse('2029-03-01T09:00:05Z'));
    await leapTo(service, '2027-01-01T00:00:00Z');
    const again = await service.put(made['externalId'] as string, { subject: 'opnieuw', messages: [message('ahead', '2026-12-31T00:00:00Z')] });
    expect((again['messages'] as Shown[])[0]?.['retainUntil']).toBe(until);
    expect(again['retainUntil']).toBe(until);
  });

  it('is shortened when it turns out to be a contact form, never lengthened when it turns out to be support', async () => {
    const form = await tell({ category: 'contact_form' });
    const asSupport = await service.put(form['externalId'] as string, { category: 'support', updatedAt: '2026-03-01T10:00:00+01:00', messages: [message('m1', supplied)] });
    expect(asSupport).toMatchObject({ category: 'support', retainUntil: '2027-03-01T08:30:00.000Z' });
    const support = await tell({ category: 'support' });
    const asForm = await service.put(support['externalId'] as string, { category: 'contact_form', updatedAt: '2026-03-01T10:00:00+01:00', messages: [message('m1', supplied)] });
    expect(asForm).toMatchObject({ category: 'contact_form', retainUntil: '2027-03-01T08:30:00.000Z' });
  });

  it('does not take in what is over already, and takes the rest', async () => {
    await leapTo(service, '2029-03-02T00:00:00Z');
    const over = await service.helpdesk.put('/api/v1/tickets/by-external/over').send({ messages: [message('m1', supplied)] }).expect(422);
    expect(over.body).toMatchObject({ code: 'retention-over' });
    expect(await service.database.query(`SELECT 1 FROM tickets WHERE external_id = 'over'`)).toEqual([]);
    const partly = await service.put('partly', { messages: [message('m1', supplied), message('m2', '2029-03-01T00:00:00Z')] });
    expect((partly['messages'] as Shown[]).map((each) => each['externalId'])).toEqual(['m2']);
  });

  it('a message that came to its end stays gone when a longer period is set, while its ticket goes on', async () => {
    const setPeriod = (amount: number) =>
      service.admin.put('/api/v1/retention/policies/support').send({ amount, unit: 'calendar_years', reason: 'test' }).expect(200);
    await setPeriod(2);
    try {
      const made = await tell({ messages: [message('m1', supplied), message('m2', '2027-03-01T00:00:00Z')] }, '2027-03-01T12:00:00Z');
      await leapTo(service, '2028-03-02T00:00:00Z');
      expect(await service.sweep()).toBe(1);
      await setPeriod(3);
      const messages = [message('m1', supplied), message('m2', '2027-03-01T00:00:00Z'), message('m3', '2028-03-01T00:00:00Z')];
      const again = await service.put(made['externalId'] as string, { messages });
      expect((again['messages'] as Shown[]).map((each) => each['externalId'])).toEqual(['m2', 'm3']);
    } finally {
      await setPeriod(3);
    }
  });

  it('goes by itself when it never had a message', async () => {
    const made = await tell({ messages: [], createdAt: supplied });
    expect(made['retainUntil']).toBe('2029-03-01T08:30:00.000Z');
    await leapTo(service, '2029-03-01T08:29:00Z');
    expect(await service.sweep()).toBe(0);
    await leapTo(service, '2029-03-01T08:31:00Z');
    expect(await service.sweep()).toBe(1);
    await service.officer.get(`/api/v1/tickets/${made['id'] as string}`).expect(410);
  });
});

describe('a hold on a ticket', () => {
  it('that never had a message does not keep the sweep from the next one', async () => {
    const held = await tell({ messages: [], createdAt: supplied });
    const free = await tell({ messages: [], createdAt: '2026-03-01T09:40:00+01:00' });
    await service.officer.post('/api/v1/holds')
      .send({ ticketId: held['id'] as string, ground: 'legal_claim', reason: 'geschil', reviewAt: '2030-01-01T00:00:00Z' }).expect(201);
    await leapTo(service, '2029-03-02T00:00:00Z');
    const context = { clock: service.clock, database: service.database, objects: service.objects, log: service.log, ruleDays: () => 1096 };
    const [, shells] = service.categories;
    if (shells === undefined) throw new Error('tickets have two categories');
    const claimed = await claimDue(context, service.categories, shells, 1);
    expect(claimed.map((purge) => purge.itemId)).toEqual([free['id']]);
    await carryOut(context, shells, claimed);
    await service.read(held['id'] as string);
    await service.officer.get(`/api/v1/tickets/${free['id'] as string}`).expect(410);
  });

  it('keeps all of it past its date, for the officer alone, and is on every object', async () => {
    const made = await tell();
    const id = made['id'] as string;
    const hold = await service.officer.post('/api/v1/holds')
      .send({ ticketId: id, ground: 'legal_claim', reason: 'geschil', reviewAt: '2030-01-01T00:00:00Z' }).expect(201);
    expect((hold.body as Shown)['itemId'] ?? (hold.body as Shown)['ticketId']).toBe(id);
    await leapTo(service, '2029-03-01T08:31:00Z');
    expect(await service.sweep()).toBe(0);
    expect((await service.read(id))['messages']).toHaveLength(1);
    await service.trainer.get(`/api/v1/tickets/${id}`).expect(410);
    // What comes in while it is held is stored as held.
    await leapTo(service, '2026-03-02T00:00:00Z');
    const more = await service.put(made['externalId'] as string, { messages: [message('m2', '2026-03-01T12:00:00Z')] });
    const added = (more['messages'] as Shown[]).find((each) => each['externalId'] === 'm2') as Shown;
    const [key] = await service.keysUnder(`tickets/${added['id'] as string}/`);
    expect(await service.objects.tags(key ?? '')).toEqual({ hold: '1' });
  });
});

describe('what was erased on request', () => {
  it('does not come back by being sent again', async () => {
    const { beginPurge } = await import('../src/retention/purge.js');
    const made = await tell({ messages: [message('m1', supplied), message('m2', supplied)] });
    const [first] = made['messages'] as Shown[];
    const erase = (ids: string[]) => service.database.inTransaction((tx) =>
      beginPurge(service.platform, service.categories, tx, { category: 'ticket_piece', ids }, { reason: 'erasure', rule: 'request 1', actor: { kind: 'system', id: 'test' } }));
    await erase([first?.['id'] as string]);
    await service.sweep();
    const told = { number: 'x', messages: [message('m1', supplied, 'anders'), message('m2', supplied)] };
    expect((await service.put(made['externalId'] as string, told))['messages']).toMatchObject([{ externalId: 'm2' }]);
    await erase([(made['messages'] as Shown[])[1]?.['id'] as string]);
    await service.sweep();
    await service.officer.get(`/api/v1/tickets/${made['id'] as string}`).expect(410);
    await service.helpdesk.put(`/api/v1/tickets/by-external/${made['externalId'] as string}`).send(told).expect(422);
    await service.helpdesk.put(`/api/v1/tickets/by-external/${made['externalId'] as string}`).send({ status: 'closed' }).expect(422);
  });
});

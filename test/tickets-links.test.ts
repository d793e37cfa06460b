import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameTicket, ticketsOfRecordings } from '../src/tickets/link.js';
import { leapTo, ticketService, type Shown, type TicketService } from './support/tickets.js';

let service: TicketService;
beforeAll(async () => (service = await ticketService()));
afterAll(() => service.close());

let counter = 0;
const tell = (more: object = {}) => {
  counter += 1;
  const now = service.clock.now().toISOString();
  return service.put(`link-${counter}`, {
    number: `L${counter}`, subject: `onderwerp ${counter}`, createdAt: now,
    messages: [{ externalId: 'm', at: now, from: 'customer', body: 'x' }], ...more,
  });
};

async function call(fields: { ticket?: string; caller?: string; agent?: string; minutesAgo?: number } = {}): Promise<string> {
  const endedAt = new Date(service.clock.now().getTime() - (fields.minutesAgo ?? 30) * 60_000);
  const id = await service.record({ endedAt, objects: false });
  await service.database.query('UPDATE recordings SET ticket_number = $2, caller_number = $3, agent = $4 WHERE id = $1', [
    id, fields.ticket ?? null, fields.caller ?? '+31850009999', fields.agent ?? null,
  ]);
  return id;
}

const callsOf = async (ticketId: string) => ((await service.read(ticketId))['recordings'] as Shown[]).map((each) => each['id'] as string);
const ticketsOf = async (recordingId: string) =>
  ((await ticketsOfRecordings(service.database, 'privacy_officer', [recordingId], service.clock.now())).get(recordingId) ?? []).map((each) => each.id);
const filtered = async (number: string) =>
  (await service.database.query<{ id: string }>(`SELECT r.id FROM recordings r WHERE ${sameTicket('r', '$1')}`, [number])).map((row) => row.id);

describe('a ticket number on either side', () => {
  it('links them, whichever came first, however the number is written', async () => {
    const before = await call({ ticket: '#L100' });
    const ticket = await tell({ number: 'L100' });
    const after = await call({ ticket: 'L100' });
    expect((await callsOf(ticket['id'] as string)).sort()).toEqual([before, after].sort());
    expect(await ticketsOf(before)).toEqual([ticket['id']]);
    expect((await filtered('#L100')).sort()).toEqual([before, after].sort());
    expect((await service.read(ticket['id'] as string))['recordings']).toMatchObject([{ basis: ['ticket_number'], linkedBy: null }, { basis: ['ticket_number'] }]);
  });

  it.each(['recording_id', 'ticket_id'])('is found by index, given its %s', async (given) => {
    const plan = await service.database.inTransaction(async (tx) => {
      await service.database.query('SET LOCAL enable_seqscan = off', [], tx);
      await service.database.query('SET LOCAL enable_hashjoin = off', [], tx);
      await service.database.query('SET LOCAL enable_mergejoin = off', [], tx);
      return await service.database.query<Record<string, string>>(
        `EXPLAIN SELECT * FROM ticket_recordings WHERE ${given} = '019d0d7a-1d80-75d6-92af-718305388642'`, [], tx,
      );
    });
    const lines = plan.map((row) => Object.values(row).join()).join('\n');
    // Where the numbers are only compared after both rows were read, all rows of the other side were.
    expect(lines).not.toMatch(/Join Filter: .*ticket_number/);
    expect(lines).not.toContain('Seq Scan');
  });

  it('follows a number that is told later', async () => {
    const recording = await call({ ticket: 'L200' });
    const ticket = await tell({ number: 'voorlopig' });
    expect(await callsOf(ticket['id'] as string)).toEqual([]);
    await service.put(ticket['externalId'] as string, { number: 'L200', updatedAt: new Date(service.clock.now().getTime() + 1000).toISOString() });
    expect(await callsOf(ticket['id'] as string)).toEqual([recording]);
  });
});

describe('a link by hand', () => {
  it('is made with its reason and basis, taken apart, and goes before the number', async () => {
    const ticket = await tell();
    const id = ticket['id'] as string;
    const byHand = await call();
    await service.trainer.put(`/api/v1/tickets/${id}/recordings/${byHand}`).expect(204);
    await service.officer.put(`/api/v1/tickets/${id}/recordings/${byHand}`).send({ basis: ['same_number', 'near_in_time'], reason: 'zelfde beller' }).expect(204);
    expect((await service.read(id))['recordings']).toMatchObject([{ id: byHand, basis: ['same_number', 'near_in_time'], reason: 'zelfde beller', linkedAt: expect.any(String) as string }]);
    // Free text may name people: a trainer learns on what grounds, not in which words.
    expect((await service.read(id, service.trainer))['recordings']).toMatchObject([{ id: byHand, basis: ['same_number', 'near_in_time'], reason: null }]);
    expect(await filtered(ticket['number'] as string)).toEqual([byHand]);

    const byNumber = await call({ ticket: ticket['number'] as string });
    await service.officer.delete(`/api/v1/tickets/${id}/recordings/${byNumber}`).send({ reason: 'verkeerd nummer ingetoetst' }).expect(204);
    expect(await callsOf(id)).toEqual([byHand]);
    expect(await ticketsOf(byNumber)).toEqual([]);
    expect(await filtered(ticket['number'] as string)).toEqual([byHand]);
    await service.officer.put(`/api/v1/tickets/${id}/recordings/${byNumber}`).expect(204);
    expect((await callsOf(id)).sort()).toEqual([byHand, byNumber].sort());
    const entries = await service.database.query<Shown>(`SELECT action, details FROM audit_entries WHERE object_id = $1 AND action LIKE 'ticket.%linked' ORDER BY id`, [id]);
    expect(entries.map((entry) => entry['action'])).toEqual(['ticket.linked', 'ticket.linked', 'ticket.unlinked', 'ticket.linked']);
    expect(JSON.stringify(entries)).not.toContain('beller');
  });

  it('is refused to who may not, for what is not there, and with nonsense', async () => {
    const id = (await tell())['id'] as string;
    const recording = await call();
    await service.auditor.put(`/api/v1/tickets/${id}/recordings/${recording}`).expect(403);
    await service.helpdesk.put(`/api/v1/tickets/${id}/recordings/${recording}`).expect(403);
    await service.officer.put(`/api/v1/tickets/${recording}/recordings/${recording}`).expect(404);
    await service.officer.put(`/api/v1/tickets/${id}/recordings/${id}`).expect(404);
    await service.officer.put(`/api/v1/tickets/${id}/recordings/${recording}`).send({ basis: ['droom'] }).expect(422);
    await service.officer.put(`/api/v1/tickets/${id}/recordings/${recording}`).set('Content-Type', 'application/json').send('{').expect(400);
  });

  it('lengthens neither side: the call goes after 90 days, the ticket stays', async () => {
    const ticket = await tell();
    const recording = await call();
    await service.officer.put(`/api/v1/tickets/${ticket['id'] as string}/recordings/${recording}`).expect(204);
    const [shown] = (await service.read(ticket['id'] as string))['recordings'] as Shown[];
    expect(Date.parse(ticket['retainUntil'] as string) - Date.parse(shown?.['retainUntil'] as string)).toBeGreaterThan(1000 * 86_400_000);
    const today = new Date();
    await leapTo(service, new Date(today.getTime() + 91 * 86_400_000));
    expect(await callsOf(ticket['id'] as string)).toEqual([]);
    await leapTo(service, today);
  });
});

describe('suggestions', () => {
  it('name what may belong together and why, until somebody decides', async () => {
    const ticket = await tell({ requester: { name: 'Kees', phone: '0612340001', organisation: 'Suggestie BV' }, agent: '204' });
    await tell({ requester: { name: 'Piet', phone: '0612340002', organisation: 'suggestie bv' } });
    const same = await call({ caller: '+31612340001', agent: '204', minutesAgo: 60 });
    const colleague = await call({ caller: '+31612340002', minutesAgo: 120 });
    const days = await call({ caller: '+31612340001', minutesAgo: 3 * 24 * 60 });
    await call({ caller: '+31612340001', minutesAgo: 30 * 24 * 60 });
    await call({ caller: '+31612349999' });
    const id = ticket['id'] as string;
    const suggested = async () => ((await service.officer.get(`/api/v1/tickets/${id}/suggestions`).expect(200)).body as Shown)['items'] as Shown[];
    expect((await suggested()).map((each) => [each['id'], each['basis']])).toEqual([
      [same, ['same_number', 'near_in_time', 'same_agent']],
      [colleague, ['same_organisation', 'near_in_time']],
      [days, ['same_number']],
    ]);
    const forCall = (await service.trainer.get(`/api/v1/recordings/${same}/ticket-suggestions`).expect(200)).body as Shown;
    expect((forCall['items'] as Shown[])[0]).toMatchObject({ id, subject: null, basis: ['same_number', 'near_in_time', 'same_agent'] });
    expect(forCall['items']).toHaveLength(2);

    await service.officer.put(`/api/v1/tickets/${id}/recordings/${same}`).send({ basis: ['same_number', 'near_in_time', 'same_agent'] }).expect(204);
    await service.officer.delete(`/api/v1/tickets/${id}/recordings/${colleague}`).expect(204);
    expect((await suggested()).map((each) => each['id'])).toEqual([days]);
    expect(await callsOf(id)).toEqual([same]);
  });
});

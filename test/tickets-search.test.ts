import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renewWords } from '../src/tickets/search-words.js';
import { leapTo, ticketService, type Shown, type TicketService } from './support/tickets.js';

let service: TicketService;

const tell = (externalId: string, day: number, more: object) =>
  service.put(externalId, {
    createdAt: `2026-10-${String(day).padStart(2, '0')}T10:00:00+02:00`,
    messages: [{ externalId: 'm', at: `2026-10-${String(day).padStart(2, '0')}T10:00:00+02:00`, from: 'customer', body: (more as { body?: string }).body ?? 'niets' }],
    ...more,
  });

beforeAll(async () => {
  service = await ticketService();
  await tell('invoice', 1, { number: '70001', subject: 'Vraag over facturen', body: 'De bedragen op mijn rekeningen kloppen niet.', requester: { name: 'Saïda van den Bergh', email: 'Saida@Example.nl', phone: '+31 6 11112222', organisation: 'Bakkerij Zoetemelk' } });
  await tell('modem', 2, { number: '70002', subject: 'Storing', body: 'Het modem blijft knipperen na de onweersbui.', requester: { name: 'Peter Kuipers', email: 'p.kuipers@example.org', phone: '0201234567', organisation: 'Fietsenwinkel Kuipers' } });
  await tell('invoice2', 3, { number: '70003', subject: 'Factuur dubbel', body: 'Graag een creditnota.', requester: { name: 'Jan Jansen', email: 'jan@example.nl', phone: '0201234567', organisation: 'Bakkerij Zoetemelk' } });
});
afterAll(() => service.close());

const found = async (query: Record<string, string>) =>
  (((await service.officer.get('/api/v1/tickets').query(query).expect(200)).body as Shown)['items'] as Shown[]).map((each) => each['externalId'] as string);

describe('tickets are found', () => {
  it.each([
    ['by number', { number: '70002' }, ['modem']],
    ['by number with a hash sign', { number: ' #70002 ' }, ['modem']],
    ['by e-mail address in any case', { email: 'SAIDA@example.NL' }, ['invoice']],
    ['by telephone number as people write it', { phone: '06-1111 2222' }, ['invoice']],
    ['by telephone number in its international form', { phone: '0031 20 123 45 67' }, ['invoice2', 'modem']],
    ['by the end of a telephone number', { phone: '4567' }, ['invoice2', 'modem']],
    ['by another form of a word', { q: 'factuur' }, ['invoice2', 'invoice']],
    ['by a word in a message', { q: 'knippert' }, ['modem']],
    ['by several words', { q: 'factuur creditnota' }, ['invoice2']],
    ['by words in a row', { q: '"dubbel factuur"' }, []],
    ['without a word', { q: 'factuur -creditnota' }, ['invoice']],
    ['by either word', { q: 'modem or creditnota' }, ['invoice2', 'modem']],
    ['by name', { q: 'van den Bergh' }, ['invoice']],
    ['by name without its accents', { q: 'saida' }, ['invoice']],
    ['by organisation', { q: 'zoetemelk' }, ['invoice2', 'invoice']],
    ['by a misspelt word', { q: 'knipperren' }, ['modem']],
    ['by a misspelt name', { q: 'zoetemlek' }, ['invoice2', 'invoice']],
    ['by an e-mail address in the text box', { q: 'p.kuipers@example.org' }, ['modem']],
    ['by a telephone number in the text box', { q: '06 11 11 22 22' }, ['invoice']],
    ['by day', { from: '2026-10-02', to: '2026-10-02' }, ['modem']],
    ['by period and word', { q: 'factuur', to: '2026-10-02' }, ['invoice']],
    ['by period, number and word', { q: 'factuur', to: '2026-10-02', number: '70001' }, ['invoice']],
    ['by a telephone number in the text box within a period', { q: '020 123 45 67', to: '2026-10-02' }, ['modem']],
    ['by nothing that is there', { q: 'giraffe' }, []],
    ['by empty fields as if they were not given', { q: '', email: '', phone: '', number: '70003' }, ['invoice2']],
    ['by signs that mean something to a query language', { q: `'); DROP TABLE tickets; -- & | ! ( :*` }, []],
  ])('%s', async (_name, query, expected) => {
    expect(await found(query as Record<string, string>)).toEqual(expected);
  });

  it('page by page, none twice and none left out', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    do {
      const { body } = await service.officer.get('/api/v1/tickets').query({ q: 'factuur or modem', limit: '1', ...(cursor === '' ? {} : { cursor }) }).expect(200);
      seen.push(...((body as Shown)['items'] as Shown[]).map((each) => each['externalId'] as string));
      cursor = (body as Shown)['nextCursor'] as string | null;
    } while (cursor !== null);
    expect(seen).toEqual(['invoice2', 'modem', 'invoice']);
  });

  it('by a trainer by number and period alone', async () => {
    const { body } = await service.trainer.get('/api/v1/tickets').query({ number: '70001' }).expect(200);
    expect((body as Shown)['items']).toMatchObject([{ externalId: 'invoice', subject: null, requester: { name: null, phone: '•••222' } }]);
    for (const query of [{ q: 'bergh' }, { email: 'saida@example.nl' }, { phone: '0611112222' }])
      await service.trainer.get('/api/v1/tickets').query(query).expect(403);
    await service.auditor.get('/api/v1/tickets').expect(403);
    await service.nobody.get('/api/v1/tickets').expect(401);
  });

  it('and what was asked is on the record as a digest only', async () => {
    await found({ email: 'saida@example.nl' });
    const entries = await service.database.query<Shown>(`SELECT details FROM audit_entries WHERE action = 'ticket.searched' ORDER BY id DESC LIMIT 1`);
    expect(entries[0]?.['details']).toEqual({ queryDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as string, found: 1 });
  });

  it('is refused with a number too short or a cursor that is none', async () => {
    await service.officer.get('/api/v1/tickets').query({ phone: '12' }).expect(422);
    await service.officer.get('/api/v1/tickets').query({ cursor: 'x' }).expect(422);
    await service.officer.get('/api/v1/tickets').query({ from: 'gisteren' }).expect(422);
  });

  it('no longer by words of a message that is gone, nor does the list of words keep them', async () => {
    await tell('two', 4, { number: '70009', subject: 'x', body: 'ornithologie' });
    await service.put('two', { messages: [{ externalId: 'n', at: '2026-11-01T00:00:00Z', from: 'agent', body: 'blijft' }] });
    expect(await found({ q: 'ornithologie' })).toEqual(['two']);
    const today = new Date();
    await leapTo(service, '2029-10-10T00:00:00Z');
    await service.sweep();
    expect(await found({ q: 'ornithologie' })).toEqual([]);
    expect(await found({ q: 'blijft' })).toEqual(['two']);
    await renewWords(service.database);
    expect(await service.database.query(`SELECT word FROM ticket_words WHERE word LIKE 'ornit%'`)).toEqual([]);
    expect(await service.database.query(`SELECT word FROM ticket_words WHERE word = 'blijft'`)).toHaveLength(1);
    await leapTo(service, today);
  });
});

import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { merge, type Told, type TicketFields } from '../src/tickets/merge.js';
import { ticketService, type Shown, type TicketService } from './support/tickets.js';

/**
 * Whatever order deliveries come in, and however often each, the ticket ends the same. Once over the pure rule with many
 * runs, once over HTTP with a real database.
 */

const base = Date.UTC(2026, 0, 5);
const told = (hour: number) => new Date(base + hour * 3_600_000).toISOString();
const instant = fc.integer({ min: 0, max: 6 }).map((hour) => new Date(base + hour * 3_600_000));

const fields: fc.Arbitrary<Partial<TicketFields>> = fc.record(
  {
    subject: fc.constantFrom('a', 'b', 'c'),
    status: fc.constantFrom('open', 'pending', 'closed'),
    category: fc.constantFrom('support' as const, 'contact_form' as const),
    closedAt: fc.option(instant, { nil: null }),
    agent: fc.option(fc.constantFrom('101', '102'), { nil: null }),
  },
  { requiredKeys: [] },
);

describe('the merge of fields', () => {
  it('ends the same in any order, with any repetitions', () => {
    const delivery = fc.record({ at: instant, exact: fc.constant(true), fields });
    fc.assert(
      fc.property(fc.array(delivery, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat()), (deliveries, random) => {
        const run = (order: typeof deliveries) => {
          let told: Told = {};
          const state: Partial<TicketFields> = {};
          for (const each of order) {
            const merged = merge(told, each);
            told = merged.told;
            Object.assign(state, merged.changes);
          }
          return { told, state };
        };
        const shuffled = [...deliveries, ...deliveries]
          .map((each) => ({ each, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each);
        expect(run(shuffled)).toEqual(run(deliveries));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('deliveries over HTTP', () => {
  let service: TicketService;
  beforeAll(async () => (service = await ticketService()));
  afterAll(() => service.close());

  const iso = instant.map((at) => at.toISOString());
  const message = fc.record({
    externalId: fc.constantFrom('m1', 'm2', 'm3'),
    at: iso,
    from: fc.constantFrom('customer', 'agent'),
    internal: fc.boolean(),
    body: fc.constantFrom('een', 'twee', '<p>drie</p>'),
    contentType: fc.constantFrom('text/plain', 'text/html'),
  });
  const delivery = fc.record(
    {
      updatedAt: iso,
      subject: fc.constantFrom('a', 'b'),
      status: fc.constantFrom('open', 'closed'),
      category: fc.constantFrom('support', 'contact_form'),
      closedAt: fc.option(iso, { nil: null }),
      createdAt: iso,
      requester: fc.record({ name: fc.constantFrom('Anna', 'Bert'), phone: fc.constantFrom('0612345678', '+31 6 1234 5678', '030-7539075') }, { requiredKeys: ['name'] }),
      messages: fc.uniqueArray(message, { selector: (each) => each.externalId, maxLength: 3 }),
    },
    { requiredKeys: ['updatedAt'] },
  );

  /** An attachment is what it is: only when it came, and whether its message is named, differs from one telling to the next. */
  const attachment = fc.record({ attachment: fc.constantFrom('a1', 'a2', 'a3'), at: iso, named: fc.boolean() });
  const messageOf: Record<string, string> = { a1: 'm1', a2: 'm2' };
  type Told = object | { attachment: string; at: string; named: boolean };

  /** What of a ticket must not depend on the order: everything but when it came in and under which ids. */
  function settled(shown: Shown): object {
    const { id: _id, externalId: _external, receivedAt: _received, ...rest } = shown;
    const bare = (pieces: Shown[]) => pieces.map(({ id: _piece, ...each }) => each);
    return { ...rest, messages: bare(shown['messages'] as Shown[]), attachments: bare(shown['attachments'] as Shown[]) };
  }

  /** Attachments of a ticket that is not there yet are refused, and sent again, as a helpdesk would. */
  async function tell(externalId: string, told: Told): Promise<boolean> {
    if (!('attachment' in told)) {
      await service.put(externalId, { number: '7', ...told });
      return true;
    }
    const message = told.named ? messageOf[told.attachment] : undefined;
    const answer = await service.helpdesk
      .post(`/api/v1/tickets/by-external/${externalId}/attachments`)
      .field({ externalId: told.attachment, at: told.at, ...(message === undefined ? {} : { message }) })
      .attach('file', Buffer.from(told.attachment), `${told.attachment}.txt`);
    if (answer.status !== 404) expect([200, 201]).toContain(answer.status);
    return answer.status !== 404;
  }

  async function send(deliveries: readonly Told[]): Promise<object> {
    const externalId = randomUUID();
    const refused: Told[] = [];
    for (const each of deliveries) if (!(await tell(externalId, each))) refused.push(each);
    for (const each of refused) await tell(externalId, each);
    // A repetition of what is known answers the ticket as it is.
    const [any = {}] = deliveries.filter((each) => !('attachment' in each));
    const { id } = await service.put(externalId, { number: '7', ...any });
    return settled(await service.read(id as string));
  }

  it('end in the same ticket in any order, with any repetitions, attachments and other categories among them', async () => {
    service.clock.set(new Date(base + 10 * 3_600_000));
    const some = fc.tuple(delivery, fc.array(fc.oneof({ weight: 3, arbitrary: delivery }, { weight: 2, arbitrary: attachment }), { minLength: 1, maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(some, fc.array(fc.nat(), { minLength: 10, maxLength: 10 }), async ([first, others], keys) => {
        const deliveries: Told[] = [first, ...others];
        const twice = [...deliveries, ...deliveries].map((each, index) => ({ each, key: keys[index] ?? 0 }));
        const shuffled = twice.sort((a, b) => a.key - b.key).map(({ each }) => each);
        expect(await send(shuffled)).toEqual(await send(deliveries));
      }),
      {
        numRuns: 20,
        endOnFailure: true,
        // Found once: the same attachment, told again with an earlier time, and nothing else that has one.
        examples: [[[
          { updatedAt: told(0) }, [{ attachment: 'a1', at: told(1), named: false }, { attachment: 'a1', at: told(0), named: false }],
        ], [0, 257497888, 0, 0, 0, 0, 0, 0, 0, 0]]],
      },
    );
    service.clock.reset();
  }, 180_000);

  it('that come at once end like those that come in turn', async () => {
    service.clock.set(new Date(base + 10 * 3_600_000));
    const deliveries = fc.sample(fc.array(delivery, { minLength: 6, maxLength: 6 }), { numRuns: 3, seed: 7 });
    for (const each of deliveries) {
      const externalId = randomUUID();
      await Promise.all(each.map((one) => service.put(externalId, { number: '7', ...one })));
      const { id } = await service.put(externalId, { number: '7', ...each[0] });
      expect(settled(await service.read(id as string))).toEqual(await send(each));
    }
    service.clock.reset();
  }, 60_000);
});

import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { placeHoldsIn, type HoldOrder } from '../src/retention/place-hold.js';
import { remindOfHolds, tellOfHolds, type ReminderSettings } from '../src/retention/remind.js';
import { signedIn, usualPassword } from './support/access.js';
import { startReceivers, type Receivers } from './support/receivers.js';
import { retentionService, type RetentionService } from './support/retention-service.js';

/** People are reminded of holds that wait for them: once for a date, without a word about anybody. */

const day = 86_400_000;
const secret = Buffer.from('a shared secret').toString('base64');
let folder: string;
let service: RetentionService;
let receivers: Receivers;
let settings: ReminderSettings;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reminders-'));
  [service, receivers] = await Promise.all([retentionService(folder), startReceivers()]);
  settings = {
    webhook: { url: receivers.webhookUrl, secret: `whsec_${secret}` },
    mail: { smtpUrl: receivers.smtpUrl, from: 'opname@example.test' },
    publicUrl: 'https://opname.example.test/',
  };
  service.clock.set('2027-03-01T09:00:00Z'); // a Monday
});
afterAll(async () => {
  receivers.close();
  await service.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  receivers.mails.length = 0;
  receivers.calls.length = 0;
  receivers.answerWith(200);
});

const turn = async () => {
  const noted = await remindOfHolds(service.platform, settings);
  await tellOfHolds(service.platform, settings);
  return noted;
};
const place = async (orders: Partial<HoldOrder>[], name = 'first officer') => {
  const [person] = await service.database.query<{ id: string }>('SELECT id FROM users WHERE name = $1', [name]);
  const whole = await Promise.all(orders.map(async (order): Promise<HoldOrder> => ({
    kind: 'recording', itemId: await service.record(), ground: 'legal_claim', reason: 'claim of J. Jansen, +31612345678',
    reviewAt: new Date(service.clock.now().getTime() + 20 * day), ...order,
  })));
  return await service.database.inTransaction((tx) =>
    placeHoldsIn(service.platform, service.categories, tx, { kind: 'person', id: person?.id ?? '' }, whole, 'Europe/Amsterdam'),
  );
};
const counts = () => receivers.calls.map(({ body }) => (JSON.parse(body) as { data: unknown }).data);

test('a hold nobody confirmed is told a day before the third working day ends, and when it has', async () => {
  const requestId = '01990000-0000-7000-8000-000000000001';
  await place([{}, { ground: 'open_request', requestId }, { ground: 'open_request', requestId }]);
  expect(await turn()).toBe(0);
  service.clock.set('2027-03-03T23:30:00Z'); // until the end of Thursday
  expect(await turn()).toBe(3);
  // The holds of one request are one thing to do.
  expect(counts()).toEqual([{ confirm: 2, confirmLate: 0, reviewSoon: 0, review: 0 }]);
  const [call] = receivers.calls;
  const { headers, body } = call ?? { headers: {} as Record<string, unknown>, body: '{}' };
  expect(JSON.parse(body)).toMatchObject({ type: 'retention.holds.due' });
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64')}`);
  expect(receivers.mails).toHaveLength(2);
  for (const mail of receivers.mails) {
    expect(mail).toContain('https://opname.example.test/holds');
    expect(mail).not.toMatch(/Jansen|31612345678|claim/);
  }
  expect(receivers.mails.map((mail) => /^To: (.*)$/m.exec(mail)?.[1]).sort()).toEqual(['first.officer@example.nl', 'second.officer@example.nl']);
  expect(await turn()).toBe(0);
  service.clock.set('2027-03-05T09:00:00Z');
  expect(await turn()).toBe(3);
  expect(counts().at(-1)).toEqual({ confirm: 0, confirmLate: 2, reviewSoon: 0, review: 0 });
  expect(await turn()).toBe(0);
});

test('one that is confirmed is told of a week before its review and on the day; what a request placed, or ends by itself, is not', async () => {
  const { placed: [hold] } = await place([{ reviewAt: new Date(service.clock.now().getTime() + 20 * day) }]);
  await place([{ endsAt: new Date(service.clock.now().getTime() + 21 * day) }]);
  await service.database.query('UPDATE holds SET confirmed_by = owner_id, confirmed_at = $1 WHERE confirmed_at IS NULL', [service.clock.now()]);
  expect(await turn()).toBe(0);
  // The holds of the first test are reviewed some days before: the one of a person has its turn, those of the request have not.
  await service.database.query('UPDATE holds SET released_at = $1, released_by = owner_id, release_reason = $3, ends_at = $1 WHERE id <> $2 AND ends_at IS NULL', [service.clock.now(), hold?.id, 'over']);
  service.clock.advance(13 * day + 1000);
  expect(await turn()).toBe(1);
  expect(counts()).toEqual([{ confirm: 0, confirmLate: 0, reviewSoon: 1, review: 0 }]);
  service.clock.advance(7 * day);
  expect(await turn()).toBe(1);
  expect(counts().at(-1)).toEqual({ confirm: 0, confirmLate: 0, reviewSoon: 0, review: 1 });
  // Whoever gives it another date by placing another hold and releasing this one is not reminded of this one again.
  const officer = await signedIn(service.server, 'first.officer@example.nl', usualPassword);
  await officer.post(`/api/v1/holds/${hold?.id ?? ''}/release`).send({ reason: 'settled' }).expect(200);
  expect(await turn()).toBe(0);
});

test('a secret hold is told to its owner alone, and a receiver that fails is told again', async () => {
  await place([{ ground: 'authority_order', secret: true, reviewAt: new Date(service.clock.now().getTime() + 10 * day) }]);
  service.clock.advance(4 * day);
  receivers.answerWith(500);
  expect(await turn()).toBe(1);
  expect(receivers.calls).toEqual([]);
  expect(receivers.mails.map((mail) => /^To: (.*)$/m.exec(mail)?.[1])).toEqual(['first.officer@example.nl']);

  await place([{ reviewAt: new Date(service.clock.now().getTime() + 9 * day) }]);
  service.clock.advance(3 * day);
  await turn();
  expect(receivers.calls).toEqual([]);
  receivers.answerWith(200);
  service.clock.advance(10 * 60_000);
  await Promise.all([turn(), turn(), turn()]);
  // The third working day ends that night.
  expect(counts()).toEqual([{ confirm: 1, confirmLate: 0, reviewSoon: 1, review: 0 }]);
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../src/access/caller.js';
import { isHeld } from '../src/retention/hold.js';
import { countHolds } from '../src/retention/overview.js';
import { confirmHold, releaseHoldsIn } from '../src/retention/decide-hold.js';
import { placeHold, placeHoldIn, placeHoldsIn, type HoldOrder } from '../src/retention/place-hold.js';
import { beginPurge, claimDue } from '../src/retention/purge.js';
import { runRetags } from '../src/retention/retag.js';
import { requestSweep, runPurges } from '../src/retention/sweep.js';
import { retentionService, type RetentionService } from './support/retention-service.js';
import { usualPassword, signedIn } from './support/access.js';

const day = 86_400_000;
const hour = 3_600_000;
let folder: string;
let service: RetentionService;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holds-'));
  service = await retentionService(folder);
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

const inDays = (days: number) => new Date(service.clock.now().getTime() + days * day).toISOString();
const order = (recordingId: string, rest: object = {}) => ({
  recordingId, ground: 'legal_claim', reason: 'a claim was announced', reviewAt: inDays(30), ...rest,
});
const sweep = async () => {
  await requestSweep(service, service.administrator);
  return await runPurges(service.context(), service.categories);
};
const exists = async (id: string) => (await service.database.query('SELECT FROM recordings WHERE id = $1', [id])).length === 1;
const holdTags = async (id: string) =>
  await Promise.all((await service.keysOf(id)).map(async (key) => (await service.objects.tags(key))?.['hold']));
/** Sessions end while days go by. */
const again = (name: string) => signedIn(service.server, `${name.replaceAll(' ', '.')}@example.nl`, usualPassword);

describe('a hold', () => {
  test('is in force at once, keeps the recording past its date, and ends a day after its release', async () => {
    const id = await service.record();
    const placed = await service.as.officer.post('/api/v1/holds').send(order(id)).expect(201);
    expect(placed.body).toMatchObject({ recordingId: id, state: 'unconfirmed', ground: 'legal_claim', endsAt: null });
    expect(await isHeld(service.database, undefined, 'recording', id, service.clock.now())).toBe(true);
    await runRetags(service.platform, service.categories);
    expect(await holdTags(id)).toEqual(['1', '1', '1']);

    service.clock.advance(91 * day);
    expect(await sweep()).toEqual({ purged: 0, failed: 0 });
    expect(await exists(id)).toBe(true);
    const officer = await again('first officer');
    const overview = await officer.get('/api/v1/retention').expect(200);
    expect(overview.body).toMatchObject({ overdue: 0, held: 1, unconfirmedHolds: 1, reviewsDue: 1 });

    const released = await officer.post(`/api/v1/holds/${placed.body.id}/release`).send({ reason: 'settled' }).expect(200);
    expect(released.body.state).toBe('released');
    expect(Date.parse(released.body.endsAt) - Date.parse(released.body.releasedAt)).toBe(24 * hour);
    service.clock.advance(24 * hour - 5_000);
    await runRetags(service.platform, service.categories);
    expect(await holdTags(id)).toEqual(['1', '1', '1']);
    expect(await sweep()).toEqual({ purged: 0, failed: 0 });
    service.clock.advance(6_000);
    await runRetags(service.platform, service.categories);
    expect(await holdTags(id)).toEqual(['0', '0', '0']);
    expect(await sweep()).toEqual({ purged: 1, failed: 0 });
    expect(await exists(id)).toBe(false);
    const later = await again('first officer');
    await later.post('/api/v1/holds').send(order(id)).expect(410);
    await later.post(`/api/v1/holds/${placed.body.id}/release`).send({ reason: 'twice' }).expect(409);
  });

  test('is confirmed by somebody else, within three working days', async () => {
    service.clock.set('2027-05-07T12:00:00Z'); // a Friday
    const officerNow = await again('first officer');
    const secondNow = await again('second officer');
    const id = await service.record();
    const { body } = await officerNow.post('/api/v1/holds').send(order(id)).expect(201);
    expect(body.confirmBy).toBe('2027-05-12T22:00:00.000Z'); // the end of Wednesday in Amsterdam
    await officerNow.post(`/api/v1/holds/${body.id}/confirm`).expect(403);
    const confirmed = await secondNow.post(`/api/v1/holds/${body.id}/confirm`).expect(200);
    expect(confirmed.body.state).toBe('confirmed');
    await secondNow.post(`/api/v1/holds/${body.id}/confirm`).expect(409);
    await secondNow.post('/api/v1/holds/01990000-0000-7000-8000-000000000000/confirm').expect(404);
  });

  test('is refused for what does not exist, is over, or without a reason, a ground or a review in the future', async () => {
    const officer = await again('first officer');
    const id = await service.record();
    await officer.post('/api/v1/holds').send(order('01990000-0000-7000-8000-000000000000')).expect(404);
    await officer.post('/api/v1/holds').send(order(id, { reason: ' ' })).expect(422);
    await officer.post('/api/v1/holds').send(order(id, { ground: 'because' })).expect(422);
    await officer.post('/api/v1/holds').send(order(id, { reviewAt: '2027-02-30' })).expect(422);
    await officer.post('/api/v1/holds').send(order(id, { reviewAt: inDays(-1) })).expect(422);
    await officer.post('/api/v1/holds').send(order(id, { ticketId: id })).expect(422);
    await officer.post('/api/v1/holds').send(order(id, { recordingId: undefined })).expect(422);
    const past = await service.record({ endedAt: new Date(service.clock.now().getTime() - 90 * day) });
    await officer.post('/api/v1/holds').send(order(past)).expect(410);
  });

  test('is for officers to place, for auditors and administrators to read, and not for trainers', async () => {
    const [auditor, trainer] = [await again('auditor'), await again('trainer')];
    const administrator = await signedIn(service.server, 'admin@example.nl', 'the first administrator');
    const id = await service.record();
    for (const agent of [auditor, trainer, administrator]) await agent.post('/api/v1/holds').send(order(id)).expect(403);
    for (const agent of [auditor, administrator]) await agent.get('/api/v1/holds').expect(200);
    await trainer.get('/api/v1/holds').expect(403);
  });

  const erasure = { reason: 'erasure' as const, rule: 'decision', actor: { kind: 'system' as const, id: 'test' } };
  const somebody = async (): Promise<Person> => {
    const [row] = await service.database.query<{ id: string }>(`SELECT id FROM users WHERE role = 'privacy_officer' LIMIT 1`);
    return { ...service.officer, userId: row?.id ?? '' };
  };
  const hold = async (id: string) =>
    await placeHold(service.platform, service.categories, await somebody(), {
      kind: 'recording', itemId: id, ground: 'legal_claim', reason: 'claim', reviewAt: new Date(inDays(30)),
    }, 'Europe/Amsterdam');
  const erase = (id: string) =>
    service.database.inTransaction((tx) =>
      beginPurge(service.platform, service.categories, tx, { category: 'recording', ids: [id] }, erasure),
    );

  test('and a purge at the same moment have one winner, whoever comes first', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await service.record();
      const asked = round % 2 === 0 ? [hold(id), erase(id)] : [erase(id), hold(id)].reverse();
      const [held, erased] = await Promise.allSettled(asked);
      expect([held?.status, erased?.status].sort()).toEqual(['fulfilled', 'rejected']);
      const lost = held?.status === 'rejected' ? held : erased?.status === 'rejected' ? erased : undefined;
      expect(lost?.reason).toMatchObject({ code: held?.status === 'rejected' ? 'retention-ended' : 'conflict' });
      await runPurges(service.context(), service.categories);
      expect([await exists(id), (await service.keysOf(id)).length]).toEqual(held?.status === 'fulfilled' ? [true, 3] : [false, 0]);
    }
  });

  test('that is being committed while the sweep comes by is seen by it', async () => {
    const id = await service.record();
    service.clock.advance(90 * day - 60_000);
    const person = await somebody();
    await service.database.inTransaction(async (tx) => {
      await placeHoldIn(service.platform, service.categories, tx, { kind: 'person', id: person.userId }, {
        kind: 'recording', itemId: id, ground: 'legal_claim', reason: 'claim', reviewAt: new Date(inDays(30)),
      }, 'Europe/Amsterdam');
      service.clock.advance(120_000);
      const claimed = await claimDue(service.context(), service.categories, service.category, 10);
      expect(claimed.map((purge) => purge.itemId)).not.toContain(id);
    });
    service.clock.advance(6 * 60_000); // what was claimed above is given up
    await sweep();
    expect(await exists(id)).toBe(true);
  });

  test('where four eyes are only recorded is confirmed by the one who placed it, with a reason on record', async () => {
    const id = await service.record();
    const { id: holdId } = await hold(id);
    const person = await somebody();
    const alone = (reason: string | null) => confirmHold(service.platform, person, holdId, 'recorded', reason);
    await expect(confirmHold(service.platform, person, holdId, 'required', 'there is nobody else')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(alone(null)).rejects.toMatchObject({ code: 'invalid-input' });
    expect(await alone('there is nobody else')).toMatchObject({ confirmReason: 'there is nobody else', confirmedBy: person.userId });
  });

  const found = (id: string, rest: Partial<HoldOrder> = {}): HoldOrder => ({
    kind: 'recording', itemId: id, ground: 'open_request', reason: 'found for an open request', reviewAt: new Date(inDays(30)),
    requestId: '01990000-0000-7000-8000-000000000001', ...rest,
  });
  const placeMany = async (orders: HoldOrder[], by?: Person) => {
    const actor = { kind: 'person' as const, id: (by ?? (await somebody())).userId };
    return await service.database.inTransaction((tx) =>
      placeHoldsIn(service.platform, service.categories, tx, actor, orders, 'Europe/Amsterdam'),
    );
  };

  test('is placed on many things in one act, which tells what came to nothing; and many are released in one', async () => {
    const [first, second, over] = [await service.record(), await service.record(), await service.record({ endedAt: new Date(service.clock.now().getTime() - 90 * day) })];
    const unknown = '01990000-0000-7000-8000-000000000000';
    const { placed, refused } = await placeMany([found(second), found(over), found(first), found(unknown), found(second, { ground: 'legal_claim' })]);
    expect(placed.map((each) => [each.itemId, each.ground])).toEqual([[second, 'open_request'], [first, 'open_request'], [second, 'legal_claim']]);
    expect(refused.map(({ order: { itemId }, code }) => [itemId, code])).toEqual([[over, 'retention-ended'], [unknown, 'not-found']]);
    await runRetags(service.platform, service.categories);
    expect([...(await holdTags(first)), ...(await holdTags(second))]).toEqual(['1', '1', '1', '1', '1', '1']);
    const actor = { kind: 'person' as const, id: (await somebody()).userId };
    const ids = placed.map((each) => each.id);
    const release = () => service.database.inTransaction((tx) => releaseHoldsIn(service.platform, tx, actor, ids, 'the request is closed'));
    expect((await release()).map((each) => each.id).sort()).toEqual([...ids].sort());
    expect(await release()).toEqual([]);
    const entries = await service.database.query<{ action: string }>(
      `SELECT action FROM audit_entries WHERE object_id = ANY($1::text[]) AND action LIKE 'hold.%' ORDER BY id`, [[first, second]],
    );
    expect(entries.map(({ action }) => action)).toEqual([...Array<string>(3).fill('hold.placed'), ...Array<string>(3).fill('hold.released')]);
  });

  test('that a request placed by itself keeps nothing from an erasure once it is released, unlike one that a person placed', async () => {
    const [machine, person] = [await service.record(), await service.record()];
    const { placed } = await placeMany([found(machine), found(person, { ground: 'legal_claim' })]);
    await expect(erase(machine)).rejects.toMatchObject({ code: 'conflict' });
    const actor = { kind: 'person' as const, id: (await somebody()).userId };
    await service.database.inTransaction((tx) => releaseHoldsIn(service.platform, tx, actor, placed.map((each) => each.id), 'closed'));
    await erase(machine);
    await expect(erase(person)).rejects.toMatchObject({ code: 'conflict' });
    await runPurges(service.context(), service.categories);
    expect([await exists(machine), await exists(person)]).toEqual([false, true]);
  });

  test('of a secret order is known to its owner and the auditor alone, and holds like any other', async () => {
    const id = await service.record();
    const [officer, second, auditor] = [await again('first officer'), await again('second officer'), await again('auditor')];
    const owner = (await officer.get('/api/v1/session').expect(200)).body.user.id as string;
    const before = (await second.get('/api/v1/retention').expect(200)).body as { held: number; unconfirmedHolds: number };
    const { placed: [secret] } = await placeMany([found(id, { ground: 'authority_order', reason: 'order 17', secret: true })], { ...service.officer, userId: owner });
    const seenBy = async (who: typeof officer) => {
      const { body } = await who.get(`/api/v1/holds?recordingId=${id}`).expect(200);
      return (body as { items: { id: string; secret: boolean }[] }).items.map((each) => [each.id, each.secret]);
    };
    expect(await seenBy(officer)).toEqual([[secret?.id, true]]);
    expect(await seenBy(auditor)).toEqual([[secret?.id, true]]);
    expect(await seenBy(second)).toEqual([]);
    expect((await second.get('/api/v1/retention').expect(200)).body).toMatchObject({ held: before.held, unconfirmedHolds: before.unconfirmedHolds });
    const reportOf = async (who: typeof officer) => (await who.get('/api/v1/retention/report').expect(200)).text;
    expect(await reportOf(second)).not.toContain(id);
    expect(await reportOf(auditor)).toContain(id);
    await second.post(`/api/v1/holds/${secret?.id ?? ''}/confirm`).send({}).expect(404);
    await second.post(`/api/v1/holds/${secret?.id ?? ''}/release`).send({ reason: 'found it' }).expect(404);
    expect((await countHolds(service.platform)).held).toBe(before.held);
    const [entry] = await service.database.query<{ details: object }>(
      `SELECT details FROM audit_entries WHERE action = 'hold.placed' AND object_id = $1`, [id],
    );
    expect(entry?.details).toMatchObject({ secret: true });
    expect(await isHeld(service.database, undefined, 'recording', id, service.clock.now())).toBe(true);
  });
});

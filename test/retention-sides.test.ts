import { afterAll, beforeAll, expect, test } from 'vitest';
import { categoriesOf } from '../src/features.js';
import { MovableClock } from '../src/platform/clock.js';
import { processJob } from '../src/recordings/version.js';
import { runRetags } from '../src/retention/retag.js';
import { beginPurge } from '../src/retention/purge.js';
import { liftRestrictionIn, restrictIn } from '../src/retention/restrict.js';
import { purgeJob } from '../src/retention/sweep.js';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

/** A call in one file a side is heard as one: what keeps, closes or deletes one of its files reaches the others. */

const day = 86_400_000;
let service: TestService;
beforeAll(async () => {
  const clock = new MovableClock();
  clock.set('2026-11-22T22:00:00Z');
  service = await startTestService({ clock });
});
afterAll(() => service.close());

const officer = () => service.as('privacy_officer');
const trainer = () => service.as('trainer');
const audio = (id: string) => `/api/v1/recordings/${id}/audio`;
const channelsOf = async (id: string): Promise<number> => {
  await service.processed(id);
  return ((await officer().get(`/api/v1/recordings/${id}`).expect(200)).body as { channels: number }).channels;
};

/** Both sides of a call that has just ended, heard in one player. */
async function call(callId: string): Promise<{ caller: string; agent: string }> {
  const endedAt = new Date(service.clock.now().getTime() - 1000);
  const times = { startedAt: new Date(endedAt.getTime() - 2000).toISOString(), endedAt: endedAt.toISOString() };
  const push = (leg: string, seed: number) => service.push({ callId, part: leg, leg, ...times }, tone({ seconds: 2, seed }));
  const sides = { caller: await push('caller', 1), agent: await push('agent', 2) };
  await expect.poll(() => channelsOf(sides.caller), { timeout: 30_000 }).toBe(2);
  return sides;
}

const actor = () => ({ kind: 'person' as const, id: service.signInOf('privacy_officer').id });
const platform = () => service.service.platform;
const keysOf = async (id: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key, isDeleteMarker } of platform().objects.list(`recordings/${id}/`)) if (!isDeleteMarker) keys.push(key);
  return keys;
};
const tagsOf = async (id: string) =>
  new Set(await Promise.all((await keysOf(id)).map(async (key) => (await platform().objects.tags(key))?.['hold'])));
const restrict = (itemId: string) =>
  platform().database.inTransaction((tx) =>
    restrictIn(platform(), tx, actor(), { kind: 'recording', itemId, purpose: 'all', ground: 'restriction', requestId: null }),
  );
const erase = (id: string) =>
  platform().database.inTransaction((tx) =>
    beginPurge(platform(), categories(), tx, { category: 'recording', ids: [id] }, { reason: 'erasure', rule: 'a decision', actor: actor() }),
  );
const categories = () => categoriesOf(platform(), service.config);
async function sweep(): Promise<void> {
  const { body } = await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
  const address = `/api/v1/retention/sweeps/${(body as { id: string }).id}`;
  await expect
    .poll(async () => ((await service.as('auditor').get(address).expect(200)).body as { state: string }).state, { timeout: 50_000, interval: 250 })
    .toBe('done');
}

test('an erased side is not heard any more from the moment of the decision, and its copy is made anew without it', { timeout: 120_000 }, async () => {
  const { caller, agent } = await call('erased');
  const copies = () => keysOf(caller).then((keys) => keys.filter((key) => key.includes('both-sides')).length);
  expect(await copies()).toBe(2);
  await trainer().get(audio(caller)).expect(200);
  await erase(agent);
  await trainer().get(audio(caller)).expect(409);
  await officer().get(`/api/v1/recordings/${caller}/waveform`).expect(409);
  platform().jobs.nudge(purgeJob);
  await expect.poll(async () => (await officer().get(`/api/v1/recordings/${agent}`)).body, { timeout: 50_000 }).toMatchObject({ code: 'retention-ended', deletedAt: expect.any(String) });
  await expect.poll(async () => (await officer().get(`/api/v1/tombstones?recordingId=${agent}`)).body, { timeout: 50_000 }).toMatchObject({ items: [{ reason: 'erasure' }] });
  expect([await keysOf(agent), await copies()]).toEqual([[], 0]);
  platform().jobs.nudge(processJob);
  await expect.poll(() => channelsOf(caller), { timeout: 50_000 }).toBe(1);
  await trainer().get(audio(caller)).expect(200);
  expect(await copies()).toBe(0);
});

test('a restricted side closes the copy in which it is heard, and neither lists nor plays it to a trainer, until that is lifted', { timeout: 120_000 }, async () => {
  const { caller, agent } = await call('restricted');
  const listed = async () => {
    const { body } = await trainer().get('/api/v1/recordings?limit=100').expect(200);
    return (body as { items: { id: string }[] }).items.some(({ id }) => id === caller);
  };
  expect(await listed()).toBe(true);
  const { id } = await restrict(agent);
  expect(await listed()).toBe(false);
  await trainer().get(audio(caller)).expect(404);
  await officer().get(audio(caller)).expect(200);
  expect((await officer().get(`/api/v1/recordings/${caller}`).expect(200)).body).toMatchObject({ restricted: true });
  await platform().database.inTransaction((tx) => liftRestrictionIn(platform(), tx, actor(), id));
  await trainer().get(audio(caller)).expect(200);
  // The other way round the side that is not restricted stays what it is: it holds nothing of the other.
  await restrict(caller);
  await trainer().get(audio(caller)).expect(404);
  await trainer().get(audio(agent)).expect(200);
});

test.each(['caller', 'agent'] as const)(
  "a hold on the %s's side keeps both past their date, with the copy in which they are heard, and lets both go",
  { timeout: 120_000 },
  async (named) => {
    service.clock.advance(200 * day);
    await service.signInAgain();
    const sides = await call(`held-${named}`);
    const other = named === 'caller' ? sides.agent : sides.caller;
    const reviewAt = new Date(service.clock.now().getTime() + 100 * day).toISOString();
    const { body: hold } = await officer().post('/api/v1/holds').send({ recordingId: sides[named], ground: 'legal_claim', reason: 'a claim', reviewAt }).expect(201);
    await runRetags(platform(), categories());
    expect([await tagsOf(sides.caller), await tagsOf(sides.agent)]).toEqual([new Set(['1']), new Set(['1'])]);
    await expect(erase(other)).rejects.toMatchObject({ code: 'conflict' });

    service.clock.advance(91 * day);
    await service.signInAgain();
    await sweep();
    for (const id of [sides.caller, sides.agent]) {
      await officer().get(audio(id)).expect(200);
      await trainer().get(audio(id)).expect(410);
    }
    expect(await channelsOf(sides.caller)).toBe(2);

    await officer().post(`/api/v1/holds/${(hold as { id: string }).id}/release`).send({ reason: 'settled' }).expect(200);
    service.clock.advance(day + 1000);
    await service.signInAgain();
    await sweep();
    for (const id of [sides.caller, sides.agent]) {
      await officer().get(audio(id)).expect(410);
      expect(await keysOf(id)).toEqual([]);
    }
  },
);

test('a side whose date comes first takes the copy with it to the second, swept or not', { timeout: 120_000 }, async () => {
  const { caller, agent } = await call('sooner');
  const { body } = await officer().get(`/api/v1/recordings/${agent}`).expect(200);
  const until = Date.parse((body as { retainUntil: string }).retainUntil);
  // The caller's side was told to have ended later.
  await platform().database.query(`UPDATE recordings SET retain_until = retain_until + interval '1 hour' WHERE id = $1`, [caller]);
  service.clock.freeze(new Date(until - 1000));
  await service.signInAgain();
  await officer().get(audio(caller)).expect(200);
  service.clock.freeze(new Date(until));
  await officer().get(audio(caller)).expect(409);
  await officer().get(audio(agent)).expect(410);

  // A hold on the side that is kept does not bring back the one whose period had ended before it.
  const reviewAt = new Date(until + 30 * day).toISOString();
  await officer().post('/api/v1/holds').send({ recordingId: caller, ground: 'legal_claim', reason: 'a claim', reviewAt }).expect(201);
  await officer().get(`/api/v1/recordings/${agent}`).expect(410);
  await sweep();
  await expect.poll(() => keysOf(agent), { timeout: 20_000 }).toEqual([]);
  await officer().get(`/api/v1/recordings/${agent}`).expect(410);
  service.clock.freeze(new Date(until + day));
  await service.signInAgain();
  await sweep();
  await officer().get(`/api/v1/recordings/${caller}`).expect(200);
});

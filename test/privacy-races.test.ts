import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Person } from '../src/access/caller.js';
import { Problem } from '../src/platform/problem.js';
import { whileListenable } from '../src/recordings/playback.js';
import { startTestService, type TestService } from './support/service.js';

/** Two acts at one moment: whatever comes first, there is one winner, and what is left agrees with it. */

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
beforeAll(async () => {
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
});
afterAll(() => service.close());

const base = '/api/v1/privacy-requests';
const day = 86_400_000;
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
let number = 0;
/** Somebody who is known, with a call that was found. */
async function ready(rights: string[], fields: Record<string, string> = {}) {
  number += 1;
  const phone = `+3185000${4000 + number}`;
  const recordingId = await service.push({ caller: phone, callId: randomUUID(), ...fields });
  await service.processed(recordingId);
  const { body } = await officer.post(base).send({
    receivedAt: service.clock.now().toISOString(), channel: 'email', rights, locale: 'nl', subject: { name: `Persoon ${number}`, phones: [phone] },
  }).expect(201);
  const id = body.id as string;
  await step(id, 'identity', { method: 'call_back', outcome: 'verified' }).expect(200);
  const { recordings } = (await step(id, 'search').expect(200)).body;
  return { id, recordingId, itemId: recordings[0].itemId as string };
}
const fileOf = async (id: string) => (await officer.get(`${base}/${id}`).expect(200)).body;
const status = (sent: PromiseLike<{ status: number }>) => Promise.resolve(sent).then((answer) => answer.status);
const exists = async (id: string) => (await service.service.platform.database.query('SELECT 1 FROM recordings WHERE id = $1', [id])).length === 1;

test('approving against sending back: the file agrees with whichever came last', async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    const { id, itemId } = await ready(['access']);
    await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200);
    const [approved, back] = await Promise.all([
      status(step(id, 'approve', {}, second)), status(step(id, 'send-back', { reason: 'kijk nog eens' }, second)),
    ]);
    expect(approved).toBe(200);
    const { state, processes, timeline } = await fileOf(id);
    const acts = timeline.map(({ kind }: { kind: string }) => kind).filter((kind: string) => kind === 'approved' || kind === 'sent_back');
    const wasSentBack = back === 200 && acts.at(-1) === 'sent_back';
    expect([state, processes[0].state, processes[0].approvedBy === null]).toEqual(wasSentBack ? ['approval', 'decided', true] : ['answer', 'approved', false]);
    await officer.get(`${base}/${id}/letter`).expect(wasSentBack ? 409 : 200);
  }
});

test('an answer that is handed out while it is sent back is either out or back, never both', async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    const { id, itemId } = await ready(['access']);
    await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    const [out, back] = await Promise.all([
      status(officer.get(`${base}/${id}/${turn % 2 === 0 ? 'letter' : 'package'}`)), status(step(id, 'send-back', { reason: 'nee' }, second)),
    ]);
    expect([out, back].sort()).toEqual([200, 409]);
    const { timeline, state } = await fileOf(id);
    const wentOut = timeline.some(({ kind }: { kind: string }) => kind.endsWith('_handed_out'));
    expect([wentOut, state]).toEqual(out === 200 ? [true, 'answer'] : [false, 'approval']);
  }
});

test('a decision against the purge of what it is about: decided and kept, or gone and refused', async () => {
  const start = service.clock.now();
  // The freeze of five days and the period end in the same minute.
  const almost = new Date(start.getTime() - 88 * day).toISOString();
  const found = [await ready(['access'], { startedAt: almost }), await ready(['access'], { startedAt: almost })];
  service.clock.set(new Date(start.getTime() + 5 * day + 60_000));
  await service.signInAgain();
  officer = service.as('privacy_officer');
  const sweep = service.as('administrator').post('/api/v1/retention/sweeps').then((answer) => answer);
  const decided = await Promise.all(found.map(({ id, itemId }) => status(step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }))));
  expect((await sweep).status).toBe(202);
  // Its date is over and nothing holds it: it is no item that can be decided on, swept or not.
  expect(decided.every((each) => each === 410 || each === 422)).toBe(true);
  await expect.poll(async () => (await Promise.all(found.map(({ recordingId }) => exists(recordingId)))).some(Boolean), { timeout: 20_000 }).toBe(false);
  service.clock.reset();
  await service.signInAgain();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
});

test('a search in the very second in which the period ends finds what is still kept, and nothing from that second on', async () => {
  const phone = '+31850004999';
  const recordingId = await service.push({ caller: phone, startedAt: new Date(service.clock.now().getTime() - 90 * day + 60_000).toISOString() });
  const until = Date.parse((await officer.get(`/api/v1/recordings/${recordingId}`).expect(200)).body.retainUntil);
  const take = async () => {
    const { body } = await officer.post(base).send({
      receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], locale: 'nl', subject: { phones: [phone] },
    }).expect(201);
    return (await step(body.id, 'search').expect(200)).body.recordings as { held: boolean }[];
  };
  service.clock.freeze(new Date(until));
  expect(await take()).toEqual([]);
  service.clock.freeze(new Date(until - 1));
  expect(await take()).toMatchObject([{ held: true }]);
  service.clock.freeze(new Date(until));
  await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
  service.clock.reset();
  expect(await exists(recordingId)).toBe(true);
});

test('a restriction that is decided while a trainer listens ends it in the middle of the stream, and at the next range', async () => {
  const { id, recordingId, itemId } = await ready(['restriction']);
  const trainer = service.as('trainer');
  const audio = `/api/v1/recordings/${recordingId}/audio`;
  await trainer.get(audio).set('Range', 'bytes=0-99').expect(206);
  const person = { kind: 'person', userId: service.signInOf('trainer').id, role: 'trainer' } as unknown as Person;
  async function* long(): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.alloc(256 * 1024);
  }
  const listening = whileListenable(service.service.platform, person, recordingId, 'training', long());
  expect((await listening.next()).done).toBe(false);
  expect((await listening.next()).done).toBe(false);
  await step(id, 'items', { decisions: [{ itemId, right: 'restriction', decision: 'grant' }] }).expect(200);
  await expect(listening.next()).rejects.toThrow(Problem);
  await trainer.get(audio).set('Range', 'bytes=100-199').expect(404);
});

test('an erasure against a hold that is placed at the same moment: erased and the hold refused, or held and kept', async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    const { id, recordingId, itemId } = await ready(['erasure']);
    await step(id, 'items', { decisions: [{ itemId, right: 'erasure', decision: 'grant' }] }).expect(200);
    const hold = { recordingId, ground: 'legal_claim', reason: 'geschil', reviewAt: new Date(service.clock.now().getTime() + day).toISOString() };
    const placing = turn % 2 === 0 ? [] : [new Promise((resolve) => setImmediate(resolve))];
    const [held] = await Promise.all([
      status(officer.post('/api/v1/holds').send(hold)), Promise.all(placing).then(() => step(id, 'approve', {}, second).expect(200)),
    ]);
    const kinds = (await fileOf(id)).timeline.map(({ kind }: { kind: string }) => kind);
    expect([kinds.includes('erasure_begun'), kinds.includes('erasure_held_up')]).toEqual(held === 201 ? [false, true] : [true, false]);
    if (held !== 201) expect(held).toBe(410);
    await officer.get(`/api/v1/recordings/${recordingId}`).expect(held === 201 ? 200 : 410);
  }
});

test('an approval takes what was seen: a decision or a wording changed a second before is not approved with it', async () => {
  const { id, itemId } = await ready(['access']);
  await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200);
  const seen = (await fileOf(id)).revision as string;
  await step(id, 'notes', { direction: 'internal', note: 'dit verandert niets aan het antwoord' }).expect(200);
  expect((await fileOf(id)).revision).toBe(seen);
  await step(id, 'items', { decisions: [{ itemId, decision: 'refuse', reason: 'toch niet', ground: '15(4)' }] }).expect(200);
  const refused = await step(id, 'approve', { revision: seen }, second).expect(409);
  expect(refused.body.code).toBe('changed-meanwhile');
  const again = (await fileOf(id)).revision as string;
  await officer.put(`${base}/${id}/letter/draft`).send({ text: 'Een andere brief.' }).expect(200);
  await step(id, 'approve', { revision: again }, second).expect(409);
  const letter = (await fileOf(id)).revision as string;
  await officer.put('/api/v1/privacy-letter-templates/nl').send({ opening: 'Geachte', closing: 'Tot ziens' }).expect(200);
  await step(id, 'approve', { revision: letter }, second).expect(409);
  await officer.put('/api/v1/privacy-letter-templates/nl').send({ opening: '', closing: '' }).expect(200);
  const last = (await fileOf(id)).revision as string;
  await step(id, 'approve', { revision: last }, second).expect(200);
});

test('of a decision and an approval at one moment either the decision is refused or the approval is', async () => {
  for (let turn = 0; turn < 2; turn += 1) {
    const { id, itemId } = await ready(['access']);
    const { revision } = (await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200)).body;
    const changing = step(id, 'items', { decisions: [{ itemId, decision: 'refuse', reason: 'toch niet', ground: '15(4)' }] });
    const both = turn % 2 === 0 ? [changing, step(id, 'approve', { revision }, second)] : [step(id, 'approve', { revision }, second), changing];
    expect((await Promise.all(both.map(status))).sort()).toEqual([200, 409]);
    const { items, processes } = await fileOf(id);
    expect(items[0].decisions[0].decision).toBe(processes[0].state === 'approved' ? 'grant' : 'refuse');
  }
});

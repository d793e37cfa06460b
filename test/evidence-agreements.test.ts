import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

interface Agreement {
  id: string;
  recordingId: string;
  revision: number;
  startMs: number;
  endMs: number;
  summary: string;
  parties: string[] | null;
  ticket: string | null;
}

const wording = { startMs: 200, endMs: 1500, summary: 'Thirty euros back', parties: ['J. Jansen', 'Support'], ticket: '4711' };

async function mark(recordingId: string, fields: object = {}, role: 'trainer' | 'privacy_officer' = 'privacy_officer') {
  const answer = await service.as(role).post(`/api/v1/recordings/${recordingId}/agreements`).send({ ...wording, ...fields });
  expect(answer.body).toMatchObject({ recordingId });
  expect(answer.status).toBe(201);
  return answer.body as Agreement;
}

async function find(query: Record<string, string>, role: 'trainer' | 'privacy_officer' = 'privacy_officer') {
  const answer = await service.as(role).get('/api/v1/agreements').query(query);
  expect(answer.status).toBe(200);
  return (answer.body as { items: (Agreement & { caller: string; held: boolean })[] }).items.map((item) => item);
}

describe('an agreement', () => {
  it('is marked, stands in the detail and the list of recordings, and keeps nothing longer', async () => {
    const id = await service.push();
    const officer = service.as('privacy_officer');
    const before = (await officer.get(`/api/v1/recordings/${id}`)).body as { retainUntil: string };
    const agreement = await mark(id);
    expect(agreement).toMatchObject({ ...wording, recordingId: id, revision: 1 });
    const after = (await officer.get(`/api/v1/recordings/${id}`)).body as { retainUntil: string; agreements: object[] };
    expect(after.agreements).toEqual([{ id: agreement.id, startMs: 200, endMs: 1500, summary: 'Thirty euros back' }]);
    expect(after.retainUntil).toBe(before.retainUntil);
    const marked = (await officer.get('/api/v1/recordings?marked=true')).body as { items: { id: string }[] };
    expect(marked.items.map((item) => item.id)).toContain(id);
    const unmarked = (await officer.get('/api/v1/recordings?marked=false')).body as { items: { id: string }[] };
    expect(unmarked.items.map((item) => item.id)).not.toContain(id);
    const asAdministrator = await service.as('administrator').get(`/api/v1/recordings/${id}`);
    expect((asAdministrator.body as { agreements: { summary: null }[] }).agreements[0]?.summary).toBeNull();
  });

  it('is refused when it runs backward, lies outside, or says nothing', async () => {
    const id = await service.push();
    for (const [path, fields] of [
      ['endMs', { startMs: 900, endMs: 900 }],
      ['endMs', { endMs: 60_000 }],
      ['startMs', { startMs: 2_500, endMs: 2_600 }],
      ['summary', { summary: '  ' }],
      ['parties', { parties: [] }],
    ] as const) {
      const answer = await service.as('trainer').post(`/api/v1/recordings/${id}/agreements`).send({ ...wording, ...fields });
      expect([path, answer.status, (answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)]).toEqual([
        path, 422, [path],
      ]);
    }
    await service.as('trainer').post(`/api/v1/recordings/${randomUUID()}/agreements`).send(wording).expect(404);
  });

  it('stays where it was heard when hold music is cut, also music that becomes known later', async () => {
    const callId = randomUUID();
    const startedAt = new Date(service.clock.now().getTime() - 60_000).toISOString();
    const audio = tone({ seconds: 6, channels: 2 });
    const id = await service.push({ callId, startedAt, holds: JSON.stringify([{ startMs: 1000, endMs: 3000 }]) }, audio);
    // Heard from 0.5 s to 2 s of the copy: around the cut.
    const agreement = await mark(id, { startMs: 500, endMs: 2000 });
    expect(agreement).toMatchObject({ startMs: 500, endMs: 2000 });
    await service
      .machine(service.pbxKey)
      .patch(`/api/v1/recordings/by-call/${callId}`)
      .send({ holds: [{ startMs: 0, endMs: 200 }, { startMs: 1000, endMs: 3000 }] })
      .expect(200);
    const [found] = await find({ recordingId: id });
    expect(found).toMatchObject({ startMs: 300, endMs: 1800 });
  });

  it('is found by number, organisation, date, ticket and words', async () => {
    const id = await service.push({ caller: '+31201234567', startedAt: '2026-11-01T10:00:00Z', ticket: '#990001' });
    const other = await service.push();
    const agreement = await mark(id, { summary: 'Contract renewed at 45% off', parties: ['Bakkerij Zonneveld BV'], ticket: null });
    await mark(other);
    for (const query of [
      { number: '020 123 4567' }, { number: '567' }, { organisation: 'zonneveld' }, { ticket: '990001' }, { q: 'renewed 45%' },
      { from: '2026-11-01', to: '2026-11-01' },
    ] as Record<string, string>[])
      expect([query, (await find(query)).map((item) => item.id)]).toEqual([query, [agreement.id]]);
    expect(await find({ q: 'renewed 46%' })).toEqual([]);
    expect(await find({ from: '2026-11-02', q: 'renewed' })).toEqual([]);
  });

  it('shows trainers no names and no numbers, and lets them search by neither', async () => {
    const id = await service.push({ caller: '+31207654321' });
    const agreement = await mark(id, { summary: 'Callback on Friday', parties: ['Mevrouw De Wit'] });
    const [seen] = await find({ q: 'callback' }, 'trainer');
    expect(seen).toMatchObject({ id: agreement.id, caller: '•••321', parties: null });
    expect(await find({ q: 'Wit' }, 'trainer')).toEqual([]);
    const trainer = service.as('trainer');
    await trainer.get('/api/v1/agreements?organisation=Wit').expect(422);
    await trainer.get('/api/v1/agreements?number=0207654321').expect(422);
    // What they wrote themselves they may read.
    const own = await mark(id, { parties: 'Mijnheer Zwart' }, 'trainer');
    expect(own.parties).toEqual(['Mijnheer Zwart']);
  });

  it('is corrected with its history, by whoever marked it or an officer, not over somebody else’s correction', async () => {
    const id = await service.push();
    const { id: agreementId } = await mark(id);
    const officer = service.as('privacy_officer');
    const path = `/api/v1/agreements/${agreementId}`;
    await officer.patch(path).send({ summary: 'Forty euros back' }).expect(422);
    const corrected = await officer.patch(path).send({ summary: 'Forty euros back', reason: 'misheard', revision: 1 }).expect(200);
    expect(corrected.body).toMatchObject({ revision: 2, summary: 'Forty euros back', startMs: 200 });
    await officer.patch(path).send({ summary: 'Fifty', reason: 'late', revision: 1 }).expect(409);
    await service.as('trainer').patch(path).send({ summary: 'Mine', reason: 'because' }).expect(403);
    const read = (await officer.get(path).expect(200)).body as { history: { summary: string; reason: string | null }[] };
    expect(read.history.map(({ summary, reason }) => [summary, reason])).toEqual([
      ['Thirty euros back', null], ['Forty euros back', 'misheard'],
    ]);
    const trail = await officer.get(`/api/v1/audit?object=recording:${id}&action=agreement.*`).expect(200);
    const entries = (trail.body as { items: { action: string; details: object }[] }).items;
    expect(entries.map((entry) => entry.action)).toEqual(['agreement.corrected', 'agreement.marked']);
    expect(JSON.stringify(entries)).not.toContain('euros');
  });

  it('is withdrawn with a reason and then counts no more', async () => {
    const id = await service.push();
    const { id: agreementId } = await mark(id, { summary: 'Mistaken' });
    const officer = service.as('privacy_officer');
    await officer.post(`/api/v1/agreements/${agreementId}/withdraw`).send({}).expect(422);
    await officer.post(`/api/v1/agreements/${agreementId}/withdraw`).send({ reason: 'wrong call' }).expect(200);
    await officer.post(`/api/v1/agreements/${agreementId}/withdraw`).send({ reason: 'again' }).expect(409);
    expect(await find({ recordingId: id })).toEqual([]);
    expect((await officer.get(`/api/v1/recordings/${id}`)).body).toMatchObject({ agreements: [] });
    await officer.get(`/api/v1/agreements/${agreementId}`).expect(200);
  });

  it('comes page by page, newest call first', async () => {
    const ids: string[] = [];
    for (let day = 11; day <= 13; day += 1)
      ids.push((await mark(await service.push({ startedAt: `2026-11-${day}T10:00:00Z` }), { ticket: 'paged' })).id);
    const page: string[] = [];
    for (let cursor = ''; ; ) {
      const answer = await service.as('privacy_officer').get(`/api/v1/agreements?ticket=paged&limit=1${cursor}`).expect(200);
      const { items, nextCursor } = answer.body as { items: { id: string }[]; nextCursor: string | null };
      page.push(...items.map((item) => item.id));
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(page).toEqual(ids.reverse());
  });

  it('is out of reach from the end of the recording’s period on', async () => {
    const id = await service.push();
    const { id: agreementId } = await mark(id, { summary: 'Out of reach' });
    service.clock.advance(91 * 86_400_000);
    try {
      await service.signInAgain();
      expect(await find({ q: 'reach' })).toEqual([]);
      const { status } = await service.as('privacy_officer').get(`/api/v1/agreements/${agreementId}`);
      expect([404, 410]).toContain(status);
      const marking = await service.as('privacy_officer').post(`/api/v1/recordings/${id}/agreements`).send(wording);
      expect([404, 410]).toContain(marking.status);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });
});

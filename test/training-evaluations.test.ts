import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawKey, populationDigest } from '../src/training/sample.js';
import { startTestService, type TestService } from './support/service.js';
import { agentExtension, agentsCall, giveExtension, restrict } from './support/training.js';

let service: TestService;
let agentId: string;
beforeAll(async () => {
  service = await startTestService();
  agentId = await giveExtension(service);
});
afterAll(() => service.close());

const trainer = () => service.as('trainer');
const consent = { explanation: 'Coaching', consent: { date: '2026-10-01', reference: 'OR 2026-14' } };
const switchOn = () => service.as('administrator').put('/api/v1/further-uses/evaluation').send(consent).expect(200);

const sections = [
  { id: 'opening', title: 'Opening', weight: 1, questions: [{ id: 'name', text: 'Says their name', kind: 'yes_no', notApplicable: false }] },
  { id: 'help', title: 'Help', weight: 3, questions: [{ id: 'listens', text: 'Listens', kind: 'scale', max: 5 }] },
];

interface Open {
  id: string;
  state: string;
  score: number | null;
  version: number;
  draft: { revision: number; answers: object[]; summary: string | null; notes: { atMs: number }[] } | null;
  versions: { version: number; summary: string | null; score: number; response: string | null }[];
}

let scorecardId: string;
async function begin(recordingId?: string): Promise<Open> {
  const id = recordingId ?? (await agentsCall(service));
  const answer = await trainer().post(`/api/v1/recordings/${id}/evaluations`).send({ scorecardId });
  expect([201, answer.body]).toEqual([answer.status, answer.body]);
  return answer.body as Open;
}
const full = [{ questionId: 'name', value: true }, { questionId: 'listens', value: 3, note: 'Interrupts here', atMs: 400 }];
const save = (id: string, revision: number, body: object = { answers: full }) =>
  trainer().put(`/api/v1/evaluations/${id}/draft`).send({ revision, ...body });
const submit = (id: string, revision: number) => trainer().post(`/api/v1/evaluations/${id}/submit`).send({ revision });
async function submitted(recordingId?: string): Promise<Open> {
  const { id } = await begin(recordingId);
  await save(id, 1).expect(200);
  return (await submit(id, 2).expect(200)).body as Open;
}

describe('evaluations', () => {
  it('are off until an administrator records the works council’s consent, and off again when that ends', async () => {
    const id = await agentsCall(service);
    const refused = await trainer().post(`/api/v1/recordings/${id}/evaluations`).send({ scorecardId: agentId }).expect(409);
    expect(refused.body).toMatchObject({ code: 'not-switched-on', use: 'evaluation' });
    for (const path of ['/evaluations', '/scorecards', '/samples', '/training-overview?from=2026-11-01&to=2026-11-30'])
      expect([path, ((await trainer().get(`/api/v1${path}`).expect(409)).body as { code: string }).code]).toEqual([path, 'not-switched-on']);
    const put = (body: object) => service.as('administrator').put('/api/v1/further-uses/evaluation').send(body);
    await put({ explanation: 'Coaching' }).expect(422);
    await put({ ...consent, consent: { date: '2031-01-01', reference: 'OR' } }).expect(422);
    await put({ ...consent, consent: { date: '2026-10-01', reference: ' ' } }).expect(422);
    await trainer().put('/api/v1/further-uses/evaluation').send(consent).expect(403);

    await switchOn();
    await trainer().get('/api/v1/evaluations').expect(200);
    await service.as('administrator').post('/api/v1/further-uses/evaluation/end').send({ reason: 'withdrawn' }).expect(200);
    await trainer().get('/api/v1/evaluations').expect(409);
    await switchOn();
    const { body } = await service.as('agent').get('/api/v1/further-uses').expect(200);
    expect((body as { items: object[] }).items[0]).toMatchObject({
      use: 'evaluation', on: true, act: { consent: consent.consent, ground: 'legitimate_interest' }, history: [{ endReason: 'withdrawn' }],
    });
    const made = await trainer().post('/api/v1/scorecards').send({ name: 'First line', sections }).expect(201);
    scorecardId = (made.body as { id: string }).id;
  });

  it('are begun once, saved as they are written, and repeat without harm', async () => {
    const id = await agentsCall(service);
    const first = await begin(id);
    const again = await trainer().post(`/api/v1/recordings/${id}/evaluations`).send({ scorecardId }).expect(200);
    expect((again.body as Open).id).toBe(first.id);
    expect(((await save(first.id, 1).expect(200)).body as Open).draft?.revision).toBe(2);
    // Its answer got lost; the same is sent again.
    expect(((await save(first.id, 1).expect(200)).body as Open).draft?.revision).toBe(2);
    const late = await save(first.id, 1, { answers: [], summary: 'from another tab' }).expect(409);
    expect(late.body).toMatchObject({ code: 'conflict', revision: 2 });
    for (const [path, answers] of [
      ['answers.0.questionId', [{ questionId: 'nowhere', value: true }]],
      ['answers.0.value', [{ questionId: 'name', value: 'not_applicable' }]],
      ['answers.0.value', [{ questionId: 'listens', value: 6 }]],
      ['answers.1.questionId', [{ questionId: 'name', value: true }, { questionId: 'name', value: false }]],
    ] as const) {
      const answer = await save(first.id, 2, { answers }).expect(422);
      expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path)).toEqual([path]);
    }
  });

  it('of two tabs that save or submit at once let one win, and lose nothing silently', async () => {
    const { id } = await begin();
    const tabs = await Promise.all(['one', 'two', 'three'].map((summary) => save(id, 1, { answers: full, summary })));
    expect(tabs.map((tab) => tab.status).sort()).toEqual([200, 409, 409]);
    const [sent, saved] = await Promise.all([submit(id, 2), save(id, 2, { answers: full, summary: 'too late?' })]);
    expect([[200, 409], [409, 200]]).toContainEqual([sent.status, saved.status]);
    if (sent.status === 409) await submit(id, 3).expect(200);
    const { version, draft } = (await trainer().get(`/api/v1/evaluations/${id}`)).body as Open;
    expect([version, draft]).toEqual([1, null]);
    const clicks = await begin();
    await save(clicks.id, 1).expect(200);
    const both = await Promise.all([submit(clicks.id, 2), submit(clicks.id, 2)]);
    expect(both.map((each) => [each.status, (each.body as Open).version])).toEqual([[200, 1], [200, 1]]);
  });

  it('are submitted only when every question is answered, and then have a score', async () => {
    const { id } = await begin();
    await save(id, 1, { answers: [{ questionId: 'name', value: true }] }).expect(200);
    const refused = await submit(id, 2).expect(422);
    expect((refused.body as { errors: object[] }).errors).toEqual([{ path: 'answers.listens', message: 'has to be answered' }]);
    await save(id, 2).expect(200);
    const done = (await submit(id, 3).expect(200)).body as Open;
    expect(done).toMatchObject({
      state: 'submitted', score: 62.5, draft: null,
      versions: [{ version: 1, sectionScores: [{ id: 'opening', score: 100 }, { id: 'help', score: 50 }], answers: [{}, { note: 'Interrupts here', atMs: 400 }] }],
    });
  });

  it('are read by the agent once submitted, with the call, acknowledged and answered; by no other agent', async () => {
    const recordingId = await agentsCall(service);
    const draft = await begin(recordingId);
    const agent = service.as('agent');
    await agent.get(`/api/v1/evaluations/${draft.id}`).expect(404);
    await agent.get(`/api/v1/recordings/${recordingId}`).expect(404);
    await save(draft.id, 1).expect(200);
    await submit(draft.id, 2).expect(200);
    const seen = (await agent.get(`/api/v1/evaluations/${draft.id}`).expect(200)).body as Open & { recording: { caller: string } };
    expect([seen.score, seen.recording.caller]).toEqual([62.5, '•••101']);
    await agent.get(`/api/v1/recordings/${recordingId}/audio`).set('Range', 'bytes=0-9').expect(206);
    await agent.put(`/api/v1/evaluations/${draft.id}/answer`).send({ version: 2 }).expect(409);
    const acknowledged = await agent.put(`/api/v1/evaluations/${draft.id}/answer`).send({ version: 1 }).expect(200);
    expect(acknowledged.body).toMatchObject({ state: 'acknowledged' });
    const answered = await agent.put(`/api/v1/evaluations/${draft.id}/answer`).send({ version: 1, response: 'The line was bad' }).expect(200);
    expect(answered.body).toMatchObject({ state: 'responded', versions: [{ response: 'The line was bad' }] });

    const colleague = await service.another('agent');
    await colleague.get(`/api/v1/evaluations/${draft.id}`).expect(404);
    expect(((await colleague.get('/api/v1/evaluations').expect(200)).body as { items: [] }).items).toEqual([]);
    await colleague.put(`/api/v1/evaluations/${draft.id}/answer`).send({ version: 1 }).expect(404);
    const outcomes = (await colleague.get(`/api/v1/evaluation-outcomes?agentId=${agentId}`).expect(200)).body as { items: [] };
    expect(outcomes.items).toEqual([]);
  });

  it('keep every version, and show the agent the last that was submitted', async () => {
    const { id } = await submitted();
    const otherTrainer = await service.another('trainer');
    await otherTrainer.get(`/api/v1/evaluations/${id}`).expect(200);
    await otherTrainer.post(`/api/v1/evaluations/${id}/revise`).send({ reason: 'x' }).expect(404);
    const opened = (await trainer().post(`/api/v1/evaluations/${id}/revise`).send({ reason: 'Listened again' }).expect(200)).body as Open;
    await trainer().post(`/api/v1/evaluations/${id}/revise`).send({ reason: 'twice' }).expect(409);
    const revision = opened.draft?.revision ?? 0;
    await save(id, revision, { answers: [{ questionId: 'name', value: false }, { questionId: 'listens', value: 5 }] }).expect(200);
    const seen = (await service.as('agent').get(`/api/v1/evaluations/${id}`).expect(200)).body as Open;
    expect([seen.version, seen.score, seen.draft]).toEqual([1, 62.5, null]);
    await submit(id, revision + 1).expect(200);
    const after = (await service.as('agent').get(`/api/v1/evaluations/${id}`).expect(200)).body as Open;
    expect(after.versions.map(({ version, score }) => [version, score])).toEqual([[2, 75], [1, 62.5]]);
    // A change of the scorecard leaves them as they are.
    const { body } = await trainer().get(`/api/v1/scorecards/${scorecardId}`).expect(200);
    const { version } = body as { version: number };
    const put = (seenVersion: number, name: string) =>
      trainer().put(`/api/v1/scorecards/${scorecardId}`).send({ version: seenVersion, name, sections: sections.slice(0, 1) });
    await put(version, 'Shorter').expect(200);
    await put(version, 'Another').expect(409);
    expect(((await trainer().get(`/api/v1/evaluations/${id}`)).body as { sections: [] }).sections).toHaveLength(2);
    await trainer().put(`/api/v1/scorecards/${scorecardId}`).send({ version: version + 1, name: 'First line', sections }).expect(200);
  });

  it('go with the recording; score, agent and date stay a year and no longer', async () => {
    const recordingId = await agentsCall(service);
    const { id } = await submitted(recordingId);
    const closedId = (await submitted()).id;
    const outcomes = async () => {
      const { body } = await service.as('agent').get('/api/v1/evaluation-outcomes').expect(200);
      return (body as { items: { evaluationId: string; score: number; open: boolean; retainUntil: string }[] }).items;
    };
    const closed = (await trainer().get(`/api/v1/evaluations/${closedId}`)).body as { recording: { id: string } };
    await restrict(service, closed.recording.id);
    await trainer().get(`/api/v1/evaluations/${closedId}`).expect(404);
    await service.as('agent').get(`/api/v1/evaluations/${closedId}`).expect(404);

    const { database } = service.service.platform;
    await database.query('DELETE FROM recordings WHERE id = $1', [recordingId]);
    await trainer().get(`/api/v1/evaluations/${id}`).expect(404);
    expect(await database.query('SELECT 1 FROM evaluation_versions WHERE evaluation_id = $1', [id])).toEqual([]);
    const kept = (await outcomes()).find((outcome) => outcome.evaluationId === id);
    expect(kept).toMatchObject({ score: 62.5, open: false });
    await trainer().get('/api/v1/evaluation-outcomes').expect(422);
    expect(JSON.stringify(await database.query('SELECT * FROM evaluation_outcomes WHERE evaluation_id = $1', [id]))).not.toContain('Interrupts');
    try {
      const retainUntil = Date.parse(kept?.retainUntil ?? '');
      service.clock.freeze(new Date(retainUntil - 1000));
      await service.signInAgain();
      expect((await outcomes()).map((outcome) => outcome.evaluationId)).toContain(id);
      service.clock.freeze(new Date(retainUntil));
      expect((await outcomes()).map((outcome) => outcome.evaluationId)).not.toContain(id);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });
});

describe('a sample', () => {
  it('is drawn by a seed of the service’s, on record, and can be drawn again by anyone', async () => {
    const day = '2026-11-10';
    const ids: string[] = [];
    for (let hour = 10; hour < 15; hour += 1) ids.push(await agentsCall(service, { startedAt: `${day}T${hour}:00:00Z` }));
    const closed = await agentsCall(service, { startedAt: `${day}T16:00:00Z` });
    await restrict(service, closed);
    // A call in one file a side is one call, heard in the recording that plays both.
    const side = await agentsCall(service, { startedAt: `${day}T12:00:00Z` });
    await service.service.platform.database.query('UPDATE recordings SET leg_of = $2 WHERE id = $1', [side, ids[2]]);
    const overview = (await trainer().get(`/api/v1/training-overview?from=${day}&to=${day}`).expect(200)).body as { items: { agent: { id: string }; calls: number }[] };
    expect(overview.items.find((item) => item.agent.id === agentId)?.calls).toBe(5);
    const draw = () => trainer().post('/api/v1/samples').send({ agentId, from: day, to: day, size: 3 }).expect(201);
    const { body } = await draw();
    const sample = body as { id: string; seed: string; population: number; populationSha256: string; calls: { recording: { id: string } }[] };
    const drawn = sample.calls.map((call) => call.recording.id);
    const expected = [...ids].sort((one, other) => (drawKey(sample.seed, one) < drawKey(sample.seed, other) ? -1 : 1)).slice(0, 3);
    expect([sample.population, sample.populationSha256, drawn]).toEqual([5, populationDigest(ids), expected]);
    const other = (await draw()).body as { id: string; seed: string };
    expect(other.seed).not.toBe(sample.seed);
    const list = (await trainer().get(`/api/v1/samples?agentId=${agentId}`).expect(200)).body as { items: { id: string }[] };
    expect(list.items.map((item) => item.id)).toEqual([other.id, sample.id]);
    await trainer().post('/api/v1/samples').send({ agentId, from: '2026-11-11', to: day, size: 3 }).expect(422);
    await trainer().post('/api/v1/samples').send({ agentId: service.signInOf('trainer').id, from: day, to: day, size: 3 }).expect(404);
    const trail = await service.as('auditor').get(`/api/v1/audit?object=sample:${sample.id}`).expect(200);
    expect((trail.body as { items: object[] }).items).toMatchObject([{ action: 'sample.drawn', details: { seed: sample.seed } }]);
    // A call that is gone leaves the sample; the record of the draw stays.
    await service.service.platform.database.query('DELETE FROM recordings WHERE id = $1', [drawn[0]]);
    const later = (await trainer().get(`/api/v1/samples/${sample.id}`).expect(200)).body as typeof sample;
    expect([later.population, later.calls.map((call) => call.recording.id)]).toEqual([5, drawn.slice(1)]);
  });
});

it('the overview says by name who was listened to, and gives no scores', async () => {
  const day = '2026-11-05';
  const [heard] = [await agentsCall(service, { startedAt: `${day}T10:00:00Z` }), await agentsCall(service, { startedAt: `${day}T11:00:00Z` })];
  await trainer().get(`/api/v1/recordings/${String(heard)}/audio`).expect(200);
  await submitted(heard);
  const listed = async (evaluated: boolean) =>
    ((await trainer().get(`/api/v1/recordings?from=${day}&to=${day}&evaluated=${evaluated}`).expect(200)).body as { items: { id: string }[] }).items;
  expect((await listed(true)).map((item) => item.id)).toEqual([heard]);
  expect(await listed(false)).toHaveLength(1);
  await service.as('privacy_officer').get('/api/v1/recordings?evaluated=true').expect(422);
  const { body } = await trainer().get(`/api/v1/training-overview?from=${day}&to=${day}`).expect(200);
  const items = (body as { items: { agent: { id: string } }[] }).items;
  const own = items.find((item) => item.agent.id === agentId);
  expect(own).toMatchObject({ calls: 2, listened: 1, shared: 1, evaluated: 1 });
  expect(Object.keys(own ?? {})).not.toContain('score');
  expect(agentExtension).toBe('201');
});

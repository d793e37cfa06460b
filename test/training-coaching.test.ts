import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireOutcomes } from '../src/training/outcome.js';
import { startTestService, type TestService } from './support/service.js';
import { agentsCall, giveExtension, restrict } from './support/training.js';

let service: TestService;
let agentId: string;
let scorecardId: string;
beforeAll(async () => {
  service = await startTestService();
  agentId = await giveExtension(service);
  const act = { explanation: 'Coaching', consent: { date: '2026-10-01', reference: 'OR 2026-14' } };
  await service.as('administrator').put('/api/v1/further-uses/evaluation').send(act).expect(200);
  const questions = [{ id: 'name', text: 'Says their name', kind: 'yes_no' }, { id: 'tone', text: 'Tone', kind: 'scale', max: 5 }];
  const card = { name: 'First line', sections: [{ id: 'opening', title: 'Opening', questions }] };
  scorecardId = ((await service.as('trainer').post('/api/v1/scorecards').send(card).expect(201)).body as { id: string }).id;
});
afterAll(() => service.close());

const trainer = () => service.as('trainer');
const agent = () => service.as('agent');

interface Open {
  id: string;
  version: number;
  draft: { revision: number; notes: { atMs: number; text: string }[] } | null;
  versions: { notes: { atMs: number; text: string }[]; response: string | null; earlierResponses: { response: string }[] }[];
}
const said = 'Interrupts the caller here';
const written = {
  answers: [{ questionId: 'name', value: true, note: 'Clear', atMs: 200 }, { questionId: 'tone', value: 4 }],
  notes: [{ atMs: 1500, text: said }, { atMs: 500, text: 'Listens well' }],
  summary: 'A fine call',
};

async function begin(recordingId: string): Promise<Open> {
  return (await trainer().post(`/api/v1/recordings/${recordingId}/evaluations`).send({ scorecardId })).body as Open;
}
async function draft(recordingId: string): Promise<Open> {
  const { id } = await begin(recordingId);
  return (await trainer().put(`/api/v1/evaluations/${id}/draft`).send({ revision: 1, ...written }).expect(200)).body as Open;
}
async function submitted(recordingId: string): Promise<Open> {
  const { id, draft: saved } = await draft(recordingId);
  const body = { revision: saved?.revision };
  return (await trainer().post(`/api/v1/evaluations/${id}/submit`).send(body).expect(200)).body as Open;
}
const readBy = async (who: ReturnType<typeof agent>, id: string) =>
  (await who.get(`/api/v1/evaluations/${id}`).expect(200)).body as Open;

describe('an evaluation', () => {
  it('carries notes at moments, and the agent reads them as they were written', async () => {
    const { id } = await submitted(await agentsCall(service));
    expect((await readBy(agent(), id)).versions[0]?.notes).toEqual(written.notes);
    const revised = await trainer().post(`/api/v1/evaluations/${id}/revise`).send({ reason: 'Listened again' }).expect(200);
    expect((revised.body as Open).draft?.notes).toEqual(written.notes);
    const revision = (revised.body as Open).draft?.revision;
    const outside = { revision, ...written, notes: [{ atMs: 600_000, text: 'Where is this?' }] };
    await trainer().put(`/api/v1/evaluations/${id}/draft`).send(outside).expect(422);
  });

  it('that is thrown away as a draft is gone, and leaves what was submitted', async () => {
    const recordingId = await agentsCall(service);
    const fresh = await draft(recordingId);
    await (await service.another('trainer')).delete(`/api/v1/evaluations/${fresh.id}/draft`).expect(404);
    await trainer().delete(`/api/v1/evaluations/${fresh.id}/draft`).expect(204);
    await trainer().get(`/api/v1/evaluations/${fresh.id}`).expect(404);
    const { id } = await submitted(recordingId);
    await trainer().delete(`/api/v1/evaluations/${id}/draft`).expect(409);
    await trainer().post(`/api/v1/evaluations/${id}/revise`).send({ reason: 'A slip' }).expect(200);
    await trainer().delete(`/api/v1/evaluations/${id}/draft`).expect(204);
    expect(await readBy(trainer(), id)).toMatchObject({ version: 1, draft: null, versions: [{ version: 1 }] });
  });

  it('is read without the call where its trainer did not share that', async () => {
    const recordingId = await agentsCall(service);
    const { id, draft: saved } = await draft(recordingId);
    const submit = { revision: saved?.revision, share: false };
    expect((await trainer().post(`/api/v1/evaluations/${id}/submit`).send(submit).expect(200)).body).toMatchObject({ audible: true });
    expect(await readBy(agent(), id)).toMatchObject({ audible: false, version: 1 });
    await agent().get(`/api/v1/recordings/${recordingId}/audio`).expect(404);
    await trainer().put(`/api/v1/recordings/${recordingId}/shares/${agentId}`).send({}).expect(200);
    expect(await readBy(agent(), id)).toMatchObject({ audible: true });
  });

  it('keeps what the agent said before, when they say something else', async () => {
    const { id } = await submitted(await agentsCall(service));
    const say = (response?: string) => agent().put(`/api/v1/evaluations/${id}/answer`).send({ version: 1, response }).expect(200);
    await say('The line was bad');
    // Its answer got lost; the same is sent again.
    await say('The line was bad');
    await say();
    await say('The line was bad, and I was alone');
    expect((await readBy(trainer(), id)).versions[0]).toMatchObject({
      response: 'The line was bad, and I was alone', earlierResponses: [{ response: 'The line was bad' }],
    });
  });
});

describe('an agent', () => {
  it('reaches nothing of a call of their own that was not shared, nor anything of a colleague’s', async () => {
    const own = await agentsCall(service);
    const unshared = await draft(own);
    const evaluated = await submitted(await agentsCall(service));
    const colleague = await service.another('agent');
    const everything = (recordingId: string, evaluationId: string) => [
      `/recordings/${recordingId}`, `/recordings/${recordingId}/audio`, `/recordings/${recordingId}/waveform`,
      `/recordings/${recordingId}/comments`, `/recordings/${recordingId}/transcript`, `/evaluations/${evaluationId}`,
    ];
    for (const path of everything(own, unshared.id)) expect([path, (await agent().get(`/api/v1${path}`)).status]).toEqual([path, 404]);
    const { recording } = (await trainer().get(`/api/v1/evaluations/${evaluated.id}`)).body as { recording: { id: string } };
    for (const path of everything(recording.id, evaluated.id)) {
      expect([path, (await colleague.get(`/api/v1${path}`)).status]).toEqual([path, 404]);
      expect([path, (await agent().get(`/api/v1${path}`)).status]).toEqual([path, 200]);
    }
    // Naming somebody else does not show them, and the lists hold only one's own.
    for (const path of ['/recordings', '/shared-calls', '/evaluations', `/evaluations?agentId=${agentId}`, `/evaluation-outcomes?agentId=${agentId}`])
      expect([path, ((await colleague.get(`/api/v1${path}`).expect(200)).body as { items: [] }).items]).toEqual([path, []]);
    const answer = { version: 1, response: 'x' };
    await colleague.put(`/api/v1/evaluations/${evaluated.id}/answer`).send(answer).expect(404);
    await agent().put(`/api/v1/evaluations/${unshared.id}/answer`).send(answer).expect(404);
    // What trainers keep among themselves is closed to agents altogether.
    for (const path of ['/collections', '/scorecards', '/samples', '/training-overview?from=2026-11-01&to=2026-11-30', '/people'])
      await agent().get(`/api/v1${path}`).expect(403);
  });
});

describe('outcomes', () => {
  it('are asked for by agent and period', async () => {
    const today = service.clock.now().toISOString().slice(0, 10);
    const { id } = await submitted(await agentsCall(service));
    const ids = async (query: string) => {
      const { body } = await trainer().get(`/api/v1/evaluation-outcomes?agentId=${agentId}&${query}`).expect(200);
      return (body as { items: { evaluationId: string }[] }).items.map((item) => item.evaluationId);
    };
    expect(await ids(`from=${today}&to=${today}`)).toContain(id);
    expect(await ids('to=2026-01-01')).toEqual([]);
    expect(await ids('from=2031-01-01')).toEqual([]);
    await trainer().get(`/api/v1/evaluation-outcomes?agentId=${agentId}&from=yesterday`).expect(422);
  });
});

describe('a sample', () => {
  it('is drawn again from its seed when it is read, as long as there is the same to draw from', async () => {
    const day = '2026-11-12';
    const ids: string[] = [];
    for (let hour = 10; hour < 14; hour += 1) ids.push(await agentsCall(service, { startedAt: `${day}T${hour}:00:00Z` }));
    const drawn = await trainer().post('/api/v1/samples').send({ agentId, from: day, to: day, size: 2 }).expect(201);
    type Read = { id: string; calls: { recording: { id: string }; begun: boolean; evaluated: boolean }[]; redrawn: object };
    const { id, calls, redrawn } = drawn.body as Read;
    expect(drawn.body).toMatchObject({ agent: { id: agentId }, extensions: ['201'], size: 2, drawnBy: { id: service.signInOf('trainer').id } });
    expect(redrawn).toEqual({ outcome: 'same', population: 4 });
    const read = async () => (await trainer().get(`/api/v1/samples/${id}`).expect(200)).body as Read;
    const first = calls[0]?.recording.id ?? '';
    await begin(first);
    expect((await read()).calls[0]).toMatchObject({ begun: true, evaluated: false });
    const other = await (await service.another('trainer')).get(`/api/v1/samples/${id}`).expect(200);
    expect((other.body as Read).calls[0]).toMatchObject({ begun: false });
    // Somebody who could write to the database slips another call in.
    const { database } = service.service.platform;
    const notDrawn = ids.find((each) => !calls.some((call) => call.recording.id === each));
    await database.query('UPDATE sample_picks SET recording_id = $3 WHERE sample_id = $1 AND recording_id = $2', [id, first, notDrawn]);
    expect((await read()).redrawn).toEqual({ outcome: 'different', population: 4 });
    await restrict(service, first);
    expect((await read()).redrawn).toEqual({ outcome: 'other_calls', population: 3 });
  });
});

describe('further uses', () => {
  it('keep every act with who ended it and why; transcription names its purposes and who does it where', async () => {
    const put = (use: string, body: object) => service.as('administrator').put(`/api/v1/further-uses/${use}`).send(body);
    const act = { explanation: 'Owed on request', ground: 'legal_obligation', purposes: ['access_request'] };
    await put('transcription', act).expect(422);
    await put('transcription', { ...act, processor: { name: 'Speech BV', region: 'NL' }, purposes: [] }).expect(422);
    await put('transcription', { ...act, processor: { name: 'Speech BV', region: 'NL' } }).expect(200);
    await put('scoring', act).expect(404);
    await service.as('administrator').post('/api/v1/further-uses/transcription/end').send({ reason: 'Contract over' }).expect(200);
    for (const role of ['auditor', 'privacy_officer', 'agent'] as const) {
      const { body } = await service.as(role).get('/api/v1/further-uses').expect(200);
      const use = (body as { items: { use: string }[] }).items.find((each) => each.use === 'transcription');
      expect(use).toMatchObject({
        on: false, act: null, history: [{ ground: 'legal_obligation', endReason: 'Contract over', endedBy: { id: service.signInOf('administrator').id } }],
      });
      await service.as(role).put('/api/v1/further-uses/speech_search').send({ explanation: 'x' }).expect(403);
    }
  });
});

it('evaluations leave with their recording in a sweep, and the outcome alone stays its year', async () => {
  const recordingId = await agentsCall(service);
  const { id } = await submitted(recordingId);
  const { database } = service.service.platform;
  const kept = () => database.query<{ retainUntil: Date }>('SELECT retain_until AS "retainUntil" FROM evaluation_outcomes WHERE evaluation_id = $1', [id]);
  const { retainUntil } = (await trainer().get(`/api/v1/recordings/${recordingId}`)).body as { retainUntil: string };
  try {
    service.clock.set(new Date(retainUntil));
    await service.signInAgain();
    const sweep = await service.as('administrator').post('/api/v1/retention/sweeps').expect(202);
    await expect
      .poll(async () => (await service.as('administrator').get(`/api/v1/retention/sweeps/${(sweep.body as { id: string }).id}`)).body as object)
      .toMatchObject({ state: 'done', failed: 0 });
    for (const table of ['evaluations', 'recording_shares', 'sample_picks'])
      expect(await database.query(`SELECT 1 FROM ${table} WHERE recording_id = $1`, [recordingId])).toEqual([]);
    const words = `SELECT 1 FROM evaluation_versions WHERE content::text LIKE '%' || $1 || '%' AND evaluation_id = $2`;
    expect(await database.query(words, [said, id])).toEqual([]);
    const [outcome] = await kept();
    const year = outcome?.retainUntil ?? new Date(0);
    service.clock.set(new Date(year.getTime() - 60_000));
    await expireOutcomes(service.service.platform);
    expect(await kept()).toHaveLength(1);
    service.clock.set(year);
    await expireOutcomes(service.service.platform);
    expect(await kept()).toEqual([]);
  } finally {
    service.clock.reset();
    await service.signInAgain();
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PersonRole } from '../src/access/caller.js';
import { presentRecording } from '../src/recordings/present.js';
import { startTestService, type TestService } from './support/service.js';
import { agentsCall, giveExtension, restrict, share } from './support/training.js';

/** What a role is never told, whichever way it asks: every address that can be read, with everything there is to name. */

/** Who called, and what was written: the officer's. */
const personal = ['Zwaluwstaart', '612398701', 'Geheimschrift', 'Waterlelie', 'pimpernel', 'Kruiwagen', 'distelvink'];
/** What trainers and their agents say and write among themselves. */
const coaching = ['kolibrie', 'wielewaal', 'ijsvogel', 'roodborst'];

let service: TestService;
let agentId: string;
/** Ids by the beginning of the addresses in which they stand. */
const known: Record<string, string[]> = {};
let call: string;
let reads: string[];

const trainer = () => service.as('trainer');
const officer = () => service.as('privacy_officer');
const idOf = (answer: { body: object }) => (answer.body as { id: string }).id;

beforeAll(async () => {
  service = await startTestService();
  agentId = await giveExtension(service);
  const person = { caller: '+31612398701', callerName: 'Zwaluwstaart' };
  call = await agentsCall(service, { ...person, ticket: 'T900' });
  const another = await agentsCall(service, person);
  const ticket = await service
    .machine(service.helpdeskKey)
    .put('/api/v1/tickets/by-external/900')
    .send({
      number: 'T900', subject: 'Geheimschrift',
      requester: { name: 'Zwaluwstaart', email: 'pimpernel@voorbeeld.nl', phone: '0612398701', organisation: 'Kruiwagen BV' },
      messages: [{ externalId: 'm', at: service.clock.now().toISOString(), from: 'customer', body: '<p>Waterlelie</p>', contentType: 'text/html' }],
    })
    .expect(201);
  const attached = await service
    .machine(service.helpdeskKey)
    .post('/api/v1/tickets/by-external/900/attachments')
    .attach('file', Buffer.from('Waterlelie'), 'distelvink.pdf')
    .expect(201);
  await officer().put(`/api/v1/tickets/${idOf(ticket)}/recordings/${another}`).send({ reason: 'Zwaluwstaart belde' }).expect(204);
  const agreement = await officer()
    .post(`/api/v1/recordings/${call}/agreements`)
    .send({ startMs: 0, endMs: 500, summary: 'roodborst', parties: ['Zwaluwstaart'], ticket: 'T900' })
    .expect(201);
  const further = { explanation: 'Coaching', consent: { date: '2026-10-01', reference: 'OR 1' } };
  for (const use of ['evaluation', 'speech_search'])
    await service.as('administrator').put(`/api/v1/further-uses/${use}`).send(further).expect(200);
  await trainer().put(`/api/v1/recordings/${call}/transcript`).send({ revision: 0, segments: [{ startMs: 0, endMs: 400, text: 'kolibrie' }] }).expect(200);
  await trainer().post(`/api/v1/recordings/${call}/comments`).send({ startMs: 100, visibility: 'shared', text: 'wielewaal' }).expect(201);
  const collection = await trainer().post('/api/v1/collections').send({ name: 'ijsvogel' }).expect(201);
  await trainer().post(`/api/v1/collections/${idOf(collection)}/items`).send({ recordingId: call, note: 'ijsvogel' }).expect(201);
  const sections = [{ id: 's', title: 'Opening', questions: [{ id: 'q', text: 'Names', kind: 'yes_no' }] }];
  const scorecard = await trainer().post('/api/v1/scorecards').send({ name: 'Basis', sections }).expect(201);
  const evaluation = await trainer().post(`/api/v1/recordings/${call}/evaluations`).send({ scorecardId: idOf(scorecard) }).expect(201);
  const draft = { revision: 1, answers: [{ questionId: 'q', value: true }], summary: 'ijsvogel' };
  await trainer().put(`/api/v1/evaluations/${idOf(evaluation)}/draft`).send(draft).expect(200);
  const day = service.clock.now().toISOString().slice(0, 10);
  const sample = await trainer().post('/api/v1/samples').send({ agentId, from: '2026-01-01', to: day, size: 5 }).expect(201);
  Object.assign(known, {
    recordings: [call, another], tickets: [idOf(ticket)], agreements: [idOf(agreement)], collections: [idOf(collection)],
    scorecards: [idOf(scorecard)], evaluations: [idOf(evaluation)], samples: [idOf(sample)], attachments: [idOf(attached)],
  });
  const document = (await service.nobody().get('/api/v1/openapi.json').expect(200)).body as { paths: Record<string, Record<string, object>> };
  reads = Object.entries(document.paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []));
});
afterAll(() => service.close());

/** Every address of a path: each of its ids is one that exists, where we know one of that kind. */
function addresses(path: string): string[] {
  const parts = path.split('/');
  return parts.reduce<string[]>(
    (built, part, at) => {
      const ids = part.startsWith('{') ? (known[parts[at - 1] ?? ''] ?? [call]) : [part];
      return built.flatMap((before) => ids.map((id) => (at === 0 ? id : `${before}/${id}`)));
    },
    [''],
  );
}

/** All that `role` can read, as one text: what stands in answers and in refusals. Sound and pictures of it are asked for apart. */
async function everything(role: PersonRole): Promise<{ text: string; answered: number }> {
  let text = '';
  let answered = 0;
  for (const path of reads) {
    if (/audio$|verifier$|waveform$|openapi/.test(path)) continue;
    const query = path === '/transcripts' ? '?q=kolibrie' : path === '/training-overview' ? '?from=2026-01-01&to=2026-12-31' : path === '/evaluation-outcomes' ? `?agentId=${agentId}` : '';
    for (const address of addresses(path)) {
      const answer = await service.as(role).get(`/api/v1${address}${query}`).buffer(true);
      if (answer.status === 200) answered += 1;
      text += `\n${answer.status} ${address} ${answer.text}${JSON.stringify(answer.body)}`;
    }
  }
  return { text, answered };
}

const toldOf = (text: string, words: readonly string[]) =>
  words.flatMap((word) => text.split('\n').filter((line) => line.includes(word)).map((line) => `${word}: ${line.slice(0, 120)}`));

describe('read address by address', () => {
  it('a trainer learns no name, number or text of a ticket, while an officer reads them all', async () => {
    const { text, answered } = await everything('trainer');
    expect(answered).toBeGreaterThan(20);
    expect(toldOf(text, personal)).toEqual([]);
    expect(toldOf(text, coaching).length).toBeGreaterThan(3);
    const officers = (await everything('privacy_officer')).text;
    for (const word of personal) expect([word, officers.includes(word)]).toEqual([word, true]);
  });

  it('an agent learns nothing of what was not shared, and of what was no name and no number', async () => {
    expect(toldOf((await everything('agent')).text, [...personal, ...coaching])).toEqual([]);
    const list = (await trainer().get('/api/v1/evaluations').expect(200)).body as { items: { id: string }[] };
    await trainer().post(`/api/v1/evaluations/${list.items[0]?.id ?? ''}/submit`).send({ revision: 2 }).expect(200);
    const { text } = await everything('agent');
    expect(toldOf(text, personal)).toEqual([]);
    for (const word of ['kolibrie', 'wielewaal', 'ijsvogel']) expect([word, text.includes(word)]).toEqual([word, true]);
    expect(text).not.toContain('roodborst');
  });

  it.each(['administrator', 'auditor'] as const)('an %s learns nothing that was said or written, and hears nothing', async (role) => {
    const { text } = await everything(role);
    expect(toldOf(text, [...personal, ...coaching])).toEqual([]);
    for (const way of ['audio', 'waveform', 'transcript', 'comments']) await service.as(role).get(`/api/v1/recordings/${call}/${way}`).expect(403);
  });
});

describe('asked by what is hidden', () => {
  const found = async (path: string) => ((await trainer().get(`/api/v1${path}`).expect(200)).body as { items: object[] }).items;

  it('a trainer is refused, or answered as if there were no such word', async () => {
    for (const query of ['q=Waterlelie', 'email=pimpernel@voorbeeld.nl', 'phone=0612398701', 'q=T900&number=T900'])
      await trainer().get(`/api/v1/tickets?${query}`).expect(403);
    for (const number of ['0612398701', '+31612398701', '8701', '70', '%01', '7_1']) {
      await trainer().get('/api/v1/recordings').query({ number }).expect(422);
      await trainer().get('/api/v1/agreements').query({ number }).expect(422);
    }
    await trainer().get('/api/v1/agreements?organisation=Kruiwagen').expect(422);
    for (const path of ['/agreements?q=Zwaluwstaart', '/recordings?agent=Zwaluwstaart', '/recordings?queue=Zwaluwstaart', '/recordings?ticket=Geheimschrift', '/transcripts?q=Zwaluwstaart'])
      expect([path, await found(path)]).toEqual([path, []]);
    // The last three digits are what a trainer sees.
    expect(await found('/recordings?number=701')).toHaveLength(2);
    expect(await found('/recordings?number=700')).toEqual([]);
  });

  it('scores of several agents are not listed side by side', async () => {
    const scores = async (query: string) => (await found(`/evaluations${query}`)).map((item) => (item as { score: number | null }).score);
    expect(await scores('')).toEqual([null]);
    expect(await scores(`?agentId=${agentId}`)).toEqual([100]);
    expect(await scores(`?recordingId=${call}`)).toEqual([100]);
  });

  it('a ticket that is closed to training is not told of beside its call either', async () => {
    const id = await agentsCall(service, { ticket: 'T901' });
    const made = await service.machine(service.helpdeskKey).put('/api/v1/tickets/by-external/901').send({ number: 'T901', subject: 'x' }).expect(201);
    await share(service, id);
    const told = async (role: PersonRole) =>
      ((await service.as(role).get(`/api/v1/recordings/${id}`).expect(200)).body as { tickets: { number: string }[] }).tickets.map(({ number }) => number);
    for (const role of ['trainer', 'agent', 'privacy_officer'] as const) expect(await told(role)).toEqual(['T901']);
    const { database, clock } = service.service.platform;
    await database.query(
      `INSERT INTO restrictions (id, category, item_id, purpose, ground, placed_by, placed_at)
       VALUES (gen_random_uuid(), 'ticket', $1, 'all', 'restriction', $2, $3)`,
      [idOf(made), service.signInOf('privacy_officer').id, clock.now()],
    );
    expect(await told('trainer')).toEqual([]);
    expect(await told('agent')).toEqual([]);
    expect(await told('privacy_officer')).toEqual(['T901']);
    await trainer().get(`/api/v1/tickets/${idOf(made)}`).expect(404);
  });
});

describe('a call that is closed to training', () => {
  it('is reached by none of the ways in which trainers and agents reached it', async () => {
    const id = await agentsCall(service);
    await share(service, id);
    const comment = await trainer().post(`/api/v1/recordings/${id}/comments`).send({ startMs: 0, visibility: 'shared', text: 'x' }).expect(201);
    const [collection] = known['collections'] ?? [];
    const opened = (await trainer().post(`/api/v1/collections/${collection ?? ''}/items`).send({ recordingId: id }).expect(201)).body as { items: { id: string; recording: { id: string } }[] };
    const item = opened.items.find((each) => each.recording.id === id)?.id ?? '';
    const evaluation = await trainer().post(`/api/v1/recordings/${id}/evaluations`).send({ scorecardId: known['scorecards']?.[0] }).expect(201);
    const [ticket = ''] = known['tickets'] ?? [];
    await trainer().put(`/api/v1/tickets/${ticket}/recordings/${id}`).expect(204);
    await restrict(service, id);
    for (const role of ['trainer', 'agent'] as const) {
      for (const way of ['', '/audio', '/waveform', '/transcript', '/comments', '/flags'])
        expect([way, (await service.as(role).get(`/api/v1/recordings/${id}${way}`)).status]).toEqual([way, 404]);
      await service.as(role).post(`/api/v1/recordings/${id}/heard`).send({ intervals: [{ startMs: 0, endMs: 5 }] }).expect(404);
      await service.as(role).post(`/api/v1/recordings/${id}/comments`).send({ startMs: 0, text: 'x' }).expect(404);
      await service.as(role).post(`/api/v1/comments/${idOf(comment)}/replies`).send({ text: 'x' }).expect(404);
      await service.as(role).post(`/api/v1/recordings/${id}/flags`).send({ rights: ['access'] }).expect(404);
    }
    const refused = [
      trainer().patch(`/api/v1/comments/${idOf(comment)}`).send({ text: 'y' }),
      trainer().delete(`/api/v1/comments/${idOf(comment)}`),
      trainer().put(`/api/v1/recordings/${id}/shares/${agentId}`).send({}),
      trainer().put(`/api/v1/recordings/${id}/transcript`).send({ revision: 0, segments: [] }),
      trainer().get(`/api/v1/recordings/${id}/transcript/history`),
      trainer().post(`/api/v1/recordings/${id}/agreements`).send({ startMs: 0, endMs: 9, summary: 'x', parties: ['x'] }),
      trainer().post(`/api/v1/recordings/${id}/evaluations`).send({ scorecardId: known['scorecards']?.[0] }),
      trainer().get(`/api/v1/evaluations/${idOf(evaluation)}`),
      trainer().put(`/api/v1/evaluations/${idOf(evaluation)}/draft`).send({ revision: 1, summary: 'x' }),
      trainer().post(`/api/v1/evaluations/${idOf(evaluation)}/submit`).send({ revision: 1 }),
      trainer().post(`/api/v1/collections/${collection ?? ''}/items`).send({ recordingId: id }),
      trainer().patch(`/api/v1/collections/${collection ?? ''}/items/${item}`).send({ note: 'x' }),
      trainer().get(`/api/v1/recordings/${id}/ticket-suggestions`),
      trainer().put(`/api/v1/tickets/${ticket}/recordings/${id}`),
    ];
    for (const [at, answer] of (await Promise.all(refused)).entries()) expect([at, answer.status]).toEqual([at, 404]);
    for (const role of ['trainer', 'agent'] as const) expect(toldOf((await everything(role)).text.replaceAll(`/${id}`, ''), [id])).toEqual([]);
  });
});

describe('whom a call went on to', () => {
  it('is masked where a number stands in it, and told where it is a device', () => {
    const shownTo = (role: 'trainer' | 'administrator' | 'privacy_officer', to: string) => {
      const recording = { transfers: [{ at: '2026-11-01T10:00:00.000Z', to }], started_at: new Date(0), retain_until: new Date(0), channel_map: [], caller_number: null, callee_number: null };
      const version = { state: 'ready', received_at: new Date(0) };
      const context = { sourceName: '', held: false, restricted: false, tickets: [], agreements: [] };
      return presentRecording(recording as never, version as never, context, role, []).transfers[0]?.to;
    };
    expect(['0612398701', 'SIP/0612398701@provider', '201', 'PJSIP/201'].map((to) => shownTo('trainer', to))).toEqual(['•••701', 'SIP/•••701@provider', '201', 'PJSIP/201']);
    expect(shownTo('administrator', 'SIP/0612398701@provider')).toBe('SIP/•••@provider');
    expect(shownTo('privacy_officer', 'SIP/0612398701@provider')).toBe('SIP/0612398701@provider');
  });
});

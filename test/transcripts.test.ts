import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';
import { startSpeechServer, type SpeechServer } from './support/speech-server.js';
import { agentsCall, giveExtension, restrict, share } from './support/training.js';

let service: TestService;
let speech: SpeechServer;
beforeAll(async () => {
  speech = await startSpeechServer();
  service = await startTestService({ env: { TRANSCRIPTION_URL: speech.url, TRANSCRIPTION_KEY: 'a speech key' } });
  await giveExtension(service);
});
afterAll(async () => {
  await service.close();
  await speech.close();
});

interface Transcript {
  revision: number;
  origin: string | null;
  fetchable: boolean;
  segments: { startMs: number; endMs: number; speaker: string | null; text: string }[];
  request: { state: string; failureCode: string | null } | null;
}
type Reader = 'trainer' | 'agent' | 'privacy_officer';

const pathOf = (id: string) => `/api/v1/recordings/${id}/transcript`;
const read = async (id: string, reader: Reader = 'trainer') => (await service.as(reader).get(pathOf(id)).expect(200)).body as Transcript;
const segment = (startMs: number, text: string, speaker: string | null = null) => ({ startMs, endMs: startMs + 400, speaker, text });
const write = (id: string, revision: number, segments: object[], reader: Reader = 'trainer') =>
  service.as(reader).put(pathOf(id)).send({ revision, segments });
const act = { explanation: 'A transcript is owed on request', purposes: ['training'], processor: { name: 'Speech BV', region: 'NL' } };
const switchOn = (use: string, body: object = act) => service.as('administrator').put(`/api/v1/further-uses/${use}`).send(body).expect(200);

describe('a transcript', () => {
  it('is typed, corrected with its history, and not over somebody else’s correction', async () => {
    const id = await agentsCall(service);
    expect(await read(id)).toMatchObject({ revision: 0, origin: null, segments: [], request: null });
    await write(id, 0, [segment(900, 'met Jansen', 'caller'), segment(100, 'Goedemorgen', 'agent')]).expect(200);
    const first = await read(id);
    expect(first).toMatchObject({ revision: 1, origin: 'typed', segments: [{ text: 'Goedemorgen', speaker: 'agent' }, { text: 'met Jansen' }] });
    await write(id, 0, first.segments).expect(200);
    expect((await read(id)).revision).toBe(1);
    const late = await write(id, 0, [segment(0, 'something else')]).expect(409);
    expect(late.body).toMatchObject({ revision: 1 });
    const [one, other] = await Promise.all([write(id, 1, [segment(0, 'one')]), write(id, 1, [segment(0, 'other')])]);
    expect([one.status, other.status].sort()).toEqual([200, 409]);
    const history = (await service.as('privacy_officer').get(`${pathOf(id)}/history`).expect(200)).body as { items: Transcript[] };
    expect(history.items.map((item) => [item.revision, item.segments.length])).toEqual([[2, 1], [1, 2]]);
    for (const wrong of [[segment(0, ' ')], [{ ...segment(0, 'x'), endMs: -1 }], [segment(90_000, 'x')]]) await write(id, 2, wrong).expect(422);
    const trail = await service.as('auditor').get(`/api/v1/audit?object=recording:${id}&action=transcript.*`).expect(200);
    expect(JSON.stringify(trail.body)).not.toContain('Jansen');
  });

  it('is imported from the usual files', async () => {
    const files = ['WEBVTT\n\n00:00.100 --> 00:00.900\n<v Beller>Hallo', '1\n00:00:00,100 --> 00:00:00,900\nHallo', '{"segments":[{"start":0.1,"end":0.9,"text":" Hallo"}]}'];
    for (const content of files) {
      const id = await agentsCall(service);
      const answer = await service.as('privacy_officer').post(`${pathOf(id)}/import`).send({ revision: 0, content }).expect(200);
      expect(answer.body).toMatchObject({ revision: 1, origin: 'imported', segments: [{ startMs: 100, endMs: 900, text: 'Hallo' }] });
    }
    const id = await agentsCall(service);
    for (const content of ['nothing of the kind', 'WEBVTT', '{"segments":[]}'])
      await service.as('trainer').post(`${pathOf(id)}/import`).send({ revision: 0, content }).expect(422);
  });

  it('follows the playback copy when hold music is cut, also music that becomes known later', async () => {
    const callId = 'transcript-moves';
    const id = await agentsCall(service, { callId, holds: JSON.stringify([{ startMs: 1000, endMs: 3000 }]) }, tone({ seconds: 6, channels: 2 }));
    await write(id, 0, [segment(1500, 'after the music')]).expect(200);
    expect((await read(id)).segments).toMatchObject([{ startMs: 1500, endMs: 1900 }]);
    await service.machine(service.pbxKey).patch(`/api/v1/recordings/by-call/${callId}`)
      .send({ holds: [{ startMs: 0, endMs: 200 }, { startMs: 1000, endMs: 3000 }] }).expect(200);
    expect((await read(id)).segments).toMatchObject([{ startMs: 1300, endMs: 1700 }]);
  });

  it('is read by whoever may hear the recording, and by nobody else', async () => {
    const id = await agentsCall(service);
    await write(id, 0, [segment(0, 'Goedemorgen')]).expect(200);
    await service.as('agent').get(pathOf(id)).expect(404);
    await share(service, id);
    expect((await read(id, 'agent')).segments).toHaveLength(1);
    await service.as('agent').put(pathOf(id)).send({ revision: 1, segments: [] }).expect(403);
    await restrict(service, id);
    for (const reader of ['agent', 'trainer'] as const) await service.as(reader).get(pathOf(id)).expect(404);
    expect((await read(id, 'privacy_officer')).segments).toHaveLength(1);
    await service.service.platform.database.query('DELETE FROM recordings WHERE id = $1', [id]);
    for (const table of ['transcripts', 'transcript_segments', 'transcript_revisions'])
      expect(await service.service.platform.database.query(`SELECT 1 FROM ${table} WHERE recording_id = $1`, [id])).toEqual([]);
  });

  it('is out of reach from the end of the recording’s period on', async () => {
    const id = await agentsCall(service);
    await write(id, 0, [segment(0, 'Goedemorgen')]).expect(200);
    const { retainUntil } = (await service.as('trainer').get(`/api/v1/recordings/${id}`)).body as { retainUntil: string };
    try {
      service.clock.set(new Date(Date.parse(retainUntil) - 60_000));
      await service.signInAgain();
      expect((await read(id)).revision).toBe(1);
      service.clock.set(new Date(retainUntil));
      await service.as('trainer').get(pathOf(id)).expect(410);
      await write(id, 1, []).expect(410);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });
});

describe('searching in speech', () => {
  const search = (q: string, reader: Reader = 'trainer') => service.as(reader).get('/api/v1/transcripts').query({ q });
  const found = async (q: string, reader: Reader = 'trainer') =>
    ((await search(q, reader).expect(200)).body as { items: { recording: { id: string; caller: string }; segments: { text: string }[] }[] }).items;

  it('is off until an act that allows it is on record, then finds Dutch word forms, newest call first', async () => {
    const older = await agentsCall(service, { startedAt: '2026-11-01T10:00:00Z' });
    const newer = await agentsCall(service, { startedAt: '2026-11-02T10:00:00Z' });
    await write(older, 0, [segment(0, 'Ik wil mijn abonnement opzeggen'), segment(500, 'iets anders')]).expect(200);
    await write(newer, 0, [segment(0, 'Twee abonnementen graag')]).expect(200);
    expect((await search('abonnement').expect(409)).body).toMatchObject({ code: 'not-switched-on', use: 'speech_search' });
    await switchOn('speech_search', { explanation: 'Finding examples for training' });
    const hits = await found('abonnement');
    expect(hits.map((hit) => hit.recording.id)).toEqual([newer, older]);
    expect(hits[1]).toMatchObject({ recording: { caller: '•••101' }, segments: [{ text: 'Ik wil mijn abonnement opzeggen' }] });
    expect((await found('abonnement -opzeggen')).map((hit) => hit.recording.id)).toEqual([newer]);
    // What was corrected away is found no more.
    await write(newer, 1, [segment(0, 'Twee aansluitingen graag')]).expect(200);
    expect((await found('abonnement')).map((hit) => hit.recording.id)).toEqual([older]);
    await restrict(service, older);
    expect(await found('abonnement')).toEqual([]);
    expect((await found('abonnement', 'privacy_officer')).map((hit) => hit.recording.id)).toEqual([older]);
    const trail = await service.as('auditor').get('/api/v1/audit?action=transcript.searched').expect(200);
    expect(JSON.stringify(trail.body)).not.toContain('abonnement');
  });
});

describe('fetching from a speech-to-text server', () => {
  const spoken = { status: 200, body: { task: 'transcribe', text: 'Hallo daar', segments: [{ id: 0, start: 0.2, end: 1.1, text: ' Hallo daar' }] } };
  const ask = (id: string, body: object = {}, reader: Reader = 'trainer') =>
    service.as(reader).post(`${pathOf(id)}/fetch`).send({ revision: 0, ...body });
  async function settled(id: string): Promise<Transcript> {
    for (let tries = 0; tries < 300; tries += 1) {
      const transcript = await read(id, 'privacy_officer');
      if (transcript.request !== null && transcript.request.state !== 'waiting') return transcript;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the request is still waiting');
  }
  beforeEach(() => {
    speech.asked.length = 0;
    speech.answers = [spoken];
    speech.meanwhile = async () => undefined;
  });

  it('is off, server configured or not, until an act names its ground, its purposes and who does it where', async () => {
    const id = await agentsCall(service);
    expect((await ask(id).expect(409)).body).toMatchObject({ code: 'not-switched-on', use: 'transcription' });
    expect((await read(id)).fetchable).toBe(false);
    const put = (body: object) => service.as('administrator').put('/api/v1/further-uses/transcription').send(body);
    await put({ ...act, purposes: [] }).expect(422);
    await put({ ...act, processor: null }).expect(422);
    await switchOn('transcription');
    expect((await read(id)).fetchable).toBe(true);
    // Per purpose: an officer's is another one.
    expect((await read(id, 'privacy_officer')).fetchable).toBe(false);
    await ask(id, { purpose: 'access_request' }, 'privacy_officer').expect(409);
    const register = await service.as('auditor').get('/api/v1/retention/register').expect(200);
    const { processors } = register.body as { processors: object[] };
    expect(processors).toContainEqual({ role: 'speech_to_text', name: 'Speech BV', region: 'NL' });
    expect(speech.asked).toEqual([]);
  });

  it('says to an officer alone that one was asked for to answer the caller', async () => {
    const id = await agentsCall(service);
    await share(service, id);
    await switchOn('transcription', { ...act, purposes: ['training', 'access_request'] });
    await ask(id, { purpose: 'access_request' }, 'privacy_officer').expect(202);
    for (const reader of ['trainer', 'agent'] as const) expect((await read(id, reader)).request).toBe(null);
    expect(await settled(id)).toMatchObject({ request: { purpose: 'access_request', state: 'done' } });
    for (const reader of ['trainer', 'agent'] as const) expect(JSON.stringify(await read(id, reader))).not.toContain('access_request');
    await switchOn('transcription');
  });

  it('keeps a wording that was made to answer the caller out of training, its history and its search', async () => {
    const id = await agentsCall(service);
    await share(service, id);
    await switchOn('transcription', { ...act, purposes: ['access_request'] });
    await switchOn('speech_search', { ground: 'legitimate_interest', explanation: 'zoeken', consent: null });
    await ask(id, { purpose: 'access_request' }, 'privacy_officer').expect(202);
    await expect.poll(async () => (await read(id, 'privacy_officer')).revision, { timeout: 20_000 }).toBe(1);
    const closed = async () => {
      for (const reader of ['trainer', 'agent'] as const) expect(await read(id, reader)).toMatchObject({ revision: 0, segments: [], request: null });
      expect((await service.as('trainer').get(`/api/v1/recordings/${id}/transcript/history`).expect(200)).body.items).toEqual([]);
      const found = (await service.as('trainer').get('/api/v1/transcripts?q=hallo').expect(200)).body.items as { recording: { id: string } }[];
      expect(found.map(({ recording }) => recording.id)).not.toContain(id);
    };
    await closed();
    // Corrected by the officer it is still what was made for the request.
    const put = (who: 'trainer' | 'privacy_officer', revision: number, text: string) =>
      service.as(who).put(`/api/v1/recordings/${id}/transcript`).send({ revision, segments: [{ startMs: 0, endMs: 500, speaker: null, text }] });
    await put('privacy_officer', 1, 'Hallo daar, zei ik').expect(200);
    await closed();
    // A trainer writes what they hear, over nothing as far as they know, and gets it back.
    expect((await put('trainer', 0, 'Goedemorgen').expect(200)).body.segments).toMatchObject([{ text: 'Goedemorgen' }]);
    expect((await read(id, 'privacy_officer')).segments).toMatchObject([{ text: 'Goedemorgen' }]);
    const history = (await service.as('trainer').get(`/api/v1/recordings/${id}/transcript/history`).expect(200)).body.items as object[];
    expect(history).toHaveLength(1);
    await switchOn('transcription');
    expect((await service.as('trainer').get(`/api/v1/recordings/${id}/transcript/history`).expect(200)).body.items).toHaveLength(2);
  });

  it('sends the playback copy as the protocol has it, and keeps what comes back', async () => {
    const id = await agentsCall(service, { holds: JSON.stringify([{ startMs: 0, endMs: 1000 }]) }, tone({ seconds: 4, channels: 2 }));
    const audio = await service.as('privacy_officer').get(`/api/v1/recordings/${id}/audio`).buffer(true).expect(200);
    await ask(id).expect(202);
    expect(await settled(id)).toMatchObject({ revision: 1, origin: 'fetched', segments: [{ startMs: 200, endMs: 1100, text: 'Hallo daar' }] });
    const [asked] = speech.asked;
    expect(asked).toMatchObject({
      authorization: 'Bearer a speech key', mimeType: 'audio/mp4', fileName: 'call.m4a',
      fields: { model: 'whisper-1', response_format: 'verbose_json', language: 'nl' },
    });
    expect(asked?.audio.equals(audio.body as Buffer)).toBe(true);
    const trail = await service.as('auditor').get(`/api/v1/audit?object=recording:${id}&action=transcript.*`).expect(200);
    const acts = (trail.body as { items: { action: string }[] }).items.map((entry) => entry.action).reverse();
    expect(acts.filter((name) => name !== 'transcript.viewed')).toEqual(['transcript.requested', 'transcript.audio_sent', 'transcript.written']);
  });

  it('is asked once at a time, and is tried again when the server is busy', async () => {
    const id = await agentsCall(service);
    speech.answers = [{ status: 503, body: {} }, spoken];
    let release: () => void = () => undefined;
    speech.meanwhile = () => new Promise((resolve) => (release = resolve));
    await ask(id).expect(202);
    await ask(id).expect(409);
    while (speech.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    speech.meanwhile = async () => undefined;
    release();
    const { database, jobs } = service.service.platform;
    const isPutOff = async () =>
      (await database.query(`SELECT 1 FROM transcript_requests WHERE recording_id = $1 AND next_attempt_at < $2`, [
        id, new Date(service.clock.now().getTime() + 60_000),
      ])).length > 0;
    while (!(await isPutOff())) await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await read(id)).request).toMatchObject({ state: 'waiting' });
    await database.query('UPDATE transcript_requests SET next_attempt_at = $2 WHERE recording_id = $1', [id, service.clock.now()]);
    jobs.nudge('recordings.transcribe');
    expect(await settled(id)).toMatchObject({ revision: 1, request: { state: 'done' } });
    expect(speech.asked).toHaveLength(2);
  });

  it('fails by name when the server refuses, redirects or answers what cannot be read', async () => {
    for (const [answer, code] of [
      [{ status: 401, body: { error: 'key' } }, 'server-refused'],
      [{ status: 307, body: {}, headers: { Location: `${speech.url}/elsewhere` } }, 'server-refused'],
      [{ status: 200, body: { text: 'no segments' } }, 'answer-unreadable'],
    ] as const) {
      const id = await agentsCall(service);
      speech.answers = [answer];
      await ask(id).expect(202);
      expect(await settled(id)).toMatchObject({ revision: 0, request: { state: 'failed', failureCode: code } });
    }
    expect(speech.asked).toHaveLength(3);
  });

  it('never overwrites what somebody typed meanwhile', async () => {
    const id = await agentsCall(service);
    speech.meanwhile = async () => void (await write(id, 0, [segment(0, 'typed by hand')]).expect(200));
    await ask(id).expect(202);
    expect(await settled(id)).toMatchObject({ origin: 'typed', request: { state: 'failed', failureCode: 'conflict' } });
  });

  it('sends nothing that was restricted, or whose act ended, since it was asked for', async () => {
    const busy = await agentsCall(service);
    const [restricted, ended] = [await agentsCall(service), await agentsCall(service)];
    let release: () => void = () => undefined;
    speech.meanwhile = () => new Promise((resolve) => (release = resolve));
    await ask(busy).expect(202);
    while (speech.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await ask(restricted).expect(202);
    await restrict(service, restricted);
    speech.meanwhile = async () => undefined;
    release();
    expect(await settled(restricted)).toMatchObject({ revision: 0, request: { state: 'failed', failureCode: 'not-found' } });

    speech.meanwhile = () => new Promise((resolve) => (release = resolve));
    const another = await agentsCall(service);
    await ask(another).expect(202);
    while (speech.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    await ask(ended).expect(202);
    await service.as('administrator').post('/api/v1/further-uses/transcription/end').send({ reason: 'contract ended' }).expect(200);
    speech.meanwhile = async () => undefined;
    release();
    expect(await settled(ended)).toMatchObject({ revision: 0, request: { state: 'failed', failureCode: 'not-switched-on' } });
    expect(speech.asked).toHaveLength(2);
  });
});

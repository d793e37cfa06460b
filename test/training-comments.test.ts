import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tone } from './support/audio.js';
import { startTestService, type TestService } from './support/service.js';
import { agentsCall, giveExtension, restrict, share } from './support/training.js';

let service: TestService;
let id: string;
beforeAll(async () => {
  service = await startTestService();
  await giveExtension(service);
  id = await agentsCall(service, { holds: JSON.stringify([{ startMs: 1000, endMs: 3000 }]) }, tone({ seconds: 6, channels: 2 }));
});
afterAll(() => service.close());

interface Comment {
  id: string;
  text: string | null;
  startMs: number;
  endMs: number | null;
  own: boolean;
  visibility: string;
  replies: Comment[];
}
type Reader = 'trainer' | 'agent';

const commentsOf = async (reader: Reader, recordingId = id) => {
  const answer = await service.as(reader).get(`/api/v1/recordings/${recordingId}/comments`).expect(200);
  return (answer.body as { items: Comment[] }).items;
};
const write = async (reader: Reader, body: object, recordingId = id) => {
  const answer = await service.as(reader).post(`/api/v1/recordings/${recordingId}/comments`).send(body);
  expect([answer.status, (answer.body as { errors?: object }).errors]).toEqual([201, undefined]);
  return answer.body as Comment;
};
const reply = (reader: Reader, commentId: string, text: string) =>
  service.as(reader).post(`/api/v1/comments/${commentId}/replies`).send({ text });

describe('a comment', () => {
  it('is private unless shared, and then read and answered by the agent', async () => {
    const own = await write('trainer', { startMs: 100, text: 'Ask about this' });
    const shared = await write('trainer', { startMs: 200, endMs: 900, kind: 'praise', visibility: 'shared', text: 'Well put' });
    expect(own).toMatchObject({ visibility: 'private', own: true, endMs: null });
    await service.as('agent').get(`/api/v1/recordings/${id}/comments`).expect(404);
    await reply('agent', shared.id, 'too soon').expect(404);

    await share(service, id);
    expect((await commentsOf('agent')).map((comment) => comment.id)).toEqual([shared.id]);
    await reply('agent', shared.id, 'Thank you').expect(201);
    await reply('agent', own.id, 'I should not see this').expect(404);
    await service.as('agent').patch(`/api/v1/comments/${own.id}`).send({ text: 'mine now' }).expect(404);
    await service.as('agent').patch(`/api/v1/comments/${shared.id}`).send({ text: 'mine now' }).expect(403);
    await service.as('agent').delete(`/api/v1/comments/${shared.id}`).expect(403);
    const [first, second] = await commentsOf('trainer');
    expect(first).toMatchObject({ id: own.id, replies: [] });
    expect(second).toMatchObject({ id: shared.id, startMs: 200, endMs: 900, replies: [{ text: 'Thank you', own: false }] });

    const colleague = await service.another('trainer');
    const seen = (await colleague.get(`/api/v1/recordings/${id}/comments`).expect(200)).body as { items: Comment[] };
    expect(seen.items.map((comment) => comment.id)).toEqual([shared.id]);
    await service.as('trainer').patch(`/api/v1/comments/${shared.id}`).send({ visibility: 'private' }).expect(409);
  });

  it('by an agent is always shared with trainers', async () => {
    await share(service, id);
    const written = await write('agent', { startMs: 300, text: 'What should I have said here?', kind: 'question' });
    expect(written.visibility).toBe('shared');
    expect((await commentsOf('trainer')).map((comment) => comment.id)).toContain(written.id);
    await service.as('agent').post(`/api/v1/recordings/${id}/comments`).send({ startMs: 1, text: 'x', visibility: 'private' }).expect(422);
  });

  it('stays where it was heard when hold music is cut, also music that becomes known later', async () => {
    const callId = 'comment-moves';
    const other = await agentsCall(service, { callId, holds: JSON.stringify([{ startMs: 1000, endMs: 3000 }]) }, tone({ seconds: 6, channels: 2 }));
    await write('trainer', { startMs: 1500, endMs: 2000, text: 'After the music' }, other);
    await service
      .machine(service.pbxKey)
      .patch(`/api/v1/recordings/by-call/${callId}`)
      .send({ holds: [{ startMs: 0, endMs: 200 }, { startMs: 1000, endMs: 3000 }] })
      .expect(200);
    expect(await commentsOf('trainer', other)).toMatchObject([{ startMs: 1300, endMs: 1800 }]);
  });

  it('is changed and deleted by its author; an answered one leaves its place to the answers', async () => {
    const comment = await write('trainer', { startMs: 50, visibility: 'shared', text: 'First' });
    const changed = await service.as('trainer').patch(`/api/v1/comments/${comment.id}`).send({ text: 'Second', startMs: 60 }).expect(200);
    expect(changed.body).toMatchObject({ text: 'Second', startMs: 60, endMs: null });
    const answer = (await reply('agent', comment.id, 'An answer').expect(201)).body as Comment;
    await service.as('agent').patch(`/api/v1/comments/${answer.id}`).send({ startMs: 5 }).expect(409);
    await service.as('trainer').delete(`/api/v1/comments/${comment.id}`).expect(204);
    const left = (await commentsOf('trainer')).find((each) => each.id === comment.id);
    expect(left).toMatchObject({ text: null, replies: [{ text: 'An answer' }] });
    await service.as('agent').delete(`/api/v1/comments/${answer.id}`).expect(204);
    expect((await commentsOf('trainer')).map((each) => each.id)).not.toContain(comment.id);
  });

  it('says something, within the recording, forward', async () => {
    for (const [path, body] of [
      ['text', { startMs: 0, text: ' ' }],
      ['startMs', { startMs: 9000, text: 'x' }],
      ['endMs', { startMs: 0, endMs: 60_000, text: 'x' }],
      ['endMs', { startMs: 10, endMs: 10, text: 'x' }],
    ] as const) {
      const answer = await service.as('trainer').post(`/api/v1/recordings/${id}/comments`).send(body);
      expect([answer.status, (answer.body as { errors: { path: string }[] }).errors[0]?.path]).toEqual([422, path]);
    }
  });

  it('is out of reach when the recording is closed to training, and gone with the recording', async () => {
    const other = await agentsCall(service);
    const { id: commentId } = await write('trainer', { startMs: 0, visibility: 'shared', text: 'A secret remark' }, other);
    await restrict(service, other);
    await service.as('trainer').get(`/api/v1/recordings/${other}/comments`).expect(404);
    await service.as('trainer').patch(`/api/v1/comments/${commentId}`).send({ text: 'x' }).expect(404);
    const { database } = service.service.platform;
    await database.query('DELETE FROM recordings WHERE id = $1', [other]);
    expect(await database.query('SELECT 1 FROM comments WHERE id = $1', [commentId])).toEqual([]);
    const trail = await service.as('auditor').get(`/api/v1/audit?object=recording:${other}`).expect(200);
    expect(JSON.stringify(trail.body)).not.toContain('secret');
  });

  it('is not read or written from the end of the period on', async () => {
    const other = await agentsCall(service);
    const { id: commentId } = await write('trainer', { startMs: 0, text: 'Soon gone' }, other);
    const { retainUntil } = (await service.as('trainer').get(`/api/v1/recordings/${other}`)).body as { retainUntil: string };
    try {
      service.clock.set(new Date(Date.parse(retainUntil) - 60_000));
      await service.signInAgain();
      expect(await commentsOf('trainer', other)).toHaveLength(1);
      service.clock.set(new Date(retainUntil));
      await service.as('trainer').get(`/api/v1/recordings/${other}/comments`).expect(410);
      await service.as('trainer').patch(`/api/v1/comments/${commentId}`).send({ text: 'x' }).expect(410);
      await service.as('trainer').post(`/api/v1/recordings/${other}/comments`).send({ startMs: 0, text: 'x' }).expect(410);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });
});

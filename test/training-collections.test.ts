import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from './support/service.js';
import { agentsCall, restrict } from './support/training.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

interface Item {
  id: string;
  recording: { id: string; caller: string; expiresInDays: number };
  startMs: number | null;
  note: string | null;
}
interface Collection {
  id: string;
  name: string;
  itemCount: number;
  items: Item[];
}

const trainer = () => service.as('trainer');
const make = async (name: string) =>
  (await trainer().post('/api/v1/collections').send({ name }).expect(201)).body as Collection;
const add = async (collectionId: string, body: object) =>
  (await trainer().post(`/api/v1/collections/${collectionId}/items`).send(body).expect(201)).body as Collection;
const read = async (collectionId: string) =>
  (await trainer().get(`/api/v1/collections/${collectionId}`).expect(200)).body as Collection;
const notes = ({ items }: Collection) => items.map((item) => item.note);

describe('a collection', () => {
  it('holds recordings and stretches in order, masked, for every trainer', async () => {
    const id = await agentsCall(service, { caller: '+31201234567' });
    const collection = await make('Openings');
    await add(collection.id, { recordingId: id, note: 'whole' });
    await add(collection.id, { recordingId: id, startMs: 100, endMs: 900, note: 'greeting' });
    const colleague = await service.another('trainer');
    const seen = (await colleague.get(`/api/v1/collections/${collection.id}`).expect(200)).body as Collection;
    expect(seen).toMatchObject({
      name: 'Openings', itemCount: 2,
      items: [
        { recording: { id, caller: '•••567', expiresInDays: 89 }, startMs: null, endMs: null, note: 'whole' },
        { recording: { id }, startMs: 100, endMs: 900, note: 'greeting' },
      ],
    });
    const [listed] = ((await colleague.get('/api/v1/collections').expect(200)).body as { items: Collection[] }).items;
    expect(listed).toMatchObject({ id: collection.id, itemCount: 2 });
    const item = seen.items[1]?.id ?? '';
    const changed = await colleague.patch(`/api/v1/collections/${collection.id}/items/${item}`).send({ startMs: null, endMs: null }).expect(200);
    expect((changed.body as Collection).items[1]).toMatchObject({ startMs: null, note: 'greeting' });
    await colleague.delete(`/api/v1/collections/${collection.id}/items/${item}`).expect(204);
    expect(notes(await read(collection.id))).toEqual(['whole']);
    await trainer().patch(`/api/v1/collections/${collection.id}`).send({ name: 'Greetings' }).expect(200);
    expect((await read(collection.id)).name).toBe('Greetings');
    await trainer().delete(`/api/v1/collections/${collection.id}`).expect(204);
    await trainer().get(`/api/v1/collections/${collection.id}`).expect(404);
    await trainer().get(`/api/v1/recordings/${id}`).expect(200);
  });

  it('is put in order, and loses nothing when two people work at once', async () => {
    const id = await agentsCall(service);
    const collection = await make('Ordered');
    for (const note of ['a', 'b', 'c']) await add(collection.id, { recordingId: id, note });
    const [a, b, c] = (await read(collection.id)).items.map((item) => item.id);
    const order = (itemIds: unknown[]) => trainer().put(`/api/v1/collections/${collection.id}/order`).send({ itemIds });
    expect(notes((await order([c, a, b]).expect(200)).body as Collection)).toEqual(['c', 'a', 'b']);
    // One orders what they saw while another adds and removes.
    await trainer().delete(`/api/v1/collections/${collection.id}/items/${String(a)}`).expect(204);
    await Promise.all([order([b, a, c]), ...['d', 'e', 'f'].map((note) => add(collection.id, { recordingId: id, note }))]);
    const after = notes(await read(collection.id));
    expect(after.slice(0, 2)).toEqual(['b', 'c']);
    expect(after.slice(2).sort()).toEqual(['d', 'e', 'f']);
  });

  it('loses an item with its recording, and hides it while that is closed to training', async () => {
    const [kept, closed, gone] = [await agentsCall(service), await agentsCall(service), await agentsCall(service)];
    const collection = await make('Vanishing');
    for (const recordingId of [kept, closed, gone]) await add(collection.id, { recordingId });
    await restrict(service, closed, 'all');
    await service.service.platform.database.query('DELETE FROM recordings WHERE id = $1', [gone]);
    const left = await read(collection.id);
    expect([left.itemCount, left.items.map((item) => item.recording.id)]).toEqual([1, [kept]]);
    await trainer().post(`/api/v1/collections/${collection.id}/items`).send({ recordingId: closed }).expect(404);
  });

  it('shows an item until its recording’s period ends, and no longer', async () => {
    const id = await agentsCall(service);
    const collection = await make('Expiring');
    await add(collection.id, { recordingId: id });
    const { retainUntil } = (await trainer().get(`/api/v1/recordings/${id}`)).body as { retainUntil: string };
    try {
      service.clock.set(new Date(Date.parse(retainUntil) - 60_000));
      await service.signInAgain();
      expect((await read(collection.id)).items).toMatchObject([{ recording: { expiresInDays: 0 } }]);
      service.clock.set(new Date(retainUntil));
      expect((await read(collection.id)).items).toEqual([]);
      await trainer().post(`/api/v1/collections/${collection.id}/items`).send({ recordingId: id }).expect(410);
    } finally {
      service.clock.reset();
      await service.signInAgain();
    }
  });

  it('has a name, and items that lie within their recording', async () => {
    await trainer().post('/api/v1/collections').send({ name: ' ' }).expect(422);
    const collection = await make('Strict');
    const id = await agentsCall(service);
    for (const stretch of [{ startMs: 5 }, { startMs: 5, endMs: 5 }, { startMs: 0, endMs: 90_000 }])
      await trainer().post(`/api/v1/collections/${collection.id}/items`).send({ recordingId: id, ...stretch }).expect(422);
  });
});

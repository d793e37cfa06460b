import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { findListenable } from '../recordings/playback.js';
import {
  addItem,
  changeCollection,
  changeItem,
  collectionOf,
  createCollection,
  deleteCollection,
  itemsOf,
  listCollections,
  orderItems,
  recordingOfItem,
  removeItem,
  type CollectionRow,
  type ItemRow,
} from './collection.js';
import { backward, cutsIn, isForward, keptStretch, momentMs, shownStretch } from './passage.js';
import { heardOf, presentFacts, recordingFactsSchema } from './recording-facts.js';

const named = z.object({ id: z.uuid(), name: z.string() });
const name = z.string().trim().min(1).max(200);
const freeText = z
  .string()
  .trim()
  .max(2000)
  .transform((told) => (told === '' ? null : told))
  .nullable();

const collectionSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    description: z.string().nullable(),
    createdBy: named,
    createdAt: z.iso.datetime(),
    changedAt: z.iso.datetime(),
    itemCount: z.int().meta({ description: 'Of what can be heard now' }),
    firstExpiryAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the first item will be deleted with its recording' }),
  })
  .meta({ id: 'Collection' });

const itemSchema = z
  .object({
    id: z.uuid(),
    recording: recordingFactsSchema,
    startMs: z.int().nullable().meta({ description: 'In milliseconds of the playback copy; null: the whole call' }),
    endMs: z.int().nullable(),
    note: z.string().nullable(),
    addedBy: named,
    addedAt: z.iso.datetime(),
  })
  .meta({ id: 'CollectionItem' });

const openedSchema = collectionSchema.extend({ items: z.array(itemSchema) }).meta({ id: 'OpenCollection' });

const present = ({ items, ...row }: CollectionRow): z.input<typeof collectionSchema> => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  changedAt: row.changedAt.toISOString(),
  firstExpiryAt: row.firstExpiryAt?.toISOString() ?? null,
  itemCount: items,
});

const presentItem = (
  row: ItemRow,
  person: Person,
  ownNumbers: readonly string[],
  now: Date,
): z.input<typeof itemSchema> => {
  const clip = row.clip === null ? null : shownStretch(row.clip, cutsIn(heardOf(row.recording)));
  return {
    id: row.id,
    recording: presentFacts(row.recording, person.role, ownNumbers, now),
    startMs: clip?.startMs ?? null,
    endMs: clip?.endMs ?? null,
    note: row.note,
    addedBy: row.addedBy,
    addedAt: row.addedAt.toISOString(),
  };
};

const goTogether = ({ startMs, endMs }: { startMs?: unknown; endMs?: unknown }) =>
  (startMs === undefined || startMs === null) === (endMs === undefined || endMs === null);
const together = { path: ['endMs'], error: 'goes together with startMs' };

const idParams = z.object({ id: idSchema });
const itemParams = z.object({ id: idSchema, itemId: idSchema });
const opened = { description: 'The collection with its items, in order', schema: openedSchema };

/** Collections and their items. */
export function collectionOperations(platform: Pick<Platform, 'clock' | 'database' | 'objects'>): Operation<Caller>[] {
  const { clock, database } = platform;

  async function open(person: Person, id: string): Promise<z.input<typeof openedSchema>> {
    const now = clock.now();
    const [row, items, { ownNumbers }] = await Promise.all([
      collectionOf(database, now, id),
      itemsOf(database, now, id),
      organisationOf(database),
    ]);
    return { ...present(row), items: items.map((item) => presentItem(item, person, ownNumbers, now)) };
  }

  return [
    operation({
      method: 'get',
      path: '/collections',
      id: 'listCollections',
      tag: 'training',
      summary: 'Collections, newest first',
      action: 'collection.read',
      query: z.object(pageQuery),
      replies: { 200: { description: 'A page', schema: pageOf(collectionSchema) } },
      async handle({ query }) {
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        const rows = await listCollections(database, clock.now(), { limit: query.limit, after });
        return { status: 200, body: toPage(rows, query.limit, present, (row) => ({ at: row.createdAt, id: row.id })) };
      },
    }),
    operation({
      method: 'post',
      path: '/collections',
      id: 'createCollection',
      tag: 'training',
      summary: 'Make a collection, which all trainers share',
      action: 'collection.change',
      body: z.object({ name, description: freeText.default(null) }),
      replies: { 201: { description: 'Made', schema: collectionSchema } },
      async handle({ caller, body }) {
        const row = await createCollection(platform, requirePerson(caller), body);
        return { status: 201, body: present(row), headers: { Location: `/api/v1/collections/${row.id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/collections/{id}',
      id: 'readCollection',
      tag: 'training',
      summary: 'A collection with all its items, to be played as a queue',
      action: 'collection.read',
      params: idParams,
      replies: { 200: opened },
      handle: async ({ caller, params }) => ({ status: 200, body: await open(requirePerson(caller), params.id) }),
    }),
    operation({
      method: 'patch',
      path: '/collections/{id}',
      id: 'changeCollection',
      tag: 'training',
      summary: 'Change a collection’s name or description',
      action: 'collection.change',
      params: idParams,
      body: z.object({ name: name.optional(), description: freeText.optional() }),
      replies: { 200: { description: 'Changed', schema: collectionSchema } },
      async handle({ caller, params, body }) {
        return { status: 200, body: present(await changeCollection(platform, requirePerson(caller), params.id, body)) };
      },
    }),
    operation({
      method: 'delete',
      path: '/collections/{id}',
      id: 'deleteCollection',
      tag: 'training',
      summary: 'Delete a collection; its recordings stay',
      action: 'collection.change',
      params: idParams,
      replies: { 204: { description: 'Deleted' } },
      async handle({ caller, params }) {
        await deleteCollection(platform, requirePerson(caller), params.id);
        return { status: 204 };
      },
    }),
    operation({
      method: 'post',
      path: '/collections/{id}/items',
      id: 'addCollectionItem',
      tag: 'training',
      summary: 'Add a recording, or a stretch of it, at the end',
      action: 'collection.change',
      params: idParams,
      body: z
        .object({
          recordingId: idSchema,
          startMs: momentMs.nullish(),
          endMs: momentMs.nullish(),
          note: freeText.default(null),
        })
        .refine(goTogether, together)
        .refine(({ startMs, endMs }) => isForward({ startMs: startMs ?? undefined, endMs }), backward),
      replies: { 201: opened },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const found = await findListenable(platform, person, body.recordingId, 'training');
        const { startMs, endMs } = body;
        const clip =
          typeof startMs === 'number' && typeof endMs === 'number' ? keptStretch(found, { startMs, endMs }) : null;
        await addItem(platform, person, params.id, { recordingId: body.recordingId, clip, note: body.note });
        return { status: 201, body: await open(person, params.id) };
      },
    }),
    operation({
      method: 'patch',
      path: '/collections/{id}/items/{itemId}',
      id: 'changeCollectionItem',
      tag: 'training',
      summary: 'Change an item’s stretch or note; `startMs` and `endMs` null: the whole call',
      action: 'collection.change',
      params: itemParams,
      body: z
        .object({ startMs: momentMs.nullish(), endMs: momentMs.nullish(), note: freeText.optional() })
        .refine(goTogether, together)
        .refine(({ startMs, endMs }) => isForward({ startMs: startMs ?? undefined, endMs }), backward),
      replies: { 200: opened },
      problems: ['retention-ended'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const found = await findListenable(
          platform,
          person,
          await recordingOfItem(database, params.id, params.itemId),
          'training',
        );
        const { startMs, endMs } = body;
        const clip =
          startMs === undefined
            ? undefined
            : startMs !== null && typeof endMs === 'number'
              ? keptStretch(found, { startMs, endMs })
              : null;
        await changeItem(platform, person, params.id, params.itemId, { clip, note: body.note });
        return { status: 200, body: await open(person, params.id) };
      },
    }),
    operation({
      method: 'delete',
      path: '/collections/{id}/items/{itemId}',
      id: 'removeCollectionItem',
      tag: 'training',
      summary: 'Take an item out',
      action: 'collection.change',
      params: itemParams,
      replies: { 204: { description: 'Taken out' } },
      async handle({ caller, params }) {
        await removeItem(platform, requirePerson(caller), params.id, params.itemId);
        return { status: 204 };
      },
    }),
    operation({
      method: 'put',
      path: '/collections/{id}/order',
      id: 'orderCollection',
      tag: 'training',
      summary: 'Put the items in order',
      description: 'Ids that are gone are passed over; items not named come last, in the order they had.',
      action: 'collection.change',
      params: idParams,
      body: z.object({ itemIds: z.array(z.uuid()).max(500) }),
      replies: { 200: opened },
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        await orderItems(platform, person, params.id, body.itemIds);
        return { status: 200, body: await open(person, params.id) };
      },
    }),
  ];
}

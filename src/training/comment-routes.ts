import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { findListenable } from '../recordings/playback.js';
import type { Interval } from '../recordings/recording.js';
import {
  changeComment,
  commentKinds,
  commentsOf,
  deleteComment,
  findComment,
  replyToComment,
  writeComment,
  type CommentRow,
} from './comment.js';
import { backward, cutsIn, isForward, keptPassage, momentMs, shownPassage } from './passage.js';

const text = z.string().trim().min(1).max(5000);
const kind = z.enum(commentKinds);
const visibility = z.enum(['private', 'shared']);

const replySchema = z
  .object({
    id: z.uuid(),
    author: z.object({ id: z.uuid(), name: z.string(), role: z.string() }),
    own: z.boolean().meta({ description: 'Whether the reader wrote it, and so may change and delete it' }),
    kind,
    visibility,
    startMs: z.int(),
    endMs: z.int().nullable().meta({ description: 'Null: a moment' }),
    text: z.string().nullable().meta({ description: 'Null: deleted, kept for the answers to it' }),
    version: z.int().meta({ description: 'The version of the recording that was heard' }),
    createdAt: z.iso.datetime(),
    editedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'CommentReply' });
const commentSchema = replySchema.extend({ replies: z.array(replySchema) }).meta({ id: 'Comment' });

const presentReply = (row: CommentRow, person: Person, cuts: readonly Interval[]): z.input<typeof replySchema> => ({
  id: row.id,
  author: row.author,
  own: row.author.id === person.userId,
  kind: row.kind,
  visibility: row.visibility,
  ...shownPassage(row, cuts),
  text: row.deletedAt === null ? row.text : null,
  version: row.version,
  createdAt: row.createdAt.toISOString(),
  editedAt: row.editedAt?.toISOString() ?? null,
});

const present = (
  row: CommentRow,
  replies: readonly CommentRow[],
  person: Person,
  cuts: readonly Interval[],
): z.input<typeof commentSchema> => ({
  ...presentReply(row, person, cuts),
  replies: replies.filter((reply) => reply.replyTo === row.id).map((reply) => presentReply(reply, person, cuts)),
});

const writeBody = z
  .object({
    startMs: momentMs,
    endMs: momentMs.nullable().default(null),
    kind: kind.default('note'),
    visibility: visibility.optional(),
    text,
  })
  .refine(isForward, backward);

const changeBody = z
  .object({
    startMs: momentMs.optional(),
    endMs: momentMs.nullable().optional(),
    kind: kind.optional(),
    visibility: visibility.optional(),
    text: text.optional(),
  })
  .refine(({ startMs, endMs }) => startMs !== undefined || endMs === undefined, {
    path: ['startMs'],
    error: 'goes together with endMs',
  })
  .refine(isForward, backward);

const idParams = z.object({ id: idSchema });

/** Comments and the answers to them. */
export function commentOperations(platform: Pick<Platform, 'clock' | 'database' | 'objects'>): Operation<Caller>[] {
  const { database } = platform;

  /** A comment that this person may read, on a recording that they may hear now. */
  async function openComment(person: Person, id: string) {
    const comment = await findComment(database, person, id);
    if (comment === undefined) throw new Problem('not-found');
    return { comment, found: await findListenable(platform, person, comment.recordingId, 'training') };
  }

  /** What an agent writes is there for their trainers. */
  const visibilityOf = (person: Person, told: 'private' | 'shared' | undefined) => {
    if (person.role === 'agent' && told === 'private')
      throw new Problem('invalid-input', { errors: [{ path: 'visibility', message: 'must be shared in this role' }] });
    return told ?? (person.role === 'agent' ? 'shared' : 'private');
  };

  return [
    operation({
      method: 'get',
      path: '/recordings/{id}/comments',
      id: 'listComments',
      tag: 'training',
      summary: 'Comments that the reader may see, in the order of the call, each with its answers; all at once',
      action: 'comment.read',
      params: idParams,
      replies: { 200: { description: 'Comments', schema: pageOf(commentSchema) } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = requirePerson(caller);
        const cuts = cutsIn(await findListenable(platform, person, params.id, 'training'));
        const rows = await commentsOf(database, person, params.id);
        const items = rows.filter((row) => row.replyTo === null).map((row) => present(row, rows, person, cuts));
        return { status: 200, body: { items, nextCursor: null } };
      },
    }),
    operation({
      method: 'post',
      path: '/recordings/{id}/comments',
      id: 'writeComment',
      tag: 'training',
      summary: 'Comment on a moment or a stretch: private unless shared; an agent’s is always shared',
      action: 'comment.write',
      params: idParams,
      body: writeBody,
      replies: { 201: { description: 'Written', schema: commentSchema } },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const found = await findListenable(platform, person, params.id, 'training');
        const row = await writeComment(
          platform,
          person,
          { recordingId: params.id, version: found.recording.version },
          {
            ...keptPassage(found, body),
            kind: body.kind,
            visibility: visibilityOf(person, body.visibility),
            text: body.text,
          },
        );
        return { status: 201, body: present(row, [], person, cutsIn(found)) };
      },
    }),
    operation({
      method: 'post',
      path: '/comments/{id}/replies',
      id: 'replyToComment',
      tag: 'training',
      summary: 'Answer a comment; whoever reads the comment reads the answer',
      action: 'comment.write',
      params: idParams,
      body: z.object({ text, kind: kind.default('note') }),
      replies: { 201: { description: 'Answered', schema: replySchema } },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const { comment, found } = await openComment(person, params.id);
        const row = await replyToComment(platform, person, comment, body);
        return { status: 201, body: presentReply(row, person, cutsIn(found)) };
      },
    }),
    operation({
      method: 'patch',
      path: '/comments/{id}',
      id: 'changeComment',
      tag: 'training',
      summary: 'Change one’s own comment or answer',
      action: 'comment.write',
      params: idParams,
      body: changeBody,
      replies: { 200: { description: 'Changed', schema: replySchema } },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const { found } = await openComment(person, params.id);
        const { startMs, endMs = null, ...change } = body;
        const passage = startMs === undefined ? undefined : keptPassage(found, { startMs, endMs });
        const told = body.visibility === undefined ? undefined : visibilityOf(person, body.visibility);
        const row = await changeComment(platform, person, params.id, { ...change, visibility: told, passage });
        return { status: 200, body: presentReply(row, person, cutsIn(found)) };
      },
    }),
    operation({
      method: 'delete',
      path: '/comments/{id}',
      id: 'deleteComment',
      tag: 'training',
      summary: 'Delete one’s own comment or answer; the answers of others stay',
      action: 'comment.write',
      params: idParams,
      replies: { 204: { description: 'Deleted' } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = requirePerson(caller);
        await openComment(person, params.id);
        await deleteComment(platform, person, params.id);
        return { status: 204 };
      },
    }),
  ];
}

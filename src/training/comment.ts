import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { lockKept } from '../recordings/kept.js';
import type { Passage } from './passage.js';

/**
 * Comments on a moment or a stretch of a recording. A private one is read by its author alone; a shared one by trainers,
 * and by the agent with whom the recording is shared, for as long as it is. What an agent writes is always shared.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

export const commentKinds = ['note', 'praise', 'improvement', 'question'] as const;
export type CommentKind = (typeof commentKinds)[number];
export type Visibility = 'private' | 'shared';

export interface CommentRow extends Passage {
  id: string;
  recordingId: string;
  /** The version of the recording that was heard. */
  version: number;
  replyTo: string | null;
  author: { id: string; name: string; role: string };
  kind: CommentKind;
  visibility: Visibility;
  /** Empty once it was deleted while others had answered. */
  text: string;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

const columns = `c.id, c.recording_id AS "recordingId", c.version, c.reply_to AS "replyTo",
  json_build_object('id', u.id, 'name', u.name, 'role', u.role) AS author, c.kind, c.visibility, c.start_ms AS "startMs",
  c.end_ms AS "endMs", c.text, c.created_at AS "createdAt", c.edited_at AS "editedAt", c.deleted_at AS "deletedAt"`;

/** A recording holds at most so many: enough for any coaching, too few to fill a disk with. */
const mostComments = 2000;

/** What this person may read about a recording that they may hear: in the order of the call, answers in order of time. */
export async function commentsOf(database: Database, person: Person, recordingId: string): Promise<CommentRow[]> {
  return await database.query<CommentRow>(
    `SELECT ${columns} FROM comments c JOIN users u ON u.id = c.author_id
     WHERE c.recording_id = $1 AND (c.visibility = 'shared' OR c.author_id = $2)
     ORDER BY c.reply_to IS NOT NULL, CASE WHEN c.reply_to IS NULL THEN c.start_ms END, c.id`,
    [recordingId, person.userId],
  );
}

/** A comment that this person may read, whatever became of its recording. */
export async function findComment(
  database: Database,
  person: Person,
  id: string,
  tx?: Transaction,
): Promise<CommentRow | undefined> {
  const [row] = await database.query<CommentRow>(
    `SELECT ${columns} FROM comments c JOIN users u ON u.id = c.author_id
     WHERE c.id = $1 AND (c.visibility = 'shared' OR c.author_id = $2)`,
    [id, person.userId],
    tx,
  );
  return row;
}

async function written(database: Database, person: Person, id: string, tx: Transaction): Promise<CommentRow> {
  const row = await findComment(database, person, id, tx);
  if (row === undefined) throw new Error('a comment that was just written is gone');
  return row;
}

const entryOf = (
  person: Person,
  action: string,
  comment: { id: string; recordingId: string },
  details: object = {},
) => ({
  actor: actorOf(person),
  action,
  object: { type: 'recording', id: comment.recordingId },
  details: { commentId: comment.id, ...details },
});

export interface NewComment extends Passage {
  kind: CommentKind;
  visibility: Visibility;
  text: string;
}

/** @throws Problem `retention-ended`, `conflict` when there are too many */
export async function writeComment(
  platform: Base,
  person: Person,
  of: { recordingId: string; version: number },
  told: NewComment,
): Promise<CommentRow> {
  return await insert(platform, person, { ...of, ...told, replyTo: null });
}

/**
 * Answers a comment; an answer to an answer stands under the same comment.
 * @throws Problem `not-found`, `retention-ended`, `conflict` when there are too many
 */
export async function replyToComment(
  platform: Base,
  person: Person,
  comment: CommentRow,
  told: { kind: CommentKind; text: string },
): Promise<CommentRow> {
  const { recordingId, version, startMs, endMs, visibility } = comment;
  return await insert(platform, person, {
    recordingId,
    version,
    startMs,
    endMs,
    visibility,
    ...told,
    replyTo: comment.replyTo ?? comment.id,
  });
}

async function insert(
  platform: Base,
  person: Person,
  comment: NewComment & { recordingId: string; version: number; replyTo: string | null },
): Promise<CommentRow> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    await lockKept(platform, tx, comment.recordingId);
    // The comment that is answered must still be there, as visible as it was.
    if (comment.replyTo !== null) {
      const [standing] = await database.query(
        'SELECT 1 FROM comments WHERE id = $1 AND visibility = $2 FOR UPDATE',
        [comment.replyTo, comment.visibility],
        tx,
      );
      if (standing === undefined) throw new Problem('not-found');
    }
    const [{ count } = { count: 0 }] = await database.query<{ count: number }>(
      'SELECT count(*) AS count FROM comments WHERE recording_id = $1',
      [comment.recordingId],
      tx,
    );
    if (count >= mostComments)
      throw new Problem('conflict', { detail: 'There are too many comments on this recording.' });
    const id = newId(clock);
    await database.query(
      `INSERT INTO comments (id, recording_id, version, reply_to, author_id, kind, visibility, start_ms, end_ms, text, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        id,
        comment.recordingId,
        comment.version,
        comment.replyTo,
        person.userId,
        comment.kind,
        comment.visibility,
        comment.startMs,
        comment.endMs,
        comment.text,
        clock.now(),
      ],
      tx,
    );
    await append(
      database,
      clock,
      tx,
      entryOf(
        person,
        'comment.written',
        { id, recordingId: comment.recordingId },
        {
          visibility: comment.visibility,
          ...(comment.replyTo === null ? {} : { replyTo: comment.replyTo }),
        },
      ),
    );
    return await written(database, person, id, tx);
  });
}

export interface CommentChange {
  text?: string | undefined;
  kind?: CommentKind | undefined;
  visibility?: Visibility | undefined;
  passage?: Passage | undefined;
}

/** One's own, not deleted, locked. @throws Problem `not-found`, `forbidden` */
async function lockOwn({ database }: Base, tx: Transaction, person: Person, id: string): Promise<CommentRow> {
  await database.query('SELECT 1 FROM comments WHERE id = $1 FOR UPDATE', [id], tx);
  const comment = await findComment(database, person, id, tx);
  if (comment === undefined || comment.deletedAt !== null) throw new Problem('not-found');
  if (comment.author.id !== person.userId)
    throw new Problem('forbidden', { detail: 'A comment is changed and deleted by whoever wrote it.' });
  return comment;
}

/**
 * Changes one's own comment.
 * @throws Problem `not-found`, `forbidden`, `conflict` when an answered comment, or an answer, would become private or move
 */
export async function changeComment(
  platform: Base,
  person: Person,
  id: string,
  change: CommentChange,
): Promise<CommentRow> {
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    const before = await lockOwn(platform, tx, person, id);
    const visibility = change.visibility ?? before.visibility;
    if (before.replyTo !== null && (visibility !== before.visibility || change.passage !== undefined))
      throw new Problem('conflict', { detail: 'An answer stands where the comment stands that it answers.' });
    if (visibility === 'private' && before.visibility === 'shared') {
      const answers = await database.query('SELECT 1 FROM comments WHERE reply_to = $1 LIMIT 1', [id], tx);
      if (answers.length > 0)
        throw new Problem('conflict', { detail: 'A comment that was answered cannot become private.' });
    }
    const { startMs, endMs } = change.passage ?? before;
    await database.query(
      `UPDATE comments SET text = $2, kind = $3, visibility = $4, start_ms = $5, end_ms = $6, edited_at = $7 WHERE id = $1`,
      [id, change.text ?? before.text, change.kind ?? before.kind, visibility, startMs, endMs, clock.now()],
      tx,
    );
    // A comment that becomes shared takes its author's own answers along.
    await database.query('UPDATE comments SET visibility = $2 WHERE reply_to = $1', [id, visibility], tx);
    await append(database, clock, tx, entryOf(person, 'comment.changed', before, { visibility }));
    return await written(database, person, id, tx);
  });
}

/** Deletes one's own comment. One that others answered stays as an empty one, until its last answer goes. */
export async function deleteComment(platform: Base, person: Person, id: string): Promise<void> {
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    // The comment that is answered before its answers, as `insert` locks them too.
    await database.query(
      'SELECT 1 FROM comments WHERE id = (SELECT reply_to FROM comments WHERE id = $1) FOR UPDATE',
      [id],
      tx,
    );
    const comment = await lockOwn(platform, tx, person, id);
    const answers = await database.query(
      'SELECT 1 FROM comments WHERE reply_to = $1 AND author_id <> $2 LIMIT 1',
      [id, person.userId],
      tx,
    );
    if (answers.length > 0)
      await database.query(`UPDATE comments SET text = '', deleted_at = $2 WHERE id = $1`, [id, clock.now()], tx);
    else await database.query('DELETE FROM comments WHERE id = $1', [id], tx);
    if (comment.replyTo !== null)
      await database.query(
        `DELETE FROM comments c WHERE c.id = $1 AND c.deleted_at IS NOT NULL
           AND NOT EXISTS (SELECT FROM comments a WHERE a.reply_to = c.id)`,
        [comment.replyTo],
        tx,
      );
    await append(database, clock, tx, entryOf(person, 'comment.deleted', comment));
  });
}

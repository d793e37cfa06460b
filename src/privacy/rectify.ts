import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { keepChange } from '../recordings/history.js';
import { normaliseNumber } from '../recordings/numbers.js';
import { digestOf } from '../tickets/merge.js';
import { settleTicket } from '../tickets/piece.js';
import { decisionsOn, findItem } from './items.js';
import { lockOpenRequest, record, type PrivacyContext } from './request.js';

/**
 * Rectification (art. 16 GDPR). Audio is never altered: the person's statement is attached to it and leaves wherever it
 * leaves. Metadata are corrected; what stood there before, by whom and when is kept beside it.
 */

/** The columns that may be corrected. Names are SQL, never input. */
const columns = {
  recording: { callerName: 'caller_name', calleeName: 'callee_name' },
  ticket: {
    subject: 'subject', requesterName: 'requester_name', requesterEmail: 'requester_email', requesterPhone: 'requester_phone',
    organisation: 'organisation',
  },
} as const;
export const rectifiable = ['callerName', 'calleeName', 'subject', 'requesterName', 'requesterEmail', 'requesterPhone', 'organisation'] as const;
export type Rectifiable = (typeof rectifiable)[number];

export type Rectification = { statement: string } | { field: Rectifiable; value: string };

export interface RectificationRow {
  id: string;
  recordingId: string | null;
  ticketId: string | null;
  field: string | null;
  oldValue: string | null;
  newValue: string | null;
  statement: string | null;
  by: string;
  at: Date;
}

const wrong = (path: string, message: string) => new Problem('invalid-input', { errors: [{ path, message }] });

/** What was corrected and stated for a request, oldest first. */
export async function rectificationsOf(database: Database, requestId: string, tx?: Transaction): Promise<RectificationRow[]> {
  return await database.query<RectificationRow>(
    `SELECT id, recording_id AS "recordingId", ticket_id AS "ticketId", field, old_value AS "oldValue", new_value AS "newValue",
       statement, rectified_by AS by, rectified_at AS at
     FROM privacy_rectifications WHERE request_id = $1 ORDER BY rectified_at, id`,
    [requestId],
    tx,
  );
}

/**
 * Corrects a field of an item, or attaches a statement to it.
 * @throws Problem `not-found`, `conflict` unless rectification of this item was granted, wholly or in part,
 * `retention-ended`, `invalid-input` for a field that this kind of item does not have
 */
export async function rectify(
  context: PrivacyContext,
  person: Person,
  ids: { id: string; itemId: string },
  told: Rectification,
): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, ids.id);
    const item = await findItem(database, ids.id, ids.itemId, clock.now(), tx);
    if (item === undefined) throw new Problem('not-found');
    if (!item.available) throw new Problem('retention-ended');
    const decision = ((await decisionsOn(database, [item.id], tx)).get(item.id) ?? []).find(({ right }) => right === 'rectification');
    if (decision === undefined || decision.decision === 'refuse')
      throw new Problem('conflict', { detail: 'Rectification of this item was not granted.' });
    const subject = { recordingId: item.kind === 'recording' ? item.item_id : null, ticketId: item.kind === 'ticket' ? item.item_id : null };
    const change = 'statement' in told
      ? { field: null, before: null, after: null, statement: told.statement }
      : { field: told.field, ...(await correct(context, tx, item.kind, item.item_id, told)), statement: null };
    const id = newId(clock);
    await database.query(
      `INSERT INTO privacy_rectifications (id, request_id, recording_id, ticket_id, field, old_value, new_value, statement,
         rectified_by, rectified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        id, ids.id, subject.recordingId, subject.ticketId, change.field, change.before, change.after, change.statement, person.userId,
        clock.now(),
      ],
      tx,
    );
    if (subject.recordingId !== null) await keepWithRecording(platform, tx, person, request.secret, subject.recordingId, change);
    await record(platform, tx, person, request, 'rectified', { itemId: item.id, rectificationId: id, field: change.field });
  });
}

/** The recording's own history tells it too: it goes along wherever the recording is handed out. */
async function keepWithRecording(
  platform: PrivacyContext['platform'],
  tx: Transaction,
  person: Person,
  secret: boolean,
  recordingId: string,
  change: { field: Rectifiable | null; before?: string | null; after?: string | null; statement: string | null },
): Promise<void> {
  const column = change.field === null ? undefined : (columns.recording as Partial<Record<Rectifiable, string>>)[change.field];
  const fields = column === undefined ? [] : [{ field: column, old: change.before ?? null, new: change.after ?? null }];
  const kept = await keepChange(platform, tx, recordingId, { fields, statement: change.statement }, actorOf(person));
  await append(platform.database, platform.clock, tx, {
    actor: actorOf(person),
    action: change.statement === null ? 'recording.metadata_changed' : 'recording.statement_attached',
    object: { type: 'recording', id: recordingId },
    details: {
      ...(change.statement === null ? { fields: fields.map(({ field }) => field) } : {}), ...kept, ...(secret ? { secret } : {}),
    },
  });
}

async function correct(
  { platform: { clock, database }, settings }: PrivacyContext,
  tx: Transaction,
  kind: 'recording' | 'ticket',
  id: string,
  { field, value }: { field: Rectifiable; value: string },
): Promise<{ before: string | null; after: string }> {
  const column = (columns[kind] as Partial<Record<Rectifiable, string>>)[field];
  if (column === undefined) throw wrong('field', `is no field of a ${kind}`);
  const after =
    field === 'requesterEmail' ? value.toLowerCase() : field === 'requesterPhone' ? normaliseNumber(value, settings.defaultCountry) : value;
  if (after === null) throw wrong('value', 'is no telephone number');
  const table = kind === 'recording' ? 'recordings' : 'tickets';
  const [row] = await database.query<{ before: string | null }>(`SELECT ${column} AS before FROM ${table} WHERE id = $1 FOR UPDATE`, [id], tx);
  if (row === undefined) throw new Problem('retention-ended');
  await database.query(`UPDATE ${table} SET ${column} = $2 WHERE id = $1`, [id, after], tx);
  if (kind === 'ticket') {
    // As if the helpdesk had told it now: an older delivery that comes again does not bring the fault back.
    const telling = { at: clock.now().toISOString(), exact: true, digest: digestOf(after) };
    await database.query(
      `UPDATE tickets SET told = told || jsonb_build_object($2::text, $3::jsonb) WHERE id = $1`,
      [id, field === 'subject' ? 'subject' : 'requester', JSON.stringify(telling)],
      tx,
    );
    await settleTicket(database, tx, id);
  }
  return { before: row.before, after };
}

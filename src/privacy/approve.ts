import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { may } from '../access/policy.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { confirmServingIn } from '../retention/decide-hold.js';
import { carryOutDecisions } from './carry-out.js';
import { noteHeldUpInLetter, openHeldUp } from './held-up.js';
import { decidesOn, itemBatches, usualFor, type DecidedItem, type ItemRow } from './items.js';
import { keepLetter, revisionOf } from './letters.js';
import { listRecipients } from './notify.js';
import { lockOpenRequest, record, type PrivacyContext, type ProcessRow, type RequestRow } from './request.js';
import type { Right } from './rights.js';
import { settleState } from './states.js';

/** Four eyes: what one officer decided another approves; sending it back; the server keeps them apart. */

/** Those whose work is being approved: who decided, who wrote the letter; where nothing was decided, who searched. */
async function authorsOf(
  { platform: { database } }: PrivacyContext,
  tx: Transaction,
  id: string,
  rights: readonly string[],
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `SELECT d.decided_by AS id FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id
     WHERE i.request_id = $1 AND d."right" = ANY ($2::text[]) AND d.replaced_at IS NULL AND d.decided_by IS NOT NULL
     UNION SELECT confirmed_by FROM privacy_items WHERE request_id = $1 AND confirmed_by IS NOT NULL
     UNION SELECT written_by FROM privacy_letters WHERE request_id = $1`,
    [id, rights],
    tx,
  );
  if (rows.length > 0) return rows.map((row) => row.id);
  const [last] = await database.query<{ id: string }>(
    'SELECT searched_by AS id FROM privacy_searches WHERE request_id = $1 ORDER BY searched_at DESC LIMIT 1',
    [id],
    tx,
  );
  return last === undefined ? [] : [last.id];
}

/** Decisions that the law leaves nothing of to decide, such as portability of recordings, written down as such. */
async function writeForegone(context: PrivacyContext, tx: Transaction, request: RequestRow, rights: readonly ProcessRow[]): Promise<void> {
  const { clock, database } = context.platform;
  const foregone = (kind: ItemRow['kind']) =>
    rights.filter(({ right }) => !decidesOn(right, { kind, requester_kind: request.requester_kind })).map(({ right }) => right);
  for (const kind of ['recording', 'ticket'] as const) {
    const left = foregone(kind);
    if (left.length === 0) continue;
    for await (const items of itemBatches(database, request.id, clock.now(), { kind, whose: 'theirs' }, tx))
      await writeFor(context, tx, items, left);
  }
}

async function writeFor({ platform: { clock, database } }: PrivacyContext, tx: Transaction, items: readonly DecidedItem[], rights: readonly Right[]): Promise<void> {
  const rows = items.flatMap(({ item, decisions }) =>
    rights.flatMap((right) => {
      const { verdict, article, why } = usualFor(item, right);
      if (verdict === null || decisions.some((decision) => decision.right === right)) return [];
      return [{ id: newId(clock), item: item.id, right, verdict, article, why: why.nl }];
    }),
  );
  if (rows.length === 0) return;
  await database.query(
    `INSERT INTO privacy_decisions (id, item_id, "right", decision, usual, article, reason, decided_at)
     SELECT id, item, "right", verdict, verdict, article, why, $2::timestamptz
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, item uuid, "right" text, verdict text, article text, why text)`,
    [JSON.stringify(rows), clock.now()],
    tx,
  );
}

/**
 * Approves every process that is decided. An objection that is not decided yet waits without holding up the rest.
 * @throws Problem `not-found`, `forbidden` for whoever decided it, `changed-meanwhile` when `seen` is another revision than what
 * stands there now, `conflict` before identity, search and decisions, or when
 * there is nothing (more) to approve, `invalid-input` when one approves alone without a reason
 */
export async function approve(
  context: PrivacyContext,
  person: Person,
  id: string,
  { reason, revision: seen }: { reason?: string | undefined; revision?: string | undefined },
): Promise<void> {
  const { platform, settings } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    const standing = await settleState(context, tx, id);
    const decided = standing.processes.filter(({ state }) => state === 'decided');
    const authors = await authorsOf(context, tx, id, decided.map(({ right }) => right));
    const isAlone = authors.includes(person.userId);
    for (const firstPersonId of authors.length === 0 ? [person.userId] : authors)
      if (!may(person, 'privacy_request.approve', { firstPersonId, fourEyes: settings.fourEyes }) && isAlone)
        throw new Problem('forbidden', { detail: 'What you decided yourself is approved by another officer.' });
    // Nobody writes another template while it is compared.
    await database.advisoryLock(tx, 'privacy.templates', 'shared');
    if (seen !== undefined && seen !== (await revisionOf(database, request, tx)))
      throw new Problem('changed-meanwhile', { detail: 'This answer was changed since you looked at it. Look again before you approve it.' });
    if (request.identified_at === null) throw new Problem('conflict', { detail: 'The identity is not verified yet.' });
    if (standing.processes.some(({ state, right }) => state === 'open' && right !== 'objection'))
      throw new Problem('conflict', { detail: 'Not everything is decided yet.' });
    if (decided.length === 0) throw new Problem('conflict', { detail: 'There is nothing to approve.' });
    if (isAlone && reason === undefined)
      throw new Problem('invalid-input', { errors: [{ path: 'reason', message: 'is needed by who approves alone' }] });
    const now = clock.now();
    await writeForegone(context, tx, request, decided);
    await keepLetter(context, tx, id);
    await database.query(
      `UPDATE privacy_processes SET state = 'approved', approved_by = $3, approved_at = $4, approved_alone_reason = $5
       WHERE request_id = $1 AND id = ANY ($2::uuid[])`,
      [id, decided.map((process) => process.id), person.userId, now, isAlone ? (reason ?? null) : null],
      tx,
    );
    await database.query('UPDATE privacy_requests SET approved_at = $2 WHERE id = $1', [id, now], tx);
    // Who approves the answer has seen what is kept for it, too.
    await confirmServingIn(platform, tx, person, id, isAlone ? (reason ?? null) : null);
    await noteHeldUpInLetter(context, tx, request);
    const recipients = await listRecipients(context, tx, id);
    await record(platform, tx, person, request, 'approved', {
      rights: decided.map(({ right }) => right), alone: isAlone, recipientsToTell: recipients,
    }, reason);
    await settleState(context, tx, id);
  });
  await carryOutDecisions(context, id);
}

/**
 * Sends the answer back to be decided anew, as long as it has not been handed out.
 * @throws Problem `not-found`, `conflict` when it is out, or was carried out in part
 */
export async function sendBack(context: PrivacyContext, person: Person, id: string, reason: string): Promise<void> {
  const { platform } = context;
  const { database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    if (request.handed_out_at !== null) throw new Problem('conflict', { detail: 'The answer is out.' });
    const done = await database.query(
      `SELECT 1 FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id
       WHERE i.request_id = $1 AND d."right" = 'erasure' AND d.carried_out_at IS NOT NULL LIMIT 1`,
      [id],
      tx,
    );
    if (done.length > 0) throw new Problem('conflict', { detail: 'What was to be erased is erased.' });
    await database.query(
      `UPDATE privacy_processes SET state = 'decided', approved_by = NULL, approved_at = NULL, approved_alone_reason = NULL
       WHERE request_id = $1 AND state = 'approved'`,
      [id],
      tx,
    );
    await database.query('UPDATE privacy_requests SET approved_at = NULL WHERE id = $1', [id], tx);
    await database.query('DELETE FROM privacy_approved_letters WHERE request_id = $1', [id], tx);
    await openHeldUp(context, tx, { kind: 'person', id: person.userId }, id);
    await record(platform, tx, person, request, 'sent_back', {}, reason);
    await settleState(context, tx, id);
  });
}

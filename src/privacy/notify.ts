import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { disclosuresOf } from '../packages/package.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { record, findRequest, type PrivacyContext } from './request.js';

/**
 * Whoever was handed something that is now corrected, erased or restricted is told so (art. 19 GDPR), unless that proves
 * impossible; the person can ask who they are. The list is made when the answer is approved; an officer ticks it off.
 */
export const thePerson = 'betrokkene';

export interface Notification {
  id: string;
  right: string;
  packageId: string;
  recipient: string;
  /** Of what they were given, and when. */
  reference: string | null;
  disclosedAt: Date | null;
  toldAt: Date | null;
  toldBy: string | null;
  impossibleReason: string | null;
}

/** Lists earlier recipients for the rights that were approved, inside `tx`; each once. @returns how many there are to tell */
export async function listRecipients({ platform: { clock, database } }: PrivacyContext, tx: Transaction, requestId: string): Promise<number> {
  const granted = await database.query<{ right: string; recordingId: string }>(
    `SELECT d."right", i.item_id AS "recordingId" FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id
     JOIN privacy_processes p ON p.request_id = i.request_id AND p."right" = d."right" AND p.state = 'approved'
     WHERE i.request_id = $1 AND i.kind = 'recording' AND d.decision <> 'refuse' AND d.replaced_at IS NULL
       AND d."right" IN ('rectification', 'erasure', 'restriction')`,
    [requestId],
    tx,
  );
  let count = 0;
  const disclosures = await disclosuresOf(database, granted.map(({ recordingId }) => recordingId));
  for (const { right, recordingId } of granted)
    for (const { packageId, recipient, reference, disclosedAt } of disclosures.filter((each) => each.recordingId === recordingId && (each.kind !== 'privacy' || each.recipient !== thePerson))) {
      await database.query(
        `INSERT INTO privacy_notifications (id, request_id, "right", package_id, recipient, reference, disclosed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (request_id, "right", package_id) DO NOTHING`,
        [newId(clock), requestId, right, packageId, recipient, reference, disclosedAt],
        tx,
      );
      count += 1;
    }
  return count;
}

export async function notificationsOf(database: Database, requestId: string): Promise<Notification[]> {
  return await database.query<Notification>(
    `SELECT id, "right", package_id AS "packageId", recipient, reference, disclosed_at AS "disclosedAt", told_at AS "toldAt", told_by AS "toldBy",
       impossible_reason AS "impossibleReason"
     FROM privacy_notifications WHERE request_id = $1 ORDER BY recipient, "right", id`,
    [requestId],
  );
}

/** Of what a recipient holds, the recordings that this was decided about. */
export async function recordingsToldOf(database: Database, { id, packageId, right }: Notification): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `SELECT DISTINCT s.recording_id AS id FROM privacy_notifications n
     JOIN privacy_items i ON i.request_id = n.request_id AND i.kind = 'recording'
     JOIN privacy_decisions d ON d.item_id = i.id AND d."right" = $3 AND d.decision <> 'refuse' AND d.replaced_at IS NULL
     JOIN disclosures s ON s.recording_id = i.item_id AND s.package_id = $2
     WHERE n.id = $1 ORDER BY s.recording_id`,
    [id, packageId, right],
  );
  return rows.map((row) => row.id);
}

/**
 * A recipient was told, or could not be. Also after the request is closed.
 * @throws Problem `not-found`, `conflict` when that was recorded already
 */
export async function markTold(
  { platform }: PrivacyContext,
  person: Person,
  ids: { id: string; notificationId: string },
  impossibleReason: string | undefined,
): Promise<void> {
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await findRequest(database, ids.id, tx);
    const [known] = await database.query<{ toldAt: Date | null; reason: string | null }>(
      `SELECT told_at AS "toldAt", impossible_reason AS reason FROM privacy_notifications WHERE id = $1 AND request_id = $2 FOR UPDATE`,
      [ids.notificationId, ids.id],
      tx,
    );
    if (known === undefined) throw new Problem('not-found');
    if (known.toldAt !== null) throw new Problem('conflict');
    await database.query(
      'UPDATE privacy_notifications SET told_at = $2, told_by = $3, impossible_reason = $4 WHERE id = $1',
      [ids.notificationId, impossibleReason === undefined ? clock.now() : null, person.userId, impossibleReason ?? null],
      tx,
    );
    await record(platform, tx, person, request, impossibleReason === undefined ? 'recipient_told' : 'recipient_not_told', {
      notificationId: ids.notificationId,
    });
  });
}

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Person } from '../access/caller.js';
import { Problem } from '../platform/problem.js';
import { isAnswered, isOrder, type Answer } from './answer.js';
import type { Bundle } from './bundle.js';
import { isAvailable, type ItemRow } from './items.js';
import { thePerson } from './notify.js';
import { record, referenceOf, type PrivacyContext } from './request.js';
import type { Right } from './rights.js';
import { cellsOf } from './states.js';

/** Handing out: on record before the first byte leaves, streamed, nothing left behind. */

/**
 * Puts on record that the answer went out: to an officer who hands it over, or by a delivery (`system`).
 * @throws Problem `conflict` when it was sent back or approved anew since it was read
 */
export async function handOut(
  context: PrivacyContext,
  person: Person | 'system',
  answer: Answer,
  kind: 'package' | 'letter',
): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  const now = clock.now();
  const { id } = answer.request;
  const cells = await cellsOf(context, id);
  // Of what is theirs and still there: how many go out under a right.
  const leaving = (right: Right, kind: ItemRow['kind']) =>
    answer.processes.some((process) => process.right === right && isAnswered(process))
      ? cells.filter((cell) => cell.right === right && cell.kind === kind && cell.confirmed === true && cell.available && cell.decision !== null && cell.decision !== 'refuse')
          .reduce((sum, { count }) => sum + count, 0)
      : 0;
  const [recordings, portable] = [leaving('access', 'recording'), leaving('portability', 'ticket')];
  await database.inTransaction(async (tx) => {
    const out = await database.query(
      `UPDATE privacy_requests SET handed_out_at = CASE WHEN handed_out_at >= approved_at THEN handed_out_at ELSE $2::timestamptz END
       WHERE id = $1 AND approved_at = $3 RETURNING id`,
      [id, now, answer.request.approved_at],
      tx,
    );
    // What was made while an officer sent it back, or approved it anew, is not the answer any more.
    if (out.length === 0) throw new Problem('conflict', { detail: 'The answer was sent back or approved anew meanwhile.' });
    // Who else was given a call is told to whoever is on it: a secret order is not among them.
    if (kind === 'package' && !answer.request.secret && recordings > 0)
      await database.query(
        `INSERT INTO disclosures (package_id, recording_id, kind, reference, recipient, reason, disclosed_at)
         SELECT $2, r.id, 'privacy', $3, $4, $5, $1 FROM privacy_items i
         JOIN privacy_requests q ON q.id = i.request_id JOIN recordings r ON r.id = i.item_id
         JOIN privacy_decisions d ON d.item_id = i.id AND d."right" = 'access' AND d.decision <> 'refuse' AND d.replaced_at IS NULL
         LEFT JOIN tickets t ON false
         WHERE i.request_id = $2 AND i.kind = 'recording' AND i.confirmed AND ${isAvailable} ON CONFLICT DO NOTHING`,
        [
          now, id, referenceOf(answer.request),
          isOrder(answer) ? (answer.request.authority_name ?? '') : thePerson, isOrder(answer) ? 'art. 6(1)(c)' : 'art. 15',
        ],
        tx,
      );
    await record(platform, tx, person, answer.request, `${kind}_handed_out`, {
      recordings, portable, delivery: person === 'system',
    });
  });
}

/** How long nothing may move on a connection once the answer is on its way. */
const idleMs = 120_000;

/** An answer about hundreds of calls takes minutes to make, in which nothing is sent: that is no reason to hang up. */
export function waitWhileMaking(response: Response): void {
  response.setTimeout(0);
}

/** Streams a file and removes it. @returns whether all of it was sent */
export async function sendBundle(
  bundle: Bundle,
  response: Response,
  type: string,
  disposition: string,
  signal: AbortSignal,
): Promise<boolean> {
  response.setTimeout(idleMs);
  response.status(200).set({
    'Content-Type': type, 'Content-Length': String(bundle.bytes), 'Content-Disposition': disposition, 'Cache-Control': 'private, no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  try {
    await pipeline(createReadStream(bundle.file), response, { signal });
    return true;
  } catch (error) {
    // Who leaves breaks the stream off: that is no fault of anybody's.
    if (!signal.aborted && !response.destroyed) throw error;
    // Who closes the connection on the last byte can be noticed before the write of that byte is: they have it all.
    return response.writableEnded;
  } finally {
    await bundle.discard();
  }
}

/** Sends a page that needs nothing from elsewhere and runs nothing. */
export function sendPage(response: Response, html: string, disposition: string): void {
  response.status(200).set({
    'Content-Type': 'text/html; charset=utf-8', 'Content-Disposition': disposition, 'Cache-Control': 'private, no-store',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox", 'X-Content-Type-Options': 'nosniff',
  });
  response.end(html);
}

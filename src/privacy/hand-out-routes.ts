import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Person } from '../access/caller.js';
import { Problem } from '../platform/problem.js';
import { disclosed, isOrder, type Answer } from './answer.js';
import type { Bundle } from './bundle.js';
import { thePerson } from './notify.js';
import { record, referenceOf, type PrivacyContext } from './request.js';

/** Handing out: on record before the first byte leaves, streamed, nothing left behind. */

/**
 * Puts on record that the answer went out: to an officer who hands it over, or by a delivery (`system`).
 * @throws Problem `conflict` when it was sent back or approved anew since it was read
 */
export async function handOut(
  { platform }: PrivacyContext,
  person: Person | 'system',
  answer: Answer,
  kind: 'package' | 'letter',
): Promise<void> {
  const { clock, database } = platform;
  const now = clock.now();
  const recordings = disclosed(answer, 'access').filter(({ item }) => item.kind === 'recording');
  await database.inTransaction(async (tx) => {
    const out = await database.query(
      `UPDATE privacy_requests SET handed_out_at = coalesce(handed_out_at, $2) WHERE id = $1 AND approved_at = $3 RETURNING id`,
      [answer.request.id, now, answer.request.approved_at],
      tx,
    );
    // What was made while an officer sent it back, or approved it anew, is not the answer any more.
    if (out.length === 0) throw new Problem('conflict', { detail: 'The answer was sent back or approved anew meanwhile.' });
    // Who else was given a call is told to whoever is on it: a secret order is not among them.
    if (kind === 'package' && !answer.request.secret)
      await database.query(
        `INSERT INTO disclosures (package_id, recording_id, kind, reference, recipient, reason, disclosed_at)
         SELECT $1, id, 'privacy', $3, $5, $6, $4 FROM unnest($2::uuid[]) AS id ON CONFLICT DO NOTHING`,
        [
          answer.request.id, recordings.map(({ item }) => item.item_id), referenceOf(answer.request), now,
          isOrder(answer) ? (answer.request.authority_name ?? '') : thePerson, isOrder(answer) ? 'art. 6(1)(c)' : 'art. 15',
        ],
        tx,
      );
    await record(platform, tx, person, answer.request, `${kind}_handed_out`, {
      recordings: recordings.length, portable: disclosed(answer, 'portability').length, delivery: person === 'system',
    });
  });
}

/** Streams a file and removes it. @returns whether all of it was sent */
export async function sendBundle(
  bundle: Bundle,
  response: Response,
  type: string,
  disposition: string,
  signal: AbortSignal,
): Promise<boolean> {
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
    return false;
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

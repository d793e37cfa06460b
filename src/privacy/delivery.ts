import { randomInt, timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { digestOfToken, keyedDigest, randomToken } from '../access/token.js';
import { newId } from '../platform/identifier.js';
import { readApprovedAnswer } from './answer.js';
import { lockOpenRequest, record, type PrivacyContext } from './request.js';

/**
 * Delivery by a page of its own: an address that works once and for some days, and a code that travels another way. Only
 * digests are kept of both. Before the code is right the page tells nothing, not even whose it is.
 */

const wrongCodesAllowed = 5;
/** A download that broke off can be begun again; one that is under way cannot. */
const underWayMs = 10 * 60_000;

export interface Delivery {
  id: string;
  requestId: string;
  locale: 'nl' | 'en';
}

interface DeliveryRow {
  id: string;
  request_id: string;
  code_digest: Buffer;
  expires_at: Date;
  wrong_codes: number;
  begun_at: Date | null;
  delivered_at: Date | null;
  locale: 'nl' | 'en';
}

/** Why a page is closed: unknown addresses and used ones look alike from outside. */
export type Closed = 'over' | 'blocked';

const codeDigest = ({ signingKey }: PrivacyContext, id: string, code: string) =>
  keyedDigest(signingKey.derive('privacy delivery codes'), `${id} ${code.replace(/\D/g, '')}`);

/**
 * Makes an address and a code, and ends those made before for the same request.
 * @throws Problem `not-found`, `conflict` before approval or once the request is closed
 */
export async function makeDelivery(
  context: PrivacyContext,
  person: Person,
  requestId: string,
  days: number,
): Promise<{ id: string; token: string; code: string; expiresAt: Date }> {
  const { platform } = context;
  const { clock, database } = platform;
  await readApprovedAnswer(context, requestId);
  const id = newId(clock);
  const token = randomToken();
  const code = String(randomInt(100_000_000)).padStart(8, '0');
  const now = clock.now();
  const expiresAt = new Date(now.getTime() + days * 86_400_000);
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, requestId);
    await database.query(
      'UPDATE privacy_deliveries SET expires_at = LEAST(expires_at, $2) WHERE request_id = $1 AND delivered_at IS NULL',
      [requestId, now],
      tx,
    );
    await database.query(
      `INSERT INTO privacy_deliveries (id, request_id, token_digest, code_digest, made_by, made_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, requestId, digestOfToken(token), codeDigest(context, id, code), person.userId, now, expiresAt],
      tx,
    );
    await record(platform, tx, person, request, 'delivery_made', { deliveryId: id, expiresAt: expiresAt.toISOString() });
  });
  return { id, token, code, expiresAt };
}

/** The delivery behind an address, or why it is closed. */
export async function findDelivery(
  { platform: { clock, database } }: PrivacyContext,
  token: string,
  tx?: Transaction,
): Promise<DeliveryRow | Closed> {
  const [row] = await database.query<DeliveryRow>(
    `SELECT d.*, q.locale FROM privacy_deliveries d JOIN privacy_requests q ON q.id = d.request_id WHERE d.token_digest = $1`,
    [digestOfToken(token)],
    tx,
  );
  if (row === undefined || row.delivered_at !== null || row.expires_at <= clock.now()) return 'over';
  return row.wrong_codes >= wrongCodesAllowed ? 'blocked' : row;
}

/**
 * Opens a delivery with its code and takes it: nobody else downloads meanwhile.
 * @returns the delivery, `wrong` for another code (counted), or why it is closed
 */
export async function openDelivery(context: PrivacyContext, token: string, code: string): Promise<Delivery | Closed | 'wrong'> {
  const { platform } = context;
  const { clock, database } = platform;
  return await database.inTransaction(async (tx) => {
    await database.query('SELECT 1 FROM privacy_deliveries WHERE token_digest = $1 FOR UPDATE', [digestOfToken(token)], tx);
    // On this connection: whoever asks by the thousand must not keep every connection waiting for another one.
    const found = await findDelivery(context, token, tx);
    if (typeof found === 'string') return found;
    const now = clock.now();
    if (!timingSafeEqual(found.code_digest, codeDigest(context, found.id, code))) {
      await database.query('UPDATE privacy_deliveries SET wrong_codes = wrong_codes + 1 WHERE id = $1', [found.id], tx);
      return found.wrong_codes + 1 >= wrongCodesAllowed ? 'blocked' : 'wrong';
    }
    if (found.begun_at !== null && now.getTime() - found.begun_at.getTime() < underWayMs) return 'over';
    await database.query('UPDATE privacy_deliveries SET begun_at = $2 WHERE id = $1', [found.id, now], tx);
    return { id: found.id, requestId: found.request_id, locale: found.locale };
  });
}

/** The download is over: all of it was sent, or it broke off and may be begun again. */
export async function endDelivery({ platform }: PrivacyContext, delivery: Delivery, sent: boolean): Promise<void> {
  const { clock, database } = platform;
  await database.query(
    'UPDATE privacy_deliveries SET begun_at = NULL, delivered_at = $2 WHERE id = $1',
    [delivery.id, sent ? clock.now() : null],
  );
}

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { Machine } from '../../access/caller.js';
import type { Answer } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import type { Delivery } from '../delivery.js';
import type { TicketDoor } from './door.js';

/** What webhooks have in common: a body that is signed byte for byte, and an id by which a repetition is known. */

const longestBodyBytes = 16 * 1024 * 1024;

/**
 * The body exactly as it was sent: a signature is over these bytes, not over what they mean.
 * @throws Problem `too-large`, `invalid-request` when it ends early
 */
export async function readRawBody(request: Request, maxBytes = longestBodyBytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity')
    throw new Problem('unsupported-media-type', { detail: 'Send the body without Content-Encoding.' });
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Problem('too-large');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('invalid-request', { detail: 'The body ended early.', cause: error });
  }
  return Buffer.concat(chunks);
}

/** @throws Problem `invalid-request` when the body is no JSON object */
export function parseJsonObject(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem('invalid-request', { detail: 'The body is not JSON in UTF-8.' });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Problem('invalid-request', { detail: 'The body is not a JSON object.' });
  return value as Record<string, unknown>;
}

export const hmac = (algorithm: 'sha1' | 'sha256', secret: string | Buffer, ...parts: (string | Buffer)[]): Buffer =>
  parts.reduce((mac, part) => mac.update(part), createHmac(algorithm, secret)).digest();

/** Compares in constant time; lengths may differ. */
export const sameBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

export const wrongSignature = (detail: string): Problem => new Problem('unauthenticated', { detail });

/** A clock that is further off than this makes a signed delivery an old one that somebody sends again. */
export const timestampToleranceMs = 5 * 60_000;

/** @throws Problem `unauthenticated` when a signed instant lies too far from now */
export function requireRecent(at: Date | undefined, now: Date): void {
  if (at === undefined || Number.isNaN(at.getTime()) || Math.abs(at.getTime() - now.getTime()) > timestampToleranceMs)
    throw wrongSignature('The time of the signature is missing or more than five minutes off.');
}

/** The signing secret that was set for this machine's source, if any. */
export async function signingSecretOf(door: TicketDoor, machine: Machine): Promise<string | undefined> {
  const [row] = await door.platform.database.query<{ secret: string }>(
    'SELECT secret FROM webhook_secrets WHERE source_id = $1',
    [machine.sourceId],
  );
  return row?.secret;
}

/**
 * Takes a verified delivery in, once for each id. The id counts as done only when everything is: a delivery that failed
 * halfway is taken up again when the helpdesk repeats it.
 */
export async function receiveOnce(
  door: TicketDoor,
  machine: Machine,
  deliveryId: string | undefined,
  body: Buffer,
  read: () => { externalId: string; delivery: Delivery } | undefined,
): Promise<Answer> {
  const { clock, database } = door.platform;
  const digest = createHash('sha256').update(body).digest('hex');
  if (deliveryId !== undefined) {
    const [done] = await database.query<{ ticketId: string | null }>(
      `SELECT ticket_id AS "ticketId" FROM webhook_deliveries WHERE source_id = $1 AND delivery_id = $2 AND digest = decode($3, 'hex')`,
      [machine.sourceId, deliveryId.slice(0, 200), digest],
    );
    if (done !== undefined) return { status: 200, body: { id: done.ticketId, outcome: 'repeated' } };
  }
  const told = read();
  const received = told === undefined ? undefined : await door.receive(machine, told.externalId, told.delivery);
  if (deliveryId !== undefined)
    await database.query(
      `INSERT INTO webhook_deliveries (source_id, delivery_id, digest, ticket_id, received_at)
       VALUES ($1, $2, decode($3, 'hex'), $4, $5) ON CONFLICT DO NOTHING`,
      [machine.sourceId, deliveryId.slice(0, 200), digest, received?.ticketId ?? null, clock.now()],
    );
  if (received === undefined) return { status: 200, body: { id: null, outcome: 'ignored' } };
  return { status: received.status, body: { id: received.ticketId, outcome: received.status === 201 ? 'created' : 'taken' } };
}

/** Ids of deliveries are remembered this long; a helpdesk repeats within hours. */
const rememberedMs = 30 * 86_400_000;

/** Forgets old ids. */
export async function forgetDeliveries(platform: Pick<TicketDoor['platform'], 'clock' | 'database'>): Promise<void> {
  await platform.database.query('DELETE FROM webhook_deliveries WHERE received_at < $1', [
    new Date(platform.clock.now().getTime() - rememberedMs),
  ]);
}

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Transaction } from 'sequelize';
import { append } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Person } from './caller.js';

/**
 * One-time codes from an authenticator app (TOTP, RFC 6238, with the parameters that every app knows: SHA-1, six
 * digits, thirty seconds). The shared secret is kept sealed with a key that is not in the database.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

const periodMs = 30_000;
/** A clock may be off by one period either way (RFC 6238 §5.2). */
const toleratedPeriods = 1;

/** A code as people type it: six digits, blanks allowed. */
export const codePattern = /^\s*\d{3}\s?\d{3}\s*$/;

/** AES-256-GCM: 12 bytes nonce, 16 bytes tag, the text. Bound to its owner, so that rows cannot be swapped. */
export function seal(key: Buffer, ownerId: string, plain: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(ownerId));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** Undoes `seal`. Throws when the key, the owner or a byte is another. */
export function unseal(key: Buffer, ownerId: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(Buffer.from(ownerId));
  decipher.setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
}

const totpOf = (secret: Buffer, label = '') =>
  new TOTP({
    issuer: 'Opname',
    label,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
    period: periodMs / 1000,
  });

/** The period (counted from 1970) whose code this is, or undefined. */
function stepOf(secret: Buffer, code: string, now: Date): number | undefined {
  const timestamp = now.getTime();
  const delta = totpOf(secret).validate({ token: code.replace(/\s/g, ''), timestamp, window: toleratedPeriods });
  return delta === null ? undefined : Math.floor(timestamp / periodMs) + delta;
}

/**
 * Begins enrolment: a new secret, which counts for nothing until a code proves that the app has it.
 * @throws Problem `conflict` when one is in use already: that one is to be removed first.
 */
export async function beginSecondFactor(
  { clock, database }: Base,
  key: Buffer,
  person: Person,
): Promise<{ secret: string; uri: string }> {
  const secret = randomBytes(20);
  const written = await database.query(
    `INSERT INTO second_factors (user_id, sealed_secret, made_at) VALUES ($1, $2, $3)
     ON CONFLICT (user_id) DO UPDATE SET sealed_secret = $2, made_at = $3 WHERE second_factors.confirmed_at IS NULL
     RETURNING user_id`,
    [person.userId, seal(key, person.userId, secret), clock.now()],
  );
  if (written.length === 0) throw new Problem('conflict', { detail: 'One-time codes are in use already.' });
  const totp = totpOf(secret, person.email);
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/**
 * Ends enrolment: from now on signing in takes a code.
 * @throws Problem `conflict` when nothing was begun, `invalid-input` when it is not the code.
 */
export async function confirmSecondFactor(
  { clock, database }: Base,
  key: Buffer,
  person: Person,
  code: string,
): Promise<void> {
  await database.inTransaction(async (tx) => {
    const [row] = await database.query<{ sealed: Buffer }>(
      'SELECT sealed_secret AS sealed FROM second_factors WHERE user_id = $1 AND confirmed_at IS NULL FOR UPDATE',
      [person.userId],
      tx,
    );
    if (row === undefined) throw new Problem('conflict', { detail: 'There is nothing to confirm.' });
    const step = stepOf(unseal(key, person.userId, row.sealed), code, clock.now());
    if (step === undefined)
      throw new Problem('invalid-input', { errors: [{ path: 'code', message: 'is not the code' }] });
    await database.query(
      'UPDATE second_factors SET confirmed_at = $2, last_step = $3 WHERE user_id = $1',
      [person.userId, clock.now(), step],
      tx,
    );
    await append(database, clock, tx, {
      actor: { kind: 'person', id: person.userId },
      action: 'user.second_factor_added',
      object: { type: 'user', id: person.userId },
    });
  });
}

/** Removes the second factor of `userId`, in use or only begun. Returns whether there was one in use. */
export async function removeSecondFactor(
  { clock, database }: Base,
  tx: Transaction,
  actorId: string,
  userId: string,
): Promise<boolean> {
  const [removed] = await database.query<{ confirmedAt: Date | null }>(
    'DELETE FROM second_factors WHERE user_id = $1 RETURNING confirmed_at AS "confirmedAt"',
    [userId],
    tx,
  );
  if (removed === undefined || removed.confirmedAt === null) return false;
  await append(database, clock, tx, {
    actor: { kind: 'person', id: actorId },
    action: 'user.second_factor_removed',
    object: { type: 'user', id: userId },
  });
  return true;
}

/** Does signing in as this person take a code? */
export async function needsCode({ database }: Base, userId: string): Promise<boolean> {
  const rows = await database.query(
    'SELECT user_id FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL',
    [userId],
  );
  return rows.length > 0;
}

/**
 * Uses a code up. A code counts once (RFC 6238 §5.2), and so do those before it, also when two requests bring it at
 * once: the row remembers the last period used.
 */
export async function useCode({ clock, database }: Base, key: Buffer, userId: string, code: string): Promise<boolean> {
  const [row] = await database.query<{ sealed: Buffer }>(
    'SELECT sealed_secret AS sealed FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL',
    [userId],
  );
  if (row === undefined) return false;
  const step = stepOf(unseal(key, userId, row.sealed), code, clock.now());
  if (step === undefined) return false;
  const used = await database.query(
    `UPDATE second_factors SET last_step = $2
     WHERE user_id = $1 AND last_step < $2 AND sealed_secret = $3 RETURNING user_id`,
    [userId, step, row.sealed],
  );
  return used.length > 0;
}

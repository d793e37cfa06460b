import type { Request, Response } from 'express';
import type { Transaction } from 'sequelize';
import type { Platform } from '../platform/platform.js';
import type { Person } from './caller.js';
import { digestOfToken, randomToken } from './token.js';

/**
 * Who is signed in. The token lives in the browser's cookie alone; here is its digest. Every request reads the person
 * anew, so that another role, a disabled account or a sign-out counts from the next request on.
 */

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

export const sessionCookie = 'opname_session';

const hourMs = 60 * 60_000;
/** Long enough for a lunch or a meeting, short enough for a desk that was left. */
export const idleMs = 4 * hourMs;
/** A working day: everyone signs in each morning. */
export const lifeMs = 12 * hourMs;
/** `last_seen_at` is no finer than this, so that reading costs no write. */
const seenEveryMs = 60_000;

/** Opens a session inside `tx` and returns its token, which is new each time. Sessions that are over go. */
export async function openSession({ clock, database }: Base, tx: Transaction, userId: string): Promise<string> {
  const now = clock.now();
  await database.query(
    `DELETE FROM sessions WHERE token_digest IN
       (SELECT token_digest FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT 50 FOR UPDATE SKIP LOCKED)`,
    [now],
    tx,
  );
  const token = randomToken();
  await database.query(
    'INSERT INTO sessions (token_digest, user_id, opened_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)',
    [digestOfToken(token), userId, now, new Date(now.getTime() + lifeMs)],
    tx,
  );
  return token;
}

/** The person whose session this is, if it is still open. One query by primary key. */
export async function findPerson({ clock, database, log }: Base, token: string): Promise<Person | undefined> {
  const now = clock.now();
  const digest = digestOfToken(token);
  const [row] = await database.query<Omit<Person, 'kind'> & { lastSeenAt: Date }>(
    `SELECT u.id AS "userId", u.role, u.email, u.name, u.locale, u.extensions, s.last_seen_at AS "lastSeenAt"
     FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.token_digest = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND u.disabled_at IS NULL`,
    [digest, now, new Date(now.getTime() - idleMs)],
  );
  if (row === undefined) return undefined;
  const { lastSeenAt, ...person } = row;
  if (now.getTime() - lastSeenAt.getTime() >= seenEveryMs)
    // Not waited for. Should it fail, the next request does it.
    void database
      .query('UPDATE sessions SET last_seen_at = greatest(last_seen_at, $2) WHERE token_digest = $1', [digest, now])
      .catch((error: unknown) => log.warn({ error }, 'could not note that a session was used'));
  return { kind: 'person', ...person };
}

/** Ends the session of `token`, inside `tx`. Returns whose it was. */
export async function endSession({ database }: Base, tx: Transaction, token: string): Promise<string | undefined> {
  const [ended] = await database.query<{ userId: string }>(
    'DELETE FROM sessions WHERE token_digest = $1 RETURNING user_id AS "userId"',
    [digestOfToken(token)],
    tx,
  );
  return ended?.userId;
}

/** Ends every session of a person, inside `tx`. */
export async function endSessionsOf({ database }: Base, tx: Transaction, userId: string): Promise<void> {
  await database.query('DELETE FROM sessions WHERE user_id = $1', [userId], tx);
}

/** When the session of `token` ends at the latest. */
export async function sessionEndOf({ database }: Base, token: string): Promise<Date | undefined> {
  const [row] = await database.query<{ expiresAt: Date }>(
    'SELECT expires_at AS "expiresAt" FROM sessions WHERE token_digest = $1',
    [digestOfToken(token)],
  );
  return row?.expiresAt;
}

/** The token a request's cookie carries. */
export const tokenOf = (request: Request) => namedCookie(request, sessionCookie);

/** The value of a cookie; undefined when it is missing or empty. */
export function namedCookie(request: Request, wanted: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.split('=', 2);
    if (name?.trim() === wanted && value !== undefined && value.trim() !== '') return value.trim();
  }
  return undefined;
}

/** Does the browser speak TLS with us, or with the proxy in front? */
export const isSecure = (request: Request, publicUrl: string | undefined) =>
  request.secure || (publicUrl?.startsWith('https:') ?? false);

/** Gives the token to the browser: unreadable to scripts, sent to this very site only, over TLS where there is TLS. */
export function setCookie(request: Request, response: Response, token: string, publicUrl: string | undefined): void {
  response.cookie(sessionCookie, token, cookieOptions(request, publicUrl));
}

export function clearCookie(request: Request, response: Response, publicUrl: string | undefined): void {
  response.clearCookie(sessionCookie, cookieOptions(request, publicUrl));
}

// Without an age of its own: it goes when the browser is closed, and the server knows when it is over.
const cookieOptions = (request: Request, publicUrl: string | undefined) =>
  ({
    httpOnly: true,
    sameSite: 'strict',
    secure: isSecure(request, publicUrl),
    path: '/',
  }) as const;

import type { Transaction } from 'sequelize';
import { append, systemActor } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { SignInFailure, type Identity } from './oidc.js';
import { endSession, openSession } from './session.js';
import { accountOf, type SignIn } from './sign-in.js';
import { keyedDigest } from './token.js';

/** Who someone at the identity provider is here: people are made by an administrator, never by signing in. */

/**
 * Opens a session for the person that `identity` is. The first time they are found by the e-mail address the provider
 * vouches for, and bound to its subject from then on: an address that passes on to a colleague opens nothing.
 * @throws SignInFailure `unknown`: nobody, disabled, or bound to another subject
 */
export async function signInAs(base: SignIn, identity: Identity, oldToken: string | undefined): Promise<string> {
  const { clock, database } = base;
  const token = await database.inTransaction(async (tx) => {
    // Once more at the end: of two first sign-ins at one moment the second finds what the first has bound.
    const userId = (await boundTo(base, identity, tx)) ?? (await bind(base, identity, tx)) ?? (await boundTo(base, identity, tx));
    if (userId === undefined) return undefined;
    if (oldToken !== undefined) await endSession(base, tx, oldToken);
    const opened = await openSession(base, tx, userId);
    await append(database, clock, tx, {
      actor: { kind: 'person', id: userId },
      action: 'session.opened',
      object: { type: 'user', id: userId },
      details: { by: 'identity_provider' },
    });
    return opened;
  });
  if (token !== undefined) return token;
  await noteRefusal(base, identity);
  throw new SignInFailure('unknown');
}

/** Held to the end of `tx`: whoever disables the account waits, and ends this session too. */
async function boundTo({ database }: SignIn, { issuer, subject }: Identity, tx: Transaction): Promise<string | undefined> {
  const [row] = await database.query<{ id: string }>(
    `SELECT u.id FROM identities i JOIN users u ON u.id = i.user_id
     WHERE i.issuer = $1 AND i.subject = $2 AND u.disabled_at IS NULL FOR SHARE OF u`,
    [issuer, subject],
    tx,
  );
  return row?.id;
}

async function bind({ clock, database }: SignIn, identity: Identity, tx: Transaction): Promise<string | undefined> {
  const { issuer, subject, email } = identity;
  if (email === undefined) return undefined;
  // Nothing is returned where this subject is someone's already (disabled), or this person is known by another subject.
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO identities (issuer, subject, user_id, linked_at)
     SELECT $1, $2, id, $4 FROM users WHERE lower(email) = $3 AND disabled_at IS NULL FOR SHARE
     ON CONFLICT DO NOTHING RETURNING user_id AS id`,
    [issuer, subject, accountOf(email), clock.now()],
    tx,
  );
  if (row === undefined) return undefined;
  await append(database, clock, tx, {
    actor: { kind: 'person', id: row.id },
    action: 'user.identity_bound',
    object: { type: 'user', id: row.id },
    details: { issuer },
  });
  return row.id;
}

async function noteRefusal({ accountKey, clock, database }: SignIn, { email, issuer, subject }: Identity): Promise<void> {
  const account = email === undefined ? `${issuer} ${subject}` : accountOf(email);
  await database.inTransaction((tx) =>
    append(database, clock, tx, {
      actor: systemActor('sign-in'),
      action: 'session.refused',
      object: { type: 'account', id: keyedDigest(accountKey, account).toString('hex') },
      details: { part: 'identity' },
    }),
  );
}

/** Forgets who `userId` is at identity providers; the next sign-in binds anew. @returns whether there was anything. */
export async function unbindIdentities(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  actorId: string,
  userId: string,
): Promise<boolean> {
  const removed = await database.query('DELETE FROM identities WHERE user_id = $1 RETURNING user_id', [userId], tx);
  if (removed.length === 0) return false;
  await append(database, clock, tx, {
    actor: { kind: 'person', id: actorId },
    action: 'user.identity_unbound',
    object: { type: 'user', id: userId },
  });
  return true;
}

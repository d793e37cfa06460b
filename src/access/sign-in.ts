import { append, systemActor } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Person } from './caller.js';
import { networkOf, type Guesses, type Subject, type Tries } from './guesses.js';
import { hashPassword, isPassword } from './password.js';
import { needsCode, removeSecondFactor, useCode } from './second-factor.js';
import { endSession, endSessionsOf, openSession } from './session.js';
import { keyedDigest } from './token.js';

/** Signing in, and what takes one's own password: changing it, and doing away with the second factor. */

/** What signing in stands on: the database, the ledger of guesses, and two keys derived from the service's secret. */
export interface SignIn extends Pick<Platform, 'clock' | 'database' | 'log'> {
  guesses: Guesses;
  /** Keys the digests by which the audit trail knows an account that may not exist. */
  accountKey: Buffer;
  /** Seals the secrets of second factors. */
  secondFactorKey: Buffer;
}

export interface Credentials {
  email: string;
  password: string;
  code?: string | undefined;
}

interface Account {
  id: string;
  passwordHash: string;
}

/** Accounts are told apart without regard to case, and to how an accented letter is composed. */
export const accountOf = (email: string) => email.trim().normalize('NFC').toLowerCase();

/** The same words for every reason, so that the answer does not tell which part was wrong. */
const wrongCredentials = (members?: Record<string, unknown>) =>
  new Problem('wrong-credentials', {
    detail: 'Check the e-mail address, the password and the one-time code.',
    headers: { 'WWW-Authenticate': 'Bearer realm="opname"' },
    ...(members === undefined ? {} : { members }),
  });

/**
 * Checks credentials and opens a session with a new token; `oldToken`, the one the browser came with, ends.
 *
 * An account that is unknown, disabled or whose handed-out password has run out takes the same path through the same
 * queries as a wrong password. Only who gave the right password learns that a code is wanted (`codeRequired`): a
 * browser could not ask for it otherwise, and that person knows the password already.
 *
 * @throws Problem `wrong-credentials`, `too-many-attempts`
 */
export async function signIn(
  base: SignIn,
  credentials: Credentials,
  from: { address: string; oldToken: string | undefined },
): Promise<{ token: string; userId: string }> {
  const account: Subject = { of: 'account', value: accountOf(credentials.email) };
  return base.guesses.inTurn(account, () => tryToSignIn(base, account, credentials, from));
}

async function tryToSignIn(
  base: SignIn,
  account: Subject,
  { password, code }: Credentials,
  from: { address: string; oldToken: string | undefined },
): Promise<{ token: string; userId: string }> {
  const { clock, database, guesses } = base;
  const tries = await guesses.record(account, { of: 'address', value: networkOf(from.address) });

  const found = await findAccount(base, account.value);
  if (!(await isPassword(password, found?.passwordHash)) || found === undefined) {
    await noteRefusal(base, account.value, 'password');
    throw wrongCredentials();
  }
  const secondFactor = await checkCode(base, found, account.value, code, tries);

  const token = await database.inTransaction(async (tx) => {
    // Held to the end: whoever disables the account or sets another password waits, and ends this session too.
    const still = await database.query(
      'SELECT id FROM users WHERE id = $1 AND disabled_at IS NULL AND password_hash = $2 FOR SHARE',
      [found.id, found.passwordHash],
      tx,
    );
    if (still.length === 0) throw wrongCredentials();
    if (from.oldToken !== undefined) await endSession(base, tx, from.oldToken);
    const opened = await openSession(base, tx, found.id);
    await tries.withdraw(tx);
    await guesses.forget(account, tx);
    await append(database, clock, tx, {
      actor: { kind: 'person', id: found.id },
      action: 'session.opened',
      object: { type: 'user', id: found.id },
      details: { secondFactor },
    });
    return opened;
  });
  return { token, userId: found.id };
}

async function findAccount({ clock, database }: SignIn, email: string): Promise<Account | undefined> {
  const [row] = await database.query<Account>(
    `SELECT id, password_hash AS "passwordHash" FROM users
     WHERE lower(email) = $1 AND disabled_at IS NULL AND (password_expires_at IS NULL OR password_expires_at > $2)`,
    [email, clock.now()],
  );
  return row;
}

/**
 * The password was right: is a code needed, and is it right? A missing one is a question, not a guess.
 * @returns whether a code was needed.
 */
async function checkCode(
  base: SignIn,
  account: Account,
  email: string,
  code: string | undefined,
  tries: Tries,
): Promise<boolean> {
  if (!(await needsCode(base, account.id))) return false;
  if (code === undefined || code.trim() === '') {
    await tries.withdraw();
    throw wrongCredentials({ codeRequired: true });
  }
  const codeTries = await base.guesses.record({ of: 'code', value: account.id });
  if (!(await useCode(base, base.secondFactorKey, account.id, code))) {
    await noteRefusal(base, email, 'code');
    throw wrongCredentials({ codeRequired: true });
  }
  await codeTries.withdraw();
  return true;
}

async function noteRefusal(
  { accountKey, clock, database }: SignIn,
  email: string,
  part: 'password' | 'code',
): Promise<void> {
  await database.inTransaction((tx) =>
    append(database, clock, tx, {
      actor: systemActor('sign-in'),
      action: 'session.refused',
      object: { type: 'account', id: keyedDigest(accountKey, email).toString('hex') },
      details: { part },
    }),
  );
}

/** Ends the session of `token`. Ending one that is over already is no fault. */
export async function signOut(base: SignIn, token: string): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const userId = await endSession(base, tx, token);
    if (userId === undefined) return;
    await append(database, clock, tx, {
      actor: { kind: 'person', id: userId },
      action: 'session.closed',
      object: { type: 'user', id: userId },
    });
  });
}

/**
 * Asks for someone's own password again, inside their session: a desk that was left is not enough. Wrong ones are
 * counted apart from sign-ins.
 * @returns the hash it was right for.
 * @throws Problem `invalid-input` when it is wrong, `too-many-attempts`
 */
async function confirmPassword(
  { database, guesses }: SignIn,
  person: Person,
  password: string,
  path: string,
): Promise<string> {
  const tries = await guesses.record({ of: 'confirmation', value: person.userId });
  const [row] = await database.query<{ hash: string }>('SELECT password_hash AS hash FROM users WHERE id = $1', [
    person.userId,
  ]);
  if (row === undefined || !(await isPassword(password, row.hash)))
    throw new Problem('invalid-input', { errors: [{ path, message: 'is not your password' }] });
  await tries.withdraw();
  return row.hash;
}

/**
 * Changes one's own password. Every session ends; the caller is given a new one.
 * @throws Problem `invalid-input`, `too-many-attempts`, `conflict` when it was changed elsewhere meanwhile
 */
export async function changePassword(
  base: SignIn,
  person: Person,
  { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
): Promise<string> {
  const { clock, database } = base;
  if (currentPassword === newPassword)
    throw new Problem('invalid-input', { errors: [{ path: 'newPassword', message: 'must be another one' }] });
  const oldHash = await confirmPassword(base, person, currentPassword, 'currentPassword');
  const newHash = await hashPassword(newPassword);
  return database.inTransaction(async (tx) => {
    const changed = await database.query(
      `UPDATE users SET password_hash = $2, password_expires_at = NULL
       WHERE id = $1 AND password_hash = $3 AND disabled_at IS NULL RETURNING id`,
      [person.userId, newHash, oldHash],
      tx,
    );
    if (changed.length === 0)
      throw new Problem('conflict', { detail: 'The password was changed elsewhere meanwhile.' });
    await endSessionsOf(base, tx, person.userId);
    const token = await openSession(base, tx, person.userId);
    await append(database, clock, tx, {
      actor: { kind: 'person', id: person.userId },
      action: 'user.password_changed',
      object: { type: 'user', id: person.userId },
    });
    return token;
  });
}

/**
 * Does away with one's own second factor, for which the password is asked again.
 * @throws Problem `invalid-input`, `too-many-attempts`
 */
export async function giveUpSecondFactor(base: SignIn, person: Person, password: string): Promise<void> {
  await confirmPassword(base, person, password, 'password');
  await base.database.inTransaction((tx) => removeSecondFactor(base, tx, person.userId, person.userId));
}

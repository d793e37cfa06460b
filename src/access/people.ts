import type { Transaction } from 'sequelize';
import { append, type Actor } from '../audit/log.js';
import { sqlState, type Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Person, PersonRole } from './caller.js';
import { hashPassword, randomPassword } from './password.js';
import { may } from './policy.js';

/** The people who sign in: made, changed, disabled. They are never deleted: the audit trail's ids lead here. */

type Base = Pick<Platform, 'clock' | 'database'>;

/** A person as administrators see them. */
export interface User {
  id: string;
  email: string;
  name: string;
  role: PersonRole;
  locale: 'nl' | 'en';
  extensions: string[];
  createdAt: Date;
  disabledAt: Date | null;
  /** Set while the password is one that an administrator handed out: it works until then. */
  passwordExpiresAt: Date | null;
  secondFactor: boolean;
  /** Bound to somebody at the identity provider, by whom they can sign in. */
  singleSignOn: boolean;
}

const columns = `u.id, u.email, u.name, u.role, u.locale, u.extensions, u.created_at AS "createdAt",
  u.disabled_at AS "disabledAt", u.password_expires_at AS "passwordExpiresAt",
  EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS "secondFactor",
  EXISTS (SELECT FROM identities i WHERE i.user_id = u.id) AS "singleSignOn"`;

/** Held by whoever may make the number of administrators smaller, or the first one. */
export const administratorsLock = 'access.administrators';

/** A password handed out by an administrator is to be replaced by its owner within this time. */
const handedOutPasswordMs = 72 * 60 * 60_000;

export interface NewUser {
  email: string;
  name: string;
  role: PersonRole;
  password: string;
  locale?: 'nl' | 'en' | undefined;
  extensions?: readonly string[] | undefined;
}

const emailInUse = () =>
  new Problem('conflict', {
    detail: 'Another user has this e-mail address.',
    errors: [{ path: 'email', message: 'is in use already' }],
  });

/** Runs a statement that may meet another user's address. @throws Problem `conflict` */
async function unlessEmailInUse<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw sqlState(error) === '23505' ? emailInUse() : error;
  }
}

/** Writes a user inside `tx`; `passwordHash` is made beforehand, since that takes long. */
export async function insertUser(
  { clock, database }: Base,
  tx: Transaction,
  actor: Actor,
  user: Omit<NewUser, 'password'> & { passwordHash: string },
): Promise<string> {
  const id = newId(clock);
  await database.query(
    `INSERT INTO users (id, email, name, role, locale, extensions, password_hash, created_at)
     VALUES ($1, $2, $3, $4, $5, $6::text[], $7, $8)`,
    [id, user.email, user.name, user.role, user.locale ?? 'nl', user.extensions ?? [], user.passwordHash, clock.now()],
    tx,
  );
  await append(database, clock, tx, {
    actor,
    action: 'user.created',
    object: { type: 'user', id },
    details: { role: user.role },
  });
  return id;
}

/** @throws Problem `conflict` when the e-mail address is in use, in whichever case it is written. */
export async function createUser(base: Base, actor: Actor, user: NewUser): Promise<User> {
  const { password, ...rest } = user;
  const passwordHash = await hashPassword(password);
  return unlessEmailInUse(
    base.database.inTransaction(async (tx) => {
      const id = await insertUser(base, tx, actor, { ...rest, passwordHash });
      return userOf(base.database, id, tx);
    }),
  );
}

/** @throws Problem `not-found` */
export async function userOf(database: Database, id: string, tx?: Transaction): Promise<User> {
  const [user] = await database.query<User>(`SELECT ${columns} FROM users u WHERE u.id = $1`, [id], tx);
  if (user === undefined) throw new Problem('not-found');
  return user;
}

/** Newest first. */
export async function listUsers(
  database: Database,
  page: { limit: number; cursor?: string | undefined; role?: PersonRole | undefined },
) {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<User>(
    `SELECT ${columns} FROM users u
     WHERE ($1::timestamptz IS NULL OR (u.created_at, u.id) < ($1, $2::uuid)) AND ($3::text IS NULL OR u.role = $3)
     ORDER BY u.created_at DESC, u.id DESC LIMIT $4`,
    [after?.at ?? null, after?.id ?? null, page.role ?? null, page.limit + 1],
  );
  return toPage(
    rows,
    page.limit,
    (user) => user,
    (user) => ({ at: user.createdAt, id: user.id }),
  );
}

export interface UserChange {
  email?: string | undefined;
  name?: string | undefined;
  role?: PersonRole | undefined;
  locale?: 'nl' | 'en' | undefined;
  extensions?: readonly string[] | undefined;
  disabled?: boolean | undefined;
}

/**
 * Changes a user. Another role, or being disabled, ends their sessions.
 * @throws Problem `forbidden` when it is one's own role or access, `conflict` when no administrator would be left.
 */
export async function changeUser(base: Base, caller: Person, id: string, change: UserChange): Promise<User> {
  const { clock, database } = base;
  return unlessEmailInUse(
    database.inTransaction(async (tx) => {
      await database.advisoryLock(tx, administratorsLock, 'exclusive');
      const before = await userOf(database, id, tx);
      const role = change.role ?? before.role;
      const disabled = change.disabled ?? before.disabledAt !== null;
      const accessChanges = role !== before.role || disabled !== (before.disabledAt !== null);
      if (accessChanges && !may(caller, 'user.change_access', { ownerId: id }))
        throw new Problem('forbidden', { detail: 'Your own role and access are changed by another administrator.' });
      await database.query(
        `UPDATE users SET email = $2, name = $3, role = $4, locale = $5, extensions = $6::text[],
           disabled_at = CASE WHEN $7::boolean THEN coalesce(disabled_at, $8) END
         WHERE id = $1`,
        [
          id,
          change.email ?? before.email,
          change.name ?? before.name,
          role,
          change.locale ?? before.locale,
          change.extensions ?? before.extensions,
          disabled,
          clock.now(),
        ],
        tx,
      );
      if (accessChanges) {
        await requireAnAdministrator(database, tx);
        await database.query('DELETE FROM sessions WHERE user_id = $1', [id], tx);
      }
      const after = await userOf(database, id, tx);
      const fields = (['email', 'name', 'role', 'locale', 'extensions'] as const).filter(
        (field) => String(before[field]) !== String(after[field]),
      );
      if (fields.length > 0 || accessChanges)
        await append(database, clock, tx, {
          actor: { kind: 'person', id: caller.userId },
          action: 'user.changed',
          object: { type: 'user', id },
          details: { fields, role: { before: before.role, after: after.role }, disabled },
        });
      return after;
    }),
  );
}

async function requireAnAdministrator(database: Database, tx: Transaction): Promise<void> {
  const [left] = await database.query<{ count: number }>(
    `SELECT count(*) AS count FROM users WHERE role = 'administrator' AND disabled_at IS NULL`,
    [],
    tx,
  );
  if (left === undefined || left.count === 0)
    throw new Problem('conflict', { detail: 'There must be an administrator left who can sign in.' });
}

/**
 * Gives another person a random password, shown this once and good for three days; ends their sessions.
 * @throws Problem `forbidden` for one's own: that takes the present one.
 */
export async function resetPassword(
  base: Base,
  caller: Person,
  id: string,
): Promise<{ password: string; expiresAt: Date }> {
  const { clock, database } = base;
  if (!may(caller, 'user.change_access', { ownerId: id }))
    throw new Problem('forbidden', { detail: 'Your own password is changed in your own session.' });
  const password = randomPassword();
  const passwordHash = await hashPassword(password);
  const expiresAt = new Date(clock.now().getTime() + handedOutPasswordMs);
  await database.inTransaction(async (tx) => {
    const changed = await database.query(
      'UPDATE users SET password_hash = $2, password_expires_at = $3 WHERE id = $1 RETURNING id',
      [id, passwordHash, expiresAt],
      tx,
    );
    if (changed.length === 0) throw new Problem('not-found');
    await database.query('DELETE FROM sessions WHERE user_id = $1', [id], tx);
    await append(database, clock, tx, {
      actor: { kind: 'person', id: caller.userId },
      action: 'user.password_reset',
      object: { type: 'user', id },
    });
  });
  return { password, expiresAt };
}

/** A colleague as everyone may know them: to choose one, or to read who did something. */
export interface Colleague {
  id: string;
  name: string;
  role: PersonRole;
}

/** Those who can sign in, newest first. */
export async function listColleagues(
  database: Database,
  page: { limit: number; cursor?: string | undefined; role?: PersonRole | undefined },
) {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Colleague & { createdAt: Date }>(
    `SELECT id, name, role, created_at AS "createdAt" FROM users
     WHERE disabled_at IS NULL AND ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid))
       AND ($3::text IS NULL OR role = $3)
     ORDER BY created_at DESC, id DESC LIMIT $4`,
    [after?.at ?? null, after?.id ?? null, page.role ?? null, page.limit + 1],
  );
  return toPage(
    rows,
    page.limit,
    ({ id, name, role }): Colleague => ({ id, name, role }),
    (row) => ({ at: row.createdAt, id: row.id }),
  );
}

/** The names behind ids (those of disabled people too). An id that is nobody's is left out. */
export async function nameOfPeople(database: Database, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await database.query<{ id: string; name: string }>(
    'SELECT id, name FROM users WHERE id = ANY($1::uuid[])',
    [[...new Set(ids)]],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** Disabled or not, in whatever role: is this someone of ours? For a feature that is given a person's id. */
export async function personOf(database: Database, id: string): Promise<Colleague | undefined> {
  const [row] = await database.query<Colleague>('SELECT id, name, role FROM users WHERE id = $1', [id]);
  return row;
}

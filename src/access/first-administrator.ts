import type { Transaction } from 'sequelize';
import { systemActor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { hashPassword, randomPassword } from './password.js';
import { administratorsLock, insertUser } from './people.js';

/** What the first administrator signs in with when nobody chose anything else. */
const usualEmail = 'admin@opname.local';

/**
 * Makes the first administrator when there are no users, whichever of several processes comes first. Where none was
 * given, a password is made and told to `announce` just before it counts: were it told afterwards, a process that died
 * in between would leave a service that nobody can ever enter.
 */
export async function ensureFirstAdministrator(
  base: Pick<Platform, 'clock' | 'database'>,
  given: { email: string; password: string } | undefined,
  announce: (signIn: { email: string; password: string }) => void,
): Promise<void> {
  const { database } = base;
  if (await hasUsers(database)) return;
  const signIn = given ?? { email: usualEmail, password: randomPassword() };
  const passwordHash = await hashPassword(signIn.password);
  await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, administratorsLock, 'exclusive');
    if (await hasUsers(database, tx)) return;
    await insertUser(base, tx, systemActor('first-administrator'), {
      email: signIn.email,
      name: 'Administrator',
      role: 'administrator',
      passwordHash,
    });
    if (given === undefined) announce(signIn);
  });
}

async function hasUsers(database: Database, tx?: Transaction): Promise<boolean> {
  const [row] = await database.query<{ any: boolean }>('SELECT EXISTS (SELECT FROM users) AS any', [], tx);
  return row?.any === true;
}

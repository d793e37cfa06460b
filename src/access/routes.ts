import type { Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import type { Caller } from './caller.js';
import { createGuesses } from './guesses.js';
import { machineOperations } from './machine-routes.js';
import { createSingleSignOn, type IdentityProvider } from './oidc.js';
import { oidcOperations } from './oidc-routes.js';
import { organisationOperations } from './organisation-routes.js';
import { peopleOperations } from './people-routes.js';
import { sessionOperations } from './session-routes.js';
import type { SignIn } from './sign-in.js';
import { derivedKey } from './token.js';

export interface AccessOptions {
  /**
   * At least 32 bytes, the same in every process and after every restart, and not in the database. Another one makes
   * second factors unreadable (to be set up anew) and forgets the guesses counted.
   */
  secret: Buffer;
  /** What browsers see, behind a proxy. */
  publicUrl: string | undefined;
  /** The organisation's own identity provider; undefined: people sign in with a password alone. */
  oidc?: IdentityProvider | undefined;
  timeZone: string;
  defaultCountry: string;
}

/** Who may come in, and as what. */
export function accessOperations(
  platform: Pick<Platform, 'clock' | 'database' | 'log'>,
  options: AccessOptions,
): Operation<Caller>[] {
  if (options.secret.length < 32) throw new RangeError('the secret of accessOperations has fewer than 32 bytes');
  const { clock, database, log } = platform;
  const signIn: SignIn = {
    clock,
    database,
    log,
    guesses: createGuesses(platform, derivedKey(options.secret, 'guesses')),
    accountKey: derivedKey(options.secret, 'account'),
    secondFactorKey: derivedKey(options.secret, 'second factor'),
  };
  const singleSignOn =
    options.oidc === undefined ? undefined : createSingleSignOn(options.oidc, derivedKey(options.secret, 'single sign-on'), clock);
  return [
    ...sessionOperations(signIn, options.publicUrl),
    ...oidcOperations(signIn, singleSignOn, options.publicUrl),
    ...peopleOperations(platform),
    ...machineOperations(platform, options),
    ...organisationOperations(platform, options),
  ];
}

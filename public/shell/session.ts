import { effect, signal } from '@preact/signals';
import { ApiProblem, ask, signedOut } from '../api/client.js';
import type { User } from '../api/types.js';
import { chooseLanguage, languageWasChosen } from '../i18n.js';

export type Session =
  | { state: 'loading' }
  | { state: 'unreachable'; problem: ApiProblem }
  | { state: 'anonymous'; expired: boolean }
  | { state: 'signed-in'; user: User; account: OwnAccount | undefined };

/** What a person is told about their own way in; it comes a moment after signing in. */
export interface OwnAccount {
  secondFactor: boolean;
  /** Set while the password is one that an administrator handed out: it works until then. */
  passwordExpiresAt: string | null;
}

/** Who is signed in, as the service says. */
export const session = signal<Session>({ state: 'loading' });

function welcome(user: User, account?: OwnAccount): void {
  if (!languageWasChosen()) chooseLanguage(user.locale.startsWith('en') ? 'en' : 'nl', false);
  session.value = { state: 'signed-in', user, account };
}

/** Asks the service who this is. */
export async function openSession(): Promise<void> {
  session.value = { state: 'loading' };
  try {
    const { user, ...account } = await ask<{ user: User } & OwnAccount>('/session');
    welcome(user, account);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    session.value =
      error.status === 401 ? { state: 'anonymous', expired: false } : { state: 'unreachable', problem: error };
  }
}

/** Reads anew what there is to tell about one's own way in; a failure leaves what is known. */
export async function refreshAccount(): Promise<void> {
  const { user, ...account } = await ask<{ user: User } & OwnAccount>('/session');
  if (session.peek().state === 'signed-in') welcome(user, account);
}

/** Signs in. Throws `ApiProblem` when refused. */
export async function signIn(email: string, password: string, code: string): Promise<void> {
  const body = { email, password, ...(code === '' ? {} : { code }) };
  welcome((await ask<{ user: User }>('/session', { method: 'POST', body })).user);
  await refreshAccount().catch((error: unknown) => {
    if (!(error instanceof ApiProblem)) throw error;
  });
}

/** Signs out, and forgets what this tab holds in memory by starting the page anew. */
export async function signOut(): Promise<void> {
  await ask('/session', { method: 'DELETE' }).catch((error: unknown) => {
    // Already signed out is what was wanted; anything else must not leave the person believing it.
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
  });
  sessionStorage.clear();
  location.assign('/');
}

let seen = signedOut.peek();
effect(() => {
  if (signedOut.value === seen) return;
  seen = signedOut.value;
  if (session.peek().state === 'signed-in') session.value = { state: 'anonymous', expired: true };
});

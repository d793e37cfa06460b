import { effect, signal } from '@preact/signals';
import { ApiProblem, ask, signedOut } from '../api/client.js';
import type { User } from '../api/types.js';
import { chooseLanguage, languageWasChosen } from '../i18n.js';

export type Session =
  | { state: 'loading' }
  | { state: 'unreachable'; problem: ApiProblem }
  | { state: 'anonymous'; expired: boolean }
  | { state: 'signed-in'; user: User };

/** Who is signed in, as the service says. */
export const session = signal<Session>({ state: 'loading' });

function welcome(user: User): void {
  if (!languageWasChosen()) chooseLanguage(user.locale.startsWith('en') ? 'en' : 'nl', false);
  session.value = { state: 'signed-in', user };
}

/** Asks the service who this is. */
export async function openSession(): Promise<void> {
  session.value = { state: 'loading' };
  try {
    welcome((await ask<{ user: User }>('/session')).user);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    session.value = error.status === 401 ? { state: 'anonymous', expired: false } : { state: 'unreachable', problem: error };
  }
}

/** Signs in. Throws `ApiProblem` when refused. */
export async function signIn(email: string, password: string, code: string): Promise<void> {
  const body = { email, password, ...(code === '' ? {} : { code }) };
  welcome((await ask<{ user: User }>('/session', { method: 'POST', body })).user);
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

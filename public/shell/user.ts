import type { User } from '../api/types.js';
import { session } from './session.js';

/** Who is signed in, for screens, which are only drawn for someone who is. */
export function useUser(): User {
  const now = session.value;
  if (now.state !== 'signed-in') throw new Error('A screen was drawn while nobody is signed in');
  return now.user;
}

import type { Caller } from '../access/caller.js';
import type { Operation } from '../platform/http.js';
import type { PrivacyContext } from './request.js';

/** What goes out. */
export function answerOperations(_context: PrivacyContext): Operation<Caller>[] {
  return [];
}

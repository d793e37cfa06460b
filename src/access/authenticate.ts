import type { Request } from 'express';
import type { Gate } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Caller } from './caller.js';
import { isCrossSite, isSafe } from './cross-site.js';
import { findMachine, looksLikeKey } from './keys.js';
import { mayEver } from './policy.js';
import { noteRefusedKey } from './refused-keys.js';
import { findPerson, tokenOf } from './session.js';

/**
 * Who is calling, told from the request's head alone. A machine's key stands in the Authorization header (Bearer, or
 * Basic as the password) or, for clients that can send none, in the path (`/push/<key>/…`); a person has a cookie. They
 * are looked for in this order, and the first that is there decides: a wrong key is not made good by a cookie.
 *
 * Nothing is remembered between requests: each asks the database once, by index, so that a revoked key, a disabled
 * account or another role counts at once in every process.
 */
export function createGate(
  base: Pick<Platform, 'clock' | 'database' | 'log'>,
  options: { publicUrl: string | undefined },
): Gate<Caller> {
  return {
    async identify(request) {
      const presented = keyOf(request);
      if (presented !== undefined) {
        const machine = await findMachine(base, presented.key);
        if (machine === undefined) {
          noteRefusedKey(base, presented.key);
          throw unauthenticated(presented.challenge, 'This key is wrong or no longer works.');
        }
        return machine;
      }
      if (!isSafe(request.method) && isCrossSite(request, options.publicUrl)) throw new Problem('cross-site-request');
      const token = tokenOf(request);
      return token === undefined ? undefined : findPerson(base, token);
    },

    admit(caller, operation) {
      if (operation.action === 'open') return;
      if (caller === undefined) throw unauthenticated('Bearer realm="opname"', 'Sign in, or send a key.');
      if (mayEver(caller.role, operation.action)) return;
      if (caller.kind === 'machine') noteRefusedKey(base, '', 'wrong_role');
      throw new Problem('forbidden');
    },

    label: (caller) => (caller === undefined ? undefined : caller.kind === 'person' ? caller.userId : caller.keyId),
  };
}

/**
 * 401 with the challenge RFC 9110 §11.6.1 asks for. Basic is named only to who used it: a browser that reads it would
 * open a password dialogue of its own, and send what is typed there with every later request, other sites' included.
 */
function unauthenticated(challenge: string, detail: string): Problem {
  return new Problem('unauthenticated', { detail, headers: { 'WWW-Authenticate': challenge } });
}

interface PresentedKey {
  key: string;
  challenge: string;
}

/** The key a request carries. @throws Problem `unauthenticated` for an Authorization header of no known kind. */
function keyOf(request: Request): PresentedKey | undefined {
  const header = request.get('Authorization');
  if (header !== undefined) {
    const presented = keyOfHeader(header);
    if (presented !== undefined) return presented;
  }
  const inPath = /^\/push\/([^/]+)/.exec(request.path)?.[1];
  return inPath === undefined ? undefined : { key: inPath, challenge: 'Bearer realm="opname", error="invalid_token"' };
}

function keyOfHeader(header: string): PresentedKey | undefined {
  const [, scheme = '', credentials = ''] = /^(\S+)\s*(.*)$/.exec(header.trim()) ?? [];
  if (scheme.toLowerCase() === 'bearer')
    return { key: credentials.trim(), challenge: 'Bearer realm="opname", error="invalid_token"' };
  if (scheme.toLowerCase() === 'basic') {
    const userAndPassword = Buffer.from(credentials, 'base64').toString('utf8');
    const password = userAndPassword.slice(userAndPassword.indexOf(':') + 1);
    // A proxy in front may ask for a password of its own, which the browser then sends here as well: not ours.
    return looksLikeKey(password) ? { key: password, challenge: 'Basic realm="opname", charset="UTF-8"' } : undefined;
  }
  throw unauthenticated('Bearer realm="opname"', 'The Authorization header is neither Bearer nor Basic.');
}

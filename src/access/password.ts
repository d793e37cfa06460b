import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { z } from 'zod';
import { Problem } from '../platform/problem.js';

/**
 * Passwords: argon2id with the parameters OWASP recommends (Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane).
 * One check takes some 70 ms of one core and 19 MiB, so only a few run at once, however many ask.
 */

// The library's `Algorithm` is a const enum, which isolated modules cannot read: 2 is Argon2id.
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** As many as leave threads of Node's pool (4) to file work, such as recordings being received. */
const atOnce = 2;
/** Who would wait longer than some ten seconds is told to come back. */
const mayWait = 250;

let running = 0;
const waiting: (() => void)[] = [];

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (waiting.length >= mayWait)
    throw new Problem('too-many-attempts', {
      headers: { 'Retry-After': '10' },
      detail: 'Too many people sign in just now.',
    });
  // A place is handed on directly, so that nobody slips in between a leaver and the first who waits.
  if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

/** A password someone chooses. Length is what counts (NIST SP 800-63B §3.1.1.2); there are no rules on its letters. */
export const newPasswordSchema = z
  .string()
  .min(12, 'must have at least 12 characters')
  .max(200, 'must have at most 200 characters')
  .meta({ description: 'At least 12 characters', example: 'vier woorden zonder verband' });

/** A password as it is tried: anything that could once have been chosen. */
export const triedPasswordSchema = z.string().min(1).max(200);

// The same text typed on another keyboard may arrive composed differently (NIST SP 800-63B §3.1.1.2: NFKC).
const normalised = (password: string) => password.normalize('NFKC');

/** @returns the PHC string to keep. */
export async function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(normalised(password), parameters));
}

// Of no password that anyone knows; its parameters are those above, so that checking against it takes as long.
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$T3BuYW1lT3BuYW1lT3BuYQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/**
 * Is this the password behind `kept`? Where nothing is kept (an unknown or disabled account), a check against nobody's
 * hash takes the same time, so that the answer does not tell whether there is an account.
 */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const right = await inTurn(() => verify(kept ?? nobodysHash, normalised(password)));
  return right && kept !== undefined;
}

// Without characters that are mistaken for one another on paper.
const letters = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789';

/** A random password of 115 bits that can be read aloud: `xxxxx-xxxxx-xxxxx-xxxxx`. */
export function randomPassword(): string {
  const group = () => Array.from({ length: 5 }, () => letters.charAt(randomInt(letters.length))).join('');
  return [group(), group(), group(), group()].join('-');
}

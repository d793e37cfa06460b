import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { keyedDigest } from './token.js';

/**
 * Slows guessing. Each try is written down before it is looked at, so that tries made at once count as well as those
 * made in turn, and in every process; one that turns out right is struck off. Only keyed digests are kept.
 *
 * A try that is refused is not counted: waiting as long as told is always enough. Nobody is signed out by it.
 */

type Base = Pick<Platform, 'clock' | 'database'>;

const minuteMs = 60_000;

/** How many wrong tries, within which time, for what. */
const limits = {
  /** Passwords for one e-mail address, whether there is such an account or not. */
  account: { tries: 8, windowMs: 15 * minuteMs },
  /** Passwords from one network address: many people share an office's, so it takes a crowd of errors. */
  address: { tries: 200, windowMs: 15 * minuteMs },
  /** Someone's own password, asked again inside their session. Apart from `account`: it locks nobody out. */
  confirmation: { tries: 8, windowMs: 15 * minuteMs },
  /** One-time codes after the right password: six digits, so a slow limit (one in 16,000 a day at best). */
  code: { tries: 20, windowMs: 24 * 60 * minuteMs },
  /** Forms of the public privacy portal from one network, and from everywhere: nothing is guessed at, but anybody may send. */
  portal: { tries: 5, windowMs: 60 * minuteMs },
  portal_in_all: { tries: 200, windowMs: 24 * 60 * minuteMs },
} as const;

/** What is guessed at: `value` is the address, or the id, that it is about. */
export interface Subject {
  of: keyof typeof limits;
  value: string;
}

/** Tries written down, to be struck off when right. */
export interface Tries {
  /** Strikes these very tries off. */
  withdraw(tx?: Transaction): Promise<void>;
}

export interface Guesses {
  /**
   * Lets the tries at one subject take turns in this process, so that someone who signs in from several windows at once
   * is not taken for a guesser. Other processes' tries are counted, not waited for.
   */
  inTurn<Result>(subject: Subject, work: () => Promise<Result>): Promise<Result>;
  /** Writes down a try at each subject, or none. @throws Problem `too-many-attempts` with Retry-After */
  record(...subjects: readonly Subject[]): Promise<Tries>;
  /** Strikes off every try at a subject, once it is known that its owner is there. */
  forget(subject: Subject, tx?: Transaction): Promise<void>;
}

/** The ledger of tries; `key` keys its digests. */
export function createGuesses({ clock, database }: Base, key: Buffer): Guesses {
  const digestOf = ({ of, value }: Subject) => keyedDigest(key, `${of}:${value}`);
  /** The last of each queue; a subject leaves when its queue is empty. */
  const queues = new Map<string, Promise<void>>();

  return {
    async inTurn({ of, value }, work) {
      const name = `${of}:${value}`;
      const result = (queues.get(name) ?? Promise.resolve()).then(work);
      const over = result.then(
        () => undefined,
        () => undefined,
      );
      queues.set(name, over);
      try {
        return await result;
      } finally {
        if (queues.get(name) === over) queues.delete(name);
      }
    },

    async record(...subjects) {
      const ids: string[] = [];
      await database.inTransaction(async (tx) => {
        ids.length = 0;
        const now = clock.now();
        await sweep(database, tx, now);
        for (const subject of subjects) {
          const { tries, windowMs } = limits[subject.of];
          const digest = digestOf(subject);
          await database.advisoryLock(tx, `guesses ${digest.toString('hex')}`, 'exclusive');
          const [last] = await database.query<{ at: Date }>(
            'SELECT at FROM guesses WHERE subject = $1 AND at > $2 ORDER BY at DESC OFFSET $3 LIMIT 1',
            [digest, new Date(now.getTime() - windowMs), tries - 1],
            tx,
          );
          if (last !== undefined) throw tooMany(last.at.getTime() + windowMs - now.getTime());
          const id = newId(clock);
          ids.push(id);
          await database.query(
            'INSERT INTO guesses (id, subject, at, expires_at) VALUES ($1, $2, $3, $4)',
            [id, digest, now, new Date(now.getTime() + windowMs)],
            tx,
          );
        }
      });
      return {
        async withdraw(tx) {
          await database.query('DELETE FROM guesses WHERE id = ANY($1::uuid[])', [ids], tx);
        },
      };
    },

    async forget(subject, tx) {
      await database.query('DELETE FROM guesses WHERE subject = $1', [digestOf(subject)], tx);
    },
  };
}

function tooMany(waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new Problem('too-many-attempts', {
    headers: { 'Retry-After': String(seconds) },
    members: { retryAfterSeconds: seconds },
  });
}

/** What is past its window goes, a little with every try. Rows another transaction is at are left to it. */
async function sweep(database: Database, tx: Transaction, now: Date): Promise<void> {
  await database.query(
    `DELETE FROM guesses WHERE id IN
       (SELECT id FROM guesses WHERE expires_at <= $1 ORDER BY expires_at LIMIT 50 FOR UPDATE SKIP LOCKED)`,
    [now],
    tx,
  );
}

/** The network an address belongs to, as a line is given out: an IPv4 address, or the /64 of an IPv6 one. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [left = '', right] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups =
    right === undefined
      ? head
      : [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

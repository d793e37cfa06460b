import type { Transaction } from 'sequelize';

/**
 * What the retention engine asks of a kind of stored thing. The engine knows no category: recordings, ticket messages,
 * packages and whatever comes later implement this and are handed to it at start.
 *
 * The convention that makes one purge enough: every object of an item lives under a prefix of its own,
 * `<root><itemId>/`, and nothing else does. What an item is purged of is what lies under its prefix.
 */

/** What a hold or a restriction can name. Several categories may belong to one kind (a ticket's messages, its attachments). */
export const subjectKinds = ['recording', 'ticket', 'package', 'privacy_request'] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** One thing with a date of its own: a recording, one message of a ticket, a package. */
export interface Item {
  id: string;
  /** What a hold on it names: the recording itself, the ticket that a message belongs to. */
  subjectId: string;
  /** From this instant on it is not kept. */
  retainUntil: Date;
  /** When its newest object was stored: what a bucket rule counts from. */
  storedAt: Date;
  /** Where all its objects live, ending in `/`; null when it has none. */
  prefix: string | null;
}

/** What a tombstone keeps of an item. No personal data: digests, a day, ids. */
export interface Remains {
  id: string;
  subjectId: string;
  /** Digests of the original bytes, one a version, oldest first. */
  sha256: string[];
  /** The day of the call, or on which a message was supplied: `2026-08-24`. */
  day: string | null;
  sourceId: string | null;
  /** A digest by which the same thing is known when it is pushed again (`pushDigest`). */
  pushDigest: string | null;
}

/**
 * Why something is deleted. `lifecycle`: the bucket's own rule had done so before the service came to it. `excluded`: a
 * number that is excluded from recording took part.
 */
export const purgeReasons = ['retention', 'erasure', 'objection', 'lifecycle', 'excluded'] as const;
export type PurgeReason = (typeof purgeReasons)[number];

/** That an item is being deleted, as its own row tells it: from here on nothing reads it and no hold can save it. */
export interface PurgeIntent {
  reason: PurgeReason;
  /** Which rule or decision asks for it, such as `recording 90 days` or the id of a privacy decision. */
  rule: string;
  at: string;
}

/** An object that an item's row says is there. */
export interface StoredObject {
  key: string;
  bytes: number | null;
}

/** An item with what its row says of its objects, for reconciliation. */
export interface StoredItem extends Item {
  objects: StoredObject[];
  /** The latest date its policy allows: `retainUntil` beyond it is a fault. */
  latestRetainUntil: Date;
}

export interface DueCount {
  /** The day on which the period ends, UTC: `2026-11-22`. */
  date: string;
  count: number;
}

/** Lengths of time. Calendar years end on the same date, or on the last day of its month. */
export interface Period {
  amount: number;
  unit: 'days' | 'calendar_years';
}

/** A row of a subject, locked. */
export interface LockedRow extends Pick<Item, 'id' | 'subjectId' | 'retainUntil'> {
  purging: boolean;
}

export interface Category {
  /** Stands on tombstones, in metrics and in the report: `recording`, `ticket_message`. */
  readonly name: string;
  readonly subject: SubjectKind;
  /** The policies its items follow; the longest is what the report holds the oldest object against. */
  readonly policies: readonly string[];
  /** Prefixes that belong to this category alone, each ending in `/`. None: its rows have no objects. */
  readonly roots: readonly string[];

  /**
   * Locks (FOR UPDATE) the rows of subjects and whatever else a hold on them reaches, and tells of each of those rows
   * whose it is, when it is due and whether its purge has begun. None where there is no such subject. Placing a hold and
   * claiming for a purge both lock here, so that one of them wins.
   */
  lockSubjects(tx: Transaction, subjectIds: readonly string[]): Promise<LockedRow[]>;

  /**
   * SQL, true when items are past their date at `nowSql`, not being purged and not held. The sweep asks all categories in
   * one statement before it locks anything.
   */
  dueSql(nowSql: string): string;

  /**
   * Locks at most `limit` items past their date and not being purged, oldest first, passing over rows that others have
   * locked. It may leave out items that a hold covers; the engine looks again once the rows are locked.
   */
  lockDue(tx: Transaction, now: Date, limit: number): Promise<Item[]>;

  /** Locks the named items, waiting for them. Those that do not exist are left out. */
  lockItems(tx: Transaction, ids: readonly string[]): Promise<Item[]>;

  /** Writes the intent into the rows. */
  markPurging(tx: Transaction, ids: readonly string[], intent: PurgeIntent): Promise<void>;

  /** Brings the dates of items forward to `now`, never back: from then on they are past it like any other. */
  endPeriod(tx: Transaction, ids: readonly string[], now: Date): Promise<void>;

  /** What their tombstones will say. */
  remains(tx: Transaction, ids: readonly string[]): Promise<Remains[]>;

  /** Deletes the rows and what hangs on them. @returns the ids that were there. */
  deleteRows(tx: Transaction, ids: readonly string[]): Promise<string[]>;

  /** How many fall due on each day from `from` to `until`, both exclusive of what is being purged. */
  countDue(from: Date, until: Date): Promise<DueCount[]>;

  /** How many are past their date at `now`, held ones left out, and the oldest such date. */
  overdue(now: Date): Promise<{ count: number; oldest: Date | null }>;

  /** When the oldest object that is still there and not held was stored; null when there is none. */
  oldestStored(now: Date): Promise<Date | null>;

  /** Items under `root` with an id above `afterId`, by id: one page of the walk over all of them. */
  storedAfter(root: string, afterId: string | null, limit: number): Promise<StoredItem[]>;

  /** The named items as `storedAfter` gives them: a second look before anything is called a fault. */
  stored(ids: readonly string[]): Promise<StoredItem[]>;

  /** The items with objects that a hold on a subject reaches: those whose tags follow it. */
  itemsOf(subjectId: string): Promise<Item[]>;

  /**
   * What shortening `policy` to `period` would bring forward: how many items, and how many of those to `at` or before. The
   * digest is of exactly those that would be due at once: another one in the place of one of them makes another digest.
   */
  shortenable?(
    policy: string,
    period: Period,
    at: Date,
    tx?: Transaction,
  ): Promise<{ shortened: number; dueAtOnce: number; digest: string }>;

  /**
   * Brings dates forward to what `period` gives, never back, for at most `limit` items with an id above `afterId`.
   * `next` is the id to go on from, null at the end.
   */
  shorten?(
    tx: Transaction,
    policy: string,
    period: Period,
    afterId: string | null,
    limit: number,
  ): Promise<{ changed: number; next: string | null }>;

  /**
   * Objects of other items in which any of `ids` is heard or seen as well, by the item: they are deleted with it, every
   * version, and `markPurging` sees to it that nothing serves them from the intent on.
   */
  copiesElsewhere?(ids: readonly string[]): Promise<{ id: string; key: string }[]>;

  /**
   * Items of this category that contain any of `items` (a package with a recording in it): they go first, with them.
   */
  containing?(tx: Transaction, category: string, items: readonly string[]): Promise<string[]>;
}

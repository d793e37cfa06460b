import type { Transaction } from 'sequelize';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Log } from '../platform/log.js';
import { verifySignature, type SigningKey } from '../platform/signing.js';
import { contradiction, readAnchor, writeAnchor, type Anchor } from './anchor.js';
import {
  batchStatement, emptyChain, headOf, historyTree, latestBatch, latestCheckpoint, stateAfter, stateAtCheckpoint,
  statementBytes, type BatchStatement, type ChainState,
} from './batch.js';
import { canonicalBytes, chainEntry, entryColumns, type EntryRow } from './canonical.js';
import { introduceKey, keysById } from './keys.js';
import { MerkleTree } from './merkle.js';
import { settledId } from './settle.js';

/** Held while a batch is made, and while old ones are taken away. */
export const sealLock = 'audit.seal';

const pageSize = 1000;

/** The chain is not what it was: nothing may be built, and with that vouched for, on top of it. */
export class ChainFault extends Error {
  constructor(
    readonly batch: number,
    readonly what: string,
  ) {
    super(`Batch ${batch} of the audit chain: ${what}`);
    this.name = 'ChainFault';
  }
}

export interface SealerOptions {
  clock: Clock;
  database: Database;
  log: Log;
  signingKey: SigningKey;
  /** Where the newest head is noted outside the database, and held against it before the next batch is made. */
  anchorFile?: string | undefined;
  /** Entries in a batch at most; 10,000 unless told. */
  batchEntries?: number;
}

export interface Sealer {
  /**
   * Seals every entry committed before the call, in as many batches as it takes, and says how many that were. Gives up
   * without harm when a transaction that may still write among them is open for longer than `waitMs` (30 s).
   * @throws ChainFault when what is there already has been tampered with
   */
  seal(options?: { waitMs?: number; signal?: AbortSignal | undefined }): Promise<number>;
  /** What is remembered of the chain outside the database: by this process, and in the anchor file. */
  anchors(): Promise<Anchor[]>;
}

/** Any number may run, in any number of processes: a lock in the database lets one at a time make a batch. */
export function createSealer(options: SealerOptions): Sealer {
  return new ChainSealer(options);
}

class ChainSealer implements Sealer {
  #introduced = false;
  /** The newest head this process has put its signature under. */
  #remembered: Anchor | undefined;

  constructor(private readonly options: SealerOptions) {}

  async seal({ waitMs = 30_000, signal }: { waitMs?: number; signal?: AbortSignal | undefined } = {}): Promise<number> {
    const { clock, database, log, signingKey } = this.options;
    if (!this.#introduced) await introduceKey(database, clock, signingKey);
    this.#introduced = true;
    const mark = await settledId(database, waitMs);
    if (mark === undefined) {
      log.warn({ waitMs }, 'Audit entries wait to be sealed for a transaction that does not end');
      return 0;
    }
    let batches = 0;
    for (; signal?.aborted !== true; batches += 1) {
      const sealed = await database.inTransaction((tx) => this.#sealBatch(tx, mark));
      if (sealed === undefined) break;
      await this.#remember(sealed);
    }
    return batches;
  }

  async #sealBatch(tx: Transaction, mark: number): Promise<ChainState | undefined> {
    const { clock, database, signingKey, batchEntries = 10_000 } = this.options;
    await database.advisoryLock(tx, sealLock, 'exclusive');
    const before = await trustedTail(database, tx, signingKey, await this.anchors());
    const entries = await readEntries(database, tx, before.lastId, mark, batchEntries);
    if (entries === undefined) return undefined;
    const history = historyTree(before.batch, before.frontier);
    const statement: BatchStatement = {
      format: 'opname-audit-batch/1',
      batch: before.batch + 1,
      previousHead: before.head,
      history: history.root().toString('hex'),
      root: entries.root,
      firstId: entries.firstId,
      lastId: entries.lastId,
      entries: entries.count,
      count: before.count + entries.count,
      signedAt: clock.now().toISOString(),
    };
    const head = headOf(statement);
    await database.query(
      `INSERT INTO audit_batches (number, first_id, last_id, entries, count, root, previous_head, history, frontier,
         head, signed_at, key_id, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11, $12, $13)`,
      [
        statement.batch, statement.firstId, statement.lastId, statement.entries, statement.count, statement.root,
        statement.previousHead, statement.history, JSON.stringify(before.frontier), head, statement.signedAt,
        signingKey.keyId, signingKey.sign(statementBytes(statement)),
      ],
      tx,
    );
    history.add(Buffer.from(head, 'hex'));
    return {
      batch: statement.batch, lastId: statement.lastId, count: statement.count, head,
      signedAt: statement.signedAt, keyId: signingKey.keyId, frontier: history.frontier,
    };
  }

  async anchors(): Promise<Anchor[]> {
    const { anchorFile } = this.options;
    const noted = anchorFile === undefined ? undefined : await readAnchor(anchorFile);
    return [this.#remembered, noted].filter((anchor) => anchor !== undefined);
  }

  async #remember(state: ChainState): Promise<void> {
    const { batch, count, head, signedAt } = state;
    this.#remembered = { count, head };
    const { anchorFile, log } = this.options;
    if (anchorFile === undefined) return;
    try {
      await writeAnchor(anchorFile, { batch, count, head, signedAt });
    } catch (error) {
      // The batch is sealed; an older note stays true of the chain, and the next batch brings the next attempt.
      log.error({ error, batch }, 'the head of the audit chain could not be noted outside the database');
    }
  }
}

/** The Merkle root over the next entries, read in pages; undefined when there are none. */
async function readEntries(database: Database, tx: Transaction, afterId: number, mark: number, most: number) {
  const tree = new MerkleTree();
  let firstId: number | undefined;
  let lastId = afterId;
  while (tree.size < most) {
    // Without an upper bound: given one, the planner may sort all that is pending for each page.
    const rows = await database.query<EntryRow>(
      `SELECT ${entryColumns} FROM audit_entries WHERE id > $1 ORDER BY id LIMIT $2`,
      [lastId, Math.min(pageSize, most - tree.size)], tx,
    );
    const settled = rows.filter((row) => row.id <= mark);
    for (const row of settled) {
      tree.add(canonicalBytes(chainEntry(row)));
      firstId ??= row.id;
      lastId = row.id;
    }
    if (settled.length === 0 || settled.length < rows.length) break;
  }
  return firstId === undefined ? undefined : { root: tree.root().toString('hex'), firstId, lastId, count: tree.size };
}

/**
 * Where the chain ends, once that end is found sound: signing the next batch vouches for all before it. Whoever forged
 * the tail would otherwise have it confirmed by our own key a moment later.
 * @throws ChainFault
 */
async function trustedTail(
  database: Database,
  tx: Transaction,
  signingKey: SigningKey,
  anchors: readonly Anchor[],
): Promise<ChainState> {
  const tail = await latestBatch(database, tx);
  for (const anchor of anchors) {
    const against = await contradiction(database, anchor, tx);
    if (against !== undefined) throw new ChainFault(tail?.number ?? 0, against);
  }
  if (tail === undefined) {
    const checkpoint = await latestCheckpoint(database, tx);
    if (checkpoint === undefined) return emptyChain;
    return stateAtCheckpoint(checkpoint);
  }
  const statement = batchStatement(tail);
  const publicPem = (await keysById(database, tx)).get(tail.key_id);
  if (headOf(statement) !== tail.head) throw new ChainFault(tail.number, 'its head does not fit what it says');
  if (publicPem === undefined || !verifySignature(publicPem, statementBytes(statement), tail.signature))
    throw new ChainFault(tail.number, 'its signature is not valid');
  if (historyTree(tail.number - 1, tail.frontier).root().toString('hex') !== tail.history)
    throw new ChainFault(tail.number, 'its frontier does not fit its history');
  if (tail.key_id !== signingKey.keyId) {
    // A key takes over once. Another one on top of ours is a forgery, or ours was rotated away while we ran.
    const [ours] = await database.query<{ number: number }>(
      'SELECT number FROM audit_batches WHERE key_id = $1 LIMIT 1', [signingKey.keyId], tx,
    );
    if (ours !== undefined) throw new ChainFault(tail.number, 'it is signed by another key than the one in use');
  }
  return stateAfter(tail);
}

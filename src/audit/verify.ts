import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import { verifySignature } from '../platform/signing.js';
import { contradiction, type Anchor } from './anchor.js';
import {
  batchColumns, batchStatement, checkpointStatement, emptyChain, headOf, historyTree, latestCheckpoint,
  stateAtCheckpoint, statementBytes, type BatchRow, type ChainState, type CheckpointRow,
} from './batch.js';
import { canonicalBytes, chainEntry, entryColumns, type EntryRow } from './canonical.js';
import { keysById } from './keys.js';
import { MerkleTree } from './merkle.js';

/** What is wrong with a batch. `batch` is null when it concerns the chain as a whole. */
export interface Fault {
  batch: number | null;
  what: string;
}

export interface Verification {
  ok: boolean;
  /** Sealed entries, from the beginning of the chain. */
  count: number;
  head: string;
  signedAt: string | null;
  keyId: string | null;
  batches: number;
  /** Entries written since the newest batch. */
  unsealed: number;
  /** Batches up to this one are past their period and gone, behind a signed checkpoint. */
  checkpoint: number | null;
  /** The first hundred. */
  faults: Fault[];
}

export interface VerifyOptions {
  /** Keys known from outside the database; the newest batch must be signed by one. Undefined: any published key. */
  trustedKeyIds?: readonly string[] | undefined;
  anchors?: readonly Anchor[];
  /** Begin after this state, verified before, instead of at the beginning. */
  after?: ChainState | undefined;
  signal?: AbortSignal | undefined;
}

const mostFaults = 100;
const batchPage = 500;
const entryPage = 1000;

/**
 * Recomputes the chain from its entries, in one snapshot and constant memory: every leaf, root, head, running count,
 * history and signature. A change to anything that was sealed is found: a changed, removed, added or reordered entry by
 * its batch's root and count; a changed, removed or reordered batch by number, previous head and history; a forged batch
 * by its signature. History written anew from some batch on ends in a head that no trusted key signed. A removed tail is
 * found by an anchor. The state returned, of a chain found sound, can be given as `after` the next time.
 */
export async function verifyChain(
  database: Database,
  options: VerifyOptions = {},
): Promise<{ verification: Verification; state: ChainState }> {
  return await database.inTransaction(async (tx) => {
    await database.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY', [], tx);
    return await new ChainCheck(database, tx, options).run();
  });
}

class ChainCheck {
  readonly #faults: Fault[] = [];
  #keys = new Map<string, string>();
  #state: ChainState = emptyChain;
  /** Keys under batches that are still there. */
  readonly #signers = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly tx: Transaction,
    private readonly options: VerifyOptions,
  ) {}

  async run(): Promise<{ verification: Verification; state: ChainState }> {
    this.#keys = await keysById(this.database, this.tx);
    const checkpoint = await latestCheckpoint(this.database, this.tx);
    if (checkpoint !== undefined) this.#state = stateAtCheckpoint(checkpoint);
    const { after } = this.options;
    const shortened = after !== undefined && after.batch > this.#state.batch && (await this.#stillThere(after));
    if (shortened) this.#state = after;
    else await this.#checkNothingBefore(this.#state.lastId);

    const entries = this.#entriesAfter(this.#state.lastId);
    let entry = await entries.next();
    for await (const batch of this.#batchesAfter(this.#state.batch)) {
      this.options.signal?.throwIfAborted();
      const tree = new MerkleTree();
      let firstId: number | undefined;
      while (entry.done !== true && entry.value.id <= batch.last_id) {
        firstId ??= entry.value.id;
        this.#addLeaf(tree, entry.value, batch.number);
        entry = await entries.next();
      }
      this.#check(batch, tree, firstId);
    }
    await entries.return(undefined);

    // With a verified beginning left out, the checkpoint was judged when that was verified.
    if (checkpoint !== undefined && !shortened) this.#checkCheckpoint(checkpoint);
    this.#checkTail();
    for (const anchor of this.options.anchors ?? []) {
      const against = await contradiction(this.database, anchor, this.tx);
      if (against !== undefined) this.#fault(null, against);
    }
    const { batch, count, head, signedAt, keyId, lastId } = this.#state;
    const [rest] = await this.database.query<{ entries: number }>(
      'SELECT count(*) AS entries FROM audit_entries WHERE id > $1', [lastId], this.tx,
    );
    return {
      verification: {
        ok: this.#faults.length === 0, count, head, signedAt, keyId, batches: batch,
        unsealed: rest?.entries ?? 0, checkpoint: checkpoint?.batch ?? null, faults: this.#faults,
      },
      state: this.#state,
    };
  }

  #fault(batch: number | null, what: string): void {
    if (this.#faults.length < mostFaults) this.#faults.push({ batch, what });
  }

  async #stillThere(state: ChainState): Promise<boolean> {
    const rows = await this.database.query<{ number: number }>(
      'SELECT number FROM audit_batches WHERE number = $1 AND head = $2 AND last_id = $3 AND count = $4',
      [state.batch, state.head, state.lastId, state.count], this.tx,
    );
    return rows.length === 1;
  }

  #addLeaf(tree: MerkleTree, row: EntryRow, batch: number): void {
    try {
      tree.add(canonicalBytes(chainEntry(row)));
    } catch {
      // Numbers beyond JSON, or nesting beyond the stack: nothing that was ever written through `append`.
      this.#fault(batch, `entry ${row.id} cannot be put in canonical form`);
    }
  }

  /** What stands before the first batch is in none. */
  async #checkNothingBefore(firstId: number): Promise<void> {
    const stray = await this.database.query<{ id: number }>(
      'SELECT id FROM audit_entries WHERE id <= $1 ORDER BY id LIMIT 1', [firstId], this.tx,
    );
    for (const { id } of stray) this.#fault(null, `entry ${id} stands before every batch`);
  }

  #check(row: BatchRow, tree: MerkleTree, firstId: number | undefined): void {
    const before = this.#state;
    const statement = batchStatement(row);
    const expected = historyTree(before.batch, before.frontier);
    const follows = row.number === before.batch + 1 && row.history === expected.root().toString('hex');
    const publicPem = this.#keys.get(row.key_id);
    const findings: [boolean, string][] = [
      [row.number === before.batch + 1, `a batch before it is missing: ${before.batch + 1}`],
      [row.previous_head === before.head, 'it does not follow the batch before it'],
      [follows, 'its history is not that of the batches before it'],
      [JSON.stringify(row.frontier) === JSON.stringify(before.frontier), 'its frontier does not fit its history'],
      [row.first_id > before.lastId, 'it overlaps the batch before it'],
      [row.first_id === firstId, 'its first entry is not the one it names'],
      [row.entries === tree.size, `it has ${row.entries} entries, ${tree.size} are there`],
      [row.root === tree.root().toString('hex'), 'its entries are not those that were sealed'],
      [row.count === before.count + row.entries, 'its running count is wrong'],
      [row.head === headOf(statement), 'its head does not fit what it says'],
      [publicPem !== undefined, 'it is signed by a key that is not published'],
      [
        publicPem === undefined || verifySignature(publicPem, statementBytes(statement), row.signature),
        'its signature is not valid',
      ],
    ];
    for (const [sound, what] of findings) if (!sound) this.#fault(row.number, what);
    this.#signers.add(row.key_id);
    // Going on from what the batch says of itself, a fault is told once and not of every batch that follows.
    const history = follows ? expected : historyAsTold(row);
    history.add(Buffer.from(row.head, 'hex'));
    this.#state = {
      batch: row.number, lastId: row.last_id, count: row.count, head: row.head, signedAt: row.signed_at,
      keyId: row.key_id, frontier: history.frontier,
    };
  }

  #checkCheckpoint(row: CheckpointRow): void {
    const publicPem = this.#keys.get(row.key_id);
    const signed =
      publicPem !== undefined && verifySignature(publicPem, statementBytes(checkpointStatement(row)), row.signature);
    if (!signed) this.#fault(row.batch, 'the checkpoint that stands for it is not validly signed');
    // A key that was rotated away since has signed batches as well, which the newest one vouches for.
    else if (!this.#trusts(row.key_id) && !this.#signers.has(row.key_id))
      this.#fault(row.batch, 'the checkpoint that stands for it is signed by a key that is not trusted');
  }

  /** Its signature vouches, through the heads, for everything before: earlier batches may bear rotated keys. */
  #checkTail(): void {
    const { batch, keyId } = this.#state;
    if (keyId !== null && !this.#trusts(keyId))
      this.#fault(batch, 'the newest batch is signed by a key that is not trusted');
  }

  #trusts(keyId: string): boolean {
    return this.options.trustedKeyIds?.includes(keyId) ?? true;
  }

  async *#batchesAfter(number: number): AsyncGenerator<BatchRow> {
    for (let last = number; ; ) {
      const rows = await this.database.query<BatchRow>(
        `SELECT ${batchColumns} FROM audit_batches WHERE number > $1 ORDER BY number LIMIT ${batchPage}`,
        [last], this.tx,
      );
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined) return;
      last = end.number;
    }
  }

  async *#entriesAfter(id: number): AsyncGenerator<EntryRow, undefined, undefined> {
    for (let last = id; ; ) {
      const rows = await this.database.query<EntryRow>(
        `SELECT ${entryColumns} FROM audit_entries WHERE id > $1 ORDER BY id LIMIT ${entryPage}`, [last], this.tx,
      );
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined) return undefined;
      last = end.id;
    }
  }
}

/** The history tree before a batch that does not fit; where even its frontier is impossible, one that fits nothing. */
function historyAsTold(row: BatchRow): MerkleTree {
  const size = row.number - 1;
  const peaks = size.toString(2).replaceAll('0', '').length;
  const possible = row.frontier.length === peaks && row.frontier.every((hash) => /^[0-9a-f]{64}$/.test(hash));
  return historyTree(size, possible ? row.frontier : Array<string>(peaks).fill('0'.repeat(64)));
}

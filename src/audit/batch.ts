import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import { canonicalBytes, instantColumn } from './canonical.js';
import { MerkleTree, sha256 } from './merkle.js';

/**
 * What is signed. Each batch has a statement; its canonical bytes are what the signature is over, and their SHA-256 is
 * the batch's head: `openssl dgst -sha256 -verify key.pem -signature batch.sig statement.json`.
 */
export interface BatchStatement {
  format: 'opname-audit-batch/1';
  /** 1, 2, 3 … without a gap. */
  batch: number;
  /** Head of the batch before; of the first: 64 zeros. */
  previousHead: string;
  /** Merkle root over the heads (32 bytes each) of all batches before, in order: short proofs across a long chain. */
  history: string;
  /** Merkle root over the canonical bytes of its entries, by id. */
  root: string;
  firstId: number;
  lastId: number;
  /** In this batch. Ids may have gaps (acts that were undone); what counts is this number and the root. */
  entries: number;
  /** In the chain from its beginning to here. */
  count: number;
  signedAt: string;
}

/** Stands for every batch up to `batch` once they are past their period and gone. */
export interface CheckpointStatement {
  format: 'opname-audit-checkpoint/1';
  batch: number;
  lastId: number;
  count: number;
  head: string;
  /** Frontier of the history tree after `batch`. */
  frontier: string[];
  /** Everything gone was sealed no later than this. */
  before: string;
  signedAt: string;
}

export const statementBytes = (statement: BatchStatement | CheckpointStatement): Buffer => canonicalBytes(statement);

/** SHA-256 of the statement, hex. */
export const headOf = (statement: BatchStatement | CheckpointStatement): string =>
  sha256(statementBytes(statement)).toString('hex');

/** Where the chain stands after some batch: all that the next one needs. */
export interface ChainState {
  batch: number;
  lastId: number;
  count: number;
  head: string;
  signedAt: string | null;
  keyId: string | null;
  /** Over the heads up to and including `head`. */
  frontier: readonly string[];
}

export const emptyChain: ChainState = {
  batch: 0, lastId: 0, count: 0, head: '0'.repeat(64), signedAt: null, keyId: null, frontier: [],
};

/** A row of `audit_batches`. `frontier` is the history tree's before this batch. */
export interface BatchRow {
  number: number;
  first_id: number;
  last_id: number;
  entries: number;
  count: number;
  root: string;
  previous_head: string;
  history: string;
  frontier: string[];
  head: string;
  signed_at: string;
  key_id: string;
  signature: Buffer;
}

export const batchColumns = `number, first_id, last_id, entries, count, root, previous_head, history, frontier, head,
  ${instantColumn('signed_at')}, key_id, signature`;

export function batchStatement(row: BatchRow): BatchStatement {
  return {
    format: 'opname-audit-batch/1',
    batch: row.number,
    previousHead: row.previous_head,
    history: row.history,
    root: row.root,
    firstId: row.first_id,
    lastId: row.last_id,
    entries: row.entries,
    count: row.count,
    signedAt: row.signed_at,
  };
}

/** The chain after `row`, taken at its word. */
export function stateAfter(row: BatchRow): ChainState {
  const history = historyTree(row.number - 1, row.frontier);
  history.add(Buffer.from(row.head, 'hex'));
  return {
    batch: row.number,
    lastId: row.last_id,
    count: row.count,
    head: row.head,
    signedAt: row.signed_at,
    keyId: row.key_id,
    frontier: history.frontier,
  };
}

/** The tree over the heads of the first `size` batches. */
export const historyTree = (size: number, frontier: readonly string[], watch: Iterable<number> = []): MerkleTree =>
  new MerkleTree({ start: { size, frontier }, watch });

/** A row of `audit_checkpoints`. */
export interface CheckpointRow {
  batch: number;
  last_id: number;
  count: number;
  head: string;
  frontier: string[];
  before: string;
  signed_at: string;
  key_id: string;
  signature: Buffer;
}

export function checkpointStatement(row: CheckpointRow): CheckpointStatement {
  return {
    format: 'opname-audit-checkpoint/1',
    batch: row.batch,
    lastId: row.last_id,
    count: row.count,
    head: row.head,
    frontier: row.frontier,
    before: row.before,
    signedAt: row.signed_at,
  };
}

export const stateAtCheckpoint = (row: CheckpointRow): ChainState => ({
  batch: row.batch,
  lastId: row.last_id,
  count: row.count,
  head: row.head,
  signedAt: row.signed_at,
  keyId: row.key_id,
  frontier: row.frontier,
});

export async function latestBatch(database: Database, tx?: Transaction): Promise<BatchRow | undefined> {
  const [row] = await database.query<BatchRow>(
    `SELECT ${batchColumns} FROM audit_batches ORDER BY number DESC LIMIT 1`, [], tx,
  );
  return row;
}

export async function latestCheckpoint(database: Database, tx?: Transaction): Promise<CheckpointRow | undefined> {
  const [row] = await database.query<CheckpointRow>(
    `SELECT batch, last_id, count, head, frontier, ${instantColumn('before')}, ${instantColumn('signed_at')},
       key_id, signature
     FROM audit_checkpoints ORDER BY batch DESC LIMIT 1`, [], tx,
  );
  return row;
}

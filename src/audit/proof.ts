import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import { verifySignature } from '../platform/signing.js';
import {
  batchColumns, batchStatement, headOf, historyTree, latestBatch, latestCheckpoint, statementBytes,
  type BatchRow, type BatchStatement,
} from './batch.js';
import { canonicalBytes, chainEntry, entryColumns, type ChainEntry, type EntryRow } from './canonical.js';
import { MerkleTree, rootFromPath } from './merkle.js';

/** A batch's statement with its signature (DER, Base64). */
export interface SignedStatement {
  statement: BatchStatement;
  keyId: string;
  signature: string;
}

/**
 * That one entry stands in the chain, for someone who has neither the database nor the service: a path from the entry
 * to its batch's root, the signed batch, a path from that batch's head to the newest batch's `history`, the signed
 * newest batch. Its size grows with the logarithm of the chain's.
 */
export interface InclusionProof {
  format: 'opname-audit-inclusion/1';
  entry: ChainEntry;
  /** Its place in its batch, from 0. */
  leafIndex: number;
  /** Hashes (hex) from the leaf upward, RFC 9162 §2.1.3. */
  path: string[];
  batch: SignedStatement;
  /** From the batch's head (leaf `batch - 1` of the first `tip.batch - 1` heads); empty when the batch is the tip. */
  historyPath: string[];
  tip: SignedStatement;
}

/** Proofs for those of `entryIds` that are sealed and still kept. One snapshot, one pass over the chain's heads. */
export async function inclusionProofs(
  database: Database,
  entryIds: readonly number[],
): Promise<Map<number, InclusionProof>> {
  return await database.inTransaction(async (tx) => {
    await database.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY', [], tx);
    const tip = await latestBatch(database, tx);
    const proofs = new Map<number, InclusionProof>();
    if (tip === undefined || entryIds.length === 0) return proofs;
    const batches = await database.query<BatchRow>(
      `SELECT ${batchColumns} FROM audit_batches b
       WHERE EXISTS (SELECT 1 FROM unnest($1::bigint[]) AS wanted (id) WHERE wanted.id BETWEEN b.first_id AND b.last_id)
       ORDER BY number`, [[...entryIds]], tx,
    );
    const history = await historyPaths(database, tx, tip, batches);
    for (const batch of batches) {
      const wanted = new Set(entryIds.filter((id) => id >= batch.first_id && id <= batch.last_id));
      for (const { entry, leafIndex, path } of await entryPaths(database, tx, batch, wanted))
        proofs.set(entry.id, {
          format: 'opname-audit-inclusion/1',
          entry,
          leafIndex,
          path: path.map(hex),
          batch: signed(batch),
          historyPath: batch.number === tip.number ? [] : history.path(batch.number - 1).map(hex),
          tip: signed(tip),
        });
    }
    return proofs;
  });
}

const hex = (hash: Buffer) => hash.toString('hex');

const signed = (row: BatchRow): SignedStatement => ({
  statement: batchStatement(row), keyId: row.key_id, signature: row.signature.toString('base64'),
});

/** The tree over all heads before `tip`, watching those of `batches`. */
async function historyPaths(
  database: Database,
  tx: Transaction,
  tip: BatchRow,
  batches: readonly BatchRow[],
): Promise<MerkleTree> {
  const checkpoint = await latestCheckpoint(database, tx);
  const watch = batches.map((batch) => batch.number - 1);
  const tree = historyTree(checkpoint?.batch ?? 0, checkpoint?.frontier ?? [], watch);
  while (tree.size < tip.number - 1) {
    const rows = await database.query<{ head: string }>(
      'SELECT head FROM audit_batches WHERE number > $1 AND number < $2 ORDER BY number LIMIT 5000',
      [tree.size, tip.number], tx,
    );
    if (rows.length === 0) throw new Error('A batch of the audit chain is missing');
    for (const row of rows) tree.add(Buffer.from(row.head, 'hex'));
  }
  return tree;
}

/** Reads one batch whole: it has an upper bound, and what is proved lies scattered in it. */
async function entryPaths(database: Database, tx: Transaction, batch: BatchRow, wanted: ReadonlySet<number>) {
  const rows = await database.query<EntryRow>(
    `SELECT ${entryColumns} FROM audit_entries WHERE id BETWEEN $1 AND $2 ORDER BY id`,
    [batch.first_id, batch.last_id], tx,
  );
  const entries = rows.map(chainEntry);
  const places = entries.flatMap(({ id }, place) => (wanted.has(id) ? [place] : []));
  const tree = new MerkleTree({ watch: places });
  for (const entry of entries) tree.add(canonicalBytes(entry));
  return places.flatMap((place) => {
    const entry = entries[place];
    return entry === undefined ? [] : [{ entry, leafIndex: place, path: tree.path(place) }];
  });
}

/** What is wrong with a proof, given public keys (PEM) by id; nothing when it holds. Pure: it needs no service. */
export function faultsOfProof(proof: InclusionProof, publicKeys: ReadonlyMap<string, string>): string[] {
  const { batch, entry, tip } = proof;
  const faults: string[] = [];
  const check = (sound: boolean, what: string) => {
    if (!sound) faults.push(what);
  };
  const { firstId, lastId, entries, root } = batch.statement;
  check(proof.format === 'opname-audit-inclusion/1', 'The form of the proof is unknown');
  check(entry.id >= firstId && entry.id <= lastId, 'The entry does not belong to this batch');
  check(leadsTo(root, canonicalBytes(entry), proof.leafIndex, entries, proof.path), 'The entry is not in its batch');
  check(isSigned(batch, publicKeys), 'The batch is not validly signed');
  check(isSigned(tip, publicKeys), 'The newest batch is not validly signed');
  const head = headOf(batch.statement);
  if (batch.statement.batch === tip.statement.batch)
    check(head === headOf(tip.statement) && proof.historyPath.length === 0, 'There are two batches of one number');
  else
    check(
      leadsTo(
        tip.statement.history, Buffer.from(head, 'hex'), batch.statement.batch - 1, tip.statement.batch - 1,
        proof.historyPath,
      ),
      'The batch is not in the history of the newest one',
    );
  return faults;
}

function leadsTo(root: string, data: Uint8Array, index: number, size: number, path: readonly string[]): boolean {
  return (
    path.every((hash) => /^[0-9a-f]{64}$/.test(hash)) &&
    rootFromPath(data, index, size, path.map((hash) => Buffer.from(hash, 'hex')))?.toString('hex') === root
  );
}

function isSigned({ statement, keyId, signature }: SignedStatement, publicKeys: ReadonlyMap<string, string>): boolean {
  const publicPem = publicKeys.get(keyId);
  return (
    publicPem !== undefined &&
    statement.format === 'opname-audit-batch/1' &&
    verifySignature(publicPem, statementBytes(statement), Buffer.from(signature, 'base64'))
  );
}

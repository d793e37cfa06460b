import { fromBase64, fromHex, hexOf, joined, sha256, utf8, type Bytes } from './bytes.js';
import { isSigned, type PublicKey } from './signature.js';

/**
 * Whether an entry stands in the audit chain, told from a proof alone. Written apart from the code that makes proofs, so
 * that a slip in one shows in the other.
 */

interface Statement {
  format: string;
  batch: number;
  root: string;
  history: string;
  firstId: number;
  lastId: number;
  entries: number;
  count: number;
  signedAt: string;
}

export interface SignedStatement {
  statement: Statement;
  keyId: string;
  signature: string;
}

export interface Proof {
  format: string;
  entry: {
    id: number;
    at: string;
    action: string;
    object: { type: string; id: string } | null;
    details: Record<string, unknown>;
  };
  leafIndex: number;
  path: string[];
  batch: SignedStatement;
  historyPath: string[];
  tip: SignedStatement;
}

/** JSON in the canonical form of RFC 8785. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

export const headOf = async ({ statement }: SignedStatement): Promise<string> =>
  hexOf(await sha256(utf8(canonical(statement))));

/** RFC 9162 §2.1.3.2: does the path lead from this leaf to `root`? */
async function leadsTo(root: string, data: Bytes, index: number, size: number, path: readonly string[]): Promise<boolean> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let position = index;
  let last = size - 1;
  let hash = await sha256(joined(new Uint8Array([0]), data));
  for (const step of path) {
    if (last === 0) return false;
    const sibling = fromHex(step);
    const isRight = position % 2 === 1 || position === last;
    hash = await sha256(joined(new Uint8Array([1]), ...(isRight ? [sibling, hash] : [hash, sibling])));
    if (isRight)
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && hexOf(hash) === root;
}

export async function isSignedStatement(
  { statement, keyId, signature }: SignedStatement, keys: ReadonlyMap<string, PublicKey>,
): Promise<boolean> {
  const key = keys.get(keyId);
  return (
    key !== undefined &&
    statement.format === 'opname-audit-batch/1' &&
    (await isSigned(key, utf8(canonical(statement)), fromBase64(signature)))
  );
}

/** Does the proof hold, given the keys that may have signed? */
export async function holds(proof: Proof, keys: ReadonlyMap<string, PublicKey>): Promise<boolean> {
  const { batch, entry, tip } = proof;
  const { statement } = batch;
  if (proof.format !== 'opname-audit-inclusion/1' || entry.id < statement.firstId || entry.id > statement.lastId) return false;
  if (!(await leadsTo(statement.root, utf8(canonical(entry)), proof.leafIndex, statement.entries, proof.path))) return false;
  if (!(await isSignedStatement(batch, keys)) || !(await isSignedStatement(tip, keys))) return false;
  const head = await headOf(batch);
  if (statement.batch === tip.statement.batch) return head === (await headOf(tip)) && proof.historyPath.length === 0;
  return await leadsTo(tip.statement.history, fromHex(head), statement.batch - 1, tip.statement.batch - 1, proof.historyPath);
}

import { createHash } from 'node:crypto';

/**
 * Merkle trees as RFC 9162 §2.1 (RFC 6962) defines them: a leaf is SHA-256(0x00 ‖ data), a node SHA-256(0x01 ‖ left ‖
 * right), the tree over nothing SHA-256 of nothing. Built leaf by leaf in memory that grows with the logarithm of its size.
 */

const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const leafHash = (data: Uint8Array): Buffer => sha256(leafPrefix, data);
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(nodePrefix, left, right);

/** A complete subtree, and which of the leaves that are asked about it holds. */
interface Peak {
  hash: Buffer;
  watched: readonly number[];
}

/**
 * A tree that grows. Its frontier (the roots of its complete subtrees, largest first) is all that is needed to go on, and
 * is what `frontier` hands out and `start` takes. Of leaves named in `watch` (by index, from 0) it collects audit paths.
 */
export class MerkleTree {
  #size: number;
  readonly #peaks: Peak[];
  readonly #paths = new Map<number, Buffer[]>();

  constructor(options: { start?: { size: number; frontier: readonly string[] }; watch?: Iterable<number> } = {}) {
    this.#size = options.start?.size ?? 0;
    this.#peaks = (options.start?.frontier ?? []).map((hash) => ({ hash: Buffer.from(hash, 'hex'), watched: [] }));
    for (const index of options.watch ?? []) this.#paths.set(index, []);
  }

  get size(): number {
    return this.#size;
  }

  get frontier(): string[] {
    return this.#peaks.map((peak) => peak.hash.toString('hex'));
  }

  /** Adds a leaf by its data. */
  add(data: Uint8Array): void {
    let peak: Peak = { hash: leafHash(data), watched: this.#paths.has(this.#size) ? [this.#size] : [] };
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      const left = this.#peaks.pop();
      if (left === undefined) throw new Error('The frontier does not belong to a tree of this size');
      peak = join(left, peak, this.#paths);
    }
    this.#peaks.push(peak);
    this.#size += 1;
  }

  root(): Buffer {
    return this.#fold(undefined);
  }

  /** The audit path of a watched leaf in the tree as it is now, from the leaf upward. */
  path(index: number): Buffer[] {
    const paths = new Map([...this.#paths].map(([leaf, path]) => [leaf, [...path]]));
    this.#fold(paths);
    const path = paths.get(index);
    if (path === undefined || index >= this.#size) throw new RangeError('This leaf was not watched');
    return path;
  }

  #fold(paths: Map<number, Buffer[]> | undefined): Buffer {
    const [last, ...rest] = this.#peaks.toReversed();
    if (last === undefined) return sha256();
    return rest.reduce((right, left) => join(left, right, paths), last).hash;
  }
}

function join(left: Peak, right: Peak, paths: Map<number, Buffer[]> | undefined): Peak {
  for (const index of left.watched) paths?.get(index)?.push(right.hash);
  for (const index of right.watched) paths?.get(index)?.push(left.hash);
  return { hash: nodeHash(left.hash, right.hash), watched: [...left.watched, ...right.watched] };
}

/**
 * The root that a leaf and its audit path lead to (RFC 9162 §2.1.3.2); undefined when the path is not one for a leaf at
 * `index` in a tree of `size` leaves.
 */
export function rootFromPath(
  data: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  let position = index;
  let last = size - 1;
  let hash = leafHash(data);
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      // A last node without a right neighbour rises until it is a right child itself.
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else hash = nodeHash(hash, sibling);
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}

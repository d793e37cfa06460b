/**
 * Keys in the order S3 lists them: by their UTF-8 bytes. Kept in blocks, so that adding a key moves a few hundred
 * entries and finding a page's start takes two binary searches; nothing is ever sorted as a whole after loading.
 */

const blockSize = 512;

/** Order of UTF-8 bytes, which is that of code points; JavaScript's own order differs above the surrogates. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a === b) continue;
    const aIsSurrogate = a >= 0xd800 && a <= 0xdfff;
    const bIsSurrogate = b >= 0xd800 && b <= 0xdfff;
    return aIsSurrogate === bIsSurrogate ? a - b : aIsSurrogate ? 1 : -1;
  }
  return left.length - right.length;
}

/** The first index of `items` for which `reached` holds; it must hold for all that follow. */
function firstIndex<T>(items: readonly T[], reached: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reached(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class SortedKeys {
  #blocks: string[][] = [];

  constructor(keys: Iterable<string> = []) {
    const sorted = [...keys].sort(compareKeys);
    for (let at = 0; at < sorted.length; at += blockSize) this.#blocks.push(sorted.slice(at, at + blockSize));
  }

  #blockFor(key: string): number {
    return firstIndex(this.#blocks, (block) => compareKeys(block.at(-1) ?? '', key) >= 0);
  }

  add(key: string): void {
    const at = Math.min(this.#blockFor(key), Math.max(0, this.#blocks.length - 1));
    const block = this.#blocks[at];
    if (!block) {
      this.#blocks.push([key]);
      return;
    }
    const index = firstIndex(block, (other) => compareKeys(other, key) >= 0);
    if (block[index] === key) return;
    block.splice(index, 0, key);
    if (block.length > 2 * blockSize) this.#blocks.splice(at + 1, 0, block.splice(blockSize));
  }

  delete(key: string): void {
    const at = this.#blockFor(key);
    const block = this.#blocks[at];
    if (!block) return;
    const index = firstIndex(block, (other) => compareKeys(other, key) >= 0);
    if (block[index] !== key) return;
    block.splice(index, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** The first key for which `reached` holds, or undefined. `reached` must hold for all keys after it. */
  first(reached: (key: string) => boolean): string | undefined {
    const block = this.#blocks[firstIndex(this.#blocks, (candidate) => reached(candidate.at(-1) ?? ''))];
    return block?.[firstIndex(block, reached)];
  }

  /** The key that follows `key`, which need not be there itself. */
  after(key: string): string | undefined {
    return this.first((other) => compareKeys(other, key) > 0);
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from '../src/audit/canonical.js';
import { leafHash, MerkleTree, rootFromPath, sha256 } from '../src/audit/merkle.js';

/** RFC 9162 §2.1.1, word for word. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return leafHash(only);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.from([1]), rootByDefinition(leaves.slice(0, k)), rootByDefinition(leaves.slice(k)));
}

const leavesOf = (size: number) => Array.from({ length: size }, (_, n) => Buffer.from(`leaf ${n}`));
function treeOf(leaves: readonly Buffer[], watch: number[] = []): MerkleTree {
  const tree = new MerkleTree({ watch });
  for (const leaf of leaves) tree.add(leaf);
  return tree;
}

describe('a Merkle tree', () => {
  it('has the root that the RFC defines, at every size, also when it is taken up again from its frontier', () => {
    const leaves = leavesOf(70);
    for (let size = 0; size <= leaves.length; size += 1) {
      const expected = rootByDefinition(leaves.slice(0, size)).toString('hex');
      expect(treeOf(leaves.slice(0, size)).root().toString('hex')).toBe(expected);
      const half = Math.floor(size / 2);
      const resumed = new MerkleTree({ start: { size: half, frontier: treeOf(leaves.slice(0, half)).frontier } });
      for (const leaf of leaves.slice(half, size)) resumed.add(leaf);
      expect(resumed.root().toString('hex')).toBe(expected);
    }
  });

  it('agrees with the published vectors of RFC 6962', () => {
    const data = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const tree = treeOf(data.map((hex) => Buffer.from(hex, 'hex')), [0, 5]);
    expect(tree.root().toString('hex')).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
    expect(tree.path(0).map((hash) => hash.toString('hex'))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
  });

  it('proves each of its leaves, at every size', () => {
    for (let size = 1; size <= 40; size += 1) {
      const leaves = leavesOf(size);
      const tree = treeOf(leaves, [...leaves.keys()]);
      leaves.forEach((leaf, index) => {
        expect(rootFromPath(leaf, index, size, tree.path(index))?.toString('hex')).toBe(tree.root().toString('hex'));
      });
    }
  });

  it('proves nothing else: another leaf, place, size or path leads to another root, or to none', () => {
    const cases = fc.integer({ min: 1, max: 200 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        index: fc.nat(size - 1),
        otherIndex: fc.nat(size + 3),
        otherSize: fc.integer({ min: 0, max: 260 }),
        bit: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(cases, ({ size, index, otherIndex, otherSize, bit }) => {
        const leaves = leavesOf(size);
        const tree = treeOf(leaves, [index]);
        const path = tree.path(index);
        const leaf = leaves[index] ?? Buffer.alloc(0);
        const leadsThere = (...given: Parameters<typeof rootFromPath>) => rootFromPath(...given)?.equals(tree.root()) ?? false;
        expect(leadsThere(leaf, index, size, path)).toBe(true);
        expect(leadsThere(Buffer.concat([leaf, Buffer.from([0])]), index, size, path)).toBe(false);
        if (otherIndex !== index) expect(leadsThere(leaf, otherIndex, size, path)).toBe(false);
        if (path.length > 0) {
          expect(leadsThere(leaf, index, size, path.slice(1))).toBe(false);
          const changed = path.map((hash) => Buffer.from(hash));
          const at = bit % (path.length * 256);
          const hash = changed[Math.floor(at / 256)];
          const byte = Math.floor((at % 256) / 8);
          if (hash !== undefined) hash[byte] = (hash[byte] ?? 0) ^ (1 << at % 8);
          expect(leadsThere(leaf, index, size, changed)).toBe(false);
        }
        expect(leadsThere(leaf, index, size, [...path, sha256()])).toBe(false);
        if (otherSize <= index) expect(leadsThere(leaf, index, otherSize, path)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the canonical form', () => {
  it('is that of RFC 8785', () => {
    // The example of §3.2.2 and §3.2.3.
    expect(
      canonical({
        numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
        literals: [null, true, false],
      }),
    ).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    expect(canonical({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 })).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    );
  });

  it('tells apart whatever JSON tells apart, and does not mind the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(JSON.parse(canonical(a))).toEqual(JSON.parse(JSON.stringify(a)));
        if (canonical(a) === canonical(b)) expect(JSON.parse(canonical(a))).toEqual(JSON.parse(canonical(b)));
      }),
    );
    expect(canonical({ b: 1, a: { d: 2, c: 3 } })).toBe(canonical({ a: { c: 3, d: 2 }, b: 1 }));
    expect(() => canonical({ a: Infinity })).toThrow(RangeError);
  });
});

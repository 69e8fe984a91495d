// Merkle trees: roots against the recursive definition of RFC 6962, every proof of every small tree, and nothing that was changed passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Frontier } from './frontier.ts';
import { emptyRoot, leafHash, nodeHash, sameHash } from './hash.ts';
import {
  consistencyProof,
  inclusionProof,
  type ReadHash,
  rootOf,
  verifyConsistency,
  verifyGrowth,
  verifyInclusion,
} from './proof.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const entry = (i: number) => new TextEncoder().encode(`entry ${i}`);

/** MTH of RFC 6962 section 2.1, as it is written there. */
function definition(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(definition(leaves.slice(0, k)), definition(leaves.slice(k)));
}

const SIZE = 70;
const LEAVES = Array.from({ length: SIZE }, (_, i) => leafHash(entry(i)));
const read: ReadHash = (level, index) =>
  definition(LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level));
const root = (size: number) => definition(LEAVES.slice(0, size));

test('hashes of the standard', () => {
  assert.equal(hex(emptyRoot()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  // RFC 6962 test data of Certificate Transparency: the leaf of an empty entry.
  assert.equal(
    hex(leafHash(new Uint8Array())),
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
});

test('a growing tree has the root of the definition, and tells each subtree once', () => {
  const frontier = new Frontier();
  const seen = new Map<string, string>();
  for (let size = 0; size <= SIZE; size++) {
    assert.ok(sameHash(frontier.root(), root(size)));
    assert.ok(sameHash(rootOf(read, size), root(size)));
    assert.ok(sameHash(Frontier.at(size, read).root(), root(size)));
    if (size === SIZE) break;
    for (const { level, index, hash } of frontier.append(LEAVES[size]!)) {
      const key = `${level}/${index}`;
      assert.ok(!seen.has(key));
      seen.set(key, hex(hash));
      assert.equal(hex(hash), hex(read(level, index)));
    }
  }
  const resumed = Frontier.at(37, read);
  for (let i = 37; i < SIZE; i++) resumed.append(LEAVES[i]!);
  assert.ok(sameHash(resumed.root(), root(SIZE)));
});

test('every entry of every tree is in it, and in no other place', () => {
  for (let size = 1; size <= SIZE; size++) {
    for (let index = 0; index < size; index++) {
      const claim = {
        index,
        size,
        leaf: LEAVES[index]!,
        proof: inclusionProof(read, index, size),
        root: root(size),
      };
      assert.ok(verifyInclusion(claim));
      assert.ok(!verifyInclusion({ ...claim, index: (index + 1) % size }) || size === 1);
      assert.ok(!verifyInclusion({ ...claim, leaf: LEAVES[(index + 1) % SIZE]! }));
    }
  }
});

test('every tree grew from every smaller one', () => {
  for (let to = 1; to <= SIZE; to++) {
    for (let from = 1; from <= to; from++) {
      const claim = {
        from,
        to,
        proof: consistencyProof(read, from, to),
        fromRoot: root(from),
        toRoot: root(to),
      };
      assert.ok(verifyConsistency(claim), `${from} to ${to}`);
      assert.ok(!verifyConsistency({ ...claim, fromRoot: root(from - 1) }));
      assert.ok(!verifyConsistency({ ...claim, toRoot: root(to - 1) }));
    }
  }
});

test('from nothing everything grows for a witness, and for nobody else', () => {
  const claim = { from: 0, to: 5, proof: [], fromRoot: emptyRoot(), toRoot: root(5) };
  assert.ok(verifyGrowth(claim));
  assert.ok(!verifyConsistency(claim));
  assert.ok(!verifyGrowth({ ...claim, proof: [root(5)] }));
  assert.ok(!verifyGrowth({ ...claim, fromRoot: root(1) }));
});

test('law: no proof survives a change', () => {
  const change = fc.record({
    how: fc.constantFrom('flip', 'drop', 'repeat', 'swap', 'add'),
    at: fc.nat(),
    bit: fc.nat(255),
  });
  const changed = (
    proof: readonly Uint8Array[],
    { how, at, bit }: { how: string; at: number; bit: number },
  ) => {
    const copy: Uint8Array[] = proof.map((hash) => hash.slice());
    const i = copy.length === 0 ? 0 : at % copy.length;
    if (how === 'flip' && copy[i]) copy[i]![bit >> 3]! ^= 1 << (bit & 7);
    if (how === 'drop') copy.splice(i, 1);
    if (how === 'repeat' && copy[i]) copy.splice(i, 0, copy[i]!);
    if (how === 'swap' && copy.length > 1) [copy[0], copy[i]] = [copy[i]!, copy[0]!];
    if (how === 'add') copy.push(leafHash(entry(bit)));
    return copy;
  };
  const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
    a.map(hex).join() === b.map(hex).join();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: SIZE }), fc.nat(), fc.nat(), change, (size, a, b, how) => {
      const index = a % size;
      const inclusion = {
        index,
        size,
        leaf: LEAVES[index]!,
        proof: inclusionProof(read, index, size),
        root: root(size),
      };
      const other = changed(inclusion.proof, how);
      assert.equal(verifyInclusion({ ...inclusion, proof: other }), same(other, inclusion.proof));
      const from = 1 + (b % size);
      const growth = {
        from,
        to: size,
        proof: consistencyProof(read, from, size),
        fromRoot: root(from),
        toRoot: root(size),
      };
      const others = changed(growth.proof, how);
      assert.equal(verifyConsistency({ ...growth, proof: others }), same(others, growth.proof));
    }),
    { numRuns: 1_000 },
  );
});

test('sizes that are none are refused', () => {
  assert.throws(() => inclusionProof(read, 3, 3), RangeError);
  assert.throws(() => inclusionProof(read, -1, 3), RangeError);
  assert.throws(() => consistencyProof(read, 4, 3), RangeError);
  const claim = { index: 0, size: 1, leaf: LEAVES[0]!, proof: [], root: root(1) };
  for (const wrong of [
    { size: 1.5 },
    { size: Number.NaN },
    { index: 0.5 },
    { size: 2 ** 60 },
    { leaf: new Uint8Array(31) },
  ])
    assert.ok(!verifyInclusion({ ...claim, ...wrong }));
});

// Proofs that an entry is in a tree and that a tree grew from another (RFC 6962 sections 2.1.1 and 2.1.2): made from the hashes of
// whole subtrees, checked from nothing but the proof (RFC 9162 sections 2.1.3.2 and 2.1.4.2). Pure.
import { wholeSubtrees } from './frontier.ts';
import { emptyRoot, HASH_BYTES, type HashBytes, nodeHash, portableHash, sameHash } from './hash.ts';

/** The root of the whole subtree of `2^level` leaves that begins at leaf `index * 2^level`. */
export type ReadHash = (level: number, index: number) => Uint8Array;

/** Longest proof: a bit of the size for each hash. */
export const PROOF_MAX = 64;

/** The root of leaves `from` to `to` (not included), which may not be a whole subtree. */
function rangeRoot(read: ReadHash, from: number, to: number, hash: HashBytes): Uint8Array {
  return wholeSubtrees(from, to)
    .map(({ level, index }) => read(level, index))
    .reduceRight((right, left) => nodeHash(left, right, hash));
}

export function rootOf(read: ReadHash, size: number, hash: HashBytes = portableHash): Uint8Array {
  return size === 0 ? emptyRoot(hash) : rangeRoot(read, 0, size, hash);
}

/** Sibling hashes from the leaf to the root. Throws `RangeError` unless `0 <= index < size`. */
export function inclusionProof(
  read: ReadHash,
  index: number,
  size: number,
  hash: HashBytes = portableHash,
): Uint8Array[] {
  if (!isSize(size) || !isSize(index) || index >= size) throw new RangeError(`no leaf ${index} in ${size}`);
  const proof: Uint8Array[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      proof.push(rangeRoot(read, middle, to, hash));
      to = middle;
    } else {
      proof.push(rangeRoot(read, from, middle, hash));
      from = middle;
    }
  }
  return proof.reverse();
}

/** Empty when a size is 0 or both are equal. Throws `RangeError` unless `0 <= from <= to`. */
export function consistencyProof(
  read: ReadHash,
  from: number,
  to: number,
  hash: HashBytes = portableHash,
): Uint8Array[] {
  if (!isSize(from) || !isSize(to) || from > to) throw new RangeError(`no growth from ${from} to ${to}`);
  if (from === 0 || from === to) return [];
  const proof: Uint8Array[] = [];
  let [low, high] = [0, to];
  /** The old tree is a whole part of the new one so far: its own root is known to who checks. */
  let isOld = true;
  while (from !== high) {
    const middle = low + splitOf(high - low);
    if (from <= middle) {
      proof.push(rangeRoot(read, middle, high, hash));
      high = middle;
    } else {
      proof.push(rangeRoot(read, low, middle, hash));
      low = middle;
      isOld = false;
    }
  }
  if (!isOld) proof.push(rangeRoot(read, low, high, hash));
  return proof.reverse();
}

export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

export function verifyInclusion(
  { index, size, leaf, proof, root }: Inclusion,
  hash: HashBytes = portableHash,
): boolean {
  if (!isSize(size) || !isSize(index) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let [fn, sn] = [index, size - 1];
  let r = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else r = nodeHash(r, p, hash);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameHash(r, root);
}

export interface Consistency {
  readonly from: number;
  readonly to: number;
  readonly proof: readonly Uint8Array[];
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
}

/** A tree without entries proves nothing: `from` is at least 1. */
export function verifyConsistency(
  { from, to, proof, fromRoot, toRoot }: Consistency,
  hash: HashBytes = portableHash,
): boolean {
  if (!isSize(from) || !isSize(to) || from < 1 || from > to) return false;
  if (from === to) return proof.length === 0 && sameHash(fromRoot, toRoot);
  if (!areHashes([fromRoot, toRoot, ...proof])) return false;
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined || proof.length === 0) return false;
  let [fn, sn] = [from - 1, to - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let [fr, sr] = [first, first];
  for (const c of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(c, fr, hash), nodeHash(c, sr, hash)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else sr = nodeHash(sr, c, hash);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameHash(fr, fromRoot) && sameHash(sr, toRoot);
}

/** As a witness asks (tlog-witness): from a tree without entries everything grows, and its proof is empty. */
export function verifyGrowth(growth: Consistency, hash: HashBytes = portableHash): boolean {
  if (growth.from !== 0) return verifyConsistency(growth, hash);
  return isSize(growth.to) && growth.proof.length === 0 && sameHash(growth.fromRoot, emptyRoot(hash));
}

/** The largest power of two below `n`. */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= PROOF_MAX + 2 && hashes.every((hash) => hash.length === HASH_BYTES);
}

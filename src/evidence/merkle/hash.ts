// Hashes of a Merkle tree over a log's entries (RFC 6962 section 2.1; the same in RFC 9162). Pure.
import { sha256 } from '@noble/hashes/sha2.js';

/** SHA-256, 32 bytes. A server may pass its native one; the default runs everywhere. */
export type HashBytes = (...parts: readonly Uint8Array[]) => Uint8Array;

export const HASH_BYTES = 32;
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const portableHash: HashBytes = (...parts) => {
  const hash = sha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Of a tree without entries: SHA-256 of nothing. */
export function emptyRoot(hash: HashBytes = portableHash): Uint8Array {
  return hash();
}

export function leafHash(entry: Uint8Array, hash: HashBytes = portableHash): Uint8Array {
  return hash(LEAF, entry);
}

export function nodeHash(left: Uint8Array, right: Uint8Array, hash: HashBytes = portableHash): Uint8Array {
  return hash(NODE, left, right);
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

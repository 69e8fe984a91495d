// A tree that grows: the roots of its whole subtrees, one for each bit of its size. Appending costs one hash on average, the root a
// hash for each bit. Pure.
import { emptyRoot, type HashBytes, nodeHash, portableHash } from './hash.ts';

/** The root of the whole subtree of `2^level` leaves that begins at leaf `index * 2^level`. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

export class Frontier {
  #size = 0;
  /** Roots of the whole subtrees, the largest first. */
  readonly #roots: { level: number; hash: Uint8Array }[] = [];
  readonly #hash: HashBytes;

  constructor(hash: HashBytes = portableHash) {
    this.#hash = hash;
  }

  /** Of a tree of `size` leaves whose subtrees are known by `read`. */
  static at(
    size: number,
    read: (level: number, index: number) => Uint8Array,
    hash: HashBytes = portableHash,
  ): Frontier {
    const frontier = new Frontier(hash);
    for (const { level, index } of wholeSubtrees(0, size))
      frontier.#roots.push({ level, hash: read(level, index) });
    frontier.#size = size;
    return frontier;
  }

  get size(): number {
    return this.#size;
  }

  /** Every subtree that the leaf made whole, the leaf itself first. */
  append(leaf: Uint8Array): Subtree[] {
    const made: Subtree[] = [{ level: 0, index: this.#size, hash: leaf }];
    let last = made[0]!;
    while (this.#roots.at(-1)?.level === last.level) {
      const left = this.#roots.pop()!;
      last = {
        level: last.level + 1,
        index: (last.index - 1) / 2,
        hash: nodeHash(left.hash, last.hash, this.#hash),
      };
      made.push(last);
    }
    this.#roots.push(last);
    this.#size++;
    return made;
  }

  root(): Uint8Array {
    const roots = this.#roots.map(({ hash }) => hash);
    return roots.length === 0
      ? emptyRoot(this.#hash)
      : roots.reduceRight((right, left) => nodeHash(left, right, this.#hash));
  }
}

/** The whole subtrees that leaves `from` to `to` (not included) fall into, from left to right. */
export function wholeSubtrees(from: number, to: number): { level: number; index: number }[] {
  const parts: { level: number; index: number }[] = [];
  for (let at = from; at < to; ) {
    let level = 0;
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= to) {
      width *= 2;
      level++;
    }
    parts.push({ level, index: at / width });
    at += width;
  }
  return parts;
}

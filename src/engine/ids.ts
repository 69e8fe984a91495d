// The ids of a session's steps, remembered in 16 bytes each: enough to say "surely new" or "look it up". Pure.

/** 53-bit hash of a text (cyrb53, public domain, bryc 2018). Not for secrets: a hit is only a reason to look. */
export function hash53(text: string): number {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ unit, 2654435761);
    h2 = Math.imul(h2 ^ unit, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}

/** Open addressing over the hashes in order of `seq`; half full at most. */
export class IdSet {
  #hashes = new Float64Array(8);
  /** `seq + 1` per slot; 0 is free. */
  #slots = new Uint32Array(16);
  #count = 0;

  /** Steps remembered, which is the next `seq`. */
  get count(): number {
    return this.#count;
  }

  /** Remembers the hash of the id of the step whose `seq` is `count`. */
  add(hash: number): void {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count] = hash;
    this.#count += 1;
    this.#place(this.#count);
  }

  /** The `seq` of every step whose id has this hash. */
  find(hash: number): number[] {
    const found: number[] = [];
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const seq = this.#slots[slot]! - 1;
      if (this.#hashes[seq] === hash) found.push(seq);
    }
    return found;
  }

  #place(count: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[count - 1]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = count;
  }

  #grow(): void {
    const hashes = new Float64Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#slots = new Uint32Array(hashes.length * 2);
    for (let count = 1; count <= this.#count; count++) this.#place(count);
  }
}

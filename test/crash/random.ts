// A small seeded generator (mulberry32, public domain, Ettinger 2017), so that a failing round can be run again.

export interface Random {
  /** An integer from 0 up to `below`. */
  below(below: number): number;
  chance(probability: number): boolean;
}

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
  return {
    below: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
  };
}

// Where a token was seen: sources and the first step of each, packed into numbers. Most tokens were seen in one place and
// need no list, which is what keeps an idle session small. Pure.

/** Sources one key may have; a commoner one is also `many`, which is untrusted. */
const MAX_SIGHTINGS = 64;
/** Steps whose content one index may remember. */
export const MAX_REFS = 2 ** 24;

/** `source * MAX_REFS + ref`, or a list of such. */
export type Sightings = number | number[];

export function sighting(source: number, ref: number): number {
  return source * MAX_REFS + ref;
}

export function sourceOf(packed: number): number {
  return Math.floor(packed / MAX_REFS);
}

export function refOf(packed: number): number {
  return packed % MAX_REFS;
}

export function listOf(sightings: Sightings): readonly number[] {
  return typeof sightings === 'number' ? [sightings] : sightings;
}

/** A source counts by its first step. Its index knows the source that stands for all beyond the bound. */
export function seenToo(
  known: Sightings | undefined,
  source: number,
  ref: number,
  index: { many(): number },
): Sightings {
  const packed = sighting(source, ref);
  if (known === undefined) return packed;
  if (typeof known === 'number') return sourceOf(known) === source ? known : [known, packed];
  for (const one of known) if (sourceOf(one) === source) return known;
  if (known.length < MAX_SIGHTINGS) known.push(packed);
  else if (known.length === MAX_SIGHTINGS) known.push(sighting(index.many(), ref));
  return known;
}

/** Sightings by sources that are in both, each with the later list's ref. */
export function inBoth(a: Sightings, b: Sightings | undefined): Sightings {
  const out: number[] = [];
  for (const later of b === undefined ? [] : listOf(b)) {
    for (const one of listOf(a)) if (sourceOf(one) === sourceOf(later)) out.push(later);
  }
  return out;
}

/** As saved: how many neighbours have the same sightings, then source and ref of each. `[3, 0, 2]`: three, source 0, ref 2. */
export type SavedRun = readonly number[];

export function saveSeen(seen: readonly Sightings[]): SavedRun[] {
  const runs: number[][] = [];
  let same = '';
  for (const sightings of seen) {
    const flat = flatten(sightings);
    const text = flat.join();
    if (text === same) runs.at(-1)![0]!++;
    else runs.push([1, ...flat]);
    same = text;
  }
  return runs;
}

export function loadSeen(runs: readonly SavedRun[]): Sightings[] {
  return runs.flatMap(([count, ...flat]) => Array.from({ length: count! }, () => unflatten(flat)));
}

/**
 * Pairs as saved: first token, then how many pairs go on to its successor and theirs, or `-1 - second` for another
 * second token, then the sightings. `[4, 3, 0, 2]`: the pairs 4 5, 5 6 and 6 7, in source 0, ref 2.
 */
export function savePairs(pairs: ReadonlyMap<number, Sightings>, base: number): SavedRun[] {
  const runs: number[][] = [];
  let [same, next] = ['', -1];
  for (const [pair, sightings] of pairs) {
    const first = Math.floor(pair / base);
    const second = pair % base;
    const flat = flatten(sightings);
    const text = flat.join();
    const follows = second === first + 1;
    if (follows && first === next && text === same) runs.at(-1)![1]!++;
    else runs.push([first, follows ? 1 : -1 - second, ...flat]);
    same = text;
    next = follows ? second : -1;
  }
  return runs;
}

export function loadPairs(runs: readonly SavedRun[], base: number): Map<number, Sightings> {
  const pairs = new Map<number, Sightings>();
  for (const [first, count, ...flat] of runs) {
    if (count! < 0) pairs.set(first! * base - 1 - count!, unflatten(flat));
    for (let i = 0; i < count!; i++) pairs.set((first! + i) * base + first! + i + 1, unflatten(flat));
  }
  return pairs;
}

function flatten(sightings: Sightings): number[] {
  return listOf(sightings).flatMap((one) => [sourceOf(one), refOf(one)]);
}

function unflatten(flat: readonly number[]): Sightings {
  if (flat.length === 2) return sighting(flat[0]!, flat[1]!);
  return Array.from({ length: flat.length / 2 }, (_, i) => sighting(flat[2 * i]!, flat[2 * i + 1]!));
}

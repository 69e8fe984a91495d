// The two sides of a `past.since` that begin and end by the same key: a login and its logout, an open and its close. What
// has ended answers `false` like what never began, so it need not be kept: memory is bounded by what is open. Pure.
import type { Cell, Ref } from '../spec/run.ts';
import { type Pair, UNDECIDED } from '../spec/view.ts';

/**
 * Ended keys still kept, the latest ones: a denial can name the step that ended what it asks for. Past them the verdict
 * is the same with an empty witness (and an error, which fires, where a later beginning could not be decided).
 */
export const ENDED_KEPT = 256;

/** Before a step is added to its side; false: it changes nothing, because nothing of its key is open. */
export function arriveInPair(
  pair: Pair,
  cells: Map<string, Cell>,
  views: readonly Map<string, Cell>[],
  key: string,
  ref: Ref,
): boolean {
  if (key === UNDECIDED) return true;
  const others = views[pair.other]!;
  if (pair.side === 'begins') {
    others.delete(key);
    return true;
  }
  // One step that is both begins anew: an end counts when it is later.
  const begun = others.get(key);
  if (begun === undefined || begun.refs.at(-1)!.seq >= ref.seq) return false;
  cells.delete(key);
  if (cells.size >= ENDED_KEPT) forgetOldest(cells, others);
  return true;
}

/** Keys stand in the order in which they ended. */
function forgetOldest(ended: Map<string, Cell>, begun: Map<string, Cell>): void {
  for (const key of ended.keys()) {
    if (key === UNDECIDED) continue;
    ended.delete(key);
    begun.delete(key);
    return;
  }
}

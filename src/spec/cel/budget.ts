// The work one evaluation may do. A spec's text bounds everything but its loops: each round counts, and inside a loop
// so does work that grows with the data, or a list inside a list would cost the product of two lengths. Pure.
import { type CelError, celError, type Frame, type Value } from './value.ts';

/** Frame slot that counts rounds; the host sets it to 0 before each evaluation. */
export const BUDGET_SLOT = 15;

/** Rounds that one evaluation may take, nested ones counted. */
export const MAX_ROUNDS = 100_000;

/** What one round pays for, about a microsecond of each. */
const ITEMS_PER_ROUND = 16;
const SEARCHED_PER_ROUND = 2_048;
const HANDLED_PER_ROUND = 256;

/** Takes rounds off the budget; an error when it is used up. */
export function charge(frame: Frame, rounds: number): CelError | null {
  const used = ((frame[BUDGET_SLOT] as number | null | undefined) ?? 0) + rounds;
  frame[BUDGET_SLOT] = used;
  return used > MAX_ROUNDS ? celError('error', `the expression takes more than ${MAX_ROUNDS} rounds`) : null;
}

/** Rounds for comparing or going through a value, texts apart. */
export function roundsFor(value: Value): number {
  return Math.trunc(nodesOf(value, ITEMS_PER_ROUND * MAX_ROUNDS) / ITEMS_PER_ROUND);
}

/** Nodes of a value, counted no further than `limit`. */
function nodesOf(value: Value, limit: number): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1;
  const children: Iterable<unknown> = Array.isArray(value)
    ? value
    : value instanceof Map
      ? value.values()
      : Object.values(value);
  let count = 1;
  for (const child of children) {
    if (count >= limit) break;
    count += nodesOf(child as Value, limit - count);
  }
  return count;
}

/** Rounds for a function's arguments. `searched`: texts are only looked through, by native code. */
export function roundsForCall(values: readonly Value[], searched: boolean): number {
  let rounds = 0;
  for (const value of values) {
    if (typeof value === 'string' || value instanceof Uint8Array)
      rounds += Math.trunc(value.length / (searched ? SEARCHED_PER_ROUND : HANDLED_PER_ROUND));
    else if (Array.isArray(value)) rounds += Math.trunc(value.length / ITEMS_PER_ROUND);
  }
  return rounds;
}

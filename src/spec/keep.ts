// What a history view keeps of a step: only the fields that conditions and results read of it later. Pure.
import type { Value } from './cel/value.ts';

export type Paths = readonly (readonly string[])[];
interface PathTree extends Map<string, PathTree> {}

/** A function that copies just the given paths; the empty path keeps the whole step. */
export function keeper(paths: Paths): (step: Value) => Value {
  if (paths.some((path) => path.length === 0)) return (step) => step;
  const tree: PathTree = new Map();
  for (const path of paths) {
    let at: PathTree = tree;
    path.forEach((field, depth) => {
      let next = at.get(field);
      // A shorter path keeps everything below it.
      if (next !== undefined && next.size === 0) return;
      if (next === undefined || depth === path.length - 1) next = new Map();
      at.set(field, next);
      at = next;
    });
  }
  return (step) => prune(step, tree);
}

function prune(value: Value, tree: PathTree): Value {
  if (tree.size === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const out: Record<string, Value> = {};
  for (const [field, below] of tree) {
    if (Object.hasOwn(value, field)) {
      Object.defineProperty(out, field, {
        value: prune((value as unknown as Record<string, Value>)[field]!, below),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return out as unknown as Value;
}

// The difference between two JSON values, leaf by leaf: what a transform changed in the proposed arguments. Pure.
import type { Json, JsonObject } from '../../src/step/types.ts';

export type Change =
  | { readonly kind: 'same'; readonly path: string; readonly value: Json }
  | { readonly kind: 'removed'; readonly path: string; readonly before: Json }
  | { readonly kind: 'added'; readonly path: string; readonly after: Json }
  | { readonly kind: 'changed'; readonly path: string; readonly before: Json; readonly after: Json };

/** Changes from `before` to `after` in the order of `before`'s keys, new keys last. Arrays are compared by index. */
export function diffJson(before: JsonObject, after: JsonObject): readonly Change[] {
  const changes: Change[] = [];
  walk(before, after, '', changes);
  return changes;
}

function walk(before: Json, after: Json, path: string, out: Change[]): void {
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) {
    const same = JSON.stringify(before) === JSON.stringify(after);
    out.push(same ? { kind: 'same', path, value: before } : { kind: 'changed', path, before, after });
    return;
  }
  const old = new Map(Object.entries(before));
  const fresh = new Map(Object.entries(after));
  for (const [key, value] of old) {
    const at = join(path, key, Array.isArray(before));
    if (fresh.has(key)) walk(value, fresh.get(key)!, at, out);
    else out.push({ kind: 'removed', path: at, before: value });
  }
  for (const [key, value] of fresh) {
    if (!old.has(key)) out.push({ kind: 'added', path: join(path, key, Array.isArray(after)), after: value });
  }
}

function isBranch(value: Json): value is JsonObject | readonly Json[] {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function join(path: string, key: string, inArray: boolean): string {
  if (inArray) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

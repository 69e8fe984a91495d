// Rewrites the arguments of a step as its transform rules say. Pure: the proposed arguments are not changed.
import { isCelError, type Value } from '../spec/cel/value.ts';
import type { Json, JsonObject } from '../step/types.ts';
import type { Firing } from './evaluate.ts';
import { toJsonValue } from './view-value.ts';

/** Rules in spec order; a value that cannot be computed drops the argument, so that nothing unchecked passes. */
export function transformedArgs(firings: readonly Firing[], frame: Value[], args: JsonObject): JsonObject {
  let out: JsonObject = args;
  for (const { plan } of firings) {
    if (plan.form.t !== 'transform') continue;
    for (const op of plan.form.ops) {
      if (op.t === 'drop') out = withPath(out, op.path, undefined);
      else {
        const value = op.value(frame);
        out = withPath(out, op.path, NOT_JSON(value) ? undefined : toJsonValue(value));
      }
    }
  }
  return out;
}

const NOT_JSON = (value: Value): boolean =>
  isCelError(value) || (typeof value === 'number' && !Number.isFinite(value));

function withPath(object: JsonObject, path: readonly string[], value: Json | undefined): JsonObject {
  const [key, ...rest] = path as [string, ...string[]];
  const copy: Record<string, Json> = { ...object };
  if (rest.length === 0) {
    if (value === undefined) delete copy[key];
    else copy[key] = value;
    return copy;
  }
  const child = Object.hasOwn(object, key) ? object[key] : undefined;
  if (Array.isArray(child) && value === undefined) {
    copy[key] = child.map((item) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? withPath(item as JsonObject, rest, undefined)
        : (item as Json),
    );
    return copy;
  }
  if (typeof child !== 'object' || child === null || Array.isArray(child)) {
    if (value === undefined) return object;
    copy[key] = withPath({}, rest, value);
    return copy;
  }
  copy[key] = withPath(child as JsonObject, rest, value);
  return copy;
}

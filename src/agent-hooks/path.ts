// Section 5.2: paths into the target of a context, and the context with another value there. Pure.
import type { Json, JsonObject } from '../step/types.ts';
import type { AgentContext, Point } from './types.ts';

export type PathError = 'transform_invalid' | 'transform_target_forbidden';
export type ParsedPath =
  | { readonly ok: true; readonly segments: readonly (string | number)[] }
  | { readonly ok: false; readonly error: PathError };

export const SEGMENTS_MAX = 64;
const NAME = '[A-Za-z0-9_-]{1,200}';
const SEGMENT = new RegExp(`\\.(${NAME})|\\[(\\d{1,9})\\]|\\["(${NAME})"\\]`, 'y');

/** `$target.a[0]["b"]`; `$policy_target` is the older name of the same. */
export function parsePath(path: string): ParsedPath {
  const root = ['$target', '$policy_target'].find((name) => path.startsWith(name));
  if (root === undefined) return { ok: false, error: 'transform_target_forbidden' };
  const segments: (string | number)[] = [];
  SEGMENT.lastIndex = root.length;
  while (SEGMENT.lastIndex < path.length) {
    const found = SEGMENT.exec(path);
    if (found === null || segments.length === SEGMENTS_MAX) {
      SEGMENT.lastIndex = 0;
      return { ok: false, error: 'transform_invalid' };
    }
    segments.push(found[2] === undefined ? (found[1] ?? found[3]!) : Number(found[2]));
  }
  return { ok: true, segments };
}

/** Where the target of each point also stands in the context; null where nothing may be rewritten. */
const TARGETS: Readonly<Record<Point, readonly [member: string, inner?: string] | null>> = {
  agent_startup: null,
  input: ['input'],
  pre_model_call: ['messages'],
  post_model_call: ['response'],
  pre_tool_call: ['tool_call', 'args'],
  post_tool_call: ['tool_result', 'value'],
  output: ['output'],
  agent_shutdown: null,
};

export type Transformed =
  | { readonly ok: true; readonly context: AgentContext }
  | { readonly ok: false; readonly error: PathError };

/** The context with the value at the path, in its target and where the target stands; nothing else changes. */
export function transformContext(
  context: AgentContext,
  transform: { readonly path: string; readonly value?: Json },
): Transformed {
  const place = TARGETS[context.interception_point as Point];
  if (place === null || place === undefined) return { ok: false, error: 'transform_target_forbidden' };
  const path = parsePath(transform.path);
  if (!path.ok) return path;
  const target = replaced(context.target as Json, path.segments, 0, transform.value ?? null);
  if (target === NOT_THERE) return { ok: false, error: 'transform_invalid' };
  const [member, inner] = place;
  const holder = inner === undefined ? target : { ...(context[member] as JsonObject), [inner]: target };
  return { ok: true, context: { ...context, target, [member]: holder } };
}

const NOT_THERE = Symbol();

function replaced(
  value: Json,
  segments: readonly (string | number)[],
  at: number,
  by: Json,
): Json | typeof NOT_THERE {
  const segment = segments[at];
  if (segment === undefined) return by;
  if (typeof segment === 'number') {
    if (!Array.isArray(value) || segment >= value.length) return NOT_THERE;
    const item = replaced(value[segment] as Json, segments, at + 1, by);
    return item === NOT_THERE ? item : value.with(segment, item);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_THERE;
  const object = value as JsonObject;
  if (!Object.hasOwn(object, segment)) return NOT_THERE;
  const item = replaced(object[segment]!, segments, at + 1, by);
  if (item === NOT_THERE) return item;
  const copy: Record<string, Json> = { ...object };
  Object.defineProperty(copy, segment, { value: item, enumerable: true, writable: true, configurable: true });
  return copy;
}

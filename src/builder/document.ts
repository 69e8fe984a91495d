// From what a builder is given to the plain document: functions are called, expressions become their text. Pure.
import type { Json, JsonObject } from '../step/types.ts';
import { celText, field, isCel } from './expression.ts';
import { origin, past } from './history.ts';

const VARIABLES = [
  'args',
  'result',
  'content',
  'name',
  'kind',
  'principal',
  'agent',
  'time',
  'labels',
  'attributes',
  'session',
  'error',
  'call',
  'tool',
  'context',
  'verdict',
  'after',
  'then',
] as const;

const NAMES: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(VARIABLES.map((name) => [name, field(name)])),
  past,
  origin,
  named: (name: string) => field(name),
};

export function documentOf(part: object): JsonObject {
  return plain(part) as JsonObject;
}

/** A part as data: expressions as text, other specs as their documents, nothing that is undefined. */
export function plain(value: unknown): Json {
  if (isCel(value)) return celText(value);
  if (typeof value === 'function') return plain(value(NAMES));
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object') {
    const whole = value as { readonly toJson?: unknown };
    if (typeof whole.toJson === 'function') return plain(whole.toJson());
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
  }
  throw new TypeError(
    `${String(value)} has no place in a spec: text, finite numbers, true, false, null, lists and maps have`,
  );
}

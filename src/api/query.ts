// Query strings, read once: known keys only, each with its type and bound.
import { nearest } from '../step/nearest.ts';
import { type Problem, problem } from './problem.ts';

export const QUERY_LENGTH_MAX = 500;

/** What a key holds: text, one of some words, or a whole number in a range with the value it has when absent. */
export type Key =
  | { readonly type: 'text' }
  | { readonly type: 'word'; readonly of: readonly string[] }
  | { readonly type: 'number'; readonly min: number; readonly max: number; readonly absent: number };

type ValueOf<K extends Key> = K extends { type: 'number' } ? number : string | undefined;
export type Query<S extends Record<string, Key>> = { readonly [K in keyof S]: ValueOf<S[K]> };

export type ParsedQuery<S extends Record<string, Key>> =
  | { readonly ok: true; readonly value: Query<S> }
  | { readonly ok: false; readonly problem: Problem };

export function parseQuery<S extends Record<string, Key>>(text: string, keys: S): ParsedQuery<S> {
  const given = new URLSearchParams(text);
  for (const key of given.keys()) {
    if (Object.hasOwn(keys, key)) continue;
    const near = nearest(key, Object.keys(keys));
    const known = Object.keys(keys).join(', ') || 'none';
    return refuse(key, 'an unknown key', near === null ? `Known keys: ${known}.` : `Did you mean "${near}"?`);
  }
  const value: Record<string, string | number | undefined> = {};
  for (const [name, key] of Object.entries(keys)) {
    const text = given.get(name) ?? undefined;
    if (key.type === 'number') {
      const number = text === undefined ? key.absent : /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (!(number >= key.min && number <= key.max)) {
        return refuse(name, `expected a whole number from ${key.min} to ${key.max}, found ${quote(text)}`);
      }
      value[name] = number;
    } else {
      if (text !== undefined && text.length > QUERY_LENGTH_MAX) return refuse(name, 'the value is too long');
      if (key.type === 'word' && text !== undefined && !key.of.includes(text)) {
        return refuse(name, `expected one of ${key.of.join(', ')}, found ${quote(text)}`);
      }
      value[name] = text;
    }
  }
  return { ok: true, value: value as Query<S> };
}

function quote(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 60));
}

function refuse(where: string, detail: string, mend?: string): { ok: false; problem: Problem } {
  const more = mend === undefined ? { where } : { where, mend };
  return { ok: false, problem: problem('invalid-query', `${where.slice(0, 60)}: ${detail}`, more) };
}

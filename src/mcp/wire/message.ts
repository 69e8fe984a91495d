// JSON-RPC 2.0 as MCP uses it: one text to one message, or why it is none. Whatever two readers could read differently is
// refused, so that what was decided is what the other side reads.
import { JSON_DEPTH_MAX, parseJsonText } from '../../step/json.ts';
import { twinOf } from '../../step/unique-keys.ts';

export type Id = string | number;
export type Fields = { readonly [key: string]: unknown };

export type Message =
  | { readonly t: 'request'; readonly id: Id; readonly method: string; readonly params: Fields }
  | { readonly t: 'notification'; readonly method: string; readonly params: Fields }
  | { readonly t: 'result'; readonly id: Id; readonly result: Fields }
  /** An answer without an id is to something that could not be read. */
  | { readonly t: 'error'; readonly id: Id | null; readonly error: Fields };
export type Request = Extract<Message, { t: 'request' }>;

export interface Unreadable {
  readonly code: number;
  readonly message: string;
  readonly id: Id | null;
}

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
/** A mirrored header that says something else than the body (MCP 2026-07-28). */
export const HEADER_MISMATCH = -32020;
/** Ours, of the range left to implementations: the policy does not allow it. */
export const DENIED = -32011;
/** Ours: it waits for a person. */
export const HELD = -32012;
/** Ours: no decision could be had, or the other side failed. Not a policy. */
export const UNAVAILABLE = -32013;

const KEYS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'] as const;
const ID_LENGTH_MAX = 512;

/** @example readMessage('{"jsonrpc":"2.0","id":1,"method":"ping"}') */
export function readMessage(
  text: string,
):
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly unreadable: Unreadable } {
  const parsed = parseJsonText(text);
  if (!parsed.ok) return bad(PARSE_ERROR, `Parse error: ${parsed.problem.expected} expected`, null);
  const value = parsed.value;
  if (Array.isArray(value))
    return bad(INVALID_REQUEST, 'Batches are not taken; send each message alone', null);
  if (!isFields(value)) return bad(INVALID_REQUEST, 'A message is a JSON object', null);
  const id = isId(value.id) ? value.id : null;
  const twin = twinOf(value, KEYS);
  if (twin !== null) return bad(INVALID_REQUEST, `The key ${JSON.stringify(twin)} is ambiguous`, id);
  if (value.jsonrpc !== '2.0') return bad(INVALID_REQUEST, 'jsonrpc is "2.0"', id);
  const given = (['method', 'result', 'error'] as const).filter((key) => Object.hasOwn(value, key));
  if (given.length !== 1) return bad(INVALID_REQUEST, 'A message has one of method, result and error', id);
  if (Object.hasOwn(value, 'id') && id === null && !(value.id === null && given[0] === 'error'))
    return bad(INVALID_REQUEST, 'An id is a string or a whole number', null);
  switch (given[0]!) {
    case 'method': {
      const { method, params = {} } = value;
      if (typeof method !== 'string') return bad(INVALID_REQUEST, 'method is a string', id);
      if (!isFields(params)) return bad(INVALID_PARAMS, 'params is an object', id);
      return good(id === null ? { t: 'notification', method, params } : { t: 'request', id, method, params });
    }
    case 'result':
      if (id === null || !isFields(value.result)) return bad(INVALID_REQUEST, 'result is an object', id);
      return good({ t: 'result', id, result: value.result });
    case 'error':
      if (!isFields(value.error)) return bad(INVALID_REQUEST, 'error is an object', id);
      return good({ t: 'error', id, error: value.error });
  }
}

function good(message: Message) {
  return { ok: true as const, message };
}

function bad(code: number, message: string, id: Id | null) {
  return { ok: false as const, unreadable: { code, message, id } };
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of what may be no object at all. */
export function field(value: unknown, name: string): unknown {
  return isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isId(value: unknown): value is Id {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return typeof value === 'string' && value.length <= ID_LENGTH_MAX;
}

/** Ids 1 and "1" are two. */
export function idKey(id: Id): string {
  return typeof id === 'number' ? `n${id}` : `s${id}`;
}

/**
 * A key in an object that a reader which ignores case takes for another one of it, or for one that its schema knows.
 * Null when every reader takes every key for the same.
 */
export function twinIn(value: unknown, schema: unknown, depth = 0): string | null {
  // Deeper arguments are refused where they are proposed.
  if (depth > JSON_DEPTH_MAX) return null;
  if (Array.isArray(value)) {
    const items = field(schema, 'items');
    for (const item of value) {
      const twin = twinIn(item, items, depth + 1);
      if (twin !== null) return twin;
    }
    return null;
  }
  if (!isFields(value)) return null;
  const properties = field(schema, 'properties');
  const known = new Map<string, string>();
  for (const key of isFields(properties) ? Object.keys(properties) : []) known.set(key.toLowerCase(), key);
  for (const [key, item] of Object.entries(value)) {
    const low = key.toLowerCase();
    const other = known.get(low);
    if (other !== undefined && other !== key && field(properties, key) === undefined) return key;
    known.set(low, key);
    const twin = twinIn(item, field(properties, key), depth + 1);
    if (twin !== null) return twin;
  }
  return null;
}

export function requestText(id: Id, method: string, params: Fields): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

export function resultText(id: Id, result: Fields): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

export function notificationText(method: string, params: Fields): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

export function errorText(id: Id | null, code: number, message: string, data?: Fields): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    error: data === undefined ? { code, message } : { code, message, data },
  });
}

// Python literals, as `str()` and `repr()` print dicts and lists: what a Python tool returns when nobody serialised it.
// Pure. Strings, numbers, True, False, None, lists, tuples and dicts; a call such as `datetime(...)` is not structure.
import type { Json } from '../types.ts';
import { DEPTH_MAX, NODES_MAX } from './limits.ts';
import { numberOf } from './number.ts';
import { addField, type Fields } from './object.ts';
import { readHex } from './yaml-scalar.ts';

interface Cursor {
  readonly text: string;
  at: number;
  nodes: number;
}

/** The value of a printed dict or list, or undefined. Only single spaces stand between tokens, as `repr` puts them. */
export function parsePythonLiteral(text: string): Json | undefined {
  const cursor: Cursor = { text, at: 0, nodes: 0 };
  const value = readValue(cursor, 0);
  return cursor.at === text.length ? value : undefined;
}

function readValue(cursor: Cursor, depth: number): Json | undefined {
  if (++cursor.nodes > NODES_MAX || depth > DEPTH_MAX) return undefined;
  switch (cursor.text.charAt(cursor.at)) {
    case '{':
      return readDict(cursor, depth);
    case '[':
      return readItems(cursor, ']', depth);
    case '(':
      return readItems(cursor, ')', depth);
    case "'":
    case '"':
      return readString(cursor);
  }
  return readWord(cursor);
}

function readDict(cursor: Cursor, depth: number): Json | undefined {
  const fields: Fields = {};
  cursor.at++;
  if (take(cursor, '}')) return fields;
  do {
    const key = readValue(cursor, depth + 1);
    if ((typeof key !== 'string' && typeof key !== 'number') || !take(cursor, ': ')) return undefined;
    const value = readValue(cursor, depth + 1);
    if (value === undefined || !addField(fields, String(key), value)) return undefined;
  } while (take(cursor, ', '));
  return take(cursor, '}') ? fields : undefined;
}

function readItems(cursor: Cursor, close: ']' | ')', depth: number): Json | undefined {
  const items: Json[] = [];
  cursor.at++;
  if (take(cursor, close)) return items;
  do {
    const item = readValue(cursor, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
  } while (take(cursor, ', '));
  if (close === ')' && items.length === 1) take(cursor, ',');
  return take(cursor, close) ? items : undefined;
}

function take(cursor: Cursor, token: string): boolean {
  if (!cursor.text.startsWith(token, cursor.at)) return false;
  cursor.at += token.length;
  return true;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  n: '\n',
  r: '\r',
  t: '\t',
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function readString(cursor: Cursor): string | undefined {
  const { text } = cursor;
  const quote = text.charAt(cursor.at);
  let value = '';
  let run = cursor.at + 1;
  for (let i = run; i < text.length; ) {
    const letter = text.charAt(i);
    if (letter === '\n') return undefined;
    if (letter === quote) {
      cursor.at = i + 1;
      value += text.slice(run, i);
      return value.isWellFormed() ? value : undefined;
    }
    if (letter !== '\\') {
      i++;
      continue;
    }
    value += text.slice(run, i);
    const escaped = text.charAt(i + 1);
    const digits = HEX_DIGITS[escaped];
    const code = digits === undefined ? undefined : readHex(text, i + 2, digits);
    if (code !== undefined && code <= 0x10ffff) value += String.fromCodePoint(code);
    else if (ESCAPES[escaped] !== undefined) value += ESCAPES[escaped];
    else return undefined;
    i += 2 + (digits ?? 0);
    run = i;
  }
  return undefined;
}

/** True, False, None or a number; an integer past 2^53 keeps its digits as text. */
function readWord(cursor: Cursor): Json | undefined {
  const { text, at } = cursor;
  let end = at;
  while (end < text.length && !',]}): '.includes(text.charAt(end))) end++;
  if (end - at > 64) return undefined;
  cursor.at = end;
  const word = text.slice(at, end);
  if (word === 'True') return true;
  if (word === 'False') return false;
  if (word === 'None') return null;
  if (/^-?\d+e[+-]\d+$/.test(word)) return Number.isFinite(Number(word)) ? Number(word) : undefined;
  const number = numberOf(word);
  if (number !== undefined) return number;
  return /^-?[1-9]\d*$/.test(word) ? word : undefined;
}

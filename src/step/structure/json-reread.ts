// The slow, exact reading of a text that is known to be JSON and within limits: keeps the digits of integers a double
// would round, decodes every key by itself, refuses duplicate keys. Pure.
import type { Json } from '../types.ts';
import { isRounded } from './number.ts';
import { addField, type Fields } from './object.ts';

/** The value, or undefined when an object has a key twice or a key is not well-formed text. */
export function rereadJson(text: string): Json | undefined {
  return readValue({ text, at: 0 });
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** The next character that is not white space. */
function peek(cursor: Cursor): string {
  while (' \t\n\r'.includes(cursor.text.charAt(cursor.at))) cursor.at++;
  return cursor.text.charAt(cursor.at);
}

/** Whether another item follows: steps over the comma, or over the closing bracket. */
function another(cursor: Cursor): boolean {
  const more = peek(cursor) === ',';
  cursor.at++;
  return more;
}

function readValue(cursor: Cursor): Json | undefined {
  switch (peek(cursor)) {
    case '{':
      return readObject(cursor);
    case '[':
      return readArray(cursor);
    case '"':
      return readString(cursor);
  }
  const start = cursor.at;
  while (cursor.at < cursor.text.length && !',]} \t\n\r'.includes(cursor.text.charAt(cursor.at))) cursor.at++;
  const word = cursor.text.slice(start, cursor.at);
  const value = JSON.parse(word) as Json;
  return typeof value === 'number' && isRounded(value) ? word : value;
}

function readObject(cursor: Cursor): Json | undefined {
  const fields: Fields = {};
  cursor.at++;
  if (peek(cursor) === '}') {
    cursor.at++;
    return fields;
  }
  do {
    peek(cursor);
    const key = readString(cursor);
    peek(cursor);
    cursor.at++;
    const value = readValue(cursor);
    if (value === undefined || !key.isWellFormed() || !addField(fields, key, value)) return undefined;
  } while (another(cursor));
  return fields;
}

function readArray(cursor: Cursor): Json | undefined {
  const items: Json[] = [];
  cursor.at++;
  if (peek(cursor) === ']') {
    cursor.at++;
    return items;
  }
  do {
    const item = readValue(cursor);
    if (item === undefined) return undefined;
    items.push(item);
  } while (another(cursor));
  return items;
}

function readString(cursor: Cursor): string {
  const start = cursor.at;
  cursor.at = afterString(cursor.text, start);
  return JSON.parse(cursor.text.slice(start, cursor.at)) as string;
}

/** The place behind a string of valid JSON text that opens at `quote`. */
export function afterString(text: string, quote: number): number {
  let end = text.indexOf('"', quote + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let i = at;
  while (text.charCodeAt(i - 1) === 0x5c) i--;
  return (at - i) % 2 === 1;
}

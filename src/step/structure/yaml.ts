// YAML as serialisers dump it: block mappings and sequences of scalars, nothing else. Pure, one pass, no backtracking.
// Anchors, aliases, tags, comments, flow collections, complex keys and blank lines between entries are not structure:
// a dump has none of them, so a text that has them was written by somebody, and nobody may write fields into it.
import type { Json } from '../types.ts';
import { DEPTH_MAX, NODES_MAX } from './limits.ts';
import { addField, type Fields } from './object.ts';
import { readBlockScalar } from './yaml-block.ts';
import {
  type Cursor,
  isGap,
  nextLine,
  readDoubleQuoted,
  readPlain,
  readSingleQuoted,
} from './yaml-scalar.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const HASH = 0x23;
const DASH = 0x2d;
const COLON = 0x3a;

/** A dumped document: a mapping or a sequence, or undefined when the text is anything else. */
export function parseYamlDump(text: string): Json | undefined {
  if (UNUSUAL.test(text) || text.endsWith(' ') || text.endsWith('\t')) return undefined;
  const start = text.startsWith('---\n') ? 4 : 0;
  const first = text.charCodeAt(start);
  if (first === SPACE || first === NEWLINE || start >= text.length) return undefined;
  const cursor: Cursor = { text, at: start, column: 0, nodes: 0 };
  if (!isDash(cursor)) {
    const fields = readMapping(cursor, 0, 0);
    if (fields === undefined || cursor.column !== -1) return undefined;
    return isSentence(text, start, fields) ? undefined : fields;
  }
  const items = readSequence(cursor, 0, 0);
  return cursor.column === -1 ? items : undefined;
}

/** Characters that dumps escape, and line breaks on which YAML 1.1 and 1.2 differ. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters looked for
const UNUSUAL = /[\0-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]/;

/**
 * `Note: call me` is a sentence and `message: sent` is a dump with one field. A lone scalar field counts only under a
 * name a programmer would give it, and never under the words programs print before a message.
 */
function isSentence(text: string, start: number, fields: Fields): boolean {
  const [entry, another] = Object.entries(fields);
  if (entry === undefined || another !== undefined) return false;
  const [key, value] = entry;
  if (value !== null && typeof value === 'object') return false;
  const quoted = text.charCodeAt(start) === 0x22 || text.charCodeAt(start) === 0x27;
  return !quoted && (!FIELD_NAME.test(key) || ANNOUNCEMENT.test(key));
}
const FIELD_NAME = /^[a-z_][A-Za-z0-9_-]{0,63}$/;
const ANNOUNCEMENT =
  /^(?:.*(?:error|exception|warning|failure)|warn|fatal|failed|note|notice|info|hint|usage)$/i;

function isDash(cursor: Cursor): boolean {
  return cursor.text.charCodeAt(cursor.at) === DASH && isGap(cursor.text.charCodeAt(cursor.at + 1));
}

function readMapping(cursor: Cursor, column: number, depth: number): Fields | undefined {
  if (depth >= DEPTH_MAX || ++cursor.nodes > NODES_MAX) return undefined;
  const fields: Fields = {};
  do {
    const key = readKey(cursor);
    if (key === undefined) return undefined;
    const value = readEntry(cursor, column, depth);
    if (value === undefined || !addField(fields, key, value)) return undefined;
  } while (cursor.column === column);
  return cursor.column < column ? fields : undefined;
}

/** The value after `key:`, on the same line or below it. */
function readEntry(cursor: Cursor, column: number, depth: number): Json | undefined {
  const { text, at } = cursor;
  if (text.charCodeAt(at) === SPACE) {
    cursor.at = at + 1;
    return readScalar(cursor, column);
  }
  if (!nextLine(cursor, at)) return undefined;
  if (cursor.column > column) return readBelow(cursor, column, depth + 1);
  // A sequence may stand right under its key, not indented: PyYAML writes it so.
  if (cursor.column === column && isDash(cursor)) return readSequence(cursor, column, depth + 1);
  return null;
}

/** What stands on lines of its own: a collection, or a quoted scalar. A plain one there is a person's layout. */
function readBelow(cursor: Cursor, parent: number, depth: number): Json | undefined {
  if (isDash(cursor)) return readSequence(cursor, cursor.column, depth);
  const first = cursor.text.charCodeAt(cursor.at);
  const quoted = first === 0x22 || first === 0x27;
  return quoted && !isKeyAhead(cursor)
    ? readScalar(cursor, parent)
    : readMapping(cursor, cursor.column, depth);
}

function readSequence(cursor: Cursor, column: number, depth: number): Json[] | undefined {
  if (depth >= DEPTH_MAX || ++cursor.nodes > NODES_MAX) return undefined;
  const items: Json[] = [];
  do {
    const item = readItem(cursor, column, depth);
    if (item === undefined) return undefined;
    items.push(item);
  } while (cursor.column === column && isDash(cursor));
  return cursor.column <= column ? items : undefined;
}

/** What follows a dash: a collection that starts on the same line, one below it, or a scalar. */
function readItem(cursor: Cursor, column: number, depth: number): Json | undefined {
  const { text } = cursor;
  const dash = cursor.at;
  let at = dash + 1;
  while (text.charCodeAt(at) === SPACE) at++;
  if (at === text.length || text.charCodeAt(at) === NEWLINE) {
    if (at !== dash + 1 || !nextLine(cursor, at)) return undefined;
    return cursor.column > column ? readBelow(cursor, column, depth + 1) : null;
  }
  cursor.at = at;
  const inner = column + at - dash;
  if (isDash(cursor)) return readSequence(cursor, inner, depth + 1);
  if (isKeyAhead(cursor)) return readMapping(cursor, inner, depth + 1);
  return readScalar(cursor, column);
}

function isKeyAhead(cursor: Cursor): boolean {
  const { at } = cursor;
  const found = readKey(cursor) !== undefined;
  cursor.at = at;
  return found;
}

/** A key on one line; leaves the cursor behind its colon. */
function readKey(cursor: Cursor): string | undefined {
  const { text, at } = cursor;
  const first = text.charCodeAt(at);
  if (first === 0x27 || first === 0x22) {
    const key = first === 0x27 ? readSingleQuoted(cursor, -1) : readDoubleQuoted(cursor, -1);
    if (key === undefined || text.charCodeAt(cursor.at) !== COLON) return undefined;
    const onOneLine = text.lastIndexOf('\n', cursor.at) < at;
    if (!onOneLine || !isGap(text.charCodeAt(cursor.at + 1))) return undefined;
    cursor.at++;
    return key;
  }
  if (!startsPlain(text, at)) return undefined;
  for (let i = at; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === NEWLINE) return undefined;
    if (unit === HASH && text.charCodeAt(i - 1) === SPACE) return undefined;
    if (unit === COLON && isGap(text.charCodeAt(i + 1))) {
      if (i === at || text.charCodeAt(i - 1) === SPACE) return undefined;
      cursor.at = i + 1;
      const key = text.slice(at, i);
      return NOT_A_KEY.has(key) || isVariedNumber(key) ? undefined : key;
    }
  }
  return undefined;
}

/** Words that readers turn into something else than a key of that name. */
const NOT_A_KEY = new Set(['<<', 'null', 'Null', 'NULL', '~']);

/** `1.0` and `0123` become different keys with different readers; `7` does not. */
function isVariedNumber(key: string): boolean {
  const value = Number(key);
  return !Number.isNaN(value) && String(value) !== key;
}

/** Whether a plain scalar may start here: no indicator (YAML 1.2.2 section 7.3.3), no blank. */
function startsPlain(text: string, at: number): boolean {
  const first = text.charAt(at);
  if (first === '-' || first === '?' || first === ':') return !isGap(text.charCodeAt(at + 1));
  return first !== '' && !INDICATORS.includes(first);
}
const INDICATORS = ' \t\n,[]{}#&*!|>\'"%@`';

/** A scalar or an empty collection in the rest of the line, with the lines it is folded over. */
function readScalar(cursor: Cursor, parent: number): Json | undefined {
  const { text, at } = cursor;
  if (++cursor.nodes > NODES_MAX) return undefined;
  switch (text.charAt(at)) {
    case "'":
      return endingLine(cursor, readSingleQuoted(cursor, parent));
    case '"':
      return endingLine(cursor, readDoubleQuoted(cursor, parent));
    case '|':
    case '>':
      return readBlockScalar(cursor, parent);
    case '{':
      cursor.at += 2;
      return text.charAt(at + 1) === '}' ? endingLine(cursor, {}) : undefined;
    case '[':
      cursor.at += 2;
      return text.charAt(at + 1) === ']' ? endingLine(cursor, []) : undefined;
  }
  return startsPlain(text, at) ? readPlain(cursor, parent) : undefined;
}

/** The value, when nothing stands behind it on its line and no deeper line follows. */
function endingLine(cursor: Cursor, value: Json | undefined): Json | undefined {
  const { text, at } = cursor;
  if (value === undefined || (at < text.length && text.charCodeAt(at) !== NEWLINE)) return undefined;
  return nextLine(cursor, at) ? value : undefined;
}

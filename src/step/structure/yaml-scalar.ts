// YAML scalars as serialisers emit them (YAML 1.2.2 chapters 7.3 and 8.1): quoted and folded, literal blocks, words.
// Pure. A reader answers undefined for anything a serialiser would not have written; the cursor is then of no use.
import type { Json } from '../types.ts';
import { numberOf } from './number.ts';

/**
 * A place in the text. Between values it stands on the first character of a line that is not blank, `column` being that
 * character's column; past the last line `column` is -1.
 */
export interface Cursor {
  readonly text: string;
  at: number;
  column: number;
  nodes: number;
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Moves from the end of a line to the next one. False when blank lines stand between two values: nobody emits that. */
export function nextLine(cursor: Cursor, lineEnd: number): boolean {
  const { text } = cursor;
  const start = lineEnd + 1;
  let at = start;
  while (text.charCodeAt(at) === SPACE) at++;
  if (at < text.length && text.charCodeAt(at) !== NEWLINE) {
    cursor.at = at;
    cursor.column = at - start;
    return true;
  }
  while (at < text.length && (text.charCodeAt(at) === NEWLINE || text.charCodeAt(at) === SPACE)) at++;
  cursor.at = at;
  cursor.column = -1;
  return at >= text.length;
}

export function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** What an unquoted word means where every dialect agrees; otherwise it is the word itself. Dates stay words. */
export function resolveWord(word: string): Json {
  switch (word) {
    case 'null':
    case 'Null':
    case 'NULL':
    case '~':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
  }
  const first = word.charCodeAt(0);
  if (first !== 0x2d && (first < 0x30 || first > 0x39)) return word;
  return numberOf(word) ?? word;
}

/** A plain scalar, perhaps folded over lines indented deeper than `parent`. Only a one-line scalar can be a number. */
export function readPlain(cursor: Cursor, parent: number): Json | undefined {
  const first = plainLine(cursor);
  if (first === undefined) return undefined;
  if (cursor.column <= parent) return resolveWord(first);
  let folded = first;
  while (cursor.column > parent) {
    const line = plainLine(cursor);
    if (line === undefined) return undefined;
    folded += ` ${line}`;
  }
  return folded;
}

/** The rest of a line as plain text: no comment, no `: `, no trailing blank. Moves to the next line. */
function plainLine(cursor: Cursor): string | undefined {
  const { text, at } = cursor;
  if (text.charCodeAt(at) === HASH || text.charCodeAt(at) === TAB) return undefined;
  let i = at;
  for (; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === NEWLINE) break;
    if (unit === COLON && isGap(text.charCodeAt(i + 1))) return undefined;
    if (unit === HASH && isBlank(text.charCodeAt(i - 1))) return undefined;
  }
  if (isBlank(text.charCodeAt(i - 1)) || !nextLine(cursor, i)) return undefined;
  return text.slice(at, i);
}

/** Space, tab, end of line or end of text (NaN): what ends an indicator. */
export function isGap(unit: number): boolean {
  return unit === SPACE || unit === NEWLINE || unit === TAB || Number.isNaN(unit);
}

function isBlank(unit: number): boolean {
  return unit === SPACE || unit === TAB;
}

/** `'it''s'`, folded or not; leaves the cursor behind the closing quote. */
export function readSingleQuoted(cursor: Cursor, parent: number): string | undefined {
  const { text } = cursor;
  const start = cursor.at + 1;
  let end = text.indexOf("'", start);
  let doubled = false;
  while (end !== -1 && text.charCodeAt(end + 1) === 0x27) {
    doubled = true;
    end = text.indexOf("'", end + 2);
  }
  if (end === -1) return undefined;
  cursor.at = end + 1;
  const raw = text.slice(start, end);
  const unfolded = raw.includes('\n') ? unfold(raw, parent) : raw;
  return doubled ? unfolded?.replaceAll("''", "'") : unfolded;
}

/** Line folding of flow scalars (YAML 1.2.2 section 6.5): one break is a space, n + 1 breaks are n newlines. */
function unfold(raw: string, parent: number): string | undefined {
  const lines = raw.split('\n');
  let folded = withoutTrailingBlanks(lines[0]!);
  let breaks = 0;
  for (let i = 1; i < lines.length; i++) {
    breaks++;
    const line = lines[i]!;
    let from = 0;
    while (isBlank(line.charCodeAt(from))) from++;
    const last = i === lines.length - 1;
    if (from === line.length && !last) continue;
    if (!isIndented(line, parent)) return undefined;
    folded += breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
    folded += last ? line.slice(from) : withoutTrailingBlanks(line.slice(from));
    breaks = 0;
  }
  return folded;
}

function isIndented(line: string, parent: number): boolean {
  for (let i = 0; i <= parent; i++) if (line.charCodeAt(i) !== SPACE) return false;
  return true;
}

function withoutTrailingBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** `"a\tb"`, folded or not; leaves the cursor behind the closing quote. */
export function readDoubleQuoted(cursor: Cursor, parent: number): string | undefined {
  const { text } = cursor;
  let value = '';
  let run = cursor.at + 1;
  let surrogates = false;
  for (let i = run; i < text.length; ) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      value += text.slice(run, i);
      cursor.at = i + 1;
      return surrogates && !value.isWellFormed() ? undefined : value;
    }
    if (unit === NEWLINE) {
      const fold = skipBreaks(text, i, parent);
      if (fold === undefined) return undefined;
      value += withoutTrailingBlanks(text.slice(run, i));
      value += fold.breaks === 1 ? ' ' : '\n'.repeat(fold.breaks - 1);
      run = i = fold.at;
    } else if (unit === BACKSLASH) {
      value += text.slice(run, i);
      if (text.charCodeAt(i + 1) === NEWLINE) {
        const fold = skipBreaks(text, i + 1, parent);
        if (fold === undefined) return undefined;
        value += '\n'.repeat(fold.breaks - 1);
        run = i = fold.at;
        continue;
      }
      const escaped = readEscape(text, i + 1);
      if (escaped === undefined) return undefined;
      surrogates ||= escaped.surrogate;
      value += escaped.value;
      run = i = escaped.at;
    } else i++;
  }
  return undefined;
}

/** From a line break over blank lines and indentation to the text that goes on, which must be deeper than `parent`. */
function skipBreaks(text: string, from: number, parent: number): { at: number; breaks: number } | undefined {
  let breaks = 0;
  let at = from;
  let lineStart = from;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === NEWLINE) {
      breaks++;
      lineStart = at + 1;
    } else if (unit !== SPACE && unit !== TAB) break;
    at++;
  }
  for (let i = lineStart; i <= lineStart + parent; i++) if (text.charCodeAt(i) !== SPACE) return undefined;
  return { at, breaks };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** An escape sequence (YAML 1.2.2 section 5.7) from the character after the backslash. */
function readEscape(
  text: string,
  from: number,
): { value: string; at: number; surrogate: boolean } | undefined {
  const letter = text.charAt(from);
  const known = ESCAPES[letter];
  if (known !== undefined) return { value: known, at: from + 1, surrogate: false };
  const digits = HEX_DIGITS[letter];
  if (digits === undefined) return undefined;
  const code = readHex(text, from + 1, digits);
  if (code === undefined || code > 0x10ffff) return undefined;
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  return { value: String.fromCodePoint(code), at: from + 1 + digits, surrogate };
}

export function readHex(text: string, from: number, digits: number): number | undefined {
  const hex = text.slice(from, from + digits);
  return hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : undefined;
}

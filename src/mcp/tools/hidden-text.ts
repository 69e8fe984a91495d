// Text that a model reads and a person does not see: invisible and control characters, comments, long encoded runs, and
// what whitespace pushes out of view. Says what is there, not what it means. Pure, linear, no RegExp.

import { pointer } from '../../step/json.ts';
import type { Json } from '../../step/types.ts';

/** Shortest run of base64 or hex that is no word, key or identifier. */
const ENCODED_RUN_MIN = 200;
const BLANK_RUN_MIN = 100;
const FOUND_MAX = 8;
const DEPTH_MAX = 64;

/** Descriptions of what is hidden in any text of the value, keys too, with its place (RFC 6901). */
export function hiddenIn(value: Json): string[] {
  const found: string[] = [];
  visit(value, '', 0, found);
  return found;
}

function visit(value: Json, at: string, depth: number, found: string[]): void {
  if (found.length >= FOUND_MAX || depth > DEPTH_MAX) return;
  if (typeof value === 'string') {
    for (const what of hiddenInText(value)) found.push(`${at === '' ? 'the text' : at} has ${what}`);
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visit(item, pointer(at, i), depth + 1, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const what of hiddenInText(key))
        found.push(`a key of ${at === '' ? 'the definition' : at} has ${what}`);
      visit(item, pointer(at, key), depth + 1, found);
    }
  }
}

export function hiddenInText(text: string): string[] {
  const found: string[] = [];
  const counts = new Map<string, { count: number; first: string }>();
  let encoded = 0;
  let blank = 0;
  let longestEncoded = 0;
  let longestBlank = 0;
  let before = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const kind = kindOf(code, before);
    if (kind !== null) {
      const seen = counts.get(kind);
      if (seen === undefined) counts.set(kind, { count: 1, first: `U+${hex(code)}` });
      else seen.count += 1;
    }
    encoded = isEncoding(code) ? encoded + 1 : 0;
    blank = code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 ? blank + 1 : 0;
    longestEncoded = Math.max(longestEncoded, encoded);
    longestBlank = Math.max(longestBlank, blank);
    before = code;
  }
  for (const [kind, { count, first }] of counts) found.push(`${count} ${kind} (${first})`);
  if (text.includes('<!--')) found.push('an HTML comment');
  if (longestEncoded >= ENCODED_RUN_MIN) found.push(`an encoded run of ${longestEncoded} characters`);
  if (longestBlank >= BLANK_RUN_MIN) found.push(`${longestBlank} blanks in a row`);
  return found;
}

function kindOf(code: number, before: number): string | null {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d ? null : 'control characters';
  if (code < 0x7f) return null;
  if (code < 0xa0) return 'control characters';
  if (code >= 0xe0000 && code <= 0xe007f) return 'tag characters';
  if (code >= 0xe0100 && code <= 0xe01ef) return 'invisible characters';
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return 'direction overrides';
  // Joiners belong to emoji and to scripts such as Persian and Hindi; between Latin letters they only hide.
  if (code === 0x200c || code === 0x200d) return before > 0x2ff ? null : 'invisible characters';
  return INVISIBLE.has(code) ? 'invisible characters' : null;
}

const INVISIBLE = new Set([
  0xad, 0x34f, 0x115f, 0x1160, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x2060, 0x2061, 0x2062, 0x2063,
  0x2064, 0x3164, 0xfeff, 0xffa0,
]);

function isEncoding(code: number): boolean {
  const digit = code >= 0x30 && code <= 0x39;
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return digit || letter || code === 0x2b || code === 0x2f || code === 0x3d || code === 0x5f || code === 0x2d;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}

// JSON text (RFC 8259) to a value, only when every reader would see the same value: no duplicate keys, no lone
// surrogates, no integer a double would round. Pure; one native parse, one walk, one hop over the strings.
import type { Json } from '../types.ts';
import { afterString, rereadJson } from './json-reread.ts';
import { DEPTH_MAX, NODES_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import { isRounded } from './number.ts';

/**
 * The value of a JSON text, or undefined. Integers past 2^53 become strings of their digits. Duplicate keys are found
 * without a parser of our own: the value has as many keys as the text has colons outside strings, or it lost some.
 */
export function parseExactJson(text: string): Json | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const tally: Tally = { keys: 0, nodes: 0, inexact: false, mayBeIllFormed: SURROGATE.test(text) };
  if (!measure(value, 0, tally)) return undefined;
  if (tally.keys === 0) return tally.inexact ? rereadJson(text) : value;
  const names = scanNames(text);
  // V8 may misread an escaped key after it has seen certain others (nodejs/node#63785): never trust it with one.
  if (names.escaped || tally.inexact) return rereadJson(text);
  return names.count === tally.keys ? value : undefined;
}

interface Tally {
  keys: number;
  nodes: number;
  inexact: boolean;
  readonly mayBeIllFormed: boolean;
}

/** A surrogate, raw or escaped: only then can a string be ill-formed. */
const SURROGATE = /[\ud800-\udfff]|\\u[dD][89a-fA-F]/;

/** Counts keys and values; false when the value is too deep, too big or holds ill-formed text. */
function measure(value: Json, depth: number, tally: Tally): boolean {
  if (++tally.nodes > NODES_MAX) return false;
  switch (typeof value) {
    case 'string':
      return !tally.mayBeIllFormed || value.isWellFormed();
    case 'number':
      if (isRounded(value)) tally.inexact = true;
      return true;
    case 'object':
      break;
    default:
      return true;
  }
  if (value === null) return true;
  if (depth >= DEPTH_MAX) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!measure(value[i]!, depth + 1, tally)) return false;
    return true;
  }
  for (const [key, item] of Object.entries(value)) {
    tally.keys++;
    if (tally.mayBeIllFormed && !key.isWellFormed()) return false;
    if (!measure(item, depth + 1, tally)) return false;
  }
  return true;
}

/** How many names the objects of a valid JSON text have, and whether one is written with an escape. */
function scanNames(text: string): { count: number; escaped: boolean } {
  let count = 0;
  let escaped = false;
  const mayBeEscaped = text.includes('\\');
  let nameStart = 0;
  let nameEnd = 0;
  let i = 0;
  while (i < text.length) {
    const quote = text.indexOf('"', i);
    const end = quote === -1 ? text.length : quote;
    for (; i < end; i++) {
      if (text.charCodeAt(i) !== 0x3a) continue;
      count++;
      escaped ||= mayBeEscaped && text.slice(nameStart, nameEnd).includes('\\');
    }
    if (quote === -1) break;
    i = afterString(text, quote);
    nameStart = quote;
    nameEnd = i;
  }
  return { count, escaped };
}

// JSON text (RFC 8259) to a value, only when every reader would see the same value: no duplicate keys, no lone
// surrogates, no integer a double would round. Pure; one native parse, one walk, one hop over the strings.
import type { Json } from '../types.ts';
import { DEPTH_MAX, NODES_MAX, TEXT_LENGTH_MAX } from './limits.ts';

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
  if (tally.keys > 0 && tally.keys !== countNameSeparators(text)) return undefined;
  return tally.inexact ? parseKeepingDigits(text) : value;
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

function isRounded(value: number): boolean {
  return Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
}

/** Colons outside strings in a text that is known to be JSON. */
function countNameSeparators(text: string): number {
  let count = 0;
  let i = 0;
  while (i < text.length) {
    const quote = text.indexOf('"', i);
    const end = quote === -1 ? text.length : quote;
    for (; i < end; i++) if (text.charCodeAt(i) === 0x3a) count++;
    if (quote === -1) break;
    i = afterString(text, quote);
  }
  return count;
}

function afterString(text: string, quote: number): number {
  let end = text.indexOf('"', quote + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let i = at;
  while (text.charCodeAt(i - 1) === 0x5c) i--;
  return (at - i) % 2 === 1;
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/** Parses again with the source text of each number at hand (TC39 "JSON.parse source text access"). */
function parseKeepingDigits(text: string): Json {
  const keepDigits: Reviver = (_key, value, context) =>
    typeof value === 'number' && isRounded(value) ? (context.source ?? String(value)) : value;
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) as Json;
}

// A tool's textual output as structure, where it plainly has one. Pure, bounded and in one pass.
// Trust is attached to fields, so a text that could be read in two ways is free text: what is inside a quoted scalar
// never becomes a field beside it.

import { parseExactJson } from './structure/json-exact.ts';
import { TEXT_LENGTH_MAX } from './structure/limits.ts';
import { numberOf } from './structure/number.ts';
import { parsePythonLiteral } from './structure/python.ts';
import { parseTable } from './structure/table.ts';
import { parseYamlDump } from './structure/yaml.ts';
import type { Json } from './types.ts';

/**
 * The structure of a text, or undefined when it is free text. Read are JSON (RFC 8259), block YAML as serialisers dump
 * it, printed Python literals, and CSV or TSV with a header of field names. A lone word is text; a lone number, `true`,
 * `false`, `null` or JSON string is a value. Duplicate keys, anchors, tags, comments, more than 1 MiB or 64 levels, and
 * everything ambiguous are free text. Dates and numbers a double cannot hold exactly are strings.
 */
export function parseStructure(text: string): Json | undefined {
  if (text.length > TEXT_LENGTH_MAX || !text.isWellFormed()) return undefined;
  const body = trimmed(text);
  switch (body.charAt(0)) {
    case '':
      return undefined;
    case '{':
    case '[':
      return parseExactJson(body) ?? parsePythonLiteral(body);
    case '"':
      return parseExactJson(body) ?? parseYamlDump(text);
  }
  if (body.length <= 25) {
    if (body === 'null') return null;
    if (body === 'true' || body === 'false') return body === 'true';
    const number = numberOf(body);
    if (number !== undefined) return number;
  }
  return parseYamlDump(text) ?? parseTable(text);
}

/** Without the white space JSON allows around a value (RFC 8259 section 2). */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isJsonSpace(text.charCodeAt(from))) from++;
  while (to > from && isJsonSpace(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isJsonSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

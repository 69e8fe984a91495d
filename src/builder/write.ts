// Writes a document as YAML for people, and as text whose every value has a known place, for problems. Pure.
import { stringify } from 'yaml';
import type { Json, JsonObject } from '../step/types.ts';

/** YAML in block style; long texts fold. `comment` goes to the head, each of its lines behind `# `. */
export function writeYaml(document: JsonObject, comment = ''): string {
  const head = comment === '' ? '' : `${comment.split('\n').map(commentLine).join('\n')}\n`;
  return head + stringify(document, { lineWidth: 110, aliasDuplicateObjects: false });
}

function commentLine(line: string): string {
  return `# ${line}`.trimEnd();
}

/** Where a value stands in the written text. */
export interface Written {
  readonly path: readonly string[];
  readonly value: Json;
  readonly start: number;
  readonly end: number;
  /** Offset of the first character of a text that stands letter for letter. */
  readonly literalAt: number | null;
}

/** The document in one line of YAML flow style, and the place of every value in it; those around come before those within. */
export function writePlaced(document: JsonObject): { readonly text: string; readonly places: Written[] } {
  const places: Written[] = [];
  let text = '';
  const write = (value: Json, path: readonly string[]): void => {
    const at = places.length;
    const start = text.length;
    places.push({ path, value, start, end: start, literalAt: null });
    let literalAt: number | null = null;
    if (typeof value === 'string') {
      const verbatim = isVerbatim(value);
      if (verbatim) literalAt = start + 1;
      text += verbatim ? `'${value}'` : JSON.stringify(value);
    } else if (typeof value !== 'object' || value === null) text += JSON.stringify(value);
    else {
      const list = Array.isArray(value);
      const entries = list ? value.map((item, i) => [String(i), item] as const) : Object.entries(value);
      text += list ? '[' : '{';
      entries.forEach(([key, item], i) => {
        if (i > 0) text += ', ';
        if (!list) text += `${JSON.stringify(key)}: `;
        write(item, [...path, list ? nameOf(item, key) : key]);
      });
      text += list ? ']' : '}';
    }
    places[at] = { path, value, start, end: text.length, literalAt };
  };
  write(document, []);
  return { text: `${text}\n`, places };
}

/** Items of lists go by their names where they have some: `rules.at-most` says more than `rules.3`. */
function nameOf(item: Json, index: string): string {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return index;
  const { id, name } = item as JsonObject;
  return typeof id === 'string' ? id : typeof name === 'string' ? name : index;
}

/** Whether YAML in single quotes keeps the text letter for letter. */
function isVerbatim(text: string): boolean {
  for (const c of text) {
    const code = c.codePointAt(0)!;
    if (c === "'" || code < 0x20 || (code > 0x7e && code < 0xa1) || code === 0x2028 || code === 0x2029)
      return false;
    if (code >= 0xd800 && code <= 0xdfff) return false;
    if (code === 0xfeff || code === 0xfffe || code === 0xffff) return false;
  }
  return true;
}

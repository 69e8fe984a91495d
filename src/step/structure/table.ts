// Comma- and tab-separated tables with a header of field names (RFC 4180). Pure.
// Markdown tables are not read: they have no quoting, so text in one cell can forge the next cell or the next row.
import type { Json } from '../types.ts';
import { NODES_MAX } from './limits.ts';
import { numberOf } from './number.ts';
import { addField, type Fields } from './object.ts';

const COLUMNS_MAX = 256;
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

/** One object a row, or undefined unless every row is as wide as the header and every quote is where it may be. */
export function parseTable(text: string): Json | undefined {
  const headerEnd = text.indexOf('\n');
  if (headerEnd === -1) return undefined;
  const header = text.slice(0, text.charCodeAt(headerEnd - 1) === 0x0d ? headerEnd - 1 : headerEnd);
  const separator = header.includes('\t') ? '\t' : ',';
  const names = header.split(separator, COLUMNS_MAX + 1);
  if (names.length < 2 || names.length > COLUMNS_MAX) return undefined;
  if (!names.every((name) => FIELD_NAME.test(name))) return undefined;
  const rows: Json[] = [];
  for (let at = headerEnd + 1; at < text.length; ) {
    const row = readRow(text, at, separator, names);
    if (row === undefined || (rows.length + 1) * names.length > NODES_MAX) return undefined;
    rows.push(row.fields);
    at = row.end;
  }
  return rows.length > 0 ? rows : undefined;
}

function readRow(
  text: string,
  from: number,
  separator: string,
  names: readonly string[],
): { fields: Json; end: number } | undefined {
  const fields: Fields = {};
  let at = from;
  for (const [i, name] of names.entries()) {
    const cell = text.charAt(at) === '"' ? readQuoted(text, at) : readBare(text, at, separator);
    if (cell === undefined || !addField(fields, name, cell.value)) return undefined;
    at = cell.end;
    if (i === names.length - 1) break;
    if (text.charAt(at) !== separator) return undefined;
    at++;
  }
  if (at === text.length) return { fields, end: at };
  if (text.startsWith('\r\n', at)) return { fields, end: at + 2 };
  return text.charAt(at) === '\n' ? { fields, end: at + 1 } : undefined;
}

function readQuoted(text: string, from: number): { value: string; end: number } | undefined {
  let close = text.indexOf('"', from + 1);
  while (close !== -1 && text.charAt(close + 1) === '"') close = text.indexOf('"', close + 2);
  if (close === -1) return undefined;
  return { value: text.slice(from + 1, close).replaceAll('""', '"'), end: close + 1 };
}

/** A cell without quotes: no quote inside, no blank at its edges. Words that are numbers in every dialect are numbers. */
function readBare(text: string, from: number, separator: string): { value: Json; end: number } | undefined {
  let end = from;
  for (; end < text.length; end++) {
    const letter = text.charAt(end);
    if (letter === '"') return undefined;
    if (letter === separator || letter === '\n' || letter === '\r') break;
  }
  const word = text.slice(from, end);
  if (word.startsWith(' ') || word.endsWith(' ')) return undefined;
  return { value: numberOf(word) ?? word, end };
}

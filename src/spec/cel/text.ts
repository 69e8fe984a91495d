// Functions on text, by code points as CEL counts them. Indices are checked, results bounded. Pure.
import { overload } from './overload.ts';
import { celError, type Value } from './value.ts';

const MAX_TEXT = 1_000_000;

export function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++, count++) if ((text.codePointAt(i) ?? 0) > 0xffff) i++;
  return count;
}

export function lowerAscii(text: string): string {
  return asciiCase(text, 65, 90, 32);
}

export function upperAscii(text: string): string {
  return asciiCase(text, 97, 122, -32);
}

function asciiCase(text: string, from: number, to: number, shift: number): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    out += code >= from && code <= to ? String.fromCharCode(code + shift) : text[i];
  }
  return out;
}

function index(value: Value | undefined): number | null {
  return typeof value === 'bigint'
    ? Number(value)
    : typeof value === 'number' && Number.isInteger(value)
      ? value
      : null;
}

export function charAt(args: readonly Value[]): Value {
  const [text] = args;
  const at = index(args[1]);
  if (typeof text !== 'string' || at === null) return overload('charAt', args);
  const characters = [...text];
  return at < 0 || at > characters.length
    ? celError('error', `index out of range: ${at}`)
    : (characters[at] ?? '');
}

export function indexOf(args: readonly Value[], last: boolean): Value {
  const [text, part] = args;
  if (typeof text !== 'string' || typeof part !== 'string')
    return overload(last ? 'lastIndexOf' : 'indexOf', args);
  const characters = [...text];
  const from = args[2] === undefined ? (last ? characters.length : 0) : index(args[2]);
  if (from === null || from < 0 || (args[2] !== undefined && from > characters.length))
    return celError('error', 'index out of range');
  const prefix = characters.slice(0, from).join('').length;
  const found = last ? text.lastIndexOf(part, prefix) : text.indexOf(part, prefix);
  return found < 0 ? -1n : BigInt(codePoints(text.slice(0, found)));
}

export function substring(args: readonly Value[]): Value {
  const [text] = args;
  const start = index(args[1]);
  if (typeof text !== 'string' || start === null) return overload('substring', args);
  const characters = [...text];
  const end = args[2] === undefined ? characters.length : index(args[2]);
  if (end === null || start < 0 || end > characters.length || start > end)
    return celError('error', 'substring: index out of range');
  return characters.slice(start, end).join('');
}

export function replace(args: readonly Value[]): Value {
  const [text, from, to] = args;
  const limit = args[3] === undefined ? -1 : index(args[3]);
  if (typeof text !== 'string' || typeof from !== 'string' || typeof to !== 'string' || limit === null)
    return overload('replace', args);
  const parts = from === '' ? ['', ...text, ''] : text.split(from);
  const times = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  const out =
    parts.slice(0, times + 1).join(to) +
    (times < parts.length - 1 ? from + parts.slice(times + 1).join(from) : '');
  return out.length > MAX_TEXT ? celError('error', 'the replaced text is too long') : out;
}

export function split(args: readonly Value[]): Value {
  const [text, by] = args;
  const limit = args[2] === undefined ? -1 : index(args[2]);
  if (typeof text !== 'string' || typeof by !== 'string' || limit === null) return overload('split', args);
  if (limit === 0) return [];
  const parts = by === '' ? [...text] : text.split(by);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(by)];
}

export function joinTexts(args: readonly Value[]): Value {
  const [list, by = ''] = args;
  if (!Array.isArray(list) || typeof by !== 'string' || !list.every((item) => typeof item === 'string'))
    return overload('join', args);
  const out = list.join(by);
  return out.length > MAX_TEXT ? celError('error', 'the joined text is too long') : out;
}

// Cedar text to tokens (https://docs.cedarpolicy.com/policies/syntax-grammar.html). Pure.
import type { PatternElement } from './policy.ts';

export type Token =
  | { readonly t: 'name' | 'sign'; readonly text: string; readonly at: number; readonly end: number }
  | {
      readonly t: 'number';
      readonly value: number;
      readonly text: string;
      readonly at: number;
      readonly end: number;
    }
  | {
      readonly t: 'text';
      readonly text: string;
      readonly value: string;
      /** As it stands behind `like`. */
      readonly pattern: readonly PatternElement[];
      readonly at: number;
      readonly end: number;
    }
  | { readonly t: 'end'; readonly text: string; readonly at: number; readonly end: number };

/** A mistake in the source; thrown by the reader and caught at its door. */
export class SyntaxProblem extends Error {
  readonly start: number;
  readonly end: number;
  constructor(message: string, start: number, end: number) {
    super(message);
    this.start = start;
    this.end = end;
  }
}

const SIGNS = [
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '::',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  ';',
  ',',
  '.',
  ':',
  '@',
  '!',
  '<',
  '>',
  '+',
  '-',
  '*',
  '?',
  '=',
];
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '0': '\0',
  "'": "'",
  '"': '"',
};

export function tokens(text: string): Token[] {
  const out: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text[at]!;
    if (/\s/.test(c)) at++;
    else if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (/[A-Za-z_]/.test(c)) {
      const end = endOf(text, at, /[A-Za-z0-9_]/);
      out.push({ t: 'name', text: text.slice(at, end), at, end });
      at = end;
    } else if (/[0-9]/.test(c)) {
      const end = endOf(text, at, /[0-9]/);
      const value = Number(text.slice(at, end));
      if (!Number.isSafeInteger(value))
        throw new SyntaxProblem('this number is too large to be kept exactly', at, end);
      out.push({ t: 'number', value, text: text.slice(at, end), at, end });
      at = end;
    } else if (c === '"') {
      const token = readText(text, at);
      out.push(token);
      at = token.end;
    } else {
      const sign = SIGNS.find((word) => text.startsWith(word, at));
      if (sign === undefined) throw new SyntaxProblem(`\`${c}\` has no meaning in Cedar`, at, at + 1);
      out.push({ t: 'sign', text: sign, at, end: at + sign.length });
      at += sign.length;
    }
  }
  out.push({ t: 'end', text: '', at: text.length, end: text.length });
  return out;
}

function endOf(text: string, at: number, of: RegExp): number {
  let end = at;
  while (end < text.length && of.test(text[end]!)) end++;
  return end;
}

function readText(text: string, start: number): Extract<Token, { t: 'text' }> {
  let value = '';
  const pattern: PatternElement[] = [];
  const literal = (c: string) => {
    value += c;
    const last = pattern.at(-1);
    if (last === undefined || last === 'Wildcard') pattern.push({ Literal: c });
    else pattern[pattern.length - 1] = { Literal: last.Literal + c };
  };
  let at = start + 1;
  for (;;) {
    const c = text[at];
    if (c === undefined) throw new SyntaxProblem('this text has no end: `"` is missing', start, start + 1);
    if (c === '"')
      return { t: 'text', text: text.slice(start, at + 1), value, pattern, at: start, end: at + 1 };
    if (c === '*') {
      value += c;
      pattern.push('Wildcard');
      at++;
    } else if (c === '\\') {
      const escaped = escapeAt(text, at);
      literal(escaped.value);
      at = escaped.end;
    } else {
      literal(c);
      at++;
    }
  }
}

function escapeAt(text: string, at: number): { value: string; end: number } {
  const c = text[at + 1] ?? '';
  const simple = ESCAPES[c];
  if (simple !== undefined) return { value: simple, end: at + 2 };
  if (c === '*') return { value: '*', end: at + 2 };
  const code = /^\\(?:x([0-7][0-9a-fA-F])|u\{([0-9a-fA-F]{1,6})\})/.exec(text.slice(at, at + 12));
  const value = Number.parseInt(code?.[1] ?? code?.[2] ?? '', 16);
  if (code === null || !(value <= 0x10ffff) || (value >= 0xd800 && value <= 0xdfff))
    throw new SyntaxProblem(
      'this escape is none of Cedar: \\n \\r \\t \\\\ \\0 \\\' \\" \\* \\x41 \\u{1F600}',
      at,
      at + 2,
    );
  return { value: String.fromCodePoint(value), end: at + code[0].length };
}

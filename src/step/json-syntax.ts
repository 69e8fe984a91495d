// The place where a text stops being JSON (RFC 8259), for error messages. One pass, a stack of open brackets, no regular
// expressions: the text is somebody else's and may be long.

/** `line` and `column` count from 1; columns are UTF-16 units. */
export interface SyntaxProblem {
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly found: string;
}

type Want = 'value' | 'first item' | 'first key' | 'key' | 'colon' | 'more' | 'end';

/** Call it only with text that `JSON.parse` refused. */
export function locateSyntaxError(text: string): SyntaxProblem {
  const open: (']' | '}')[] = [];
  let want: Want = 'value';
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const mark = text[at]!;
    const wantsValue: boolean = want === 'value' || want === 'first item';
    let next = at + 1;
    if (mark === '[' && wantsValue) {
      open.push(']');
      want = 'first item';
    } else if (mark === '{' && wantsValue) {
      open.push('}');
      want = 'first key';
    } else if (mark === open.at(-1) && (want === 'more' || want === 'first item' || want === 'first key')) {
      open.pop();
      want = open.length === 0 ? 'end' : 'more';
    } else if (mark === ',' && want === 'more') {
      want = open.at(-1) === ']' ? 'value' : 'key';
    } else if (mark === ':' && want === 'colon') {
      want = 'value';
    } else if (mark === '"' && (wantsValue || want === 'key' || want === 'first key')) {
      const end = stringEnd(text, at + 1);
      if (!end.closed) return problemAt(text, end.at, end.expected);
      next = end.at;
      want = wantsValue ? (open.length === 0 ? 'end' : 'more') : 'colon';
    } else if (wantsValue) {
      next = scalarEnd(text, at);
      if (next === at) break;
      want = open.length === 0 ? 'end' : 'more';
    } else break;
    at = skipSpace(text, next);
  }
  return problemAt(text, at, describeWant(want, open.at(-1)));
}

function describeWant(want: Want, close: string | undefined): string {
  switch (want) {
    case 'value':
      return 'a value';
    case 'first item':
      return 'a value or "]"';
    case 'first key':
      return 'a quoted key or "}"';
    case 'key':
      return 'a quoted key';
    case 'colon':
      return '":"';
    case 'more':
      return `"," or "${close}"`;
    case 'end':
      return 'the end of the text';
  }
}

function problemAt(text: string, at: number, expected: string): SyntaxProblem {
  let line = 1;
  let lineStart = 0;
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) {
    line += 1;
    lineStart = i + 1;
  }
  const found = at >= text.length ? 'the end of the text' : JSON.stringify(text.slice(at, at + 12));
  return { line, column: at - lineStart + 1, expected, found };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1;
  return at;
}

/** `from` is behind the opening quote; `at` is behind the closing one, or at the mistake. */
function stringEnd(text: string, from: number): { closed: boolean; at: number; expected: string } {
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return { closed: true, at: at + 1, expected: '' };
    if (unit < 0x20) return { closed: false, at, expected: 'control characters escaped' };
    if (unit !== 0x5c) continue;
    const escaped = text[at + 1] ?? '';
    if (escaped === 'u' && isHex(text, at + 2)) at += 5;
    else if (escaped !== '' && '"\\/bfnrt'.includes(escaped)) at += 1;
    else return { closed: false, at, expected: 'an escape such as \\n or \\u0041' };
  }
  return { closed: false, at: text.length, expected: 'a closing quote' };
}

function isHex(text: string, from: number): boolean {
  if (from + 4 > text.length) return false;
  for (let at = from; at < from + 4; at++) {
    if (!'0123456789abcdefABCDEF'.includes(text[at]!)) return false;
  }
  return true;
}

/** The end of the number or literal at `from`, or `from` when there is none. */
function scalarEnd(text: string, from: number): number {
  for (const literal of ['true', 'false', 'null']) {
    if (text.startsWith(literal, from)) return from + literal.length;
  }
  let at = text[from] === '-' ? from + 1 : from;
  const whole = digitsEnd(text, at);
  if (whole === at) return from;
  at = text[at] === '0' ? at + 1 : whole;
  if (text[at] === '.' && digitsEnd(text, at + 1) > at + 1) at = digitsEnd(text, at + 1);
  if (text[at] !== 'e' && text[at] !== 'E') return at;
  const exponent = text[at + 1] === '+' || text[at + 1] === '-' ? at + 2 : at + 1;
  return digitsEnd(text, exponent) > exponent ? digitsEnd(text, exponent) : at;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at]! >= '0' && text[at]! <= '9') at += 1;
  return at;
}

// CEL text to tokens (google/cel-spec, langdef.md, "Syntax"). Pure; what is no token is a `NotCel` with its place.

/** The text is no CEL: where it stops being so. */
export class NotCel extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export type Token =
  | { readonly t: 'name'; readonly text: string; readonly at: number; readonly end: number }
  /** A name in back quotes, for fields that are no identifiers. */
  | { readonly t: 'quoted'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly t: 'mark'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly t: 'int' | 'uint'; readonly value: bigint; readonly at: number; readonly end: number }
  | { readonly t: 'double'; readonly value: number; readonly at: number; readonly end: number }
  | { readonly t: 'string'; readonly value: string; readonly at: number; readonly end: number }
  | { readonly t: 'bytes'; readonly value: Uint8Array; readonly at: number; readonly end: number }
  | { readonly t: 'end'; readonly at: number; readonly end: number };

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /`[A-Za-z0-9_./ -]+`/y;
const NUMBER = /0x([0-9a-fA-F]+)(u)?|(\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|(\d+)(u)?/iy;
const TEXT = /[bB]?[rR]?("""|'''|"|')/y;
const MARK = /&&|\|\||[<>=!]=|[-+*/%<>!?:.,()[\]{}]/y;
const SPACE = /(?:[\t\n\f\r ]+|\/\/[^\n\r]*)*/y;

/** The token at `from`, blanks and comments before it left out. */
export function tokenFrom(source: string, from: number): Token {
  const at = endOf(SPACE, source, from);
  if (at >= source.length) return { t: 'end', at, end: at };
  const text = matched(TEXT, source, at);
  if (text !== null) return textToken(source, at, text);
  const name = matched(NAME, source, at);
  if (name !== null) return { t: 'name', text: name[0], at, end: at + name[0].length };
  const number = matched(NUMBER, source, at);
  if (number !== null) return numberToken(number, at);
  const mark = matched(MARK, source, at) ?? matched(QUOTED, source, at);
  if (mark === null) throw new NotCel('', at);
  const end = at + mark[0].length;
  if (mark[0].startsWith('`')) return { t: 'quoted', text: mark[0].slice(1, -1), at, end };
  return { t: 'mark', text: mark[0], at, end };
}

function endOf(pattern: RegExp, source: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(source) ? pattern.lastIndex : from;
}

function matched(pattern: RegExp, source: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(source);
}

function numberToken([all, hex, hexUnsigned, double, digits, unsigned]: RegExpExecArray, at: number): Token {
  const end = at + all.length;
  if (double !== undefined) return { t: 'double', value: Number.parseFloat(double), at, end };
  const value = BigInt(hex === undefined ? digits! : `0x${hex}`);
  return { t: (hexUnsigned ?? unsigned) === undefined ? 'int' : 'uint', value, at, end };
}

function textToken(source: string, at: number, [opening, quote]: RegExpExecArray): Token {
  const prefix = opening.slice(0, -quote!.length).toLowerCase();
  const isRaw = prefix.includes('r');
  const isBytes = prefix.includes('b');
  const pieces: Piece[] = [];
  let from = at + opening.length;
  for (let i = from; ; ) {
    const c = source[i];
    if (c === undefined || ((c === '\n' || c === '\r') && quote!.length === 1))
      throw new NotCel(`a text that begins with ${quote} does not end`, at);
    if (source.startsWith(quote!, i)) {
      pieces.push(source.slice(from, i));
      const end = i + quote!.length;
      return isBytes
        ? { t: 'bytes', value: bytesOf(pieces), at, end }
        : { t: 'string', value: pieces.map((piece) => stringOf(piece, at)).join(''), at, end };
    }
    if (c !== '\\' || isRaw) {
      i++;
      continue;
    }
    pieces.push(source.slice(from, i));
    const [piece, next] = escapeAt(source, i, isBytes);
    pieces.push(piece);
    from = i = next;
  }
}

/** A text, or the number of a character (in bytes: of a byte) that an escape names. */
type Piece = string | number;

const PLAIN: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '"': '"', "'": "'", '`': '`', '\\': '\\', '?': '?' },
};
const CODES: readonly (readonly [RegExp, radix: number])[] = [
  [/\\[xX]([0-9a-fA-F]{2})/y, 16],
  [/\\([0-3][0-7]{2})/y, 8],
  [/\\u([0-9a-fA-F]{4})/y, 16],
  [/\\U([0-9a-fA-F]{8})/y, 16],
];
/** Of `CODES`, those that name a byte. */
const BYTE_CODES = 2;

function escapeAt(source: string, at: number, isBytes: boolean): [Piece, next: number] {
  const plain = PLAIN[source[at + 1] ?? ''];
  if (plain !== undefined) return [plain, at + 2];
  for (const [pattern, radix] of isBytes ? CODES.slice(0, BYTE_CODES) : CODES) {
    const found = matched(pattern, source, at);
    if (found !== null) return [Number.parseInt(found[1]!, radix), at + found[0].length];
  }
  if (isBytes && /^[uU]$/.test(source[at + 1] ?? ''))
    throw new NotCel('bytes have no escapes of characters', at);
  // What CEL has no escape for stands for itself, as in the parser that specs were first written for.
  return ['\\', at + 1];
}

function stringOf(piece: Piece, at: number): string {
  if (typeof piece === 'string') return piece;
  if (piece > 0x10ffff || (piece >= 0xd800 && piece < 0xe000)) throw new NotCel('no such character', at);
  return String.fromCodePoint(piece);
}

const UTF_8 = new TextEncoder();

function bytesOf(pieces: readonly Piece[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap((piece) => (typeof piece === 'string' ? [...UTF_8.encode(piece)] : [piece])),
  );
}

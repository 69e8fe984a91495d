// Normal forms of values: how two spellings of one value (case, width, currency marks, IBAN spaces, date separators)
// are seen to be the same, and how text is cut into whole tokens. Pure, linear in the text, no RegExp.
//
// Only forms that keep the meaning are folded. Confusable letters and e-mail tags are not: a look-alike address is
// another address, and must not inherit the origin of the real one.

const ZERO_WIDTH = new Set([
  0xad, 0x34f, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xfeff,
]);

/** Unicode NFKC, lower case, without zero-width characters. */
export function foldText(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  let out = '';
  for (const c of text.normalize('NFKC')) {
    const code = c.codePointAt(0)!;
    if (!ZERO_WIDTH.has(code) && !isIgnorable(code)) out += c;
  }
  return out.toLowerCase();
}

/** Variation selectors and tags: they change no meaning and can hide some. */
function isIgnorable(code: number): boolean {
  return (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0000 && code <= 0xe01ef);
}

const SPECIAL = '/\\~*|<>`';

/**
 * Pieces of text whose punctuation carries meaning (`../../etc`, `~/x`, `*`), each whole and marked so that it is no
 * token: a value with such a piece was seen only where the very piece was.
 */
export function rawChunks(text: string): string[] {
  if (!hasSpecial(text)) return [];
  const chunks: string[] = [];
  for (const piece of foldText(text).split(/\s/)) {
    let start = 0;
    let end = piece.length;
    while (start < end && '"\'([{<'.includes(piece[start]!)) start++;
    while (end > start && '"\')]}>,;:!?'.includes(piece[end - 1]!)) end--;
    while (end > start + 2 && piece[end - 1] === '.' && piece[end - 2] !== '.') end--;
    const chunk = piece.slice(start, end);
    if (hasSpecial(chunk) && !isUrl(chunk)) chunks.push(`\u0001${chunk}`);
  }
  return chunks;
}

function isUrl(chunk: string): boolean {
  return chunk.startsWith('http://') || chunk.startsWith('https://');
}

function hasSpecial(text: string): boolean {
  if (text.includes('..') || text.includes('$(') || text.includes('${')) return true;
  for (let i = 0; i < text.length; i++) if (SPECIAL.includes(text[i]!)) return true;
  return false;
}

/**
 * Cuts text into normal-form tokens: words, numbers (`$1,100.00` is `1100`), e-mail addresses, URLs, ids, dates and
 * times (`2024-05-30T10:20:00` is `2024-05-30`, `10:20`), IBANs with or without spaces.
 */
export function tokenize(text: string): string[] {
  const s = foldText(text);
  const tokens: string[] = [];
  let i = 0;
  while (i < s.length) {
    const code = s.charCodeAt(i);
    if (!isWord(code)) {
      i++;
      continue;
    }
    const start = i;
    i = s.startsWith('http', i) ? urlEnd(s, i) : 0;
    if (i > start) {
      tokens.push(s.slice(start, i));
      continue;
    }
    i = start + 1;
    while (i < s.length && (isWord(s.charCodeAt(i)) || joins(s, i))) i++;
    pushToken(tokens, s.slice(start, i));
  }
  return joinIbans(tokens);
}

/** The tokens of a scalar value, as `tokenize` would find them in a text that holds it. */
export function scalarTokens(value: string | number): string[] {
  return typeof value === 'number' ? [numberToken(value)] : tokenize(value);
}

/** The normal form of a number: its shortest decimal form. */
export function numberToken(value: number): string {
  return String(value);
}

/** Underscores around a word are emphasis or a seam, not part of it. */
function pushToken(tokens: string[], word: string): void {
  const token = isUnderscore(word, 0) || isUnderscore(word, word.length - 1) ? trimUnderscores(word) : word;
  if (token === '') return;
  const first = token.charCodeAt(0);
  if (!isDigit(first)) {
    tokens.push(token);
    return;
  }
  if (token.length >= 16 && token[4] === '-' && token[7] === '-' && token[10] === 't' && token[13] === ':') {
    tokens.push(token.slice(0, 10), clock(token.slice(11)));
  } else if (token.length === 8 && token[2] === ':' && token[5] === ':') {
    tokens.push(clock(token));
  } else tokens.push(plainNumber(token));
}

function isUnderscore(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x5f;
}

function trimUnderscores(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && isUnderscore(word, start)) start++;
  while (end > start && isUnderscore(word, end - 1)) end--;
  return word.slice(start, end);
}

function clock(time: string): string {
  return time.length >= 8 && time.startsWith(':00', 5) ? time.slice(0, 5) : time;
}

/** `1,100.00` as `1100`; anything that is no plain decimal (leading zeros, 16 or more digits, letters) unchanged. */
function plainNumber(token: string): string {
  let digits = '';
  let dots = 0;
  for (let i = 0; i < token.length; i++) {
    const code = token.charCodeAt(i);
    if (isDigit(code)) digits += token[i];
    else if (code === 0x2e && dots++ === 0) digits += '.';
    else if (code !== 0x2c) return token;
  }
  if (digits.length > 15 || (digits.length > 1 && digits[0] === '0' && digits[1] !== '.')) return token;
  return String(Number(digits));
}

/** Whether the character at `i`, though punctuation, stands inside a token: `a.b`, `a@b`, `1,000`, `10:20`, `a/b`. */
function joins(s: string, i: number): boolean {
  if (i + 1 >= s.length) return false;
  const before = s.charCodeAt(i - 1);
  const after = s.charCodeAt(i + 1);
  switch (s.charCodeAt(i)) {
    case 0x2c: // ,
      return isDigit(before) && groupOfThree(s, i + 1);
    case 0x3a: // :
      return isDigit(before) && isDigit(after);
    case 0x2e: // .
    case 0x2d: // -
    case 0x2f: // /
    case 0x40: // @
    case 0x2b: // +
    case 0x25: // %
    case 0x26: // &
      return isWord(before) && isWord(after);
    default:
      return false;
  }
}

/** Exactly three digits: a comma before anything else separates two numbers. */
function groupOfThree(s: string, at: number): boolean {
  for (let i = 0; i < 3; i++) if (!isDigit(s.charCodeAt(at + i))) return false;
  return !isDigit(s.charCodeAt(at + 3));
}

function urlEnd(s: string, start: number): number {
  const scheme = s.startsWith('http://', start) ? 7 : s.startsWith('https://', start) ? 8 : 0;
  if (scheme === 0) return 0;
  let end = start + scheme;
  while (end < s.length && !endsUrl(s.charCodeAt(end))) end++;
  while (end > start + scheme && !isWord(s.charCodeAt(end - 1)) && s[end - 1] !== '/') end--;
  if (s[end - 1] === '/') end--;
  return end > start + scheme ? end : 0;
}

function endsUrl(code: number): boolean {
  return (
    code <= 0x20 ||
    code === 0x22 ||
    code === 0x27 ||
    code === 0x3c ||
    code === 0x3e ||
    code === 0x5d ||
    code === 0x29 ||
    code === 0x7c
  );
}

/** `gb29 nwbk 6016 1331 9268 19` is written with spaces for people; the value has none (ISO 13616-1 section 6). */
function joinIbans(tokens: string[]): string[] {
  for (let i = 0; i + 2 < tokens.length; i++) {
    if (!startsIban(tokens[i]!) || tokens[i + 1]!.length !== 4 || tokens[i + 2]!.length !== 4) continue;
    let end = i + 1;
    while (end < tokens.length && end < i + 9 && tokens[end]!.length === 4 && isAlphanumeric(tokens[end]!))
      end++;
    if (
      end < tokens.length &&
      end > i + 2 &&
      tokens[end]!.length < 4 &&
      isAlphanumeric(tokens[end]!) &&
      endsWithDigit(tokens[end]!)
    )
      end++;
    const joined = tokens.slice(i, end).join('');
    if (end > i + 2 && isIban(joined)) tokens.splice(i, end - i, joined);
  }
  return tokens;
}

/** ISO 13616-1: 15 to 34 characters whose number, country and check digits last, is 1 modulo 97. */
function isIban(text: string): boolean {
  if (text.length < 15 || text.length > 34) return false;
  let rest = 0;
  for (const c of text.slice(4) + text.slice(0, 4)) {
    const value = isDigit(c.charCodeAt(0)) ? Number(c) : c.charCodeAt(0) - 87;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

function startsIban(token: string): boolean {
  return (
    token.length === 4 &&
    isLetter(token.charCodeAt(0)) &&
    isLetter(token.charCodeAt(1)) &&
    isDigit(token.charCodeAt(2)) &&
    isDigit(token.charCodeAt(3))
  );
}

function isAlphanumeric(token: string): boolean {
  for (let i = 0; i < token.length; i++)
    if (!isDigit(token.charCodeAt(i)) && !isLetter(token.charCodeAt(i))) return false;
  return true;
}

function endsWithDigit(token: string): boolean {
  return isDigit(token.charCodeAt(token.length - 1));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isWord(code: number): boolean {
  if (code < 128) return isDigit(code) || isLetter(code) || code === 95;
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba;
  return (
    code !== 0xd7 &&
    code !== 0xf7 &&
    !(code >= 0x2000 && code <= 0x2bff) &&
    !(code >= 0x3000 && code <= 0x3003) &&
    !(code >= 0x3008 && code <= 0x3020) &&
    !(code >= 0xff00 && code <= 0xff0f)
  );
}

// The part of RE2's syntax (https://github.com/google/re2/wiki/Syntax) that can be followed over a growing text, as a tree.
// What is not known here makes the whole pattern unknown, never a different one. Pure.

export type Node =
  | { readonly t: 'empty' }
  | { readonly t: 'one'; readonly accepts: (code: number) => boolean }
  | { readonly t: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly t: 'repeat'; readonly of: Node; readonly min: number; readonly max: number | null };

type Test = (code: number) => boolean;
/** `i`: case-insensitive, followed for ASCII only; `s`: a dot takes a line feed too. `U` changes no match, `m` only places. */
interface Flags {
  readonly i: boolean;
  readonly s: boolean;
}

const EMPTY: Node = { t: 'empty' };
const MAX_REPEAT = 1_000;
const MAX_DEPTH = 50;
const NEWLINE = 10;

/** Null when the pattern uses what is not followed. */
export function parsePattern(pattern: string): Node | null {
  try {
    const parser = new Parser([...pattern]);
    const node = parser.alternatives({ i: false, s: false }, 0);
    return parser.done ? node : null;
  } catch (error) {
    if (error instanceof NotFollowed) return null;
    throw error;
  }
}

class NotFollowed extends Error {}

class Parser {
  readonly #at: readonly string[];
  #i = 0;

  constructor(characters: readonly string[]) {
    this.#at = characters;
  }

  get done(): boolean {
    return this.#i >= this.#at.length;
  }

  #take(text: string): boolean {
    for (let k = 0; k < text.length; k++) if (this.#at[this.#i + k] !== text[k]) return false;
    this.#i += text.length;
    return true;
  }

  #next(): string {
    const character = this.#at[this.#i++];
    if (character === undefined) throw new NotFollowed();
    return character;
  }

  alternatives(flags: Flags, depth: number): Node {
    if (depth > MAX_DEPTH) throw new NotFollowed();
    const of: Node[] = [];
    let now = flags;
    do {
      const parts: Node[] = [];
      while (!this.done && this.#at[this.#i] !== '|' && this.#at[this.#i] !== ')') {
        // `(?i)` holds to the end of its group, over its alternatives.
        const set = this.#flagGroup(now);
        if (set !== null) now = set;
        else parts.push(this.#repeated(now, depth));
      }
      of.push({ t: 'all', of: parts });
    } while (this.#take('|'));
    return of.length === 1 ? of[0]! : { t: 'any', of };
  }

  /** `(?ims)`; null when something else stands there. */
  #flagGroup(flags: Flags): Flags | null {
    const start = this.#i;
    if (!this.#take('(?')) return null;
    const set = this.#flags(flags);
    if (set !== null && this.#take(')')) return set;
    this.#i = start;
    return null;
  }

  #flags(flags: Flags): Flags | null {
    let { i, s } = flags;
    let on = true;
    for (;;) {
      const character = this.#at[this.#i];
      if (character === 'i') i = on;
      else if (character === 's') s = on;
      else if (character === '-' && on) on = false;
      else if (character !== 'm' && character !== 'U') break;
      this.#i++;
    }
    return { i, s };
  }

  #repeated(flags: Flags, depth: number): Node {
    let node = this.#one(flags, depth);
    for (;;) {
      const range = this.#quantifier();
      if (range === null) return node;
      this.#take('?');
      node = { t: 'repeat', of: node, ...range };
    }
  }

  #quantifier(): { min: number; max: number | null } | null {
    if (this.#take('*')) return { min: 0, max: null };
    if (this.#take('+')) return { min: 1, max: null };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#at[this.#i] !== '{') return null;
    const start = this.#i++;
    const min = this.#number();
    let max = min;
    if (min !== null && this.#take(',')) max = this.#number();
    // As RE2 takes it: what is no repetition stands for itself.
    if (min === null || !this.#take('}')) {
      this.#i = start;
      return null;
    }
    if (min > MAX_REPEAT || (max !== null && (max > MAX_REPEAT || max < min))) throw new NotFollowed();
    return { min, max };
  }

  #number(): number | null {
    let digits = '';
    while (isDigit(this.#at[this.#i]?.codePointAt(0) ?? 0)) digits += this.#at[this.#i++];
    if (digits.length > 6) throw new NotFollowed();
    return digits === '' ? null : Number(digits);
  }

  #one(flags: Flags, depth: number): Node {
    const character = this.#next();
    switch (character) {
      case '^':
      case '$':
        return EMPTY;
      case '.':
        return one(flags.s ? () => true : (code) => code !== NEWLINE);
      case '(':
        return this.#group(flags, depth);
      case '[':
        return one(this.#class(flags));
      case '\\':
        return this.#escape(flags);
      case '*':
      case '+':
      case '?':
        throw new NotFollowed();
      default:
        return one(literal(character, flags));
    }
  }

  #group(flags: Flags, depth: number): Node {
    let inner = flags;
    if (this.#take('?')) {
      if (this.#take('P<') || this.#take('<')) while (this.#next() !== '>');
      else {
        const set = this.#flags(flags);
        if (set === null || !this.#take(':')) throw new NotFollowed();
        inner = set;
      }
    }
    const node = this.alternatives(inner, depth + 1);
    if (!this.#take(')')) throw new NotFollowed();
    return node;
  }

  #escape(flags: Flags): Node {
    const character = this.#next();
    switch (character) {
      case 'b':
      case 'B':
      case 'A':
      case 'z':
        return EMPTY;
      case 'Q': {
        const of: Node[] = [];
        while (!this.done && !this.#take('\\E')) of.push(one(literal(this.#next(), flags)));
        return { t: 'all', of };
      }
      default: {
        const shorthand = SHORTHANDS[character];
        if (shorthand !== undefined) return one(folded(shorthand, flags));
        return one(literal(this.#escaped(character), flags));
      }
    }
  }

  /** A character that an escape stands for. */
  #escaped(character: string): string {
    const control = CONTROLS[character];
    if (control !== undefined) return control;
    if (character === 'x') {
      let digits = '';
      if (this.#take('{')) {
        for (let next = this.#next(); next !== '}'; next = this.#next()) digits += next;
      } else digits = this.#next() + this.#next();
      const code = /^[0-9A-Fa-f]{1,6}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
      if (!(code <= 0x10ffff)) throw new NotFollowed();
      return String.fromCodePoint(code);
    }
    // Letters and digits that are not listed mean something else.
    const code = character.codePointAt(0)!;
    if (isWord(code) || code > 127) throw new NotFollowed();
    return character;
  }

  #class(flags: Flags): Test {
    const negated = this.#take('^');
    // What is negated may take less, not more, than RE2 does.
    const inner = negated ? { ...flags, i: false } : flags;
    const tests: Test[] = [];
    for (let first = true; first || this.#at[this.#i] !== ']'; first = false) {
      if (this.#at[this.#i] === '[' && this.#at[this.#i + 1] === ':')
        tests.push(folded(this.#named(), inner));
      else tests.push(this.#range(inner));
    }
    this.#i++;
    return negated ? (code) => !tests.some((test) => test(code)) : (code) => tests.some((test) => test(code));
  }

  #named(): Test {
    const end = this.#at.indexOf(']', this.#i);
    const name = this.#at.slice(this.#i + 2, end - 1).join('');
    const negated = name.startsWith('^');
    const test = NAMED[negated ? name.slice(1) : name];
    if (test === undefined || this.#at[end - 1] !== ':') throw new NotFollowed();
    this.#i = end + 1;
    return negated ? (code) => !test(code) : test;
  }

  #range(flags: Flags): Test {
    const from = this.#classCharacter();
    if (typeof from === 'function') return folded(from, flags);
    if (this.#at[this.#i] !== '-' || this.#at[this.#i + 1] === ']') return literal(from, flags);
    this.#i++;
    const to = this.#classCharacter();
    if (typeof to === 'function') throw new NotFollowed();
    const [low, high] = [from.codePointAt(0)!, to.codePointAt(0)!];
    if (high < low || (flags.i && high > 127)) throw new NotFollowed();
    const test: Test = (code) => code >= low && code <= high;
    return folded(test, flags);
  }

  #classCharacter(): string | Test {
    const character = this.#next();
    if (character !== '\\') return character;
    const escaped = this.#next();
    return SHORTHANDS[escaped] ?? this.#escaped(escaped);
  }
}

function one(accepts: Test): Node {
  return { t: 'one', accepts };
}

function literal(character: string, flags: Flags): Test {
  const wanted = character.codePointAt(0)!;
  if (flags.i && wanted > 127) throw new NotFollowed();
  return flags.i ? (code) => foldings(code).includes(wanted) : (code) => code === wanted;
}

function folded(test: Test, flags: Flags): Test {
  return flags.i ? (code) => foldings(code).some(test) : test;
}

/** The characters of ASCII that are equal to this one without case (Unicode CaseFolding.txt): with the Kelvin sign and the long s. */
function foldings(code: number): readonly number[] {
  if (code === 0x212a) return [code, 75, 107];
  if (code === 0x17f) return [code, 83, 115];
  return isUpper(code) ? [code, code + 32] : isLower(code) ? [code, code - 32] : [code];
}

const isDigit: Test = (code) => code >= 48 && code <= 57;
const isLower: Test = (code) => code >= 97 && code <= 122;
const isUpper: Test = (code) => code >= 65 && code <= 90;
const isAlpha: Test = (code) => isLower(code) || isUpper(code);
const isWord: Test = (code) => isAlpha(code) || isDigit(code) || code === 95;
const isSpace: Test = (code) => code === 32 || code === 9 || code === 10 || code === 12 || code === 13;
const not =
  (test: Test): Test =>
  (code) =>
    !test(code);

const SHORTHANDS: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const NAMED: Readonly<Record<string, Test>> = {
  alnum: (code) => isAlpha(code) || isDigit(code),
  alpha: isAlpha,
  ascii: (code) => code < 128,
  blank: (code) => code === 9 || code === 32,
  cntrl: (code) => code < 32 || code === 127,
  digit: isDigit,
  graph: (code) => code > 32 && code < 127,
  lower: isLower,
  print: (code) => code >= 32 && code < 127,
  punct: (code) => code > 32 && code < 127 && !isAlpha(code) && !isDigit(code),
  space: (code) => isSpace(code) || code === 11,
  upper: isUpper,
  word: isWord,
  xdigit: (code) => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102),
};

// CEL text to its syntax tree, by the grammar of @bufbuild/cel, with limits and a better place for syntax errors. Pure.
import { parse } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { childrenOf } from '../free.ts';
import { afterComment, isBlank, isQuote, isWord, stringEnd } from './lex.ts';
import { keepPositions } from './positions.ts';

export const MAX_EXPRESSION = 16_384;
const MAX_NESTING = 64;
const MAX_DEPTH = 400;

/** Shorter texts are tried at each token to find where a syntax error is. */
const MAX_TRIED_WHOLE = 1_000;
/** Tokens in a row of which one, in all but odd texts, ends an operand. */
const TOKENS_IN_A_ROW = 6;

interface SyntaxProblem {
  readonly message: string;
  readonly offset: number;
}

export type ParseResult = { readonly expr: Expr } | { readonly problem: SyntaxProblem };

export function parseCel(text: string): ParseResult {
  if (text.length > MAX_EXPRESSION)
    return { problem: { message: `the expression is longer than ${MAX_EXPRESSION} characters`, offset: 0 } };
  const brackets = bracketProblem(text);
  if (brackets !== null) return { problem: brackets };
  try {
    const { expr, sourceInfo } = parse(text);
    if (isDeep(expr)) return { problem: { message: `nested deeper than ${MAX_DEPTH} operators`, offset: 0 } };
    keepPositions(expr, sourceInfo, text);
    return { expr };
  } catch (error) {
    if (error instanceof RangeError) return { problem: { message: 'nested too deep', offset: 0 } };
    return { problem: syntaxProblem(text, error) };
  }
}

/** Compiled closures call each other as deep as the tree is; the walk itself keeps its own stack. */
function isDeep(root: Expr): boolean {
  const stack: { expr: Expr; depth: number }[] = [{ expr: root, depth: 0 }];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at.depth > MAX_DEPTH) return true;
    for (const child of childrenOf(at.expr)) stack.push({ expr: child.expr, depth: at.depth + 1 });
  }
  return false;
}

const CLOSER: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Quotes and brackets that do not close: the grammar would blame the first token it could not go on from. */
function bracketProblem(text: string): SyntaxProblem | null {
  const open: { char: string; at: number }[] = [];
  for (let i = 0; i < text.length; i++) {
    i = afterComment(text, i);
    const c = text[i];
    if (c === undefined) break;
    if (isQuote(c)) {
      const end = stringEnd(text, i);
      if (end < 0) return { message: `a text that begins with ${c} does not end`, offset: i };
      i = end;
    } else if (c in CLOSER) {
      open.push({ char: c, at: i });
      if (open.length > MAX_NESTING)
        return { message: `nested deeper than ${MAX_NESTING} brackets`, offset: i };
    } else if (c === ')' || c === ']' || c === '}') {
      const last = open.pop();
      if (last === undefined || CLOSER[last.char] !== c)
        return { message: `\`${c}\` closes nothing`, offset: i };
    }
  }
  const last = open.at(-1);
  return last === undefined ? null : { message: `\`${last.char}\` is not closed`, offset: last.at };
}

/**
 * The grammar backtracks and reports where its last alternative began. The true place is the furthest token boundary to
 * which some prefix, closed up, still parses.
 */
function syntaxProblem(text: string, error: unknown): SyntaxProblem {
  const reported = (error as { location?: { start?: { offset?: number } } }).location?.start?.offset ?? 0;
  const boundaries = boundariesOf(text);
  let at = Math.max(reported, furthest(text, boundaries));
  while (isBlank(text[at])) at++;
  const offset = Math.min(at, Math.max(0, text.length - 1));
  const found = tokenAt(text, at);
  const rest = text.slice(at).trim();
  if (rest !== '' && rest === found && !isWord(rest.charCodeAt(0)) && !isQuote(rest[0]))
    return { message: `CEL syntax: something is missing after \`${rest}\``, offset };
  const hint = HINTS.get(found);
  const what = found === '' ? 'the end' : `\`${found}\``;
  return { message: `CEL syntax: ${what} cannot stand here${hint === undefined ? '' : `; ${hint}`}`, offset };
}

/** What writers of other languages put, and what CEL has instead. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['=', 'compare with `==`'],
  ['===', 'compare with `==`'],
  ['&', 'write `&&`'],
  ['|', 'write `||`'],
  ['and', 'write `&&`'],
  ['or', 'write `||`'],
  ['not', 'write `!`'],
  ['.?', 'optional values are not part of the spec language; ask with has()'],
  ['?', 'a choice needs both values: `a ? b : c`'],
  ['`', 'write map["a-b"] for a name that is no identifier'],
  ['.`', 'write map["a-b"] for a name that is no identifier'],
]);

const MAX_SHOWN = 20;

/** A name or number, a run of operator characters, or one other character. */
function tokenAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && isWord(text.charCodeAt(end))) end++;
  if (end === start) while (end < text.length && '=&|.?<>!+-*/%`'.includes(text[end]!)) end++;
  return text.slice(start, Math.min(Math.max(end, start + 1), start + MAX_SHOWN));
}

/** Offsets at which a token may end: not within names, numbers, texts or comments. */
function boundariesOf(text: string): number[] {
  const boundaries: number[] = [];
  for (let i = 0; i < text.length; ) {
    const comment = afterComment(text, i);
    if (comment !== i) {
      i = comment;
      continue;
    }
    if (isQuote(text[i])) i = stringEnd(text, i) + 1;
    else if (isWord(text.charCodeAt(i))) {
      while (i < text.length && isWord(text.charCodeAt(i))) i++;
      // A prefix of a text belongs to it.
      if (isQuote(text[i])) continue;
    } else i++;
    if (!isBlank(text[i - 1])) boundaries.push(i);
  }
  return boundaries;
}

/** The last boundary up to which the text, closed up, parses; in long texts by halves, so that it takes few tries. */
function furthest(text: string, boundaries: readonly number[]): number {
  const parsesTo = (index: number) => parses(closed(text.slice(0, boundaries[index])));
  const lastWithin = (low: number, high: number): number => {
    for (let index = high; index >= Math.max(0, low); index--) if (parsesTo(index)) return index;
    return -1;
  };
  if (text.length <= MAX_TRIED_WHOLE) return boundaries[lastWithin(0, boundaries.length - 1)] ?? 0;
  let known = -1;
  let [low, high] = [0, boundaries.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = lastWithin(middle - TOKENS_IN_A_ROW + 1, middle);
    if (found < 0) high = middle - 1;
    else {
      known = Math.max(known, found);
      low = middle + 1;
    }
  }
  return boundaries[known] ?? 0;
}

function closed(prefix: string): string {
  const open: string[] = [];
  for (let i = 0; i < prefix.length; i++) {
    i = afterComment(prefix, i);
    const c = prefix[i];
    if (c === undefined) break;
    if (isQuote(c)) {
      const end = stringEnd(prefix, i);
      if (end < 0) return '';
      i = end;
    } else if (c in CLOSER) open.push(CLOSER[c]!);
    else if (c === ')' || c === ']' || c === '}') open.pop();
  }
  return prefix + open.reverse().join('');
}

function parses(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

// CEL text to its syntax tree, with limits, and words for what cannot stand where it stands. Pure.
import { childrenOf } from '../free.ts';
import { MAX_DEPTH, parseGrammar } from './grammar.ts';
import { afterComment, isQuote, isWord, stringEnd } from './lex.ts';
import { NotCel } from './lexer.ts';
import type { Expr } from './tree.ts';

export const MAX_EXPRESSION = 16_384;
const MAX_NESTING = 64;

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
    const expr = parseGrammar(text);
    if (isDeep(expr)) return { problem: { message: `nested deeper than ${MAX_DEPTH} operators`, offset: 0 } };
    return { expr };
  } catch (error) {
    if (error instanceof NotCel) return { problem: syntaxProblem(text, error) };
    throw error;
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

function syntaxProblem(text: string, { message, offset }: NotCel): SyntaxProblem {
  if (message !== '') return { message: `CEL syntax: ${message}`, offset };
  // A field is asked for by the dot before it.
  const at = text[offset - 1] === '.' && HINTS.has(tokenAt(text, offset - 1)) ? offset - 1 : offset;
  const found = tokenAt(text, at);
  if (found === '') return endProblem(text);
  const hint = HINTS.get(found);
  return {
    message: `CEL syntax: \`${found}\` cannot stand here${hint === undefined ? '' : `; ${hint}`}`,
    offset: at,
  };
}

/** The text ends too early: what it ends with wants something after it. */
function endProblem(text: string): SyntaxProblem {
  const end = text.trimEnd().length;
  let start = end;
  while (start > 0 && MARKS.includes(text[start - 1]!)) start--;
  const last = text.slice(start, end);
  const offset = Math.max(0, last === '' ? end - 1 : start);
  return {
    message:
      last === ''
        ? 'CEL syntax: the end cannot stand here'
        : `CEL syntax: something is missing after \`${last}\``,
    offset,
  };
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
]);

const MAX_SHOWN = 20;
const MARKS = '=&|.?<>!+-*/%`';

/** A name or number, a run of operator characters, or one other character. */
function tokenAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && isWord(text.charCodeAt(end))) end++;
  if (end === start) while (end < text.length && MARKS.includes(text[end]!)) end++;
  return text.slice(start, Math.min(Math.max(end, start + 1), start + MAX_SHOWN));
}

// CEL text to its syntax tree, by the grammar of @bufbuild/cel, with a limit and a better place for syntax errors. Pure.
import { parse } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { childrenOf } from '../free.ts';

export const MAX_EXPRESSION = 16_384;
const MAX_NESTING = 64;
const MAX_DEPTH = 400;
/** Places tried to find where a syntax error is. */
const MAX_TRIES = 300;

export type ParseResult =
  | { readonly expr: Expr }
  | { readonly problem: { readonly message: string; readonly offset: number } };

export function parseCel(text: string): ParseResult {
  if (text.length > MAX_EXPRESSION)
    return { problem: { message: `the expression is longer than ${MAX_EXPRESSION} characters`, offset: 0 } };
  const brackets = bracketProblem(text);
  if (brackets !== null) return { problem: brackets };
  try {
    const { expr } = parse(text);
    return isDeep(expr)
      ? { problem: { message: `nested deeper than ${MAX_DEPTH} operators`, offset: 0 } }
      : { expr };
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
function bracketProblem(text: string): { message: string; offset: number } | null {
  const open: { char: string; at: number }[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"' || c === "'") {
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
    } else if (c === '/' && text[i + 1] === '/') {
      const newline = text.indexOf('\n', i);
      i = newline < 0 ? text.length : newline;
    }
  }
  const last = open.at(-1);
  return last === undefined ? null : { message: `\`${last.char}\` is not closed`, offset: last.at };
}

function stringEnd(text: string, start: number): number {
  const quote = text[start]!;
  const prefix = text.slice(Math.max(0, start - 2), start).toLowerCase();
  const raw = prefix.endsWith('r') || prefix.endsWith('rb') || prefix.endsWith('br');
  const triple = text.startsWith(quote.repeat(3), start);
  const closing = triple ? quote.repeat(3) : quote;
  for (let i = start + closing.length; i < text.length; i++) {
    if (text[i] === '\\' && !raw) i++;
    else if (text.startsWith(closing, i)) return i + closing.length - 1;
    else if (!triple && text[i] === '\n') return -1;
  }
  return -1;
}

/**
 * The grammar backtracks and reports where its last alternative began. The true place is the furthest token boundary to
 * which some prefix, closed up, still parses.
 */
function syntaxProblem(text: string, error: unknown): { message: string; offset: number } {
  const fallback = (error as { location?: { start?: { offset?: number } } }).location?.start?.offset ?? 0;
  let best = 0;
  let tries = 0;
  for (let end = text.length - 1; end > 0 && tries < MAX_TRIES; end--) {
    if (!isBoundary(text, end)) continue;
    tries++;
    if (parses(closed(text.slice(0, end)))) {
      best = end;
      break;
    }
  }
  const offset = Math.max(best, fallback);
  let at = offset;
  while (at < text.length && (text[at] === ' ' || text[at] === '\n')) at++;
  const rest = text.slice(at).trim();
  if (rest !== '' && rest.length <= 3 && !/[\w"']/.test(rest)) {
    return { message: `CEL syntax: something is missing after \`${rest}\``, offset: at };
  }
  const found =
    at >= text.length ? 'the end' : `\`${text.slice(at, at + 12).split(/[\s)\]},]/, 1)[0] || text[at]}\``;
  return {
    message: `CEL syntax: ${found} cannot stand here`,
    offset: Math.min(at, Math.max(0, text.length - 1)),
  };
}

function isBoundary(text: string, at: number): boolean {
  return !/[\w$]/.test(text[at]!) || !/[\w$]/.test(text[at - 1]!);
}

function closed(prefix: string): string {
  const open: string[] = [];
  for (let i = 0; i < prefix.length; i++) {
    const c = prefix[i]!;
    if (c === '"' || c === "'") {
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

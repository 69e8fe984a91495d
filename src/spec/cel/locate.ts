// Finds where an expression, or a name in it, stands in its source: by the parser's positions, and for what has none
// (an expression that a `let` put there) by looking for its words. Pure.

import { childrenOf } from '../free.ts';
import { findName, isBlank, isQuote, isWord, stringEnd } from './lex.ts';
import { offsetIn } from './positions.ts';
import type { Expr } from './tree.ts';

export interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * The place of `word` (a name that `expr` itself has: a variable, its field or its function), or without it of the
 * first token of `expr`; null when it cannot be told.
 */
export function locate(source: string, expr: Expr, word?: string): Place | null {
  // A key such as `args["order_id"]` has its word within a text.
  if (word === undefined || expr.exprKind.case === 'constExpr') {
    const start = startOf(source, expr);
    if (start !== null) return tokenAt(source, start);
    const [first] = namesOf(expr);
    return first === undefined ? null : placeOf(findName(source, first, 0), first);
  }
  return placeOf(ownName(source, expr, word) ?? byNames(source, expr, word), word);
}

function placeOf(offset: number, word: string): Place | null {
  return offset < 0 ? null : { offset, length: word.length };
}

/** Offset of the name that this node has itself. */
function ownName(source: string, expr: Expr, word: string): number | null {
  const offset = offsetIn(source, expr);
  if (offset === null) return null;
  let at = offset;
  if (source[at] === '.') {
    at++;
    while (isBlank(source[at])) at++;
  } else if (source[at] === '(') {
    while (at > 0 && isBlank(source[at - 1])) at--;
    at -= word.length;
  }
  if (source.startsWith(word, at) && !isWord(source.charCodeAt(at + word.length))) return at;
  // `has(a.b.c)` is placed at its bracket, `a["b"]` at its own: the name stands further on.
  const from = startOf(source, expr) ?? offset;
  const found = findName(source, word, from);
  return found < 0 ? null : found;
}

/** Offset of the first token: the leftmost of the node's own and its operands'. */
function startOf(source: string, expr: Expr): number | null {
  const kind = expr.exprKind;
  const own = offsetIn(source, expr);
  const firsts: (Expr | undefined)[] = [];
  if (kind.case === 'selectExpr') firsts.push(kind.value.operand);
  else if (kind.case === 'comprehensionExpr') firsts.push(kind.value.iterRange);
  else if (kind.case === 'callExpr') firsts.push(kind.value.target ?? kind.value.args[0]);
  let start = own === null ? null : skipBlanks(source, own);
  if (kind.case === 'callExpr' && own !== null && source[own] === '(' && kind.value.target === undefined) {
    const name = own - kind.value.function.length;
    return source.startsWith(kind.value.function, name) ? name : start;
  }
  for (const first of firsts) {
    const before = first === undefined ? null : startOf(source, first);
    if (before !== null && (start === null || before < start)) start = before;
  }
  return start;
}

function skipBlanks(source: string, from: number): number {
  let at = from;
  while (isBlank(source[at])) at++;
  return at;
}

/** A name, the inside of a text, or one character. */
function tokenAt(source: string, offset: number): Place {
  let end = offset;
  while (isWord(source.charCodeAt(end))) end++;
  if (isQuote(source[end]) && end - offset <= 2) {
    const last = stringEnd(source, end);
    const quotes = source.startsWith(source[end]!.repeat(3), end) ? 3 : 1;
    const length = last - end + 1 - 2 * quotes;
    if (last >= 0 && length > 0) return { offset: end + quotes, length };
  }
  return { offset, length: Math.max(1, end - offset) };
}

/** `args.order.totl`: the word after the names before it. */
function byNames(source: string, expr: Expr, word: string): number {
  let from = 0;
  for (const before of namesOf(expr)) {
    if (before === word) break;
    const at = findName(source, before, from);
    if (at < 0) break;
    from = at + before.length;
  }
  const found = findName(source, word, from);
  return found < 0 ? findName(source, word, 0) : found;
}

function namesOf(expr: Expr, into: string[] = []): string[] {
  const kind = expr.exprKind;
  if (kind.case === 'identExpr') into.push(kind.value.name);
  else if (kind.case === 'selectExpr') {
    namesOf(kind.value.operand!, into);
    into.push(kind.value.field);
  } else if (kind.case === 'callExpr') {
    if (kind.value.target) namesOf(kind.value.target, into);
    if (isWord(kind.value.function.charCodeAt(0))) into.push(kind.value.function);
    for (const arg of kind.value.args) namesOf(arg, into);
  } else for (const child of childrenOf(expr)) namesOf(child.expr, into);
  return into.filter((name) => isWord(name.charCodeAt(0)));
}

// Finds where a sub-expression stands in its source. The parser keeps no places, so this looks for the words that the
// expression is made of, in order. Pure.
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { childrenOf } from '../free.ts';

export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** The place of `word` (a whole name) in `expr`, or of the first word of `expr`; null when it cannot be told. */
export function locate(source: string, expr: Expr, word?: string): Place | null {
  const anchor = wordsOf(expr);
  if (word === undefined) {
    const first = anchor[0];
    return first === undefined ? null : find(source, first, 0);
  }
  // `args.order.totl`: look for the word after the words before it.
  let from = 0;
  for (const before of anchor) {
    if (before === word) break;
    const place = find(source, before, from);
    if (place === null) break;
    from = place.offset + place.length;
  }
  return find(source, word, from) ?? find(source, word, 0);
}

function wordsOf(expr: Expr, into: string[] = []): string[] {
  const kind = expr.exprKind;
  if (kind.case === 'identExpr') into.push(kind.value.name);
  else if (kind.case === 'selectExpr') {
    wordsOf(kind.value.operand!, into);
    into.push(kind.value.field);
  } else if (kind.case === 'constExpr' && kind.value.constantKind.case === 'stringValue')
    into.push(kind.value.constantKind.value);
  else if (kind.case === 'callExpr') {
    if (kind.value.target) wordsOf(kind.value.target, into);
    if (isName(kind.value.function)) into.push(kind.value.function);
    for (const arg of kind.value.args) wordsOf(arg, into);
  } else for (const child of childrenOf(expr)) wordsOf(child.expr, into);
  return into.filter((word) => !word.startsWith('@') && word !== '');
}

function isName(text: string): boolean {
  return isWord(text.charCodeAt(0));
}

function find(source: string, word: string, from: number): Place | null {
  for (let at = source.indexOf(word, from); at >= 0; at = source.indexOf(word, at + 1)) {
    const before = at === 0 || !isWord(source.charCodeAt(at - 1)) || !isWord(word.charCodeAt(0));
    const end = at + word.length;
    const after =
      end >= source.length || !isWord(source.charCodeAt(end)) || !isWord(word.charCodeAt(word.length - 1));
    if (before && after) return { offset: at, length: word.length };
  }
  return null;
}

function isWord(code: number): boolean {
  return (
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
  );
}

// How a rule's outcome may change while the content of a step is still growing, as the text of a stream does: what of it can
// be let through before its end. Decided on the text of the rule; pure.
import type { Expr } from './cel/tree.ts';
import type { Engines } from './engines.ts';
import { childrenOf, identName, stringConstant } from './free.ts';

/**
 * `free`: the outcome does not depend on the content. `patterns`: it is that of the empty content, as long as none of the
 * patterns stands in it. `whole`: it can be known only when the content is all there.
 */
export type ContentWatch =
  | { readonly t: 'free' }
  | { readonly t: 'patterns'; readonly patterns: readonly string[] }
  | { readonly t: 'whole' };

export const FREE: ContentWatch = { t: 'free' };
export const WHOLE: ContentWatch = { t: 'whole' };
/** More patterns than this are not followed at once. */
const MAX_PATTERNS = 64;

/** The watch under which nothing of several is missed. */
export function joinWatches(watches: readonly ContentWatch[]): ContentWatch {
  const patterns = new Set<string>();
  for (const watch of watches) {
    if (watch.t === 'whole') return WHOLE;
    if (watch.t === 'patterns') for (const pattern of watch.patterns) patterns.add(pattern);
  }
  if (patterns.size === 0) return FREE;
  return patterns.size > MAX_PATTERNS ? WHOLE : { t: 'patterns', patterns: [...patterns] };
}

/** Of one expression, its `let` names written out. */
export function watchOf(expr: Expr, follows: Engines['follows']): ContentWatch {
  const pattern = patternOf(expr);
  if (pattern !== null) return follows?.(pattern) ? { t: 'patterns', patterns: [pattern] } : WHOLE;
  if (identName(expr) === 'content') return WHOLE;
  return joinWatches(childrenOf(expr).map((child) => watchOf(child.expr, follows)));
}

/** `content.contains("…")` and `content.matches("…")`, also of `content.lowerAscii()`, as an RE2 pattern. */
function patternOf(expr: Expr): string | null {
  if (expr.exprKind.case !== 'callExpr') return null;
  const { function: name, args } = expr.exprKind.value;
  const target: Expr | undefined = expr.exprKind.value.target;
  const [subject, argument] = target === undefined ? args : [target, args[0]];
  const text = stringConstant(argument);
  if (text === null || args.length !== (target === undefined ? 2 : 1)) return null;
  const folded = isLowered(subject);
  if (!folded && identName(subject) !== 'content') return null;
  if (name === 'matches') return folded ? null : text;
  if (name !== 'contains' || target === undefined || text === '') return null;
  return `${folded ? '(?i)' : ''}${quoted(text)}`;
}

function isLowered(expr: Expr | undefined): boolean {
  if (expr?.exprKind.case !== 'callExpr') return false;
  const { function: name, target, args } = expr.exprKind.value;
  return name === 'lowerAscii' && args.length === 0 && identName(target) === 'content';
}

const SPECIAL = new Set('\\.+*?()|[]{}^$');

/** The text as a pattern that stands for itself. */
function quoted(text: string): string {
  let out = '';
  for (const character of text) out += SPECIAL.has(character) ? `\\${character}` : character;
  return out;
}

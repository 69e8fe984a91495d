// Splits a condition where it says "and" or "or" at its outermost: the parts that a reader would check one by one. Pure.
import { isQuote, stringEnd } from './cel/lex.ts';

/**
 * The parts of `text` joined by `&&` (or by `||`), in order; one part when it is joined otherwise. Text in quotes and
 * parentheses is a part's own.
 */
export function splitCondition(text: string, joint: '&&' | '||'): string[] {
  const other = joint === '&&' ? '||' : '&&';
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (isQuote(c)) {
      const end = stringEnd(text, i);
      if (end < 0) return [text.trim()];
      i = end;
      continue;
    }
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    if (depth !== 0) continue;
    const two = text.slice(i, i + 2);
    // `a && b || c`, `a ? b : c`: the outermost joint is another.
    if (c === '?' || (two === other && joint === '&&')) return [text.trim()];
    if (two !== joint) continue;
    parts.push(text.slice(from, i).trim());
    from = i + 2;
    i++;
  }
  parts.push(text.slice(from).trim());
  return parts;
}

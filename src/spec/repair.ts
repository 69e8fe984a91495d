// The repair an author wrote: text with `{{ expression }}` filled in from the step. Pure.
import { isCelError, type Value } from './cel/value.ts';
import type { Range } from './problem.ts';
import type { Source } from './source.ts';
import type { Evaluate } from './view.ts';

const LENGTH_LIMIT = 2_000;

export function compileRepair(
  source: Source,
  template: string,
  range: Range,
  compile: (text: string, at: number | null) => Evaluate,
): (frame: Value[]) => string {
  const parts: (string | Evaluate)[] = [];
  const base = source.text.indexOf(template.split('\n', 1)[0] ?? '', range.start);
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{{', at);
    if (open < 0) break;
    const close = template.indexOf('}}', open);
    if (close < 0) {
      source.error('repair', range, '`{{` without `}}` in `repair`');
      break;
    }
    parts.push(template.slice(at, open));
    const inner = template.slice(open + 2, close);
    const lead = inner.length - inner.trimStart().length;
    parts.push(compile(inner.trim(), base < 0 ? null : base + open + 2 + lead));
    at = close + 2;
  }
  parts.push(template.slice(at));
  return (frame) =>
    parts
      .map((part) => (typeof part === 'string' ? part : show(part(frame))))
      .join('')
      .slice(0, LENGTH_LIMIT);
}

function show(value: Value): string {
  if (isCelError(value)) return '…';
  if (typeof value === 'string') return value;
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? '…'
  );
}

// Compiles `limit`: what it counts, for whom, and its name where sessions share it. Pure.
import type { Expression, LimitClause, RuleClause } from './document.ts';
import { showDuration } from './duration.ts';
import type { LimitPlan } from './program.ts';
import { isName } from './read.ts';
import { sharedId } from './shared.ts';
import type { Evaluate } from './view.ts';

export function compileLimit(
  rule: RuleClause,
  limit: LimitClause,
  id: number,
  expression: (from: Expression, want: 'any') => Evaluate,
): LimitPlan {
  return {
    id,
    sum: limit.sum === null ? null : expression(limit.sum, 'any'),
    path: limit.sum === null ? null : plainPath(limit.sum.text.trim()),
    max: limit.count ?? limit.max!,
    key: limit.per === null ? null : expression(limit.per, 'any'),
    windowMs: limit.windowMs,
    by: limit.by,
    shared: sharedLimit(rule, limit),
    text: limitText(limit),
  };
}

function limitText({ count, max, sum, per, of, windowMs }: LimitClause): string {
  const what = sum === null ? 'calls' : `of ${sum.text}`;
  const whose = per === null ? of : of === 'session' ? per.text : `${per.text} and ${of}`;
  const window = windowMs === null ? '' : ` in ${showDuration(windowMs)}`;
  return `${count ?? max} ${what} per ${whose}${window}`;
}

/** What a limit counts names it among the sessions that share it: another maximum counts on. */
function sharedLimit(rule: RuleClause, limit: LimitClause): LimitPlan['shared'] {
  if (limit.of === 'session') return null;
  const counted = JSON.stringify([
    limit.of,
    rule.on.map((pattern) => pattern.text),
    [rule.when, rule.unless, limit.sum, limit.per].map((part) => part?.text ?? null),
    rule.lets.map(({ name, expression }) => [name, expression.text]),
    limit.windowMs,
    limit.by,
  ]);
  return { scope: limit.of, id: sharedId('limit', counted) };
}

function plainPath(text: string): string | null {
  const parts = text.split('.');
  return parts[0] === 'args' && parts.length > 1 && parts.every((part) => isName(part)) ? text : null;
}

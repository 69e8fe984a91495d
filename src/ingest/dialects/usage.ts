// Token counts as exclusive buckets: their sum is what was billed. Dialects that count cached tokens twice say so in
// their table; a remainder below zero is not hidden but flagged. Pure.
import type { Json, Usage } from '../../step/types.ts';
import type { Reading } from './interpret.ts';
import type { UsageRule } from './types.ts';

/** On a step whose counts contradict each other or are not whole numbers. */
export const USAGE_INCONSISTENT = 'usage-inconsistent';

export interface UsageReading {
  /** Null when the span counts no tokens. */
  readonly usage: Usage | null;
  readonly consistent: boolean;
}

const BUCKETS = ['input', 'cacheRead', 'cacheWrite', 'output', 'reasoning'] as const;
type Counts = Partial<Record<(typeof BUCKETS)[number], number>>;

/** `cacheApart`: the span is one of those whose input leaves cached tokens out. */
export function readUsage(field: Reading['field'], rule: UsageRule, cacheApart: boolean): UsageReading {
  const counts: Counts = {};
  let consistent = true;
  for (const bucket of BUCKETS) {
    const raw = field(`usage.${bucket}`);
    if (raw === undefined) continue;
    const count = wholeNumber(raw);
    if (count === null) consistent = false;
    else counts[bucket] = count;
  }
  if (Object.keys(counts).length === 0) return { usage: null, consistent };
  const cached = rule.inputHasCache && !cacheApart ? (counts.cacheRead ?? 0) + (counts.cacheWrite ?? 0) : 0;
  const input = remainder(counts.input, cached);
  const output = remainder(counts.output, rule.outputHasReasoning ? (counts.reasoning ?? 0) : 0);
  const usage: Usage = {
    ...(input === undefined ? {} : { inputTokens: Math.max(0, input) }),
    ...(counts.cacheRead === undefined ? {} : { cacheReadTokens: counts.cacheRead }),
    ...(counts.cacheWrite === undefined ? {} : { cacheWriteTokens: counts.cacheWrite }),
    ...(output === undefined ? {} : { outputTokens: Math.max(0, output) }),
    ...(counts.reasoning === undefined ? {} : { reasoningTokens: counts.reasoning }),
  };
  return { usage, consistent: consistent && (input ?? 0) >= 0 && (output ?? 0) >= 0 };
}

function remainder(total: number | undefined, parts: number): number | undefined {
  return total === undefined ? undefined : total - parts;
}

/** Some exporters write counts as text. */
function wholeNumber(value: Json): number | null {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

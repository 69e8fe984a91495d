// What telemetry can recognise a decided tool step by when it carries no call id: the tool and exactly what went in or
// came out. Pure.
import { canonicalize } from '../step/canonical.ts';
import type { Proposal } from '../step/types.ts';
import { hash53 } from './ids.ts';

/** Kinds of steps that must have a decision: the tool ran, or its result reached the model. */
export function isToolStep(kind: Proposal['kind']): boolean {
  return kind === 'tool.call' || kind === 'tool.result';
}

/** Equal for equal acts: kind, name, and arguments or result. Null for steps that spans are not joined to. */
export function actText(
  step: Pick<Proposal, 'kind' | 'name' | 'args' | 'result' | 'content'>,
): string | null {
  if (step.kind === 'tool.call') return canonicalize(['call', step.name, step.args ?? {}]);
  if (step.kind === 'tool.result') {
    return canonicalize(['result', step.name, step.result ?? step.content ?? null]);
  }
  return null;
}

export function actOf(step: Pick<Proposal, 'kind' | 'name' | 'args' | 'result' | 'content'>): number | null {
  const text = actText(step);
  return text === null ? null : hash53(text);
}

// Whether a replay came to what was recorded, and the first difference in words. Pure.
import type { Decision } from '../monitor/types.ts';
import { canonicalize } from '../step/canonical.ts';
import type { Step } from '../step/types.ts';
import type { Replayed } from './replay.ts';

export interface Difference {
  readonly seq: number;
  /** E.g. `verdict: recorded deny, replayed allow`. */
  readonly what: string;
}

/** The first difference between what was recorded and what the replay found, or null when there is none. */
export function firstDifference(
  steps: readonly Step[],
  recorded: Replayed,
  replayed: Replayed,
): Difference | null {
  for (const [seq, step] of steps.entries()) {
    const what =
      decisionDifference(recorded.decisions[seq], replayed.decisions[seq]) ??
      unequal('state digest', recorded.stateDigests[seq], replayed.stateDigests[seq]);
    if (what !== null) return { seq, what: `${step.kind} ${step.name || '-'}: ${what}` };
  }
  if (recorded.decisions.length === steps.length && recorded.stateDigests.length === steps.length)
    return null;
  return {
    seq: steps.length,
    what: `${recorded.decisions.length} decisions recorded for ${steps.length} steps`,
  };
}

/** What is compared first is what a reader asks first; the last line is every remaining byte. */
function decisionDifference(recorded: Decision | undefined, replayed: Decision | undefined): string | null {
  if (recorded === undefined || replayed === undefined) return 'a decision is missing';
  return (
    unequal('step id', recorded.step, replayed.step) ??
    unequal('spec', recorded.spec, replayed.spec) ??
    unequal('engine version', recorded.engine, replayed.engine) ??
    unequal('verdict', recorded.verdict, replayed.verdict) ??
    unequal('verdict if all rules were enforced', recorded.wouldBe, replayed.wouldBe) ??
    unequal('rules', rulesOf(recorded), rulesOf(replayed)) ??
    unequal('witness', witnessOf(recorded), witnessOf(replayed)) ??
    unequal('repair', recorded.repair ?? null, replayed.repair ?? null) ??
    unequal('decision', canonicalize(recorded), canonicalize(replayed))
  );
}

function unequal(what: string, recorded: unknown, replayed: unknown): string | null {
  return recorded === replayed ? null : `${what}: recorded ${shown(recorded)}, replayed ${shown(replayed)}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text === '' ? 'none' : text;
}

function rulesOf(decision: Decision): string {
  return decision.rules.map((rule) => `${rule.rule} (${rule.verdict}, ${rule.cause})`).join(', ');
}

function witnessOf(decision: Decision): string {
  return decision.witness.map((witness) => witness.seq).join(', ');
}

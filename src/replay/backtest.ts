// Two specs over the same recorded session: which verdicts change, which way, by which rule, on what evidence. Pure.
import type { SharedHistory } from '../monitor/history.ts';
import { type Decision, type RuleOutcome, VERDICTS, type Verdict, type Witness } from '../monitor/types.ts';
import { ENFORCEABILITY, type Step } from '../step/types.ts';
import { type ReplaySpec, replaySteps } from './replay.ts';

export interface Side {
  readonly spec: ReplaySpec;
  /** What the sessions replayed so far share under this spec. */
  readonly history: SharedHistory | undefined;
}

/** A verdict that is another under the new spec. */
export interface Change {
  readonly seq: number;
  readonly step: Step;
  readonly from: Verdict;
  readonly to: Verdict;
  readonly direction: 'stricter' | 'laxer';
  /** The rules that make the stricter of the two verdicts: new ones where it got stricter, old ones where it got laxer. */
  readonly rules: readonly RuleOutcome[];
  readonly witness: readonly Witness[];
}

/** What rules in shadow or warn would have changed, were they enforced. */
export interface Compared {
  readonly steps: number;
  /** Steps that could have been stopped. */
  readonly decided: number;
  readonly changes: readonly Change[];
}

/**
 * Each spec judges the session by its own lights: what the new one denies has not happened for it later on, though the
 * recording went on as if it had. So the first change of a session is certain, and later ones are what would follow if
 * the agent did the same again.
 */
export function backtestSession(before: Side, after: Side, steps: readonly Step[]): Compared {
  const old = replaySteps(before.spec, steps, before.history);
  const next = replaySteps(after.spec, steps, after.history);
  const changes: Change[] = [];
  let decided = 0;
  for (const { step, decision } of old) {
    const other = next.next();
    if (other.done) break;
    if (ENFORCEABILITY[step.kind] === 'suppressable') decided++;
    const change = changeOf(step, decision, other.value.decision);
    if (change !== null) changes.push(change);
  }
  return { steps: steps.length, decided, changes };
}

function changeOf(step: Step, before: Decision, after: Decision): Change | null {
  if (before.verdict === after.verdict) return null;
  const direction = VERDICTS.indexOf(after.verdict) > VERDICTS.indexOf(before.verdict) ? 'stricter' : 'laxer';
  const strict = direction === 'stricter' ? after : before;
  const rules = strict.rules.filter(({ mode, verdict }) => mode === 'enforce' && verdict === strict.verdict);
  return {
    seq: step.seq,
    step,
    from: before.verdict,
    to: after.verdict,
    direction,
    rules,
    witness: rules.flatMap(({ witness }) => witness),
  };
}

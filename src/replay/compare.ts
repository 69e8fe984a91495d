// Whether a replay comes to what was recorded, and the first difference in words. Pure.
import type { Decision } from '../monitor/types.ts';
import { canonicalize } from '../step/canonical.ts';
import { type Sha256, stepDigest } from '../step/digest.ts';
import type { Step } from '../step/types.ts';
import { type ReplaySpec, replayWithDigests } from './replay.ts';

/** A session as it was decided live. The lists run in parallel. */
export interface RecordedSession {
  readonly steps: readonly Step[];
  readonly decisions: readonly Decision[];
  readonly stepDigests: readonly string[];
  readonly stateDigests: readonly string[];
}

export interface Difference {
  readonly seq: number;
  /** E.g. `tool.call refund: verdict: recorded deny, replayed allow`. */
  readonly what: string;
}

/**
 * Replays a recorded session: the first difference from the record, or null when every step digest, decision and state
 * digest is the same.
 */
export function compare(spec: ReplaySpec, recorded: RecordedSession, hash?: Sha256): Difference | null {
  const { steps } = recorded;
  const replayed = replayWithDigests(spec, steps, hash);
  for (const [seq, step] of steps.entries()) {
    const what =
      unequal('step digest', recorded.stepDigests[seq], stepDigest(step, hash)) ??
      decisionDifference(recorded.decisions[seq], replayed.decisions[seq]) ??
      unequal('state digest', recorded.stateDigests[seq], replayed.stateDigests[seq]);
    if (what !== null)
      return { seq, what: `${step.kind}${step.name === '' ? '' : ` ${step.name}`}: ${what}` };
  }
  const { decisions, stepDigests, stateDigests } = recorded;
  const longest = Math.max(decisions.length, stepDigests.length, stateDigests.length);
  return longest === steps.length
    ? null
    : { seq: steps.length, what: `${longest} decisions for ${steps.length} steps` };
}

/** In the order in which a reader would ask; the last line compares every remaining field. */
function decisionDifference(recorded: Decision | undefined, replayed: Decision | undefined): string | null {
  if (recorded === undefined || replayed === undefined) return 'no decision was recorded';
  return (
    unequal('spec', recorded.spec, replayed.spec) ??
    unequal('engine version', recorded.engine, replayed.engine) ??
    unequal('verdict', recorded.verdict, replayed.verdict) ??
    unequal('verdict if every rule were enforced', recorded.wouldBe, replayed.wouldBe) ??
    unequal('rules', rulesOf(recorded), rulesOf(replayed)) ??
    unequal('witness', witnessOf(recorded), witnessOf(replayed)) ??
    unequal('repair', recorded.repair, replayed.repair) ??
    unequal('decision', canonicalize(recorded), canonicalize(replayed))
  );
}

function unequal(what: string, recorded: unknown, replayed: unknown): string | null {
  return recorded === replayed ? null : `${what}: recorded ${shown(recorded)}, replayed ${shown(replayed)}`;
}

function shown(value: unknown): string {
  if (value === '' || value === undefined || value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function rulesOf(decision: Decision): string {
  return decision.rules.map((rule) => `${rule.rule} (${rule.verdict}, ${rule.cause})`).join(', ');
}

function witnessOf(decision: Decision): string {
  return decision.witness.map((witness) => witness.seq).join(', ');
}

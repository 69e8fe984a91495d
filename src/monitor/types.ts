// What a monitor says about a step. Data only: shared by the engine, replay, evidence and every door.
import type { ApprovalTerms, Fix, Mode } from '../spec/terms.ts';
import type { JsonObject, StepKind } from '../step/types.ts';

export { type ApprovalTerms, type Fix, MODES, type Mode } from '../spec/terms.ts';

/** Strictest last; the strictest enforced outcome wins. */
export const VERDICTS = ['allow', 'transform', 'hold', 'deny', 'halt'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** An earlier step that made the verdict. */
export interface Witness {
  readonly seq: number;
  readonly id: string;
  readonly kind: StepKind;
  readonly name: string;
  /** Set when it is a step of another session. */
  readonly session?: string;
  /** What in it mattered, e.g. `result.total = 40`, in words for a reader. */
  readonly note?: string;
}

/** Why a rule fired: it was violated, a value it needs was absent, or its evaluation failed. */
export type Cause = 'violated' | 'absent' | 'error';

/** One rule that fired on a step. */
export interface RuleOutcome {
  readonly rule: string;
  readonly verdict: Verdict;
  readonly mode: Mode;
  readonly cause: Cause;
  readonly because: string;
  /** What would be allowed, for the agent to read; absent when the author gave none and none can be derived. */
  readonly repair?: string;
  /** The same for a program, as far as it can be derived from the rule. */
  readonly fixes?: readonly Fix[];
  readonly witness: readonly Witness[];
  /** Identifiers of controls the rule supports, e.g. `owasp-agentic:ASI02`. */
  readonly controls: readonly string[];
  readonly approve?: ApprovalTerms;
}

/** The record of a verdict on one step. A pure function of spec, engine version and the steps so far. */
export interface Decision {
  readonly session: string;
  readonly seq: number;
  readonly step: string;
  /** What is in force: the strictest outcome among enforced rules. */
  readonly verdict: Verdict;
  /** The strictest outcome counting shadow and warn rules too: what full enforcement would have said. */
  readonly wouldBe: Verdict;
  /** Mode of the rule that made `verdict`; `enforce` when nothing fired. */
  readonly mode: Mode;
  /** Rules that fired, strictest first, ties in spec order. Empty for a plain allow. */
  readonly rules: readonly RuleOutcome[];
  /** Union of the firing rules' witnesses, by seq. */
  readonly witness: readonly Witness[];
  readonly repair?: string;
  /** Arguments to run instead of the proposed ones; set when `verdict` is `transform`, or `hold` of a rewritten step. */
  readonly transformed?: JsonObject;
  /** `sha256:` and the hex digest of the canonical arguments, set when `verdict` is `hold`: what an approval binds to. */
  readonly binding?: string;
  /** Digest of the spec, `sha256:<hex>`, or null when no spec applied. */
  readonly spec: string | null;
  readonly engine: string;
}

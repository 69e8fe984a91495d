// The monitor's contract; the implementation follows in this file's neighbours.
import type { CheckPlan } from '../spec/check.ts';
import type { ContentWatch } from '../spec/content-watch.ts';
import type { SessionIdentity } from '../spec/shared.ts';
import type { Fact, Json, JsonObject, Step } from '../step/types.ts';
import type { SharedHistory } from './history.ts';
import type { Decision, RuleOutcome, Verdict } from './types.ts';

/** State of one session under one spec. Opaque; owned by one caller at a time and advanced in place. */
export type MonitorState = { readonly __brand: 'MonitorState' };

/** A decided step with what its session knows of it. */
export interface Arrival {
  /** As it took effect: rewritten where a rule rewrote it. */
  readonly step: Step;
  /** It took effect, and is no result of a call that was denied. */
  readonly happened: boolean;
  /** Its own arguments; for a result those of its call. */
  readonly args: JsonObject | undefined;
  readonly now: number;
  readonly identity: SessionIdentity;
}

export interface StepOutcome {
  readonly decision: Decision;
  /** What was asked of other sessions and is not in the step yet: belongs into its record. */
  readonly facts?: readonly Fact[];
  /** Which metrics count the step, and as what; `bad` null: it could not be said. */
  readonly metrics?: readonly { readonly metric: string; readonly bad: boolean | null }[];
  /** The step as history takes it, for `feed`. */
  readonly arrival?: Arrival;
  /** Canonical text of what this step changed in the state: chained into the state digest by `chainState`. */
  readonly changes: string;
}

export interface Foresight {
  /** Strictest of what is enforced; what an approval lifts still counts as `hold`. */
  readonly verdict: Verdict;
  readonly rules: readonly RuleOutcome[];
  readonly watch: ContentWatch;
}

export interface Monitor {
  /** Spec digest, `sha256:<hex>`. */
  readonly spec: string;
  start(): MonitorState;
  /** Decides one step and advances the state. Deterministic; no clock, no I/O. Steps come in `seq` order. */
  step(state: MonitorState, step: Step, history?: SharedHistory): StepOutcome;
  /** What it would say of the step, and how that may change as the step's content grows; the state stays as it is. */
  foresee(state: MonitorState, step: Step, history?: SharedHistory): Foresight;
  /** Takes a decided step, of whatever spec, into the histories that this spec's sessions share; `done` are views that have it. */
  feed?(arrival: Arrival, history: SharedHistory, done: Set<string>): void;
  /** The checks that the spec declares. */
  readonly checks?: ReadonlyMap<string, CheckPlan>;
  /** Names of the shared views and limits: what of a kept history this spec needs. */
  readonly shares?: readonly string[];
  /**
   * When the earliest obligation falls due, milliseconds since the epoch; null when nothing is owed by a time. A live
   * owner records a `check` step named `deadline` after that moment, so that a missed one is noticed in time.
   */
  deadline(state: MonitorState): number | null;
  /** A JSON form from which `load` restores a state that behaves identically. */
  save(state: MonitorState): Json;
  load(saved: Json): MonitorState;
}

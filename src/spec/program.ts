// A compiled spec: what the monitor runs. Closures over frames, indexed by step kind and name. Types only.

import type { Json, JsonObject } from '../step/types.ts';
import type { FieldAnnotations } from './annotations.ts';
import type { Value } from './cel/value.ts';
import type { CheckPlan } from './check.ts';
import type { ContentWatch } from './content-watch.ts';
import type { DefaultVerdict, Effect, ToolContract } from './document.ts';
import type { Fixer } from './fix.ts';
import type { StepPattern } from './pattern.ts';
import type { SourceInfo } from './run.ts';
import type { Type } from './schema/type.ts';
import type { SharedScope } from './shared.ts';
import type { ApprovalTerms, Mode } from './terms.ts';
import type { Evaluate, ViewPlan } from './view.ts';

export interface LimitPlan {
  readonly id: number;
  /** What one step takes; null counts 1. */
  readonly sum: Evaluate | null;
  /** The argument that is summed, when it is one: `args.amount`. */
  readonly path: string | null;
  readonly max: number;
  /** Null: one slot for the session. */
  readonly key: Evaluate | null;
  readonly windowMs: number | null;
  readonly by: 'success' | 'attempt';
  /** Null: the session's own. Else which sessions share it, and its name among them. */
  readonly shared: { readonly scope: SharedScope; readonly id: string } | null;
  readonly text: string;
}

export type TransformOp =
  | { readonly t: 'set'; readonly path: readonly string[]; readonly value: Evaluate }
  | { readonly t: 'drop'; readonly path: readonly string[] };

/** A followed flow of content (src/spec/flow.ts). */
export interface FlowPlan {
  readonly id: number;
  readonly track: 'context' | 'value';
  /** What is looked through; null: the arguments, or the content of a step that has none. */
  readonly look: Evaluate | null;
  readonly from: (source: SourceInfo) => boolean;
  readonly free: (source: SourceInfo) => boolean;
  readonly text: string;
}

/** A state machine over steps; a step that no state names is not its business. */
export interface OrderPlan {
  readonly id: number;
  readonly start: string;
  readonly states: ReadonlyMap<string, readonly { readonly pattern: StepPattern; readonly to: string }[]>;
}

/** What is owed after a step (src/spec/obligation.ts). */
export interface ObligationPlan {
  readonly id: number;
  /** Patterns of the steps that make it owed. */
  readonly owes: readonly StepPattern[];
  readonly due: StepPattern;
  readonly event: StepPattern | null;
  readonly withinMs: number | null;
  readonly afterSlot: number;
  readonly thenSlot: number;
  readonly owedKeys: readonly Evaluate[];
  readonly paidKeys: readonly Evaluate[];
  readonly rest: readonly Evaluate[];
  readonly keep: (step: Value) => Value;
}

/** What a hand-off must keep; each null or false when it is not asked for. */
export interface HandoffPlan {
  /** Globs over the agents that this one may hand to. */
  readonly receivers: ((from: string) => readonly string[]) | null;
  /** Violations of the contract in words, null when what is handed fits. */
  readonly checkInput: ((args: JsonObject) => string | null) | null;
  readonly proven: Evaluate | null;
  readonly settled: boolean;
}

/** A rate over steps (src/spec/read-metric.ts): which it counts, and which of them are bad. */
export interface MetricPlan {
  readonly id: string;
  readonly when: Evaluate | null;
  readonly unless: Evaluate | null;
  readonly bad: Evaluate;
  /** Where `bad` finds the verdict on the step. */
  readonly verdictSlot: number;
  readonly budget: number;
  readonly alarm: number;
  readonly because: string;
}

export type RulePlanForm =
  | { readonly t: 'handoff'; readonly handoff: HandoffPlan }
  | { readonly t: 'flow'; readonly flow: FlowPlan }
  | { readonly t: 'order'; readonly order: OrderPlan }
  | { readonly t: 'obligation'; readonly obligation: ObligationPlan }
  | { readonly t: 'require' | 'deny'; readonly test: Evaluate }
  | { readonly t: 'hold'; readonly test: Evaluate | null }
  | { readonly t: 'limit'; readonly limit: LimitPlan }
  | { readonly t: 'transform'; readonly ops: readonly TransformOp[] };

export interface RulePlan {
  readonly index: number;
  /** What of an output may be let through before its end, as far as this rule goes. */
  readonly watch: ContentWatch;
  readonly id: string;
  readonly mode: Mode;
  readonly verdict: 'deny' | 'hold' | 'halt' | 'transform';
  readonly when: Evaluate | null;
  readonly unless: Evaluate | null;
  readonly form: RulePlanForm;
  readonly because: string;
  /** Renders the author's repair over the step. */
  readonly repair: ((frame: Value[]) => string) | null;
  /** Step patterns that the rule's history operators look for: the repair when the author wrote none. */
  readonly needs: readonly string[];
  /** Derives what would be allowed; null where nothing can be. */
  readonly fixes: Fixer | null;
  /** Whether it is enforced and names the tools it is about: such a rule covers a tool that has no contract. */
  readonly covers: boolean;
  readonly controls: readonly string[];
  readonly approve: ApprovalTerms;
}

export interface ToolPlan {
  readonly contract: ToolContract;
  /** Types of the arguments and of the structured result. */
  readonly input: Type;
  readonly output: Type;
  /** Null when the contract gives no input schema. Answers the first violations in words, or null when valid. */
  readonly checkInput: ((args: JsonObject) => string | null) | null;
  readonly annotations: FieldAnnotations | null;
  /** Every label the contract gives its output, its fields included. */
  readonly labels: readonly string[];
  /** Whether some of its output is untrusted. */
  readonly untrusted: boolean;
  /** The `tool` variable. */
  readonly value: Json;
}

export interface Program {
  readonly name: string;
  readonly digest: string;
  readonly canonical: string;
  readonly agents: readonly string[];
  /** The spec's own mode: that of its contracts and its default. */
  readonly mode: Mode;
  readonly defaultVerdict: DefaultVerdict;
  /** Whether inputs, outputs, requests to models and what is read may go on when no decision can be had. */
  readonly failOpen: boolean;
  readonly tools: ReadonlyMap<string, ToolPlan>;
  readonly rules: readonly RulePlan[];
  readonly views: readonly ViewPlan[];
  /** By limit id. */
  readonly limits: readonly LimitPlan[];
  readonly flows: readonly FlowPlan[];
  readonly orders: readonly OrderPlan[];
  /** The rules of form `obligation`, by obligation id: asked on every step, while something is owed. */
  readonly checks: ReadonlyMap<string, CheckPlan>;
  readonly metrics: readonly MetricPlan[];
  readonly obligations: readonly (RulePlan & { readonly form: { readonly t: 'obligation' } })[];
  readonly frameSize: number;
  readonly usesOrigins: boolean;
  rulesFor(kind: string, name: string): readonly RulePlan[];
  metricsFor(kind: string, name: string): readonly MetricPlan[];
  viewsFor(kind: string, name: string): readonly ViewPlan[];
  /** Views of wider histories than the session's. */
  readonly sharedViews: readonly ViewPlan[];
  sharedViewsFor(kind: string, name: string): readonly ViewPlan[];
  /** Whether anything is asked of, or kept in, a history wider than the session. */
  readonly shares: boolean;
}

export type { Effect };

// A compiled spec: what the monitor runs. Closures over frames, indexed by step kind and name. Types only.

import type { Json, JsonObject } from '../step/types.ts';
import type { FieldAnnotations } from './annotations.ts';
import type { Value } from './cel/value.ts';
import type { DefaultVerdict, Effect, ToolContract } from './document.ts';
import type { Type } from './schema/type.ts';
import type { ApprovalTerms, Mode } from './terms.ts';
import type { Evaluate, ViewPlan } from './view.ts';

export interface LimitPlan {
  readonly id: number;
  /** What one step takes; null counts 1. */
  readonly sum: Evaluate | null;
  readonly max: number;
  /** Null: one slot for the session. */
  readonly key: Evaluate | null;
  readonly windowMs: number | null;
  readonly by: 'success' | 'attempt';
  readonly text: string;
}

export type TransformOp =
  | { readonly t: 'set'; readonly path: readonly string[]; readonly value: Evaluate }
  | { readonly t: 'drop'; readonly path: readonly string[] };

export type RulePlanForm =
  | { readonly t: 'require' | 'deny'; readonly test: Evaluate }
  | { readonly t: 'hold'; readonly test: Evaluate | null }
  | { readonly t: 'limit'; readonly limit: LimitPlan }
  | { readonly t: 'transform'; readonly ops: readonly TransformOp[] };

export interface RulePlan {
  readonly index: number;
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
  readonly defaultVerdict: DefaultVerdict;
  readonly tools: ReadonlyMap<string, ToolPlan>;
  readonly rules: readonly RulePlan[];
  readonly views: readonly ViewPlan[];
  /** By limit id. */
  readonly limits: readonly LimitPlan[];
  readonly frameSize: number;
  readonly usesOrigins: boolean;
  rulesFor(kind: string, name: string): readonly RulePlan[];
  viewsFor(kind: string, name: string): readonly ViewPlan[];
}

export type { Effect };

// A spec as read: keys known, words checked, places kept. Expressions are still text. Data only.

import type { Json, JsonObject } from '../step/types.ts';
import type { Let } from './let.ts';
import type { StepPattern } from './pattern.ts';
import type { Range } from './problem.ts';
import type { SharedScope } from './shared.ts';
import type { Source, SourceNode } from './source.ts';
import type { Mode } from './terms.ts';

export const EFFECTS = ['read', 'write', 'send', 'delete', 'execute'] as const;
export type Effect = (typeof EFFECTS)[number];
export const TRUST = ['trusted', 'untrusted'] as const;
/** What happens to a call when no decision can be had. */
export const FAIL = ['closed', 'open'] as const;
export type Trust = (typeof TRUST)[number];
export const DEFAULTS = ['allow', 'deny', 'hold'] as const;
export type DefaultVerdict = (typeof DEFAULTS)[number];

/** Text of a CEL expression and where it stands. */
export interface Expression {
  readonly text: string;
  readonly range: Range;
  /** Offset of the first character of `text` in the spec, when it stands there verbatim. */
  readonly at: number | null;
}

export interface ToolContract {
  readonly name: string;
  readonly effect: Effect;
  readonly reversible: boolean;
  /** Trust of the output where its schema says nothing nearer. */
  readonly trust: Trust;
  readonly labels: readonly string[];
  /** A call may run when no decision can be had. */
  readonly failOpen: boolean;
  readonly input: Json | null;
  readonly output: Json | null;
  readonly range: Range;
  /** The file it stands in. */
  readonly source: Source;
}

export interface LimitClause {
  readonly count: number | null;
  readonly sum: Expression | null;
  readonly max: number | null;
  /** Expression whose value names the slot; null: one slot for all. */
  readonly per: Expression | null;
  /** Which sessions share the slots. */
  readonly of: 'session' | SharedScope;
  readonly windowMs: number | null;
  /** `success` returns the slot of a failed call; `attempt` keeps it. */
  readonly by: 'success' | 'attempt';
}

export interface TransformClause {
  readonly set: readonly { readonly path: readonly string[]; readonly value: Expression }[];
  readonly drop: readonly (readonly string[])[];
}

/** Which content a flow starts from: any of these. */
export interface FlowSource {
  readonly labels: readonly string[];
  readonly untrusted: boolean;
  /** Globs over tool names. */
  readonly tools: readonly string[];
}

export interface FlowClause {
  readonly from: FlowSource;
  /** `context`: anything after such content came in. `value`: what carries that content itself. */
  readonly track: 'context' | 'value';
  /** What is looked through for values; the arguments (or the content) when null. */
  readonly in: Expression | null;
  /** Sources that set content free: what they gave may go, and they end a tracked context. */
  readonly free: readonly string[];
  readonly range: Range;
}

export interface OrderClause {
  readonly start: string;
  /** In each state, the steps that may happen and the state they lead to. */
  readonly states: ReadonlyMap<string, readonly { readonly pattern: StepPattern; readonly to: string }[]>;
}

export interface ObligationClause {
  /** What is owed. */
  readonly due: StepPattern;
  readonly where: Expression | null;
  readonly withinMs: number | null;
  /** Steps that may not happen while it is owed. */
  readonly event: StepPattern | null;
}

/** Hand-offs to some agents: all of what is given must hold. */
export interface HandoffClause {
  readonly on: readonly StepPattern[];
  /** Globs over the agents that hand, to globs over those they may hand to; null: whoever. */
  readonly allow: ReadonlyMap<string, readonly string[]> | null;
  /** JSON Schema of what the receiver gets. */
  readonly input: Json | null;
  readonly proven: Expression | null;
  /** Nothing may be owed. */
  readonly settled: boolean;
}

/** A rate over steps; gives no verdict. */
export interface MetricClause {
  readonly bad: Expression;
  /** Share of the steps that may be bad. */
  readonly budget: number;
  /** Probability of a false alarm of the drift test, ever. */
  readonly alarm: number;
}

/** How outside evidence is got. */
export type CheckMeans =
  | { readonly t: 'command'; readonly argv: readonly string[] }
  | { readonly t: 'probe'; readonly url: string }
  | { readonly t: 'attestation'; readonly type: string; readonly keys: readonly string[] };

export interface CheckDeclaration {
  readonly name: string;
  readonly means: CheckMeans;
  /** Over the evidence; null: exit code 0, status 200 to 299, a valid signature. */
  readonly pass: Expression | null;
  readonly timeoutMs: number;
  readonly range: Range;
  readonly source: Source;
}

/** A check of the subject must have passed, the latest one, and not too long ago. */
export interface CheckClause {
  readonly name: string;
  readonly subject: Expression | null;
  readonly freshMs: number | null;
  /** The same as a condition over history. */
  readonly proof: Expression;
}

export type RuleForm =
  | { readonly t: 'handoff'; readonly handoff: HandoffClause }
  | { readonly t: 'metric'; readonly metric: MetricClause }
  | { readonly t: 'check'; readonly check: CheckClause }
  | { readonly t: 'flow'; readonly flow: FlowClause }
  | { readonly t: 'order'; readonly order: OrderClause }
  /** The rule's `on` is what makes it owed. */
  | { readonly t: 'obligation'; readonly obligation: ObligationClause }
  | { readonly t: 'require'; readonly expression: Expression }
  | { readonly t: 'deny'; readonly expression: Expression }
  | { readonly t: 'hold'; readonly expression: Expression | null }
  | { readonly t: 'limit'; readonly limit: LimitClause }
  | { readonly t: 'transform'; readonly transform: TransformClause };

export interface ApproveClause {
  readonly by: readonly string[];
  readonly quorum: number;
  readonly notPrincipal: boolean;
  readonly expiresMs: number;
  readonly escalate?: { readonly afterMs: number; readonly to: readonly string[] };
}

export interface RuleClause {
  readonly id: string;
  readonly on: readonly StepPattern[];
  readonly onRange: Range;
  readonly when: Expression | null;
  readonly unless: Expression | null;
  readonly form: RuleForm;
  readonly otherwise: 'deny' | 'hold' | 'halt';
  readonly approve: ApproveClause;
  readonly because: string;
  readonly repair: string | null;
  readonly repairRange: Range;
  readonly controls: readonly string[];
  readonly mode: Mode;
  readonly range: Range;
  /** The file it stands in, and the names its expressions may use. */
  readonly source: Source;
  readonly lets: readonly Let[];
}

export interface SpecDocument {
  readonly name: string;
  /** Globs over agent names; the spec applies when one matches. */
  readonly agents: readonly string[];
  readonly mode: Mode;
  readonly defaultVerdict: DefaultVerdict;
  /** What is no call and can be taken back may go on when no decision can be had. */
  readonly failOpen: boolean;
  readonly tools: ReadonlyMap<string, ToolContract>;
  readonly checks: ReadonlyMap<string, CheckDeclaration>;
  /** Names for expressions: the spec's own. */
  readonly lets: readonly Let[];
  /** Its own and those of what it imports. */
  readonly rules: readonly RuleClause[];
  readonly tests: SourceNode | null;
  /** The meaning alone (no tests), as plain data: its canonical bytes are the spec's identity. */
  readonly meaning: JsonObject;
}

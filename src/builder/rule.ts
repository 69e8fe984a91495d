// The shape of a rule, in the words of the language, with types that know the tools. Types only.
import type { Effect } from '../spec/document.ts';
import type { Json } from '../step/types.ts';
import type { Cel } from './expression.ts';
import type { ArgsOf, Open, Pattern, ResultOf, SchemaLike, ToolsLike } from './fields.ts';
import type { origin, Past, Remembered } from './history.ts';

/** What a condition can speak of. The names are those of the language. */
export interface Names<T extends ToolsLike, N extends string, P> {
  readonly args: ArgsOf<T, P>;
  readonly result: ResultOf<T, P>;
  readonly content: Cel;
  readonly name: Cel;
  readonly kind: Cel;
  readonly principal: Cel;
  readonly agent: Cel & { readonly name: Cel; readonly version: Cel };
  readonly time: Cel;
  readonly labels: Cel;
  readonly attributes: Open;
  readonly session: Cel;
  readonly error: Cel & { readonly message: Cel; readonly type: Cel };
  readonly call: Cel;
  readonly tool: Cel & {
    readonly declared: Cel;
    readonly name: Cel;
    readonly effect: Cel;
    readonly reversible: Cel;
    readonly trust: Cel;
    readonly labels: Cel;
  };
  readonly context: Cel & { readonly labels: Cel; readonly untrusted: Cel };
  readonly past: Past<T, N>;
  readonly origin: typeof origin;
  /** A name from `let`, or a parameter. */
  named(name: string): Open;
}

/** A CEL expression: text, a `cel` template, or a function of the names it speaks of. */
export type Expr<C> = string | number | boolean | Cel | ((names: C) => string | number | boolean | Cel);
/** Words in which `{{ … }}` holds an expression. */
export type Words<C> = string | ((names: C) => string);
/** A parameter of the spec, in the place of a value. */
export type Parameter = `$${string}`;
export type Mode = 'shadow' | 'warn' | 'enforce';
type Some<V> = V | readonly V[];
type Path = `args.${string}`;

export interface Approve {
  readonly by?: Some<string>;
  readonly quorum?: number | Parameter;
  /** Four eyes: not the session's principal. */
  readonly not?: 'principal';
  readonly expires?: string;
  /** After so long, these roles may answer too. */
  readonly escalate?: { readonly after: string; readonly to: Some<string> };
}

interface Terms<C> {
  /** The rule applies only if; undecidable counts as yes. */
  readonly when?: Expr<C>;
  /** Exempt if; undecidable counts as no. */
  readonly unless?: Expr<C>;
  readonly otherwise?: 'deny' | 'hold' | 'halt';
  readonly approve?: Approve;
  readonly because?: string;
  readonly repair?: Words<C>;
  readonly controls?: Some<string>;
  readonly mode?: Mode | Parameter;
}

export type Limit<C> = (
  | { readonly count: number | Parameter }
  | { readonly sum: Expr<C>; readonly max: number | Parameter }
) & {
  /** What has a slot of its own; or whose sessions share one. */
  readonly per?: Expr<C> | 'principal' | 'agent' | 'tenant';
  readonly of?: 'session' | 'principal' | 'agent' | 'tenant';
  readonly window?: string;
  readonly by?: 'success' | 'attempt';
};

export interface Flow<C, N extends string> {
  readonly from: {
    readonly labels?: Some<string>;
    readonly trust?: 'untrusted';
    readonly tools?: Some<N | `${string}*${string}`>;
  };
  readonly track?: 'context' | 'value';
  readonly in?: Expr<C>;
  readonly free?: Some<string>;
}

export interface Transform<C> {
  readonly set?: { readonly [path: Path]: Expr<C> };
  readonly drop?: Some<Path>;
}

type VerdictForm<C, N extends string, Checks extends string> =
  | { readonly require: Expr<C> }
  | { readonly deny: Expr<C> }
  | { readonly hold: Expr<C> }
  | { readonly limit: Limit<C> }
  | { readonly transform: Transform<C> }
  | { readonly flow: Flow<C, N> }
  | {
      readonly check: Checks | { readonly name: Checks; readonly subject?: Expr<C>; readonly fresh?: string };
    };

interface MetricForm<C> {
  readonly metric: {
    /** May use `verdict` too. */
    readonly bad: Expr<C & { readonly verdict: Cel }>;
    /** A share: `1%` or 0.01. */
    readonly budget: string | number;
    readonly alarm?: string | number;
  };
  readonly when?: Expr<C>;
  readonly unless?: Expr<C>;
  readonly because?: string;
  readonly controls?: Some<string>;
}

/** A rule about the steps that its `on` matches. */
export type StepRule<T extends ToolsLike, N extends string, Checks extends string, P> = {
  readonly on: P | readonly P[];
} & ((Terms<Names<T, N, P>> & VerdictForm<Names<T, N, P>, N, Checks>) | MetricForm<Names<T, N, P>>);

/** After such a step, another one is owed: `then` in YAML, which no JavaScript object should be called. */
export interface Obligation<T extends ToolsLike, N extends string, A, D> extends Terms<Names<T, N, A>> {
  readonly after: A | readonly A[];
  readonly owed: D;
  readonly where?:
    | string
    | Cel
    | ((names: { readonly after: Remembered<T, A>; readonly then: Remembered<T, D> }) => string | Cel);
  readonly before: { readonly within?: string; readonly event?: Pattern<N> };
}

/** A state machine over steps. */
export interface Order<N extends string, States extends string> extends Terms<Names<ToolsLike, N, never>> {
  readonly order: {
    readonly start: NoInfer<States>;
    readonly states: { readonly [S in States]: { readonly [P in Pattern<N>]?: NoInfer<States> } | null };
  };
}

export interface Handoff<T extends ToolsLike, N extends string> extends Terms<Names<T, N, never>> {
  readonly handoff: {
    readonly to?: Some<string>;
    /** Agents, and those they may hand to. */
    readonly allow?: Readonly<Record<string, Some<string>>>;
    readonly input?: SchemaLike;
    readonly proven?: Expr<Names<T, N, never>>;
    readonly settled?: boolean;
  };
}

type Args = { readonly [name: string]: Json };
interface Expectation {
  readonly expect?: 'allow' | 'transform' | 'hold' | 'deny' | 'halt';
  /** One of the rules that fired. */
  readonly rule?: string;
  readonly id?: string;
  readonly content?: Json;
  readonly error?: Json;
}
type Act<N extends string> =
  | { readonly call: N; readonly args?: Args }
  | { readonly result: N; readonly args?: Args; readonly value?: Json }
  | { readonly input: Json }
  | { readonly output: Json }
  | { readonly system: Json }
  | { readonly approve: boolean; readonly by?: Some<string>; readonly role?: Some<string> }
  | { readonly refuse: boolean; readonly by?: Some<string>; readonly role?: Some<string> }
  | { readonly wait: string }
  /** Goes on in another session, of this principal. */
  | { readonly session: string }
  /** The steps of a fixture. */
  | { readonly use: string }
  | ({
      readonly [K in
        | 'request'
        | 'response'
        | 'retrieval'
        | 'recall'
        | 'remember'
        | 'handoff'
        | 'check'
        | 'end']?: Json;
    } & { readonly args?: Args; readonly value?: Json });

/** A step of an example: what happens, and what is expected of it. */
export type Example<N extends string> = Act<N> & Expectation;

/** What a spec says besides its rules; the keys are those of YAML. */
export interface Head {
  readonly description?: string;
  readonly applies?: { readonly agents: Some<string> };
  readonly imports?: readonly Json[] | readonly unknown[];
  readonly parameters?: Readonly<Record<string, SchemaLike>>;
  readonly mode?: Mode;
  /** Of calls that no contract and no enforced rule names. */
  readonly default?: 'allow' | 'deny' | 'hold';
  /** `open`: inputs, outputs, requests to models and what is read may go on when no decision can be had. */
  readonly fail?: 'closed' | 'open';
  readonly tools?: ToolsLike;
  readonly let?: Readonly<Record<string, Expr<Names<ToolsLike, string, Pattern<string>>>>>;
  readonly checks?: Readonly<Record<string, Check>>;
  /** Steps by name, that examples `use`. */
  readonly fixtures?: Readonly<Record<string, readonly Example<string>[]>>;
}

type Check = (
  | { readonly command: readonly string[] }
  | { readonly get: string }
  | { readonly attestation: { readonly type: string; readonly keys: Some<string> } }
) & { readonly pass?: string; readonly timeout?: string };

export type { Effect };

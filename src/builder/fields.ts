// Types of fields, from JSON Schema given as constants: what `args.` completes to, and what it refuses. Types only.
import type { Effect } from '../spec/document.ts';
import type { Json } from '../step/types.ts';
import type { Cel } from './expression.ts';

/** A value of which nothing is known: any field may be read. */
export interface Open extends Cel {
  readonly [name: string]: Open;
}

/** A JSON Schema as a constant. The compiler checks the schema itself. */
export type SchemaLike = boolean | { readonly [keyword: string]: unknown };

/** A value of which the schema is known. */
export type Field<S> = [S] extends [never]
  ? Open
  : S extends { readonly $ref: string }
    ? Open
    : S extends { readonly properties: infer P }
      ? Cel & { readonly [K in keyof P]: Field<P[K]> } & Others<S>
      : S extends { readonly items: infer I }
        ? Cel & { readonly [index: number]: Field<I> }
        : S extends { readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'null' }
          ? Cel
          : Open;

type Others<S> = S extends { readonly additionalProperties: infer A }
  ? A extends false
    ? unknown
    : Open
  : unknown;

/** A value that has one of several schemas: a field of any of them may be read. */
export type FieldOfAny<S> = [S] extends [never]
  ? Open
  : [S] extends [{ readonly properties: unknown }]
    ? Cel & { readonly [K in NamesOf<PropertiesOf<S>>]: FieldOfAny<Property<PropertiesOf<S>, K>> }
    : IsUnion<S> extends true
      ? Open
      : Field<S>;

type PropertiesOf<S> = S extends { readonly properties: infer P } ? P : never;
type NamesOf<P> = P extends unknown ? keyof P : never;
type Property<P, K> = P extends unknown ? (K extends keyof P ? P[K] : never) : never;
type IsUnion<S, All = S> = [S] extends [never]
  ? false
  : S extends unknown
    ? [All] extends [S]
      ? false
      : true
    : never;

/** A tool's contract; the same keys as in YAML. */
export interface ToolLike {
  readonly effect: Effect;
  readonly reversible?: boolean;
  /** Of the output, where its schema says nothing nearer. */
  readonly trust?: 'trusted' | 'untrusted';
  /** `open`: a call may run when no decision can be had, and is put on record later. `closed` when absent. */
  readonly fail?: 'closed' | 'open';
  readonly labels?: readonly string[];
  /** JSON Schema 2020-12 of the arguments. */
  readonly input?: SchemaLike;
  /** JSON Schema 2020-12 of the result; `trust` and `labels` may stand at any field. */
  readonly output?: SchemaLike;
  readonly description?: string;
  readonly to?: Json;
}
export type ToolsLike = Readonly<Record<string, ToolLike>>;

type CallWord = 'call' | 'call!' | 'result';
type PlainWord =
  | 'input'
  | 'output'
  | 'request'
  | 'response'
  | 'retrieval'
  | 'recall'
  | 'remember'
  | 'handoff'
  | 'check'
  | 'approval'
  | 'start'
  | 'end';

/** Names of tools that patterns may speak of: those declared; any, when none is, or when some are imported. */
export type ToolName<T extends ToolsLike, Imports extends boolean> = [keyof T & string] extends [never]
  ? string
  : string extends keyof T
    ? string
    : Imports extends true
      ? (keyof T & string) | (string & {})
      : keyof T & string;

/** A step pattern: `call refund`, `call effect:send`, `result get_*`, `input user`, `end`. */
export type Pattern<N extends string> =
  | `${CallWord} ${N}`
  | `${CallWord} effect:${Effect}`
  | `${CallWord} ${string}*${string}`
  | CallWord
  | PlainWord
  | `${PlainWord} ${string}`;

/** The contracts that a pattern can match; `never` when it is about no tool that is known. */
type Matched<T extends ToolsLike, P> = P extends `${CallWord} effect:${infer E}`
  ? { [K in keyof T]: T[K]['effect'] extends E ? T[K] : never }[keyof T]
  : P extends `${CallWord} ${infer N}`
    ? N extends keyof T
      ? T[N]
      : N extends `${string}*${string}`
        ? T[keyof T]
        : never
    : P extends CallWord
      ? T[keyof T]
      : never;

type InputOf<C> = C extends { readonly input: infer S } ? S : C extends ToolLike ? SchemaLike : never;
type OutputOf<C> = C extends { readonly output: infer S } ? S : C extends ToolLike ? SchemaLike : never;

/** `args` of the steps that a pattern matches. */
export type ArgsOf<T extends ToolsLike, P> = FieldOfAny<InputOf<Matched<T, P>>>;
/** `result` of the steps that a pattern matches. */
export type ResultOf<T extends ToolsLike, P> = FieldOfAny<OutputOf<Matched<T, P>>>;

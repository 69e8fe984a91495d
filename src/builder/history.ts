// `past` and `origin` as functions that write CEL: what a history condition says of the remembered step is a function of it. Pure.
import { type Cel, cel, celText, expression, field, isCel } from './expression.ts';
import type { ArgsOf, Pattern, ResultOf, ToolsLike } from './fields.ts';

/** A step that history remembers. */
export type Remembered<T extends ToolsLike, P> = Cel & {
  readonly args: ArgsOf<T, P>;
  readonly result: ResultOf<T, P>;
  readonly content: Cel;
  readonly name: Cel;
  readonly kind: Cel;
  readonly id: Cel;
  readonly time: Cel;
  readonly labels: Cel;
  readonly principal: Cel;
  readonly agent: Cel & { readonly name: Cel; readonly version: Cel };
  readonly error: Cel & { readonly message: Cel; readonly type: Cel };
  readonly call: Cel;
};

type Answer = Cel | string | boolean;
type Condition<E> = (step: E) => Answer;

/** How far back, and over whose sessions, a history question looks. */
export interface Reach {
  /** `.within("24h")`. */
  within(duration: string): this;
  /** The sessions of this principal, agent or tenant, or those in which `value` was the same. */
  of(scope: 'principal' | 'agent' | 'tenant' | Cel): this;
}
export type History = Cel & Reach;

/** The history operators. Each takes a pattern, a name for the remembered step (`e` when left out) and a condition on it. */
export interface Past<T extends ToolsLike, N extends string> {
  exists<const P extends Pattern<N>>(pattern: P, ...about: About<Remembered<T, P>>): History;
  none<const P extends Pattern<N>>(pattern: P, ...about: About<Remembered<T, P>>): History;
  count<const P extends Pattern<N>>(pattern: P, ...about: About<Remembered<T, P>>): History;
  sum<const P extends Pattern<N>>(pattern: P, ...about: AboutValue<Remembered<T, P>>): History;
  min<const P extends Pattern<N>>(pattern: P, ...about: AboutValue<Remembered<T, P>>): History;
  max<const P extends Pattern<N>>(pattern: P, ...about: AboutValue<Remembered<T, P>>): History;
  /** The latest such step; its fields can be read. */
  last<const P extends Pattern<N>>(pattern: P, ...about: About<Remembered<T, P>>): Remembered<T, P> & Reach;
  /** No `b` after the last `a`, and an `a`. */
  since<const A extends Pattern<N>, const B extends Pattern<N>>(
    a: A,
    conditionA: Condition<Remembered<T, A>>,
    b: B,
    conditionB: Condition<Remembered<T, B>>,
  ): History;
}
type About<E> = [] | [condition: Condition<E>] | [name: string, condition: Condition<E>];
type AboutValue<E> =
  | [condition: Condition<E>, value: Condition<E>]
  | [name: string, condition: Condition<E>, value: Condition<E>];

/** Where each value in `x` was seen before this step. */
export interface Origin {
  /** Every value was seen in one of these. */
  within(sources: readonly string[]): Cel;
  /** Some value was seen in one of these. */
  any(sources: readonly string[]): Cel;
  labels(): Cel;
}

export function origin(x: Cel | string): Origin {
  const text = `origin(${textOf(x)})`;
  const list = (sources: readonly string[]) => celText(cel`${sources}`);
  return {
    within: (sources) => expression(`${text}.within(${list(sources)})`, false),
    any: (sources) => expression(`${text}.any(${list(sources)})`, false),
    labels: () => expression(`${text}.labels()`, false),
  };
}

export function textOf(answer: Answer): string {
  return isCel(answer) ? celText(answer) : String(answer).trim();
}

/** How many conditions the one being written stands in: each gets a name of its own. */
let depth = 0;

function conditionText(name: string, condition: (step: never) => Answer): string {
  depth++;
  try {
    return textOf(condition(field(name) as never));
  } finally {
    depth--;
  }
}

function freshName(): string {
  return depth === 0 ? 'e' : `e${depth + 1}`;
}

function narrowable(text: string): History {
  return field<History>(text, {
    within: (duration: string) => narrowable(`${text}.within(duration(${JSON.stringify(duration)}))`),
    of: (scope: string | Cel) =>
      narrowable(`${text}.of(${typeof scope === 'string' ? JSON.stringify(scope) : celText(scope)})`),
  });
}

type Untyped = readonly (string | ((step: never) => Answer))[];

function ask(operator: string, pattern: string, about: Untyped): History {
  const [first, ...rest] = about;
  if (first === undefined) return narrowable(`past.${operator}(${JSON.stringify(pattern)})`);
  const name = typeof first === 'string' ? first : freshName();
  const conditions = (typeof first === 'string' ? rest : about) as ((step: never) => Answer)[];
  const texts = conditions.map((condition) => conditionText(name, condition));
  return narrowable(`past.${operator}(${[JSON.stringify(pattern), name, ...texts].join(', ')})`);
}

function since(
  a: string,
  conditionA: (step: never) => Answer,
  b: string,
  conditionB: (step: never) => Answer,
): History {
  const nameA = depth === 0 ? 'a' : `a${depth + 1}`;
  const nameB = depth === 0 ? 'b' : `b${depth + 1}`;
  const parts = [JSON.stringify(a), nameA, conditionText(nameA, conditionA)];
  parts.push(JSON.stringify(b), nameB, conditionText(nameB, conditionB));
  return narrowable(`past.since(${parts.join(', ')})`);
}

const operator =
  (name: string) =>
  (pattern: string, ...about: Untyped) =>
    ask(name, pattern, about);

export const past = {
  exists: operator('exists'),
  none: operator('none'),
  count: operator('count'),
  sum: operator('sum'),
  min: operator('min'),
  max: operator('max'),
  last: operator('last'),
  since,
};

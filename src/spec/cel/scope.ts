// Names an expression may use, where their values stand in the frame, and who hears of problems. Pure.

import type { Engines } from '../engines.ts';
import type { Type } from '../schema/type.ts';
import type { Expr } from './tree.ts';
import type { CelError, Frame, Value } from './value.ts';

export interface Compiled {
  readonly type: Type;
  readonly eval: (frame: Frame) => Value;
  /** The value, when the expression is a literal. */
  readonly constant?: Value;
  /** The same value as a JavaScript number, when it is a count: comparing one with a limit needs no bigint. */
  readonly count?: (frame: Frame) => number | CelError;
}

export type Compile = (expr: Expr, scope: Scope) => Compiled;

export interface CelProblem {
  readonly code:
    | 'unknown-name'
    | 'unknown-function'
    | 'unknown-field'
    | 'type'
    | 'unsupported'
    | 'regex'
    | 'too-deep';
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly suggestion?: string;
  /** The word to point at in the source. */
  readonly word?: string;
  readonly expr: Expr;
}

export interface ScopeHost {
  readonly engines: Engines;
  nextSlot(): number;
  problem(problem: CelProblem): void;
  /** Tried before the standard library on every call. */
  special?(expr: Expr, scope: Scope): Compiled | null;
}

interface Variable {
  readonly slot: number;
  readonly type: Type;
}

export class Scope {
  readonly host: ScopeHost;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #parent: Scope | null;
  /** Comprehensions around: what stands here is evaluated once a round, and pays for its work. */
  readonly loops: number;

  private constructor(
    host: ScopeHost,
    variables: ReadonlyMap<string, Variable>,
    parent: Scope | null,
    loops: number,
  ) {
    this.host = host;
    this.#variables = variables;
    this.#parent = parent;
    this.loops = loops;
  }

  static root(
    host: ScopeHost,
    variables: Readonly<Record<string, readonly [slot: number, type: Type]>>,
  ): Scope {
    const map = new Map(
      Object.entries(variables).map(([name, [slot, type]]) => [name, { slot, type }] as const),
    );
    return new Scope(host, map, null, 0);
  }

  /** A scope with one more variable, in a slot of its own. */
  child(name: string, type: Type): Scope {
    return this.#with(name, type, this.loops);
  }

  /** The same, for the variable of a comprehension. */
  loop(name: string, type: Type): Scope {
    return this.#with(name, type, this.loops + 1);
  }

  #with(name: string, type: Type, loops: number): Scope {
    return new Scope(this.host, new Map([[name, { slot: this.host.nextSlot(), type }]]), this, loops);
  }

  find(name: string): Variable | null {
    return this.#variables.get(name) ?? this.#parent?.find(name) ?? null;
  }

  has(name: string): boolean {
    return this.find(name) !== null;
  }

  slotOf(name: string): number {
    const variable = this.find(name);
    if (variable === null) throw new Error(`no variable ${name}`);
    return variable.slot;
  }

  names(): string[] {
    return [...this.#variables.keys(), ...(this.#parent?.names() ?? [])];
  }
}

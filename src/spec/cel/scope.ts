// Names an expression may use, where their values stand in the frame, and who hears of problems. Pure.
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Type } from '../schema/type.ts';
import type { Frame, Value } from './value.ts';

export interface Compiled {
  readonly type: Type;
  readonly eval: (frame: Frame) => Value;
  /** The value, when the expression is a literal. */
  readonly constant?: Value;
}

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
  readonly depth: number;

  private constructor(host: ScopeHost, variables: ReadonlyMap<string, Variable>, parent: Scope | null) {
    this.host = host;
    this.#variables = variables;
    this.#parent = parent;
    this.depth = parent === null ? 0 : parent.depth + 1;
  }

  static root(
    host: ScopeHost,
    variables: Readonly<Record<string, readonly [slot: number, type: Type]>>,
  ): Scope {
    const map = new Map(
      Object.entries(variables).map(([name, [slot, type]]) => [name, { slot, type }] as const),
    );
    return new Scope(host, map, null);
  }

  /** A scope with one more variable, in a slot of its own. */
  child(name: string, type: Type): Scope {
    return new Scope(this.host, new Map([[name, { slot: this.host.nextSlot(), type }]]), this);
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

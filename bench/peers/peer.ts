// What a peer of bench/field.ts is: something that decides a call under rules. Types only.
import type { Call, Rule, Verified } from './rules.ts';

export interface Peer {
  readonly name: string;
  /** What it is given and what it leaves to its host: printed beside its numbers. */
  readonly does: string;
  /** Null: it is not here, and is reported so. */
  prepare(rules: readonly Rule[], history: readonly Verified[]): Promise<Decide | null>;
}

/** Whether the call is allowed. */
export type Decide = (call: Call) => boolean;

/** A peer in another language times itself and answers the same. */
export interface Remote {
  readonly name: string;
  readonly does: string;
  /** Null when it is not here; `why` says what is missing. */
  run(
    rules: readonly Rule[],
    history: readonly Verified[],
    calls: readonly Call[],
    budgetMs: number,
  ): Promise<Answers | { readonly absent: string }>;
}

export interface Answers {
  /** For each call. */
  readonly allowed: readonly boolean[];
  /** Microseconds of each timed decision. */
  readonly times: readonly number[];
}

// The monitor's contract; the implementation follows in this file's neighbours.
import type { Json, Step } from '../step/types.ts';
import type { Decision } from './types.ts';

/** State of one session under one spec. Opaque; owned by one caller at a time and advanced in place. */
export type MonitorState = { readonly __brand: 'MonitorState' };

export interface StepOutcome {
  readonly decision: Decision;
  /** Canonical text of what this step changed in the state: chained into the state digest by `chainState`. */
  readonly changes: string;
}

export interface Monitor {
  /** Spec digest, `sha256:<hex>`. */
  readonly spec: string;
  start(): MonitorState;
  /** Decides one step and advances the state. Deterministic; no clock, no I/O. Steps come in `seq` order. */
  step(state: MonitorState, step: Step): StepOutcome;
  /**
   * When the earliest obligation falls due, milliseconds since the epoch; null when nothing is owed by a time. A live
   * owner records a `check` step named `deadline` after that moment, so that a missed one is noticed in time.
   */
  deadline(state: MonitorState): number | null;
  /** A JSON form from which `load` restores a state that behaves identically. */
  save(state: MonitorState): Json;
  load(saved: Json): MonitorState;
}

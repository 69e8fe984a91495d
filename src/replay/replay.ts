// Replays recorded steps through the monitor that guards live sessions. Pure.
import { SharedHistory } from '../monitor/history.ts';
import type { Monitor, StepOutcome } from '../monitor/monitor.ts';
import { createMonitor } from '../monitor/session-monitor.ts';
import type { Decision } from '../monitor/types.ts';
import type { CompiledSpec } from '../spec/index.ts';
import { chainState, type Sha256, stateStart } from '../step/digest.ts';
import type { Step } from '../step/types.ts';

/** What decides in a replay. */
export interface ReplaySpec {
  /** Digest of the spec, `sha256:<hex>`; null when none applies, and the default decides. */
  readonly digest: string | null;
  createMonitor(): Monitor;
  /** Whether its rules ask what other sessions did: then sessions are replayed one after the other, in order. */
  readonly shares?: boolean;
}

/** A compiled spec for replay: origins are indexed when first asked for, which never changes a verdict. */
export function replaySpec(spec: CompiledSpec): ReplaySpec {
  return {
    digest: spec.digest,
    createMonitor: () => createMonitor(spec.program, { origins: 'lazy' }),
    shares: spec.program.shares,
  };
}

/** The history that replayed sessions of one spec share; undefined when it asks for none. */
export function sharedHistory(spec: ReplaySpec): SharedHistory | undefined {
  return spec.shares ? new SharedHistory() : undefined;
}

/**
 * The decision on every step of one session, in order. With `history`, what other sessions did is known: those that were
 * replayed with it before. Without it, only as far as it is recorded in the steps.
 */
export function* replaySteps(
  spec: ReplaySpec,
  steps: readonly Step[],
  history?: SharedHistory,
): Generator<{ readonly step: Step; readonly decision: Decision; readonly metrics: StepOutcome['metrics'] }> {
  const monitor = spec.createMonitor();
  const state = monitor.start();
  for (const step of steps) {
    const { decision, arrival, metrics } = monitor.step(state, step, history);
    if (history !== undefined && arrival !== undefined) {
      monitor.feed?.(arrival, history, new Set());
      // Nobody keeps it: what has changed need not be remembered.
      history.drain();
    }
    yield { step, decision, metrics };
  }
}

/** As `replaySteps`, all at once. */
export function replaySession(
  spec: ReplaySpec,
  steps: readonly Step[],
  history = sharedHistory(spec),
): Decision[] {
  return [...replaySteps(spec, steps, history)].map(({ decision }) => decision);
}

export interface Replayed {
  readonly decisions: readonly Decision[];
  /** The state digest after each step, chained as the engine chains them live. */
  readonly stateDigests: readonly string[];
}

/** As `replaySession`, with the digests that show the same states were passed through. */
export function replayWithDigests(spec: ReplaySpec, steps: readonly Step[], hash?: Sha256): Replayed {
  const monitor = spec.createMonitor();
  const state = monitor.start();
  const decisions: Decision[] = [];
  const stateDigests: string[] = [];
  let digest = stateStart(spec.digest);
  for (const step of steps) {
    const { decision, changes } = monitor.step(state, step);
    digest = chainState(digest, changes, hash);
    decisions.push(decision);
    stateDigests.push(digest);
  }
  return { decisions, stateDigests };
}

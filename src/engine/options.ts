// What an engine is made of and how much of everything it takes. Data and defaults only.
import type { Monitor } from '../monitor/monitor.ts';
import type { CheckPlan } from '../spec/check.ts';
import type { Json, JsonObject } from '../step/types.ts';
import type { Store } from '../store/store.ts';
import type { FailOpen } from './types.ts';

/** A spec ready to run. `createMonitor` is called once per engine; the monitor serves every session of the spec. */
export interface CompiledSpecLike {
  readonly name: string;
  /** `sha256:<hex>` of `canonical`. */
  readonly digest: string;
  readonly canonical: string;
  /** What may go on when no decision can be had; nothing when absent. */
  readonly failOpen?: FailOpen;
  /** Whether sessions of the agent with this name run under the spec. */
  applies(agentName: string): boolean;
  createMonitor(): Monitor;
}

export interface EngineOptions {
  readonly store: Store;
  /** The first spec that applies to a session's agent is pinned to the session for its whole life. */
  readonly specs: readonly CompiledSpecLike[];
  /** What happens to steps that could be stopped when no spec applies; recorded under the rule `$no-spec`. */
  readonly noSpec: 'deny' | 'allow';
  /** Compiles a stored spec again, for sessions that outlived its place in `specs`; null when it cannot. */
  readonly recompile?: (stored: {
    name: string;
    digest: string;
    canonical: string;
  }) => CompiledSpecLike | null;
  /** Gets the outside evidence of checks; none are made when absent. Rejects with why there is none. */
  readonly getEvidence?: (request: EvidenceRequest) => Promise<JsonObject>;
  /** Milliseconds since the epoch; `Date.now` when absent. */
  readonly clock?: () => number;
  readonly limits?: Partial<EngineLimits>;
  /** Stops an agent when a tool of it ran without a decision, until a person lifts the stop. */
  readonly stopUnguarded?: boolean;
  /** Told what an operator should know; nothing is written when absent. */
  readonly log?: (line: EngineLogLine) => void;
}

/** Evidence to get (src/spec/check.ts). */
export interface EvidenceRequest extends Pick<CheckPlan, 'means' | 'timeoutMs'> {
  readonly subject: Json;
  readonly attestation: Json;
}

export interface EngineLogLine {
  readonly level: 'warn' | 'error';
  readonly message: string;
}

export interface EngineLimits {
  readonly stepsPerSession: number;
  /** Canonical UTF-8 size of one step. */
  readonly bytesPerProposal: number;
  readonly openHoldsPerSession: number;
  readonly sessionsInMemory: number;
  /** Of these, the ones used latest are kept ready; the others' states as text, unpacked at their next step. */
  readonly statesUnpacked: number;
  /** Approximate size of the session states kept in memory. */
  readonly bytesInMemory: number;
  /** A snapshot is written after this many steps, so that a restart replays at most as many. */
  readonly stepsPerSnapshot: number;
  /** Observed spans beyond are refused as one batch. */
  readonly spansPerObserve: number;
  /** A longer span loses its largest attributes. Characters of JSON. */
  readonly charactersPerSpan: number;
}

export const ENGINE_LIMITS: EngineLimits = {
  stepsPerSession: 1_000_000,
  bytesPerProposal: 1 << 20,
  openHoldsPerSession: 1_000,
  sessionsInMemory: 100_000,
  statesUnpacked: 2_000,
  bytesInMemory: 512 << 20,
  stepsPerSnapshot: 1_000,
  spansPerObserve: 100_000,
  charactersPerSpan: 1 << 20,
};

// The engine's contract with its doors: sessions, decisions, holds and findings. Data and interfaces only.
import type { Foresight } from '../monitor/monitor.ts';
import type { Decision } from '../monitor/types.ts';
import type { Agent, Json, JsonObject, Proposal, SessionInit, Step, StepKind } from '../step/types.ts';

export type { Proposal, SessionInit } from '../step/types.ts';

/** `observed` sessions came in as telemetry and had no guard in their path; the others have decisions. */
export type SessionState = 'open' | 'held' | 'halted' | 'ended';
/** How agents meet Interlock. */
export const DOORS = [
  'sdk',
  'api',
  'gateway',
  'mcp',
  'decision-point',
  'agent-hooks',
  'coding-agent',
] as const;
export type Door = (typeof DOORS)[number];

/** A session to open, and the door that opens it. */
export interface Opening extends SessionInit {
  readonly door?: Door;
}

export interface SessionSummary {
  readonly id: string;
  readonly agent: Agent;
  readonly principal: string | null;
  readonly tenant: string | null;
  /** The door it was opened through; absent for one that only telemetry told of. */
  readonly door?: Door;
  readonly state: SessionState;
  readonly guarded: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly lastAt: number;
  readonly steps: number;
  /** Decided steps by effective verdict. */
  readonly verdicts: { allow: number; transform: number; hold: number; deny: number; halt: number };
  /** Open findings, e.g. unguarded steps. */
  readonly findings: number;
  /** The first user input, cut to 200 characters: what the session is about. */
  readonly title: string | null;
  readonly spec: string | null;
  readonly specName: string | null;
  /** What may go on when no decision can be had; said when the session is opened, if there is any. */
  readonly failOpen?: FailOpen;
}

/** `fail: open` of a spec and of its contracts. */
export interface FailOpen {
  /** Kinds of steps that are no calls. */
  readonly kinds: readonly StepKind[];
  /** Tools, by name. */
  readonly tools: readonly string[];
}

/** A decided and durable step. `stateDigest` is the monitor's state after it, `sha256:<hex>`. */
export interface Recorded {
  readonly step: Step;
  readonly decision: Decision;
  readonly stepDigest: string;
  readonly stateDigest: string;
  /** Set when `decision.verdict` is `hold`. */
  readonly holdId?: string;
}

export type HoldState = 'pending' | 'approved' | 'refused' | 'expired' | 'used';
/** A held step waiting for people. Bound to the canonical digest of exactly these arguments, used once. */
export interface Hold {
  readonly id: string;
  readonly session: string;
  readonly seq: number;
  readonly callId: string | null;
  readonly kind: StepKind;
  readonly name: string;
  readonly args: JsonObject;
  readonly binding: string;
  readonly rules: readonly string[];
  readonly because: string;
  readonly by: readonly string[];
  readonly quorum: number;
  readonly state: HoldState;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** From then on these roles may answer too; absent where the spec says nothing of it. */
  readonly escalation?: { readonly at: number; readonly to: readonly string[] };
  readonly answers: readonly {
    by: string;
    role: string;
    approve: boolean;
    reason: string | null;
    at: number;
  }[];
}
/** A check to make. */
export interface CheckRequest {
  readonly name: string;
  /** What it is about; null: the session as a whole. */
  readonly subject: Json;
  /** For a check by attestation: the signed envelope. */
  readonly attestation: Json;
}

/** Who is to do nothing more; each null for all. */
export interface StopRequest {
  /** Glob over agent names. */
  readonly agent: string | null;
  readonly version: string | null;
  /** Glob over tools: only their calls stop. */
  readonly tool: string | null;
  readonly tenant: string | null;
  readonly reason: string;
  readonly by: string;
}

export interface Stop extends StopRequest {
  readonly id: string;
  readonly at: number;
  readonly lifted: { readonly by: string; readonly at: number } | null;
}

export interface Answer {
  readonly approve: boolean;
  readonly by: string;
  readonly role: string;
  readonly reason?: string;
}

export interface Finding {
  readonly id: string;
  readonly kind: 'unguarded-step' | 'replay-mismatch' | 'overdue-obligation';
  readonly session: string;
  readonly seq: number | null;
  readonly name: string;
  readonly detail: string;
  readonly at: number;
}

/** Whether the tools that an agent ran had a decision, as far as telemetry tells. */
export interface AgentCoverage {
  readonly agent: string;
  readonly version: string | null;
  /** Tool calls with a decision and a span. */
  readonly covered: number;
  /** Tool spans that no decision covers. */
  readonly unguarded: number;
  /** Allowed calls of which no span came in. */
  readonly unseen: number;
  /** The doors that its decisions came through. */
  readonly doors: readonly Door[];
  readonly lastAt: number;
}

export type EngineEvent =
  | { readonly type: 'session'; readonly session: string }
  | { readonly type: 'step'; readonly session: string; readonly seq: number }
  | {
      readonly type: 'hold';
      readonly session: string;
      readonly hold: string;
      readonly state: HoldState;
      /** Nobody has answered, and others are asked now. */
      readonly escalated?: true;
    }
  | { readonly type: 'stop'; readonly stop: string }
  | { readonly type: 'finding'; readonly session: string; readonly finding: string };

/** A refusal by the engine with a stable code; doors turn it into their own protocol's error. */
export interface EngineProblem {
  readonly code:
    | 'unknown-session'
    | 'session-ended'
    | 'duplicate-id'
    | 'unknown-hold'
    | 'unknown-stop'
    | 'hold-closed'
    | 'not-allowed-to-answer'
    | 'limit-exceeded'
    | 'overloaded'
    | 'store-failed'
    | 'invalid';
  readonly message: string;
  readonly mend?: string;
}

/** A step that arrived as telemetry after the fact, with the raw span it came from. */
export interface Observation {
  readonly session: string;
  readonly agent: Agent;
  readonly principal?: string;
  readonly tenant?: string;
  readonly time: number;
  readonly proposal: Proposal;
  readonly span: Span;
}

/** An OpenTelemetry span, attributes flattened and kept raw. Times in nanoseconds since the epoch, as decimal strings. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: number;
  readonly startNs: string;
  readonly endNs: string;
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: JsonObject;
  readonly events: readonly {
    readonly name: string;
    readonly timeNs: string;
    readonly attributes: JsonObject;
  }[];
  readonly resource: JsonObject;
  readonly scope: { readonly name: string; readonly version: string };
  /** Which mapper read it: `otel-genai`, `openinference`, `vercel-ai`, `pydantic-ai` or `none`. */
  readonly dialect: string;
}

export interface Engine {
  openSession(init: Opening): Promise<SessionSummary>;
  /** Opens a session that is surely new, without waiting: its steps may be proposed at once, and become durable after it. */
  newSession(init: Omit<Opening, 'id'>): { readonly id: string; readonly opened: Promise<unknown> };
  /**
   * Decides a step and records it. Resolves only when step, decision and state digest are durable. `early` is told of the
   * verdict as soon as it is made: for what may be prepared, and taken back when the record fails, never for an effect.
   */
  decide(session: string, proposal: Proposal, early?: (recorded: Recorded) => void): Promise<Recorded>;
  /** The same for what nobody waits for: durable a moment later, together with others. */
  note(session: string, proposal: Proposal): Promise<Recorded>;
  /** What the verdict on a step would be now, and nothing is recorded or remembered. */
  foresee(session: string, proposal: Proposal): Promise<Foresight>;
  /** Records spans and the steps they show; raises a finding for a tool step no decision covers. */
  observe(spans: readonly Span[], observations: readonly Observation[]): Promise<void>;
  endSession(session: string): Promise<Recorded>;
  /** Makes a check that the session's spec declares, and records how it came out. */
  check(session: string, request: CheckRequest): Promise<Recorded>;
  /** Denies every step of whom it names, from now until it is lifted. */
  stop(request: StopRequest): Promise<Stop>;
  liftStop(id: string, by: string): Promise<Stop>;
  /** Puts stops of another node in force here, and lifts those that it has lifted. */
  adoptStops(stops: readonly Stop[]): Promise<void>;
  /** The latest ordered or lifted first. */
  stops(filter: { inForce?: boolean; limit?: number }): Promise<readonly Stop[]>;
  answerHold(hold: string, answer: Answer): Promise<Hold>;
  hold(id: string): Promise<Hold | null>;
  holds(filter: { state?: HoldState; session?: string; limit?: number }): Promise<readonly Hold[]>;
  session(id: string): Promise<SessionSummary | null>;
  sessions(query: {
    limit: number;
    cursor?: string;
    text?: string;
    verdict?: string;
    agent?: string;
  }): Promise<{ sessions: readonly SessionSummary[]; next: string | null }>;
  /** Steps of a session in order; `span` is joined when its telemetry has arrived. */
  steps(
    session: string,
    range: { from: number; limit: number },
  ): Promise<{ steps: readonly StepRow[]; total: number }>;
  findings(filter: { session?: string; limit?: number }): Promise<readonly Finding[]>;
  /** By agent, the worst first; of what happened since a time. */
  coverage(since: number): Promise<readonly AgentCoverage[]>;
  spec(digest: string): Promise<{ digest: string; name: string; canonical: string } | null>;
  subscribe(listener: (event: EngineEvent) => void): () => void;
  close(): Promise<void>;
}

/** A row of the timeline: the step, its decision where one was made, its raw span where one has arrived. */
export interface StepRow {
  readonly step: Step;
  readonly decision: Decision | null;
  readonly stepDigest: string;
  readonly stateDigest: string | null;
  readonly span: Span | null;
  readonly finding: Finding | null;
  readonly hold: Hold | null;
}

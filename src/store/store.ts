// The contract between the engine and whatever keeps its records. A store knows rows and transactions; it holds no
// policy, decides nothing, and reads no clock. Every store passes `contract.ts`.
import type {
  AgentCoverage,
  Finding,
  Hold,
  HoldState,
  SessionState,
  SessionSummary,
  Span,
  StepRow,
  Stop,
} from '../engine/types.ts';
import type { ApprovalTerms, Verdict } from '../monitor/types.ts';
import type { Agent, StepKind } from '../step/types.ts';

/**
 * What the engine keeps of a session. `held` is not stored: a session is held while it has a pending hold in time.
 * `findings` is counted by the store.
 */
export interface SessionRow extends Omit<SessionSummary, 'state' | 'findings'> {
  readonly agent: Agent;
  readonly state: Exclude<SessionState, 'held'>;
  /** What was configured when the session began without a spec; null when it has one. */
  readonly noSpec: 'deny' | 'allow' | null;
  /** When the earliest thing owed falls due, milliseconds since the epoch. */
  readonly deadline: number | null;
}

/** A decided step, or an observed one (`observed`), which has its own count of `seq` and no decision. */
export interface StepWrite {
  readonly session: string;
  readonly observed: boolean;
  readonly seq: number;
  readonly id: string;
  /** 53-bit hash of `id`, so that ids can be remembered compactly. */
  readonly idHash: number;
  readonly time: number;
  readonly kind: StepKind;
  readonly name: string;
  readonly callId: string | null;
  /** 53-bit hash of what was done; null for steps that telemetry is not joined to. */
  readonly act: number | null;
  readonly verdict: Verdict | null;
  /** The step as canonical JSON. */
  readonly step: string;
  /** The decision as JSON. */
  readonly decision: string | null;
  readonly stepDigest: string;
  readonly stateDigest: string | null;
  readonly hold: string | null;
  /** Key of the span that shows the step; given on insertion for observed steps. */
  readonly span: SpanKey | null;
}

/** A hold with what only the engine needs. */
export interface StoredHold {
  readonly hold: Hold;
  readonly terms: readonly ApprovalTerms[];
  /** The `approval` step that recorded the answer. */
  readonly answeredSeq: number | null;
  /** Until when an approval can be used. */
  readonly usableUntil: number | null;
}

export interface SpanKey {
  readonly traceId: string;
  readonly spanId: string;
}

export interface StoredSpan {
  readonly span: Span;
  readonly session: string | null;
}

export interface StoredFinding {
  readonly finding: Finding;
  /** Whether `finding.seq` counts observed steps. */
  readonly observed: boolean;
}

export interface StoredSpec {
  readonly digest: string;
  readonly name: string;
  readonly canonical: string;
}

/** One thing that sessions share; `body` null: gone. */
export interface SharedWrite {
  readonly id: string;
  readonly place: string;
  readonly body: string | null;
}

/** State of a session's monitor after the step `seq`. */
export interface Snapshot {
  readonly session: string;
  readonly seq: number;
  readonly stateDigest: string;
  readonly state: string;
}

/** Shows the step by the span, and the decided result of the same call too. A step keeps its first span. */
export interface Join {
  readonly session: string;
  readonly seq: number;
  readonly span: SpanKey;
}

/**
 * One change. Rows that exist already (same span, finding, spec) are left as they are, and so is a guarded session
 * by the row of an observed one.
 */
export type Write =
  | { readonly t: 'session'; readonly row: SessionRow }
  | { readonly t: 'step'; readonly row: StepWrite }
  | { readonly t: 'snapshot'; readonly row: Snapshot }
  | { readonly t: 'hold'; readonly row: StoredHold }
  | { readonly t: 'hold-expired'; readonly row: { readonly id: string } }
  | { readonly t: 'span'; readonly row: StoredSpan }
  | { readonly t: 'join'; readonly row: Join }
  | { readonly t: 'finding'; readonly row: StoredFinding }
  | { readonly t: 'shared'; readonly row: SharedWrite }
  /** Views that sessions share are forgotten, but those named. */
  | { readonly t: 'keep-views'; readonly row: { readonly ids: readonly string[] } }
  | { readonly t: 'stop'; readonly row: Stop }
  | { readonly t: 'spec'; readonly row: StoredSpec };

/** What a session is restored from. */
export interface StoredSession {
  readonly row: SessionRow;
  readonly snapshot: Snapshot | null;
  /** Holds that are pending, or approved and not used. */
  readonly holds: readonly StoredHold[];
}

/** A decided step as it was recorded, texts unparsed. */
export interface RecordedRow {
  readonly seq: number;
  readonly step: string;
  readonly decision: string;
  readonly stepDigest: string;
  readonly stateDigest: string;
  readonly hold: string | null;
}

/** A decided step among those of all sessions. */
export interface DecidedRow {
  /** Its place in the order of decisions. */
  readonly n: number;
  readonly session: string;
  readonly agent: string;
  readonly principal: string | null;
  readonly tenant: string | null;
  readonly step: string;
  readonly decision: string;
}

/** A tool that ran, as telemetry shows it: which decided steps without a span could it be? */
export interface JoinRequest {
  readonly session: string;
  readonly kind: StepKind;
  readonly name: string;
  readonly callId: string | null;
  /** Null when the arguments were not recorded: then any call of the tool may be meant. */
  readonly act: number | null;
  /** Steps decided later than this are not meant, unless the call id says so. */
  readonly time: number;
  readonly span: SpanKey & { readonly parentSpanId: string | null };
}

/** A decided tool step that has no span yet. */
export interface JoinCandidate {
  readonly seq: number;
  readonly kind: StepKind;
  readonly name: string;
  readonly callId: string | null;
  readonly verdict: Verdict;
}

/** Candidates latest first. */
export interface JoinAnswer {
  readonly ofCall: readonly JoinCandidate[];
  readonly ofAct: readonly JoinCandidate[];
  /** A parent or child of the span is joined to a step of the tool: two instruments saw the same act. */
  readonly kinJoined: boolean;
}

export interface SessionQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly text?: string;
  readonly verdict?: string;
  readonly agent?: string;
}

/**
 * All promises of writes resolve after their transaction is durable, in the order in which they were made, and reads
 * that start after that see it. Times are the caller's: `now` decides which pending holds have expired.
 */
export interface Store {
  /**
   * Queues changes. One call is one transaction or part of one. Rejects with `StoreError`; then nothing that was
   * waiting at that moment has been written.
   */
  append(writes: readonly Write[], patient?: boolean): Promise<void>;
  /** False when the queue is full: callers refuse new work until it has drained. */
  hasRoom(): boolean;

  load(session: string): Promise<StoredSession | null>;
  /** Decided steps with `seq >= from`, in order. */
  recorded(session: string, from: number, limit: number): Promise<readonly RecordedRow[]>;
  /** Hashes of the ids of decided steps with `seq >= from`, in order. */
  idHashes(session: string, from: number, limit: number): Promise<Float64Array>;

  session(id: string, now: number): Promise<SessionSummary | null>;
  sessions(
    query: SessionQuery,
    now: number,
  ): Promise<{ sessions: readonly SessionSummary[]; next: string | null }>;
  /** Decided steps of a guarded session, observed ones of another. */
  steps(
    session: string,
    range: { readonly from: number; readonly limit: number },
    now: number,
  ): Promise<{ steps: readonly StepRow[]; total: number }>;

  hold(id: string): Promise<StoredHold | null>;
  /** Newest first. `state` is the state at `now`. */
  holds(
    filter: { readonly state?: HoldState; readonly session?: string; readonly limit: number },
    now: number,
  ): Promise<readonly Hold[]>;
  /** Pending holds whose time is up, oldest first. */
  expiredHolds(now: number, limit: number): Promise<readonly Hold[]>;
  /** When the next pending hold expires. */
  nextExpiry(): Promise<number | null>;

  /** Sessions in which something owed fell due before `now`, longest overdue first. */
  overdueSessions(now: number, limit: number): Promise<readonly string[]>;
  /** The earliest deadline at or after `now`. */
  nextDeadline(now: number): Promise<number | null>;

  /** Decided steps of all sessions in the order of their decisions, those after `after`. */
  decided(after: number | null, limit: number): Promise<readonly DecidedRow[]>;

  /** What sessions share under `id`, by `place`, those after `after`. */
  shared(
    id: string,
    after: string | null,
    limit: number,
  ): Promise<readonly { readonly place: string; readonly body: string }[]>;

  /** The latest ordered or lifted first. */
  stops(filter: { readonly inForce: boolean; readonly limit: number }): Promise<readonly Stop[]>;

  /** Newest first. */
  findings(filter: { readonly session?: string; readonly limit: number }): Promise<readonly Finding[]>;
  /** Of what happened at or after `since`; the worst first. */
  coverage(since: number): Promise<readonly AgentCoverage[]>;
  spec(digest: string): Promise<StoredSpec | null>;

  /** Those of the spans that are stored already. */
  knownSpans(keys: readonly SpanKey[]): Promise<readonly SpanKey[]>;
  /** What is kept of an observed session; null for one that is guarded or not stored. */
  observed(session: string): Promise<SessionRow | null>;
  /** Whether there is a session with decisions. */
  isGuarded(session: string): Promise<boolean>;
  /**
   * An answer per request, with at most `limit` candidates of each sort. Steps decided long before `time`, by thousands of
   * steps, may be left out.
   */
  joinCandidates(requests: readonly JoinRequest[], limit: number): Promise<readonly JoinAnswer[]>;

  /** Writes what is queued, then releases everything. */
  close(): Promise<void>;
}

/**
 * Why a store could not do something. `in-use` and `newer-schema` only happen when it is opened, `invalid-cursor` only to
 * a list of sessions.
 */
export class StoreError extends Error {
  readonly code: 'in-use' | 'newer-schema' | 'failed' | 'closed' | 'invalid-cursor';
  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** How a hold reads at a moment: a pending one whose time is up has expired, whether or not that was written yet. */
export function holdAt(hold: Hold, now: number): Hold {
  return hold.state === 'pending' && now > hold.expiresAt ? { ...hold, state: 'expired' } : hold;
}

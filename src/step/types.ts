// The step: the smallest recorded act in a session, in one form whatever protocol it came from.
// Data only. Nothing here may do I/O, read a clock or know a door.

/** A JSON value. Numbers are IEEE 754 doubles, as in RFC 8259 section 6 and RFC 8785. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const STEP_KINDS = [
  'session.start',
  'input',
  'model.request',
  'model.response',
  'tool.call',
  'tool.result',
  'retrieval',
  'memory.read',
  'memory.write',
  'handoff',
  'check',
  'approval',
  'output',
  'session.end',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/**
 * What can still be done about a step of a kind (Basin et al., "Enforceable security policies revisited", 2013):
 * `suppressable` acts can be stopped before they happen; `observable` ones have happened, only their delivery can be
 * stopped or changed; `causable` ones Interlock makes happen itself.
 */
export type Enforceability = 'suppressable' | 'observable' | 'causable';
export const ENFORCEABILITY: Readonly<Record<StepKind, Enforceability>> = {
  'session.start': 'observable',
  input: 'observable',
  'model.request': 'suppressable',
  'model.response': 'observable',
  'tool.call': 'suppressable',
  'tool.result': 'observable',
  retrieval: 'observable',
  'memory.read': 'observable',
  'memory.write': 'suppressable',
  handoff: 'suppressable',
  check: 'causable',
  approval: 'causable',
  output: 'suppressable',
  'session.end': 'suppressable',
};

export interface Agent {
  readonly name: string;
  readonly version?: string;
}

/** Tokens as exclusive buckets: their sum is what was billed. */
export interface Usage {
  readonly inputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
}

/**
 * One step, parsed and normal. Build it with `parseStep`; a value of this type is valid by construction.
 *
 * `seq` counts from 0 without gaps in its session and is given by whoever owns the session (the engine live, the
 * importer in replay). `time` is milliseconds since the Unix epoch and is the only clock a monitor sees.
 */
export interface Step {
  /** Unique in its session; a repeat with equal content is the same step, with other content an error. */
  readonly id: string;
  readonly session: string;
  readonly seq: number;
  readonly time: number;
  readonly kind: StepKind;
  /** Tool, model, agent, check or memory name; '' where the kind has none (input, output). */
  readonly name: string;
  readonly agent?: Agent;
  /** On whose behalf the session runs, e.g. `user:42`. */
  readonly principal?: string;
  readonly tenant?: string;
  /** Joins a `tool.result` or `approval` to its `tool.call`. */
  readonly callId?: string;
  /** Arguments of a call, request, hand-off, memory write or approval. */
  readonly args?: JsonObject;
  /** Text as it was seen: a message, a tool's raw output. */
  readonly content?: string;
  /** A result in structure: given so, or parsed out of `content` when it is JSON or YAML. */
  readonly result?: Json;
  /** Set when the act failed; a failed call returns its limit slots. */
  readonly error?: { readonly message: string; readonly type?: string };
  /** Labels given by the door, beside those of the tool's contract. */
  readonly labels?: readonly string[];
  /** What the door knows of the act's circumstances, and the model does not choose, e.g. the working folder. */
  readonly attributes?: JsonObject;
  readonly usage?: Usage;
  /** Id of the step that caused this one. */
  readonly parent?: string;
  /** What was read of other sessions when the step was decided; only Interlock records it. */
  readonly facts?: readonly Fact[];
}

/**
 * An answer that a decision had from a history wider than its session (`.of("principal")`, `per: tenant`). It stands in
 * the step, so that a session can be replayed and proven without the others.
 */
export interface Fact {
  /** Which question of the spec: its operator and a digest of its text. */
  readonly id: string;
  /** What it was asked for: the values it joins by. */
  readonly key: string;
  readonly value?: Json;
  /** In place of a value: there was none. */
  readonly error?: { readonly code: 'absent' | 'error'; readonly message: string };
  /** Steps the answer rests on, latest last. */
  readonly seen: readonly SeenStep[];
}

/** A step of any session. */
export interface SeenStep {
  readonly session: string;
  readonly seq: number;
  readonly id: string;
  readonly kind: StepKind;
  readonly name: string;
  /** What in it mattered, in words. */
  readonly note?: string;
}

/** A step as a door proposes it: parsed and valid, not yet given its place (`seq`) and time by the engine. */
export interface Proposal {
  /** Given by the caller for safe retries; made by the engine when absent. */
  readonly id?: string;
  readonly kind: StepKind;
  readonly name: string;
  readonly callId?: string;
  readonly args?: JsonObject;
  readonly content?: string;
  readonly result?: Json;
  readonly error?: { readonly message: string; readonly type?: string };
  readonly labels?: readonly string[];
  readonly attributes?: JsonObject;
  readonly usage?: Usage;
  readonly parent?: string;
  readonly agent?: Agent;
}

export interface SessionInit {
  /** Resumes the session of this id when it exists and is open; made by the engine when absent. */
  readonly id?: string;
  readonly agent: Agent;
  readonly principal?: string;
  readonly tenant?: string;
}

// What coding agents tell their hooks and are told, in one form for all of them. Data and interfaces only.
import type { Json, JsonObject } from '../step/types.ts';

/** What every event says of where it happened. */
export interface Place {
  /** The agent's own id of the session: telemetry carries the same. */
  readonly session: string;
  /** The working folder now, absolute. */
  readonly cwd: string;
  /** How the agent asks its user, in its own word, e.g. `default` or `bypassPermissions`. */
  readonly mode: string | null;
  /** The kind of sub-agent that acts; null for the agent itself. */
  readonly subagent: string | null;
}

/** What a tool gave: text or structure, or that it failed. */
export interface Given {
  readonly content?: string;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

export type HookEvent = Place &
  (
    | { readonly t: 'start' }
    | { readonly t: 'prompt'; readonly text: string }
    | { readonly t: 'call'; readonly tool: string; readonly args: JsonObject; readonly callId: string | null }
    | {
        readonly t: 'result';
        readonly tool: string;
        /** Null where the agent does not say them again. */
        readonly args: JsonObject | null;
        readonly callId: string | null;
        readonly given: Given;
      }
    /** The agent thinks that it is done. */
    | { readonly t: 'stop'; readonly text: string }
    /** Nothing that is decided. */
    | { readonly t: 'other' }
  );

/** What comes of an event. `because` is written for the model, with what to do instead. */
export type Outcome =
  | { readonly t: 'pass' }
  /** It goes on, and the model is told. */
  | { readonly t: 'tell'; readonly text: string }
  | { readonly t: 'deny'; readonly because: string }
  /** The call runs with these arguments; `dropped` when some of its own are gone. */
  | { readonly t: 'rewrite'; readonly args: JsonObject; readonly dropped: boolean }
  /** The session is over. */
  | { readonly t: 'halt'; readonly because: string }
  /** What the tool gave does not reach the model. */
  | { readonly t: 'withhold'; readonly because: string }
  /** The agent is not done yet. */
  | { readonly t: 'go-on'; readonly because: string }
  /** It may stop, and its user is told. */
  | { readonly t: 'let-go'; readonly because: string };

/** One agent's words. */
export interface Dialect {
  /** In addresses and as the agent's name in specs. */
  readonly agent: AgentName;
  /** The event, or what is wrong with it. */
  read(body: JsonObject): HookEvent | { readonly wrong: string };
  /** The answer in the agent's words, to an event of this name. */
  write(outcome: Outcome, event: string): JsonObject;
}

export const AGENTS = ['claude-code', 'codex', 'gemini-cli'] as const;
export type AgentName = (typeof AGENTS)[number];

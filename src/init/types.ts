// What a look at a project finds: tools, where agents are built, servers of tools, coding agents. Data only.
import type { JsonObject } from '../step/types.ts';

export interface Place {
  /** Relative to the project, with `/`. */
  readonly file: string;
  /** From 1; 0 where a server that the file names told it. */
  readonly line: number;
}

export interface FoundTool {
  /** What the model calls it. */
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of its arguments, as far as the source says it; null when it does not. Never stricter than the source. */
  readonly input: JsonObject | null;
  readonly at: Place;
  /** What its server says of it (MCP annotations): a hint, not a promise. */
  readonly hints?: { readonly readOnly?: boolean; readonly destructive?: boolean };
}

/** A call in the source that builds or runs an agent, or asks a model. */
export interface AgentCall {
  /** As written: `generateText`, `Runner.run`. */
  readonly callee: string;
  readonly at: Place;
}

/** What one source file tells. */
export interface SourceFacts {
  readonly tools: readonly SourceTool[];
  /** Names that objects called `…tools` give to variables: `tools: { weather: weatherTool }`. */
  readonly aliases: readonly { readonly name: string; readonly variable: string }[];
  readonly calls: readonly AgentCall[];
  /** Modules that it imports, as written. */
  readonly imports: readonly string[];
}

export interface SourceTool extends FoundTool {
  /** `name` is only that of the variable that holds it: an alias says what the model calls it. */
  readonly variable: boolean;
}

export interface McpServer {
  readonly name: string;
  /** The settings file that names it. */
  readonly file: string;
  readonly command: readonly string[] | null;
  readonly url: string | null;
  /** Set for the command; never printed. */
  readonly environment: Readonly<Record<string, string>>;
  /** It already runs behind `interlock mcp`. */
  readonly guarded: boolean;
}

/** Most tools that a starter spec has; more are counted and left out. */
export const TOOLS_MAX = 500;

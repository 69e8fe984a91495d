// What a dialect is: a table that says how to recognise a span and where each of its attributes goes. Data only.
import type { Observation, Span } from '../../engine/types.ts';
import type { Agent } from '../../step/types.ts';

export type DialectName = 'otel-genai' | 'openinference' | 'vercel-ai' | 'pydantic-ai';

/** What a span shows. `agent` spans frame other spans: they carry an identity, never usage. */
export type Act = 'tool' | 'model' | 'agent' | 'retrieval' | 'memory.read' | 'memory.write';

/** Where an attribute may go. */
export const FIELDS = [
  'session',
  'principal',
  'tenant',
  /** Given on any span. */
  'agent.name',
  /** Given only on the agent's own span. */
  'agent.spanName',
  'agent.version',
  'agent.input',
  'agent.output',
  'tool.name',
  'tool.callId',
  'tool.args',
  'tool.result',
  'model.requested',
  'model.served',
  'model.input',
  'model.output',
  'model.system',
  'model.tools',
  'model.parameters',
  'retrieval.name',
  'retrieval.query',
  'retrieval.documents',
  'memory.name',
  'memory.query',
  'memory.record',
  'memory.records',
  'error.type',
  'usage.input',
  'usage.cacheRead',
  'usage.cacheWrite',
  'usage.output',
  'usage.reasoning',
] as const;
export type Field = (typeof FIELDS)[number];

/**
 * Where a field's value comes from, in one of these forms:
 * - `gen_ai.tool.name`: the attribute of this key;
 * - `gen_ai.request.*`: the attributes whose keys begin so, put back together as an object, or as a list where the next
 *   parts are numbers (`llm.input_messages.0.message.role`);
 * - `ai.response.{text,toolCalls}`: an object of those of the named attributes that are there;
 * - `metadata#thread_id`: a member of an attribute that is a map or JSON text;
 * - `name:execute_tool *`: the part of the span's name at the star.
 */
export type Source = string;

/**
 * One way to tell what a span shows: by an attribute's value, by an attribute being there, or by how the span's name
 * begins. Rules are tried in order and the first that matches decides; `null` says that the span shows no act.
 */
export type ActRule =
  | { readonly by: 'value'; readonly attribute: string; readonly acts: Readonly<Record<string, Act | null>> }
  | { readonly by: 'presence'; readonly attribute: string; readonly act: Act | null }
  | { readonly by: 'name'; readonly prefix: string; readonly act: Act | null };

/** How token counts relate: whether a count contains its parts, which are then taken off it. */
export interface UsageRule {
  /** Input tokens count those read from and written to a cache. */
  readonly inputHasCache: boolean;
  /** Output tokens count those of reasoning. */
  readonly outputHasReasoning: boolean;
  /** Spans with this attribute beginning so, and without the other, count input without its cache parts. */
  readonly cacheApartWhen?: { readonly attribute: string; readonly prefix: string; readonly unless: string };
}

/** A dialect as data. Sources of a field are listed most telling first. */
export interface Dialect {
  readonly name: DialectName;
  readonly recognise: {
    /** Instrumentation scopes that write it; a trailing `*` matches any ending. */
    readonly scopes: readonly string[];
    /** Attributes only it writes; a trailing `*` matches any ending. */
    readonly attributes: readonly string[];
  };
  readonly acts: readonly ActRule[];
  readonly fields: Readonly<Partial<Record<Field, readonly Source[]>>>;
  /** Span events whose attributes are the span's own, kept apart because they hold content. */
  readonly detailEvents: readonly string[];
  /** Span events that carry a message, and the field it belongs to. */
  readonly messageEvents: Readonly<Record<string, 'model.input' | 'model.output'>>;
  /** Attributes that hold a list of such events, each with its name under `event.name`. */
  readonly messageEventLists: readonly string[];
  readonly usage: UsageRule;
}

/** Who a span belongs to, settled before it is mapped: by itself, its ancestors, its trace, or its resource. */
export interface SpanContext {
  readonly session: string;
  /** The session's agent. */
  readonly agent: Agent;
  /** The agent whose span this is, where the trace says it. */
  readonly actor?: Agent;
  /** Name of the agent within which this span runs, its own act left out. */
  readonly caller?: string;
  /** Name of the tool within whose call this span runs. */
  readonly insideTool?: string;
  readonly principal?: string;
  readonly tenant?: string;
  /** Whether a span is outside of any agent, inside one, or cannot be told from this batch. */
  readonly place: 'root' | 'nested' | 'unknown';
}

/** A span with its dialect named, and the steps it shows: what began with it, and what ended with it. */
export interface MappedSpan {
  readonly span: Span;
  readonly began: readonly Observation[];
  readonly ended: readonly Observation[];
}

// An agent's loop under the contract: every point is emitted, and nothing is done, kept or said that its verdict does not
// permit. Streams are held back until a verdict covers them (section 12.1).
import { describe, toJson } from '../step/json.ts';
import type { Json, JsonObject } from '../step/types.ts';
import type { ContextBuilder, ModelReply, ToolCall } from './context.ts';
import type { Emission, Emitter } from './emitter.ts';
import { streamed } from './stream.ts';
import type { AgentContext } from './types.ts';

/** A piece of a model's answer. A boundary ends a segment, which is decided; so does the end. */
export type ModelEvent =
  | { readonly t: 'text'; readonly text: string }
  | { readonly t: 'boundary' }
  | { readonly t: 'end'; readonly tool_calls: readonly ToolCall[]; readonly finish_reason: string };

/** The whole answer, or its pieces as they come. */
export type Model = (request: {
  readonly messages: readonly JsonObject[];
}) => Promise<ModelReply> | AsyncIterable<ModelEvent>;

export interface AgentRun {
  readonly emitter: Emitter;
  readonly contexts: ContextBuilder;
  readonly model: Model;
  readonly modelId: string;
  readonly tools: Readonly<Record<string, (args: JsonObject) => unknown>>;
  readonly input: { readonly content: Json; readonly role?: 'user' | 'system' | 'external' };
  /**
   * With it the host is incremental: text goes out as soon as a verdict covers it (exposure bound: none). Without it,
   * nothing goes out before the verdict on the whole output.
   */
  readonly release?: (text: string) => void;
  readonly turnsMax?: number;
}

export interface AgentResult {
  readonly outcome: 'completed' | 'blocked' | 'error';
  /** Null unless completed. */
  readonly output: Json;
  /** The conversation as far as it may be kept. */
  readonly messages: readonly JsonObject[];
  /** Of what threw. */
  readonly error?: unknown;
}

const TURNS_MAX = 50;

/** A verdict ended the run. */
class Blocked extends Error {}

export async function runAgent(run: AgentRun): Promise<AgentResult> {
  const { contexts, emitter } = run;
  let messages: readonly JsonObject[] = [];
  let outcome: AgentResult['outcome'] = 'completed';
  let output: Json = null;
  let failure: unknown;
  try {
    await permitted(emitter, contexts.startup(Object.keys(run.tools).sort()));
    const { content, role = 'user' } = run.input;
    const input = await permitted(emitter, contexts.input(content, role));
    messages = [input.input as JsonObject];
    const answer = await converse();
    const said = await permitted(emitter, contexts.output(answer));
    output = (said.output as { content: Json }).content;
  } catch (error) {
    outcome = error instanceof Blocked ? 'blocked' : 'error';
    if (outcome === 'error') failure = error;
  }
  // A verdict there is recorded and binds nobody (section 6.1a).
  await emitter.emit(contexts.shutdown(outcome === 'completed' ? 'completed' : 'error'));
  return { outcome, output, messages, ...(failure === undefined ? {} : { error: failure }) };

  /** Until the model calls no more tools. */
  async function converse(): Promise<Json> {
    for (let turn = 0; turn < (run.turnsMax ?? TURNS_MAX); turn++) {
      const asked = await permitted(emitter, contexts.preModel(run.modelId, messages));
      messages = asked.messages as readonly JsonObject[];
      const reply = await answered();
      if (reply.tool_calls.length === 0) {
        messages = [...messages, { role: 'assistant', content: reply.content }];
        return reply.content;
      }
      const calls = reply.tool_calls as unknown as Json;
      messages = [...messages, { role: 'assistant', content: reply.content ?? '', tool_calls: calls }];
      for (const call of reply.tool_calls) {
        const content = await called(call);
        messages = [...messages, { role: 'tool', tool_call_id: call.id, content }];
      }
    }
    throw new RangeError(`the model still calls tools after ${run.turnsMax ?? TURNS_MAX} turns`);
  }

  async function answered(): Promise<ModelReply> {
    const given = run.model({ messages });
    if (Symbol.asyncIterator in given) {
      const reply = await streamed(given, run);
      if (reply === null) throw new Blocked();
      return reply;
    }
    const context = await permitted(emitter, contexts.postModel(run.modelId, await given));
    return context.response as unknown as ModelReply;
  }

  /** What the model reads: the result, or that it may not have it. A blocked call does not end the run (section 6.2). */
  async function called(call: ToolCall): Promise<Json> {
    const before = await emitter.emit(contexts.preTool(call));
    if (!before.proceeds) return blockedMessage(before);
    const { args } = before.context.tool_call as unknown as ToolCall;
    const { value, isError } = await ran(call.name, args);
    const after = await emitter.emit(contexts.postTool({ ...call, args }, value, isError));
    if (!after.proceeds) return blockedMessage(after);
    return (after.context.tool_result as { value: Json }).value;
  }

  async function ran(name: string, args: JsonObject): Promise<{ value: Json; isError: boolean }> {
    if (!Object.hasOwn(run.tools, name)) return { value: `there is no tool ${name}`, isError: true };
    try {
      const value = toJson((await run.tools[name]!(structuredClone(args))) ?? null);
      if (value.ok) return { value: value.value, isError: false };
      return { value: `the result is not JSON: ${value.problems[0]!.found}`, isError: true };
    } catch (error) {
      return { value: error instanceof Error ? error.message : describe(error), isError: true };
    }
  }
}

/** The context as the action must use it. */
async function permitted(emitter: Emitter, context: AgentContext): Promise<AgentContext> {
  const emission = await emitter.emit(context);
  if (!emission.proceeds) throw new Blocked();
  return emission.context;
}

function blockedMessage({ verdict }: Emission): string {
  const { reason, message } = verdict;
  return `blocked: ${reason ?? 'denied'}${message === undefined ? '' : `: ${message}`}`;
}

// An agent's loop under the contract: every point is emitted, and nothing is done, kept or said that its verdict does not
// permit. Streams are held back until a verdict covers them (section 12.1).
import { describe, toJson } from '../step/json.ts';
import type { Json, JsonObject } from '../step/types.ts';
import type { ContextBuilder, ModelReply, ToolCall } from './context.ts';
import type { Emission, Emitter } from './emitter.ts';
import { streamed } from './stream.ts';
import type { AgentContext, Verdict } from './types.ts';

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
  /** Labels that interceptors gave to messages (section 5.4), by their place in the conversation; keep them with these. */
  readonly labels: readonly { readonly message: number; readonly labels: readonly string[] }[];
  /** Labels of the output. */
  readonly outputLabels: readonly string[];
  /** Of what threw. */
  readonly error?: unknown;
}

const TURNS_MAX = 50;

/** A verdict ended the run. */
class Blocked extends Error {}

export async function runAgent(run: AgentRun): Promise<AgentResult> {
  const { contexts, emitter } = run;
  let messages: readonly JsonObject[] = [];
  const labels: { readonly message: number; readonly labels: readonly string[] }[] = [];
  let outputLabels: readonly string[] = [];
  let outcome: AgentResult['outcome'] = 'completed';
  let output: Json = null;
  let failure: unknown;
  try {
    await permitted(emitter, contexts.startup(Object.keys(run.tools).sort()));
    const { content, role = 'user' } = run.input;
    const input = await permitted(emitter, contexts.input(content, role));
    keep(input.context.input as JsonObject, input.verdict);
    const answer = await converse();
    const said = await permitted(emitter, contexts.output(answer));
    output = (said.context.output as { content: Json }).content;
    outputLabels = said.verdict.result_labels ?? [];
  } catch (error) {
    outcome = error instanceof Blocked ? 'blocked' : 'error';
    if (outcome === 'error') failure = error;
  }
  // A verdict there is recorded and binds nobody (section 6.1a).
  await emitter.emit(contexts.shutdown(outcome === 'completed' ? 'completed' : 'error'));
  return {
    outcome,
    output,
    messages,
    labels,
    outputLabels,
    ...(failure === undefined ? {} : { error: failure }),
  };

  function keep(message: JsonObject, { result_labels: given = [] }: Pick<Verdict, 'result_labels'>): void {
    if (given.length > 0) labels.push({ message: messages.length, labels: given });
    messages = [...messages, message];
  }

  /** Until the model calls no more tools. */
  async function converse(): Promise<Json> {
    for (let turn = 0; turn < (run.turnsMax ?? TURNS_MAX); turn++) {
      const asked = await permitted(emitter, contexts.preModel(run.modelId, messages));
      messages = asked.context.messages as readonly JsonObject[];
      const { reply, verdict } = await answered();
      if (reply.tool_calls.length === 0) {
        keep({ role: 'assistant', content: reply.content }, verdict);
        return reply.content;
      }
      const calls = reply.tool_calls as unknown as Json;
      keep({ role: 'assistant', content: reply.content ?? '', tool_calls: calls }, verdict);
      for (const call of reply.tool_calls) {
        const { content, verdict } = await called(call);
        keep({ role: 'tool', tool_call_id: call.id, content }, verdict);
      }
    }
    throw new RangeError(`the model still calls tools after ${run.turnsMax ?? TURNS_MAX} turns`);
  }

  async function answered(): Promise<{ reply: ModelReply; verdict: Verdict }> {
    const given = run.model({ messages });
    if (Symbol.asyncIterator in given) {
      const reply = await streamed(given, run);
      if (reply === null) throw new Blocked();
      return reply;
    }
    const { context, verdict } = await permitted(emitter, contexts.postModel(run.modelId, await given));
    return { reply: context.response as unknown as ModelReply, verdict };
  }

  /** What the model reads: the result, or that it may not have it. A blocked call does not end the run (section 6.2). */
  async function called(call: ToolCall): Promise<{ content: Json; verdict: Verdict }> {
    const before = await emitter.emit(contexts.preTool(call));
    if (!before.proceeds) return blocked(before);
    const { args } = before.context.tool_call as unknown as ToolCall;
    const { value, isError } = await ran(call.name, args);
    const after = await emitter.emit(contexts.postTool({ ...call, args }, value, isError));
    if (!after.proceeds) return blocked(after);
    return { content: (after.context.tool_result as { value: Json }).value, verdict: after.verdict };
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
async function permitted(emitter: Emitter, context: AgentContext): Promise<Emission> {
  const emission = await emitter.emit(context);
  if (!emission.proceeds) throw new Blocked();
  return emission;
}

function blocked({ verdict }: Emission): { content: string; verdict: Verdict } {
  const { reason, message } = verdict;
  return { content: `blocked: ${reason ?? 'denied'}${message === undefined ? '' : `: ${message}`}`, verdict };
}

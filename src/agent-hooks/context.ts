// Section 4: contexts for the points of one session, numbered in one order.
import type { Json, JsonObject } from '../step/types.ts';
import { type AgentContext, type Point, SPEC_VERSION } from './types.ts';

export interface ContextAgent {
  readonly id: string;
  /** Lower-case, e.g. `langchain`. */
  readonly framework: string;
  readonly name?: string;
  readonly version?: string;
}

export interface ContextOptions {
  readonly agent: ContextAgent;
  readonly session: string;
  /** Members of every context beside the required: `actor`, `tenant`, `trace`, `extensions`. */
  readonly more?: JsonObject;
  readonly now?: () => Date;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: JsonObject;
}

export interface ModelReply {
  readonly content: Json;
  readonly tool_calls: readonly ToolCall[];
  readonly finish_reason: string;
}

export type ContextBuilder = ReturnType<typeof createContexts>;

export function createContexts({ agent, session, more = {}, now = () => new Date() }: ContextOptions) {
  let sequence = 0;

  function context(point: Point, target: Json, members: Readonly<Record<string, unknown>>): AgentContext {
    return {
      ...more,
      spec: SPEC_VERSION,
      interception_point: point,
      timestamp: now().toISOString(),
      sequence: sequence++,
      agent: agent as unknown as JsonObject,
      session: { id: session },
      target,
      ...(members as AgentContext),
    };
  }

  return {
    startup(tools: readonly string[]) {
      const agent_init = { tools_registered: tools };
      return context('agent_startup', agent_init, { agent_init });
    },
    input(content: Json, role: 'user' | 'system' | 'external' = 'user') {
      const input = { content, role };
      return context('input', input, { input });
    },
    preModel(model: string, messages: readonly JsonObject[], tools?: Json) {
      return context('pre_model_call', messages, {
        model: { id: model },
        messages,
        ...(tools === undefined ? {} : { tools }),
      });
    },
    postModel(model: string, reply: ModelReply) {
      const { content, tool_calls, finish_reason } = reply;
      const response = { content, tool_calls, finish_reason } as unknown as JsonObject;
      return context('post_model_call', response, { model: { id: model }, response });
    },
    preTool(call: ToolCall) {
      return context('pre_tool_call', call.args, { tool_call: { ...call } });
    },
    postTool(call: ToolCall, value: Json, isError: boolean) {
      return context('post_tool_call', value, {
        tool_call: { ...call },
        tool_result: { value, is_error: isError },
      });
    },
    output(content: Json) {
      const output = { content };
      return context('output', output, { output });
    },
    shutdown(reason: 'completed' | 'error' | 'cancelled') {
      const summary = { reason };
      return context('agent_shutdown', summary, { summary });
    },
  };
}

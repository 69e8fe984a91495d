// LangChain and LangGraph: a middleware for `createAgent`, and tools for graphs built by hand. Public as `interlock/langchain`.
// A held call that is not waited for fails the graph with `StepHeld`; with a checkpointer, `agent.invoke(null, config)` goes on.
import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages';
import { type AgentMiddleware, createMiddleware } from 'langchain';
import { type Session, ToolTimeout } from '../sdk/index.ts';
import { dialogueOf, type Message } from './dialogue.ts';
import { type AdapterOptions, isDenied, toolRunner } from './run-tool.ts';

export type { AdapterOptions } from './run-tool.ts';

/** For `createAgent({ middleware: [interlockMiddleware(session)] })`: put it last, so that it sees what really runs. */
export function interlockMiddleware(session: Session, options: AdapterOptions = {}): AgentMiddleware {
  const run = toolRunner(session, options);
  const dialogue = dialogueOf(session);
  return createMiddleware({
    name: 'Interlock',
    async wrapToolCall(request, handler) {
      const { id, name, args } = request.toolCall;
      const outcome = await run({
        name,
        args,
        callId: id,
        signal: request.runtime.signal,
        recorded: resultOf,
        execute: async (decided) => {
          const message = await handler({ ...request, toolCall: { ...request.toolCall, args: decided } });
          if (ToolMessage.isInstance(message) && message.status === 'error') throw new FailedTool(message);
          return message;
        },
      }).catch((error: unknown) => {
        if (error instanceof FailedTool) return error.answer;
        if (error instanceof ToolTimeout) return errorMessage(`Error: ${error.message}`, id ?? '', name);
        throw error;
      });
      return isDenied(outcome) ? errorMessage(JSON.stringify(outcome), id ?? '', name) : outcome;
    },
    async wrapModelCall(request, handler) {
      const model = modelName(request.model);
      await dialogue.asks(model, request.messages.map(messageOf));
      const reply = await handler(request);
      if (!AIMessage.isInstance(reply)) return reply;
      const { id, name, tool_calls = [], response_metadata = {} } = reply as AIMessage;
      const usage = reply.usage_metadata as { input_tokens: number; output_tokens: number } | undefined;
      await dialogue.took(model, { inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens });
      const { onDeny } = options;
      const text = await dialogue.says(reply.text, onDeny === undefined ? {} : { onDeny });
      if (text === reply.text) return reply;
      const rest = { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
      return new AIMessage({ ...rest, content: text, tool_calls, response_metadata });
    },
  }) as AgentMiddleware;
}

/** A tool of LangChain, of whatever types. */
interface AnyTool {
  readonly name: string;
  invoke(input: never, config?: never): Promise<unknown>;
}

/** The same tools under guard, for `ToolNode` and for graphs without `createAgent`; those given stay as they are. */
export function guardTools<T extends AnyTool>(
  session: Session,
  tools: readonly T[],
  options: AdapterOptions = {},
): T[] {
  const run = toolRunner(session, options);
  return tools.map((tool) => {
    const invoke = tool.invoke.bind(tool) as (input: unknown, config: unknown) => Promise<unknown>;
    const guarded = async (input: unknown, config?: { signal?: AbortSignal }) => {
      const call = asToolCall(input);
      const outcome = await run({
        name: tool.name,
        args: call?.args ?? (input as object),
        callId: call?.id,
        signal: config?.signal,
        recorded: resultOf,
        execute: (args) => invoke(call === null ? args : { ...call, args }, config),
      });
      if (!isDenied(outcome)) return outcome;
      const content = JSON.stringify(outcome);
      return call === null ? content : errorMessage(content, call.id, tool.name);
    };
    return Object.assign(Object.create(tool) as T, { invoke: guarded });
  });
}

/** What a failing tool told the model, so that the call is recorded as failed. */
class FailedTool extends Error {
  readonly answer: ToolMessage;
  constructor(answer: ToolMessage) {
    super(answer.text);
    this.name = 'ToolError';
    this.answer = answer;
  }
}

/** The tool's own result in a message or a command of the framework. */
function resultOf(outcome: unknown): unknown {
  return ToolMessage.isInstance(outcome) ? outcome.content : outcome;
}

function errorMessage(content: string, id: string, name: string): ToolMessage {
  return new ToolMessage({ content, tool_call_id: id, name, status: 'error' });
}

function asToolCall(input: unknown): { type: 'tool_call'; id: string; name: string; args: object } | null {
  const call = input as { type?: unknown; id?: unknown; name: string; args: object };
  return call?.type === 'tool_call' && typeof call.id === 'string'
    ? { type: 'tool_call', id: call.id, name: call.name, args: call.args }
    : null;
}

function messageOf(message: BaseMessage): Message {
  const type = message.getType();
  return { role: type === 'human' ? 'user' : type === 'system' ? 'system' : 'other', text: message.text };
}

function modelName(model: unknown): string {
  const { model: name, modelName: older } = model as { model?: unknown; modelName?: unknown };
  return typeof name === 'string' ? name : typeof older === 'string' ? older : 'unnamed';
}

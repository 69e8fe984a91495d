// OpenAI SDK: tools of `runTools` under guard, and the calls of one reply (Chat Completions or Responses) for programs with a
// loop of their own. Public as `interlock/openai`. Type imports only.
import type OpenAI from 'openai';
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction';
import type { Session } from '../sdk/index.ts';
import {
  type AdapterOptions,
  argsOf,
  type Handlers,
  handlerOf,
  isDenied,
  told,
  toolRunner,
} from './run-tool.ts';

export type { AdapterOptions, Handlers } from './run-tool.ts';

/**
 * For `client.chat.completions.runTools({ tools: guardTools(session, tools) })`. The runner tells tools neither the id of their
 * call nor of an abort, and runs one call after the other; an error of a tool ends it.
 */
export function guardTools<T extends RunnableToolFunctionWithParse<never>>(
  session: Session,
  tools: readonly T[],
  options: AdapterOptions = {},
): T[] {
  const run = toolRunner(session, options);
  return tools.map((tool) => {
    const plain = tool.function as unknown as {
      name?: string;
      function: (args: object, runner: unknown) => unknown;
    };
    const guarded = async (args: object, runner: unknown) => {
      const { name = plain.function.name } = plain;
      const execute = (decided: object) => plain.function(decided, runner);
      const outcome = await run({ name, args, callId: undefined, signal: undefined, execute });
      return isDenied(outcome) ? JSON.stringify(outcome) : outcome;
    };
    return {
      ...tool,
      function: { ...tool.function, name: plain.name ?? plain.function.name, function: guarded },
    };
  });
}

type Options = AdapterOptions & { readonly signal?: AbortSignal };

/** Runs the tool calls of a message of Chat Completions, side by side, and gives the messages to send back. */
export async function runToolCalls(
  session: Session,
  message: Pick<OpenAI.Chat.ChatCompletionMessage, 'tool_calls'>,
  handlers: Handlers,
  options: Options = {},
): Promise<OpenAI.Chat.ChatCompletionToolMessageParam[]> {
  const calls = (message.tool_calls ?? []).map((call) =>
    call.type === 'function'
      ? { id: call.id, name: call.function.name, text: call.function.arguments }
      : { id: call.id, name: call.custom.name, text: JSON.stringify({ input: call.custom.input }) },
  );
  const outputs = await runAll(session, calls, handlers, options);
  return outputs.map(({ id, content }) => ({ role: 'tool', tool_call_id: id, content }));
}

/** Runs the function calls of a response of the Responses API, side by side, and gives the items to send back. */
export async function runFunctionCalls(
  session: Session,
  response: Pick<OpenAI.Responses.Response, 'output'>,
  handlers: Handlers,
  options: Options = {},
): Promise<OpenAI.Responses.ResponseInputItem.FunctionCallOutput[]> {
  const calls = response.output
    .filter((item) => item.type === 'function_call')
    .map(({ call_id: id, name, arguments: text }) => ({ id, name, text }));
  const outputs = await runAll(session, calls, handlers, options);
  return outputs.map(({ id, content }) => ({ type: 'function_call_output', call_id: id, output: content }));
}

async function runAll(
  session: Session,
  calls: readonly { id: string; name: string; text: string }[],
  handlers: Handlers,
  { signal, ...options }: Options,
): Promise<{ id: string; content: string }[]> {
  const run = toolRunner(session, options);
  const outcomes = await Promise.allSettled(
    calls.map(({ id, name, text }) =>
      run({
        name,
        args: argsOf(text),
        callId: id,
        signal,
        execute: (args, aborted) => handlerOf(handlers, name)(args as never, { signal: aborted }),
      }),
    ),
  );
  return outcomes.map((outcome, i) => ({ id: calls[i]!.id, content: told(outcome, signal).content }));
}

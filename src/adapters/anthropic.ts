// Anthropic SDK: tools of its tool runner under guard, and the calls of one message for programs with a loop of their own.
// Public as `interlock/anthropic`. Type imports only.
import type Anthropic from '@anthropic-ai/sdk';
import type { BetaRunnableTool } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool';
import type { Session } from '../sdk/index.ts';
import { type AdapterOptions, type Handlers, handlerOf, isDenied, told, toolRunner } from './run-tool.ts';

export type { AdapterOptions, Handlers } from './run-tool.ts';

/**
 * For `client.beta.messages.toolRunner({ tools: guardTools(session, tools) })`. The runner makes a tool's error into a result that
 * the model reads, so a call that is held and not waited for tells the model that it waits; `onHeld` tells the program.
 */
export function guardTools<T extends BetaRunnableTool>(
  session: Session,
  tools: readonly T[],
  options: AdapterOptions = {},
): T[] {
  const run = toolRunner(session, options);
  return tools.map((tool) => ({
    ...tool,
    async run(args: object, context?: Parameters<BetaRunnableTool['run']>[1]) {
      const outcome = await run({
        name: tool.name,
        args,
        callId: context?.toolUse.id,
        signal: context?.signal ?? undefined,
        execute: (decided, signal) => tool.run(decided, context && { ...context, signal }),
      });
      return isDenied(outcome) ? JSON.stringify(outcome) : outcome;
    },
  }));
}

/** Runs the tool calls of one reply, side by side, and gives the results to send back. Throws what ends the run. */
export async function runToolUses(
  session: Session,
  message: Pick<Anthropic.Message, 'content'>,
  handlers: Handlers,
  options: AdapterOptions & { signal?: AbortSignal } = {},
): Promise<Anthropic.ToolResultBlockParam[]> {
  const { signal, ...rest } = options;
  const run = toolRunner(session, rest);
  const uses = message.content.filter((block) => block.type === 'tool_use');
  const outcomes = await Promise.allSettled(
    uses.map(({ id, name, input }) =>
      run({
        name,
        args: input as object,
        callId: id,
        signal,
        execute: (args, aborted) => handlerOf(handlers, name)(args as never, { signal: aborted }),
      }),
    ),
  );
  return outcomes.map((outcome, i) => {
    const { content, failed } = told(outcome, signal);
    const answer = { type: 'tool_result', tool_use_id: uses[i]!.id, content } as const;
    return failed ? { ...answer, is_error: true } : answer;
  });
}

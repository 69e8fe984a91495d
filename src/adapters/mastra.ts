// Mastra: tools that are decided before they run. Public as `interlock/mastra`. With `onHold: 'suspend'` a held call suspends the
// agent's run with its hold as payload; `agent.resumeStream` or `agent.resumeGenerate` proposes it again. What is said goes through
// the model: give the agent an AI SDK model under `interlockMiddleware` of `interlock/ai-sdk`. Type imports only.
import type { ToolAction } from '@mastra/core/tools';
import { type DeniedResult, type Session, StepHeld } from '../sdk/index.ts';
import { type AdapterOptions, toolRunner } from './run-tool.ts';

export type { AdapterOptions } from './run-tool.ts';

// biome-ignore lint/suspicious/noExplicitAny: a tool of whatever types, as Mastra writes it
type AnyTool = ToolAction<any, any, any, any, any, any, any>;

interface Context {
  readonly abortSignal?: AbortSignal;
  readonly agent?: { readonly toolCallId: string; readonly suspend: (payload: unknown) => Promise<unknown> };
}

/** The same tools under guard. */
export function guardTools<T extends Readonly<Record<string, AnyTool>>>(
  session: Session,
  tools: T,
  options: AdapterOptions = {},
): T {
  return Object.fromEntries(
    Object.entries(tools).map(([key, tool]) => [key, guardTool(session, tool, options)]),
  ) as T;
}

function guardTool(session: Session, tool: AnyTool, options: AdapterOptions): AnyTool {
  const { execute } = tool;
  if (execute === undefined) return tool;
  const run = toolRunner(session, options);
  const guarded = async (input: object, context: Context): Promise<unknown | DeniedResult> => {
    try {
      return await run({
        name: tool.id,
        args: input,
        callId: context.agent?.toolCallId,
        signal: context.abortSignal,
        execute: (args, abortSignal) => execute(args, { ...context, abortSignal } as never),
      });
    } catch (error) {
      if (!(error instanceof StepHeld) || context.agent === undefined) throw error;
      return context.agent.suspend({ hold: error.token, because: error.message });
    }
  };
  return Object.assign(Object.create(tool) as AnyTool, { execute: guarded });
}

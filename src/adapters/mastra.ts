// Mastra: tools that are decided before they run. Public as `interlock/mastra`. With `onHold: 'suspend'` a held call suspends the
// agent's run with its hold as payload; `agent.resumeStream` or `agent.resumeGenerate` proposes it again. What is said goes through
// the model: give the agent an AI SDK model under `interlockMiddleware` of `interlock/ai-sdk`. Imports nothing of Mastra.
import { type DeniedResult, type Session, StepHeld } from '../sdk/index.ts';
import { type AdapterOptions, toolRunner } from './run-tool.ts';

export type { AdapterOptions } from './run-tool.ts';

/** A tool of `createTool`, of whatever types. */
interface AnyTool {
  readonly id: string;
  execute?: ((input: never, context: never) => Promise<unknown>) | undefined;
}

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
        execute: (args, abortSignal) => execute(args as never, { ...context, abortSignal } as never),
      });
    } catch (error) {
      if (!(error instanceof StepHeld) || context.agent === undefined) throw error;
      return context.agent.suspend({ hold: error.token, because: error.message });
    }
  };
  return Object.assign(Object.create(tool) as AnyTool, { execute: guarded });
}

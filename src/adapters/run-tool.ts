// What every adapter does with a framework's tool call: guard it, and give back what the framework's model may read. The
// frameworks differ only in how they hand over a call and take its outcome; the adapters beside this file know that.
import {
  type DeniedResult,
  type GuardOptions,
  type HoldToken,
  InterlockError,
  type Session,
  StepHeld,
  ToolTimeout,
} from '../sdk/index.ts';

export interface AdapterOptions extends Omit<GuardOptions, 'onDeny'> {
  /**
   * `result` (the default): the model reads why, and what would be allowed, as the tool's result. `throw`: the tool fails with
   * `StepDenied`, in the way in which the framework treats failing tools.
   */
  readonly onDeny?: GuardOptions['onDeny'];
  /** Longest a tool may take, milliseconds. */
  readonly timeoutMs?: number;
  /** Told of a call that waits for a person, with what continues it in any later process. */
  readonly onHeld?: (token: HoldToken) => void;
}

export interface FrameworkCall<R> {
  readonly name: string;
  readonly args: object;
  readonly callId: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Runs the framework's own tool with the arguments that were decided. */
  readonly execute: (args: object, signal: AbortSignal) => R | Promise<R>;
  /** What of the outcome is the tool's result, where the framework has put it into something of its own. */
  readonly recorded?: (outcome: R) => unknown;
}

export type RunTool = <R>(call: FrameworkCall<R>) => Promise<R | DeniedResult>;

export function toolRunner(session: Session, options: AdapterOptions = {}): RunTool {
  const { timeoutMs, onHeld, onDeny = 'result', ...rest } = options;
  const guard: GuardOptions = { ...rest, onDeny };
  return async <R>({ name, args, callId, signal, execute, recorded }: FrameworkCall<R>) => {
    let outcome: { readonly value: R; readonly result: unknown } | undefined;
    const tool = {
      name,
      async execute(decided: object, context: { signal: AbortSignal }) {
        const value = await execute(decided, context.signal);
        outcome = { value, result: recorded === undefined ? value : recorded(value) };
        return outcome.result;
      },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const call = {
      ...(callId === undefined ? {} : { callId }),
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      const answer = await session.guard(tool, guard)(args, call);
      // What comes back is the tool's result, or a denial in its place.
      return outcome !== undefined && answer === outcome.result ? outcome.value : (answer as DeniedResult);
    } catch (error) {
      if (error instanceof StepHeld) onHeld?.(error.token);
      throw error;
    }
  };
}

/** Whether an outcome is a denial, for frameworks that want it in words of their own. */
export function isDenied(outcome: unknown): outcome is DeniedResult {
  return (
    typeof outcome === 'object' &&
    outcome !== null &&
    (outcome as DeniedResult).error === 'denied' &&
    Array.isArray((outcome as DeniedResult).rules)
  );
}

/** Arguments as a model wrote them. Text that is no JSON object is decided as what it is: `{ "input": text }`. */
export function argsOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Not JSON: decided as text.
  }
  return { input: text };
}

/** Tools by name, for programs that run the calls of a reply themselves. */
export type Handlers = Readonly<Record<string, (args: never, context: { signal: AbortSignal }) => unknown>>;

export function handlerOf(handlers: Handlers, name: string): Handlers[string] & {} {
  if (!Object.hasOwn(handlers, name)) throw new Error(`there is no tool ${name}`);
  return handlers[name]!;
}

/** What the model reads of a settled call. Throws what no model can mend: a hold, a halt, no decision, an abort. */
export function told(
  outcome: PromiseSettledResult<unknown>,
  signal: AbortSignal | undefined,
): { content: string; failed: boolean } {
  if (outcome.status === 'fulfilled') {
    const { value } = outcome;
    const content = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
    return { content, failed: isDenied(value) };
  }
  const reason: unknown = outcome.reason;
  signal?.throwIfAborted();
  if (reason instanceof InterlockError && !(reason instanceof ToolTimeout)) throw reason;
  return { content: `Error: ${reason instanceof Error ? reason.message : String(reason)}`, failed: true };
}

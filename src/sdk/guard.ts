// A tool behind a guard: proposed, decided, run with exactly the arguments that were decided, recorded, returned.
import { randomUUID } from 'node:crypto';
import type { Proposal, Recorded } from '../engine/types.ts';
import { describe, toJson } from '../step/json.ts';
import type { JsonObject } from '../step/types.ts';
import {
  DecisionUnavailable,
  type DeniedResult,
  deniedResult,
  InvalidProposal,
  StepDenied,
  ToolTimeout,
} from './errors.ts';
import { type CheckOptions, type HoldOptions, permit } from './permit.ts';
import type { CallTrace, Tracing } from './tracing.ts';
import type { Transport } from './transport.ts';
import type { Undecided } from './undecided.ts';

export interface ToolContext {
  readonly callId: string;
  /** Aborted when the caller aborts or the tool's time is up. */
  readonly signal: AbortSignal;
}

/** A tool as any framework has it. Its arguments arrive deep-frozen: they are what was decided. */
export interface Tool<A extends object, R> {
  readonly name: string;
  readonly execute: (args: A, context: ToolContext) => R | Promise<R>;
  readonly timeoutMs?: number;
}

export interface GuardOptions extends HoldOptions, CheckOptions {
  /** `throw` a `StepDenied` (the default), or return a `DeniedResult` that the model can read as the tool's result. */
  readonly onDeny?: 'throw' | 'result';
}

export interface CallOptions {
  /** The id the model gave the call; made when absent. */
  readonly callId?: string;
  readonly signal?: AbortSignal;
}

export type Guarded<A extends object, R> = (args: A, options?: CallOptions) => Promise<R>;

const ERROR_LENGTH_MAX = 2_000;

/** Whose calls are guarded, and where they are decided and traced. */
export interface CallPlace {
  readonly transport: Transport;
  readonly session: string;
  readonly tracing: Tracing;
  readonly undecided: Undecided;
}

interface RunPlace extends CallPlace {
  readonly record: <A extends object, R>(
    place: CallPlace,
    call: GuardedCall<A, R>,
    outcome: Outcome,
  ) => Promise<unknown>;
}

/** One call of a tool, from its arguments to what may be returned. `args` must be frozen JSON. */
export interface GuardedCall<A extends object, R> {
  readonly tool: Tool<A, R>;
  readonly args: JsonObject;
  readonly callId: string;
  readonly options: GuardOptions;
  readonly signal: AbortSignal | undefined;
}

export function guardTool<A extends object, R>(
  place: CallPlace,
  tool: Tool<A, R>,
  options: GuardOptions,
): Guarded<A, R | DeniedResult> {
  return async (given, { callId = randomUUID(), signal } = {}) => {
    const args = frozenArgs(given);
    return callTool(place, { tool, args, callId, options, signal });
  };
}

export function callTool<A extends object, R>(
  place: CallPlace,
  call: GuardedCall<A, R>,
): Promise<R | DeniedResult> {
  const { tool, callId, options, signal } = call;
  const traced = { session: place.session, tool: tool.name, callId };
  return denialAsResult(options, () =>
    place.tracing.guarded(traced, async (trace) => {
      signal?.throwIfAborted();
      const proposal: Proposal = { kind: 'tool.call', name: tool.name, callId, args: call.args };
      let known = false;
      const onDecision = (recorded: Recorded) => {
        known = true;
        trace.decided(recorded);
      };
      let recorded: Recorded;
      try {
        recorded = await permit(place.transport, place.session, proposal, { ...options, signal, onDecision });
      } catch (error) {
        // What was decided already, a hold that is waited for, stands.
        if (known || !place.undecided.covers(proposal, error)) throw error;
        return run({ ...place, record: unrecorded }, call, trace);
      }
      const { decision } = recorded;
      const args = decision.verdict === 'transform' ? frozenArgs(decision.transformed) : call.args;
      return run({ ...place, record }, { ...call, args }, trace);
    }),
  );
}

/** With `onDeny: 'result'` a denial becomes something the model can read; every other error stays an error. */
export async function denialAsResult<T>(
  options: GuardOptions,
  work: () => Promise<T>,
): Promise<T | DeniedResult> {
  try {
    return await work();
  } catch (error) {
    if (options.onDeny === 'result' && error instanceof StepDenied) return deniedResult(error);
    throw error;
  }
}

/** Runs the tool and records what came of it. Interrupted, it answers at once and records when the tool settles. */
async function run<A extends object, R>(
  place: RunPlace,
  call: GuardedCall<A, R>,
  trace: CallTrace,
): Promise<R> {
  const { tool, signal } = call;
  if (signal?.aborted) {
    // Allowed, but it will not run: said so, so that its place in a limit is given back.
    await place.record(place, call, { error: { message: 'aborted before it ran', type: 'AbortError' } });
    signal.throwIfAborted();
  }
  const stop = new AbortController();
  const { promise: interrupted, reject: interrupt } = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    stop.abort(reason);
    interrupt(reason);
  };
  const onAbort = () => end(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    tool.timeoutMs === undefined
      ? undefined
      : setTimeout(() => end(new ToolTimeout(tool.name, tool.timeoutMs!)), tool.timeoutMs);
  // A tool that was interrupted may still take effect: only how it really ended is recorded, whenever that is.
  const recorded = execute(place, call, trace, stop.signal);
  recorded.catch(() => {});
  try {
    return await Promise.race([recorded, interrupted]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

async function execute<A extends object, R>(
  place: RunPlace,
  call: GuardedCall<A, R>,
  trace: CallTrace,
  signal: AbortSignal,
): Promise<R> {
  let value: R;
  try {
    const { callId, tool } = call;
    value = await trace.executed(async () => tool.execute(call.args as unknown as A, { callId, signal }));
  } catch (error) {
    await place.record(place, call, { error: errorOf(error) });
    throw error;
  }
  await place.record(place, call, resultOf(value));
  return value;
}

type Outcome = Pick<Proposal, 'result' | 'content' | 'error'>;

/** What came of a call whose decision could not be had: kept, until it can be put on record. */
async function unrecorded<A extends object, R>(
  { undecided }: CallPlace,
  { tool, callId, args }: GuardedCall<A, R>,
  outcome: Outcome,
): Promise<void> {
  undecided.happened({ kind: 'tool.result', name: tool.name, callId, args, ...outcome });
}

async function record<A extends object, R>(
  place: CallPlace,
  call: GuardedCall<A, R>,
  outcome: Outcome,
): Promise<Recorded> {
  const { tool, callId, options } = call;
  const proposal: Proposal = { kind: 'tool.result', name: tool.name, callId, ...outcome };
  try {
    return await permit(place.transport, place.session, proposal, { ...options, onHold: 'wait', ran: true });
  } catch (error) {
    if (!(error instanceof DecisionUnavailable)) throw error;
    throw new DecisionUnavailable(`${tool.name} ran, but its result is not recorded.`, {
      cause: error,
      ran: true,
    });
  }
}

/** Arguments as frozen plain JSON: a caller who keeps the original cannot change what was decided. */
export function frozenArgs(given: unknown): JsonObject {
  const parsed = toJson(given ?? {}, '/args');
  if (!parsed.ok) throw new InvalidProposal(parsed.problems);
  if (typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value)) {
    return parsed.value as JsonObject;
  }
  throw new InvalidProposal([
    { at: '/args', expected: 'an object of named arguments', found: describe(given) },
  ]);
}

/** A result as the model will see it: text as content, everything else as JSON in the way `JSON.stringify` writes it. */
function resultOf(value: unknown): Pick<Proposal, 'result' | 'content'> {
  if (typeof value === 'string') return { content: value.toWellFormed() };
  if (value === undefined) return { result: null };
  const exact = toJson(value);
  if (exact.ok) return { result: exact.value };
  try {
    const written = toJson(JSON.parse(JSON.stringify(value)) as unknown);
    if (written.ok) return { result: written.value };
  } catch {
    // Not writable as JSON: described below.
  }
  return { content: describe(value) };
}

function errorOf(error: unknown): { message: string; type?: string } {
  const message = (error instanceof Error ? error.message : String(error))
    .slice(0, ERROR_LENGTH_MAX)
    .toWellFormed();
  return error instanceof Error ? { message, type: error.name } : { message };
}

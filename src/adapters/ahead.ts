// Decisions asked for ahead of the run, by frameworks that ask "does this call need approval?" before they execute a tool. The
// call is proposed once: what was decided then is what runs, and a call that is held never starts.
import { isDeepStrictEqual } from 'node:util';
import { StepHeld } from '../sdk/index.ts';
import type { FrameworkCall, RunTool } from './run-tool.ts';

export interface Ahead {
  /** Decides the call; true when it is held, so that the framework suspends. */
  isHeld(call: Omit<FrameworkCall<unknown>, 'execute'>): Promise<boolean>;
  /** Runs a call: by what was decided ahead, or decided now. */
  run: RunTool;
}

/** Calls decided ahead that have not run; more are decided anew when they run. */
const WAITING_MAX = 1_000;

interface Waiting {
  /** What was decided: ids of models may come again. */
  readonly name: string;
  readonly args: object;
  readonly outcome: Promise<unknown>;
  readonly start: (execute: FrameworkCall<unknown>['execute']) => void;
  readonly abandon: (reason: Error) => void;
}

export function decidedAhead(run: RunTool): Ahead {
  const waiting = new Map<string, Waiting>();

  /** It was allowed and does not run: the record says so, and its place in a limit is given back. */
  function abandon(callId: string, why: string): void {
    const entry = waiting.get(callId);
    waiting.delete(callId);
    entry?.abandon(new Error(why));
  }

  return {
    async isHeld(call) {
      const { callId } = call;
      if (callId === undefined) return false;
      if (isOf(waiting.get(callId), call)) return false;
      abandon(callId, 'another call came under its id');
      const permitted = Promise.withResolvers<void>();
      const started = Promise.withResolvers<FrameworkCall<unknown>['execute']>();
      started.promise.catch(() => {});
      const execute = async (args: object, signal: AbortSignal) => {
        permitted.resolve();
        const end = () => started.reject(signal.reason);
        signal.addEventListener('abort', end, { once: true });
        const really = await started.promise;
        signal.removeEventListener('abort', end);
        return really(args, signal);
      };
      const outcome = run({ ...call, execute });
      outcome.catch(() => {});
      try {
        await Promise.race([permitted.promise, outcome]);
      } catch (error) {
        if (error instanceof StepHeld) return true;
      }
      if (waiting.size >= WAITING_MAX) {
        abandon(waiting.keys().next().value!, 'decided, and never run');
      }
      const { name, args } = call;
      waiting.set(callId, { name, args, outcome, start: started.resolve, abandon: started.reject });
      return false;
    },
    run: (async (call) => {
      const ahead = call.callId === undefined ? undefined : waiting.get(call.callId);
      if (ahead === undefined) return run(call);
      // Its arguments may be written otherwise here; those that were decided run.
      if (ahead.name !== call.name) {
        abandon(call.callId!, 'another call came under its id');
        return run(call);
      }
      waiting.delete(call.callId!);
      ahead.start(call.execute);
      return ahead.outcome;
    }) as RunTool,
  };
}

/** Whether the decision was on this call: the same tool, and the same arguments. */
function isOf(decided: Waiting | undefined, { name, args }: Pick<Waiting, 'name' | 'args'>): boolean {
  if (decided?.name !== name) return false;
  return decided.args === args || isDeepStrictEqual(decided.args, args);
}

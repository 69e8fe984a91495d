// The engine in this process, as a transport.
import { EngineError } from '../engine/problem.ts';
import type { Door, Engine } from '../engine/types.ts';
import { DecisionUnavailable, failure, InterlockError } from './errors.ts';
import type { Transport } from './transport.ts';

/** `door`: how the agents that use it meet Interlock. */
export function localTransport(engine: Engine, door: Door = 'sdk'): Transport {
  return {
    openSession: (init) => translated(engine.openSession({ ...init, door })),
    decide: (session, proposal, early) => translated(engine.decide(session, proposal, early)),
    check: (session, request) => translated(engine.check(session, request)),
    endSession: (session) => translated(engine.endSession(session)),
    hold: (id) => translated(engine.hold(id)),
    holds: (filter) => translated(engine.holds(filter)),
    answerHold: (id, answer) => translated(engine.answerHold(id, answer)),
    close: () => translated(engine.close()),

    async holdChange(id, waitMs, signal) {
      signal?.throwIfAborted();
      const { promise: changed, resolve } = Promise.withResolvers<void>();
      const unsubscribe = engine.subscribe((event) => {
        if (event.type === 'hold' && event.hold === id && event.state !== 'pending') resolve();
      });
      const timer = setTimeout(resolve, waitMs);
      const onAbort = () => resolve();
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        const hold = await translated(engine.hold(id));
        if (hold === null || hold.state !== 'pending') return hold;
        await changed;
        signal?.throwIfAborted();
        return await translated(engine.hold(id));
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        unsubscribe();
      }
    },
  };
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof InterlockError) throw error;
    if (error instanceof EngineError) throw failure(error.problem, error);
    throw new DecisionUnavailable('The engine failed to decide.', { cause: error });
  }
}

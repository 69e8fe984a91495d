// What is known of a trace from the batches before: spans of one trace end at different times and arrive apart.
// Bounded: the trace not heard of for longest is forgotten first.
import type { Agent } from '../../step/types.ts';

/** Each is absent until a span says it, and then stays as first said. */
export interface TraceFacts {
  session?: string;
  agent?: Agent;
  principal?: string;
  tenant?: string;
}

export interface TraceMemory {
  /** The facts of a trace, remembered from now on; the caller fills them in. */
  readonly of: (traceId: string) => TraceFacts;
  readonly size: () => number;
}

export function traceMemory(tracesMax: number): TraceMemory {
  const traces = new Map<string, TraceFacts>();
  return {
    of: (traceId) => {
      const facts = traces.get(traceId) ?? {};
      // A Map keeps the order of insertion: to move a trace to the young end, insert it again.
      traces.delete(traceId);
      traces.set(traceId, facts);
      if (traces.size > tracesMax) traces.delete(traces.keys().next().value!);
      return facts;
    },
    size: () => traces.size,
  };
}

// Spans of guarded calls through the program's own OpenTelemetry API, when it has one: `interlock.guard TOOL` from the
// proposal to the answer, with the verdict, and in it `execute_tool TOOL` (OpenTelemetry GenAI conventions) while the tool runs,
// so that a call that was stopped never looks as if it had run. Contents of calls stay out of them.
import type { Attributes, Span, Tracer } from '@opentelemetry/api';
import type { Recorded } from '../engine/types.ts';

export interface Tracing {
  /** Runs the work inside a span of the whole call. */
  guarded<T>(call: TracedCall, work: (trace: CallTrace) => Promise<T>): Promise<T>;
}

export interface TracedCall {
  readonly session: string;
  readonly tool: string;
  readonly callId: string;
}

export interface CallTrace {
  decided(recorded: Recorded): void;
  /** Runs the tool inside a span of its own. */
  executed<T>(work: () => Promise<T>): Promise<T>;
}

/** For programs without OpenTelemetry. */
export const NO_TRACING: Tracing = {
  guarded: (_call, work) => work({ decided() {}, executed: (run) => run() }),
};

let loading: Promise<Tracing> | undefined;

/** Looks once whether the program has `@opentelemetry/api`; it is never installed on Interlock's account. */
export function loadTracing(): Promise<Tracing> {
  loading ??= import('@opentelemetry/api').then(
    ({ trace }) => tracingOf(trace.getTracer('interlock')),
    () => NO_TRACING,
  );
  return loading;
}

/** `SpanStatusCode.ERROR` of the OpenTelemetry API, whose values are not loaded here. */
const ERROR = 2;

function tracingOf(tracer: Tracer): Tracing {
  function within<T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
    return tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await work(span);
      } catch (error) {
        const { name: type, message } = error instanceof Error ? error : new Error(String(error));
        const { code } = error as { code?: unknown };
        span.setAttribute('error.type', typeof code === 'string' ? code : type);
        span.setStatus({ code: ERROR, message });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  return {
    guarded({ session, tool, callId }, work) {
      const about = { 'interlock.session': session, 'interlock.tool': tool, 'interlock.call_id': callId };
      return within(`interlock.guard ${tool}`, about, (span) =>
        work({
          decided({ decision }) {
            span.setAttributes({
              'interlock.step': decision.step,
              ...(decision.spec === null ? {} : { 'interlock.spec': decision.spec }),
              'interlock.verdict': decision.verdict,
              'interlock.rules': decision.rules.map(({ rule }) => rule),
            });
          },
          executed(run) {
            const attributes = {
              'gen_ai.operation.name': 'execute_tool',
              'gen_ai.tool.name': tool,
              'gen_ai.tool.type': 'function',
              'gen_ai.tool.call.id': callId,
              'gen_ai.conversation.id': session,
              'interlock.session': session,
            };
            return within(`execute_tool ${tool}`, attributes, run);
          },
        }),
      );
    },
  };
}

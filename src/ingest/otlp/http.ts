// OTLP/HTTP (opentelemetry.io/docs/specs/otlp): POST /v1/traces in protobuf or JSON becomes spans and observations.
// A request is acknowledged only after the sink says they are durable. No policy, no header of our own is needed.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { mapTraces } from '../dialects/map-traces.ts';
import { type TraceMemory, traceMemory } from '../dialects/trace-memory.ts';
import { memoryBudget, type Reservation, readBody } from './body.ts';
import { OtlpFault } from './fault.ts';
import { decodeTraceJson } from './json.ts';
import { decodeTraceRequest } from './protobuf.ts';
import {
  CONTENT_TYPES,
  encodeStatus,
  encodeTraceResponse,
  type OtlpEncoding,
  problemText,
} from './response.ts';
import { OTLP_LIMITS, type OtlpLimits, type OtlpProblem, type OtlpSink } from './types.ts';

export interface OtlpHandlerOptions {
  /** The engine, or anything that keeps spans and steps. */
  readonly sink: OtlpSink;
  readonly limits?: Partial<OtlpLimits>;
  /** Told of failures that are not the sender's: a store that failed, a defect. */
  readonly onFailure?: (error: unknown) => void;
}

/** What goes back: OTLP's own success, or a google.rpc.Status under an HTTP status. */
interface Refusal {
  readonly status: number;
  /** A google.rpc.Code. */
  readonly code: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const RETRY_AFTER_S = '1';
const REFUSALS: Readonly<Record<OtlpProblem['code'], Omit<Refusal, 'message'>>> = {
  malformed: { status: 400, code: 3 },
  'limit-exceeded': { status: 413, code: 8 },
  unsupported: { status: 415, code: 3 },
  'method-not-allowed': { status: 405, code: 12, headers: { allow: 'POST' } },
  'not-found': { status: 404, code: 12 },
  overloaded: { status: 503, code: 14, headers: { 'retry-after': RETRY_AFTER_S } },
};

/**
 * A request listener for `http.createServer`, by convention on port 4318.
 *
 * @example
 * createServer(createOtlpHandler({ sink: engine })).listen(4318, '127.0.0.1');
 */
export function createOtlpHandler(options: OtlpHandlerOptions): RequestListener {
  const limits: OtlpLimits = { ...OTLP_LIMITS, ...options.limits };
  const memory = traceMemory(limits.tracesMax);
  const reserve = memoryBudget(limits.pendingBytesMax);
  return (request, response) => {
    const reservation = reserve();
    receive(request, { ...options, limits, memory, reservation })
      .then(
        ({ encoding, body }) => send(response, 200, encoding, body),
        (error: unknown) => {
          const refusal = refusalOf(error);
          if (isFailure(error)) options.onFailure?.(error instanceof SinkFailure ? error.cause : error);
          const encoding = encodingOf(request) ?? 'json';
          const body = encodeStatus(refusal.code, refusal.message, encoding);
          send(response, refusal.status, encoding, body, refusal.headers);
          // What is still on its way is read and dropped, so that the answer arrives.
          request.resume();
        },
      )
      .finally(reservation.release);
  };
}

interface Receiving extends OtlpHandlerOptions {
  readonly limits: OtlpLimits;
  readonly memory: TraceMemory;
  readonly reservation: Reservation;
}

async function receive(request: IncomingMessage, { sink, limits, memory, reservation }: Receiving) {
  refuseByAddress(request);
  const encoding = encodingOf(request);
  if (encoding === null) throw wrongType(request);
  const bytes = await readBody(request, limits, reservation);
  const decoded = (encoding === 'json' ? decodeTraceJson : decodeTraceRequest)(bytes, limits);
  if (!decoded.ok) throw new OtlpFault(decoded.problem);
  const { traces } = decoded;
  if (traces.spans.length > 0) {
    const { spans, observations } = mapTraces(traces.spans, memory);
    await sink.observe(spans, observations).catch((error: unknown) => {
      throw new SinkFailure(error);
    });
  }
  return { encoding, body: encodeTraceResponse(traces, encoding) };
}

function refuseByAddress(request: IncomingMessage): void {
  const path = (request.url ?? '/').split('?', 1)[0]!;
  if (path === '/v1/logs' || path === '/v1/metrics') {
    const signal = path.slice('/v1/'.length);
    throw new OtlpFault({
      code: 'not-found',
      message: `Interlock keeps traces only: these ${signal} were not taken`,
      mend: `Set OTEL_${signal.toUpperCase()}_EXPORTER=none in the sender.`,
    });
  }
  if (path !== '/v1/traces') {
    throw new OtlpFault({
      code: 'not-found',
      message: `nothing is at ${JSON.stringify(path.slice(0, 100))}`,
      mend: 'Send traces to /v1/traces.',
    });
  }
  if (request.method !== 'POST') {
    const message = `/v1/traces takes POST, found ${request.method}`;
    throw new OtlpFault({ code: 'method-not-allowed', message });
  }
}

function encodingOf(request: IncomingMessage): OtlpEncoding | null {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === CONTENT_TYPES.protobuf) return 'protobuf';
  return type === CONTENT_TYPES.json ? 'json' : null;
}

function wrongType(request: IncomingMessage): OtlpFault {
  const found = request.headers['content-type'];
  return new OtlpFault({
    code: 'unsupported',
    message:
      found === undefined
        ? 'content-type is missing'
        : `content-type is ${JSON.stringify(found.slice(0, 80))}`,
    mend: `Send ${CONTENT_TYPES.protobuf} or ${CONTENT_TYPES.json}.`,
  });
}

/** The sink did not take the spans; `cause` is what it threw. */
class SinkFailure extends Error {
  constructor(cause: unknown) {
    super('the spans could not be made durable; none of this request is acknowledged', { cause });
  }
}

/** A failure of ours, not a refusal: the sender could not have done better. */
function isFailure(error: unknown): boolean {
  if (error instanceof OtlpFault) return false;
  const problem = error instanceof SinkFailure ? engineProblemOf(error.cause) : null;
  return problem === null || problem.code === 'store-failed';
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof OtlpFault) {
    return { ...REFUSALS[error.problem.code], message: problemText(error.problem) };
  }
  if (!(error instanceof SinkFailure)) {
    return { status: 500, code: 13, message: 'the request failed inside Interlock; its log says why' };
  }
  const problem = engineProblemOf(error.cause);
  if (problem === null || problem.code === 'store-failed') {
    return { ...REFUSALS.overloaded, message: error.message };
  }
  return {
    ...REFUSALS[problem.code === 'overloaded' ? 'overloaded' : 'malformed'],
    message: problem.message,
  };
}

function engineProblemOf(error: unknown): { readonly code: string; readonly message: string } | null {
  if (!(error instanceof Error) || !('problem' in error)) return null;
  const { problem } = error;
  if (typeof problem !== 'object' || problem === null || !('code' in problem)) return null;
  return {
    code: String(problem.code),
    message: 'message' in problem ? String(problem.message) : error.message,
  };
}

function send(
  response: ServerResponse,
  status: number,
  encoding: OtlpEncoding,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    ...headers,
    'content-type': CONTENT_TYPES[encoding],
    'content-length': body.length,
  });
  response.end(body);
}

// What the OTLP door is made of: its sink, its limits, and what a request turned into. Data only.
import type { Engine, Span } from '../../engine/types.ts';

/** Where decoded spans go. The promise resolves when they are durable: only then is the sender told so. */
export type OtlpSink = Pick<Engine, 'observe'>;

/** Every bound on what one sender can make us hold or do. Sizes in bytes. */
export interface OtlpLimits {
  /** The body as sent, before inflation. */
  readonly bodyBytesMax: number;
  /** The body after inflation: a few kilobytes of gzip can hold gigabytes. */
  readonly inflatedBytesMax: number;
  /** Bodies of all requests being read, decoded or awaiting the sink, together; beyond it senders are told to wait. */
  readonly pendingBytesMax: number;
  readonly spansMax: number;
  /** Attributes of one span, event, resource or scope. OpenInference flattens every message into some. */
  readonly attributesMax: number;
  readonly eventsMax: number;
  /** Levels of arrays and maps in one attribute value. */
  readonly depthMax: number;
  /** Traces whose session and agent are remembered for the batches that follow. */
  readonly tracesMax: number;
}

export const OTLP_LIMITS: OtlpLimits = {
  bodyBytesMax: 16 << 20,
  inflatedBytesMax: 64 << 20,
  pendingBytesMax: 256 << 20,
  spansMax: 50_000,
  attributesMax: 8_192,
  eventsMax: 8_192,
  depthMax: 32,
  tracesMax: 10_000,
};

/** Why a request or one of its spans was refused: what, where, and how to mend it. */
export interface OtlpProblem {
  readonly code:
    | 'malformed'
    | 'limit-exceeded'
    | 'unsupported'
    | 'method-not-allowed'
    | 'not-found'
    | 'overloaded';
  readonly message: string;
  /** `resourceSpans[0].scopeSpans[1].spans[2]`, or `byte 17` of the body. */
  readonly where?: string;
  readonly mend?: string;
}

/** Spans that could be read, and a problem for each that could not. One bad span never rejects its batch. */
export interface DecodedTraces {
  readonly spans: readonly Span[];
  /** Spans refused, all of them counted. */
  readonly rejectedSpans: number;
  /** The first few refusals in the order of the body; the rest are only counted. */
  readonly rejections: readonly OtlpProblem[];
}

/** A whole body is refused only when its frame cannot be read. */
export type DecodeResult =
  | { readonly ok: true; readonly traces: DecodedTraces }
  | { readonly ok: false; readonly problem: OtlpProblem };

// What a sender of OTLP/HTTP is told, in the encoding it wrote (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response").
// ExportTraceServiceResponse with partial_success, and google.rpc.Status for refusals.
import type { DecodedTraces, OtlpProblem } from './types.ts';

export type OtlpEncoding = 'protobuf' | 'json';

export const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** An empty message says that all spans were taken. */
export function encodeTraceResponse(traces: DecodedTraces, encoding: OtlpEncoding): Buffer {
  const rejected = traces.rejectedSpans;
  if (encoding === 'json') {
    // 64-bit integers are text in the JSON mapping of protobuf.
    const partialSuccess = { rejectedSpans: String(rejected), errorMessage: partialMessage(traces) };
    return Buffer.from(JSON.stringify(rejected === 0 ? {} : { partialSuccess }));
  }
  if (rejected === 0) return Buffer.alloc(0);
  const partial = [
    0x08,
    ...varint(rejected),
    ...lengthDelimited(0x12, Buffer.from(partialMessage(traces), 'utf8')),
  ];
  return Buffer.from(lengthDelimited(0x0a, partial));
}

/** `{ code, message }` of google.rpc.Status; `code` is one of google.rpc.Code. */
export function encodeStatus(code: number, message: string, encoding: OtlpEncoding): Buffer {
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.from([0x08, ...varint(code), ...lengthDelimited(0x12, Buffer.from(message, 'utf8'))]);
}

/** What, where and how to mend it, in one line. */
export function problemText({ message, where, mend }: OtlpProblem): string {
  return `${where === undefined ? '' : `${where}: `}${message}${mend === undefined ? '' : `. ${mend}`}`;
}

function partialMessage({ rejectedSpans, rejections }: DecodedTraces): string {
  const told = rejections.map(problemText);
  const more = rejectedSpans - rejections.length;
  if (more > 0) told.push(`and ${more} more`);
  return `${rejectedSpans} ${rejectedSpans === 1 ? 'span was' : 'spans were'} refused: ${told.join('; ')}`;
}

function lengthDelimited(tag: number, bytes: Iterable<number> & { readonly length: number }): number[] {
  return [tag, ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}

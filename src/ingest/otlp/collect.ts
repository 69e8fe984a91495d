// The spans of one request as they are read: kept when good, counted with a reason when not. Shared by both decoders.
import type { Span } from '../../engine/types.ts';
import { limitExceeded } from './fault.ts';
import type { DecodedTraces, OtlpLimits, OtlpProblem } from './types.ts';

/** Refusals told in full; the sender reads one line of text, not thousands. */
const REJECTIONS_TOLD_MAX = 8;

export interface Collector {
  /** False once no more spans are taken: the next one is counted as refused without being read. */
  readonly takesSpan: (where: () => string) => boolean;
  readonly add: (span: Span) => void;
  readonly reject: (problem: OtlpProblem, where: () => string) => void;
  readonly done: () => DecodedTraces;
}

export function collector(limits: OtlpLimits): Collector {
  const spans: Span[] = [];
  const rejections: OtlpProblem[] = [];
  let rejectedSpans = 0;

  function reject(problem: OtlpProblem, where: () => string): void {
    rejectedSpans += 1;
    if (rejections.length >= REJECTIONS_TOLD_MAX) return;
    const place = problem.where === undefined ? where() : `${where()}.${problem.where}`;
    rejections.push({ ...problem, where: place });
  }

  return {
    takesSpan: (where) => {
      if (spans.length < limits.spansMax) return true;
      const fault = limitExceeded(
        `a request may hold at most ${limits.spansMax} spans`,
        'Lower the batch size of the exporter.',
      );
      reject(fault.problem, where);
      return false;
    },
    add: (span) => {
      spans.push(span);
    },
    reject,
    done: () => ({ spans, rejectedSpans, rejections }),
  };
}

/** Where a span is, in the words of OTLP/JSON; protobuf fields have the same names. */
export function spanPlace(resource: number, scope: number, span: number): string {
  return `resourceSpans[${resource}].scopeSpans[${scope}].spans[${span}]`;
}

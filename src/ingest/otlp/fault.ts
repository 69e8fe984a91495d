// How a decoder gives up on one span or one body: a typed problem thrown inside this folder and caught inside it.
import type { OtlpProblem } from './types.ts';

/** Never leaves this folder: decoders catch it and answer its problem. */
export class OtlpFault extends Error {
  readonly problem: OtlpProblem;

  constructor(problem: OtlpProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

export function malformed(message: string, where?: string): OtlpFault {
  return new OtlpFault({ code: 'malformed', message, ...(where === undefined ? {} : { where }) });
}

export function limitExceeded(message: string, mend: string): OtlpFault {
  return new OtlpFault({ code: 'limit-exceeded', message, mend });
}

/** Faults are ours; anything else is a defect and goes on up. */
export function problemOf(error: unknown): OtlpProblem {
  if (error instanceof OtlpFault) return error.problem;
  throw error;
}

export function refuseMore(count: number, max: number, what: string): void {
  if (count >= max) throw limitExceeded(`at most ${max} ${what}`, `Send fewer ${what}, or split the span.`);
}

export function refuseDeeper(depth: number, max: number): void {
  if (depth > max) {
    throw limitExceeded(`a value nested at most ${max} levels deep`, 'Flatten it, or send it as JSON text.');
  }
}

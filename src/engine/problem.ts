// Refusals of the engine as errors that carry their problem, so that every door can turn them into its own protocol's.
import type { EngineProblem } from './types.ts';

/** Thrown by every method of an engine for what a caller can understand; `problem.code` is stable. */
export class EngineError extends Error {
  readonly problem: EngineProblem;
  constructor(problem: EngineProblem, options?: ErrorOptions) {
    super(problem.message, options);
    this.name = 'EngineError';
    this.problem = problem;
  }
}

export function refuse(code: EngineProblem['code'], message: string, mend?: string): EngineError {
  return new EngineError(mend === undefined ? { code, message } : { code, message, mend });
}

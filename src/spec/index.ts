// The spec room's door: text in, a compiled spec or its problems out. Pure; files are read by the host through `readRef`.
import { ENGINES } from './engines/all.ts';
import { type CompileOptions, type CompileResult, compileWith } from './spec.ts';

export { formatProblem, lineMap, type Problem } from './problem.ts';
export type { Program } from './program.ts';
export type { ReadRef } from './read.ts';
export type { CompiledSpec, CompileOptions, CompileResult } from './spec.ts';

/**
 * Checks and compiles a spec given as YAML or JSON text.
 *
 * @example
 * const result = compileSpec('interlock: 1\nname: demo\ntools: { ping: { effect: read } }');
 * if (!result.ok) for (const problem of result.problems) console.error(formatProblem(problem));
 */
export function compileSpec(text: string, options: CompileOptions = {}): CompileResult {
  return compileWith(text, options, ENGINES);
}

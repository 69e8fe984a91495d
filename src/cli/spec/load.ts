// A spec for a command that needs it whole: compiled, or its problems told.
import { type CompiledSpec, formatProblem, lineMap } from '../../spec/index.ts';
import { compileSpecFile } from './files.ts';

/** Null after saying on standard error why there is none. */
export function loadSpec(command: string, file: string): CompiledSpec | null {
  let compiled: ReturnType<typeof compileSpecFile>;
  try {
    compiled = compileSpecFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    console.error(`interlock ${command}: ${file}: cannot be read (${code ?? String(error)})`);
    return null;
  }
  if (compiled.result.ok) return compiled.result.spec;
  const lines = lineMap(compiled.text);
  for (const problem of compiled.result.problems) console.error(formatProblem(problem, lines));
  console.error(`interlock ${command}: ${file} does not check`);
  return null;
}

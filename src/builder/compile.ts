// Compiles a built document and tells problems in the builder's terms: which part, and where in its expression. Pure.
import {
  type CompileOptions,
  type CompileResult,
  compileSpec,
  lineMap,
  type Problem,
} from '../spec/index.ts';
import type { JsonObject } from '../step/types.ts';
import { type Written, writePlaced } from './write.ts';

/**
 * A problem in a built spec. `file` names the spec and the part (`support-refunds: rules.at-most.require`); `line`, `column`
 * and `excerpt` are within that part's text.
 */
export interface BuiltProblem extends Problem {
  /** Keys from the document to the part; rules by their id. Empty for the whole, and for a problem in an imported file. */
  readonly path: readonly string[];
}

export type BuiltResult = CompileResult & { readonly problems: readonly BuiltProblem[] };

const EXCERPT = 500;

export function compileBuilt(document: JsonObject, options: Pick<CompileOptions, 'readRef'>): BuiltResult {
  const { text, places } = writePlaced(document);
  const file = String(document.name);
  const result = compileSpec(text, { ...options, file });
  const lines = lineMap(text);
  const problems = result.problems.map((problem): BuiltProblem => {
    if (problem.file !== file) return { ...problem, path: [] };
    return placed(problem, file, places, offsetOf(lines, problem));
  });
  return { ...result, problems };
}

/** Everything stands on the first line; only the end of the text is behind it. */
function offsetOf(lines: ReturnType<typeof lineMap>, { line, column }: Problem): number {
  return line === 1 ? column - 1 : lines.lineText(1).length;
}

function placed(problem: Problem, file: string, places: readonly Written[], offset: number): BuiltProblem {
  // The innermost comes last. A problem with a key points before the value: the part is the map around it.
  const part = places.findLast(({ start, end }) => start <= offset && offset < end) ?? places[0]!;
  const shown = typeof part.value === 'string' ? part.value : JSON.stringify(part.value);
  const inner = part.literalAt === null ? 0 : Math.max(0, offset - part.literalAt);
  const lines = lineMap(shown);
  const { line, column } = lines.position(inner);
  const width = part.literalAt === null ? 1 : problem.endColumn - problem.column;
  return {
    ...problem,
    file: part.path.length === 0 ? file : `${file}: ${part.path.join('.')}`,
    line,
    column,
    endColumn: column + width,
    excerpt: lines.lineText(line).slice(0, EXCERPT),
    path: part.path,
  };
}

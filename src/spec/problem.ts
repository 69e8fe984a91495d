// A problem in a spec: a value with a stable code, what was expected, where, and how to mend it. Pure.

export type Severity = 'error' | 'warning';

/** Half-open range of UTF-16 offsets in the spec's text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Problem {
  /** Stable, for scripts: e.g. `unknown-key`, `unknown-field`, `unenforceable`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  /** The line of the file it points at, cut to 500 characters. */
  readonly excerpt: string;
  /** The id of the rule or name of the tool it stands in, when there is one. */
  readonly subject?: string;
  readonly suggestion?: string;
}

/** Maps offsets in one text to lines and columns, both 1-based. */
export interface LineMap {
  position(offset: number): { line: number; column: number };
  lineText(line: number): string;
}

export function lineMap(text: string): LineMap {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 10) starts.push(i + 1);
  return {
    position(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] as number) <= offset) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: offset - (starts[low] as number) + 1 };
    },
    lineText(line) {
      const start = starts[line - 1];
      if (start === undefined) return '';
      const end = starts[line] ?? text.length + 1;
      return text.slice(start, end - 1).replaceAll('\r', '');
    },
  };
}

/**
 * A problem as a person reads it:
 * ```
 * refund.yaml:14:18 error unknown-field: `args` of refund has no field `amuont`
 *   14 |     require: args.amuont <= 500
 *      |                   ^^^^^^ did you mean `amount`?
 * ```
 *
 * The line is shown when `lines` is given.
 */
export function formatProblem(
  problem: Omit<Problem, 'severity'> & { readonly severity: string },
  lines?: LineMap,
): string {
  const head = `${problem.file}:${problem.line}:${problem.column} ${problem.severity} ${problem.code}: ${problem.message}`;
  const hint = problem.suggestion ? `did you mean \`${problem.suggestion}\`?` : '';
  if (!lines) return hint ? `${head} (${hint})` : head;
  const gutter = String(problem.line).padStart(5);
  const text = problem.excerpt;
  const width = Math.max(1, Math.min(problem.endColumn, text.length + 1) - problem.column);
  const caret = `${' '.repeat(problem.column - 1)}${'^'.repeat(width)} ${hint}`.trimEnd();
  return `${head}\n${gutter} | ${text}\n${' '.repeat(5)} | ${caret}`;
}

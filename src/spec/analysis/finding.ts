// What an analysis finds in a spec that checks: values with stable codes, each provable from the spec alone. Pure.
import type { RuleClause } from '../document.ts';
import type { Problem, Range } from '../problem.ts';
import { Source } from '../source.ts';

/** Warnings are about mistakes; notes say what the spec leaves open. */
export const FINDING_CODES = {
  'vacuous-rule': { severity: 'warning', text: 'A rule that can never fire.' },
  'constant-condition': { severity: 'warning', text: 'A `when` or `unless` that never makes a difference.' },
  'duplicate-rule': { severity: 'warning', text: 'Two rules that mean the same.' },
  'shadowed-rule': { severity: 'warning', text: 'A rule that fires only where a stricter one does.' },
  'contradictory-rules': { severity: 'warning', text: 'Rules that together leave no way to satisfy them.' },
  'uncovered-tool': { severity: 'note', text: 'A declared tool that no rule is about, or looks back at.' },
  'unlimited-effect': {
    severity: 'note',
    text: 'A tool with an effect that no enforced rule limits or holds.',
  },
} as const satisfies Record<string, { readonly severity: 'warning' | 'note'; readonly text: string }>;
export type FindingCode = keyof typeof FINDING_CODES;

/** Like a problem (src/spec/problem.ts), of a spec that checks. */
export interface Finding extends Omit<Problem, 'severity' | 'code'> {
  readonly code: FindingCode;
  readonly severity: 'warning' | 'note';
  /** The rule that it is about too, and where it stands. */
  readonly other?: { readonly rule: string; readonly file: string; readonly line: number };
}

export function findingAt(
  code: FindingCode,
  source: Source,
  range: Range,
  subject: string,
  message: string,
  other?: RuleClause,
): Finding {
  const here = new Source(source.file, source.text);
  here.report('warning', code, range, message, { subject });
  const problem = here.problems[0]!;
  return {
    ...problem,
    code,
    severity: FINDING_CODES[code].severity,
    ...(other === undefined ? {} : { other: { rule: other.id, ...placeOf(other) } }),
  };
}

function placeOf({ source, range }: RuleClause): { file: string; line: number } {
  return { file: source.file, line: source.lines.position(range.start).line };
}

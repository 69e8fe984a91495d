// Runs the example sessions of a spec: each step through the real monitor, each expectation checked. Pure.
import { type Decision, VERDICTS } from '../monitor/types.ts';
import type { CompiledSpec } from '../spec/index.ts';
import type { Problem } from '../spec/problem.ts';
import { textOf, wordOf } from '../spec/source.ts';
import { type Coverage, CoverageCounter } from './coverage.ts';
import { type Act, type ExampleClause, readExamples, type TestFile } from './spec-tests-read.ts';
import { Example, type Seen } from './spec-tests-session.ts';

export interface SpecTestFailure {
  /** Of the example's own steps, from 0. */
  readonly step: number;
  readonly file: string;
  readonly line: number;
  readonly expected: string;
  readonly found: string;
}

export interface SpecTestResult {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly failures: readonly SpecTestFailure[];
}

export interface SpecTestReport {
  readonly results: readonly SpecTestResult[];
  /** Ids of rules that fired in some example, and of those that never did. */
  readonly fired: readonly string[];
  readonly silent: readonly string[];
  readonly coverage: Coverage;
  readonly problems: readonly Problem[];
}

/**
 * Runs every example of the spec, and those of the file beside it; `text` is the spec's own text, for places in messages.
 * `seen` is shown each step as it is decided.
 */
export function runSpecTests(
  spec: CompiledSpec,
  file: string,
  text: string,
  beside: TestFile | null = null,
  seen: Seen = () => {},
): SpecTestReport {
  const problems: Problem[] = [];
  const counter = new CoverageCounter(spec.program);
  const results = readExamples(spec, { file, text }, beside, problems).map((example) =>
    runExample(spec, example, (step, decision) => {
      counter.count(step, decision);
      seen(step, decision);
    }),
  );
  const coverage = counter.report();
  const ids = (wanted: boolean) =>
    coverage.rules.filter(({ fired }) => fired > 0 === wanted).map(({ rule }) => rule);
  return { results, fired: ids(true), silent: ids(false), coverage, problems };
}

function runExample(spec: CompiledSpec, example: ExampleClause, seen: Seen): SpecTestResult {
  const { name, acts, source, range } = example;
  const session = new Example(spec, example, seen);
  return {
    name,
    file: source.file,
    line: source.lines.position(range.start).line,
    failures: acts.flatMap((act) => failureOf(act, session.take(act)) ?? []),
  };
}

/** Null when the decision is the expected one, or none is expected. */
function failureOf({ source, fields, index }: Act, decision: Decision | null): SpecTestFailure | null {
  const expectEntry = fields.get('expect');
  if (!expectEntry || !decision) return null;
  const expected = wordOf(source, expectEntry.node, '`expect`', VERDICTS);
  const ruleEntry = fields.get('rule');
  const rule = ruleEntry ? textOf(source, ruleEntry.node, '`rule`') : undefined;
  const ok =
    decision.verdict === expected &&
    (rule === undefined || decision.rules.some((outcome) => outcome.rule === rule));
  if (ok) return null;
  return {
    step: index,
    file: source.file,
    line: source.lines.position(expectEntry.node.range.start).line,
    expected: rule === undefined ? String(expected) : `${expected} by ${rule}`,
    found: showDecision(decision),
  };
}

function showDecision(decision: Decision): string {
  const rules = decision.rules.map((outcome) => `${outcome.rule} (${outcome.cause}: ${outcome.because})`);
  return rules.length === 0 ? decision.verdict : `${decision.verdict} by ${rules.join('; ')}`;
}

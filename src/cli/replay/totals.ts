// What a replay adds up to: sums that workers make apart and the driver joins. Pure.
import type { ImportProblem } from '../../ingest/importers/types.ts';
import type { StepOutcome } from '../../monitor/monitor.ts';
import { type Decision, VERDICTS, type Verdict } from '../../monitor/types.ts';

/** Problems shown; all are counted. */
const PROBLEMS_SHOWN_MAX = 100;

export type VerdictCounts = Record<Verdict, number>;

export interface MetricCounts {
  good: number;
  bad: number;
  /** Neither could be said. */
  undecided: number;
}

export interface Totals {
  sessions: number;
  steps: number;
  /** Steps that could have been stopped: a decision line each. */
  decided: number;
  /** Decided steps by the verdict in force. */
  readonly verdicts: VerdictCounts;
  /** For each rule that fired on a decided step, how often with which verdict, whatever its mode. */
  readonly rules: Map<string, VerdictCounts>;
  /** What the spec's metrics counted. */
  readonly metrics: Map<string, MetricCounts>;
  problemCount: number;
  readonly problems: ImportProblem[];
}

export function noTotals(): Totals {
  return {
    sessions: 0,
    steps: 0,
    decided: 0,
    verdicts: noVerdicts(),
    rules: new Map(),
    metrics: new Map(),
    problemCount: 0,
    problems: [],
  };
}

function noVerdicts(): VerdictCounts {
  return { allow: 0, transform: 0, hold: 0, deny: 0, halt: 0 };
}

export function countDecision(totals: Totals, decision: Decision): void {
  totals.decided++;
  totals.verdicts[decision.verdict]++;
  for (const { rule, verdict } of decision.rules) countsOf(totals, rule)[verdict]++;
}

export function countMetrics(totals: Totals, counted: StepOutcome['metrics']): void {
  for (const { metric, bad } of counted ?? [])
    metricOf(totals, metric)[bad === null ? 'undecided' : bad ? 'bad' : 'good']++;
}

export function countProblems(totals: Totals, problems: readonly ImportProblem[]): void {
  totals.problemCount += problems.length;
  for (const problem of problems)
    if (totals.problems.length < PROBLEMS_SHOWN_MAX) totals.problems.push(problem);
}

/** Adds `more` to `totals`. */
export function addTotals(totals: Totals, more: Totals): void {
  totals.sessions += more.sessions;
  totals.steps += more.steps;
  totals.decided += more.decided;
  for (const verdict of VERDICTS) totals.verdicts[verdict] += more.verdicts[verdict];
  for (const [rule, counts] of more.rules) {
    const sum = countsOf(totals, rule);
    for (const verdict of VERDICTS) sum[verdict] += counts[verdict];
  }
  for (const [metric, { good, bad, undecided }] of more.metrics) {
    const sum = metricOf(totals, metric);
    sum.good += good;
    sum.bad += bad;
    sum.undecided += undecided;
  }
  totals.problemCount += more.problemCount - more.problems.length;
  countProblems(totals, more.problems);
}

function metricOf(totals: Totals, metric: string): MetricCounts {
  const known = totals.metrics.get(metric);
  if (known !== undefined) return known;
  const counts = { good: 0, bad: 0, undecided: 0 };
  totals.metrics.set(metric, counts);
  return counts;
}

function countsOf(totals: Totals, rule: string): VerdictCounts {
  const known = totals.rules.get(rule);
  if (known !== undefined) return known;
  const counts = noVerdicts();
  totals.rules.set(rule, counts);
  return counts;
}

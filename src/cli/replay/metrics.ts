// What the metrics of a spec came to in a replay: the rate, what is left of the budget, and whether it is exceeded.
import { driftEvidence } from '../../replay/drift.ts';
import type { Program } from '../../spec/index.ts';
import { table } from '../output.ts';
import type { Totals } from './totals.ts';

export interface MetricReport {
  readonly metric: string;
  readonly counted: number;
  readonly bad: number;
  /** Steps of which it could not be said; they are in neither number. */
  readonly undecided: number;
  /** `bad / counted`; null when nothing was counted. */
  readonly rate: number | null;
  readonly budget: number;
  /** E-value of the rate being above the budget; `exceeded` when it reaches 1/alarm. */
  readonly evidence: number;
  readonly exceeded: boolean;
}

export function metricReports({ metrics }: Program, totals: Totals): MetricReport[] {
  return metrics.map(({ id, budget, alarm }) => {
    const { good, bad, undecided } = totals.metrics.get(id) ?? { good: 0, bad: 0, undecided: 0 };
    const counted = good + bad;
    const evidence = driftEvidence(good, bad, budget);
    return {
      metric: id,
      counted,
      bad,
      undecided,
      rate: counted === 0 ? null : bad / counted,
      budget,
      evidence,
      exceeded: evidence >= 1 / alarm,
    };
  });
}

export function metricsText(reports: readonly MetricReport[]): string {
  const rows = reports.map(({ metric, counted, bad, undecided, rate, budget, exceeded }) => [
    metric,
    String(counted),
    String(bad),
    undecided === 0 ? '' : String(undecided),
    rate === null ? '' : percent(rate),
    percent(budget),
    exceeded ? 'exceeded' : rate !== null && rate > budget ? 'above, not certain' : 'kept',
  ]);
  return table([['metric', 'steps', 'bad', 'undecided', 'rate', 'budget', ''], ...rows]);
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

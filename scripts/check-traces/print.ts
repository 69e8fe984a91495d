// Prints the measures as a table. Nothing is decided here.
import { holds, type Measure, type RuleCount, shareOf } from './measure.ts';

export function printMeasures(measures: readonly Measure[], verbose: boolean): void {
  const width = Math.max(...measures.map(({ name }) => name.length));
  for (const measure of measures) {
    const share = percent(shareOf(measure)).padStart(7);
    const reach =
      'atLeast' in measure.reach
        ? `>= ${percent(measure.reach.atLeast)}`
        : `<= ${percent(measure.reach.atMost)}`;
    const count = `${measure.count} of ${measure.of}`.padStart(11);
    const verdict = holds(measure) ? 'ok' : 'NOT REACHED';
    const note = measure.note === undefined ? '' : `  (${measure.note})`;
    console.log(`${measure.name.padEnd(width)}  ${count}  ${share}  ${reach.padEnd(9)}  ${verdict}${note}`);
    if (verbose) for (const line of measure.detail) console.log(`    ${line}`);
  }
}

export function printRules(title: string, rules: readonly RuleCount[]): void {
  console.log(`\n${title}`);
  const width = Math.max(4, ...rules.map(({ rule }) => rule.length));
  console.log(
    `  ${'rule'.padEnd(width)}  ${'mode'.padEnd(7)}  sessions  calls  of these refused by the tool`,
  );
  for (const { rule, mode, sessions, calls, refused } of rules) {
    console.log(
      `  ${rule.padEnd(width)}  ${mode.padEnd(7)}  ${String(sessions).padStart(8)}  ${String(calls).padStart(5)}  ${String(refused).padStart(5)}`,
    );
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

// `interlock replay`: recorded sessions through a spec; decisions to a file, totals to the terminal.

import { VERDICTS } from '../monitor/types.ts';
import { parseOptions, UsageError } from './args.ts';
import { paint, printable, table } from './output.ts';
import { parseFormat, printProblem } from './replay/input.ts';
import { type MetricReport, metricReports, metricsText } from './replay/metrics.ts';
import { FileError, openOutput } from './replay/output-file.ts';
import { replayFiles } from './replay/run.ts';
import type { Totals } from './replay/totals.ts';
import { loadSpec } from './spec/load.ts';

const HELP = `interlock replay --spec FILE [options] INPUT...    replay recorded sessions under a spec

  --spec FILE            the spec
  --format FORMAT        chat, claude-code, swe-agent or interlock (default: told by each file)
  --decisions OUT.jsonl  write one line for each decided step
  --json                 print totals as JSON
  --jobs N               worker threads (default: by cores and size of the input)

Exit codes: 0 fine, 1 something in the input could not be read, 2 could not run.`;

const INPUTS_MAX = 100_000;
const JOBS_MAX = 256;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      spec: { type: 'string' },
      format: { type: 'string' },
      decisions: { type: 'string' },
      json: { type: 'boolean' },
      jobs: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    INPUTS_MAX,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.spec === undefined) throw new UsageError('--spec FILE is needed');
  if (positionals.length === 0) throw new UsageError('no INPUT given');
  const format = values.format === undefined ? undefined : parseFormat(values.format);
  const jobs = values.jobs === undefined ? undefined : parseJobs(values.jobs);
  const spec = loadSpec('replay', values.spec);
  if (spec === null) return 2;

  const progress = progressBar(process.stderr);
  const startedAt = performance.now();
  try {
    const decisions = values.decisions === undefined ? null : await openOutput(values.decisions);
    const totals = await replayFiles({
      spec,
      inputs: positionals,
      format,
      jobs,
      onDecisions: decisions?.write,
      onProgress: progress.show,
    });
    await decisions?.close();
    progress.clear();
    const seconds = (performance.now() - startedAt) / 1000;
    printProblems(totals);
    const metrics = metricReports(spec.program, totals);
    console.log(
      values.json
        ? JSON.stringify(totalsJson(totals, metrics, seconds), null, 2)
        : totalsText(totals, metrics, seconds),
    );
    return totals.problemCount > 0 ? 1 : 0;
  } catch (error) {
    progress.clear();
    if (!(error instanceof FileError)) throw error;
    console.error(`interlock replay: ${error.message}`);
    return 2;
  }
}

function parseJobs(text: string): number {
  const jobs = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (jobs < 1 || jobs > JOBS_MAX)
    throw new UsageError(`--jobs is a number from 1 to ${JOBS_MAX}, found "${text}"`);
  return jobs;
}

const PROGRESS_AFTER_MS = 1000;
const PROGRESS_EVERY_MS = 100;
const BAR_WIDTH = 30;

/** Shows progress where a person is looking, and only on work that takes a while. */
function progressBar(stream: NodeJS.WriteStream) {
  const startedAt = performance.now();
  let shownAt = 0;
  return {
    show({ bytes, totalBytes }: { readonly bytes: number; readonly totalBytes: number }): void {
      const now = performance.now();
      if (!stream.isTTY || now - startedAt < PROGRESS_AFTER_MS || now - shownAt < PROGRESS_EVERY_MS) return;
      shownAt = now;
      const part = totalBytes === 0 ? 1 : bytes / totalBytes;
      const full = Math.round(part * BAR_WIDTH);
      stream.write(`\r${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${Math.floor(part * 100)} %`);
    },
    clear(): void {
      if (shownAt > 0) stream.write(`\r\u001b[K`);
    },
  };
}

const PROBLEMS_PRINTED_MAX = 20;

function printProblems(totals: Totals): void {
  for (const problem of totals.problems.slice(0, PROBLEMS_PRINTED_MAX)) printProblem(problem);
  const more = totals.problemCount - Math.min(totals.problems.length, PROBLEMS_PRINTED_MAX);
  if (more > 0) console.error(`and ${more} more`);
}

function totalsJson(totals: Totals, metrics: readonly MetricReport[], seconds: number) {
  return {
    sessions: totals.sessions,
    steps: totals.steps,
    decided: totals.decided,
    verdicts: totals.verdicts,
    verdicts_by_rule: Object.fromEntries(totals.rules),
    ...(metrics.length === 0 ? {} : { metrics }),
    problems: totals.problemCount,
    seconds: Number(seconds.toFixed(3)),
    steps_per_second: Math.round(totals.steps / seconds),
  };
}

function totalsText(totals: Totals, metrics: readonly MetricReport[], seconds: number): string {
  const { sessions, steps, decided, verdicts, rules } = totals;
  const rate = Math.round(steps / seconds);
  const head = `${sessions} sessions, ${steps} steps, ${decided} decided in ${seconds.toFixed(2)} s (${rate} steps/s)`;
  const rows = [...rules].map(([rule, counts]) => [
    printable(rule),
    ...VERDICTS.map((verdict) => String(counts[verdict] || '')),
  ]);
  rows.sort((a, b) => a[0]!.localeCompare(b[0]!, 'en'));
  const all = ['in force', ...VERDICTS.map((verdict) => String(verdicts[verdict]))];
  const body = table([['', ...VERDICTS], all, ...rows]);
  const problems =
    totals.problemCount === 0 ? '' : `\n${paint('yellow', `${totals.problemCount} problems in the input`)}`;
  const rates = metrics.length === 0 ? '' : `\n\n${metricsText(metrics)}`;
  return `${head}\n\n${body}${rates}${problems}`;
}

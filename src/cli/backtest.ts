// `interlock backtest --old A --new B INPUT...`: every recorded session under both specs, and what changes between them.
import { createNoSpecMonitor } from '../engine/no-spec.ts';
import type { Format } from '../ingest/importers/index.ts';
import { backtestSession, type Change, type Side } from '../replay/backtest.ts';
import { type ReplaySpec, replaySpec, sharedHistory } from '../replay/replay.ts';
import { StoreError } from '../store/store.ts';
import { parseOptions, UsageError } from './args.ts';
import { paint, printable, table } from './output.ts';
import { parseFormat, printProblem } from './replay/input.ts';
import { FileError } from './replay/output-file.ts';
import { recordedSessions } from './replay/sources.ts';
import { loadSpec } from './spec/load.ts';

const HELP = `interlock backtest --old FILE --new FILE [options] [INPUT...]    what would change under another spec

  --old FILE        the spec of today; \`none\` for no spec, under which everything is allowed
  --new FILE        the spec to try
  --format FORMAT   chat, claude-code, swe-agent or interlock (default: told by each file)
  --data DIR        the sessions on record there (default .interlock), when no INPUT is given
  --fail-on WHAT    any (default), laxer, stricter or none: which changes make the exit code 1
  --json            for a program

A recording shows what happened under the spec that was in force. After a step that the new spec would have denied, the
agent would have gone on in another way: the first change of a session is certain, later ones are what would follow.

Exit codes: 0 nothing changed that --fail-on names, 1 something did, 2 could not run.`;

const FAIL_ON = ['any', 'laxer', 'stricter', 'none'] as const;
const INPUTS_MAX = 100_000;
/** Kept of each group of changes; all are counted. */
const EXAMPLES_MAX = 20;

interface Group {
  readonly rule: string;
  readonly direction: Change['direction'];
  readonly from: string;
  readonly to: string;
  changes: number;
  readonly sessions: Set<string>;
  readonly examples: { readonly session: string; readonly change: Change }[];
}

interface Report {
  sessions: number;
  steps: number;
  decided: number;
  readonly changed: Set<string>;
  stricter: number;
  laxer: number;
  problems: number;
  readonly groups: Map<string, Group>;
}

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      old: { type: 'string' },
      new: { type: 'string' },
      format: { type: 'string' },
      data: { type: 'string', default: '.interlock' },
      'fail-on': { type: 'string', default: 'any' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    INPUTS_MAX,
  );
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.old === undefined || values.new === undefined)
    throw new UsageError('--old and --new are needed');
  const failOn = FAIL_ON.find((word) => word === values['fail-on']);
  if (failOn === undefined) throw new UsageError(`--fail-on is ${FAIL_ON.join(', ')}`);
  const before = sideOf(values.old);
  const after = sideOf(values.new);
  if (before === null || after === null) return 2;
  try {
    const format = values.format === undefined ? undefined : parseFormat(values.format);
    const report = await compareAll(before, after, { inputs: positionals, format, data: values.data });
    console.log(values.json ? JSON.stringify(reportJson(report), null, 2) : reportText(report));
    const counted =
      failOn === 'any' ? report.stricter + report.laxer : failOn === 'none' ? 0 : report[failOn];
    return counted > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof FileError || error instanceof StoreError)) throw error;
    console.error(`interlock backtest: ${error.message}`);
    return 2;
  }
}

function sideOf(file: string): Side | null {
  if (file === 'none') {
    const none: ReplaySpec = { digest: null, createMonitor: () => createNoSpecMonitor('allow') };
    return { spec: none, history: undefined };
  }
  const compiled = loadSpec('backtest', file);
  if (compiled === null) return null;
  const spec = replaySpec(compiled);
  return { spec, history: sharedHistory(spec) };
}

async function compareAll(
  before: Side,
  after: Side,
  from: { inputs: readonly string[]; format: Format | undefined; data: string },
): Promise<Report> {
  const report: Report = {
    sessions: 0,
    steps: 0,
    decided: 0,
    changed: new Set(),
    stricter: 0,
    laxer: 0,
    problems: 0,
    groups: new Map(),
  };
  const onProblem = (problem: Parameters<typeof printProblem>[0]) => {
    report.problems++;
    printProblem(problem);
  };
  for await (const { session, steps } of recordedSessions({ ...from, onProblem })) {
    const { changes, decided } = backtestSession(before, after, steps);
    report.sessions++;
    report.steps += steps.length;
    report.decided += decided;
    for (const change of changes) count(report, session, change);
  }
  return report;
}

function count(report: Report, session: string, change: Change): void {
  report[change.direction]++;
  report.changed.add(session);
  const rules = change.rules.length === 0 ? ['$no-spec'] : change.rules.map(({ rule }) => rule);
  for (const rule of rules) {
    const { direction, from, to } = change;
    const key = JSON.stringify([rule, direction, from, to]);
    const group = report.groups.get(key) ?? {
      rule,
      direction,
      from,
      to,
      changes: 0,
      sessions: new Set<string>(),
      examples: [],
    };
    report.groups.set(key, group);
    group.changes++;
    group.sessions.add(session);
    if (group.examples.length < EXAMPLES_MAX) group.examples.push({ session, change });
  }
}

/** Most sessions first; what got laxer before what got stricter. */
function sorted({ groups }: Report): Group[] {
  return [...groups.values()].sort(
    (a, b) =>
      a.direction.localeCompare(b.direction, 'en') ||
      b.sessions.size - a.sessions.size ||
      a.rule.localeCompare(b.rule, 'en'),
  );
}

function reportJson(report: Report) {
  const { sessions, steps, decided, changed, stricter, laxer, problems } = report;
  return {
    sessions,
    steps,
    decided,
    sessions_changed: changed.size,
    stricter,
    laxer,
    problems,
    rules: sorted(report).map((group) => ({
      rule: group.rule,
      direction: group.direction,
      from: group.from,
      to: group.to,
      changes: group.changes,
      sessions: group.sessions.size,
      examples: group.examples.map(({ session, change }) => ({
        session,
        index: change.seq,
        kind: change.step.kind,
        name: change.step.name,
        args: change.step.args ?? null,
        because: change.rules.find(({ rule }) => rule === group.rule)?.because ?? null,
        witness: change.witness.map(({ session: other, seq, kind, name, note }) => ({
          ...(other === undefined ? {} : { session: other }),
          index: seq,
          kind,
          name,
          ...(note === undefined ? {} : { note }),
        })),
      })),
    })),
  };
}

function reportText(report: Report): string {
  const { sessions, steps, decided, changed, stricter, laxer } = report;
  const head = `${sessions} sessions, ${steps} steps, ${decided} decided under both`;
  if (stricter + laxer === 0) return `${head}\nNothing changes.`;
  const summary = `${changed.size} sessions change: ${stricter} verdicts stricter, ${laxer} laxer`;
  const rows = sorted(report).map(({ rule, direction, from, to, changes, sessions: of }) => [
    paint(direction === 'laxer' ? 'red' : 'yellow', direction),
    `${from} → ${to}`,
    printable(rule),
    String(changes),
    String(of.size),
  ]);
  const lines = sorted(report).map(({ rule, direction, examples }) =>
    exampleText(rule, direction, examples[0]!),
  );
  return [
    head,
    summary,
    '',
    table([['', 'verdict', 'rule', 'steps', 'sessions'], ...rows]),
    '',
    ...lines,
  ].join('\n');
}

function exampleText(
  rule: string,
  direction: string,
  { session, change }: Group['examples'][number],
): string {
  const { step, from, to, rules } = change;
  const outcome = rules.find((one) => one.rule === rule);
  const lines = [
    `${printable(rule)}, ${direction}: session ${printable(session)}, step ${change.seq}`,
    `  ${step.kind} ${printable(step.name)} ${printable(JSON.stringify(step.args ?? step.content ?? {}), 100)}`,
    `  ${from} → ${to}${outcome === undefined ? '' : `: ${printable(outcome.because, 160)}`}`,
  ];
  for (const { session: other, seq, kind, name, note } of (outcome?.witness ?? []).slice(0, 3)) {
    const where = other === undefined ? `step ${seq}` : `session ${printable(other)}, step ${seq}`;
    lines.push(
      `  because of ${where}, ${kind} ${printable(name)}${note === undefined ? '' : `: ${printable(note, 100)}`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

// `interlock spec check`: what is wrong with a spec, what cannot matter in it, what it leaves open, what it remembers.
import { type Analysis, analyzeSpec, type Finding } from '../../spec/analysis/index.ts';
import { type CompiledSpec, compileSpec, formatProblem, lineMap, type Problem } from '../../spec/index.ts';
import { parseOptions, UsageError } from '../args.ts';
import { STATE_BOUNDS } from './bounds.ts';
import { optionsFor, readSpec, specsAmong } from './files.ts';
import { sarifOf } from './sarif.ts';

export interface Checked {
  readonly file: string;
  readonly text: string;
  /** Null when it has errors. */
  readonly spec: CompiledSpec | null;
  readonly problems: readonly Problem[];
  readonly findings: readonly Finding[];
  readonly memory: Analysis['memory'];
}

export async function check(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      json: { type: 'boolean', default: false },
      sarif: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
    },
    Number.POSITIVE_INFINITY,
  );
  const files = specsAmong(positionals);
  if (values.json && values.sarif) throw new UsageError('--json and --sarif are two forms of one report');
  const checked = files.map(checkFile);
  const failed = (one: Checked): boolean =>
    one.spec === null || (values.strict && [...one.problems, ...one.findings].some(isWarning));
  if (values.sarif) write(sarifOf(checked));
  else if (values.json)
    write(
      checked.map((one) => ({
        file: one.file,
        ok: !failed(one),
        ...(one.spec === null ? {} : { name: one.spec.name, digest: one.spec.digest }),
        problems: one.problems,
        findings: one.findings,
        memory: one.memory,
      })),
    );
  else for (const one of checked) print(one);
  return checked.some(failed) ? 1 : 0;
}

function isWarning({ severity }: Problem | Finding): boolean {
  return severity === 'warning';
}

function checkFile(file: string): Checked {
  const text = readSpec(file);
  const options = optionsFor(file);
  const result = compileSpec(text, options);
  const analysis = result.ok ? analyzeSpec(text, options, STATE_BOUNDS) : null;
  return {
    file,
    text,
    spec: result.ok ? result.spec : null,
    problems: result.problems,
    findings: analysis?.findings ?? [],
    memory: analysis?.memory ?? [],
  };
}

function write(report: unknown): void {
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}

function print({ file, text, spec, problems, findings, memory }: Checked): void {
  const lines = lineMap(text);
  for (const problem of [...problems, ...findings.filter(isWarning)])
    process.stderr.write(`${formatProblem(problem, lines)}\n`);
  if (spec === null) return;
  const { program, name, digest } = spec;
  const out = [`${file}: ok  ${name}  ${program.tools.size} tools, ${program.rules.length} rules  ${digest}`];
  for (const { rule, bound } of memory) out.push(`  ${rule} remembers ${bound}`);
  const open = (code: Finding['code']) =>
    findings.filter((finding) => finding.code === code).map(({ subject }) => subject);
  const [uncovered, unlimited] = [open('uncovered-tool'), open('unlimited-effect')];
  if (uncovered.length > 0) out.push(`  no rule is about ${uncovered.join(', ')}`);
  if (unlimited.length > 0) out.push(`  effects without a limit or a hold: ${unlimited.join(', ')}`);
  process.stdout.write(`${out.join('\n')}\n`);
}

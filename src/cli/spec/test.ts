// `interlock spec test`: the example sessions in each spec, and in NAME.test.yaml beside it.
import { existsSync, writeFileSync } from 'node:fs';
import { junitOf, type TestSuite } from '../../replay/junit.ts';
import { runSpecTests, type SpecTestReport } from '../../replay/spec-tests.ts';
import { compileSpec, formatProblem, lineMap, type Problem } from '../../spec/index.ts';
import { parseOptions } from '../args.ts';
import { table } from '../output.ts';
import { optionsFor, readSpec, specsAmong, Unreadable } from './files.ts';

interface Tested {
  readonly file: string;
  readonly name: string;
  readonly digest: string | null;
  readonly problems: readonly Problem[];
  /** Null when the spec does not check. */
  readonly report: SpecTestReport | null;
  readonly failed: boolean;
}

export async function test(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(
    argv,
    {
      json: { type: 'boolean', default: false },
      junit: { type: 'string' },
      coverage: { type: 'boolean', default: false },
    },
    Number.POSITIVE_INFINITY,
  );
  const files = specsAmong(positionals);
  const tested = files.map(testFile);
  if (values.json) process.stdout.write(`${JSON.stringify(tested.map(jsonOf), null, 2)}\n`);
  else for (const one of tested) print(one, values.coverage);
  if (values.junit !== undefined) writeReport(values.junit, junitOf(tested.map(suiteOf)));
  return tested.some((one) => one.failed) ? 1 : 0;
}

function writeReport(file: string, xml: string): void {
  try {
    writeFileSync(file, xml);
  } catch (error) {
    throw new Unreadable(`cannot write ${file}: ${(error as Error).message}`);
  }
}

/** `refunds.test.yaml` beside `refunds.yaml`; null when there is none. */
function fileBeside(file: string): string | null {
  const name = file.replace(/\.(yaml|yml|json)$/, '');
  const beside = ['yaml', 'yml', 'json']
    .map((ending) => `${name}.test.${ending}`)
    .find((path) => existsSync(path));
  return name === file || beside === undefined ? null : beside;
}

function testFile(file: string): Tested {
  const text = readSpec(file);
  const result = compileSpec(text, optionsFor(file));
  if (!result.ok)
    return { file, name: file, digest: null, problems: result.problems, report: null, failed: true };
  const path = fileBeside(file);
  const beside = path === null ? null : { file: path, text: readSpec(path) };
  const report = runSpecTests(result.spec, file, text, beside);
  const problems = [...result.problems, ...report.problems];
  const failed =
    problems.some(({ severity }) => severity === 'error') ||
    report.results.some(({ failures }) => failures.length > 0);
  return { file, name: result.spec.name, digest: result.spec.digest, problems, report, failed };
}

function jsonOf({ file, name, digest, problems, report, failed }: Tested): object {
  return {
    file,
    ok: !failed,
    ...(digest === null ? {} : { name, digest }),
    problems,
    ...(report === null
      ? {}
      : {
          tests: report.results,
          rulesExercised: report.fired,
          rulesNeverFired: report.silent,
          coverage: report.coverage,
        }),
  };
}

function print({ name, problems, report }: Tested, withCoverage: boolean): void {
  for (const problem of problems)
    process.stderr.write(`${formatProblem(problem, lineMap(problem.excerpt))}\n`);
  if (report === null) return;
  const { results, coverage } = report;
  for (const one of results) {
    process.stdout.write(`${one.failures.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${one.name}\n`);
    for (const { file, line, step, expected, found } of one.failures)
      process.stderr.write(`${file}:${line}: step ${step + 1}: expected ${expected}, found ${found}\n`);
  }
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const never = report.silent.length === 0 ? '' : `, never: ${report.silent.join(', ')}`;
  process.stdout.write(
    `${results.length - failed} passed, ${failed} failed; ${report.fired.length} of ${coverage.rules.length} rules fired${never}\n`,
  );
  if (!withCoverage) return;
  const rows = coverage.rules.map(({ rule, evaluated, satisfied, fired }) => [
    `  ${rule}`,
    `${evaluated} evaluated`,
    `${satisfied} satisfied`,
    `${fired} fired`,
  ]);
  const { called, never: uncalled } = coverage.tools;
  const tools = `tools called: ${called.join(', ') || 'none'}${uncalled.length === 0 ? '' : `; never: ${uncalled.join(', ')}`}`;
  process.stdout.write(`${[...(rows.length === 0 ? [] : [table(rows)]), `  ${tools}`].join('\n')}\n`);
}

function suiteOf({ file, name, problems, report }: Tested): TestSuite {
  return {
    name,
    file,
    cases: (report?.results ?? []).map((one) => ({
      name: one.name,
      file: one.file,
      line: one.line,
      failures: one.failures.map(({ file: at, line, step, expected, found }) => {
        const message = `step ${step + 1}: expected ${expected}, found ${found}`;
        return { message, text: `${at}:${line}: ${message}` };
      }),
    })),
    errors: problems
      .filter(({ severity }) => severity === 'error')
      .map((problem) => formatProblem(problem, lineMap(problem.excerpt))),
  };
}

// `interlock spec check|test FILE...`: reads specs, prints problems and test results.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSpecTests, type SpecTestReport } from '../replay/spec-tests.ts';
import { readBeside } from '../sdk/spec-files.ts';
import { type CompileResult, compileSpec, formatProblem, lineMap, type Problem } from '../spec/index.ts';

const USAGE = `usage: interlock spec check [--json] FILE...
       interlock spec test  [--json] FILE...

check  reads each spec as it would be enforced; exit 1 when one has errors
test   runs the example sessions in each spec; exit 1 when one fails
`;

/** A spec compiled from a file, schema files beside it; throws the system's error when the file cannot be read. */
export function compileSpecFile(file: string): { text: string; result: CompileResult } {
  const text = readFileSync(file, 'utf8');
  const readRef = (path: string) => readBeside(file, path);
  return { text, result: compileSpec(text, { file, readRef }) };
}

/** Exit code: 0 fine, 1 findings, 2 could not run. */
export async function run(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined || command === 'help' || command === '--help') {
    (command === undefined ? process.stderr : process.stdout).write(USAGE);
    return command === undefined ? 2 : 0;
  }
  if (command !== 'check' && command !== 'test') {
    process.stderr.write(`interlock: spec has no command \`${command}\`\n${USAGE}`);
    return 2;
  }
  let options: { json: boolean; files: string[] };
  try {
    const parsed = parseArgs({
      args: rest,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    options = { json: parsed.values.json, files: parsed.positionals };
  } catch (error) {
    process.stderr.write(`interlock: ${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options.files.length === 0) {
    process.stderr.write(`interlock: no spec file given\n${USAGE}`);
    return 2;
  }
  let code = 0;
  const reports: unknown[] = [];
  for (const file of options.files) {
    let compiled: ReturnType<typeof compileSpecFile>;
    try {
      compiled = compileSpecFile(file);
    } catch (error) {
      process.stderr.write(`interlock: cannot read ${file}: ${(error as Error).message}\n`);
      return 2;
    }
    const { text, result } = compiled;
    const tests = command === 'test' && result.ok ? runSpecTests(result.spec, file, text) : null;
    const problems = [...result.problems, ...(tests?.problems ?? [])];
    const failed =
      problems.some((problem) => problem.severity === 'error') ||
      (tests?.results.some((test) => test.failures.length > 0) ?? false);
    if (failed) code = 1;
    if (options.json)
      reports.push({
        file,
        ok: !failed,
        ...(result.ok ? { name: result.spec.name, digest: result.spec.digest } : {}),
        problems,
        ...(tests
          ? { tests: tests.results, rulesExercised: tests.fired, rulesNeverFired: tests.silent }
          : {}),
      });
    else print(file, text, result, problems, tests);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
  return code;
}

function print(
  file: string,
  text: string,
  result: CompileResult,
  problems: readonly Problem[],
  tests: SpecTestReport | null,
): void {
  const lines = lineMap(text);
  for (const problem of problems) process.stderr.write(`${formatProblem(problem, lines)}\n`);
  if (!result.ok) return;
  const { program, digest, name } = result.spec;
  if (tests === null) {
    const errors = problems.filter((problem) => problem.severity === 'error').length;
    if (errors === 0)
      process.stdout.write(
        `${file}: ok  ${name}  ${program.tools.size} tools, ${program.rules.length} rules  ${digest}\n`,
      );
    return;
  }
  for (const test of tests.results) {
    process.stdout.write(`${test.failures.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${test.name}\n`);
    for (const failure of test.failures) {
      process.stderr.write(
        `${file}:${failure.line}: step ${failure.step + 1}: expected ${failure.expected}, found ${failure.found}\n`,
      );
    }
  }
  const failed = tests.results.filter((test) => test.failures.length > 0).length;
  process.stdout.write(
    `${tests.results.length - failed} passed, ${failed} failed; ${tests.fired.length} of ${program.rules.length} rules fired`,
  );
  process.stdout.write(tests.silent.length === 0 ? '\n' : `, never: ${tests.silent.join(', ')}\n`);
}

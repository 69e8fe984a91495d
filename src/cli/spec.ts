// `interlock spec check|test|fmt|compile|explain|promotion`: everything an author runs before a rule is enforced.
import { nearest } from '../step/nearest.ts';
import { UsageError } from './args.ts';
import { Unreadable } from './spec/files.ts';

export { compileSpecFile } from './spec/files.ts';

const USAGE = `usage: interlock spec check [--json | --sarif] [--strict] FILE...
       interlock spec test  [--json] [--junit FILE] [--coverage] FILE...
       interlock spec fmt   [--check] FILE...
       interlock spec compile FILE [-o OUT]
       interlock spec explain FILE --session S --step N [INPUT...]
       interlock spec promotion [--data DIR] [--at-most SHARE]
       interlock spec schema

check  reads each spec as it would be enforced: errors; rules that can never fire, that say again what another says, or
       that contradict one another; tools that no rule is about, effects without a limit; what each rule remembers
         --json      all of it as data        --sarif   as SARIF 2.1.0, for code review
         --strict    warnings fail too
test   runs the example sessions in each spec, and in NAME.test.yaml beside NAME.yaml
         --json      as data                  --junit FILE   as JUnit XML too
         --coverage  how often each rule was asked, satisfied and fired, and which tools were called
fmt    puts each spec in its canonical layout; comments stay, the meaning does not change
         --check     changes nothing, names the files that differ
compile writes a spec as one JSON text, with what it imports in it, for interlock/edge
explain says why a step got its verdict, in words, with the steps it rests on; from INPUT, or from the record
         --data DIR  where the record lives (default .interlock)   --format   of the INPUT   --json
promotion tells of each rule in shadow or warn what it would have done, and whether it is ready to be enforced
         --at-most   the share of steps it may stop (default 1%)   --spec NAME   --json
schema prints the JSON Schema of specs, for editors

Exit codes: 0 fine; 1 errors (with --strict, warnings), failed examples, files that differ; 2 could not run.
`;

type Run = (argv: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, () => Promise<Run>>> = {
  check: async () => (await import('./spec/check.ts')).check,
  test: async () => (await import('./spec/test.ts')).test,
  fmt: async () => (await import('./spec/fmt.ts')).fmt,
  compile: async () => (await import('./spec/compile.ts')).compile,
  explain: async () => (await import('./spec/explain.ts')).explain,
  promotion: async () => (await import('./spec/promotion.ts')).promotion,
  schema: async () => (await import('./spec/schema.ts')).schema,
};

/** Exit code: 0 fine, 1 findings, 2 could not run. */
export async function run(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (command === 'help' || command === '-h' || argv.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (load === undefined) {
    const near = nearest(command, Object.keys(COMMANDS));
    throw new UsageError(
      `spec has no command \`${command}\`.${near === null ? '' : ` Did you mean \`${near}\`?`}`,
    );
  }
  try {
    return await (await load())(rest);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    process.stderr.write(`interlock: ${error.message}\n`);
    return 2;
  }
}

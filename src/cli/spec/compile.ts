// `interlock spec compile`: a spec as one JSON text, with what it imports and refers to in it, for `interlock/edge`.
import { writeFileSync } from 'node:fs';
import { compileSpec, formatProblem, lineMap } from '../../spec/index.ts';
import { parseOptions, UsageError } from '../args.ts';
import { optionsFor, readSpec, Unreadable } from './files.ts';

export async function compile(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { out: { type: 'string', short: 'o' } }, 1);
  const [file] = positionals;
  if (file === undefined) throw new UsageError('spec compile needs a spec: spec compile FILE [-o OUT]');
  const source = readSpec(file);
  const result = compileSpec(source, optionsFor(file));
  if (!result.ok) {
    const lines = lineMap(source);
    for (const problem of result.problems) process.stderr.write(`${formatProblem(problem, lines)}\n`);
    return 1;
  }
  const text = `${result.spec.canonical}\n`;
  if (values.out === undefined) process.stdout.write(text);
  else
    try {
      writeFileSync(values.out, text);
    } catch (error) {
      throw new Unreadable(`cannot write ${values.out}: ${(error as Error).message}`);
    }
  return 0;
}

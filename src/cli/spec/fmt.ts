// `interlock spec fmt`: writes each spec back in its canonical layout, or says which are not in it.
import { writeFileSync } from 'node:fs';
import { parseOptions, UsageError } from '../args.ts';
import { readSpec, Unreadable } from './files.ts';
import { formatSpec } from './format.ts';

export async function fmt(argv: readonly string[]): Promise<number> {
  const { values, positionals: files } = parseOptions(
    argv,
    { check: { type: 'boolean', default: false } },
    Number.POSITIVE_INFINITY,
  );
  if (files.length === 0) throw new UsageError('no spec file given');
  let differ = 0;
  let failed = 0;
  for (const file of files) {
    const text = readSpec(file);
    const formatted = formatSpec(text, file.endsWith('.json'));
    if ('problem' in formatted) {
      process.stderr.write(`${file}:${formatted.line}: cannot be formatted: ${formatted.problem}\n`);
      failed++;
    } else if (formatted.text !== text) {
      differ++;
      if (!values.check) write(file, formatted.text);
      process.stdout.write(
        `${file}${values.check ? ': differs from the canonical layout' : ': formatted'}\n`,
      );
    }
  }
  if (failed > 0) return 2;
  return values.check && differ > 0 ? 1 : 0;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Unreadable(`cannot write ${file}: ${(error as Error).message}`);
  }
}

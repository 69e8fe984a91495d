// Options and complaints that commands on recorded sessions share.
import { FORMATS, type Format, type ImportProblem } from '../../ingest/importers/index.ts';
import { nearest } from '../../step/nearest.ts';
import { UsageError } from '../args.ts';
import { printable } from '../output.ts';

export function parseFormat(text: string): Format {
  const format = FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  const near = nearest(text, FORMATS);
  throw new UsageError(
    `--format is ${FORMATS.join(', ')}, found "${text}"${near === null ? '' : `. Did you mean ${near}?`}`,
  );
}

export function printProblem({ file, line, what, mend }: ImportProblem): void {
  console.error(`${file}:${line}: ${printable(what)}. ${mend}`);
}

// Command-line options, read once: unknown ones are named, with the nearest known one. No command is known here.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { nearest } from '../step/nearest.ts';

/** The command line itself is wrong; `main` prints the message and exits with 2. */
export class UsageError extends Error {}

export interface Options<T extends ParseArgsOptionsConfig> {
  readonly values: ReturnType<
    typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
  >['values'];
  readonly positionals: string[];
}

export function parseOptions<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  positionalsMax = 0,
): Options<T> {
  const parsed = attempt(argv, options);
  const extra = parsed.positionals[positionalsMax];
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  return parsed;
}

function attempt<const T extends ParseArgsOptionsConfig>(argv: readonly string[], options: T): Options<T> {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(optionProblem(argv, options) ?? error.message.replace(/\. To specify.*$/s, ''));
  }
}

function optionProblem(argv: readonly string[], options: ParseArgsOptionsConfig): string | null {
  const known = Object.keys(options);
  for (const argument of argv) {
    if (argument === '--') return null;
    if (!argument.startsWith('--')) continue;
    const name = argument.slice(2).split('=', 1)[0]!;
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    return `unknown option --${name}.${near === null ? '' : ` Did you mean --${near}?`}`;
  }
  return null;
}

/** A TCP port as given on the command line; 0 asks the system for a free one. */
export function parsePort(text: string, option: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new UsageError(`${option} is a port from 0 to 65535, found "${text}"`);
  return port;
}

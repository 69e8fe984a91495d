// Spec files for the commands that work on them.
import { readFileSync } from 'node:fs';
import { readBeside } from '../../sdk/spec-files.ts';
import { type CompileOptions, type CompileResult, compileSpec } from '../../spec/index.ts';
import { UsageError } from '../args.ts';

/** The file cannot be read; the message names it and says why. */
export class Unreadable extends Error {}

/** @throws Unreadable */
export function readSpec(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Unreadable(`cannot read ${file}: ${(error as Error).message}`);
  }
}

/** The specs among the files that a glob gave: a file of examples is read with the spec that it stands beside. */
export function specsAmong(files: readonly string[]): string[] {
  if (files.length === 0) throw new UsageError('no spec file given');
  const specs = files.filter((file) => !/\.test\.(yaml|yml|json)$/.test(file));
  if (specs.length === 0)
    throw new UsageError(
      `${files[0]} has examples; name the spec that it stands beside, and they are run with it`,
    );
  return specs;
}

/** Problems name the file; what it refers to is read beside it. */
export function optionsFor(file: string): CompileOptions {
  return { file, readRef: (path) => readBeside(file, path) };
}

/** A spec compiled from a file, schema files beside it; throws the system's error when the file cannot be read. */
export function compileSpecFile(file: string): { text: string; result: CompileResult } {
  const text = readFileSync(file, 'utf8');
  return { text, result: compileSpec(text, optionsFor(file)) };
}

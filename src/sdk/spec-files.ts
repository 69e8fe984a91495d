// Specs from the disk, ready for the engine: read, checked, compiled. A spec that does not check is an error that shows
// every problem with its place, never a spec that is left out.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { CompiledSpecLike } from '../engine/options.ts';
import { createMonitor } from '../monitor/session-monitor.ts';
import { type CompiledSpec, compileSpec, formatProblem, lineMap } from '../spec/index.ts';
import { SpecInvalid } from './errors.ts';

export async function loadSpecFile(file: string): Promise<CompiledSpecLike> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new SpecInvalid(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? error}).`);
  }
  return compile(text, file, (path) => readBeside(file, path));
}

/** A spec given as an object in code; it cannot refer to files. */
export function loadSpecObject(spec: object): CompiledSpecLike {
  return compile(JSON.stringify(spec, null, 2), 'spec', () => null);
}

/** A spec that a session still runs under, from its canonical text in the store. */
export function recompile(stored: { name: string; canonical: string }): CompiledSpecLike | null {
  const result = compileSpec(stored.canonical, { file: stored.name });
  return result.ok ? runnable(result.spec) : null;
}

function compile(text: string, file: string, readRef: (path: string) => string | null): CompiledSpecLike {
  const result = compileSpec(text, { file, readRef });
  if (result.ok) return runnable(result.spec);
  const lines = lineMap(text);
  throw new SpecInvalid(result.problems.map((problem) => formatProblem(problem, lines)).join('\n'));
}

function runnable(spec: CompiledSpec): CompiledSpecLike {
  const { name, digest, canonical, program } = spec;
  return {
    name,
    digest,
    canonical,
    applies: (agent) => spec.applies(agent),
    createMonitor: () => createMonitor(program),
  };
}

/** A file named by `$ref`: only in the spec's own directory or below it. */
function readBeside(file: string, path: string): string | null {
  const dir = dirname(resolve(file));
  const target = resolve(dir, path);
  const inside = relative(dir, target);
  if (inside.startsWith('..') || isAbsolute(inside)) return null;
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return null;
  }
}

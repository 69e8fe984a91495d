// Specs from the disk, ready for the engine: read, checked, compiled. A spec that does not check is an error that shows
// every problem with its place, never a spec that is left out.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CompiledSpecLike } from '../engine/options.ts';
import type { FailOpen } from '../engine/types.ts';
import { createMonitor } from '../monitor/session-monitor.ts';
import { type CompiledSpec, compileSpec, formatProblem, lineMap } from '../spec/index.ts';
import type { Program } from '../spec/program.ts';
import type { StepKind } from '../step/types.ts';
import { SpecInvalid } from './errors.ts';

/** Beside `src`; the build puts a copy beside its own. */
const PACKS = fileURLToPath(new URL('../../packs', import.meta.url));

/** `file` is a path, or `pack:NAME` for a pack of this package. */
export async function loadSpecFile(file: string): Promise<CompiledSpecLike> {
  let text: string;
  try {
    text = await readFile(pathOf(file) ?? file, 'utf8');
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
    ...failOpenOf(program),
    applies: (agent) => spec.applies(agent),
    createMonitor: () => createMonitor(program),
  };
}

/** What is said, read or asked of a model; an act is open by its own contract only. */
const OPEN_KINDS: readonly StepKind[] = [
  'input',
  'output',
  'model.request',
  'model.response',
  'retrieval',
  'memory.read',
];

function failOpenOf({ failOpen, tools }: Program): { failOpen?: FailOpen } {
  const open = [...tools].flatMap(([tool, { contract }]) => (contract.failOpen ? [tool] : []));
  if (!failOpen && open.length === 0) return {};
  return { failOpen: { kinds: failOpen ? OPEN_KINDS : [], tools: open } };
}

/**
 * A file that a spec names by `$ref` or imports: relative to the spec, or `pack:banking` for a pack of this package and
 * `pack:banking/FILE` for a file beside it. Null when there is none.
 */
export function readBeside(file: string, path: string): string | null {
  const target = path.startsWith('pack:') ? pathOf(path) : beside(pathOf(file) ?? file, path);
  if (target === null) return null;
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return null;
  }
}

/** The path of `pack:NAME`; null for any other name. */
function pathOf(name: string): string | null {
  return name.startsWith('pack:') ? packFile(name.slice('pack:'.length)) : null;
}

function beside(file: string, path: string): string {
  return resolve(dirname(resolve(file)), path);
}

function packFile(name: string): string | null {
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\\'))) return null;
  return parts.length === 1 ? join(PACKS, name, `${name}.yaml`) : join(PACKS, ...parts);
}

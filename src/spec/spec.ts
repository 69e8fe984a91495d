// A spec compiled: its text to a program, or its problems. What reads the text and runs patterns is handed in. Pure.
import { canonicalize } from '../step/canonical.ts';
import { digestText } from '../step/digest.ts';
import { compileProgram } from './compile.ts';
import type { Engines } from './engines.ts';
import { globMatches } from './pattern.ts';
import type { Problem } from './problem.ts';
import type { Program } from './program.ts';
import { type ReadRef, readDocument } from './read.ts';
import { Source, type SourceNode } from './source.ts';

export interface CompileOptions {
  /** Named in problems. */
  readonly file?: string;
  /** Reads a file that the spec names (a schema, an imported spec), relative to the spec; null when there is none. */
  readonly readRef?: ReadRef;
}

/** A spec that checks. Its digest, `sha256:` and hex, is of the canonical (RFC 8785) form of its meaning: no tests, no layout. */
export interface CompiledSpec {
  readonly name: string;
  readonly digest: string;
  readonly canonical: string;
  readonly program: Program;
  /** The `tests` of the spec as read, for `spec test`. */
  readonly tests: SourceNode | null;
  /** Whether the spec is for agents of this name. */
  applies(agent: string): boolean;
}

export type CompileResult =
  | { readonly ok: true; readonly spec: CompiledSpec; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks and compiles a spec with what `engines` bring. */
export function compileWith(text: string, options: CompileOptions, engines: Engines): CompileResult {
  const source = new Source(options.file ?? 'spec', text, [], engines);
  const root = engines.read(source);
  const document =
    root === null
      ? null
      : readDocument(source, root, { readRef: options.readRef, path: [], given: NOTHING, mode: 'enforce' });
  if (document === null) return { ok: false, problems: sorted(source) };
  const canonical = canonicalize(document.meaning);
  const program = compileProgram(source, document, { canonical, digest: digestText(canonical) });
  if (program === null || source.failed) return { ok: false, problems: sorted(source) };
  const spec: CompiledSpec = {
    name: document.name,
    digest: program.digest,
    canonical,
    program,
    tests: document.tests,
    applies: (agent) => document.agents.some((glob) => globMatches(glob, agent)),
  };
  return { ok: true, spec, problems: sorted(source) };
}

const NOTHING = new Map<string, never>();

/** By place, those of imported files after the spec's own. */
function sorted({ file, problems }: Source): readonly Problem[] {
  const files = [file, ...new Set(problems.map((problem) => problem.file))];
  return [...problems].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

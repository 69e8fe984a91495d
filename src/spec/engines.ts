// What the compiler of specs uses and does not bring along, because not every spec needs it and some places have no room for it:
// who compiles hands it in. A spec that needs what is not there does not check. Pure: contracts only.
import type { ShellFacts } from '../shell/types.ts';
import type { Source, SourceNode } from './source.ts';

export interface Engines {
  /** Reads the text of a spec into nodes with places; null when it is none (problems of the source say why). */
  readonly read: (source: Source) => SourceNode | null;
  /** For `matches`, and `pattern` and `patternProperties` of schemas. */
  readonly patterns: Patterns | null;
  /** For `shell(…)`. */
  readonly shell: Shell | null;
  /**
   * Whether a text that grows can be followed for this pattern, so that what surely is no match goes on early. Null where
   * nobody streams: then texts are judged whole.
   */
  readonly follows: ((pattern: string) => boolean) | null;
}

/** Linear in the text, whatever the pattern (RE2): patterns and texts come from outside. */
export interface Patterns {
  /** Throws an `Error` that says why it is no pattern. */
  compile(pattern: string): Pattern;
}

export interface Pattern {
  test(text: string): boolean;
}

export interface Shell {
  /** `command` is a text, or a program and its arguments; relative paths are of `folder`. */
  read(command: string | readonly string[], folder: string): ShellFacts;
}

/** Reads and knows nothing: for a source that only gathers problems. */
export const NO_ENGINES: Engines = { read: () => null, patterns: null, shell: null, follows: null };
